"""Where a solve starts: a geometry from frames that see many markers, poses by closed form, gaps bridged."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from batchlab.motion._model import DegenerateBody
from batchlab.motion._solve._kabsch import kabsch, nearest_rotations, spread
from batchlab.motion._solve._rotations import slerp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Bool: TypeAlias = NDArray[np.bool_]

__all__ = ["SPREAD_MIN", "led", "mirrored", "start_geometry", "start_poses"]

# (second / first) singular value of 0.02: a turn about the long axis is 50 times less certain than about the others.
SPREAD_MIN = 4e-4


class _Effort(NamedTuple):
    """Frames, and frames of each marker, that a geometry is grown on, and that candidates are tried on; how often."""

    frames: int
    of_each: int
    tried: int
    tried_of_each: int
    candidates: int
    rounds: int


# Clean markers want little; where some are far off, more.
_EFFORTS = (_Effort(200, 40, 48, 6, 3, 2), _Effort(400, 40, 400, 40, 6, 5))
# The 95th percentile of squared misfits over their median: 3.3 for even noise.
_TAIL_MAX = 8.0
# So many median squared misfits away a marker counts half.
_FAR = 4.0
# What a pose between neighbours weighs beside markers: so little that it tells only what they leave open.
_OPEN = 1e-3
# Mean squares of markers about poses between neighbours, in variances, beyond which these are wrong; and the median
# square of three normal numbers.
_ASTRAY, _MEDIAN_SQUARE = 3.0, 2.366


def start_geometry(positions: Float, seen: Bool) -> Float:
    """A centred geometry from a subset of frames, of the right handedness.

    One frame with many markers is a geometry already; aligning the subset to it and taking medians mends its noise
    and wrong markers, and adds markers it lacks. Several such frames are tried and the best kept.

    Parameters
    ----------
    positions
        (F, 3, M) in m.
    seen
        (F, M).

    Returns
    -------
    array
        (M, 3) in m; NaN for markers never seen with three others whose place is known.

    Raises
    ------
    DegenerateBody
        If no frame sees three markers off a line.
    """
    counts = seen.sum(axis=1)
    if counts.max(initial=0) < 3:
        raise DegenerateBody(
            f"no frame sees three markers at once (at most {int(counts.max(initial=0))}): a pose needs three; "
            "choose markers that are seen together"
        )
    for effort in _EFFORTS:
        geometry, tail = _attempt(positions, seen, effort)
        if tail <= _TAIL_MAX:
            break
    centred: Float = geometry - np.nanmean(geometry, axis=0)
    return centred


def _attempt(positions: Float, seen: Bool, effort: _Effort) -> tuple[Float, float]:
    """Geometry (M, 3), and the tail of misfits."""
    frames = _telling(seen, effort.frames, effort.of_each)
    some, visible = positions[frames], seen[frames]
    order = np.argsort(-visible.sum(axis=1), kind="stable")
    candidates = order[np.linspace(0, len(order) // 2, min(effort.candidates, len(order))).astype(int)]
    few = _telling(visible, effort.tried, effort.tried_of_each)
    begun = [
        _grown(some[few], visible[few], geometry - np.nanmean(geometry, axis=0), rounds=1)
        for geometry in (np.where(visible[c][:, None], some[c].T, np.nan) for c in dict.fromkeys(candidates.tolist()))
        if not _on_a_line(geometry)
    ]
    if not begun:
        raise DegenerateBody("the markers lie on a line, about which no rotation can be told; add a marker off it")
    best = min(begun, key=lambda one: one[1])[0]
    geometry, _, tail = _grown(some, visible, best, rounds=effort.rounds)
    return geometry, tail


def _telling(seen: Bool, many: int, of_each: int) -> NDArray[np.intp]:
    """Frames, even in time among those that see the most of `seen` (F, M), and some of every marker."""
    counts = seen.sum(axis=1)
    able = np.flatnonzero(counts >= 3)
    able = able[np.argsort(-counts[able], kind="stable")]
    best = able[: max(many, int((counts[able] == counts[able[0]]).sum()))]
    chosen = [_even(best, many)]
    for marker in range(seen.shape[1]):
        with_marker = able[seen[able, marker]]
        chosen.append(_even(with_marker[: max(of_each, len(with_marker) // 4)], of_each))
    return np.unique(np.concatenate(chosen))


def _even(frames: NDArray[np.intp], many: int) -> NDArray[np.intp]:
    out: NDArray[np.intp] = np.sort(frames)[np.linspace(0, len(frames) - 1, min(many, len(frames))).astype(int)]
    return out


def _on_a_line(geometry: Float) -> bool:
    known = geometry[~np.isnan(geometry[:, 0])]
    return bool(spread(np.ones((1, len(known))), known - known.mean(axis=0))[0] < SPREAD_MIN)


def _grown(positions: Float, seen: Bool, geometry: Float, rounds: int) -> tuple[Float, float, float]:
    """Geometry after rounds of alignment and medians, and its median squared misfit in m², markers unknown counted.

    Rounds go on while markers are added; a marker far off in one counts less in the next. The last is the 95th
    percentile of squared misfits over their median.
    """
    trust = np.ones(seen.shape)
    while True:
        known = ~np.isnan(geometry[:, 0])
        filled = np.where(known[:, None], geometry, 0.0)
        weights = (seen & known).astype(np.float64)
        good = (weights.sum(axis=1) >= 3) & (spread(weights, filled) >= SPREAD_MIN)
        if not good.any():
            return geometry, np.inf, np.inf
        rotations, translations = kabsch(positions[good], (weights * trust)[good], filled)
        body = np.matmul(np.swapaxes(rotations, 1, 2), positions[good] - translations[:, :, None])
        body = np.where(seen[good][:, None, :], body, np.nan)
        after = _medians(body.reshape(len(body), -1)).reshape(3, -1).T
        error = np.sum((body - after.T) ** 2, axis=1)
        ordered = np.sort(error[np.isfinite(error)])
        misfit = float(ordered[len(ordered) // 2])
        trust[good] = 1.0 / (1.0 + np.nan_to_num(error) / max(_FAR * misfit, 1e-300))
        after = after - np.nanmean(after, axis=0)
        after[np.isnan(after)] = geometry[np.isnan(after)]
        rounds -= 1
        grew = np.isnan(geometry).sum() > np.isnan(after).sum()
        geometry = after
        if rounds <= 0 and not grew:
            missing = np.isnan(geometry[:, 0]) & seen.any(axis=0)
            tail = float(ordered[int(0.95 * len(ordered))]) / max(misfit, 1e-300)
            return geometry, misfit * 10.0 ** float(missing.sum()), tail


def _medians(values: Float) -> Float:
    """Medians (K,) of columns (N, K), without their NaN; NaN where there is nothing else."""
    ordered = np.sort(values, axis=0)
    counts = np.isfinite(values).sum(axis=0)
    columns = np.arange(values.shape[1])
    last = np.maximum(counts - 1, 0)
    out: Float = 0.5 * (ordered[last // 2, columns] + ordered[np.minimum(counts // 2, last), columns])
    return out


def mirrored(positions: Float, seen: Bool, geometry: Float) -> bool:
    """Whether the mirror image of a geometry (M, 3) fits markers clearly better, on 200 frames that see the most."""
    frames = np.argsort(-seen.sum(axis=1), kind="stable")[:200]
    weights = seen[frames].astype(np.float64)
    misfits = []
    for shape in (geometry, -geometry):
        rotations, translations = kabsch(positions[frames], weights, shape)
        error = positions[frames] - np.matmul(rotations, shape.T) - translations[:, :, None]
        misfits.append(float((weights * np.sum(error**2, axis=1)).sum()))
    return misfits[1] < 0.5 * misfits[0]


def start_poses(positions: Float, weights: Float, geometry: Float, times: Sequence[Float]) -> tuple[Float, Float, Bool]:
    """Poses by closed form, and interpolated where a frame's markers determine none.

    Parameters
    ----------
    positions, weights, geometry
        (F, 3, M) in m; (F, M), zero where unseen; (M, 3) in m.
    times
        (F,) in s, of each recording.

    Returns
    -------
    rotations, translations, determined
        (F, 3, 3); (F, 3) in m; (F,) False where interpolated.
    """
    seen = (weights > 0).astype(np.float64)
    determined = (seen.sum(axis=1) >= 3) & (spread(seen, geometry) >= SPREAD_MIN)
    rotations, translations = kabsch(positions, weights, geometry)
    first = 0
    for stamps in times:
        part = slice(first, first + len(stamps))
        bridge(rotations[part], translations[part], determined[part], stamps)
        first += len(stamps)
    return rotations, translations, determined


def bridge(rotations: Float, translations: Float, determined: Bool, times: Float) -> None:
    """Fill, in place, poses not `determined` between their neighbours in time; hold the nearest at the ends."""
    known = np.flatnonzero(determined)
    unknown = np.flatnonzero(~determined)
    if not unknown.size or not known.size:
        return
    after = np.searchsorted(known, unknown)
    before = known[np.maximum(after - 1, 0)]
    after = known[np.minimum(after, len(known) - 1)]
    span = times[after] - times[before]
    share = np.where(span > 0, (times[unknown] - times[before]) / np.where(span > 0, span, 1.0), 0.0)
    rotations[unknown] = slerp(rotations[before], rotations[after], share)
    translations[unknown] = translations[before] + share[:, None] * (translations[after] - translations[before])


def led(
    rotations: Float, translations: Float, determined: Bool, positions: Float, weights: Float, geometry: Float
) -> None:
    """Take, in place, poses between neighbours to the markers of their own, too few for a pose, that were seen.

    Of two markers all but the turn about their line is told, of one the place. A stretch of frames in which the
    markers lie as near to the poses as noise puts them stays as it is: poses between neighbours are less noisy.
    Markers that would turn the body by more than a right angle bear wrong names, and lead nothing.

    Parameters
    ----------
    rotations, translations
        (F, 3, 3); (F, 3) in m.
    determined
        (F,) False where the pose lies between neighbours.
    positions, weights
        (F, 3, M) in m; (F, M), zero where unseen.
    geometry
        (M, 3) in m, in the axes of the poses.
    """
    frames = np.flatnonzero(~determined & weights.any(axis=1))
    frames = frames[_astray(rotations, translations, determined, positions, weights, geometry)[frames]]
    if not frames.size:
        return
    shares = weights[frames] / weights[frames].sum(axis=1, keepdims=True)
    centre = np.matmul(positions[frames], shares[:, :, None])[:, :, 0]
    centre_body = shares @ geometry
    arms = geometry - centre_body[:, None, :]
    spans = np.matmul((positions[frames] - centre[:, :, None]) * shares[:, None, :], arms)
    before = rotations[frames]
    size = np.einsum("fm,fmi,fmi->f", shares, arms, arms)
    leading = np.einsum("fij,fij->f", spans, before) > 0
    turned = nearest_rotations(spans + _OPEN * size[:, None, None] * before)
    after = np.where(leading[:, None, None], turned, before)
    rotations[frames] = after
    translations[frames] = centre - np.einsum("fij,fj->fi", after, centre_body)


def _astray(
    rotations: Float, translations: Float, determined: Bool, positions: Float, weights: Float, geometry: Float
) -> Bool:
    """(F,) whether markers of the stretch of frames not `determined` lie farther from its poses than noise tells."""
    error = positions - np.matmul(rotations, geometry.T) - translations[:, :, None]
    squares = np.einsum("fim,fim->fm", error, error) * weights
    seen = weights > 0
    usual = squares[determined][seen[determined]]
    free = 1.0 - 2.0 * determined.sum() / max(usual.size, 1)
    noise = float(np.median(usual)) / _MEDIAN_SQUARE / max(free, 0.1) if usual.size else 0.0
    stretch = np.cumsum(np.diff(determined, prepend=determined[:1]))
    counts = np.bincount(stretch, weights=3.0 * seen.sum(axis=1))
    sums = np.bincount(stretch, weights=squares.sum(axis=1))
    out: Bool = (sums > _ASTRAY * noise * counts)[stretch]
    return out
