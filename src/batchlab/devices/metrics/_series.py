"""Which runs were held at the same gate voltage, when it was set from the last Dirac point."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["span_of_each"]

_NOISE_V = 1e-9  # of decimal fractions


def span_of_each(values: Iterable[float], within: float) -> dict[float, tuple[float, float]]:
    """For each voltage the least and the greatest of those that count as one with it.

    Voltages that all lie within a span are one. Others are parted at the widest gap between them, and so on, so that no
    edge of a grid parts neighbours and their order does not matter.

    Parameters
    ----------
    values
        Finite, in V.
    within
        What those of a group may differ by at most, in V.
    """
    found: dict[float, tuple[float, float]] = {}
    waiting = [sorted(set(values))]
    while waiting:
        part = waiting.pop()
        if not part:
            continue
        if part[-1] - part[0] <= within + _NOISE_V:
            found |= dict.fromkeys(part, (part[0], part[-1]))
            continue
        cut = max(range(1, len(part)), key=lambda at: part[at] - part[at - 1])
        waiting += [part[:cut], part[cut:]]
    return found
