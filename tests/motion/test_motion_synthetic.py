"""Made-up bodies and eyes keep to their own truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from batchlab.motion._read import read_recording
from batchlab.motion._synthetic import (
    Case,
    join_bodies,
    simulate,
    simulate_eye,
    write_recording,
    write_recordings,
)


@pytest.mark.parametrize("case", Case)
def test_places_follow_from_poses_and_geometry(case: Case) -> None:
    truth = simulate(frames=300, case=case, missing=0)
    assert np.linalg.det(truth.rotations) == pytest.approx(1.0)
    assert truth.geometry_m.mean(axis=0) == pytest.approx(0, abs=1e-12)
    placed = np.einsum("fij,mj->fmi", truth.rotations, truth.geometry_m) + truth.translations_m[:, None]
    firm = slice(None, -1) if case is Case.LOOSE else slice(None)
    assert placed[:, firm] == pytest.approx(truth.positions_m[:, firm], abs=1e-12)
    rank = {Case.PLANAR: 2, Case.COLLINEAR: 1}.get(case, 3)
    assert np.linalg.matrix_rank(truth.geometry_m, tol=1e-6) == rank


def test_noise_and_gaps_are_as_asked() -> None:
    truth = simulate(frames=20_000)
    assert np.nanstd(truth.recording.positions - truth.positions_m) == pytest.approx(0.002, rel=0.01)
    hidden = np.isnan(truth.recording.positions[..., 0])
    assert hidden.mean() == pytest.approx(0.06, abs=0.006)
    starts = (np.diff(hidden.astype(int), axis=0) == 1).sum()
    assert hidden.sum() / starts == pytest.approx(10, rel=0.1)


def test_rotations_are_large() -> None:
    truth = simulate(frames=2000)
    turned = np.einsum("ij,fij->f", truth.rotations[0], truth.rotations)
    assert np.degrees(np.arccos(np.clip((turned - 1) / 2, -1, 1))).max() > 150


def test_odd_cases_are_what_they_say() -> None:
    loose = simulate(frames=500, case=Case.LOOSE, missing=0)
    in_body = np.einsum("fji,fmj->fmi", loose.rotations, loose.positions_m - loose.translations_m[:, None])
    wander = in_body.std(axis=0).max(axis=1)
    assert loose.loose == "m8"
    assert wander[-1] > 0.002
    assert wander[:-1].max() < 1e-12

    never = simulate(frames=50, case=Case.NEVER_VISIBLE)
    assert never.never_visible == "m8"
    assert np.isnan(never.recording.positions[:, 7]).all()

    swapped = simulate(frames=300, case=Case.SWAPPED, missing=0)
    swap = swapped.swap
    assert swap is not None
    off = np.linalg.norm(swapped.recording.positions - swapped.positions_m, axis=2) > 0.02
    assert off[swap.start : swap.stop, :2].all()
    assert off.sum() == 2 * (swap.stop - swap.start)

    wild = simulate(frames=2000, outliers=0.02, missing=0)
    off = np.linalg.norm(wild.recording.positions - wild.positions_m, axis=2) > 0.03
    assert off.mean() == pytest.approx(0.02, rel=0.15)


def test_sessions_share_a_body_and_subjects_do_not(tmp_path: Path) -> None:
    truths = write_recordings(tmp_path, subjects=2, sessions=2, frames=20)
    names = [truth.path.name for truth in truths if truth.path]
    assert names == [f"subject_0{subject}_session_{session}.csv" for subject in (1, 2) for session in (1, 2)]
    assert (truths[0].geometry_m == truths[1].geometry_m).all()
    assert not np.allclose(truths[0].translations_m, truths[1].translations_m)
    assert not np.allclose(truths[0].geometry_m, truths[2].geometry_m)


def test_bodies_of_one_file_are_told_apart_by_patterns(tmp_path: Path) -> None:
    bodies = {"box": simulate(frames=20, seed=1), "pointer": simulate(frames=20, markers=4, seed=2)}
    path = write_recording(tmp_path, join_bodies("both", bodies), "c3d")
    assert path.name == "both.c3d"
    read = read_recording(path, markers="pointer:*")
    assert read.markers == ("pointer:m1", "pointer:m2", "pointer:m3", "pointer:m4")
    assert read.positions == pytest.approx(bodies["pointer"].recording.positions, abs=2e-7, nan_ok=True)


def test_equal_seeds_write_equal_files(tmp_path: Path) -> None:
    first, second = (write_recordings(tmp_path / name, frames=20, seed=3)[0].path for name in "ab")
    assert first is not None
    assert second is not None
    assert first.read_bytes() == second.read_bytes()
    assert write_recordings(tmp_path / "c", frames=20, seed=4)[0].recording.positions[0, 0, 0] != pytest.approx(0)


def test_the_pupil_projects_from_its_eye() -> None:
    eye = simulate_eye(frames=400, noise_px=0.0)
    assert np.linalg.norm(eye.gaze, axis=1) == pytest.approx(1.0)
    middle = eye.center_m + eye.pupil_distance_m * eye.gaze
    pixels = eye.focal_px * middle[:, :2] / middle[:, 2:] + eye.principal_px
    seen = ~eye.blinks
    assert 0 < eye.blinks.sum() < 200
    # The middle of an ellipse is nearly, not exactly, the image of the circle's middle.
    assert eye.recording.positions[seen, :8].mean(axis=1) == pytest.approx(pixels[seen], abs=1.0)
    assert eye.recording.confidence is not None
    assert eye.recording.confidence[~seen, :8].max() < 0.3 < eye.recording.confidence[seen].min()
    assert np.ptp(eye.recording.positions[:, 8], axis=0) == pytest.approx(0)
    assert (eye.recording.positions[seen] > 0).all()
    assert (eye.recording.positions[seen] < 400).all()
