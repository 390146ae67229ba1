"""Terms beyond markers and smoothness: links to points outside the body, symmetry, known distances, known geometry.

Each is an `OwnTerm` for `fit_body_by_scipy`. None depends on where the body's frame is put. A geometry known beforehand
also comes, at the kernel's speed, as a frame more: see `anchor_recording`.

Two terms met elsewhere are left out, for they do nothing. The spread of distances between measured markers holds no
unknown: it is a constant, and shows in the report instead. An anchor whose only use is to hold the body's frame is not
needed where that is held exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import ConfigError
from batchlab.motion._model import Recording
from batchlab.motion._solve import aligned

if TYPE_CHECKING:
    from batchlab.motion._model import Body, Float

__all__ = ["Anchor", "KnownDistance", "SoftEdge", "Symmetry", "anchor_recording"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SoftEdge:
    """A measured point that stays about so far from a marker of the body, as along a spine.

    ``per_m * (|point - (R x + T)| - distance_m)``; nothing in frames that lack the point. It holds the pose of frames
    whose own markers are hidden, in one direction.

    Attributes
    ----------
    points_m
        (F, 3) in the laboratory, frames as in the fit; NaN where unseen.
    marker
        Position in the body's used markers.
    distance_m, per_m
        Length, and one over its standard deviation.
    """

    points_m: Float
    marker: int
    distance_m: float
    per_m: float

    def __call__(self, rotations: Float, translations_m: Float, geometry_m: Float, /) -> Float:
        """Residuals (F, 1)."""
        if len(self.points_m) != len(rotations):
            raise ConfigError(f"a soft edge has {len(self.points_m)} points for {len(rotations)} frames; give as many")
        away = self.points_m - rotations @ geometry_m[self.marker] - translations_m
        residuals = self.per_m * (np.linalg.norm(away, axis=1) - self.distance_m)
        return np.where(np.isfinite(residuals), residuals, 0.0)[:, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDistance:
    """Two markers of the body known to be so far apart, as by a ruler: ``per_m * (|x_i - x_j| - distance_m)``.

    Edges without a known distance need no term: one geometry for all frames keeps each as long as it is.
    """

    first: int
    second: int
    distance_m: float
    per_m: float

    def __call__(self, rotations: Float, translations_m: Float, geometry_m: Float, /) -> Float:
        """Residuals (F, 1), in the first row alone: the geometry is there once."""
        out = np.zeros((len(rotations), 1))
        out[0, 0] = self.per_m * (
            float(np.linalg.norm(geometry_m[self.first] - geometry_m[self.second])) - self.distance_m
        )
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Symmetry:
    """Pairs of markers that mirror each other, and markers on the plane between.

    A mirror plane in the body's axes makes sense only for axes that are known to lie along it. This asks for any
    plane: distances among markers equal those among their partners, ``per_m * (|x_i - x_j| - |x_i' - x_j'|)``.

    Attributes
    ----------
    pairs
        Positions of left and right markers.
    middle
        Positions of markers on the plane, their own partners.
    per_m
        One over the standard deviation of such a difference.
    """

    pairs: Sequence[tuple[int, int]]
    per_m: float
    middle: Sequence[int] = ()

    def __call__(self, rotations: Float, translations_m: Float, geometry_m: Float, /) -> Float:
        """Residuals (F, k), in the first row alone."""
        partner = dict(self.pairs)
        partner.update({right: left for left, right in self.pairs})
        partner.update({marker: marker for marker in self.middle})
        markers = sorted(partner)
        links = {
            frozenset({frozenset({one, other}), frozenset({partner[one], partner[other]})})
            for number, one in enumerate(markers)
            for other in markers[number + 1 :]
        }
        different = sorted(sorted(sorted(edge) for edge in link) for link in links if len(link) == 2)
        out = np.zeros((len(rotations), max(1, len(different))))
        for number, ((a, b), (c, d)) in enumerate(different):
            out[0, number] = np.linalg.norm(geometry_m[a] - geometry_m[b]) - np.linalg.norm(
                geometry_m[c] - geometry_m[d]
            )
        return out * self.per_m


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anchor:
    """A geometry known beforehand, in any axes: ``per_m * (x - Q x0 - c)`` with the best turn Q and shift c.

    Attributes
    ----------
    geometry_m
        (M, 3) of the body's used markers.
    per_m
        One over the standard deviation of a coordinate.
    """

    geometry_m: Float
    per_m: float

    def __call__(self, rotations: Float, translations_m: Float, geometry_m: Float, /) -> Float:
        """Residuals (F, 3 M), in the first row alone."""
        turn, move = aligned(self.geometry_m, geometry_m)
        out = np.zeros((len(rotations), geometry_m.size))
        out[0] = self.per_m * (geometry_m - self.geometry_m @ turn.T - move).ravel()
        return out


def anchor_recording(body: Body, geometry_m: Float, per_m: float, data_per_m: float) -> Recording:
    """A geometry known beforehand as a recording, to be given to `fit_body` behind the others.

    An `Anchor` is what a frame would be in which the body was seen with this geometry and precision. With a
    precision beyond `data_per_m` it is seen in several frames, far apart in time.

    Parameters
    ----------
    body
        Whose.
    geometry_m
        (M, 3) in m, in any axes; NaN for markers it does not know.
    per_m
        One over the standard deviation of a coordinate.
    data_per_m
        As in the weights of the fit.

    Returns
    -------
    Recording
        Its fit is of no use: drop the last of those that `fit_body` returns. Robust losses bend it like markers.

    Raises
    ------
    ConfigError
        If a weight is not positive, or shapes differ.
    """
    if not (per_m > 0 and data_per_m > 0):
        raise ConfigError(f"per_m is {per_m}, data_per_m {data_per_m}; both must be positive")
    given = np.asarray(geometry_m, dtype=np.float64)
    if given.shape != (len(body.markers), 3):
        raise ConfigError(f"the anchor has shape {given.shape}; {body.name} has {len(body.markers)} markers")
    frames = max(1, int(np.ceil((per_m / data_per_m) ** 2 - 1e-9)))
    return Recording(
        name=f"anchor of {body.name}",
        markers=body.markers,
        times_s=1e6 * np.arange(frames, dtype=np.float64),
        positions=np.tile(given, (frames, 1, 1)),
        unit="m",
        confidence=np.full((frames, len(body.markers)), per_m / data_per_m / np.sqrt(frames)),
    )
