"""The batches of a laboratory's data: staging with histories, and all that is derived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchlab._lazy import lazy_names

if TYPE_CHECKING:
    from batchlab.devices._batches._enrich import enrich_batch, enrich_jobs
    from batchlab.devices._batches._metrics import FITTING, PAIRED, Metrics, metrics_batch, swept
    from batchlab.devices._batches._report import pages_batch
    from batchlab.devices._batches._stage import STAGE, reading_all, stage_batch
    from batchlab.devices._batches._words import DERIVE, chips_in

_HOMES = {
    "_enrich": ("enrich_batch", "enrich_jobs"),
    "_metrics": ("FITTING", "PAIRED", "Metrics", "metrics_batch", "swept"),
    "_report": ("pages_batch",),
    "_stage": ("STAGE", "reading_all", "stage_batch"),
    "_words": ("DERIVE", "chips_in"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "DERIVE",
    "FITTING",
    "PAIRED",
    "STAGE",
    "Metrics",
    "chips_in",
    "enrich_batch",
    "enrich_jobs",
    "metrics_batch",
    "pages_batch",
    "reading_all",
    "stage_batch",
    "swept",
]

__getattr__, __dir__ = lazy_names(__name__, _HOME_OF)
