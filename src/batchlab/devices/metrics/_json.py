"""JSON of metrics: sorted keys, null for what is not a finite number, and curves written many numbers at once."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["texts"]

_MOST = 20_000  # numbers of curves that stand as texts at once
_MARK = "\ue000curve"  # of a private use: no text of a metric has it
_PLACE = json.dumps(_MARK)


def texts(values: Sequence[Mapping[str, Any] | None]) -> list[str | None]:
    """JSON of each value; None for none."""
    found: list[str | None] = []
    curves: list[array[float]] = []  # of the texts that wait for their numbers
    waiting = size = 0
    for value in values:
        mine: list[array[float]] = []
        found.append(None if value is None else _text(value, mine))
        if not mine:
            continue
        curves += mine
        waiting, size = waiting or len(found), size + sum(map(len, mine))
        if size >= _MOST:
            _fill(found, waiting - 1, curves)
            curves, waiting, size = [], 0, 0
    if curves:
        _fill(found, waiting - 1, curves)
    return found


def _fill(found: list[str | None], start: int, curves: Sequence[array[float]]) -> None:
    """Put numbers into texts from `start` on: those of all their curves become text together, which is much quicker."""
    import polars as pl

    numbers = pl.Series(np.concatenate([np.frombuffer(curve) for curve in curves])).cast(pl.String).to_list()
    at = 0
    left = iter(curves)
    for k in range(start, len(found)):
        text = found[k]
        if text is None or _PLACE not in text:
            continue
        first, *others = text.split(_PLACE)
        parts = [first]
        for other, curve in zip(others, left, strict=False):
            parts += ("[", ",".join(numbers[at : at + len(curve)]), "]", other)
            at += len(curve)
        found[k] = "".join(parts)


def _text(value: Any, curves: list[array[float]]) -> str:
    """JSON with sorted keys; what is not a finite number is null. Curves are gathered, and leave their places."""

    def plain(value: object) -> object:
        """What json does not know: curves, numpy's numbers and arrays, mappings."""
        if isinstance(value, Mapping):
            return dict(value)
        if isinstance(value, array) and value.typecode == "d" and len(value) and np.isfinite(value).all():
            curves.append(value)
            return _MARK
        return value.tolist()  # type: ignore[attr-defined]

    try:
        return json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":"), default=plain)
    except ValueError:
        curves.clear()
        return json.dumps(_finite(value), sort_keys=True, allow_nan=False, separators=(",", ":"))


def _finite(value: Any) -> Any:
    """The same with None for what is not a finite number."""
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
