"""Of a demo: what is true beside what was found."""

from __future__ import annotations

from batchlab.engine import BatchView
from batchlab.reports import Panel, read_truth, truth_panel

__all__ = ["demo_panel"]

_ABOUT = (
    "The mission is made up: a beam that drifts up and down in energy, with cold and trapped plasma, cusps, gaps, a "
    "change of mode in every file, and eight files with a fault. A channel of energy is 20 % wide in survey."
)


def demo_panel(view: BatchView) -> Panel | None:
    """What was known before the files were written, and what was found; None for other batches."""
    from batchlab.particles._demo import NAME

    if view.batch != NAME or (truth := read_truth(view)) is None:
        return None
    from batchlab.particles._demo_truth import findings

    return truth_panel("Particles", _ABOUT, findings(view, truth), by_kind=True)
