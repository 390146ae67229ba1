"""Recordings of a body as arrays, with a start: names matched, confidence weighed, geometry and poses begun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from batchlab.errors import ConfigError, DataError
from batchlab.motion._model import DegenerateBody
from batchlab.motion._solve._bonds import bonds_of, ties_of
from batchlab.motion._solve._problem import Problem, State, chain_of
from batchlab.motion._solve._start import mirrored, start_geometry, start_poses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from batchlab.motion._model import Body, FitOptions, Recording

    Float: TypeAlias = NDArray[np.float64]
    Bool: TypeAlias = NDArray[np.bool_]

__all__ = ["Stacked", "stack"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stacked:
    """Recordings of a body in a row, ready to solve.

    Attributes
    ----------
    problem
        Of markers `used` only, and of frames of recordings `able` only.
    times
        (F,) in s, of each able recording.
    start
        Poses and centred geometry.
    determined
        (F,) whether a frame's own markers determine its pose.
    able
        Whether each recording has a frame that determines a pose.
    used
        (M,) markers of the body seen anywhere, or whose place is given.
    warnings
        Sentences.
    """

    problem: Problem
    times: tuple[Float, ...]
    start: State
    determined: Bool
    able: tuple[bool, ...]
    used: Bool
    warnings: tuple[str, ...]


def stack(recordings: Sequence[Recording], body: Body, options: FitOptions) -> Stacked:
    """Recordings as arrays, with a start; see `fit_body` for what is raised."""
    if not recordings:
        raise ConfigError("no recording to fit; give at least one")
    if options.weights.data_per_m <= 0 or not np.isfinite(options.weights.data_per_m):
        raise ConfigError(f"weights.data_per_m is {options.weights.data_per_m:g}; it must be positive")
    for name in options.weights.per_marker:
        if name not in body.markers:
            raise ConfigError(
                f"weights.per_marker names {name!r}, not a marker of {body.name}; it has {', '.join(body.markers)}"
            )
    factors = np.array([options.weights.per_marker.get(name, 1.0) for name in body.markers])
    arrays = [_arrays(recording, body, options.weights.data_per_m * factors) for recording in recordings]
    given = None if options.geometry_m is None else _given(options.geometry_m, body)
    if given is None and not options.geometry:
        raise ConfigError("geometry is held fixed but not given; set geometry_m, or geometry to true")
    warnings: list[str] = []
    ever = np.any([(weights > 0).any(axis=0) for _, weights in arrays], axis=0)
    used = ever if given is None or options.geometry else np.ones(len(ever), dtype=bool)
    bonds = bonds_of(options.known, body, used)
    for name in np.array(body.markers)[~ever]:
        warnings.append(
            f"marker {name} of {body.name} was never seen; "
            + ("its place is unknown" if given is None else "its place is as given")
        )
    positions = [places[:, :, used] for places, _ in arrays]
    weights = [parts[:, used] for _, parts in arrays]
    if given is None:
        geometry = start_geometry(np.concatenate(positions), np.concatenate(weights) > 0)
        lost = np.isnan(geometry[:, 0])
        if lost.any():
            names = np.array(body.markers)[used][lost]
            raise DegenerateBody(
                f"no frame sees {', '.join(names)} together with three other markers of {body.name}: "
                "their place in the body cannot be told; leave them out of the body"
            )
    else:
        if not ever.any():
            raise DegenerateBody(f"no frame sees a marker of {body.name}: no pose can be told; look at the recording")
        geometry = given[used]
        if mirrored(np.concatenate(positions), np.concatenate(weights) > 0, geometry - geometry.mean(axis=0)):
            if not options.geometry:
                raise DataError(
                    f"the geometry given for {body.name} is the mirror image of what was measured; negate one axis"
                )
            geometry = -geometry
            warnings.append(f"the start geometry of {body.name} was the mirror image of what was measured; mirrored")
        geometry = geometry - geometry.mean(axis=0)
    starts = [
        start_poses(places, parts, geometry, [recording.times_s])
        for places, parts, recording in zip(positions, weights, recordings, strict=True)
    ]
    able = tuple(bool(determined.any()) for _, _, determined in starts)
    if not any(able):
        raise DegenerateBody(
            f"no frame sees three markers of {body.name} off a line: no pose can be told; add markers off the line"
        )
    kept = [number for number, has in enumerate(able) if has]
    times = tuple(recordings[number].times_s for number in kept)
    chain = chain_of(times, options.smoothing, options.weights.rotation, options.weights.translation)
    return Stacked(
        problem=Problem(
            positions=np.concatenate([positions[number] for number in kept]),
            weights=np.concatenate([weights[number] for number in kept]),
            chain=chain,
            joint=options.geometry,
            bonds=bonds,
            ties=ties_of(options.known, [recordings[number] for number in kept], body, used),
        ),
        times=times,
        start=State(
            rotations=np.concatenate([starts[number][0] for number in kept]),
            translations=np.concatenate([starts[number][1] for number in kept]),
            geometry=geometry,
        ),
        determined=np.concatenate([starts[number][2] for number in kept]),
        able=able,
        used=used,
        warnings=tuple(warnings),
    )


def _arrays(recording: Recording, body: Body, per_m: Float) -> tuple[Float, Float]:
    """Positions (F, 3, M), zero where unseen, and weights (F, M) in 1/m²."""
    if recording.unit != "m" or recording.positions.ndim != 3 or recording.positions.shape[2] != 3:
        raise DataError(f"{recording.name}: a body is fitted to places in m with 3 coordinates, not {recording.unit}")
    places = {name: number for number, name in enumerate(recording.markers)}
    columns = np.array([places.get(name, -1) for name in body.markers])
    if (columns < 0).all():
        raise DataError(
            f"{recording.name}: none of the markers of {body.name} ({', '.join(body.markers)}) is in the recording, "
            f"which has {', '.join(recording.markers)}; name the body's markers as the recording does"
        )
    if len(recording.times_s) > 1 and not (np.diff(recording.times_s) > 0).all():
        raise DataError(f"{recording.name}: times do not ascend; sort the frames and drop repeated ones")
    positions = np.ascontiguousarray(recording.positions[:, columns].transpose(0, 2, 1))
    seen = np.isfinite(positions).all(axis=1) & (columns >= 0)
    weights = np.where(seen, per_m, 0.0)
    if recording.confidence is not None:
        weights *= np.clip(np.nan_to_num(recording.confidence[:, columns]), 0.0, 1.0)
    weights *= weights
    positions *= 1.0
    np.copyto(positions, 0.0, where=~seen[:, None, :])
    return positions, weights


def _given(geometry_m: Float, body: Body) -> Float:
    given = np.asarray(geometry_m, dtype=np.float64)
    if given.shape != (len(body.markers), 3) or not np.isfinite(given).all():
        raise ConfigError(
            f"geometry_m has shape {given.shape}; {body.name} has {len(body.markers)} markers and wants as many rows "
            "of 3 finite numbers in m"
        )
    return given
