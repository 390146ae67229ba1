"""What differs between two plans, field by field."""

from __future__ import annotations

from collections.abc import Iterator

from batchlab.spectra._plan import Plan

__all__ = ["Difference", "differences"]

Difference = tuple[str, object, object]
_SAID_APART = ("confidence", "reason")


def differences(plan: Plan, other: Plan) -> tuple[Difference, ...]:
    """Each field that differs, with both values; what each source says of itself aside.

    Returns
    -------
    tuple of (str, object, object)
        Such as ``("axis.column", 0, 1)``; None for what one of them lacks.
    """
    ours, theirs = (dict(_flat(each.model_dump(mode="json", exclude=set(_SAID_APART)))) for each in (plan, other))
    fields = dict.fromkeys((*ours, *theirs))
    return tuple((name, ours.get(name), theirs.get(name)) for name in fields if ours.get(name) != theirs.get(name))


def _flat(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _flat(each, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, each in enumerate(value):
            yield from _flat(each, f"{name}.{number}")
    else:
        yield name, value
