"""The limits that all orbits of an instrument share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from batchlab.engine import BatchView, JobView, Scalar
from batchlab.particles._panel._jobs import LIMITS, done, jobs_of, listed, number, output_of
from batchlab.reports import Panel, Table

__all__ = ["limits_panel"]

_USED = "Every row of a picture by pitch angle has those of all, so that rows compare; by_category gives each its own."
_FEW = 3  # files from which limits are no more than theirs


def limits_panel(view: BatchView) -> Panel | None:
    """A row for each instrument and category; None where no limits were settled."""
    jobs = done(jobs_of(view, LIMITS))
    rows: list[tuple[Scalar, ...]] = []
    rules: set[str] = set()
    few = []
    for job in jobs:
        content = _content(view, job)
        if content is None:
            continue
        rules.add(_rules(content["rules"]))
        files = int(number(job, "files"))
        if files < _FEW:
            few.append(str(content["instrument"]))
        for category, each in content["limits"].items():
            values = int(number(job, f"{category}_values"))
            ends = (each["y_max"], each["z_min"], each["z_max"])
            rows.append((content["instrument"], category, files, values, *ends, content["unit"] or "counts"))
    if not rows:
        return None
    text = " ".join(sorted(rules)) + " " + _USED
    if few:
        text += f" Those of {listed(few)} come from fewer than {_FEW} files: they are those files' own, no mission's."
    return Panel(
        title="Particles: shared limits",
        text=text,
        tables=(
            Table(
                columns=("instrument", "category", "files", "values", "energies up to", "colours from", "to", "unit"),
                units=(None, None, None, "above 0", "eV", None, None, None),
                rows=tuple(rows),
            ),
        ),
    )


def _content(view: BatchView, job: JobView) -> dict[str, Any] | None:
    path = output_of(job, "limits")
    if path is None:
        return None
    try:
        content: dict[str, Any] = json.loads((Path(view.root) / path).read_text(encoding="utf-8"))
        return content if {"instrument", "unit", "rules", "limits"} <= set(content) else None
    except (OSError, ValueError):  # moved or edited since
        return None


def _rules(rules: dict[str, Any]) -> str:
    low = f"percentile {rules['percentile_min']:g}" if rules["percentile_min"] is not None else "zero"
    text = f"Colours run from {low} to percentile {rules['percentile']:g} of all values above zero; "
    text += f"energies end where {100 * rules['coverage']:g} % of these values lie below"
    if rules["energy_cap_ev"] is not None:
        text += f", at {rules['energy_cap_ev']:g} eV at the latest"
    return text + (". All are rounded outwards to two digits." if rules["rounded"] else ".")
