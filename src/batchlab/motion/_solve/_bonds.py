"""Terms of what is known: bonds hold the geometry, ties hold a marker of it to a point in each frame.

Each is rows of residuals with their derivatives; the Hessian is theirs by Gauss and Newton.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from batchlab.errors import ConfigError
from batchlab.motion._known import Anchor, Known, KnownDistance, SoftEdge, Symmetry
from batchlab.motion._solve._gauge import aligned
from batchlab.motion._solve._rotations import cross_matrices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from batchlab.motion._model import Body, Recording
    from batchlab.motion._solve._problem import State

    Float: TypeAlias = NDArray[np.float64]
    Bool: TypeAlias = NDArray[np.bool_]
    Index: TypeAlias = NDArray[np.intp]

__all__ = ["Bond", "Tie", "TieRows", "bond_rows", "bonds_of", "tie_rows", "ties_of"]


class Bond(Protocol):
    """Residuals of a geometry alone."""

    def rows(self, geometry: Float, /) -> tuple[Float, Float]:
        """Residuals (k,), and derivatives (k, 3 M), for a geometry (M, 3) in m."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Anchored:
    """Places (k, 3) in m, in any axes, of markers at `markers` (k,)."""

    places: Float
    markers: Index
    per_m: float

    def rows(self, geometry: Float) -> tuple[Float, Float]:
        turn, move = aligned(self.places, geometry[self.markers])
        target = self.places @ turn.T + move
        count = len(self.markers)
        rigid = np.concatenate([np.tile(np.eye(3), (count, 1)), -cross_matrices(target - move).reshape(-1, 3)], axis=1)
        basis = np.linalg.qr(rigid)[0]
        # The best turn and shift follow: what moves them along gives no residual.
        own = self.per_m * (np.eye(3 * count) - basis @ basis.T)
        slopes = np.zeros((3 * count, geometry.size))
        slopes[:, (3 * self.markers[:, None] + np.arange(3)).ravel()] = own
        return self.per_m * (geometry[self.markers] - target).ravel(), slopes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lengths:
    """Distances between `ends` (k, 2) less those between `others` (k, 2), less `lengths` (k,) in m.

    Without others where these are the same marker twice.
    """

    ends: Index
    others: Index
    lengths: Float
    per_m: Float

    def rows(self, geometry: Float) -> tuple[Float, Float]:
        residuals = -self.lengths
        slopes = np.zeros((len(self.lengths), len(geometry), 3))
        row = np.arange(len(self.lengths))
        for sign, pairs in ((1.0, self.ends), (-1.0, self.others)):
            along = geometry[pairs[:, 0]] - geometry[pairs[:, 1]]
            length = np.linalg.norm(along, axis=1)
            residuals = residuals + sign * length
            along = sign * along / np.maximum(length, 1e-12)[:, None]
            np.add.at(slopes, (row, pairs[:, 0]), along)
            np.add.at(slopes, (row, pairs[:, 1]), -along)
        return self.per_m * residuals, self.per_m[:, None] * slopes.reshape(len(row), -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """A marker tied to a point (F, 3) in m by a length in m, with weights (F,) in 1/m, zero where it is not seen."""

    points: Float
    per_m: Float
    marker: int
    length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TieRows:
    """Residuals (F, K) of K ties, derivatives by the pose `arms` (F, K, 6) and by the place `noses` (F, K, 3)."""

    residuals: Float
    arms: Float
    noses: Float
    markers: Index

    def window(self, frames: slice) -> TieRows:
        """Of some frames."""
        return TieRows(
            residuals=self.residuals[frames], arms=self.arms[frames], noses=self.noses[frames], markers=self.markers
        )


def bond_rows(bonds: Sequence[Bond], geometry: Float) -> tuple[Float, Float]:
    """Residuals (k,) and derivatives (k, 3 M) of all."""
    parts = [bond.rows(geometry) for bond in bonds]
    if not parts:
        return np.zeros(0), np.zeros((0, geometry.size))
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def tie_rows(ties: Sequence[Tie], state: State) -> TieRows:
    """Residuals and derivatives of all."""
    frames = len(state.rotations)
    residuals, arms = np.zeros((frames, len(ties))), np.zeros((frames, len(ties), 6))
    noses = np.zeros((frames, len(ties), 3))
    for number, tie in enumerate(ties):
        place = state.geometry[tie.marker]
        away = tie.points - state.rotations @ place - state.translations
        length = np.linalg.norm(away, axis=1)
        residuals[:, number] = tie.per_m * (length - tie.length)
        arms[:, number, 3:] = -away * (tie.per_m / np.maximum(length, 1e-12))[:, None]
        noses[:, number] = np.einsum("fji,fj->fi", state.rotations, arms[:, number, 3:])
        arms[:, number, :3] = np.cross(place, noses[:, number])
    return TieRows(
        residuals=residuals, arms=arms, noses=noses, markers=np.array([tie.marker for tie in ties], dtype=int)
    )


def bonds_of(known: Sequence[Known], body: Body, used: Bool) -> tuple[Bond, ...]:
    """Bonds among `used` (M,) markers; what names a marker that was never seen is left out.

    Raises
    ------
    ConfigError
        If something names no marker of the body, or has no positive standard deviation.
    """
    places = {name: int(number) for name, number in zip(body.markers, np.cumsum(used) - 1, strict=True)}
    never = {name for name, seen in zip(body.markers, used, strict=True) if not seen}
    out: list[Bond] = []
    for each in known:
        if not (each.sd_m > 0 and np.isfinite(each.sd_m)):
            raise ConfigError(f"a {type(each).__name__} has sd_m {each.sd_m:g}; it must be positive")
        for name in _named(each):
            if name not in places:
                raise ConfigError(
                    f"a {type(each).__name__} names {name!r}, not a marker of {body.name}; it has "
                    f"{', '.join(body.markers)}"
                )
        if isinstance(each, Anchor):
            out += _anchored(each, body, used)
        elif isinstance(each, KnownDistance):
            if each.between[0] == each.between[1]:
                raise ConfigError(f"a KnownDistance is from {each.between[0]} to itself; name two markers")
            if not never.intersection(each.between):
                ends = np.array([[places[name] for name in each.between]])
                out.append(
                    _Lengths(
                        ends=ends,
                        others=np.zeros_like(ends),
                        lengths=np.array([each.distance_m]),
                        per_m=np.array([1.0 / each.sd_m]),
                    )
                )
        elif isinstance(each, Symmetry):
            out += _mirrored(each, places, never)
    return tuple(out)


def _named(each: Known) -> tuple[str, ...]:
    """Markers of the body that a term names."""
    if isinstance(each, KnownDistance):
        return each.between
    if isinstance(each, Symmetry):
        return (*(name for pair in each.pairs for name in pair), *each.middle)
    return (each.marker,) if isinstance(each, SoftEdge) else ()


def _anchored(each: Anchor, body: Body, used: Bool) -> list[Bond]:
    given = np.asarray(each.geometry_m, dtype=np.float64)
    if given.shape != (len(body.markers), 3):
        raise ConfigError(f"an Anchor has shape {given.shape}; {body.name} has {len(body.markers)} markers, 3 each")
    known: Bool = np.asarray(np.isfinite(given).all(axis=1))
    if known.sum() < 3:
        raise ConfigError(f"an Anchor knows {int(known.sum())} of the markers of {body.name}; it needs three")
    markers = np.flatnonzero(known[used])
    if len(markers) < 3:
        return []
    return [_Anchored(places=given[used][markers], markers=markers, per_m=1.0 / each.sd_m)]


def _mirrored(each: Symmetry, places: dict[str, int], never: set[str]) -> list[Bond]:
    partner = dict(each.pairs)
    partner.update({right: left for left, right in each.pairs})
    partner.update({name: name for name in each.middle})
    if len(partner) != 2 * len(each.pairs) + len(each.middle):
        raise ConfigError("a Symmetry names a marker twice; each has one partner, or lies in the middle")
    markers = [name for name in partner if name not in never and partner[name] not in never]
    links = {
        frozenset({frozenset({one, other}), frozenset({partner[one], partner[other]})})
        for number, one in enumerate(markers)
        for other in markers[number + 1 :]
    }
    told = sorted(sorted(sorted(places[name] for name in edge) for edge in link) for link in links if len(link) == 2)
    if not told:
        return []
    edges = np.array(told)
    return [
        _Lengths(
            ends=edges[:, 0],
            others=edges[:, 1],
            lengths=np.zeros(len(edges)),
            per_m=np.full(len(edges), 1.0 / each.sd_m),
        )
    ]


def ties_of(known: Sequence[Known], recordings: Sequence[Recording], body: Body, used: Bool) -> tuple[Tie, ...]:
    """Ties of all frames of `recordings`; names and numbers are those that `bonds_of` has looked at."""
    out = []
    for each in known:
        if not isinstance(each, SoftEdge) or not used[body.markers.index(each.marker)]:
            continue
        if not any(each.point in recording.markers for recording in recordings):
            raise ConfigError(
                f"a SoftEdge of {each.marker} goes to {each.point!r}, which no recording has: {recordings[0].name} "
                f"has {', '.join(recordings[0].markers)}"
            )
        points = np.concatenate([_course(recording, each.point) for recording in recordings])
        seen = np.isfinite(points).all(axis=1)
        out.append(
            Tie(
                points=np.where(seen[:, None], points, 0.0),
                per_m=np.where(seen, 1.0 / each.sd_m, 0.0),
                marker=int(used[: body.markers.index(each.marker)].sum()),
                length=each.distance_m,
            )
        )
    return tuple(out)


def _course(recording: Recording, name: str) -> Float:
    if name not in recording.markers:
        return np.full((len(recording.times_s), 3), np.nan)
    course: Float = recording.positions[:, recording.markers.index(name)]
    return course
