"""What this domain offers to the engine; a task is imported when it is asked for, with no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchlab._lazy import lazy_names

if TYPE_CHECKING:
    from batchlab.devices.tasks._extract import ExtractParams, PairsParams, extract, pairs
    from batchlab.devices.tasks._merge import EnrichParams, MergeParams, enrich, merge
    from batchlab.devices.tasks._plot import PlotParams, RunParam, plot
    from batchlab.devices.tasks._report import ReportParams, report
    from batchlab.devices.tasks._stage import READ_ALL, HistoriesParams, StageParams, histories, stage

_HOMES = {
    "_extract": ("ExtractParams", "PairsParams", "extract", "pairs"),
    "_merge": ("EnrichParams", "MergeParams", "enrich", "merge"),
    "_plot": ("PlotParams", "RunParam", "plot"),
    "_report": ("ReportParams", "report"),
    "_stage": ("READ_ALL", "HistoriesParams", "StageParams", "histories", "stage"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

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

__getattr__, __dir__ = lazy_names(__name__, _HOME_OF)
