"""What earlier runs left in the folder that this batch has no part in any more."""

from __future__ import annotations

from batchlab.engine import BatchView
from batchlab.reports._words import counted, visible

_NAMED = 5


def left_over(view: BatchView) -> str:
    """A sentence that counts and names the outputs of jobs that have left the batch; empty if there are none."""
    if not view.left:
        return ""
    verb = "is" if len(view.left) == 1 else "are"
    more = f" and {len(view.left) - _NAMED} more" if len(view.left) > _NAMED else ""
    named = ", ".join(map(visible, view.left[:_NAMED]))
    return f"{counted(len(view.left), 'output')} of earlier runs {verb} no longer part of this batch: {named}{more}"
