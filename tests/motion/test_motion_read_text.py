"""Text files of programs and people: units, rates, gaps, and headers that lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from batchlab.errors import Category, ConfigError, DataError
from batchlab.motion._model import Recording
from batchlab.motion._read import FileFormat, read_gaze, read_recording
from batchlab.motion._synthetic import _text as forms
from batchlab.motion._synthetic import simulate, simulate_eye, write_eyes, write_recordings

THREE_DIMENSIONS = [form for form in FileFormat if form not in (FileFormat.DLC, FileFormat.PUPIL_LABS)]


@pytest.fixture(scope="module")
def recording() -> Recording:
    return simulate(frames=40, markers=5).recording


def written(tmp_path: Path, text: str, name: str = "a.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("form", THREE_DIMENSIONS)
def test_every_form_reads_back_the_same(tmp_path: Path, form: FileFormat) -> None:
    (truth,) = write_recordings(tmp_path, file_format=form, frames=60)
    assert truth.path is not None
    read = read_recording(truth.path)
    assert read.positions == pytest.approx(truth.recording.positions, abs=2e-7, nan_ok=True)
    assert read.times_s == pytest.approx(truth.recording.times_s, abs=1e-9)
    assert read.rate_hz == pytest.approx(100.0)
    if form is not FileFormat.N3D:
        assert [name.removeprefix("Body:") for name in read.markers] == list(truth.recording.markers)
    again = read_recording(truth.path, file_format=form, markers=read.markers[2:4], name="else")
    assert again.markers == read.markers[2:4]
    assert again.name == "else"
    assert again.positions == pytest.approx(read.positions[:, 2:4], nan_ok=True)


@pytest.mark.parametrize("form", [FileFormat.DLC, FileFormat.TIDY, FileFormat.WIDE])
def test_eyes_read_back_the_same(tmp_path: Path, form: FileFormat) -> None:
    (truth,) = write_eyes(tmp_path, file_format=form, frames=60)
    assert truth.path is not None
    read = read_recording(truth.path, rate_hz=120 if form is FileFormat.DLC else None)
    assert read.unit == "px"
    assert read.markers == truth.recording.markers
    assert read.positions == pytest.approx(truth.recording.positions, abs=1e-6)
    assert read.rate_hz == pytest.approx(120.0, rel=1e-4)
    if form is not FileFormat.WIDE:
        assert read.confidence == pytest.approx(truth.recording.confidence, abs=1e-4)


def test_a_deeplabcut_file_says_no_rate(tmp_path: Path) -> None:
    (truth,) = write_eyes(tmp_path, frames=5)
    assert truth.path is not None
    with pytest.raises(DataError, match="declare it, such as rate_hz=100") as error:
        read_recording(truth.path)
    assert error.value.reason == "rate-unknown"


def test_deeplabcut_without_likelihood(tmp_path: Path) -> None:
    eye = simulate_eye(frames=7).recording
    forms.write_dlc(tmp_path / "a.csv", eye, likelihood=False)
    read = read_recording(tmp_path / "a.csv", rate_hz=30)
    assert read.confidence is None
    assert read.positions == pytest.approx(eye.positions, abs=1e-6)


def test_deeplabcut_of_several_animals_and_labelled_images(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "scorer,,,me,me,me,me\nindividuals,,,mouse1,mouse1,single,single\nbodyparts,,,nose,nose,corner,corner\n"
        "coords,,,x,y,x,y\nlabeled-data,video,img1.png,1.5,2.5,3,4\nlabeled-data,video,img2.png,,,5,6\n",
    )
    read = read_recording(path, rate_hz=30)
    assert read.markers == ("mouse1:nose", "corner")
    assert read.positions[0].tolist() == [[1.5, 2.5], [3, 4]]
    assert np.isnan(read.positions[1, 0]).all()


def test_deeplabcut_of_three_dimensions_needs_its_unit(tmp_path: Path) -> None:
    path = written(tmp_path, "scorer,me,me,me\nbodyparts,nose,nose,nose\ncoords,x,y,z\n0,1,2,3\n")
    with pytest.raises(DataError, match="does not say its unit"):
        read_recording(path, rate_hz=30)
    read = read_recording(path, rate_hz=30, unit="cm", min_confidence=0.5)
    assert read.positions[0, 0].tolist() == [0.01, 0.02, 0.03]
    assert read.notes == ("the file has no confidence, so the least that was asked for changes nothing",)


@pytest.mark.parametrize("separator", ["\t", ","])
def test_trc_counts_are_checked(tmp_path: Path, recording: Recording, separator: str) -> None:
    forms.write_trc(tmp_path / "a.trc", recording, separator=separator, stated_frames=999)
    read = read_recording(tmp_path / "a.trc")
    assert read.positions == pytest.approx(recording.positions, abs=1e-8, nan_ok=True)
    assert "the file holds 40 frames, though its header says 999" in read.notes


def test_trc_with_a_lost_name_is_refused(tmp_path: Path, recording: Recording) -> None:
    forms.write_trc(tmp_path / "a.trc", recording)
    text = (tmp_path / "a.trc").read_text().replace("\tm3\t\t", "\t")
    with pytest.raises(DataError, match=r"a.trc, line 4, column 10: 'm4' should stand above column 9"):
        read_recording(written(tmp_path, text, "a.trc"))


def test_a_declared_rate_overrules_the_times_of_a_file(tmp_path: Path, recording: Recording) -> None:
    forms.write_trc(tmp_path / "a.trc", recording)
    read = read_recording(tmp_path / "a.trc", rate_hz=50)
    assert read.rate_hz == 50
    assert read.times_s == pytest.approx(2 * recording.times_s)
    assert read.notes == ("the rate is 50 Hz as declared, though the file says 100 Hz",)


def test_stamps_that_are_rounded_give_way_to_numbers_of_frames(tmp_path: Path) -> None:
    fast = simulate(frames=40, markers=3, rate_hz=160.0).recording
    forms.write_trc(tmp_path / "a.trc", fast)
    lines = (tmp_path / "a.trc").read_text().split("\n")
    for number in range(6, 46):
        cells = lines[number].split("\t")
        cells[1] = f"{float(cells[1]):.3f}"
        lines[number] = "\t".join(cells)
    read = read_recording(written(tmp_path, "\n".join(lines), "b.trc"))
    assert read.times_s == pytest.approx(fast.times_s, abs=1e-12)
    assert read.rate_hz == 160


def test_stamps_that_contradict_the_rate_are_believed_and_this_is_told(tmp_path: Path, recording: Recording) -> None:
    forms.write_trc(tmp_path / "a.trc", replace(recording, times_s=recording.times_s * 3))
    read = read_recording(tmp_path / "a.trc")
    assert read.times_s == pytest.approx(3 * recording.times_s)
    assert read.rate_hz == pytest.approx(100 / 3)
    assert "the file says 100 Hz, and its time stamps are 0.03 s apart; these are believed" in read.notes


def test_solved_markers_of_motive_are_not_measured_ones(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "a.csv"
    forms.write_motive(path, recording)
    assert read_recording(path).positions == pytest.approx(recording.positions, abs=1e-8, nan_ok=True)
    text = path.read_text().replace("Rigid Body Marker", "Bone Marker")
    lines = text.split("\n")
    kept = [
        ",".join(cell for cell, kind in zip(line.split(","), lines[2].split(","), strict=True) if kind != "Marker")
        if number >= 2 and line
        else line
        for number, line in enumerate(lines)
    ]
    solved = read_recording(written(tmp_path, "\n".join(kept)))
    assert (solved.positions == np.array([0.001, 0.002, 0.003])).all()
    assert any("not as measured" in note for note in solved.notes)


def test_motive_without_markers_is_refused(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "a.csv"
    forms.write_motive(path, recording, body_markers=False)
    text = path.read_text().replace(",Marker", ",Rigid Body")
    with pytest.raises(DataError, match="poses of bodies only; export it with markers") as error:
        read_recording(written(tmp_path, text))
    assert error.value.reason == "no-markers"


def test_motive_in_metres(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "a.csv"
    forms.write_motive(path, replace(recording, positions=recording.positions / 1000))
    path.write_text(path.read_text().replace("Millimeters", "Meters"))
    read = read_recording(path)
    assert read.stated_unit == "m"
    assert read.positions == pytest.approx(recording.positions, abs=2e-6, nan_ok=True)


def test_vicon_reads_its_trajectories_among_other_sections(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "a.csv"
    forms.write_vicon(path, recording)
    text = "Devices\n1000\n,,Plate\nFrame,Sub Frame,Fx\n,,N\n1,0,5\n1,1,6\n\n" + path.read_text() + "\nJoints\n100\nx\n"
    read = read_recording(written(tmp_path, text))
    assert read.positions == pytest.approx(recording.positions, abs=1e-8, nan_ok=True)


def test_vicon_without_trajectories_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no section Trajectories"):
        read_recording(written(tmp_path, "Devices\n1000\n,,Plate\nFrame,Sub Frame,Fx\n,,N\n1,0,5\n"))


@pytest.mark.parametrize("heading", [True, False])
def test_qualisys_with_and_without_heading(tmp_path: Path, recording: Recording, heading: bool) -> None:
    path = tmp_path / "a.tsv"
    forms.write_qualisys(path, recording, heading=heading)
    read = read_recording(path)
    assert read.positions == pytest.approx(recording.positions, abs=1e-8, nan_ok=True)
    assert read.times_s == pytest.approx(recording.times_s, abs=1e-6)
    zeros = int(np.isnan(recording.positions).any(axis=2).sum())
    assert read.notes == (f"{zeros} places are exactly zero and count as not seen",)


def test_qualisys_of_bodies_is_refused(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "a.tsv"
    forms.write_qualisys(path, recording)
    path.write_text(path.read_text().replace("\t3D\n", "\t6D\n"))
    with pytest.raises(DataError, match="DATA_INCLUDED is 6D"):
        read_recording(path)


WIDE = "frame,a_x,a_y,a_z,b_x,b_y,b_z\n0,1,2,3,4,5,6\n1,,,,0,0,0\n2,1,,3,nan,NaN,nan\n3,7,8,9,inf,1,1\n"


def test_the_forms_of_missing(tmp_path: Path) -> None:
    read = read_recording(written(tmp_path, WIDE), unit="mm", rate_hz=50)
    assert np.isfinite(read.positions).all(axis=2).tolist() == [
        [True, True],
        [False, False],
        [False, False],
        [True, False],
    ]
    assert read.positions[0].tolist() == [[0.001, 0.002, 0.003], [0.004, 0.005, 0.006]]
    assert read.times_s.tolist() == [0, 0.02, 0.04, 0.06]
    assert read.notes == (
        "2 places lack some of their coordinates and count as not seen",
        "1 places are exactly zero and count as not seen",
    )


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"rate_hz": 50.0}, 'does not say its unit; declare it, such as unit="mm"'),
        ({"unit": "mm"}, "frames there are per second; declare it, such as rate_hz=100"),
        ({"unit": "px", "rate_hz": 50.0}, "three coordinates in px"),
    ],
)
def test_units_and_rates_are_never_guessed(tmp_path: Path, declared: dict[str, object], words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_recording(written(tmp_path, WIDE), **declared)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "header",
    [
        "frame,time_s,a_x_mm,a_y_mm,a_z_mm",
        "Frame;Time (s);a x [mm];a y [mm];a z [mm]",
        "frame\ttime (Seconds)\ta.X (millimeters)\ta.Y\ta.Z",
        "# unit: mm\n# fps = 100 Hz\nframe,time,a_x,a_y,a_z",
    ],
)
def test_units_stand_in_names_of_columns_or_in_comments(tmp_path: Path, header: str) -> None:
    separator = next(mark for mark in ";\t," if mark in header)
    rows = "\n".join(separator.join(row) for row in (["0", "0.00", "1", "2", "3"], ["1", "0.01", "4", "5", "6"]))
    read = read_recording(written(tmp_path, f"{header}\n{rows}\n"))
    assert read.positions[:, 0].tolist() == [[0.001, 0.002, 0.003], [0.004, 0.005, 0.006]]
    assert (read.unit, read.stated_unit) == ("m", "mm")
    assert read.rate_hz == pytest.approx(100.0)


def test_decimal_commas(tmp_path: Path) -> None:
    read = read_recording(written(tmp_path, "time_s;a_x_m;a_y_m;a_z_m\n0,00;1,5;2,5;3,5\n0,01;;;\n"))
    assert read.positions[0, 0].tolist() == [1.5, 2.5, 3.5]
    assert read.rate_hz == pytest.approx(100.0)


def test_time_of_unknown_unit_is_refused_and_told_by_a_declared_rate(tmp_path: Path) -> None:
    path = written(tmp_path, "time,a_x_m,a_y_m,a_z_m\n0,1,2,3\n10,1,2,3\n20,1,2,3\n40,1,2,3\n")
    with pytest.raises(DataError, match='time_unit="s"'):
        read_recording(path)
    told = read_recording(path, rate_hz=100)
    assert told.times_s == pytest.approx([0, 0.01, 0.02, 0.04])
    assert "times are in ms, by the rate of 100 Hz" in told.notes
    assert "1 frames are absent from the file; times leave room for them" in told.notes
    assert read_recording(path, time_unit="s").rate_hz == pytest.approx(0.1)


def test_irregular_times_have_no_rate(tmp_path: Path) -> None:
    read = read_recording(
        written(tmp_path, "time_s,a_x_m,a_y_m,a_z_m\n0,1,2,3\n0.01,1,2,3\n0.0173,1,2,3\n0.03,1,2,3\n")
    )
    assert read.rate_hz is None
    assert read.times_s.tolist() == [0, 0.01, 0.0173, 0.03]


def test_times_that_do_not_ascend_are_sorted_and_told(tmp_path: Path) -> None:
    read = read_recording(written(tmp_path, "time_s,a_x_m,a_y_m,a_z_m\n0,1,2,3\n0.02,3,2,3\n0.01,2,2,3\n0.02,9,9,9\n"))
    assert read.positions[:, 0, 0].tolist() == [1, 2, 3]
    assert any("do not ascend" in note for note in read.notes)


def test_absent_frames_leave_room(tmp_path: Path) -> None:
    read = read_recording(written(tmp_path, "frame,a_x_m,a_y_m,a_z_m\n0,1,2,3\n1,1,2,3\n5,1,2,3\n"), rate_hz=10)
    assert read.times_s == pytest.approx([0, 0.1, 0.5])
    assert "3 frames are absent from the file; times leave room for them" in read.notes


TIDY = "frame,keypoint,x_mm,y_mm,z_mm\n0,b,1,2,3\n0,a,4,5,6\n2,a,7,8,9\n"


def test_tidy_rows_that_are_not_there_were_not_seen(tmp_path: Path) -> None:
    read = read_recording(written(tmp_path, TIDY), rate_hz=10)
    assert read.markers == ("b", "a")
    assert read.times_s == pytest.approx([0, 0.2])
    assert np.isnan(read.positions[1, 0]).all()
    assert read.positions[1, 1].tolist() == pytest.approx([0.007, 0.008, 0.009])


def test_tidy_rows_in_any_order_and_quoted(tmp_path: Path) -> None:
    text = 'frame,keypoint,x_mm,y_mm,z_mm\n"2","a","7","8","9"\n"0","b","1","2","3"\n"0","a","4","5","6"\n'
    plain, quoted = (read_recording(written(tmp_path, text), rate_hz=10, markers=["a", "b"]) for text in (TIDY, text))
    order = [quoted.markers.index(name) for name in plain.markers]
    assert quoted.positions[:, order] == pytest.approx(plain.positions, nan_ok=True)


def test_a_marker_twice_in_a_frame_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'a' stands twice in frame 2 \(1 such rows\)"):
        read_recording(written(tmp_path, TIDY + "2,a,1,1,1\n"), rate_hz=10)


def test_columns_without_a_third_coordinate_are_left_out_and_told(tmp_path: Path) -> None:
    text = "frame,a_x_m,a_y_m,a_z_m,b_x_m,b_y_m,speed\n0,1,2,3,4,5,6\n"
    read = read_recording(written(tmp_path, text), rate_hz=10)
    assert read.markers == ("a",)
    assert read.notes == (
        "without all of x, y, z, and left out: b",
        "columns that are no coordinates are left out: speed",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("frame,a_x_m,a_y_m,a_z_m\n0,1,2,3\n1,1,oops,3\n", r"a.csv, line 3, column 3 \(a_y_m\): 'oops' is no number"),
        ("frame,a_x_m,a_y_m,a_z_m\n0,1,2,3\n\n1,1,2,3,4\n", r"a.csv, line 4: the row has 5 cells and the header 4"),
        ("frame,a_x_m,a_y_m,a_z_m\n0,1,1_0,3\n", r"line 2, column 3 \(a_y_m\): '1_0' is no number"),
        ("frame,a_x_m,a_y_mm,a_z_m\n0,1,2,3\n", r"line 1: coordinates are in several units \(m, mm\)"),
        ("frame,a_x_m,a_x_m,a_z_m\n0,1,2,3\n", r"line 1, column 3: 'a_x_m' is there twice"),
        ("frame,a_x_m,a_y_m,a_z_m\n", "the header is there, but no row"),
        ("frame,keypoint,x_m,y_m,z_m\n0,,1,2,3\n", r"line 2, column 2: the row names no marker"),
        ("keypoint,x_m,y_m,z_m\na,1,2,3\n", "needs a column frame or time_s"),
        ("hello\nworld\n", "no recording of markers that can be read; there are readers for c3d"),
        ("frame,a_x_m\n\0\0,1\n", "line 2: there are zero bytes"),
        ("\n \n", "the file is empty"),
    ],
)
def test_errors_say_where(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words) as error:
        read_recording(written(tmp_path, text), rate_hz=10)
    assert "\n" not in str(error.value)


def test_rows_that_are_too_short_are_told_and_a_cut_last_one_left_out(tmp_path: Path) -> None:
    text = "frame,a_x_m,a_y_m,a_z_m\n0,1,2,3\n1,1\n2,1,2,3\n3,1"
    read = read_recording(written(tmp_path, text), rate_hz=10)
    assert read.times_s.size == 3
    assert np.isnan(read.positions[1]).all()
    assert any("1 rows are shorter than the header, the first in line 3" in note for note in read.notes)
    assert any("line 5, the last, is cut off" in note for note in read.notes)


def test_line_ends_marks_and_encodings(tmp_path: Path) -> None:
    text = TIDY.replace("a,", "épaule,")
    wanted = read_recording(written(tmp_path, text), rate_hz=10)
    assert "épaule" in wanted.markers
    for data in (
        text.replace("\n", "\r\n").encode("utf-8-sig"),
        text.encode("utf-16"),
        text.encode("utf-16-be").join((b"\xfe\xff", b"")),
        text.replace("\n", "\r").encode(),
    ):
        (tmp_path / "b.csv").write_bytes(data)
        read = read_recording(tmp_path / "b.csv", rate_hz=10)
        assert read.markers == wanted.markers
        assert read.positions == pytest.approx(wanted.positions, nan_ok=True)


def test_a_pattern_that_matches_nothing_names_the_nearest(tmp_path: Path) -> None:
    path = written(tmp_path, WIDE.replace("a_", "head_"))
    with pytest.raises(DataError, match="no marker is called 'haed'; did you mean 'head'"):
        read_recording(path, unit="mm", rate_hz=10, markers=["b", "haed"])
    with pytest.raises(DataError, match=r"'q\*'; it has head, b"):
        read_recording(path, unit="mm", rate_hz=10, markers="q*")


@pytest.mark.parametrize(
    "declared",
    [
        {"unit": "parsec"},
        {"rate_hz": 0},
        {"rate_hz": float("nan")},
        {"time_unit": "h"},
        {"min_confidence": 2},
        {"file_format": "docx"},
    ],
)
def test_what_is_declared_is_checked(tmp_path: Path, declared: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(declared))):
        read_recording(written(tmp_path, WIDE), **declared)  # type: ignore[arg-type]


def test_a_missing_file_is_missing_input(tmp_path: Path) -> None:
    for read in (read_recording, read_gaze):
        reader: Callable[[Path], object] = read
        with pytest.raises(DataError, match="cannot be read") as error:
            reader(tmp_path / "no.c3d")
        assert error.value.category is Category.MISSING_INPUT


def test_blocks_of_a_long_table_join(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from batchlab.motion._read import _table

    for form in (FileFormat.WIDE, FileFormat.TIDY):
        (truth,) = write_recordings(tmp_path / form, file_format=form, frames=200)
        assert truth.path is not None
        whole = read_recording(truth.path)
        with monkeypatch.context() as patch:
            patch.setattr(_table, "_BLOCK", 1000)
            blocks = read_recording(truth.path)
        assert blocks.positions == pytest.approx(whole.positions, nan_ok=True, abs=0)
        text = truth.path.read_text().split("\n")
        text[150] = text[150].replace(".", ".x", 1)
        truth.path.write_text("\n".join(text))
        with monkeypatch.context() as patch:
            patch.setattr(_table, "_BLOCK", 1000)
            with pytest.raises(DataError, match="line 151, column 2"):
                read_recording(truth.path)
