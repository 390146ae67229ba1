"""The file in which a batch's limits are handed from the job that settles them to those that draw."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

from batchlab.errors import DataError
from batchlab.spectra._kinds import Normalization
from batchlab.spectra._limits import Pair, PlotLimits
from batchlab.spectra._read._load import load

__all__ = ["read_limits", "write_limits"]

_FORMAT = "batchlab spectra limits, format 1"


def write_limits(path: str | os.PathLike[str], limits: PlotLimits, normalization: Normalization) -> None:
    """Write limits as JSON. Nothing but what a picture depends on: equal limits are equal files."""
    facts = {
        "format": _FORMAT,
        "normalization": normalization.value,
        "axis": list(limits.axis),
        "overlay": list(limits.overlay),
        "difference": list(limits.difference),
    }
    Path(path).write_text(json.dumps(facts, indent=2) + "\n", encoding="ascii")


def read_limits(path: str | os.PathLike[str], normalization: Normalization) -> PlotLimits:
    """Read the limits that `write_limits` wrote.

    Raises
    ------
    DataError
        Reason ``not-limits``: the file holds something else; ``other-limits``: they were settled for signals
        that were normalised in another way.
    """
    path = Path(path)
    try:
        facts = json.loads(load(path))
        if facts["format"] != _FORMAT:
            raise ValueError(f"its format is {facts['format']!r}")
        found = PlotLimits(
            axis=_pair(facts["axis"]), overlay=_pair(facts["overlay"]), difference=_pair(facts["difference"])
        )
        settled_for = facts["normalization"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: not the limits of a batch ({error}); hand over the output of spectra.limits", reason="not-limits"
        ) from error
    if settled_for != normalization.value:
        raise DataError(
            f"{path}: limits of signals normalised by {settled_for}, not by {normalization.value}; give both entries "
            "the same params",
            reason="other-limits",
        )
    return found


def _pair(value: object) -> Pair:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"{value!r} is no pair")
    low, high = map(float, value)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"{value!r} does not run upwards")
    return low, high
