"""Freedom of a body's own frame: held while solving, chosen afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from batchlab.errors import ConfigError
from batchlab.motion._solve._rotations import cross_matrices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from batchlab.motion._model import FrameConvention

    Float: TypeAlias = NDArray[np.float64]

__all__ = ["aligned", "convention_frame", "free_changes", "principal_axes"]


def free_changes(geometry: Float) -> Float:
    """Orthonormal changes (3 M, 3 M - 6) of a geometry (M, 3) that neither shift nor turn it."""
    count = len(geometry)
    rigid = np.concatenate([np.tile(np.eye(3), (count, 1)), -cross_matrices(geometry).reshape(-1, 3)], axis=1)
    basis: Float = np.linalg.qr(rigid, mode="complete")[0][:, 6:]
    return basis


def principal_axes(geometry: Float) -> Float:
    """Axes (3, 3), in rows, along which a centred geometry (M, 3) is long, middling, short; right-handed.

    On the first two axes the marker farthest along is on the positive side.
    """
    axes: Float = np.linalg.svd(geometry, full_matrices=True)[2]
    for row in range(2):
        along = geometry @ axes[row]
        axes[row] *= np.sign(along[np.abs(along).argmax()]) or 1.0
    axes[2] = np.cross(axes[0], axes[1])
    return axes


def aligned(geometry: Float, target: Float) -> tuple[Float, Float]:
    """Rotation (3, 3) and move (3,) that best take `geometry` (M, 3) to `target` (M, 3), both in m."""
    centre, centre_target = geometry.mean(axis=0), target.mean(axis=0)
    left, _, right = np.linalg.svd((target - centre_target).T @ (geometry - centre))
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right)) or 1.0])
    rotation: Float = left @ flip @ right
    return rotation, centre_target - rotation @ centre


def convention_frame(geometry: Float, markers: Sequence[str], convention: FrameConvention) -> tuple[Float, Float]:
    """Axes (3, 3), in rows, and origin (3,) of a body's frame by convention, in the axes of `geometry` (M, 3).

    Raises
    ------
    ConfigError
        If a marker is not of the body, was never seen, or three markers give no plane.
    """
    if convention.origin is None:
        origin = np.nanmean(geometry, axis=0)
    else:
        origin = _place(geometry, markers, convention.origin)
    if convention.x_axis is None:
        return principal_axes((geometry - origin)[~np.isnan(geometry[:, 0])]), origin
    first = _place(geometry, markers, convention.x_axis) - origin
    if convention.xy_plane is None:
        raise ConfigError("a frame with x_axis wants xy_plane too: name a third marker, off the x axis")
    second = _place(geometry, markers, convention.xy_plane) - origin
    normal = np.cross(first, second)
    if np.linalg.norm(normal) <= 1e-3 * np.linalg.norm(first) * np.linalg.norm(second):
        raise ConfigError(
            f"{convention.origin or 'the centroid'}, {convention.x_axis} and {convention.xy_plane} lie on a line "
            "and give no plane; name another xy_plane"
        )
    x, z = first / np.linalg.norm(first), normal / np.linalg.norm(normal)
    return np.stack([x, np.cross(z, x), z]), origin


def _place(geometry: Float, markers: Sequence[str], name: str) -> Float:
    if name not in markers:
        raise ConfigError(f"no marker {name!r} in the body; it has {', '.join(markers)}")
    place: Float = geometry[list(markers).index(name)]
    if np.isnan(place).any():
        raise ConfigError(f"marker {name!r} was never seen and cannot hold the body's frame; name another")
    return place
