"""Sentences of a judgement: which, how many, how far, where, and what mends it."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batchlab.motion._judge._markers import MarkerRow, Predicted
    from batchlab.motion._judge._outliers import OutlierRun
    from batchlab.motion._judge._swaps import SwapRun
    from batchlab.motion._model import Fit, Float

__all__ = [
    "body_sentences",
    "frame_sentences",
    "length_sentences",
    "loose_sentences",
    "outlier_sentences",
    "size_sentences",
    "swap_sentence",
    "turn_sentences",
    "weight_sentences",
]

_RUNS_TOLD, _MARKERS_TOLD = 4, 3
# Frames at a stretch, on average, beyond which a marker slides rather than jumps.
_SLIDE = 5
# A marker with so many times the usual number of outliers gets a sentence of its own.
_ODD = 5
# Share of variance that one jump must tell, for it to be called one.
_JUMP = 0.8
_SLOW = 0.5
_RARE = 0.9
_FLAT = 0.02
# Residuals of a coordinate, in sizes of the body, beyond which it is none.
_ONE_BODY = 0.04
# Residuals beyond the body's own noise, and a share of freedom that smoothness alone gives.
_BENT, _SMOOTHED = 1.15, 0.02
_THIN = 0.1
# Declared noise is odd where the markers tell twice as much, or a third.
_MORE, _LESS = 2.0, 1 / 3
# Frames below which noise is hardly told, and the share of what a header says below which a file was cut.
_FRAMES_FEW, _CUT_SHARE = 10, 0.5
# What readers note of headers that lie.
_CUT, _CLAIM = re.compile(r"the file holds (\d+) frames?, though"), re.compile(r"says (\d+)")
# Median distances of markers, in m, beyond which a unit is wrong.
_TINY_M, _HUGE_M = 1e-3, 5.0
_MM = 1e3


def length(value_m: float) -> str:
    """``1.6 mm``, to two digits, or three."""
    value, unit = (value_m * 1e3, "mm") if value_m < 1.0 else (value_m, "m")
    return f"{plain(value)} {unit}" if value < 100 else f"{value:.0f} {unit}"


def plain(value: float, digits: int = 2) -> str:
    """``680`` and ``0.00015``: so many digits, and no power of ten."""
    return f"{Decimal(f'{value:.{digits}g}'):f}"


def stretches(spans: Sequence[tuple[int, int]]) -> str:
    """``frames 3, 10 to 14``; half-open spans, the longest ones if they are many."""
    told = sorted(sorted(spans, key=lambda span: span[0] - span[1])[:_RUNS_TOLD])
    words = [f"{start}" if stop - start == 1 else f"{start} to {stop - 1}" for start, stop in told]
    more = len(spans) - len(told)
    single = len(words) == 1 and told[0][1] - told[0][0] == 1
    return ("frame " if single and not more else "frames ") + ", ".join(words) + (f" and {more} more" if more else "")


def _time(fit: Fit, start: int, stop: int) -> str:
    begin, end = f"{fit.times_s[start]:.2f}", f"{fit.times_s[stop - 1]:.2f}"
    return f"{begin} s" if begin == end else f"{begin} to {end} s"


def swap_sentence(swap: SwapRun, fit: Fit) -> str:
    where = f"in {stretches([(swap.start, swap.stop)])} ({_time(fit, swap.start, swap.stop)})"
    if len(swap.names) == 2:
        what = f"markers {swap.names[0]} and {swap.names[1]} bear each other's name"
    else:
        pairs = ", ".join(f"{name} is {true}" for name, true in zip(swap.names, swap.truly, strict=True))
        what = f"names are exchanged ({pairs})"
    return (
        f"{what} {where}; with the names mended the misfit falls from {length(swap.before_m)} to "
        f"{length(swap.after_m)}, so mend them and fit again"
    )


def turn_sentences(turned: Sequence[tuple[int, int, float]], fit: Fit) -> list[str]:
    """On poses that turn round for a few frames and back, where no exchange of names was found that mends it."""
    if not turned:
        return []
    start, stop, degrees = max(turned, key=lambda run: run[2])
    if len(turned) > 1:
        spans = [(first, last) for first, last, _ in turned]
        return [
            f"the pose turns by up to {degrees:.0f}° and back {len(turned)} times, in {stretches(spans)}; look for "
            "exchanged names there"
        ]
    long = "one frame" if stop - start == 1 else f"{stop - start} frames"
    return [
        f"the pose turns {degrees:.0f}° for {long}, at {stretches([(start, stop)])} ({_time(fit, start, stop)}); look "
        "for exchanged names there"
    ]


def loose_sentences(found: Sequence[tuple[str, Predicted]], noise_m: float, fit: Fit) -> list[str]:
    """On markers that move on the body, one by one if they are few; `noise_m` is that of the others."""
    out, moving = [], []
    for name, own in found:
        at, share, step = _jump(own.errors_m, noise_m)
        if share >= _JUMP:
            frame = int(own.frames[at])
            out.append(
                f"marker {name} was knocked, from frame {frame} ({fit.times_s[frame]:.2f} s) on it sits {length(step)} "
                "from where it was; fit the two parts apart, or leave it out of the body"
            )
        else:
            moving.append((name, own))
    if len(moving) > _MARKERS_TOLD:
        return [*out, _loose_together(moving, noise_m, fit)]
    return [*out, *(_loose_alone(name, own, noise_m) for name, own in moving)]


def _loose_alone(name: str, found: Predicted, noise_m: float) -> str:
    middle, worst = _distances(found)
    numbers = (
        f"it lies {length(middle)} from its place in the middle of the frames and {length(worst)} in the worst 5 %, "
        f"{found.unit_m / noise_m:.2g} times the noise of the others"
    )
    if _slowness(found) >= _SLOW:
        mend = "leave it out, or give it less weight in weights.per_marker (--marker-weight)"
        return f"marker {name} is loose, it moves on the body, {numbers}; {mend}"
    return f"marker {name} is noisy, {numbers}; give it less weight in weights.per_marker (--marker-weight)"


def _loose_together(found: Sequence[tuple[str, Predicted]], noise_m: float, fit: Fit) -> str:
    middles = {name: _distances(own)[0] for name, own in found}
    order = sorted(middles, key=lambda name: -middles[name])
    ratios = [own.unit_m / noise_m for _, own in found]
    return (
        f"{len(found)} of {len(fit.body.markers)} markers are loose or noisy, {min(ratios):.2g} to {max(ratios):.2g} "
        "times the noise of the others; in the middle of the frames they lie from their places "
        + ", ".join(f"{name} {length(middles[name])}" for name in order)
        + "; leave them out, or fit those that move together as bodies of their own"
    )


def _distances(found: Predicted) -> tuple[float, float]:
    """How far a marker lies from its place in the middle of the frames, and in the worst 5 %, in m."""
    distance = np.linalg.norm(found.errors_m - np.median(found.errors_m, axis=0), axis=1)
    return float(np.median(distance)), float(np.quantile(distance, 0.95))


def _jump(errors: Float, noise_m: float) -> tuple[int, float, float]:
    """Where one step best explains errors (n, 3), the share of variance beyond noise it tells, its length in m."""
    count = len(errors)
    centred = errors - errors.mean(axis=0)
    total = max(float(np.sum(centred**2)) - 3.0 * count * noise_m**2, 0.0)
    sums = np.cumsum(centred, axis=0)[:-1]
    n = np.arange(1, count)
    told = np.sum(sums**2, axis=1) * count / (n * (count - n))
    edge = max(1, count // 20)
    told[:edge] = told[len(told) - edge :] = 0.0
    at = int(told.argmax()) + 1
    step = float(np.linalg.norm(errors[at:].mean(axis=0) - errors[:at].mean(axis=0)))
    return at, float(told[at - 1]) / total if total > 0 else 0.0, step


def _slowness(found: Predicted) -> float:
    """Correlation of errors with those one frame later: near 1 for what moves slowly, 0 for noise."""
    centred = found.errors_m - np.median(found.errors_m, axis=0)
    spacing = np.diff(found.frames)
    next_ = spacing == np.min(spacing)
    size = float(np.sum(centred**2)) / len(centred)
    product = np.sum(centred[1:][next_] * centred[:-1][next_], axis=1)
    return float(product.mean()) / size if size > 0 else 0.0


def outlier_sentences(outliers: Sequence[OutlierRun], frames: np.ndarray, fit: Fit) -> list[str]:
    """On markers that jump, one by one if they are few, and on frames in which the body as a whole does not fit."""
    out = []
    jumpy = {name: [run for run in outliers if run.marker == name] for name in fit.body.markers}
    counts = {name: sum(run.frames for run in mine) for name, mine in jumpy.items() if mine}
    usual = float(np.median(list(counts.values()))) if counts else 0.0
    alone = [name for name, count in counts.items() if len(counts) <= _MARKERS_TOLD or count > _ODD * usual]
    for name in alone:
        count, largest = counts.pop(name), max(jumpy[name], key=lambda run: run.largest_m)
        where = stretches([(run.start, run.stop) for run in jumpy[name]])
        out.append(
            f"marker {name} {'slides' if count > _SLIDE * len(jumpy[name]) else 'jumps'} away by up to "
            f"{length(largest.largest_m)} in " + (where if len(jumpy[name]) == 1 else f"{count} frames ({where})")
        )
    if counts:
        total, seen = sum(counts.values()), int(np.isfinite(fit.residuals_m[:, :, 0]).sum())
        most = sorted(counts, key=lambda name: -counts[name])[:_MARKERS_TOLD]
        largest = max((run for name in counts for run in jumpy[name]), key=lambda run: run.largest_m)
        out.append(
            f"{len(counts)} {'other ' if alone else ''}markers jump away, in {total} of the places seen "
            f"({100 * total / seen:.2g} %), most often "
            + ", ".join(f"{name} ({counts[name]} frame{'s' * (counts[name] != 1)})" for name in most)
            + f"; farthest {largest.marker}, {length(largest.largest_m)} in "
            f"{stretches([(largest.start, largest.stop)])}"
        )
    if frames.size:
        cuts = np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1)
        spans = [(int(cut[0]), int(cut[-1]) + 1) for cut in cuts]
        out.append(
            f"half of the markers or more do not fit the body in {frames.size} of {len(fit.times_s)} frames "
            f"({stretches(spans)}); look whether the body bends there, or other objects bear its names"
        )
    return out


def size_sentences(fit: Fit) -> list[str]:
    """On bodies of a size that none has whose markers are tracked: a unit is wrong."""
    geometry = fit.geometry_m[np.isfinite(fit.geometry_m[:, 0])]
    apart = [float(np.linalg.norm(one - other)) for one, other in combinations(geometry, 2)]
    middle = float(np.median(apart)) if apart else 1.0
    if _TINY_M <= middle <= _HUGE_M:
        return []
    return [f"the body measures {length(middle)} from marker to marker: is the unit right?"]


def body_sentences(fit: Fit, thickness_m: float, width_m: float, noise_m: float) -> list[str]:
    """On bodies that are flat or thin: of three markers a plane is no news."""
    known = int(np.isfinite(fit.geometry_m[:, 0]).sum())
    if known < 3:
        return []
    size = _size(fit)
    if width_m <= _THIN * size:
        swing = float(np.degrees(noise_m / (np.sqrt(known) * width_m)))
        return [
            f"the markers of {fit.body.name} lie almost on a line, {length(width_m)} off it; turns about that line "
            f"are uncertain by {swing:.1f} degrees a frame; add a marker off the line"
        ]
    if known > 3 and thickness_m <= max(_FLAT * size, noise_m / np.sqrt(len(fit.times_s))):
        return [
            f"the markers of {fit.body.name} lie in a plane, to {length(thickness_m)}; front and back are told by the "
            "names alone, and names exchanged as in a mirror cannot be noticed; raise a marker out of the plane"
        ]
    return []


def frame_sentences(fit: Fit, rows: Sequence[MarkerRow], inferred: Sequence[tuple[int, int]]) -> list[str]:
    """On what was not seen."""
    out = []
    never = [row.name for row in rows if row.missing_share >= 1.0]
    rare = [row for row in rows if _RARE <= row.missing_share < 1.0]
    if len(never) > _MARKERS_TOLD:
        names = f"{', '.join(never[:-1])} and {never[-1]}"
        out.append(f"{len(never)} markers were never seen, {names}; leave them out of {fit.body.name}, or look for "
                   "their names")  # fmt: skip
    else:
        out += [
            f"marker {name} was never seen; leave it out of {fit.body.name}, or look for its name" for name in never
        ]
    if len(rare) > _MARKERS_TOLD:
        shares = ", ".join(f"{row.name} in {100 * (1 - row.missing_share):.1f} %" for row in rare)
        out.append(f"{len(rare)} markers were seen in few of the frames only, {shares}")
    else:
        out += [
            f"marker {row.name} was seen in {100 * (1 - row.missing_share):.1f} % of the frames only" for row in rare
        ]
    if inferred:
        count = sum(stop - start for start, stop in inferred)
        longest = max(inferred, key=lambda span: span[1] - span[0])
        where = f"({_time(fit, *longest)}), in {stretches(inferred)}"
        out.append(
            f"{count} of {len(fit.covered)} frames see too few markers{_of_which(fit)} for a pose; theirs comes from "
            f"the frames beside, for {longest[1] - longest[0]} frames at the longest {where}"
        )
    return out


def _of_which(fit: Fit) -> str:
    """What is said of markers where frames that see three have no pose of their own."""
    seen = np.isfinite(fit.residuals_m[:, :, 0]).sum(axis=1)
    return " off a line that agree" if (seen[fit.covered == 2] >= 3).any() else ""


def length_sentences(fit: Fit, notes: Sequence[str]) -> list[str]:
    """On recordings of few frames, or of few of those that the file was to hold."""
    out, frames = [], len(fit.times_s)
    for note in notes:
        found = _CUT.search(note)
        if found and int(found[1]) < _CUT_SHARE * max(claims := [int(each) for each in _CLAIM.findall(note)]):
            out.append(
                f"the file holds {found[1]} of the {max(claims)} frames that its header says, so it was cut off or its "
                "export ended early; export or copy it again"
            )
    if frames < _FRAMES_FEW:
        told = "1 frame; no noise can be told" if frames == 1 else f"{frames} frames; noise is hardly told"
        out.append(
            f"{told}, and a shape that was fitted to so few has their errors in it; record more, or give geometry"
        )
    return out


def weight_sentences(fit: Fit, data_per_m: float | None, residual_m: float, noise_m: float) -> list[str]:
    """On weights that do not tell the noise, and on smoothness that bends the motion.

    `residual_m` is the standard deviation of a coordinate that the fit's residuals tell, `noise_m` that which the
    body's rigidity tells, frame by frame and whatever the smoothness.
    """
    if residual_m > _BENT * noise_m and fit.freedom > _unsmoothed(fit) + _SMOOTHED:
        return [
            f"smoothness bends the motion; markers lie {length(residual_m)} a coordinate off the smoothed body, and "
            f"{length(noise_m)} off the body in each frame by itself, so take weights.rotation and "
            "weights.translation (--rotation-weight, --translation-weight) lower, or choose them by a sweep"
        ]
    # Of so few frames the sentence on them says enough.
    known = np.isfinite(noise_m) and noise_m > 0 and np.isfinite(fit.chi2_reduced) and len(fit.times_s) >= _FRAMES_FEW
    if data_per_m is None or not known:
        return []
    size = _size(fit)
    # Of a body that bends all markers are loose, and the residuals alone tell.
    if residual_m * data_per_m > _MORE and residual_m > _ONE_BODY * size:
        return [
            f"the {len(fit.body.markers)} markers of {fit.body.name} do not move as one rigid body, a coordinate is "
            f"off it by {length(residual_m)} where markers lie {length(size)} from their centre; name the markers of "
            "each rigid part, in markers or as bodies of their own"
        ]
    ratio = noise_m * data_per_m
    if _LESS <= ratio < _MORE:
        return []
    return [
        f"the noise of the markers is {length(noise_m)}, {plain(ratio)} times what weights.data_per_m = "
        f"{plain(data_per_m, 4)} (--noise {plain(_MM / data_per_m)}) says, so {plain(1 / noise_m)} "
        f"(--noise {plain(_MM * noise_m)}) fits it"
    ]


def _size(fit: Fit) -> float:
    """Root mean square distance of the geometry from its centre, in m."""
    geometry = fit.geometry_m[np.isfinite(fit.geometry_m[:, 0])]
    return float(np.sqrt(np.mean(np.sum((geometry - geometry.mean(axis=0)) ** 2, axis=1))))


def _unsmoothed(fit: Fit) -> float:
    """Degrees of freedom by number of coordinates, where each frame's pose takes up six of them."""
    seen = np.isfinite(fit.residuals_m[:, :, 0])
    return 1.0 - 6.0 * int(seen.any(axis=1).sum()) / (3 * int(seen.sum()))
