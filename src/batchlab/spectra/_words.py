"""Counts and lists in sentences."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["agreed", "counted", "listed"]


def counted(number: int, word: str, many: str | None = None) -> str:
    """``1 point``, ``2 points``, ``1 spectrum``, ``0 spectra``."""
    return f"{number} {word if number == 1 else many or f'{word}s'}"


def agreed(number: int, one: str, many: str) -> str:
    """The words that go with a count: ``was`` or ``were``."""
    return one if number == 1 else many


def listed(names: Sequence[str], most: int) -> str:
    """``a, b, c``, or ``a, b and 7 more`` where there are more than are to be named."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
