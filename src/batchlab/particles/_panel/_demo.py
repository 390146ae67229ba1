"""Of a demo: what is true beside what was found."""

from __future__ import annotations

from batchlab.engine import BatchView
from batchlab.reports import Panel, Table

__all__ = ["demo_panel"]


def demo_panel(view: BatchView) -> Panel | None:
    """What was known before the files were written, and what was found; None for other batches."""
    from batchlab.particles._demo import NAME

    if view.batch != NAME:
        return None
    from batchlab.particles._demo_truth import findings, read_truth

    truth = read_truth(view)
    if truth is None:
        return None
    found = findings(view, truth)
    kept = sum(each.kept for each in found)
    kinds = dict.fromkeys(each.what for each in found)
    return Panel(
        title="Particles: what is true, and what was found",
        headline="" if kept == len(found) else f"{len(found) - kept} findings are not what is true",
        text=(
            f"{kept} of {len(found)} findings are as they should be. The mission is made up: a beam that drifts up "
            "and down in energy, with cold and trapped plasma, cusps, gaps, a change of mode in every file, and eight "
            "files with a fault. All was known before the files were written, and no number of it is read from them. "
            "A channel of energy is 20 % wide in survey."
        ),
        tables=tuple(
            Table(
                title=kind[0].upper() + kind[1:],
                columns=("of", "truth", "found", "in words", "kept"),
                rows=tuple((e.where, e.truth, e.found, e.told, e.kept) for e in found if e.what == kind),
            )
            for kind in kinds
        ),
    )
