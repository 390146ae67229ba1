"""Held-out scores: hide, solve again from where the full solve ended, and look where the hidden markers are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from batchlab.errors import ConfigError, DataError
from batchlab.motion._candidate import outliers_rule
from batchlab.motion._model import Loss, Status, recordings_of
from batchlab.motion._score._masks import blackouts, bursts
from batchlab.motion._score._model import Holdout, Score, ScoreKind
from batchlab.motion._score._solved import solve, stacked
from batchlab.motion._solve._kabsch import spread
from batchlab.motion._solve._problem import State
from batchlab.motion._solve._robust import CONVEX
from batchlab.motion._solve._spare import minimise_sparing
from batchlab.motion._solve._start import SPREAD_MIN, bridge, led
from batchlab.motion._solve._terms import residuals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from batchlab.motion._model import Body, Fit, FitOptions, Recording
    from batchlab.motion._score._solved import Solved
    from batchlab.motion._solve._problem import Robust
    from batchlab.motion._solve._stack import Stacked

    Float: TypeAlias = NDArray[np.float64]
    Bool: TypeAlias = NDArray[np.bool_]
    Int: TypeAlias = NDArray[np.intp]

__all__ = ["fit_and_score", "score", "score_each"]

# Of cost; what is foretold changes by less than a thousandth of its error.
_TOLERANCE = 1e-7
# Share of what is foretold worst that a trimmed score leaves out.
_TRIMMED = 0.05


def fit_and_score(
    recordings: Recording | Sequence[Recording],
    body: Body,
    options: FitOptions | None = None,
    how: Holdout | None = None,
    *,
    start: Stacked | None = None,
) -> tuple[tuple[Fit, ...], Score]:
    """Fit a body, and score the options by what the fit foretells.

    Parameters
    ----------
    recordings, body, options
        As of `fit_body`. With a fixed geometry it is that geometry which is put to the test.
    how
        What is hidden: by default a fifth of what each marker shows, five times, in bursts as long as real gaps.
    start
        What `stacked` made of the same.

    Raises
    ------
    DegenerateBody, DataError, ConfigError
        As `fit_body` does; also if there is nothing that could be hidden.
    """
    solved = solve(recordings_of(recordings), body, options, start=start)
    return solved.fits(), score(solved, how)


def score_each(
    recordings: Recording | Sequence[Recording],
    body: Body,
    candidates: Sequence[FitOptions],
    how: Holdout | None = None,
) -> tuple[Score, ...]:
    """Scores of candidates, in order.

    Solves of convex losses start from the one before. A loss that has several least costs starts anew, so that its
    score does not depend on the candidates beside it.

    Candidates may differ in smoothing, in losses and in weights but those of single markers.
    """
    if not candidates:
        raise ConfigError("there are no candidates to score; give one or more options")
    recordings = recordings_of(recordings)
    start = stacked(recordings, body, candidates[0])
    near: Solved | None = None
    out = []
    for options in candidates:
        convex = options.loss is Loss.SQUARED or options.loss in CONVEX
        solved = solve(recordings, body, options, start=start, near=near if convex else None)
        near = solved if convex else near
        out.append(score(solved, how))
    return tuple(out)


def score(solved: Solved, how: Holdout | None = None) -> Score:
    """How well a solve's options foretell what they were not shown; see `Score`.

    Raises
    ------
    ConfigError
        If `how` hides nothing.
    DataError
        If nothing could be foretold.
    """
    how = how or Holdout()
    if how.kind is ScoreKind.NONE:
        raise ConfigError(f"a score of kind none hides nothing; choose one of {', '.join(list(ScoreKind)[1:])}")
    seen = solved.stack.problem.weights > 0
    folds = seen.shape[1] if how.kind is ScoreKind.LEAVE_ONE_OUT else how.folds
    label = _labels(solved, seen, how)
    squares = np.full(seen.shape, np.nan)
    rms, trimmed = np.full(folds, np.nan), np.full(folds, np.nan)
    unsettled = 0
    for fold in range(folds):
        hidden = label == fold
        if not hidden.any():
            continue
        found, status = _foretold(solved, hidden, fixed=how.kind is ScoreKind.LEAVE_ONE_OUT)
        unsettled += status is not Status.CONVERGED
        if status is Status.FAILED:
            continue
        squares[hidden] = found[hidden]
        told = found[hidden & np.isfinite(found)]
        if told.size:
            rms[fold] = np.sqrt(told.mean())
            trimmed[fold] = np.sqrt(np.sort(told)[: max(1, int((1.0 - _TRIMMED) * told.size))].mean())
    good = rms[np.isfinite(rms)]
    if not good.size:
        raise DataError(
            f"{solved.body.name}: nothing that was hidden could be foretold; too few markers are seen at once",
            reason="nothing-foretold",
        )
    per_marker = np.full(len(solved.body.markers), np.nan)
    counts = np.isfinite(squares).sum(axis=0)
    sums = np.where(np.isfinite(squares), squares, 0.0).sum(axis=0)
    per_marker[solved.stack.used] = np.sqrt(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))
    warnings = []
    if unsettled:
        warnings.append(f"{unsettled} of {folds} folds of the {how.kind} score did not converge")
    trimmed_m = float(trimmed[np.isfinite(trimmed)].mean())
    outliers = None
    if outliers_rule(float(good.mean()), trimmed_m):
        outliers = (
            f"outliers rule the {how.kind} score, {good.mean() * 1e3:.3g} mm and {trimmed_m * 1e3:.3g} mm without its "
            "worst 5 %; choose by held_out_trimmed_mm (--metric of a sweep)"
        )
        warnings.append(outliers)
    error = float(good.std(ddof=1) / np.sqrt(good.size)) if good.size > 1 else float("nan")
    return Score(
        how=how,
        folds_m=rms,
        mean_m=float(good.mean()),
        standard_error_m=error,
        trimmed_folds_m=trimmed,
        trimmed_m=trimmed_m,
        median_m=float(np.sqrt(np.nanmedian(squares))),
        per_marker_m=per_marker,
        count=int(counts.sum()),
        warnings=tuple(warnings),
        outliers=outliers,
    )


def _parts(solved: Solved) -> Iterator[tuple[int, slice]]:
    """Recordings in the stack, with their frames."""
    first = 0
    for number, times in enumerate(solved.stack.times):
        yield number, slice(first, first + len(times))
        first += len(times)


def _labels(solved: Solved, seen: Bool, how: Holdout) -> Int:
    """Fold (F, M) in which each marker-frame is hidden; -1 in none."""
    if how.kind is ScoreKind.LEAVE_ONE_OUT:
        out: Int = np.where(seen, np.arange(seen.shape[1]), -1)
        return out
    deal = bursts if how.kind is ScoreKind.HELD_OUT else blackouts
    return np.concatenate([deal(seen[frames], how, number) for number, frames in _parts(solved)])


def _foretold(solved: Solved, hidden: Bool, *, fixed: bool) -> tuple[Float, Status]:
    """Squared distances (F, M) in m² of measured places from where a solve without the hidden ones puts them."""
    problem, state = solved.stack.problem, solved.solution.state
    weights = np.where(hidden, 0.0, problem.weights)
    left = (weights > 0).astype(np.float64)
    determined = (left.sum(axis=1) >= 3) & (spread(left, state.geometry) >= SPREAD_MIN)
    rotations, translations = state.rotations.copy(), state.translations.copy()
    able = np.ones(len(left), dtype=bool)
    for number, frames in _parts(solved):
        # Else a pose that nothing holds any more would remember what it was fitted to.
        bridge(rotations[frames], translations[frames], determined[frames], solved.stack.times[number])
        able[frames] = determined[frames].any()
    if fixed:
        able &= determined
    if not able.any():
        return np.full(hidden.shape, np.nan), Status.DEGENERATE
    found, _ = minimise_sparing(
        replace(problem, weights=weights, joint=problem.joint and not fixed),
        State(rotations=rotations, translations=translations, geometry=state.geometry),
        _bent_by(solved, weights > 0),
        solved.options.iterations_max,
        max(solved.options.tolerance, _TOLERANCE),
    )
    after = found.state
    if not problem.chain.reach:
        rotations, translations = after.rotations.copy(), after.translations.copy()
        for number, frames in _parts(solved):
            bridge(rotations[frames], translations[frames], determined[frames], solved.stack.times[number])
            seen = problem.positions[frames], weights[frames]
            led(rotations[frames], translations[frames], determined[frames], *seen, after.geometry)
        after = replace(after, rotations=rotations, translations=translations)
    error = residuals(problem, after)
    squares = np.einsum("fim,fim->fm", error, error)
    squares[~able] = np.nan
    return squares, found.status


def _bent_by(solved: Solved, shown: Bool) -> Robust:
    """The loss, bending where markers `shown` (F, M) alone say."""
    robust, squares = solved.begun.robust, solved.solution.terms.squares
    of_all = float(np.median(squares[solved.stack.problem.weights > 0]))
    if robust.loss is Loss.SQUARED or of_all == 0 or not shown.any():
        return robust
    share = float(np.sqrt(np.median(squares[shown]) / of_all))
    return replace(robust, scale=share * robust.scale, mild=share * robust.mild)
