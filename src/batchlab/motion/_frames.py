"""The body's frame as the user wants it, markers filled in by the body, and a vendor's frames beside ours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import ConfigError, DataError
from batchlab.motion._model import Covered
from batchlab.motion._solve import aligned, convention_frame, logarithms

if TYPE_CHECKING:
    from batchlab.motion._model import Body, Code, Fit, Float, FrameConvention, Recording

__all__ = [
    "Agreement",
    "Filled",
    "Source",
    "agreement",
    "axes_of_points",
    "fill_gaps",
    "frame_by_convention",
    "frame_by_geometry",
    "reference_geometry",
]

_STILL_M = 0.005


class Source(StrEnum):
    """Where a marker's place comes from; as a code, the position here."""

    MEASURED = "measured"
    BODY = "body"
    INFERRED = "inferred"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Filled:
    """A recording without gaps.

    Attributes
    ----------
    recording
        Of the body's markers, in its order; NaN only where the source is unknown.
    source
        (F, M) codes: 0 measured; 1 put there by the body, its pose resting on other markers; 2 put there by a pose
        that is itself inferred; 3 unknown.
    sd_m
        (F, M) standard error of a coordinate of what the body put there, the marker's own place in the body taken as
        certain; NaN where measured, unknown, or not computed.
    """

    recording: Recording
    source: Code
    sd_m: Float


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How two courses of a frame agree, up to a constant turn and shift of the frame in the body.

    Attributes
    ----------
    frames
        How many both have.
    angle_rms_rad, angle_max_rad
        Of the turn between them.
    origin_rms_m, origin_max_m
        Of the distance between their origins.
    turn, shift_m
        (3, 3) from the other's axes to ours, and (3,) its origin in our axes: the constants taken off.
    """

    frames: int
    angle_rms_rad: float
    angle_max_rad: float
    origin_rms_m: float
    origin_max_m: float
    turn: Float
    shift_m: Float


def frame_by_convention(fit: Fit, convention: FrameConvention) -> Fit:
    """The fit with its body's axes and origin at named markers.

    Raises
    ------
    ConfigError
        If a marker is not of the body, was never seen, or three give no plane.
    """
    axes, origin = convention_frame(fit.geometry_m, fit.body.markers, convention)
    return replace(_placed(fit, axes, origin), body=replace(fit.body, convention=convention))


def frame_by_geometry(fit: Fit, geometry_m: Float) -> Fit:
    """The fit with its body's axes and origin as those of a geometry, such as a drawing or another fit has it.

    Parameters
    ----------
    fit
        Any.
    geometry_m
        (M, 3) in m, in the order of the body's markers; NaN for those it lacks.

    Returns
    -------
    Fit
        A warning tells how far the geometries are apart, where that is more than both ought to be.

    Raises
    ------
    ConfigError
        If fewer than three markers off a line are in both.
    DataError
        If the geometry is the mirror image of the body.
    """
    given = np.asarray(geometry_m, dtype=np.float64)
    if given.shape != fit.geometry_m.shape:
        raise ConfigError(
            f"the reference has shape {given.shape}; {fit.body.name} has {len(fit.body.markers)} markers and wants as "
            "many rows of 3 numbers in m"
        )
    both = np.isfinite(given).all(axis=1) & np.isfinite(fit.geometry_m).all(axis=1)
    ours, theirs = fit.geometry_m[both], given[both]
    singular = np.linalg.svd(theirs - theirs.mean(axis=0), compute_uv=False) if both.sum() >= 3 else np.zeros(3)
    if singular[1] <= 0.02 * singular[0] or both.sum() < 3:
        raise ConfigError(
            f"the reference and {fit.body.name} share {int(both.sum())} markers that do not span a plane; "
            "give the places of at least three off a line"
        )
    turn, move = aligned(ours, theirs)
    misfit = _rms(ours @ turn.T + move - theirs)
    mirrored, mirrored_move = aligned(-ours, theirs)
    if _rms(-ours @ mirrored.T + mirrored_move - theirs) < 0.2 * misfit:
        raise DataError(f"the reference is the mirror image of {fit.body.name}; negate one of its axes")
    out = _placed(fit, turn, -turn.T @ move)
    usual = float(np.nanmedian(np.linalg.norm(fit.residuals_m, axis=2)))
    if misfit > 3.0 * usual:
        said = (
            f"the reference geometry of {fit.body.name} differs from the fitted one by {1e3 * misfit:.2g} mm rms, "
            f"where residuals are {1e3 * usual:.2g} mm: look whether a marker was moved"
        )
        out = replace(out, warnings=(*out.warnings, said))
    return out


def reference_geometry(reference: Recording, body: Body) -> Float:
    """Places (M, 3) in m of a body's markers in a reference file: the axes and origin are the file's own.

    A drawing with one row, or a recording in which the body stands still in the wished-for attitude.

    Raises
    ------
    DataError
        If the body moves in the reference, or it has fewer than three of its markers.
    """
    places = {name: number for number, name in enumerate(reference.markers)}
    out = np.full((len(body.markers), 3), np.nan)
    for number, name in enumerate(body.markers):
        if name not in places:
            continue
        course = reference.positions[:, places[name]]
        course = course[np.isfinite(course).all(axis=1)]
        if not len(course):
            continue
        out[number] = np.median(course, axis=0)
        spread = float(np.median(np.linalg.norm(course - out[number], axis=1)))
        if spread > _STILL_M:
            raise DataError(
                f"{reference.name}: marker {name} moves by {1e3 * spread:.0f} mm; a reference for the frame of "
                f"{body.name} stands still: cut out a still part, or name markers in a convention"
            )
    if np.isfinite(out[:, 0]).sum() < 3:
        raise DataError(
            f"{reference.name} has {int(np.isfinite(out[:, 0]).sum())} of the markers of {body.name} "
            f"({', '.join(body.markers)}); a frame wants three"
        )
    return out


def fill_gaps(recording: Recording, fit: Fit, *, replace_below: float = 0.0) -> Filled:
    """Markers where the body puts them, wherever they were not seen.

    Parameters
    ----------
    recording, fit
        A recording and its fit.
    replace_below
        Markers with a robust weight below this count as not seen: 0 keeps all, 0.3 replaces outliers.
    """
    places = {name: number for number, name in enumerate(recording.markers)}
    columns = [places.get(name) for name in fit.body.markers]
    shape = (len(recording.times_s), len(columns), 3)
    positions = np.full(shape, np.nan)
    for number, column in enumerate(columns):
        if column is not None:
            positions[:, number] = recording.positions[:, column]
    seen = np.isfinite(positions).all(axis=2) & (fit.weights_used >= replace_below)
    fitted = np.einsum("fij,mj->fmi", fit.rotations, fit.geometry_m) + fit.translations_m[:, None]
    source = np.where(seen, 0, np.where((fit.covered == _code(Covered.INFERRED))[:, None], 2, 1)).astype(np.uint8)
    out = np.where(seen[:, :, None], positions, fitted)
    source[~np.isfinite(out).all(axis=2)] = 3
    sd = np.full(shape[:2], np.nan)
    if fit.pose_sd is not None:
        for number in range(len(columns)):
            variance = _moved_variance(fit, fit.geometry_m[number])
            sd[:, number] = np.sqrt(variance.mean(axis=1))
        sd[(source == 0) | (source == 3)] = np.nan
    count = int(((source == 1) | (source == 2)).sum())
    filled = replace(
        recording,
        markers=fit.body.markers,
        positions=out,
        confidence=None,
        notes=(*recording.notes, f"{count} places of {fit.body.name} are filled in by the body, not measured"),
    )
    return Filled(recording=filled, source=source, sd_m=sd)


def axes_of_points(recording: Recording, origin: str, x: str, y: str, z: str) -> tuple[Float, Float]:
    """Frames (F, 3, 3), axes in columns, and origins (F, 3) in m, that a file has as an origin and the ends of axes.

    Vicon's Plug-in Gait writes them so: ``HEDO`` is the origin of the head, ``HEDA``, ``HEDL`` and ``HEDP`` end its
    anterior, lateral and proximal axes. Axes are made orthonormal; NaN where a point is absent.

    Raises
    ------
    ConfigError
        If a point is not in the recording.
    """
    for name in (origin, x, y, z):
        if name not in recording.markers:
            raise ConfigError(f"{recording.name} has no point {name!r}; it has {', '.join(recording.markers)}")
    start, *ends = (recording.positions[:, recording.markers.index(name)] for name in (origin, x, y, z))
    arms = np.stack([end - start for end in ends], axis=2)
    rotations = np.full(arms.shape, np.nan)
    known = np.isfinite(arms).all(axis=(1, 2))
    lengths = np.linalg.norm(arms[known], axis=1, keepdims=True)
    if (lengths == 0).any():
        raise DataError(f"{recording.name}: the axis from {origin} has no length in some frame; name its ends")
    left, _, right = np.linalg.svd(arms[known] / lengths)
    rotations[known] = left @ right
    if known.any() and np.median(np.linalg.det(rotations[known])) < 0:
        raise DataError(f"{recording.name}: {x}, {y}, {z} from {origin} are left-handed; exchange two of them")
    return rotations, np.asarray(start, dtype=np.float64)


def agreement(fit: Fit, rotations: Float, origins_m: Float) -> Agreement:
    """Compare a fit with another course of the same body's frame.

    Parameters
    ----------
    fit
        Ours.
    rotations, origins_m
        (F, 3, 3) and (F, 3) in m: the other's, in the same laboratory; NaN where unknown.

    Raises
    ------
    DataError
        If no frame has both.
    """
    both = np.isfinite(rotations).all(axis=(1, 2)) & np.isfinite(origins_m).all(axis=1)
    both &= np.isfinite(fit.rotations).all(axis=(1, 2))
    if not both.any():
        raise DataError(f"{fit.recording}: no frame has both a pose of {fit.body.name} and the other one")
    ours, theirs = fit.rotations[both], rotations[both]
    # The mean rotation is the one nearest to the sum.
    left, _, right = np.linalg.svd(np.einsum("fji,fjk->ik", ours, theirs))
    turn = left @ np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))]) @ right
    between = np.linalg.norm(logarithms(np.swapaxes(ours @ turn, 1, 2) @ theirs), axis=1)
    local = np.einsum("fji,fj->fi", ours, origins_m[both] - fit.translations_m[both])
    shift = local.mean(axis=0)
    apart = np.linalg.norm(local - shift, axis=1)
    return Agreement(
        frames=int(both.sum()),
        angle_rms_rad=float(np.sqrt(np.mean(between**2))),
        angle_max_rad=float(between.max()),
        origin_rms_m=float(np.sqrt(np.mean(apart**2))),
        origin_max_m=float(apart.max()),
        turn=turn,
        shift_m=shift,
    )


def _placed(fit: Fit, axes: Float, origin: Float) -> Fit:
    """The fit with new axes (3, 3), in rows, and origin (3,), both in the body's present axes."""
    sd = fit.pose_sd
    if sd is not None:
        sd = sd.copy()
        sd[:, 3:] = np.sqrt(_moved_variance(fit, origin))
    return replace(
        fit,
        rotations=fit.rotations @ axes.T,
        translations_m=fit.translations_m + fit.rotations @ origin,
        geometry_m=(fit.geometry_m - origin) @ axes.T,
        pose_sd=sd,
    )


def _moved_variance(fit: Fit, place: Float) -> Float:
    """Variance (F, 3), in m², of a `place` (3,) in the body, by way of the centroid of the markers.

    At the centroid errors of turn and of place hardly hang together, so their variances add; elsewhere the fit's
    standard errors alone do not tell how they do.
    """
    if fit.pose_sd is None:
        return np.full((len(fit.rotations), 3), np.nan)
    centre = np.nanmean(fit.geometry_m, axis=0)
    turn, move = fit.pose_sd[:, :3] ** 2, fit.pose_sd[:, 3:] ** 2
    out: Float = np.maximum(move - _swing(turn, fit.rotations @ centre), 0.0)
    out += _swing(turn, fit.rotations @ (place - centre))
    return out


def _swing(turn: Float, arms: Float) -> Float:
    """Variance (F, 3) of ``w x arm`` for independent turns of variance `turn` (F, 3)."""
    squares = arms**2
    return np.stack(
        [
            np.roll(turn, -1, 1)[:, i] * np.roll(squares, -2, 1)[:, i]
            + np.roll(turn, -2, 1)[:, i] * np.roll(squares, -1, 1)[:, i]
            for i in range(3)
        ],
        axis=1,
    )


def _rms(vectors: Float) -> float:
    return float(np.sqrt(np.mean(np.sum(vectors**2, axis=1))))


def _code(covered: Covered) -> int:
    return list(Covered).index(covered)
