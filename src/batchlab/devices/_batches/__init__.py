"""The batches of a laboratory's data: staging with histories, and all that is derived."""

from batchlab.devices._batches._enrich import enrich_batch, enrich_jobs
from batchlab.devices._batches._metrics import FITTING, PAIRED, Metrics, metrics_batch, swept
from batchlab.devices._batches._report import pages_batch
from batchlab.devices._batches._stage import STAGE, reading_all, stage_batch
from batchlab.devices._batches._words import DERIVE, chips_in

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
