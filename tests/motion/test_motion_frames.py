"""The body's frame as the user wants it, gaps filled by the body, agreement with a vendor's frames."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from batchlab.errors import ConfigError, DataError
from batchlab.motion._frames import (
    agreement,
    axes_of_points,
    fill_gaps,
    frame_by_convention,
    frame_by_geometry,
    reference_geometry,
)
from batchlab.motion._model import Body, Fit, FitOptions, FrameConvention, Loss, Recording, Smoothing, Weights
from batchlab.motion._read import read_recording
from batchlab.motion._solve import fit_body
from batchlab.motion._synthetic import simulate

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = FitOptions(weights=Weights(data_per_m=500, rotation=0.3, translation=0.3))
CONVENTION = FrameConvention(origin="m2", x_axis="m4", xy_plane="m1")


def fitted(recording: Recording, options: FitOptions = OPTIONS, **body: object) -> Fit:
    (fit,) = fit_body([recording], Body(name="body", markers=recording.markers, **body), options)  # type: ignore[arg-type]
    return fit


def in_laboratory(fit: Fit) -> np.ndarray:
    out: np.ndarray = np.einsum("fij,mj->fmi", fit.rotations, fit.geometry_m) + fit.translations_m[:, None]
    return out


def test_a_convention_after_the_fit_is_one_before_it() -> None:
    recording = simulate(frames=300).recording
    before = fitted(recording, convention=CONVENTION)
    after = frame_by_convention(fitted(recording), CONVENTION)
    assert after.body == before.body
    np.testing.assert_allclose(after.geometry_m, before.geometry_m, atol=1e-9)
    np.testing.assert_allclose(after.rotations, before.rotations, atol=1e-8)
    np.testing.assert_allclose(after.translations_m, before.translations_m, atol=1e-9)
    assert after.geometry_m[1] == pytest.approx([0, 0, 0], abs=1e-12)
    assert after.geometry_m[3, 1:] == pytest.approx([0, 0], abs=1e-12)
    assert after.pose_sd is not None
    assert before.pose_sd is not None
    np.testing.assert_allclose(after.pose_sd[:, :3], before.pose_sd[:, :3], rtol=1e-6)
    # Told by way of the centroid, nearly as by whole covariances.
    ratio = after.pose_sd[:, 3:] / before.pose_sd[:, 3:]
    assert np.median(ratio) == pytest.approx(1.0, abs=0.05)
    assert np.quantile(ratio, [0.02, 0.98]) == pytest.approx([1, 1], abs=0.35)


def test_a_reference_gives_its_own_axes_and_origin() -> None:
    truth = simulate(frames=300)
    shifted = truth.geometry_m + np.array([0.1, -0.2, 0.3])
    reference = Recording(
        name="drawing",
        markers=truth.recording.markers[::-1],
        times_s=np.zeros(1),
        positions=shifted[None, ::-1],
        unit="m",
    )
    fit = fitted(truth.recording)
    given = reference_geometry(reference, fit.body)
    np.testing.assert_array_equal(given, shifted)
    found = frame_by_geometry(fit, given)
    np.testing.assert_allclose(in_laboratory(found), in_laboratory(fit), atol=1e-12)
    np.testing.assert_allclose(found.geometry_m, shifted, atol=1e-3)
    same = agreement(found, truth.rotations, truth.translations_m - truth.rotations @ np.array([0.1, -0.2, 0.3]))
    assert np.degrees(same.angle_rms_rad) < 1.0
    assert np.degrees(np.arccos((np.trace(same.turn) - 1) / 2)) < 0.5
    assert same.shift_m == pytest.approx([0, 0, 0], abs=2e-3)
    assert found.warnings == fit.warnings


def test_a_reference_whose_marker_was_moved_warns() -> None:
    truth = simulate(frames=300)
    other = truth.geometry_m.copy()
    other[0] += 0.05
    found = frame_by_geometry(fitted(truth.recording), other)
    assert "look whether a marker was moved" in found.warnings[-1]


def test_wrong_references_are_refused() -> None:
    truth = simulate(frames=100)
    fit = fitted(truth.recording)
    with pytest.raises(DataError, match="mirror image"):
        frame_by_geometry(fit, -truth.geometry_m)
    with pytest.raises(ConfigError, match="three off a line"):
        frame_by_geometry(fit, np.where(np.arange(8)[:, None] < 2, truth.geometry_m, np.nan))
    with pytest.raises(ConfigError, match="wants as many rows"):
        frame_by_geometry(fit, truth.geometry_m[:3])
    with pytest.raises(DataError, match="stands still"):
        reference_geometry(truth.recording, fit.body)
    with pytest.raises(DataError, match="a frame wants three"):
        reference_geometry(replace(truth.recording, positions=truth.recording.positions * np.nan), fit.body)


def test_gaps_are_filled_where_the_truth_is_and_flagged() -> None:
    truth = simulate(missing=0.1)
    positions = truth.recording.positions.copy()
    positions[500:505] = np.nan
    recording = replace(truth.recording, positions=positions)
    fit = fitted(recording)
    filled = fill_gaps(recording, fit)
    hidden = np.isnan(positions[:, :, 0])
    np.testing.assert_array_equal(filled.source > 0, hidden)
    assert (filled.source[500:505] == 2).all()
    np.testing.assert_array_equal(filled.recording.positions[~hidden], positions[~hidden])
    error = filled.recording.positions - truth.positions_m
    by_body = filled.source == 1
    assert np.sqrt(np.mean(error[by_body] ** 2)) < truth.noise_m
    assert np.abs(error[500:505]).max() < 0.01
    assert np.isnan(filled.sd_m[~hidden]).all()
    # Standard errors are of the size of errors; smoothness is a little stiffer than this motion.
    ratio = np.sqrt(np.mean(error[by_body] ** 2) / np.mean(filled.sd_m[by_body] ** 2))
    assert 0.8 < ratio < 1.5
    assert f"{int(hidden.sum())} places of body are filled in" in filled.recording.notes[-1]


def test_outliers_are_replaced_on_wish_and_unknown_markers_stay_unknown() -> None:
    truth = simulate(missing=0.0, case="never-visible")
    positions = truth.recording.positions.copy()
    positions[100, 2] += 0.2
    recording = replace(truth.recording, positions=positions)
    fit = fitted(recording, replace(OPTIONS, loss=Loss.TUKEY, loss_scale=6.0))
    assert fill_gaps(recording, fit).source[100, 2] == 0
    filled = fill_gaps(recording, fit, replace_below=0.3)
    assert filled.source[100, 2] == 1
    assert np.linalg.norm(filled.recording.positions[100, 2] - truth.positions_m[100, 2]) < 0.006
    assert (filled.source[:, -1] == 3).all()
    assert np.isnan(filled.recording.positions[:, -1]).all()


@pytest.mark.parametrize(
    ("markers", "points", "angle_deg", "largest_deg", "origin_m"),
    [
        (("LFHD", "RFHD", "LBHD", "RBHD"), "HED", 0.0155, 0.063, 0.000042),
        (("LASI", "RASI", "LPSI", "RPSI"), "PEL", 0.05, 0.215, 0.00021),
    ],
)
@pytest.mark.parametrize("loss", [Loss.SQUARED, Loss.HUBER])
@pytest.mark.parametrize("smoothing", list(Smoothing))
def test_head_and_pelvis_agree_with_the_vendors_frames(
    shared_motion: Path,
    markers: tuple[str, ...],
    points: str,
    angle_deg: float,
    largest_deg: float,
    origin_m: float,
    loss: Loss,
    smoothing: Smoothing,
) -> None:
    recording = read_recording(shared_motion / "pycgm_59993_static.c3d")
    weights = Weights(data_per_m=1 / 0.0002, rotation=0.3, translation=0.3)
    options = FitOptions(weights=weights, loss=loss, smoothing=smoothing)
    (fit,) = fit_body([recording], Body(name="segment", markers=markers), options)
    vendor = axes_of_points(recording, *(points + end for end in "OALP"))
    found = agreement(fit, *vendor)
    assert found.frames == 371
    assert np.degrees(found.angle_rms_rad) <= angle_deg
    assert np.degrees(found.angle_max_rad) <= largest_deg
    assert found.origin_rms_m <= origin_m
    # With the constants taken over the frames are the vendor's own.
    turned = fit.rotations @ found.turn
    assert np.degrees(np.abs(turned - vendor[0]).max()) < 2 * largest_deg


def test_points_that_span_no_frame_are_refused(shared_motion: Path) -> None:
    recording = read_recording(shared_motion / "pycgm_59993_static.c3d")
    with pytest.raises(DataError, match="left-handed"):
        axes_of_points(recording, "HEDO", "HEDL", "HEDA", "HEDP")
    with pytest.raises(ConfigError, match="no point 'HEAD'"):
        axes_of_points(recording, "HEAD", "HEDA", "HEDL", "HEDP")
    with pytest.raises(DataError, match="no length"):
        axes_of_points(recording, "HEDO", "HEDO", "HEDL", "HEDP")


def test_nothing_in_common_is_refused() -> None:
    fit = fitted(simulate(frames=50).recording)
    with pytest.raises(DataError, match="no frame has both"):
        agreement(fit, np.full((50, 3, 3), np.nan), np.zeros((50, 3)))
