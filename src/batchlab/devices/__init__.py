"""Transistor and 2D-material chips: from raw files to histories, metrics and figures.

    from batchlab.devices import Chip, Layout, Store, metrics_batch, read_run, stage_batch
    from batchlab.engine import run

    layout = Layout.below("data")
    run(stage_batch(layout))
    run(metrics_batch(layout, enrich=True).batch)
    store = Store(layout.store)
    sweeps = list(store.runs("IVg", chips=Chip("Alisson", 67)))

`read_run` reads one raw file; a `Store` holds all that are staged. The `..._batch` functions plan what the commands
do, to be run with `batchlab.engine.run`. Methods that take arrays and runs are in `batchlab.devices.metrics`, figures
in `batchlab.devices.plots`.

A name is imported when it is first asked for, so that planning and the command line load no tables.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from batchlab.devices._batch_plots import BatchPlots, PlotSpec, load_batch_plots
    from batchlab.devices._batches import Metrics, enrich_batch, metrics_batch, stage_batch
    from batchlab.devices._calibration import calibrations_of, link_calibrations
    from batchlab.devices._enrich import Enriched, read_enriched
    from batchlab.devices._geometries import read_geometries
    from batchlab.devices._history import histories, read_history
    from batchlab.devices._layout import Layout
    from batchlab.devices._model import Category, Chip, DerivedMetric, Flag, Run
    from batchlab.devices._plot_batch import PlotBatch, plot_batch
    from batchlab.devices._procedures import Schema, load_schema
    from batchlab.devices._read import read_header, read_run
    from batchlab.devices._references import reference_of, resolve
    from batchlab.devices._seq import read_seq, write_seq
    from batchlab.devices._stage import stage
    from batchlab.devices._store import Store

_HOMES = {
    "_batch_plots": ("BatchPlots", "PlotSpec", "load_batch_plots"),
    "_batches": ("Metrics", "enrich_batch", "metrics_batch", "stage_batch"),
    "_calibration": ("calibrations_of", "link_calibrations"),
    "_enrich": ("Enriched", "read_enriched"),
    "_geometries": ("read_geometries",),
    "_history": ("histories", "read_history"),
    "_layout": ("Layout",),
    "_model": ("Category", "Chip", "DerivedMetric", "Flag", "Run"),
    "_plot_batch": ("PlotBatch", "plot_batch"),
    "_procedures": ("Schema", "load_schema"),
    "_read": ("read_header", "read_run"),
    "_references": ("reference_of", "resolve"),
    "_seq": ("read_seq", "write_seq"),
    "_stage": ("stage",),
    "_store": ("Store",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BatchPlots",
    "Category",
    "Chip",
    "DerivedMetric",
    "Enriched",
    "Flag",
    "Layout",
    "Metrics",
    "PlotBatch",
    "PlotSpec",
    "Run",
    "Schema",
    "Store",
    "calibrations_of",
    "enrich_batch",
    "histories",
    "link_calibrations",
    "load_batch_plots",
    "load_schema",
    "metrics_batch",
    "plot_batch",
    "read_enriched",
    "read_geometries",
    "read_header",
    "read_history",
    "read_run",
    "read_seq",
    "reference_of",
    "resolve",
    "stage",
    "stage_batch",
    "write_seq",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
