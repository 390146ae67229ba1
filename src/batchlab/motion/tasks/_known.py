"""What can be said to be known of a body, as params: in mm, by names of markers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batchlab.motion._known import Known
    from batchlab.motion._model import Float

__all__ = ["DistanceParams", "SoftEdgeParams", "SymmetryParams", "known_of"]

_MM = 1e-3
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class DistanceParams(BaseModel):
    """Two markers of the body known to be so far apart."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    between: tuple[str, str] = Field(description="names of two markers")
    mm: Positive = Field(description="how far apart they are")
    sd_mm: Positive = Field(0.5, description="its standard deviation")


class SymmetryParams(BaseModel):
    """Markers that mirror each other, in any plane."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pairs: tuple[tuple[str, str], ...] = Field(min_length=1, description="names of left and right markers")
    middle: tuple[str, ...] = Field((), description="names of markers on the plane between")
    sd_mm: Positive = Field(1.0, description="standard deviation of how distances differ from those mirrored")


class SoftEdgeParams(BaseModel):
    """A measured point that stays about so far from a marker of the body."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    point: str = Field(description="name of a marker of the recording, which is then none of the body's")
    marker: str = Field(description="name of a marker of the body")
    mm: Positive = Field(description="how far apart they stay")
    sd_mm: Positive = Field(5.0, description="its standard deviation")


def known_of(
    distances: Sequence[DistanceParams],
    symmetry: SymmetryParams | None,
    soft_edges: Sequence[SoftEdgeParams],
    anchor_mm: float | None,
    geometry_m: Float | None,
) -> tuple[Known, ...]:
    """As the solver has them."""
    from batchlab.motion._known import Anchor, KnownDistance, SoftEdge, Symmetry

    out: list[Known] = [
        KnownDistance(between=each.between, distance_m=each.mm * _MM, sd_m=each.sd_mm * _MM) for each in distances
    ]
    if symmetry is not None:
        out.append(Symmetry(pairs=symmetry.pairs, middle=symmetry.middle, sd_m=symmetry.sd_mm * _MM))
    out += [
        SoftEdge(point=each.point, marker=each.marker, distance_m=each.mm * _MM, sd_m=each.sd_mm * _MM)
        for each in soft_edges
    ]
    if anchor_mm is not None and geometry_m is not None:
        out.append(Anchor(geometry_m=geometry_m, sd_m=anchor_mm * _MM))
    return tuple(out)
