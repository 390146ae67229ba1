"""What this domain offers to the engine."""

from batchlab.spectra.tasks._analytics import AnalyticsParams, analytics
from batchlab.spectra.tasks._compare import CompareParams, compare
from batchlab.spectra.tasks._limits import LimitsParams, limits
from batchlab.spectra.tasks._overview import OverviewParams, overview

__all__ = [
    "AnalyticsParams",
    "CompareParams",
    "LimitsParams",
    "OverviewParams",
    "analytics",
    "compare",
    "limits",
    "overview",
]
