"""Fitting a body to recordings: stages of a robust solve, and the way back from arrays to nouns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from batchlab.errors import ConfigError
from batchlab.motion._model import Covered, Fit, FitOptions, FrameConvention, Loss, Status, recordings_of
from batchlab.motion._solve._covariance import pose_covariances, pose_leverages
from batchlab.motion._solve._gauge import aligned, convention_frame, principal_axes
from batchlab.motion._solve._joint import linearised, minimise
from batchlab.motion._solve._problem import Robust
from batchlab.motion._solve._robust import CONVEX, default_scale, residual_unit
from batchlab.motion._solve._rotations import cross_matrices
from batchlab.motion._solve._smooth import smoothed
from batchlab.motion._solve._spare import minimise_sparing
from batchlab.motion._solve._stack import stack
from batchlab.motion._solve._start import bridge, led
from batchlab.motion._solve._terms import residuals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from batchlab.motion._model import Body, Recording
    from batchlab.motion._solve._joint import Solution
    from batchlab.motion._solve._problem import Problem, State
    from batchlab.motion._solve._stack import Stacked

    Float: TypeAlias = NDArray[np.float64]

__all__ = ["Begun", "bend_of", "begun", "fit_body", "fits", "settled"]

_STAGE_TOLERANCE = 1e-5
_STAGE_ITERATIONS = 8
_UNIT_STEP = 0.02
# Standard errors want a linearisation from where the cost was higher by no more than this share.
_FALLEN_MAX = 1e-4
# Share of coordinates that are free by rounding alone, as in a frame that its own geometry fits.
_FREE_MIN = 1e-9
# From broad to the scale asked for: a loss that forgets outliers must start where it forgets none.
_GRADUATION = (4.0, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Where the last stage starts: state, the loss whose least is sought, iterations spent."""

    state: State
    robust: Robust
    iterations: int


def fit_body(
    recordings: Recording | Sequence[Recording], body: Body, options: FitOptions | None = None
) -> tuple[Fit, ...]:
    """Fit one body, of one geometry, to recordings.

    The least of half the sum of robust squares of ``weight * (measured - (R x + T))`` and of squares of smoothness,
    over poses of all frames and, unless it is given, the geometry x. Smoothness of place is asked of the
    centroid of the markers, wherever the body's frame is put, so the result does not depend on the frame.

    Parameters
    ----------
    recordings
        In metres, with three coordinates, one or several; markers are found by name.
    body
        Which markers; its convention places the frame. Without one the frame is at the centroid, along principal
        axes, or as in `options.geometry_m`.
    options
        See `FitOptions`. A robust loss bends at `loss_scale` times the standard deviation that the median of
        residuals tells. A frame in which the loss would leave fewer than three markers off a line keeps Huber's, with
        its own default scale, and counts as inferred; a warning says how many.

    Returns
    -------
    tuple of Fit
        One for each recording, in order. A recording in which no frame determines a pose gets status degenerate
        and poses of NaN; the others are solved together. The reduced chi-square is, with a robust loss, told by the
        median of residuals; standard errors of poses are scaled by its root.

    Raises
    ------
    DegenerateBody
        If no recording has three markers at once off a line.
    DataError, ConfigError
        If recordings are not in metres, lack all markers, or options contradict each other.
    """
    options = FitOptions() if options is None else options
    recordings = recordings_of(recordings)
    stacked = stack(recordings, body, options)
    begin, solution = settled(stacked.problem, begun(smoothed(stacked), options), options)
    return fits(recordings, body, options, stacked, begin, solution)


def begun(stacked: Stacked, options: FitOptions) -> Begun:
    """Settle the loss, in loose stages where it is robust: Huber's first, then from broad to narrow."""
    problem, state = stacked.problem, stacked.start
    if options.loss is Loss.SQUARED:
        return Begun(state=state, robust=Robust(), iterations=0)
    scale = bend_of(options)
    mild = scale if options.loss is Loss.HUBER else default_scale(Loss.HUBER, 3)
    robust = Robust(loss=Loss.HUBER, scale=mild * _unit(problem, state))
    stage = minimise(problem, state, robust, _STAGE_ITERATIONS, _STAGE_TOLERANCE)
    spent, state = stage.iterations, stage.state
    unit = _unit(problem, state)
    asked = Robust(loss=options.loss, scale=scale * unit, mild=mild * unit)
    for factor in () if options.loss in CONVEX else _GRADUATION:
        robust = replace(asked, scale=factor * asked.scale)
        stage, _ = minimise_sparing(problem, state, robust, _STAGE_ITERATIONS, _STAGE_TOLERANCE)
        spent, state = spent + stage.iterations, stage.state
    return Begun(state=state, robust=asked, iterations=spent)


def settled(problem: Problem, begin: Begun, options: FitOptions) -> tuple[Begun, Solution]:
    """The last stage, and what it began with: its loss says which frames it spares."""
    solution, robust = minimise_sparing(problem, begin.state, begin.robust, options.iterations_max, options.tolerance)
    return replace(begin, robust=robust), solution


def bend_of(options: FitOptions) -> float:
    """Where the loss bends, in standard deviations."""
    if options.loss_scale is None:
        return default_scale(options.loss, 3)
    if not (np.isfinite(options.loss_scale) and options.loss_scale > 0):
        raise ConfigError(f"loss_scale is {options.loss_scale:g}; it must be positive")
    return options.loss_scale


def _unit(problem: Problem, state: State) -> float:
    """Standard deviation that residuals tell, in steps of 2 %: how far the stage before had got must not show."""
    error = residuals(problem, state)
    squares = np.einsum("fim,fim->fm", error, error) * problem.weights
    seen = problem.weights > 0
    coordinates = 3 * int(seen.sum())
    unit = residual_unit(squares[seen], 1.0 - 6.0 * int(seen.any(axis=1).sum()) / max(coordinates, 1))
    return float(np.exp(_UNIT_STEP * np.round(np.log(unit) / _UNIT_STEP)))


def fits(
    recordings: Sequence[Recording], body: Body, options: FitOptions, stacked: Stacked, begin: Begun, solution: Solution
) -> tuple[Fit, ...]:
    """Nouns of a solved stack, one for each recording, in the body's own frame."""
    problem, state, terms = stacked.problem, solution.state, solution.terms
    axes, origin, geometry = _body_frame(body, options, stacked, state.geometry)
    # Reweighting alone: standard errors of an outlier are not larger along its residual.
    near = solution.linear if not options.covariance or solution.fallen <= _FALLEN_MAX else None
    linear = near or linearised(problem, state, terms, begin.robust)
    covariances = pose_covariances(problem, linear) if options.covariance and linear else None
    leverages = pose_leverages(linear, covariances) if linear else np.full(len(terms.weights), 6.0)
    placed = _Placed(
        rotations=np.matmul(state.rotations, axes.T),
        translations=state.translations + state.rotations @ origin,
        geometry=geometry,
        residuals=residuals(problem, state),
        covariances=None if covariances is None else _about_origin(covariances, state.rotations, origin),
    )
    out: list[Fit] = []
    first = 0
    for recording, able in zip(recordings, stacked.able, strict=True):
        if able:
            part = slice(first, first + len(recording.times_s))
            first = part.stop
            out.append(_fit(recording, body, stacked, begin, solution, placed, leverages[part], part))
        else:
            out.append(_degenerate(recording, body, geometry, options.covariance, stacked.warnings))
    return tuple(out)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """A solution in the body's own frame; covariances about laboratory axes and at the body's origin."""

    rotations: Float
    translations: Float
    geometry: Float
    residuals: Float
    covariances: Float | None


def _body_frame(
    body: Body, options: FitOptions, stacked: Stacked, solved_geometry: Float
) -> tuple[Float, Float, Float]:
    """Axes in rows (3, 3), origin (3,) and geometry (M, 3), with NaN for markers whose place is unknown."""
    full = np.full((len(body.markers), 3), np.nan)
    full[stacked.used] = solved_geometry
    if body.convention != FrameConvention():
        axes, origin = convention_frame(full, body.markers, body.convention)
    elif options.geometry_m is not None:
        given = np.asarray(options.geometry_m, dtype=np.float64)
        axes, move = aligned(solved_geometry, given[stacked.used])
        origin = -axes.T @ move
    else:
        axes, origin = principal_axes(solved_geometry), np.zeros(3)
    geometry: Float = (full - origin) @ axes.T
    if not options.geometry and body.convention == FrameConvention():
        geometry = np.array(options.geometry_m, dtype=np.float64)
    return axes, origin, geometry


def _about_origin(covariances: Float, rotations: Float, origin: Float) -> Float:
    """Covariances with turns about laboratory axes and moves of the body's origin."""
    change = np.zeros((len(rotations), 6, 6))
    change[:, :3, :3] = rotations
    change[:, 3:, :3] = -np.matmul(rotations, cross_matrices(origin))
    for axis in range(3, 6):
        change[:, axis, axis] = 1.0
    out: Float = np.matmul(np.matmul(change, covariances), np.swapaxes(change, 1, 2))
    return out


def _fit(
    recording: Recording,
    body: Body,
    stacked: Stacked,
    begin: Begun,
    solution: Solution,
    placed: _Placed,
    leverages: Float,
    part: slice,
) -> Fit:
    problem, terms, robust = stacked.problem, solution.terms, begin.robust.part(part)
    weights, squares = problem.weights[part], terms.squares[part]
    measured = weights > 0
    determined = stacked.determined[part]
    warnings = list(stacked.warnings)
    rotations, translations = placed.rotations[part].copy(), placed.translations[part].copy()
    own, near = placed.residuals[part], squares
    places = np.flatnonzero(stacked.used)
    between = np.flatnonzero(~determined)
    if not problem.chain.reach and between.size:
        bridge(rotations, translations, determined, recording.times_s)
        geometry = placed.geometry[places]
        led(rotations, translations, determined, problem.positions[part], weights, geometry)
        # Residuals are of the pose that is given; the cost is the one solved for.
        own, near = own.copy(), squares.copy()
        own[between] = (
            problem.positions[part][between] - rotations[between] @ geometry.T - translations[between, :, None]
        )
        near[between] = np.einsum("fim,fim->fm", own[between], own[between]) * weights[between]
    error = np.full((len(weights), len(body.markers), 3), np.nan)
    seen, used_weights = np.zeros(error.shape[:2], dtype=bool), np.zeros(error.shape[:2])
    seen[:, stacked.used] = measured
    used_weights[:, stacked.used] = np.where(measured, robust.weights(near), 0.0)
    error[:, places] = np.where(measured[:, :, None], np.swapaxes(own, 1, 2), np.nan)
    rows = slice(part.start, max(part.start, part.stop - 1))
    cost = float(robust.values(squares).sum())
    cost += float(np.sum(terms.rows_rotation[rows] ** 2) + np.sum(terms.rows_translation[rows] ** 2))
    if terms.ties is not None:
        cost += float(np.sum(terms.ties[part] ** 2))
    share = float(measured.sum() / max(1, (problem.weights > 0).sum()))
    covered = np.where(seen.all(axis=1), 0, 1).astype(np.uint8)
    covered[~determined] = 2
    bare = int((~determined).sum())
    if bare:
        warnings.append(
            f"{bare} of {len(determined)} frames see too few markers for a pose; theirs comes from the frames beside"
        )
    if robust.spared is not None and robust.spared.any():
        covered[robust.spared] = 2
        warnings.append(
            f"in {int(robust.spared.sum())} of {len(determined)} frames {robust.loss} would leave fewer than three "
            "markers off a line; they keep the pose of Huber's loss and count as inferred: broaden loss_scale, or look "
            "at these frames"
        )
    unknowns = float(leverages.sum())
    if problem.joint:
        unknowns += (3 * len(places) - 6) * share
    chi2 = _chi2_reduced(squares[measured], unknowns, robust.loss)
    sd = None
    if placed.covariances is not None:
        variance = np.einsum("fii->fi", placed.covariances[part])
        sd = np.sqrt(np.maximum(variance, 0.0) * chi2)
        if not problem.chain.reach:
            sd[covered == 2] = np.nan
    return Fit(
        body=body,
        recording=recording.name,
        status=solution.status,
        iterations=begin.iterations + solution.iterations,
        cost=0.5 * cost + share * terms.bonds,
        times_s=recording.times_s,
        rotations=rotations,
        translations_m=translations,
        geometry_m=placed.geometry,
        residuals_m=error,
        covered=covered,
        pose_sd=sd,
        weights_used=used_weights,
        chi2_reduced=chi2,
        warnings=tuple(warnings),
        freedom=1.0 - unknowns / max(1, 3 * int(measured.sum())),
    )


def _chi2_reduced(squares: Float, unknowns: float, loss: Loss) -> float:
    """Of measured squares, any shape; by their median where outliers are expected."""
    coordinates = 3 * squares.size
    free = coordinates - unknowns
    if free <= _FREE_MIN * coordinates:
        return float("nan")
    if loss is Loss.SQUARED:
        return float(squares.sum()) / free
    return residual_unit(squares, free / coordinates) ** 2


def _degenerate(recording: Recording, body: Body, geometry: Float, covariance: bool, warnings: tuple[str, ...]) -> Fit:
    frames, markers = len(recording.times_s), len(body.markers)
    why = f"no frame of {recording.name} sees three markers of {body.name} off a line: it has no poses"
    return Fit(
        body=body,
        recording=recording.name,
        status=Status.DEGENERATE,
        iterations=0,
        cost=float("nan"),
        times_s=recording.times_s,
        rotations=np.full((frames, 3, 3), np.nan),
        translations_m=np.full((frames, 3), np.nan),
        geometry_m=geometry,
        residuals_m=np.full((frames, markers, 3), np.nan),
        covered=np.full(frames, list(Covered).index(Covered.INFERRED), dtype=np.uint8),
        pose_sd=np.full((frames, 6), np.nan) if covariance else None,
        weights_used=np.zeros((frames, markers)),
        chi2_reduced=float("nan"),
        warnings=(*warnings, why),
    )
