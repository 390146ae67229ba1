"""Of a demo: what is true beside what was found."""

from __future__ import annotations

from batchlab.engine import BatchView
from batchlab.reports import Panel, Table

__all__ = ["demo_panel"]


def demo_panel(view: BatchView) -> Panel | None:
    """What was known before the files were written, and what was found; None for other batches."""
    from batchlab.motion._demo import NAME

    if view.batch != NAME:
        return None
    from batchlab.motion._demo_truth import findings, read_truth

    truth = read_truth(view)
    if truth is None:
        return None
    found = findings(view, truth)
    kept = sum(each.kept for each in found)
    return Panel(
        title="Motion: what is true, and what was found",
        headline="" if kept == len(found) else f"{len(found) - kept} findings are not what is true",
        text=(
            f"{kept} of {len(found)} findings are as they should be. The bodies are made up: 8 markers that turn "
            "through all directions, 2 mm of noise in every coordinate, 6 % of what was seen hidden in bursts. All was "
            "known before the files were written, and no number of it is read from them."
        ),
        tables=(
            Table(
                columns=("what", "of", "truth", "found", "in words", "kept"),
                rows=tuple((e.what, e.where, e.truth, e.found, e.told, e.kept) for e in found),
            ),
        ),
    )
