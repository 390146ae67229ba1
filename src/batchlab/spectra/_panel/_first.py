"""The first panel: the samples least like their reference or, of a demo, truth beside finding."""

from __future__ import annotations

from batchlab.engine import BatchView
from batchlab.reports import Panel
from batchlab.spectra._panel._likeness import likeness_panel
from batchlab.spectra._panel._truth import demo_panel, truths_of

__all__ = ["panel"]


def panel(view: BatchView) -> Panel | None:
    """The panel of a batch with comparisons; None for one without."""
    truths = truths_of(view)
    return likeness_panel(view) if truths is None else demo_panel(view, truths)
