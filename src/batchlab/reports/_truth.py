"""Of a demo: what was known before its files were written, beside what was found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchlab.engine import BatchView, Scalar
from batchlab.reports._panel import Panel, Table

TRUTH = "truth.json"
"""Beside the output folder of a demo: what its files were made with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something known beforehand, and what was found.

    Attributes
    ----------
    what, where
        Such as ``beam energy`` and ``20541 ees``.
    truth, found
        As a table shows them.
    told
        The comparison in words.
    kept
        Whether it is as near as promised.
    """

    what: str
    where: str
    truth: Scalar
    found: Scalar
    told: str
    kept: bool


def read_truth(view: BatchView) -> dict[str, Any] | None:
    """What the files of a demo were made with; None if it is not told beside the results."""
    path = Path(view.root).parent / TRUTH
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def truth_panel(domain: str, about: str, found: Sequence[Finding], *, by_kind: bool = False) -> Panel:
    """A demo's findings as a panel: how many are as they should be, what was made up, and a table.

    Parameters
    ----------
    domain
        Such as ``Motion``.
    about
        Sentences on what was made up.
    found
        All findings.
    by_kind
        Whether each kind of finding has a table of its own.
    """
    kept = sum(each.kept for each in found)
    cells = [(e.what, (e.where, e.truth, e.found, e.told, e.kept)) for e in found]
    columns = ("of", "truth", "found", "in words", "kept")
    if by_kind:
        tables = tuple(
            Table(
                title=kind[0].upper() + kind[1:],
                columns=columns,
                rows=tuple(row for what, row in cells if what == kind),
            )
            for kind in dict.fromkeys(each.what for each in found)
        )
    else:
        tables = (Table(columns=("what", *columns), rows=tuple((what, *row) for what, row in cells)),)
    return Panel(
        title=f"{domain}: what is true, and what was found",
        headline="" if kept == len(found) else f"{len(found) - kept} findings are not what is true",
        text=(
            f"{kept} of {len(found)} findings are as they should be. {about} All was known before the files were "
            "written, and no number of it is read from them."
        ),
        tables=tables,
    )
