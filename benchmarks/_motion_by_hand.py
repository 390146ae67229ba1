"""What a user writes for a body and its markers: the same cost by scipy, and by Ceres with residuals in Python.

Poses are ``R0 exp(w)`` and T, the body is its start plus free changes; accelerations are of places and of turns.
Frames are regular.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize, sparse

from benchmarks._motion_weights import DATA, MOVE, TOLERANCE, TURN

Float = NDArray[np.float64]


class Found(NamedTuple):
    """Where a solve ended."""

    cost: float
    rotations: Float
    translations: Float
    geometry: Float


class Start(NamedTuple):
    """Measured markers (F, M, 3), what was seen (F, M), frames a second, and where a solve begins."""

    measured: Float
    seen: NDArray[np.bool_]
    rate_hz: float
    rotations: Float
    translations: Float
    geometry: Float
    free: Float  # (3 M, 3 M - 6): changes of the body that neither move nor turn it


def solve(n: int, folder: str) -> None:
    """Solve what lies in `folder`, `n` times."""
    for _ in range(n):
        by_scipy(folder)


def by_scipy(folder: str) -> Found:
    """Trust region with lsmr on an analytic sparse Jacobian, from frames turned onto their mean body."""
    start = start_of(folder)
    frames = len(start.measured)
    found = optimize.least_squares(
        lambda unknowns: _residuals(start, unknowns),
        np.zeros(6 * frames + start.free.shape[1]),
        lambda unknowns: _jacobian(start, unknowns),
        method="trf",
        tr_solver="lsmr",
        x_scale="jac",
        ftol=TOLERANCE,
        xtol=1e-12,
        gtol=1e-12,
        max_nfev=200,
    )
    _, rotations, translations, geometry = _unpacked(start, found.x)
    return Found(float(found.cost), rotations, translations, geometry)


def start_of(folder: str) -> Start:
    """Read what was measured, and begin with each frame turned onto the mean body."""
    with np.load(Path(folder, "recording.npz")) as file:
        measured, rate = file["positions"], float(file["rate_hz"])
    seen = np.isfinite(measured[:, :, 0])
    measured = np.where(seen[:, :, None], measured, 0.0)
    geometry = measured[seen.all(axis=1).argmax()]
    for _ in range(5):
        rotations, translations = _turned_onto(measured, seen, geometry)
        back = np.einsum("fji,fmj->fmi", rotations, measured - translations[:, None])
        geometry = (back * seen[:, :, None]).sum(axis=0) / seen.sum(axis=0)[:, None]
        geometry -= geometry.mean(axis=0)
    rotations, translations = _turned_onto(measured, seen, geometry)
    count = len(geometry)
    gauge = np.zeros((3 * count, 6))
    gauge[:, :3] = np.tile(np.eye(3), (count, 1))
    gauge[:, 3:] = -cross_of(geometry).reshape(-1, 3)
    return Start(measured, seen, rate, rotations, translations, geometry, linalg.null_space(gauge.T))


def _turned_onto(measured: Float, seen: NDArray[np.bool_], geometry: Float) -> tuple[Float, Float]:
    """Kabsch of all frames at once."""
    weight = seen / seen.sum(axis=1)[:, None]
    centre = np.einsum("fm,fmi->fi", weight, measured)
    own = weight @ geometry
    spread = np.einsum("fm,fmi,fmj->fij", weight, measured - centre[:, None], geometry - own[:, None])
    left, _, right = np.linalg.svd(spread)
    left[:, :, 2] *= np.sign(np.linalg.det(left @ right))[:, None]
    rotations = left @ right
    return rotations, centre - np.einsum("fij,fj->fi", rotations, own)


def _unpacked(start: Start, unknowns: Float) -> tuple[Float, Float, Float, Float]:
    frames = len(start.measured)
    turns = unknowns[: 3 * frames].reshape(-1, 3)
    translations = start.translations + unknowns[3 * frames : 6 * frames].reshape(-1, 3)
    geometry = start.geometry + (start.free @ unknowns[6 * frames :]).reshape(-1, 3)
    return turns, start.rotations @ rotation_of(turns), translations, geometry


def _residuals(start: Start, unknowns: Float) -> Float:
    _, rotations, translations, geometry = _unpacked(start, unknowns)
    data = DATA * (start.measured - np.einsum("fij,mj->fmi", rotations, geometry) - translations[:, None])
    turn = np.diff(vector_of(np.swapaxes(rotations[:-1], 1, 2) @ rotations[1:]), axis=0) * TURN * start.rate_hz**2
    move = np.diff(translations, n=2, axis=0) * MOVE * start.rate_hz**2
    return np.concatenate([data[start.seen].ravel(), turn.ravel(), move.ravel()])


def _jacobian(start: Start, unknowns: Float) -> Any:
    turns, rotations, _, geometry = _unpacked(start, unknowns)
    frames, count = len(rotations), len(geometry)
    bend = bend_of(turns)
    frame, marker = np.nonzero(start.seen)
    rows = 3 * np.arange(len(frame))[:, None, None] + np.arange(3)[:, None]
    by_turn = DATA * np.einsum("nij,njk,nkl->nil", rotations[frame], cross_of(geometry)[marker], bend[frame])
    by_place = -DATA * rotations[frame] @ start.free.reshape(count, 3, -1)[marker]
    parts = [
        (by_turn, 3 * frame[:, None, None] + np.arange(3)),
        (np.tile(-DATA * np.eye(3), (len(frame), 1, 1)), 3 * (frames + frame)[:, None, None] + np.arange(3)),
        (by_place, np.broadcast_to(6 * frames + np.arange(start.free.shape[1]), (len(frame), 1, start.free.shape[1]))),
    ]
    data = _matrix(parts, rows, (3 * len(frame), len(unknowns)))
    step = vector_of(np.swapaxes(rotations[:-1], 1, 2) @ rotations[1:])
    back = np.linalg.inv(bend_of(step))
    later = back @ bend[1:] * TURN * start.rate_hz**2
    earlier = -np.swapaxes(back, 1, 2) @ bend[:-1] * TURN * start.rate_hz**2
    first = 3 * np.arange(frames - 2)[:, None, None]
    three = np.arange(3)
    turned = [
        (-earlier[:-1], first + three),
        (earlier[1:] - later[:-1], first + 3 + three),
        (later[1:], first + 6 + three),
    ]
    rows = first + three[:, None]
    turn = _matrix(turned, rows, (3 * (frames - 2), len(unknowns)))
    unit = np.tile(np.eye(3) * MOVE * start.rate_hz**2, (frames - 2, 1, 1))
    at = 3 * frames + first + three
    move = _matrix([(unit, at), (-2 * unit, at + 3), (unit, at + 6)], rows, turn.shape)
    return sparse.vstack([data, turn, move]).tocsr()


def _matrix(parts: list[tuple[Float, Any]], rows: Any, shape: tuple[int, int]) -> Any:
    values = np.concatenate([part.ravel() for part, _ in parts])
    row = np.concatenate([np.broadcast_to(rows, part.shape).ravel() for part, _ in parts])
    column = np.concatenate([np.broadcast_to(columns, part.shape).ravel() for part, columns in parts])
    return sparse.csr_matrix((values, (row, column)), shape=shape)


def cross_of(vectors: Float) -> Float:
    """(..., 3, 3) matrices that take cross products with vectors (..., 3)."""
    out = np.zeros((*vectors.shape, 3))
    for axis in range(3):
        one, two = (axis + 1) % 3, (axis + 2) % 3
        out[..., two, one], out[..., one, two] = vectors[..., axis], -vectors[..., axis]
    return out


def rotation_of(vectors: Float) -> Float:
    """Rotations (..., 3, 3) of rotation vectors."""
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    cross = cross_of(vectors)
    out: Float = np.eye(3) + np.sinc(angle / np.pi) * cross + 0.5 * np.sinc(angle / (2 * np.pi)) ** 2 * cross @ cross
    return out


def vector_of(rotations: Float) -> Float:
    """Rotation vectors of rotations by well less than half a turn."""
    odd = np.stack([rotations[..., (a + 2) % 3, (a + 1) % 3] - rotations[..., (a + 1) % 3, (a + 2) % 3]
                    for a in range(3)], axis=-1)  # fmt: skip
    cosine = 0.5 * (np.trace(rotations, axis1=-2, axis2=-1) - 1.0)
    angle = np.arctan2(0.5 * np.linalg.norm(odd, axis=-1), cosine)
    return np.asarray(0.5 * odd / np.sinc(angle / np.pi)[..., None], dtype=np.float64)


def bend_of(vectors: Float) -> Float:
    """Right Jacobians (..., 3, 3): how exp turns about its own axes as the vector changes."""
    square = np.einsum("...i,...i->...", vectors, vectors)[..., None, None]
    angle = np.sqrt(square)
    cross = cross_of(vectors)
    even = 0.5 * np.sinc(angle / (2 * np.pi)) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        odd = np.where(angle < 1e-3, 1 / 6 - square / 120, (1 - np.sinc(angle / np.pi)) / square)
    out: Float = np.eye(3) - even * cross + odd * cross @ cross
    return out
