"""Of a demo: what is true beside what was found."""

from __future__ import annotations

from batchlab.engine import BatchView
from batchlab.reports import Panel, read_truth, truth_panel

__all__ = ["demo_panel"]

_ABOUT = (
    "The bodies are made up: 8 markers that turn through all directions, 2 mm of noise in every coordinate, 6 % of "
    "what was seen hidden in bursts."
)


def demo_panel(view: BatchView) -> Panel | None:
    """What was known before the files were written, and what was found; None for other batches."""
    from batchlab.motion._demo import NAME

    if view.batch != NAME or (truth := read_truth(view)) is None:
        return None
    from batchlab.motion._demo_truth import findings

    return truth_panel("Motion", _ABOUT, findings(view, truth))
