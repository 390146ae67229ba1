"""What this domain offers to the engine."""

from batchlab.spectra.tasks._analytics import AnalyticsParams, analytics
from batchlab.spectra.tasks._compare import CompareParams, compare
from batchlab.spectra.tasks._limits import LimitsParams, limits

__all__ = ["AnalyticsParams", "CompareParams", "LimitsParams", "analytics", "compare", "limits"]
