"""What is known beyond markers and smoothness: distances, a geometry, symmetry, and links to points outside a body.

None depends on where the body's frame is put. Two terms met elsewhere are left out, for they do nothing: the spread of
distances between measured markers holds no unknown, it is a constant and shows in the report instead; and an anchor
whose only use is to hold the body's frame is not needed where that is held exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from batchlab.motion._model import Float

__all__ = ["Anchor", "Known", "KnownDistance", "SoftEdge", "Symmetry"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anchor:
    """A geometry known beforehand, in any axes: ``(x - (Q x0 + c)) / sd`` with the best turn Q and shift c.

    It is what a frame would be in which the body was seen with this geometry. It counts where the geometry is
    estimated.

    Attributes
    ----------
    geometry_m
        (M, 3) in m, in order of the body's markers; NaN for those it lacks.
    sd_m
        Standard deviation of a coordinate in m.
    """

    geometry_m: Float
    sd_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDistance:
    """Two markers of the body known to be so far apart, as by a ruler: ``(|x_i - x_j| - distance) / sd``.

    Edges without a known distance need no term: one geometry for all frames keeps each as long as it is.

    Attributes
    ----------
    between
        Names of markers.
    distance_m, sd_m
        Length and its standard deviation in m.
    """

    between: tuple[str, str]
    distance_m: float
    sd_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Symmetry:
    """Pairs of markers that mirror each other, and markers on the plane between.

    A mirror plane in the body's axes makes sense only for axes that are known to lie along it. This asks for any
    plane: distances among markers equal those among their partners, ``(|x_i - x_j| - |x_i' - x_j'|) / sd``.

    Attributes
    ----------
    pairs
        Names of left and right markers.
    sd_m
        Standard deviation of such a difference in m.
    middle
        Names of markers on the plane, their own partners.
    """

    pairs: tuple[tuple[str, str], ...]
    sd_m: float
    middle: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftEdge:
    """A measured point that stays about so far from a marker of the body, as along a spine.

    ``(|point - (R x + T)| - distance) / sd``; nothing in frames that lack the point. It holds the pose of frames whose
    own markers are hidden, in one direction.

    Attributes
    ----------
    point
        Name of a marker of the recording, rather not of the body.
    marker
        Name of a marker of the body.
    distance_m, sd_m
        Length and its standard deviation in m.
    """

    point: str
    marker: str
    distance_m: float
    sd_m: float


Known: TypeAlias = Anchor | KnownDistance | Symmetry | SoftEdge
