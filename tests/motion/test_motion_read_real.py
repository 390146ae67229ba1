"""Real files of several laboratories, against what is known of each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from batchlab.motion._model import Recording
from batchlab.motion._read import read_gaze, read_recording

PROBES = ("acromion", "medial_epicondyle", "olecrane", "radial_styloid")

# File, frames, markers, rate in Hz, stated unit, share of marker-frames not seen.
THREE_DIMENSIONS = [
    ("pyomeca_markers_analogs.c3d", 580, 51, 100.0, "mm", 0.0103),
    ("pyomeca_markers.csv", 580, 51, 100.0, "mm", 0.0103),
    ("pyomeca_markers.trc", 93, 51, 100.0, "mm", 0.0),
    ("ktk_walking_optitrack.c3d", 3361, 12, 160.0, "mm", 0.0743),
    ("ktk_sample_static.c3d", 700, 41, 69.9, "m", 0.205),
    ("ktk_sample_propulsion.c3d", 700, 41, 69.9926, "m", 0.2224),
    ("ktk_sample_static.n3d", 700, 41, 70.0, "mm", 0.205),
    *((f"ktk_sample_probing_{name}_R.c3d", 140, 41, 69.5, "m", None) for name in PROBES),
    ("pycgm_59993_static.c3d", 371, 115, 100.0, "mm", 0.0),
]
# File, frames, points, whether it has likelihood.
TWO_DIMENSIONS = [
    ("eks_ibl_pupil_left_rng0.csv", 2000, 4, True),
    ("eks_ibl_pupil_left_rng1.csv", 2000, 4, True),
    ("eks_fly_camA_rng0.csv", 500, 12, True),
    ("dlc_openfield_CollectedData.csv", 116, 4, False),
]


def distances_m(recording: Recording) -> np.ndarray:
    """(F, pairs) between all markers."""
    first, second = np.triu_indices(len(recording.markers), 1)
    between: np.ndarray = np.linalg.norm(recording.positions[:, first] - recording.positions[:, second], axis=2)
    return between


@pytest.mark.parametrize("file", [name for name, *_ in THREE_DIMENSIONS if name.endswith(".c3d")])
def test_c3d_files_read_as_another_library_reads_them(shared_motion: Path, file: str) -> None:
    ezc3d = pytest.importorskip("ezc3d", reason="ezc3d is not installed; 'make bench' installs it")
    recording = read_recording(shared_motion / file)
    theirs = ezc3d.c3d(str(shared_motion / file))
    names = [name.strip() for name in theirs["parameters"]["POINT"]["LABELS"]["value"]]
    places = [names.index(marker) for marker in recording.markers]
    scale = {"m": 1.0, "mm": 1e-3}[theirs["parameters"]["POINT"]["UNITS"]["value"][0]]
    positions = theirs["data"]["points"][:3].transpose(2, 1, 0)[:, places] * scale
    np.testing.assert_allclose(recording.positions, positions, rtol=0, atol=1e-15)  # gaps are NaN in both
    # What they hold beside is no place: angles, forces, moments, powers.
    others = [name for name in names if name not in recording.markers]
    assert all(name.endswith(("Angles", "Angle", "Force", "Moment", "Power")) for name in others)


@pytest.mark.parametrize(("file", "frames", "markers", "rate", "unit", "missing"), THREE_DIMENSIONS)
def test_a_file_of_three_dimensions_reads_as_its_laboratory_says(
    shared_motion: Path, file: str, frames: int, markers: int, rate: float, unit: str, missing: float | None
) -> None:
    recording = read_recording(shared_motion / file)
    assert recording.positions.shape == (frames, markers, 3)
    assert len(set(recording.markers)) == markers
    assert (recording.unit, recording.stated_unit) == ("m", unit)
    assert recording.rate_hz == pytest.approx(rate, abs=1e-4)
    assert recording.times_s == pytest.approx(np.arange(frames) / rate, abs=2e-5)
    assert recording.name == Path(file).stem
    # Everything happens within a room.
    assert np.nanmax(np.abs(recording.positions)) < 10
    assert np.nanstd(recording.positions) > 0.05
    if missing is not None:
        assert np.isnan(recording.positions).mean() == pytest.approx(missing, abs=1e-4)


@pytest.mark.parametrize(("file", "frames", "points", "likelihood"), TWO_DIMENSIONS)
def test_a_file_of_two_dimensions_is_in_pixels(
    shared_motion: Path, file: str, frames: int, points: int, likelihood: bool
) -> None:
    recording = read_recording(shared_motion / file, rate_hz=60)
    assert recording.positions.shape == (frames, points, 2)
    assert recording.unit == "px"
    assert np.isfinite(recording.positions).all()
    if likelihood:
        assert recording.confidence is not None
        assert recording.confidence.shape == (frames, points)
        assert recording.confidence.mean() > 0.99
    else:
        assert recording.confidence is None
        assert any("images" in note for note in recording.notes)


def test_two_networks_see_nearly_the_same_pupil(shared_motion: Path) -> None:
    first, second = (read_recording(shared_motion / f"eks_ibl_pupil_left_rng{seed}.csv", rate_hz=60) for seed in (0, 1))
    assert first.markers == second.markers == ("pupil_top_r", "pupil_right_r", "pupil_bottom_r", "pupil_left_r")
    apart = np.linalg.norm(first.positions - second.positions, axis=2)
    assert 0.1 < np.median(apart) < 3.0


def test_confidence_below_the_least_counts_as_not_seen(shared_motion: Path) -> None:
    path = shared_motion / "eks_ibl_pupil_left_rng0.csv"
    plain = read_recording(path, rate_hz=60)
    strict = read_recording(path, rate_hz=60, min_confidence=0.99)
    assert plain.confidence is not None
    low = plain.confidence < 0.99
    assert 0 < low.sum() < low.size
    assert (np.isnan(strict.positions).all(axis=2) == low).all()
    assert any(f"{low.sum()} places have less confidence" in note for note in strict.notes)


def test_c3d_and_the_csv_of_its_trial_agree(shared_motion: Path) -> None:
    c3d = read_recording(shared_motion / "pyomeca_markers_analogs.c3d")
    csv = read_recording(shared_motion / "pyomeca_markers.csv")
    assert c3d.markers == csv.markers
    assert (np.isnan(c3d.positions) == np.isnan(csv.positions)).all()
    # Six digits of millimetres are in the csv.
    assert np.nanmax(np.abs(c3d.positions - csv.positions)) < 6e-6
    assert (c3d.times_s == csv.times_s).all()


def test_c3d_and_n3d_of_one_trial_agree(shared_motion: Path) -> None:
    c3d = read_recording(shared_motion / "ktk_sample_static.c3d")
    n3d = read_recording(shared_motion / "ktk_sample_static.n3d")
    assert n3d.markers[:2] == ("marker_1", "marker_2")
    assert (np.isnan(c3d.positions) == np.isnan(n3d.positions)).all()
    assert np.nanmax(np.abs(c3d.positions - n3d.positions)) < 1e-7


def test_the_box_is_rigid_and_the_same_in_c3d_and_trc(shared_motion: Path) -> None:
    c3d = read_recording(shared_motion / "pyomeca_markers_analogs.c3d", markers="boite:*")
    trc = read_recording(shared_motion / "pyomeca_markers.trc", markers="boite_*")
    assert len(c3d.markers) == len(trc.markers) == 8
    in_c3d = distances_m(c3d)
    assert np.nanmax(np.nanstd(in_c3d, axis=0)) == pytest.approx(0.41e-3, abs=0.01e-3)
    assert np.nanmin(np.nanmean(in_c3d, axis=0)) == pytest.approx(0.035, abs=0.0005)
    assert np.nanmax(np.nanmean(in_c3d, axis=0)) == pytest.approx(0.502, abs=0.0005)
    assert np.isnan(c3d.positions).mean() == pytest.approx(0.005, abs=0.0005)
    order = [trc.markers.index(name.replace(":", "_")) for name in c3d.markers]
    same = Recording(
        name="", markers=c3d.markers, times_s=trc.times_s, positions=trc.positions[:, order], unit="m", rate_hz=100.0
    )
    # The trials differ, the box does not.
    assert np.nanmean(distances_m(same), axis=0) == pytest.approx(np.nanmean(in_c3d, axis=0), abs=1e-3)


def test_the_pointer_has_one_geometry_in_all_recordings(shared_motion: Path) -> None:
    means = []
    for name in PROBES:
        pointer = read_recording(shared_motion / f"ktk_sample_probing_{name}_R.c3d", markers="Probe*")
        between = distances_m(pointer)
        assert np.nanmax(np.nanstd(between, axis=0)) < 1e-4
        means.append(np.nanmean(between, axis=0))
    assert np.ptp(means, axis=0).max() < 4e-4
    assert np.min(means) == pytest.approx(0.0316, abs=1e-4)
    assert np.max(means) == pytest.approx(0.0947, abs=1e-4)


@pytest.mark.parametrize(
    ("body", "count", "missing", "spread_m"), [("Foot", 5, 0.089, 4.6e-3), ("Knee", 4, 0.074, 1.2e-3)]
)
def test_bodies_of_scaled_integers_have_their_shapes(
    shared_motion: Path, body: str, count: int, missing: float, spread_m: float
) -> None:
    leg = read_recording(shared_motion / "ktk_walking_optitrack.c3d", markers=f"{body}_Marker*")
    assert len(leg.markers) == count
    assert np.isnan(leg.positions).mean() == pytest.approx(missing, abs=1e-3)
    assert np.nanmax(np.nanstd(distances_m(leg), axis=0)) == pytest.approx(spread_m, rel=0.02)


def test_virtual_points_of_the_vendor_stay_and_its_angles_go(shared_motion: Path) -> None:
    static = read_recording(shared_motion / "pycgm_59993_static.c3d")
    assert {"LFHD", "RFHD", "LBHD", "RBHD", "HEDO", "HEDA", "HEDL", "HEDP", "PELO"} <= set(static.markers)
    assert not [name for name in static.markers if name.endswith(("Angles", "Force", "Moment", "Power"))]
    assert any("74 outputs are no places" in note for note in static.notes)
    place = {name: static.positions[:, at] for at, name in enumerate(static.markers)}
    axes = np.stack([place[end] - place["HEDO"] for end in ("HEDA", "HEDL", "HEDP")], axis=1)
    lengths = np.linalg.norm(axes, axis=2)
    cosines = axes @ axes.transpose(0, 2, 1) / (lengths[:, :, None] * lengths[:, None, :])
    assert cosines == pytest.approx(np.broadcast_to(np.eye(3), cosines.shape), abs=1e-3)


def test_headers_that_lie_are_told(shared_motion: Path) -> None:
    trc = read_recording(shared_motion / "pyomeca_markers.trc")
    assert "the file holds 93 frames, though its header says 652" in trc.notes
    assert any("separated by ','" in note for note in trc.notes)


def test_gaze_has_its_eyeballs(shared_motion: Path) -> None:
    gaze = read_gaze(shared_motion / "pupil_labs_gaze_positions.csv")
    assert gaze.times_s.shape == (2054,)
    assert (np.diff(gaze.times_s) > 0).all()
    assert np.nanmedian(gaze.centers_m, axis=0) == pytest.approx(
        np.array([[0.0180, 0.0149, -0.0243], [-0.0391, 0.0151, -0.0220]]), abs=1e-3
    )
    lengths = np.linalg.norm(gaze.normals, axis=2)
    assert np.isnan(lengths).any()
    assert lengths[np.isfinite(lengths)] == pytest.approx(1.0, abs=1e-9)
    recording = read_recording(shared_motion / "pupil_labs_gaze_positions.csv")
    assert recording.markers == ("gaze_point", "eye_center0", "eye_center1")
    assert recording.rate_hz is None
    assert recording.stated_unit == "mm"
    assert recording.positions[:, 1:] == pytest.approx(gaze.centers_m, nan_ok=True)
