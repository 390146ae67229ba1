"""What this domain offers to the engine."""

from batchlab.devices.tasks._extract import ExtractParams, PairsParams, extract, pairs
from batchlab.devices.tasks._merge import EnrichParams, MergeParams, enrich, merge
from batchlab.devices.tasks._plot import PlotParams, RunParam, plot
from batchlab.devices.tasks._report import ReportParams, report
from batchlab.devices.tasks._stage import READ_ALL, HistoriesParams, StageParams, histories, stage

__all__ = [
    "EnrichParams",
    "ExtractParams",
    "HistoriesParams",
    "MergeParams",
    "PairsParams",
    "PlotParams",
    "READ_ALL",
    "ReportParams",
    "RunParam",
    "StageParams",
    "enrich",
    "extract",
    "histories",
    "merge",
    "pairs",
    "plot",
    "report",
    "stage",
]
