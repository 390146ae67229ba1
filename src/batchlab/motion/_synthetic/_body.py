"""A rigid body that never was: known poses and geometry, and markers as a tracking system would see them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from batchlab.motion._model import Recording

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from batchlab.motion._model import Bool, Float

__all__ = ["Case", "Swap", "Truth", "join_bodies", "simulate"]

_BURST = 10.0  # frames, on average, that a marker stays hidden
_TURN_RAD = 2.5  # amplitude of each angle of rotation
_PATH_M = 0.5
_OUTLIER_M = 0.05


class Case(StrEnum):
    """What is odd about a body or its markers."""

    PLAIN = "plain"
    PLANAR = "planar"
    COLLINEAR = "collinear"
    LOOSE = "loose"
    SWAPPED = "swapped"
    NEVER_VISIBLE = "never-visible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Two markers that bear each other's name from frame `start` up to, not including, frame `stop`."""

    first: str
    second: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """A recording and everything it came from.

    Attributes
    ----------
    recording
        What is measured: noise, gaps and all.
    subject
        Whose body it is; recordings of one subject share `geometry_m`.
    rotations, translations_m
        (F, 3, 3) and (F, 3): from body to laboratory axes, and where the body's origin is.
    geometry_m
        (M, 3) markers in body axes, centroid at the origin. A loose marker is at its mean place.
    positions_m
        (F, M, 3) true places in the laboratory, also where nothing was seen.
    noise_m
        Standard deviation of a coordinate.
    loose, never_visible, swap
        Names of markers, where the case has them.
    path
        The file it was written to.
    """

    recording: Recording
    subject: str
    case: Case
    rotations: Float
    translations_m: Float
    geometry_m: Float
    positions_m: Float
    noise_m: float
    loose: str | None = None
    never_visible: str | None = None
    swap: Swap | None = None
    path: Path | None = None


def simulate(
    name: str = "recording",
    *,
    subject: str = "subject",
    frames: int = 1000,
    markers: int = 8,
    rate_hz: float = 100.0,
    noise_m: float = 0.002,
    missing: float = 0.06,
    outliers: float = 0.0,
    size_m: float = 0.1,
    case: Case | str = Case.PLAIN,
    seed: int = 0,
    session: int = 0,
) -> Truth:
    """Move a body, and see its markers.

    Parameters
    ----------
    name, subject
        Of the recording and its body.
    frames, markers, rate_hz
        How many, and how often.
    noise_m
        Standard deviation of a coordinate.
    missing
        Share of marker-frames that are not seen, in bursts of about ten frames.
    outliers
        Share of seen marker-frames that are 50 mm off.
    size_m
        About how large the body is.
    case
        What is odd about it.
    seed, session
        Equal seeds are equal bodies; the session alone changes motion, noise and gaps.

    Returns
    -------
    Truth
        With its recording in metres.
    """
    case = Case(case)
    names = tuple(f"m{number}" for number in range(1, markers + 1))
    geometry = _geometry(np.random.default_rng([seed, 0]), markers, size_m, case)
    rng = np.random.default_rng([seed, 1, session])
    times = np.arange(frames) / rate_hz
    rotations = _rotations(rng, times)
    translations = _path(rng, times, 3, _PATH_M) + np.array([0.0, 0.0, 1.0])
    places = np.broadcast_to(geometry, (frames, markers, 3))
    loose = None
    if case is Case.LOOSE:
        loose = names[-1]
        places = places.copy()
        drift = _path(rng, times, 3, 0.15 * size_m)
        places[:, -1] += drift - drift.mean(axis=0)
    true = np.einsum("fij,fmj->fmi", rotations, places) + translations[:, None, :]
    measured = true + rng.normal(0.0, noise_m, true.shape)
    if outliers:
        off = rng.random((frames, markers)) < outliers
        direction = rng.normal(size=(int(off.sum()), 3))
        measured[off] += _OUTLIER_M * direction / np.linalg.norm(direction, axis=1, keepdims=True)
    swap = None
    if case is Case.SWAPPED:
        swap = Swap(first=names[0], second=names[1], start=frames // 3, stop=frames // 3 + max(frames // 10, 1))
        measured[swap.start : swap.stop, [0, 1]] = measured[swap.start : swap.stop, [1, 0]]
    measured[_hidden(rng, frames, markers, missing)] = np.nan
    never = None
    if case is Case.NEVER_VISIBLE:
        never = names[-1]
        measured[:, -1] = np.nan
    return Truth(
        recording=Recording(
            name=name,
            markers=names,
            times_s=times,
            positions=measured,
            unit="m",
            rate_hz=rate_hz,
            stated_unit="m",
        ),
        subject=subject,
        case=case,
        rotations=rotations,
        translations_m=translations,
        geometry_m=geometry,
        positions_m=true,
        noise_m=noise_m,
        loose=loose,
        never_visible=never,
        swap=swap,
    )


def join_bodies(name: str, bodies: Mapping[str, Truth]) -> Recording:
    """One recording of several bodies, which move at once; their markers are called ``body:m1``."""
    recordings = [truth.recording for truth in bodies.values()]
    return replace(
        recordings[0],
        name=name,
        markers=tuple(
            f"{body}:{marker}"
            for body, recording in zip(bodies, recordings, strict=True)
            for marker in recording.markers
        ),
        positions=np.concatenate([recording.positions for recording in recordings], axis=1),
    )


def _geometry(rng: np.random.Generator, markers: int, size_m: float, case: Case) -> Float:
    """Markers well apart from each other, centroid at the origin."""
    spread = {Case.PLANAR: (1.0, 0.8, 0.0), Case.COLLINEAR: (1.0, 0.0, 0.0)}.get(case, (1.0, 0.8, 0.6))
    # The farthest of many tries each time: random alone would put markers on top of each other.
    tries = (rng.random((40 * markers, 3)) - 0.5) * size_m * np.array(spread)
    chosen = [0]
    distance = np.linalg.norm(tries - tries[0], axis=1)
    for _ in range(markers - 1):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(tries - tries[chosen[-1]], axis=1))
    geometry: Float = tries[chosen]
    geometry -= geometry.mean(axis=0)
    return geometry


def _path(rng: np.random.Generator, times_s: Float, size: int, amplitude: float) -> Float:
    """(F, size) slow sums of sines."""
    frequencies = rng.uniform(0.05, 0.6, (3, size))
    phases = rng.uniform(0.0, 2 * np.pi, (3, size))
    heights = amplitude * np.array([0.6, 0.3, 0.1])[:, None]
    path = np.zeros((times_s.size, size))
    for frequency, phase, height in zip(np.sort(frequencies, axis=0), phases, heights, strict=True):
        path += height * np.sin(2 * np.pi * frequency * times_s[:, None] + phase)
    return path


def _rotations(rng: np.random.Generator, times_s: Float) -> Float:
    """(F, 3, 3), turning through all directions."""
    angles = _path(rng, times_s, 3, _TURN_RAD)
    turns = []
    for axis in range(3):
        c, s = np.cos(angles[:, axis]), np.sin(angles[:, axis])
        turn = np.zeros((times_s.size, 3, 3))
        i, j = (axis + 1) % 3, (axis + 2) % 3
        turn[:, axis, axis] = 1.0
        turn[:, i, i] = turn[:, j, j] = c
        turn[:, i, j], turn[:, j, i] = -s, s
        turns.append(turn)
    rotations: Float = turns[2] @ turns[1] @ turns[0]
    return rotations


def _hidden(rng: np.random.Generator, frames: int, markers: int, share: float) -> Bool:
    """(F, M) true in bursts."""
    hidden = np.zeros((frames, markers), dtype=bool)
    if share <= 0.0:
        return hidden
    # Bursts start so often that their union covers the share that is asked for.
    starts = rng.random((frames, markers)) < -np.log1p(-min(share, 0.99)) / _BURST
    for frame, marker in np.argwhere(starts):
        hidden[frame : frame + rng.geometric(1.0 / _BURST), marker] = True
    return hidden
