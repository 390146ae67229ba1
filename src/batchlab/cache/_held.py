"""What a value holds: how many bytes, and its arrays made read-only."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any


def freeze(value: Any) -> None:
    """Make every array in a value read-only, with the arrays whose memory it borrows."""
    numpy = sys.modules.get("numpy")
    if numpy is None:  # then nothing can be an array
        return
    for each in everything_in(value):
        if isinstance(each, numpy.ndarray):
            each.flags.writeable = False


def size_of_value(value: Any) -> int:
    """Bytes of a value and of all it holds, each object once.

    That is ``sys.getsizeof``, or ``nbytes`` where an object says more, over members of tuples, lists, sets
    and mappings, attributes of objects, and the owners of the memory that arrays borrow.
    """
    return sum(_own_bytes(each) for each in everything_in(value))


def everything_in(value: Any) -> Iterator[Any]:
    """The value and all that it holds, each object once; classes, functions and modules left out."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, (type, ModuleType)) or callable(each):
            continue
        seen.add(id(each))
        yield each
        waiting.extend(_held_by(each))


def _held_by(value: Any) -> Iterator[Any]:
    if isinstance(value, (str, bytes, bytearray, int, float, complex)) or value is None:
        return
    if isinstance(value, Mapping):
        for name, held in value.items():
            yield name
            yield held
    elif isinstance(value, (tuple, list, set, frozenset)):
        yield from value
    if _borrows(value):
        yield value.base
    yield from getattr(value, "__dict__", {}).values()
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                yield getattr(value, name)


def _own_bytes(value: Any) -> int:
    size = sys.getsizeof(value)
    said = None if _borrows(value) else getattr(value, "nbytes", None)
    return max(size, said) if isinstance(said, int) else size


def _borrows(value: Any) -> bool:
    """True of an array that is a view of another object's memory."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray) and value.base is not None
