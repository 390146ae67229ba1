"""c3d and n3d as every kind of machine wrote them, and cut or damaged."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from batchlab.errors import DataError
from batchlab.motion._model import Recording
from batchlab.motion._read import read_recording
from batchlab.motion._synthetic import simulate
from batchlab.motion._synthetic._c3d import write_c3d
from batchlab.motion._synthetic._text import write_n3d


@pytest.fixture(scope="module")
def recording() -> Recording:
    return simulate(frames=60, markers=6).recording


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("integers", [False, True])
@pytest.mark.parametrize("analog", [0, 7])
def test_c3d_reads_back(tmp_path: Path, recording: Recording, integers: bool, big_endian: bool, analog: int) -> None:
    path = tmp_path / "a.c3d"
    write_c3d(path, recording, integers=integers, big_endian=big_endian, analog=analog)
    read = read_recording(path)
    assert read.markers == recording.markers
    assert read.rate_hz == 100.0
    assert read.times_s == pytest.approx(recording.times_s)
    assert read.notes == ()
    assert read.positions == pytest.approx(recording.positions, abs=5e-5 if integers else 2e-7, nan_ok=True)


def test_c3d_of_dec_machines_reads_back(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "a.c3d"
    write_c3d(path, recording)
    data = bytearray(path.read_bytes())
    data[515] = 85
    places = [12, 20]
    for name in (b"SCALE", b"RATE"):
        places.append(data.index(name, 512) + len(name) + 4)
    start = (struct.unpack_from("<H", data, 16)[0] - 1) * 512
    places += range(start, len(data), 4)
    for at in places:
        value = struct.unpack_from("<f", data, at)[0] * 4
        low, high = struct.unpack("<2H", struct.pack("<f", value))
        struct.pack_into("<2H", data, at, high, low)
    path.write_bytes(data)
    read = read_recording(path)
    assert read.rate_hz == 100.0
    assert read.positions == pytest.approx(recording.positions, abs=2e-7, nan_ok=True)


def test_labels_go_on_in_labels2(tmp_path: Path) -> None:
    many = simulate(frames=3, markers=600).recording
    path = tmp_path / "a.c3d"
    write_c3d(path, many)
    read = read_recording(path)
    assert read.markers == many.markers
    assert read_recording(path, markers=["m600", "m2"]).markers == ("m2", "m600")


def test_more_frames_than_two_bytes_hold(tmp_path: Path) -> None:
    long = simulate(frames=70_000, markers=1, missing=0).recording
    path = tmp_path / "a.c3d"
    write_c3d(path, long)
    read = read_recording(path)
    assert read.times_s.size == 70_000
    assert np.abs(read.positions - long.positions).max() < 2e-7


def test_time_counts_from_the_first_frame_of_the_trial(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "a.c3d"
    write_c3d(path, recording, first_frame=301)
    assert read_recording(path).times_s[0] == pytest.approx(3.0)


def test_a_unit_that_is_not_stated_is_refused_and_may_be_declared(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "a.c3d"
    write_c3d(path, recording, unit=None)
    with pytest.raises(DataError, match=r'does not say its unit; declare it, such as unit="mm"') as error:
        read_recording(path)
    assert error.value.reason == "unit-unknown"
    assert read_recording(path, unit="mm").positions == pytest.approx(recording.positions, abs=2e-7, nan_ok=True)


def test_declared_units_and_rates_overrule_the_file_and_this_is_told(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "a.c3d"
    write_c3d(path, recording, unit="m")
    read = read_recording(path, unit="mm", rate_hz=50)
    assert read.positions == pytest.approx(recording.positions, abs=2e-7, nan_ok=True)
    assert read.times_s[1] == pytest.approx(0.02)
    assert read.notes == (
        "the unit is mm as declared, though the file says m",
        "the rate is 50 Hz as declared, though the file says 100 Hz",
    )


def test_a_rate_that_is_not_stated_is_refused(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "a.c3d"
    write_c3d(path, replace(recording, rate_hz=None))
    with pytest.raises(DataError, match="declare it, such as rate_hz=100"):
        read_recording(path)


def test_a_c3d_cut_off_gives_its_whole_frames_and_says_so(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "a.c3d"
    write_c3d(path, recording)
    data = path.read_bytes()
    start = (struct.unpack_from("<H", data, 16)[0] - 1) * 512
    path.write_bytes(data[: start + 30 * 6 * 16 + 5])
    read = read_recording(path)
    assert read.times_s.size == 30
    assert read.positions == pytest.approx(recording.positions[:30], abs=2e-7, nan_ok=True)
    assert any("holds 30 frames, though the header says 60" in note for note in read.notes)


@pytest.mark.parametrize(
    ("size", "words"), [(300, "512 bytes of header"), (514, "parameters"), (700, "goes on"), (1024, "cut off")]
)
def test_a_c3d_cut_off_in_its_head_is_refused(tmp_path: Path, recording: Recording, size: int, words: str) -> None:
    path = tmp_path / "a.c3d"
    write_c3d(path, recording)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DataError, match=words) as error:
        read_recording(path)
    assert error.value.reason == "truncated"
    assert str(path) in str(error.value)


def test_equal_and_empty_labels_get_names(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "a.c3d"
    write_c3d(path, replace(recording, markers=("a", "b", "a", "", "a", "c")))
    read = read_recording(path)
    assert read.markers == ("a", "b", "a_2", "marker_4", "a_3", "c")
    assert len(read.notes) == 2


def test_n3d_reads_back_and_its_count_is_checked(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "a.n3d"
    write_n3d(path, recording)
    read = read_recording(path)
    assert read.markers == tuple(f"marker_{number}" for number in range(1, 7))
    assert read.positions == pytest.approx(recording.positions, abs=2e-7, nan_ok=True)
    path.write_bytes(path.read_bytes()[:-100])
    cut = read_recording(path)
    assert cut.times_s.size == 58
    assert any("room for 58 frames, though its header says 60" in note for note in cut.notes)


@pytest.mark.parametrize(("size", "words"), [(100, "256 bytes of header"), (260, "before its first frame")])
def test_an_n3d_cut_off_is_refused(tmp_path: Path, recording: Recording, size: int, words: str) -> None:
    path = tmp_path / "a.n3d"
    write_n3d(path, recording)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DataError, match=words):
        read_recording(path)


def test_an_n3d_of_angles_is_refused(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "a.n3d"
    write_n3d(path, recording)
    data = bytearray(path.read_bytes())
    struct.pack_into("<h", data, 3, 7)
    path.write_bytes(data)
    with pytest.raises(DataError, match="7 numbers per marker"):
        read_recording(path)


def test_a_scale_that_the_header_lacks_stands_among_parameters(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "a.c3d"
    write_c3d(path, recording, integers=True)
    wanted = read_recording(path).positions
    data = bytearray(path.read_bytes())
    scale = struct.unpack_from("<f", data, 12)[0]
    struct.pack_into("<f", data, 12, 0.0)
    path.write_bytes(data)
    read = read_recording(path)
    assert read.positions == pytest.approx(wanted, nan_ok=True, abs=0)
    assert read.notes == (f"the header says no scale of the points; POINT:SCALE, {scale:g}, is believed",)
    struct.pack_into("<f", data, 12, 2 * scale)
    path.write_bytes(data)
    told = read_recording(path)
    assert told.positions == pytest.approx(2 * wanted, nan_ok=True)
    assert told.notes == (f"POINT:SCALE says {scale:g} and the header {2 * scale:g}; the second is believed",)


@pytest.mark.parametrize(("at", "lie"), [(4, 0), (4, 3), (2, 5), (2, 4)])
def test_widths_of_a_frame_that_do_not_fit_the_file_are_not_believed(
    tmp_path: Path, recording: Recording, at: int, lie: int
) -> None:
    path = tmp_path / "a.c3d"
    write_c3d(path, recording, analog=7)
    data = bytearray(path.read_bytes())
    struct.pack_into("<H", data, at, lie)
    path.write_bytes(data)
    read = read_recording(path)
    assert read.markers == recording.markers
    assert read.positions == pytest.approx(recording.positions, abs=2e-7, nan_ok=True)
    assert "and parameters say 6 and 7, which the length of the file confirms" in read.notes[0]


def test_points_with_a_negative_residual_were_not_seen_wherever_they_are(tmp_path: Path, recording: Recording) -> None:
    for integers, form in ((False, "<f"), (True, "<h")):
        path = tmp_path / "a.c3d"
        write_c3d(path, recording, integers=integers)
        data = bytearray(path.read_bytes())
        start = (struct.unpack_from("<H", data, 16)[0] - 1) * 512
        size = struct.calcsize(form)
        struct.pack_into(form, data, start + size * (4 * 2 + 3), -1)
        path.write_bytes(data)
        assert np.isnan(read_recording(path).positions[0, 2]).all()


def test_a_rate_of_zero_is_none(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "a.c3d"
    write_c3d(path, replace(recording, rate_hz=None))
    with pytest.raises(DataError, match="declare it, such as rate_hz=100"):
        read_recording(path)
    assert read_recording(path, rate_hz=200).times_s[:2].tolist() == [0, 0.005]
