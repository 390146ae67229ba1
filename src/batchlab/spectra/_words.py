"""Counts in sentences."""

from __future__ import annotations

__all__ = ["agreed", "counted"]


def counted(number: int, word: str, many: str | None = None) -> str:
    """``1 point``, ``2 points``, ``1 spectrum``, ``0 spectra``."""
    return f"{number} {word if number == 1 else many or f'{word}s'}"


def agreed(number: int, one: str, many: str) -> str:
    """The words that go with a count: ``was`` or ``were``."""
    return one if number == 1 else many
