"""What the batches over derived tables share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchlab.devices._model import Chip

if TYPE_CHECKING:
    from batchlab.devices._store import Store

__all__ = ["DERIVE", "TOGETHER", "chips_in"]

DERIVE = "devices-metrics"
TOGETHER = 32  # small jobs whose ends are put down at once


def chips_in(store: Store) -> tuple[Chip, ...]:
    """The chips that have staged runs, sorted."""
    rows = store.table.select("chip_group", "chip_number").drop_nulls().unique().iter_rows()
    return tuple(sorted(Chip(group, number) for group, number in rows))
