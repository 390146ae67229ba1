"""JSON of metrics: sorted keys, null for what is not a finite number, and curves written many numbers at once."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["texts"]

_MOST = 20_000  # numbers of curves that stand as texts at once


def texts(values: Sequence[Mapping[str, Any] | None]) -> list[str | None]:
    """JSON of each value; None for none."""
    found: list[str | None] = [None] * len(values)
    curved: list[tuple[int, Mapping[str, Any]]] = []
    size = 0
    for at, value in enumerate(values):
        if value is None:
            continue
        numbers = sum(map(len, _curves(value)))
        if not numbers:
            found[at] = _text(value)
            continue
        if curved and size + numbers > _MOST:
            _put(found, curved)
            curved, size = [], 0
        curved.append((at, value))
        size += numbers
    _put(found, curved)
    return found


def _curves(value: Any) -> Iterator[array[float]]:
    """The curves in a value, in the order of its JSON."""
    if isinstance(value, Mapping):
        for key in sorted(value):
            yield from _curves(value[key])
    elif _is_curve(value):
        yield value


def _is_curve(value: Any) -> bool:
    """Whether a value is an array of doubles, all of them finite."""
    return (
        isinstance(value, array)
        and value.typecode == "d"
        and len(value) > 0
        and bool(np.isfinite(np.frombuffer(value)).all())
    )


def _put(found: list[str | None], curved: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
    """Write values that hold curves: the numbers of all of them become texts together, at a quarter of the cost."""
    if not curved:
        return
    import polars as pl

    flat = np.concatenate([np.frombuffer(curve) for _, value in curved for curve in _curves(value)])
    numbers = iter(pl.Series(flat).cast(pl.String).to_list())
    for at, value in curved:
        found[at] = _with_curves(value, numbers)


def _with_curves(value: Any, numbers: Iterator[str]) -> str:
    """JSON of a value whose curves take their numbers from those that are left."""
    if isinstance(value, Mapping):
        parts = (f"{json.dumps(str(key))}:{_with_curves(value[key], numbers)}" for key in sorted(value))
        return f"{{{','.join(parts)}}}"
    if _is_curve(value):
        return f"[{','.join([next(numbers) for _ in value])}]"
    return _text(value)


def _text(value: Any) -> str:
    """JSON with sorted keys; what is not a finite number is null."""
    try:
        return json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":"), default=_plain)
    except ValueError:
        return json.dumps(_finite(value), sort_keys=True, allow_nan=False, separators=(",", ":"))


def _plain(value: object) -> object:
    """What json does not know: numpy's numbers and arrays, mappings."""
    if isinstance(value, Mapping):
        return dict(value)
    return value.tolist()  # type: ignore[attr-defined]


def _finite(value: Any) -> Any:
    """The same with None for what is not a finite number."""
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
