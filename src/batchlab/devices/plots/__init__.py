"""Figures of devices: one function per plot, from runs, options, look and facts to sheets, tables and warnings.

::

    kind = plot_type("plot-ivg")
    drawn = kind.draw(runs, kind.options(conductance=True), Look(theme="paper"), Facts())
    Picture(drawn.sheets[0]).save("ivg.pdf")

A plot of one's own is a function with `plot` above it, in a module that `declare` imports, or behind an entry point of
the group ``batchlab.devices.plots`` that is called as the plot.
"""

from batchlab.devices.plots._legends import LegendBy, labels_of
from batchlab.devices.plots._look import Look, Palette, Theme
from batchlab.devices.plots._model import Drawn, Facts, RunFacts, Table, column, only
from batchlab.devices.plots._options import PlotOptions, ResponseOptions, TimeOptions
from batchlab.devices.plots._places import Name, default_tag, light_of, picture_path, with_suffixes
from batchlab.devices.plots._registry import ENTRY_GROUP, PlotType, declare, plot, plot_type, plot_types

__all__ = [
    "ENTRY_GROUP",
    "Drawn",
    "Facts",
    "LegendBy",
    "Look",
    "Name",
    "Palette",
    "PlotOptions",
    "PlotType",
    "ResponseOptions",
    "RunFacts",
    "Table",
    "Theme",
    "TimeOptions",
    "column",
    "declare",
    "default_tag",
    "labels_of",
    "light_of",
    "only",
    "picture_path",
    "plot",
    "plot_type",
    "plot_types",
    "with_suffixes",
]
