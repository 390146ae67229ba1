"""What a batch has made in its output root: no sample of the batch, even where the root is the data's own folder."""

from __future__ import annotations

import os
from pathlib import Path

from batchlab.builders._match import folder_of, match
from batchlab.engine import outputs_in

_REPORTS = ("batch_report.html", "batch_statistics.json", "batch_summary.csv")


def own_files(root: str | os.PathLike[str]) -> frozenset[str]:
    """Real paths of the outputs that the ledger in a folder lists, and of its reports; none where there is no ledger.

    Raises
    ------
    StartError
        If there is a ledger that cannot be read.
    """
    real = os.path.realpath(os.fspath(root))
    made = outputs_in(Path(real))
    return frozenset({*map(os.path.realpath, made), *(os.path.join(real, name) for name in _REPORTS)}) if made else made


def match_foreign(pattern: str, root: str) -> list[str]:
    """Files that a pattern matches, but for those that the batch of an output root has made; see `match`.

    No wildcard leads into the root; so only a pattern that starts in it can match what lies there.
    """
    found = match(pattern, leave_out=root)
    start, real = os.path.realpath(folder_of(pattern)), os.path.realpath(root)
    if os.path.commonpath((start, real)) != real:
        return found
    own = own_files(real)
    return [file for file in found if os.path.realpath(file) not in own] if own else found
