"""Files that a reader could take for something else without a word: each is read rightly, or told, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from batchlab.errors import DataError
from batchlab.motion._model import Recording
from batchlab.motion._read import read_recording
from batchlab.motion._synthetic import _text as forms
from batchlab.motion._synthetic import simulate


@pytest.fixture(scope="module")
def recording() -> Recording:
    return simulate(frames=20, markers=4, missing=0).recording


def written(tmp_path: Path, text: str, name: str = "a.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def test_a_row_of_empty_cells_is_a_frame_where_nothing_numbers_the_rows(tmp_path: Path) -> None:
    text = "a_x_m,a_y_m,a_z_m\n,,\n1,2,3\n , ,\n\n4,5,6\n,,\n,,\n"
    read = read_recording(written(tmp_path, text), rate_hz=10)
    assert read.positions[:, 0, 0] == pytest.approx([np.nan, 1, np.nan, 4], nan_ok=True)
    assert read.times_s == pytest.approx([0, 0.1, 0.2, 0.3])
    assert read.notes == (
        "the last 2 rows are empty; they are left out",
        "1 lines among the rows are blank, the first line 5; they are no frames",
    )


def test_a_row_of_empty_cells_is_none_where_rows_are_numbered(tmp_path: Path) -> None:
    text = "frame,a_x_m,a_y_m,a_z_m\n0,1,2,3\n,,,\n1,4,5,6\n,,,\n"
    read = read_recording(written(tmp_path, text), rate_hz=10)
    assert read.times_s == pytest.approx([0, 0.1])
    assert read.notes == ()


@pytest.mark.parametrize("heading", [True, False])
@pytest.mark.parametrize("unseen", [0, 7])
def test_qualisys_keeps_frames_in_which_nothing_was_seen(
    tmp_path: Path, recording: Recording, heading: bool, unseen: int
) -> None:
    path = tmp_path / "a.tsv"
    forms.write_qualisys(path, recording, heading=heading)
    lines = path.read_text().split("\n")
    first = next(n for n, line in enumerate(lines) if line[:1] in "-0123456789" and line)
    keys = 2 if heading else 0
    at = first + unseen
    lines[at] = "\t".join(lines[at].split("\t")[:keys] + [""] * 12)
    read = read_recording(written(tmp_path, "\n".join(lines), "b.tsv"))
    assert read.times_s == pytest.approx(recording.times_s, abs=1e-6)
    assert np.flatnonzero(np.isnan(read.positions).all(axis=(1, 2))).tolist() == [unseen]
    assert read.notes == ()


def test_qualisys_with_a_blank_line_above_its_rows(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "a.tsv"
    forms.write_qualisys(path, recording)
    text = path.read_text().replace("MARKER_NAMES", "\nMARKER_NAMES")
    read = read_recording(written(tmp_path, text, "b.tsv"))
    assert read.positions == pytest.approx(recording.positions, abs=1e-8)


def test_measured_markers_of_one_name_are_all_read_from_motive(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "a.csv"
    forms.write_motive(path, recording, body_markers=False)
    text = path.read_text()
    first, second = recording.markers[:2]
    header, rows = text.split("Frame,Time", 1)
    read = read_recording(written(tmp_path, header.replace(second, first) + "Frame,Time" + rows))
    assert read.positions == pytest.approx(recording.positions, abs=1e-8)
    doubled = f"{read.markers[0]}_2"
    assert read.markers[1] == doubled
    assert read.notes == (f"several markers bear the same name; the later ones are called {doubled}",)


def test_columns_in_units_of_something_else_are_no_markers(tmp_path: Path) -> None:
    text = (
        "time_s,A_x (mm),A_y (mm),A_z (mm),hip_x (deg),hip_y (deg),hip_z (deg),A_v_x (mm/s),A_v_y (mm/s),A_v_z (mm/s)\n"
        "0,1,2,3,4,5,6,7,8,9\n0.1,1,2,3,4,5,6,7,8,9\n"
    )
    read = read_recording(written(tmp_path, text))
    assert read.markers == ("A",)
    assert read.notes == (
        "columns that are no coordinates are left out: "
        "hip_x (deg), hip_y (deg), hip_z (deg), A_v_x (mm/s), A_v_y (mm/s), A_v_z (mm/s)",
    )


def test_a_quaternion_is_no_marker(tmp_path: Path) -> None:
    text = "time_s,A_x_m,A_y_m,A_z_m,q_x,q_y,q_z,q_w\n0,1,2,3,0,0,0,1\n0.1,1,2,3,0,0,0,1\n"
    read = read_recording(written(tmp_path, text))
    assert read.markers == ("A",)
    assert read.notes == ("columns that are no coordinates are left out: q_x, q_y, q_z, q_w",)


def test_a_unit_that_is_none_of_length_is_named_where_there_is_no_other(tmp_path: Path) -> None:
    path = written(tmp_path, "time_s,A_x (deg),A_y (deg),A_z (deg)\n0,1,2,3\n0.1,1,2,3\n")
    with pytest.raises(DataError, match="its unit, 'deg', is none of length"):
        read_recording(path)
    assert read_recording(path, unit="mm").markers == ("A",)


@pytest.mark.parametrize("gap", ["-9999", "-999.0", "9999.000", "-99999"])
def test_a_number_that_stands_for_a_gap_is_no_place(tmp_path: Path, gap: str) -> None:
    text = f"frame,a_x_mm,a_y_mm,a_z_mm\n0,1,2,3\n1,{gap},{gap},{gap}\n2,{gap},2,3\n"
    read = read_recording(written(tmp_path, text), rate_hz=10)
    assert np.isnan(read.positions[:, 0]).all(axis=1).tolist() == [False, True, False]
    assert read.notes == (f"1 places are exactly {float(gap):g} in all coordinates and count as not seen",)


def test_minus_one_is_a_gap_in_pixels_and_a_place_in_space(tmp_path: Path) -> None:
    image = read_recording(written(tmp_path, "frame,a_x_px,a_y_px\n0,-1,-1\n1,999,999\n2,-1,5\n"), rate_hz=10)
    assert np.isnan(image.positions[:, 0, 0]).tolist() == [True, False, False]
    space = read_recording(written(tmp_path, "frame,a_x_m,a_y_m,a_z_m\n0,-1,-1,-1\n"), rate_hz=10)
    assert space.positions[0, 0].tolist() == [-1, -1, -1]


def test_confidences_of_some_markers_count_for_those(tmp_path: Path) -> None:
    text = "frame,a_x_m,a_y_m,a_z_m,a_confidence,b_x_m,b_y_m,b_z_m\n0,1,2,3,0.1,1,2,3\n1,1,2,3,0.9,1,2,3\n"
    read = read_recording(written(tmp_path, text), rate_hz=10, min_confidence=0.5)
    assert read.confidence is not None
    assert read.confidence.tolist() == [[0.1, 1.0], [0.9, 1.0]]
    assert np.isnan(read.positions[..., 0]).tolist() == [[True, False], [False, False]]
    assert read.notes == (
        "without a confidence, and believed wherever they have a place: b",
        "1 places have less confidence than 0.5; not seen",
    )


def test_one_confidence_is_of_all_markers_of_a_row(tmp_path: Path) -> None:
    text = "frame,confidence,a_x_px,a_y_px,b_x_px,b_y_px\n0,0.2,1,2,3,4\n1,0.9,1,2,3,4\n"
    read = read_recording(written(tmp_path, text), rate_hz=10, min_confidence=0.5)
    assert np.isnan(read.positions[..., 0]).tolist() == [[True, True], [False, False]]


def test_likelihoods_of_some_bodyparts_count_for_those(tmp_path: Path) -> None:
    text = "scorer,n,n,n,n,n\nbodyparts,a,a,a,b,b\ncoords,x,y,likelihood,x,y\n0,1,2,0.1,3,4\n1,1,2,0.8,3,4\n"
    read = read_recording(written(tmp_path, text), rate_hz=10, min_confidence=0.5)
    assert np.isnan(read.positions[..., 0]).tolist() == [[True, False], [False, False]]


def vicon_beside(tmp_path: Path, recording: Recording, names: str, axes: str, units: str) -> Path:
    """A Vicon export with three more columns."""
    path = tmp_path / "a.csv"
    forms.write_vicon(path, recording)
    lines = path.read_text().rstrip("\n").split("\n")
    more = ["", "", names, axes, units]
    return written(tmp_path, "\n".join(line + (more[n] if n < 5 else ",7,8,9") for n, line in enumerate(lines)) + "\n")


@pytest.mark.parametrize(
    ("names", "axes", "units", "told"),
    [
        (",m1,,", ",X',Y',Z'", ",mm/s,mm/s,mm/s", "m1 X', Y', Z'"),
        (",m1,,", ",X'',Y'',Z''", ",mm/s²,mm/s²,mm/s²", "m1 X'', Y'', Z''"),
        (",|m1|,|m2|,|m3|", ",Magnitude,Magnitude,Magnitude", ",mm,mm,mm", "|m1| Magnitude, |m2| Magnitude, |m3|"),
    ],
)
def test_vicon_leaves_out_velocities(
    tmp_path: Path, recording: Recording, names: str, axes: str, units: str, told: str
) -> None:
    read = read_recording(vicon_beside(tmp_path, recording, names, axes, units))
    assert read.positions == pytest.approx(recording.positions, abs=1e-8)
    assert len(read.notes) == 1
    assert read.notes[0].startswith(f"columns that are no coordinates are left out: {told}")


def test_vicon_reads_markers_without_a_name_and_refuses_a_name_out_of_place(
    tmp_path: Path, recording: Recording
) -> None:
    read = read_recording(vicon_beside(tmp_path, recording, ",,,", ",X,Y,Z", ",mm,mm,mm"))
    assert read.markers[-1] == "marker_5"
    assert read.positions[0, -1] == pytest.approx([0.007, 0.008, 0.009])
    with pytest.raises(DataError, match=r"line 4, column 15: 'm9' should have the columns X, Y and Z"):
        read_recording(vicon_beside(tmp_path, recording, ",,m9,", ",X,Y,Z", ",mm,mm,mm"))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("frame;image;a_x_m;a_y_m;a_z_m\n0;img1.png;1,5;2;3\n", [1.5, 2, 3]),
        ("frame;a_x_m;a_y_m;a_z_m\n" + "0;1;2;3\n" * 600 + "1;4,5;2;3\n", [4.5, 2, 3]),
        ("frame;a_x_m;a_y_m;a_z_m\n0;1,5;1e3;-,5\n", [1.5, 1000, -0.5]),
    ],
)
def test_decimal_commas_wherever_the_first_stands(tmp_path: Path, text: str, read: list[float]) -> None:
    assert read_recording(written(tmp_path, text), rate_hz=10).positions[-1, 0].tolist() == read


@pytest.mark.parametrize("cell", ["1,234.5", "1.234,5", "1 234.5", "1'234.5"])
def test_marks_between_thousands_are_refused(tmp_path: Path, cell: str) -> None:
    text = f"frame\ta_x_mm\ta_y_mm\ta_z_mm\n0\t956\t{cell}\t3\n"
    with pytest.raises(DataError, match=r"line 2, column 3 \(a_y_mm\): .*write it without marks between thousands"):
        read_recording(written(tmp_path, text), rate_hz=10)


def trc(tmp_path: Path, frames: list[int], times: list[object], rate: object = 100) -> Path:
    """A TRC file of one marker."""
    count = len(frames)
    head = (
        "PathFileType\t4\t(X/Y/Z)\ta.trc\nDataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\n"
        f"{rate}\t{rate}\t{count}\t1\tmm\nFrame#\tTime\tA\t\t\n\t\tX1\tY1\tZ1\n\n"
    )
    rows = "".join(f"{n}\t{t}\t{place}\t2\t3\n" for place, (n, t) in enumerate(zip(frames, times, strict=True), 1))
    return written(tmp_path, head + rows, "a.trc")


@pytest.mark.parametrize(
    ("frames", "times", "read", "notes"),
    [
        (
            [1, 2, 3, 4],
            [0, 10, 20, 50],
            [0, 0.01, 0.02, 0.05],
            (
                "times are in ms and not in s as the file says, by the rate of 100 Hz",
                "2 frames are absent from the file; times leave room for them",
            ),
        ),
        (
            [1, 2, 3, 4],
            [0, 0.01, 0.02, 0.05],
            [0, 0.01, 0.02, 0.05],
            ("2 frames are absent from the file; times leave room for them",),
        ),
        (
            [1, 2, 3, 6],
            ["0", "", "0.02", "0.05"],
            [0, 0.01, 0.02, 0.05],
            (
                "1 time stamps are missing; they are put between their neighbours",
                "2 frames are absent from the file; times leave room for them",
            ),
        ),
        (
            [1, 2, 3, 4],
            [0, 0, 0, 0],
            [0, 0.01, 0.02, 0.03],
            ("all time stamps are the same; frames are counted instead",),
        ),
        (
            [1, 2, 3, 4],
            ["", "", "", "0.5"],
            [0, 0.01, 0.02, 0.03],
            ("some time stamps are missing; frames are counted instead",),
        ),
    ],
)
def test_stamps_beside_a_rate(
    tmp_path: Path, frames: list[int], times: list[object], read: list[float], notes: tuple[str, ...]
) -> None:
    recording = read_recording(trc(tmp_path, frames, times))
    assert recording.times_s == pytest.approx(read)
    assert recording.rate_hz == 100
    assert recording.notes == notes


def test_stamps_that_drift_away_from_the_rate_are_believed_and_this_is_told(tmp_path: Path) -> None:
    read = read_recording(trc(tmp_path, list(range(1, 201)), [f"{n / 99:.6f}" for n in range(200)]))
    assert read.times_s[-1] == pytest.approx(199 / 99)
    assert read.rate_hz == pytest.approx(99, rel=1e-6)
    assert read.notes == ("the file says 100 Hz, and its time stamps 99 Hz; these are believed",)


def test_a_declared_rate_keeps_room_for_frames_that_only_stamps_tell_of(tmp_path: Path) -> None:
    text = "time_s,a_x_m,a_y_m,a_z_m\n" + "".join(f"{t},1,2,3\n" for t in ("0.00", "0.01", "0.02", "0.05"))
    for rate_hz in (50, 97):
        read = read_recording(written(tmp_path, text), rate_hz=rate_hz)
        assert read.times_s == pytest.approx([n / rate_hz for n in (0, 1, 2, 5)])
        assert read.rate_hz == rate_hz
        assert read.notes == (
            f"the rate is {rate_hz} Hz as declared, though time stamps are 0.01 s apart",
            "2 frames are absent from the file; times leave room for them",
        )


def test_a_missing_number_of_a_frame_moves_no_other(tmp_path: Path) -> None:
    text = "frame,a_x_m,a_y_m,a_z_m\n0,1,2,3\n,1,2,3\n4,1,2,3\n20,1,2,3\n"
    read = read_recording(written(tmp_path, text), rate_hz=10)
    assert read.times_s == pytest.approx([0, 0.2, 0.4, 2.0])


@pytest.mark.parametrize("second", [[1, 2, 3, 4], [0.5, 1.5, 2.5, 3.5], [-1, 0.2, 0.4, 1.7]])
def test_two_recordings_one_below_the_other_are_refused(tmp_path: Path, second: list[float]) -> None:
    text = "time_s,a_x_m,a_y_m,a_z_m\n" + "".join(f"{t},1,2,3\n" for t in [1, 2, 3, 4, *second])
    if second[0] == -1:
        text = text.replace("\n1,1,2,3\n", "\n0.1,1,2,3\n0.3,1,2,3\n0.5,1,2,3\n1,1,2,3\n")
    with pytest.raises(DataError, match=r"time begins anew in row \d of \d+, .*give each a file of its own"):
        read_recording(written(tmp_path, text))


def test_two_parts_in_the_wrong_order_are_put_in_order(tmp_path: Path) -> None:
    text = "time_s,a_x_m,a_y_m,a_z_m\n" + "".join(f"{t},{t},2,3\n" for t in [5, 6, 7, 8, 1, 2, 3, 4])
    read = read_recording(written(tmp_path, text))
    assert read.positions[:, 0, 0].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("name", ["", "index", "Unnamed: 0"])
def test_an_index_numbers_frames_where_nothing_else_does(tmp_path: Path, name: str) -> None:
    text = f"{name},a_x_m,a_y_m,a_z_m\n0,1,2,3\n1,1,2,3\n7,1,2,3\n"
    read = read_recording(written(tmp_path, text), rate_hz=10)
    assert read.times_s == pytest.approx([0, 0.1, 0.7])
    timed = f"{name},time_s,a_x_m,a_y_m,a_z_m\n0,0,1,2,3\n1,0.5,1,2,3\n7,1,1,2,3\n"
    assert read_recording(written(tmp_path, timed)).times_s.tolist() == [0, 0.5, 1]
    images = f"{name},a_x_m,a_y_m,a_z_m\n0.5,1,2,3\n0.7,1,2,3\n"
    assert read_recording(written(tmp_path, images), rate_hz=10).times_s.tolist() == [0, 0.1]


def test_a_last_line_whose_last_number_was_cut_is_left_out(tmp_path: Path) -> None:
    rows = "".join(f"{n},1.125,2.125,31.125\n" for n in range(6))
    whole = "frame,a_x_m,a_y_m,a_z_m\n" + rows
    for lost in (2, 3, 4, 5, 6):
        read = read_recording(written(tmp_path, whole[:-lost]), rate_hz=10)
        assert read.times_s.size == 5
        assert read.notes == (
            "line 7, the last, has no end, and its last number fewer digits than those above; "
            "it is left out as cut off",
        )
    read = read_recording(written(tmp_path, whole[:-1]), rate_hz=10)
    assert (read.times_s.size, read.notes) == (6, ())
    unalike = whole.replace("2,1.125,2.125,31.125", "2,1.125,2.125,31.1")
    assert read_recording(written(tmp_path, unalike[:-2]), rate_hz=10).times_s.size == 6


def test_a_folder_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "a.c3d").mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        read_recording(tmp_path / "a.c3d")


@pytest.mark.parametrize("heading", [True, False])
def test_text_of_two_bytes_a_letter_wants_its_mark(tmp_path: Path, heading: bool) -> None:
    data = "frame,a_x_m,a_y_m,a_z_m\n0,1,2,3\n".encode("utf-16-le")
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe" + data if heading else data)
    if heading:
        assert read_recording(tmp_path / "a.csv", rate_hz=10).markers == ("a",)
    else:
        with pytest.raises(DataError, match="line 1: there are zero bytes in the text"):
            read_recording(tmp_path / "a.csv", rate_hz=10)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("frame,x_m,y_m,z_m,a_x_m,a_y_m,a_z_m\n0,7,8,9,1,2,3\n", "x_m, y_m, z_m"),
        ("frame,label,a_x_m,a_y_m,a_z_m\n0,walk,1,2,3\n", "label"),
        ("frame,marker,x_m,y_m,z_m,raw_x_m,raw_y_m,raw_z_m\n0,a,1,2,3,7,8,9\n", "raw_x_m, raw_y_m, raw_z_m"),
    ],
)
def test_columns_of_another_form_of_table_are_told(tmp_path: Path, text: str, left: str) -> None:
    read = read_recording(written(tmp_path, text), rate_hz=10)
    assert read.markers == ("a",)
    assert read.positions[0, 0].tolist() == [1, 2, 3]
    assert read.notes == (f"columns that are no coordinates are left out: {left}",)
