"""Fitting an eye: points found by name, starts tried, a robust solve, and the way back to nouns."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import ConfigError, DataError
from batchlab.motion._eye._model import EyeFit, EyeOptions, gaze_vectors
from batchlab.motion._eye._optics import EyeState, pupil_distances
from batchlab.motion._eye._solve import EyeProblem, EyeSolution, center_covariance, frame_errors, minimise
from batchlab.motion._eye._stages import least_points, minimise_sparing, robustly, unit_of
from batchlab.motion._eye._start import interpolated, starts
from batchlab.motion._model import Loss, Smoothing, Status
from batchlab.motion._solve._problem import Robust, chain_of

if TYPE_CHECKING:
    from batchlab.motion._eye._model import Camera
    from batchlab.motion._model import Bool, Float, Recording

__all__ = ["fit_eye"]

_SIDES = {"right": 0.0, "bottom": 0.5 * np.pi, "left": np.pi, "top": 1.5 * np.pi}
_TRIAL_FRAMES, _TRIAL_ITERATIONS = 300, 30
# Standard errors of the distance, over it, that are told, and that leave nothing to believe.
_UNSURE, _UNKNOWN = 0.1, 0.25
# Noise of angles over their spread, above which movements that are noise are taken for the eye's: far away they are
# wide, and explain the noise of the pupil's form. Standard errors, which are of one place, do not tell.
_NOISY = 0.3
# Radii of a pupil over the distance of its plane from the centre: 0.3 and 6 mm before 10.2 mm.
_NARROWEST, _WIDEST = 0.3 / 10.2, 6.0 / 10.2


def fit_eye(recording: Recording, camera: Camera, options: EyeOptions | None = None) -> EyeFit:
    """Fit an eyeball to the edge of its pupil in a camera's image.

    Unknown are azimuth, elevation and pupil radius of each frame, and the eye's centre. A round pupil does not
    show turns about the gaze, and one camera shows no scale: the first are left out, the second is fixed by
    `EyeOptions.pupil_distance_m` or `eye_radius_m`; lengths go in proportion to it, angles do not depend on it. How
    far the eye is comes from the pupil's foreshortening in wide gazes: where that tells too little the status is
    degenerate, and `depth_m` is wanted. The centre is solved for without smoothness, which would bias it. The
    tear duct belongs to the head: it is a fixed point of the image, whatever the eye does. The cornea's bending of
    light is not modelled, so radius and centre are those of the pupil as it is seen.

    Parameters
    ----------
    recording
        Pixels. Points of the pupil's edge are those in `EyeOptions.angles_rad`; else ``p1`` to ``pn``, evenly from the
        image's right towards its bottom; else names with right, bottom, left, top in them.
    camera
        Pinhole.
    options
        See `EyeOptions`.

    Raises
    ------
    DataError
        If the recording is not in pixels, lacks the points, or no frame shows enough of them.
    ConfigError
        If options contradict each other.
    """
    options = EyeOptions() if options is None else options
    _check(options)
    if recording.unit != "px" or recording.positions.shape[2] != 2:
        dimensions = recording.positions.shape[2]
        raise DataError(
            f"{recording.name}: an eye is fitted to points of an image, with 2 coordinates in px; these have "
            f"{dimensions} in {recording.unit}",
            reason="no-pupil",
        )
    points, angles = _points(recording, options)
    pixels, weights = _arrays(recording, points, options)
    least = least_points(options)
    determined = np.asarray((weights > 0).sum(axis=1) >= least)
    if determined.sum() < 3:
        raise DataError(
            f"{recording.name}: {int(determined.sum())} frames show enough of the pupil's edge ({least} of its "
            f"{len(points)} points); an eye wants three such frames; lower min_confidence, or look at the points",
            reason="too-few-points",
        )
    np.copyto(weights, 0.0, where=~determined[:, None])
    alone = chain_of([recording.times_s], Smoothing.NONE, 0.0, 0.0)
    free = 3 if options.depth_m is None else 2
    problem = EyeProblem(
        pixels=pixels, weights=weights, angles=angles, chain=alone, camera=camera, options=options, free=free
    )
    begun = _best_start(problem, determined)
    state = EyeState(frames=interpolated(begun.frames, determined, recording.times_s), center=begun.center)
    solution, robust, spent = robustly(problem, state, determined, options)
    covariance = center_covariance(problem, solution.terms)
    noisy = options.depth_m is None and not _is_told(problem, solution, determined)
    if options.smoothing is not Smoothing.NONE and solution.status is not Status.FAILED:
        # Solved for along with smooth angles the centre would come nearer, for that makes their noise smaller.
        chain = chain_of([recording.times_s], options.smoothing, options.rotation, options.radius)
        problem = replace(problem, chain=chain, free=0)
        found = solution.state
        state = EyeState(frames=interpolated(found.frames, determined, recording.times_s), center=found.center)
        spent += solution.iterations
        solution, robust = minimise_sparing(problem, state, robust, options.iterations_max, options.tolerance)
    return _noun(recording, problem, points, solution, robust, determined, spent, covariance, noisy)


def _check(options: EyeOptions) -> None:
    for name in ("pupil_distance_m", "eye_radius_m", "depth_m", "noise_px", "loss_scale"):
        value = getattr(options, name)
        if value is not None and not (np.isfinite(value) and value > 0):
            raise ConfigError(f"{name} is {value}; it must be positive")
    if options.smoothing is not Smoothing.NONE and options.rotation <= 0 and options.radius <= 0:
        raise ConfigError("smoothing is asked for without a weight; set rotation and radius, or smoothing to none")


def _points(recording: Recording, options: EyeOptions) -> tuple[tuple[str, ...], Float]:
    """Names of points of the pupil's edge, and their angles (P,)."""
    names = recording.markers
    if options.angles_rad:
        if missing := [name for name in options.angles_rad if name not in names]:
            raise ConfigError(f"{recording.name} has no point {missing[0]!r}; it has {', '.join(names)}")
        if len(options.angles_rad) < 3:
            raise ConfigError("angles are given of fewer than three points; a pupil wants three or more")
        return tuple(options.angles_rad), np.array(list(options.angles_rad.values()), dtype=np.float64)
    numbered = {int(found[1]): name for name in names if (found := re.fullmatch(r"[pP](\d+)", name))}
    if len(numbered) >= 3:
        count = max(numbered)
        order = sorted(numbered)
        return tuple(numbered[n] for n in order), 2 * np.pi * (np.array(order) - 1.0) / count
    sided = {side: name for side in _SIDES for name in names if side in re.split(r"[^a-z]+", name.lower())}
    if len(sided) >= 3:
        return tuple(sided.values()), np.array([_SIDES[side] for side in sided])
    raise DataError(
        f"{recording.name}: its points {', '.join(names)} are not told to be of a pupil's edge; name them p1 to p8, "
        "or right, bottom, left and top, or give their angles",
        reason="no-pupil",
    )


def _arrays(recording: Recording, points: tuple[str, ...], options: EyeOptions) -> tuple[Float, Float]:
    columns = [recording.markers.index(name) for name in points]
    pixels = recording.positions[:, columns]
    seen: Bool = np.asarray(np.isfinite(pixels).all(axis=2))
    if recording.confidence is not None:
        seen &= recording.confidence[:, columns] >= options.min_confidence
    return np.where(seen[:, :, None], pixels, 0.0), np.where(seen, options.noise_px**-2.0, 0.0)


def _best_start(problem: EyeProblem, determined: Bool) -> EyeState:
    """The start whose solve of some frames ends lowest, with frames of all."""
    options = problem.options
    some = np.flatnonzero(determined)
    some = some[np.linspace(0, len(some) - 1, min(len(some), _TRIAL_FRAMES)).astype(int)]
    # Few frames far apart are not smooth.
    part = replace(
        problem,
        pixels=problem.pixels[some],
        weights=problem.weights[some],
        chain=chain_of([some.astype(np.float64)], Smoothing.NONE, 0.0, 0.0),
    )
    robust = Robust(loss=Loss.HUBER, scale=4.0)
    best: tuple[float, EyeState] | None = None
    for start in starts(problem.pixels, problem.weights, problem.angles, determined, problem.camera, options):
        tried = minimise(
            part, EyeState(frames=start.frames[some], center=start.center), robust, _TRIAL_ITERATIONS, 1e-6
        )
        if tried.status is not Status.FAILED and (best is None or tried.terms.cost < best[0]):
            frames = start.frames.copy()
            frames[some] = tried.state.frames
            best = (tried.terms.cost, EyeState(frames=_alike(frames, start.frames, some), center=tried.state.center))
    if best is None:
        raise DataError("no start of the eye can be solved; look whether points of the pupil's edge are in order")
    return best[1]


def _alike(frames: Float, start: Float, some: np.ndarray) -> Float:
    """Frames not tried, corrected as those that were: a line through (start, solved) for each unknown."""
    out = frames.copy()
    rest = np.setdiff1d(np.arange(len(frames)), some)
    for column in range(3):
        finite = np.isfinite(start[some, column])
        x, y = start[some, column][finite], frames[some, column][finite]
        slope, offset = np.polyfit(x, y, 1) if np.ptp(x) > 1e-6 else (1.0, float(np.median(y - x)))
        corrected = slope * start[rest, column] + offset
        out[rest, column] = np.clip(corrected, 0.5 * y.min() if column == 2 else y.min() - 0.2, y.max() + 0.2)
    return out


def _is_told(problem: EyeProblem, solution: EyeSolution, determined: Bool) -> bool:
    """Whether gazes change by more than noise, before an eye that can be: none has a pupil wider than it is far."""
    radius = float(np.median(solution.state.frames[determined, 2]))
    options = problem.options
    distance, _ = pupil_distances(np.array([radius]), options.pupil_distance_m, options.eye_radius_m)
    if radius > distance[0]:
        return False
    blocks = solution.terms.blocks[determined]
    blocks = blocks + 1e-12 * np.einsum("fii->f", blocks)[:, None, None] * np.eye(3)
    inverse = np.linalg.inv(blocks)
    noise = float(np.sqrt(np.median(inverse[:, 0, 0] + inverse[:, 1, 1]))) * unit_of(solution, problem, determined)
    angles = solution.state.frames[determined, :2]
    # A few wild frames are no wide gaze.
    low, high = np.quantile(angles, [0.02, 0.98], axis=0)
    spread = float(np.sqrt(np.var(np.clip(angles, low, high), axis=0).sum()))
    return noise <= _NOISY * spread


def _noun(
    recording: Recording,
    problem: EyeProblem,
    points: tuple[str, ...],
    solution: EyeSolution,
    robust: Robust,
    determined: Bool,
    spent: int,
    covariance: Float | None,
    noisy: bool,
) -> EyeFit:
    options, terms = problem.options, solution.terms
    state = solution.state
    frames = state.frames
    smooth = problem.chain.reach > 0
    if not smooth:
        frames = interpolated(frames, determined, recording.times_s)
    seen = problem.weights > 0
    covered = np.where(seen.all(axis=1), 0, 1).astype(np.uint8)
    covered[~determined] = 2
    chi2 = unit_of(solution, problem, determined) ** 2
    sd, center_sd = np.full_like(frames, np.nan), np.full(3, np.nan)
    if covariance is not None:
        found = frame_errors(problem, terms, covariance)
        sd = sd if found is None else found * np.sqrt(chi2)
        center_sd = np.sqrt(np.diag(covariance) * chi2)
    warnings = _warnings(recording, frames, determined, state.center, center_sd, chi2, noisy, options)
    if robust.spared is not None:
        covered[robust.spared] = 2
        warnings.append(
            f"in {int(robust.spared.sum())} of {len(determined)} frames {robust.loss} would leave too little of the "
            "pupil's edge; they keep what Huber's loss tells and count as inferred: broaden loss_scale, or look at them"
        )
    if not smooth:
        sd[covered == 2] = np.nan
    distance, _ = pupil_distances(frames[:, 2], options.pupil_distance_m, options.eye_radius_m)
    duct = _tear_duct(recording, options)
    wrong = _no_pupil(frames, determined, distance, options)
    if wrong is not None:
        warnings.insert(0, wrong)
    status = solution.status
    unsure = noisy or wrong is not None or not center_sd[2] <= _UNKNOWN * state.center[2]
    if noisy or (options.depth_m is None and unsure):
        status = Status.DEGENERATE
    used = np.where(seen, robust.weights(terms.squares), 0.0)
    return EyeFit(
        recording=recording.name,
        status=status,
        iterations=spent + solution.iterations,
        cost=terms.cost,
        times_s=recording.times_s,
        azimuth_rad=frames[:, 0],
        elevation_rad=frames[:, 1],
        pupil_radius_m=frames[:, 2],
        gaze=gaze_vectors(frames[:, 0], frames[:, 1]),
        center_m=state.center,
        center_sd_m=center_sd,
        pupil_distance_m=distance,
        tear_duct_px=duct,
        camera=problem.camera,
        points=points,
        angles_rad=problem.angles,
        residuals_px=np.where(seen[:, :, None], terms.errors, np.nan),
        covered=covered,
        sd=sd,
        weights_used=used,
        chi2_reduced=chi2,
        warnings=tuple(warnings),
    )


def _tear_duct(recording: Recording, options: EyeOptions) -> Float | None:
    """Where it is on the whole (2,) in px."""
    if options.tear_duct not in recording.markers:
        return None
    column = recording.markers.index(options.tear_duct)
    course = recording.positions[:, column]
    seen: Bool = np.asarray(np.isfinite(course).all(axis=1))
    if recording.confidence is not None:
        seen &= recording.confidence[:, column] >= options.min_confidence
    return np.median(course[seen], axis=0) if seen.any() else None


def _no_pupil(frames: Float, determined: Bool, distance: Float, options: EyeOptions) -> str | None:
    """What is wrong, in words, if the pupil is of a size that no eye has."""
    radius, away = float(np.median(frames[determined, 2])), float(np.median(distance[determined]))
    if _NARROWEST <= radius / away <= _WIDEST:
        return None
    side = "near" if radius / away < _NARROWEST else "far away"
    mend = "give depth_m, or look at" if options.depth_m is None else "look at depth_m, at pupil_distance_m and at"
    return (
        f"the pupil's radius is {_short(radius * 1e3)} mm, {_short(away * 1e3, 3)} mm from the eye's centre, and no "
        f"eye has that: it is found too {side}, and angles are wrong with it; {mend} the camera's focal length"
    )


def _short(value: float, digits: int = 2) -> str:
    return f"{float(f'{value:.{digits}g}'):g}"


def _warnings(
    recording: Recording,
    frames: Float,
    determined: Bool,
    center: Float,
    center_sd: Float,
    chi2: float,
    noisy: bool,
    options: EyeOptions,
) -> list[str]:
    out = []
    bare = int((~determined).sum())
    if bare:
        how = "held by smoothness" if options.smoothing is not Smoothing.NONE else "interpolated"
        out.append(f"{bare} of {len(determined)} frames show too little of the pupil's edge; they are {how}")
    spread = np.degrees(np.ptp(np.quantile(frames[determined, :2], [0.05, 0.95], axis=0), axis=0))
    if noisy:
        out.append(
            "gazes change by little more than their noise, so nothing tells how far the eye is, and angles with it; "
            "give depth_m, or fit wider gazes"
        )
    elif options.depth_m is None and not center_sd[2] <= _UNSURE * center[2]:
        out.append(
            f"the distance of the eye is uncertain by {100 * center_sd[2] / center[2]:.0f} %, and angles with it: the "
            f"gaze ranges over {_short(spread[0])} by {_short(spread[1])} degrees only; give depth_m, or fit "
            "wider gazes"
        )
    ratio = float(np.sqrt(chi2))
    if not 1 / 3 <= ratio <= 3:
        out.append(
            f"residuals are {ratio:.2g} times what noise_px = {options.noise_px:g} says; "
            f"{float(f'{ratio * options.noise_px:.2g}'):g} fits it"
        )
    return out
