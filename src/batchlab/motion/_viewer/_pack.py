"""A recording and its fits as the viewer's script reads them: few bytes, nothing seen lost."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.motion._model import Bool, Fit, Float, Recording

__all__ = ["base64_of", "pack", "packed_residuals", "packed_times", "packed_track", "round_top"]

_TOP = 32767
_MISSING = -32768
_BETWEEN = 1.02  # so that the diagonals of a box, whose other corners lie on that sphere, are left out


def pack(
    recording: Recording, fits: Sequence[Fit], edges: Sequence[tuple[str, str]] | None, every: int
) -> dict[str, Any]:
    """JSON data: frames, times, bodies and markers, arrays as base64 of little-endian numbers.

    A marker of a body is kept as its residual, in steps of its square root: what was measured is the fitted place and
    the residual, and a gross outlier costs the small residuals none of their digits. What no residual tells is kept
    as places in 65,000 steps of their range.
    """
    _check(recording, fits, every)
    kept = slice(None, None, every)
    times = np.asarray(recording.times_s, dtype=np.float64)[kept]
    places = np.asarray(recording.positions, dtype=np.float64)[kept]
    owners = {name: (body, slot) for body, fit in enumerate(fits) for slot, name in enumerate(fit.body.markers)}
    column = {name: k for k, name in enumerate(recording.markers)}
    names = [*recording.markers, *(name for name in owners if name not in column)]
    place_of = {name: k for k, name in enumerate(names)}
    return {
        "frames": len(times),
        "every": every,
        "times": packed_times(times),
        "bodies": [_body(fit, kept, [place_of[name] for name in fit.body.markers]) for fit in fits],
        "markers": [
            _marker(name, places[:, column[name]] if name in column else None, owners.get(name), fits, kept)
            for name in names
        ],
        "edges": _edges(fits, place_of) if edges is None else _named_edges(edges, place_of),
        "colour_top_mm": _colour_top_mm(fits),
    }


def _check(recording: Recording, fits: Sequence[Fit], every: int) -> None:
    if recording.unit != "m":
        raise DataError(
            f"recording {recording.name!r} is in {recording.unit}; the viewer shows places in space, "
            "so give one in metres; points of a pupil are shown by write_eye_viewer, or batchlab motion eye"
        )
    if not recording.times_s.size:
        raise DataError(f"recording {recording.name!r} has no frames to show")
    if every < 1:
        raise DataError(f"every={every} shows no frame; give 1 for all frames, 2 for every second one")
    seen: dict[str, str] = {}
    for fit in fits:
        if fit.times_s.shape != recording.times_s.shape:
            raise DataError(
                f"body {fit.body.name!r} was fitted to {len(fit.times_s)} frames (recording {fit.recording!r}), "
                f"but {recording.name!r} has {len(recording.times_s)}; give the recording it was fitted to"
            )
        for name in fit.body.markers:
            if name in seen:
                raise DataError(
                    f"marker {name!r} is in body {seen[name]!r} and in body {fit.body.name!r}; "
                    "show the two fits in a viewer each"
                )
            seen[name] = fit.body.name


def packed_times(times: Float) -> Mapping[str, Any]:
    """Start and step where they tell every time to a hundredth of a step; all times otherwise."""
    step = float((times[-1] - times[0]) / (len(times) - 1)) if len(times) > 1 else 1.0
    if np.abs(times - (times[0] + step * np.arange(len(times)))).max() <= 0.01 * step:
        return {"start": float(times[0]), "step": step}
    return {"values": base64_of(times, "<f8")}


def _body(fit: Fit, kept: slice, markers: Sequence[int]) -> Mapping[str, Any]:
    from scipy.spatial.transform import Rotation

    rotations, translations = fit.rotations[kept], fit.translations_m[kept]
    known = np.isfinite(rotations).all(axis=(1, 2)) & np.isfinite(translations).all(axis=1)
    poses = np.full((len(translations), 7), np.nan)
    poses[known, :3] = translations[known]
    if known.any():
        poses[known, 3:] = Rotation.from_matrix(rotations[known]).as_quat()
    return {
        "name": fit.body.name,
        "status": str(fit.status),
        "markers": markers,
        "poses": base64_of(poses, "<f4"),
        "geometry": base64_of(fit.geometry_m, "<f4"),
        "covered": base64_of(fit.covered[kept], "u1"),
        "warnings": list(fit.warnings),
    }


def _marker(
    name: str, places: Float | None, owner: tuple[int, int] | None, fits: Sequence[Fit], kept: slice
) -> Mapping[str, Any]:
    """One marker: its residuals where a body has it, its places where residuals do not tell them."""
    packed: dict[str, Any] = {"name": name, "body": None}
    told = None
    if owner is not None:
        body, slot = owner
        fit = fits[body]
        residuals = fit.residuals_m[kept, slot]
        told = _finite(np.column_stack([residuals, fit.rotations[kept].reshape(-1, 9)]))
        packed |= {"body": body, "slot": slot, "residuals": packed_residuals(residuals, told)}
        packed["weights"] = base64_of(np.rint(255 * np.clip(np.nan_to_num(fit.weights_used[kept, slot]), 0, 1)), "u1")
    if places is not None:
        untold = _finite(places) if told is None else _finite(places) & ~told
        if untold.any():
            packed["track"] = packed_track(places, untold)
    return packed


def _finite(rows: Float) -> Bool:
    return np.asarray(np.isfinite(rows).all(axis=1))


def packed_residuals(residuals: Float, told: Bool) -> Mapping[str, Any]:
    """Signed square roots of shares of the largest, for rows (F, D) that are told."""
    peak = float(np.abs(residuals[told]).max(initial=0.0)) or 1.0
    with np.errstate(invalid="ignore"):
        codes = np.sign(residuals) * np.rint(_TOP * np.sqrt(np.abs(residuals) / peak))
    return {"peak_m": peak, "codes": _codes(codes, told)}


def packed_track(places: Float, told: Bool) -> Mapping[str, Any]:
    """Steps from the middle of the range, for rows (F, D) that are told."""
    if not told.any():
        nothing = [0.0] * places.shape[1]
        return {"middle_m": nothing, "step_m": nothing, "codes": _codes(places, told)}
    low, high = places[told].min(axis=0), places[told].max(axis=0)
    middle, step = (low + high) / 2, np.maximum((high - low) / (2 * _TOP), 1e-9)
    return {
        "middle_m": middle.tolist(),
        "step_m": step.tolist(),
        "codes": _codes(np.rint((places - middle) / step), told),
    }


def _codes(codes: Float, told: Bool) -> str:
    return base64_of(np.where(told[:, None], codes, _MISSING), "<i2")


def _edges(fits: Sequence[Fit], place_of: Mapping[str, int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for fit in fits:
        pairs = fit.body.edges or _near_pairs(fit.geometry_m)
        found += [(place_of[fit.body.markers[i]], place_of[fit.body.markers[j]]) for i, j in pairs]
    return found


def _near_pairs(geometry_m: Float) -> list[tuple[int, int]]:
    """Pairs with no third marker in the sphere between them (Gabriel graph): the outline, in one piece."""
    squares = ((geometry_m[:, None] - geometry_m[None]) ** 2).sum(axis=2)
    pairs = []
    for i, j in zip(*np.triu_indices(len(geometry_m), 1), strict=True):
        others = np.delete(squares[i] + squares[j], [i, j])
        if np.isfinite(squares[i, j]) and not (others < squares[i, j] * _BETWEEN).any():
            pairs.append((int(i), int(j)))
    return pairs


def _named_edges(edges: Sequence[tuple[str, str]], place_of: Mapping[str, int]) -> list[tuple[int, int]]:
    for name in (name for pair in edges for name in pair):
        if name not in place_of:
            raise DataError(f"there is no marker {name!r} to draw an edge to; there are {', '.join(place_of)}")
    return [(place_of[first], place_of[second]) for first, second in edges]


def _colour_top_mm(fits: Sequence[Fit]) -> float:
    lengths = np.concatenate([np.linalg.norm(fit.residuals_m, axis=2).ravel() for fit in fits] or [np.zeros(0)])
    return round_top(1000 * lengths)


def round_top(lengths: Float) -> float:
    """A round number that 19 of 20 lengths do not pass."""
    lengths = lengths[np.isfinite(lengths)]
    if not lengths.size or not (most := float(np.percentile(lengths, 95))) > 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(most))
    return float(f"{next(factor * power for factor in (1, 2, 5, 10) if factor * power >= most * (1 - 1e-9)):.3g}")


def base64_of(values: NDArray[Any], kind: str) -> str:
    """The bytes of an array."""
    return b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode("ascii")
