"""The markers of a body, and which of them are joined."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from batchlab.compat.motion._checked import Checked

__all__ = ["RigidBodyTopology"]

Edge = tuple[int, int]


class RigidBodyTopology(Checked):
    """Markers that move together.

    Two markers, or none, make a topology; fitting needs three.

    Attributes
    ----------
    marker_names
        As in the files.
    rigid_edges
        Pairs of positions in `marker_names`. A body is exactly rigid here, so they are no constraints: tables of
        lengths have them.
    soft_edges
        Links from markers of the body to points that are no part of it; their lengths stand in the configuration.
    display_edges
        Pairs for tables and pictures; `rigid_edges` by default.
    name
        Of the body.
    """

    marker_names: list[str]
    rigid_edges: list[Edge] = Field(default_factory=list)
    soft_edges: list[Edge] | None = None
    display_edges: list[Edge] | None = None
    name: str = "rigid_body"

    @model_validator(mode="after")
    def _joined(self) -> RigidBodyTopology:
        double = sorted({name for name in self.marker_names if self.marker_names.count(name) > 1})
        if double:
            raise ValueError(f"marker_names has {double[0]!r} twice; each marker has a name of its own")
        count = len(self.marker_names)
        for what in ("rigid_edges", "soft_edges", "display_edges"):
            for one, two in getattr(self, what) or ():
                if one == two:
                    raise ValueError(f"{what}: ({one}, {two}) joins a marker with itself")
                if not (0 <= one < count and 0 <= two < count):
                    raise ValueError(f"{what}: ({one}, {two}) names no marker; there are 0 to {count - 1}")
        return self

    @property
    def n_markers(self) -> int:
        """How many markers."""
        return len(self.marker_names)

    @property
    def n_rigid_edges(self) -> int:
        """How many pairs in `rigid_edges`."""
        return len(self.rigid_edges)

    @property
    def n_soft_edges(self) -> int:
        """How many pairs in `soft_edges`."""
        return len(self.soft_edges or ())

    @property
    def drawn_edges(self) -> list[tuple[str, str]]:
        """Pairs of names for tables and pictures."""
        edges = self.rigid_edges if self.display_edges is None else self.display_edges
        return [(self.marker_names[one], self.marker_names[two]) for one, two in edges]

    @classmethod
    def from_marker_names(
        cls,
        marker_names: Sequence[str],
        edge_strategy: Literal["full", "minimal", "skeleton"] = "full",
        name: str = "rigid_body",
    ) -> RigidBodyTopology:
        """Join all pairs (full), the first with each other (minimal), or each with the next (skeleton)."""
        count = len(marker_names)
        edges = {
            "full": list(combinations(range(count), 2)),
            "minimal": [(0, other) for other in range(1, count)],
            "skeleton": [(each, each + 1) for each in range(count - 1)],
        }
        return cls(marker_names=list(marker_names), rigid_edges=edges[edge_strategy], name=name)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for `from_dict`."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RigidBodyTopology:
        """What `to_dict` gave."""
        return cls(**data)

    def save_json(self, path: str | Path) -> None:
        """Write it, for `load_json`."""
        Path(path).write_text(json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load_json(cls, path: str | Path) -> RigidBodyTopology:
        """What `save_json` wrote."""
        return cls.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
