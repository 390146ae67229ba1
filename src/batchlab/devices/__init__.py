"""Transistors and 2D materials: from raw lab files to histories, metrics, figures and pages of chips.

    from batchlab.devices import Chip, Layout, Store, metrics_batch, stage_batch
    from batchlab.engine import run

    layout = Layout.below("data")                       # raw files in data/01_raw
    run(stage_batch(layout))                            # data/02_stage: all runs, a history for each chip
    run(metrics_batch(layout, pages=True).batch)        # data/03_derived: the table of metrics, pages of chips

    store = Store(layout.store)
    for sweep in store.runs("IVg", chips=Chip("Alisson", 67)):
        sweep.columns["Vg (V)"], sweep.columns["I (A)"], sweep.number("vds_v")

`read_run` reads a raw file by itself; `history_of` numbers the runs of a chip, and `resolve` says what numbers and
other references mean; `link_calibrations` finds the light of runs. `load_batch_plots` reads a YAML file of plots, and
`plot_batch` makes a batch of them. The methods are in `batchlab.devices.metrics`, the kinds of plots in
`batchlab.devices.plots`. Tables are polars frames; notebooks show all else as small tables and pictures.

A name is imported when it is first asked for, so that planning and the command line load neither polars nor numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchlab._lazy import lazy_names

if TYPE_CHECKING:
    from batchlab.devices._batch_plots import BatchPlots, PlotSpec, load_batch_plots
    from batchlab.devices._batches import Metrics, enrich_batch, metrics_batch, stage_batch
    from batchlab.devices._calibration import calibrations_of, link_calibrations, validate_links
    from batchlab.devices._enrich import Enriched, enrich, read_enriched
    from batchlab.devices._flags import quality_flags
    from batchlab.devices._geometries import read_geometries
    from batchlab.devices._history import histories, history_of, read_histories, read_history, write_histories
    from batchlab.devices._history_view import export_history, select_runs, show
    from batchlab.devices._layout import Layout
    from batchlab.devices._model import Category, Chip, DerivedMetric, Flag, Run
    from batchlab.devices._panel import write_pages
    from batchlab.devices._plot_batch import PlotBatch, plot_batch
    from batchlab.devices._procedures import Schema, load_schema
    from batchlab.devices._read import discover, read_header, read_run
    from batchlab.devices._references import Drift, reference_of, resolve
    from batchlab.devices._selection import Selection
    from batchlab.devices._seq import read_seq, write_seq
    from batchlab.devices._stage import Staged, stage
    from batchlab.devices._store import Store
    from batchlab.devices._synthetic import Lab, Truth, write_lab

_HOMES = {
    "_batch_plots": ("BatchPlots", "PlotSpec", "load_batch_plots"),
    "_batches": ("Metrics", "enrich_batch", "metrics_batch", "stage_batch"),
    "_calibration": ("calibrations_of", "link_calibrations", "validate_links"),
    "_enrich": ("Enriched", "enrich", "read_enriched"),
    "_flags": ("quality_flags",),
    "_geometries": ("read_geometries",),
    "_history": ("histories", "history_of", "read_histories", "read_history", "write_histories"),
    "_history_view": ("export_history", "select_runs", "show"),
    "_layout": ("Layout",),
    "_model": ("Category", "Chip", "DerivedMetric", "Flag", "Run"),
    "_panel": ("write_pages",),
    "_plot_batch": ("PlotBatch", "plot_batch"),
    "_procedures": ("Schema", "load_schema"),
    "_read": ("discover", "read_header", "read_run"),
    "_references": ("Drift", "reference_of", "resolve"),
    "_selection": ("Selection",),
    "_seq": ("read_seq", "write_seq"),
    "_stage": ("Staged", "stage"),
    "_store": ("Store",),
    "_synthetic": ("Lab", "Truth", "write_lab"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BatchPlots",
    "Category",
    "Chip",
    "DerivedMetric",
    "Drift",
    "Enriched",
    "Flag",
    "Lab",
    "Layout",
    "Metrics",
    "PlotBatch",
    "PlotSpec",
    "Run",
    "Schema",
    "Selection",
    "Staged",
    "Store",
    "Truth",
    "calibrations_of",
    "discover",
    "enrich",
    "enrich_batch",
    "export_history",
    "histories",
    "history_of",
    "link_calibrations",
    "load_batch_plots",
    "load_schema",
    "metrics_batch",
    "plot_batch",
    "quality_flags",
    "read_enriched",
    "read_geometries",
    "read_header",
    "read_histories",
    "read_history",
    "read_run",
    "read_seq",
    "reference_of",
    "resolve",
    "select_runs",
    "show",
    "stage",
    "stage_batch",
    "validate_links",
    "write_histories",
    "write_lab",
    "write_pages",
    "write_seq",
]

__getattr__, __dir__ = lazy_names(__name__, _HOME_OF)
