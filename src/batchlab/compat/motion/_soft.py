"""Soft edges: links from markers of the body to points that are none of it, as along a spine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from batchlab.engine import Json

if TYPE_CHECKING:
    from batchlab.compat.motion._config import RigidBodyConfig

__all__ = ["points_outside", "soft_params", "soft_problems"]


def points_outside(config: RigidBodyConfig) -> frozenset[str]:
    """Markers that soft edges lead to; they are none of the body's."""
    names = config.topology.marker_names
    return frozenset(names[point] for _, point in _edges(config) if 0 <= point < len(names))


def soft_problems(config: RigidBodyConfig) -> Iterator[str]:
    """What is wrong with them, each in a sentence."""
    edges, lengths, names = _edges(config), config.soft_distances or [], config.topology.marker_names
    for edge in edges:
        if not all(0 <= end < len(names) for end in edge) or edge[0] == edge[1]:
            yield f"soft_edges: {edge} joins no two markers; there are 0 to {len(names) - 1}"
            return
    if len(edges) != len(lengths):
        yield (
            f"there are {len(edges)} soft edges and {len(lengths)} soft_distances; give a length for each, in the unit "
            "of the file"
        )
    elif any(not length > 0 for length in lengths):
        yield "soft_distances: a length is not above zero"
    both = sorted(points_outside(config) & {names[marker] for marker, _ in edges})
    if both:
        yield f"soft edges lead to {both[0]} and from it; it is either of the body or outside of it"


def soft_params(config: RigidBodyConfig, unit_mm: float) -> dict[str, Json]:
    """As `motion.fit` has them; empty where there is none, or where they weigh nothing."""
    if not config.weights.lambda_soft:
        return {}
    names, lengths = config.topology.marker_names, config.soft_distances or []
    told: list[Json] = [
        {
            "point": names[point],
            "marker": names[marker],
            "mm": length * unit_mm,
            "sd_mm": unit_mm / config.weights.lambda_soft,
        }
        for (marker, point), length in zip(_edges(config), lengths, strict=True)
    ]
    return {"soft_edges": told} if told else {}


def _edges(config: RigidBodyConfig) -> list[tuple[int, int]]:
    return config.soft_edges if config.soft_edges is not None else config.topology.soft_edges or []
