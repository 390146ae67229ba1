"""A text cut into lines, with what the characters of each line tell of it."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

__all__ = ["Lines"]

_TAB, _LF, _SPACE = b"\t\n "
_IS_WHITE = np.zeros(256, dtype=bool)
_IS_WHITE[[_TAB, _LF, _SPACE]] = True
# What a character says of its line, a bit each.
_DIGIT, _INK, _FOREIGN = 1, 2, 4
_SAYS = bytes(
    (_DIGIT if sign in b"0123456789" else 0)
    | (0 if sign in b"\t\n " else _INK)
    | (0 if sign in b"0123456789+-.,;eE \t\n" else _FOREIGN)
    for sign in range(256)
)
# In quotes 1,5 is a decimal; 1,234 may be a thousand and stays a text.
_QUOTED_NUMBER = re.compile(r'"([+-]?\d*(?:\.\d*|,(?!\d{3}")\d+)?(?:[eE][+-]?\d+)?)"')
_NAN_WORD = re.compile(rb"(?<![A-Za-z])nan(?![A-Za-z])", re.IGNORECASE)


class Lines:
    r"""A text cut into lines, with what can be told of each by looking at all its characters at once.

    Parameters
    ----------
    text
        The text, its line ends ``\n``.
    head, gap
        After its first `head` lines, `gap` lines of the file are left out; by default none are.
    """

    def __init__(self, text: str, head: int | None = None, gap: int = 0) -> None:
        if '"' in text:
            text = _QUOTED_NUMBER.sub(_unquoted, text)
        self.text = text
        # One byte for each character, so positions agree; what is not ASCII becomes a question mark.
        raw = text.encode("ascii", "replace")
        if b"nan" in raw.lower():
            raw = _NAN_WORD.sub(b"0e0", raw)
        self._raw = np.frombuffer(raw, dtype=np.uint8)
        ends = np.flatnonzero(self._raw == _LF)
        if not self._raw.size or self._raw[-1] != _LF:
            ends = np.append(ends, self._raw.size)
        self.ends = ends
        self.gap = gap
        self.head = len(ends) if head is None else head
        self.starts = np.concatenate(([0], ends[:-1] + 1))
        # A line's end belongs to it and says nothing, so no line is without a character.
        says = np.frombuffer(raw.translate(_SAYS) + bytes(not raw or raw[-1] != _LF), dtype=np.uint8)
        of_lines = np.bitwise_or.reduceat(says, self.starts)
        self.has_digit = (of_lines & _DIGIT) != 0
        self.blank = (of_lines & _INK) == 0
        self.candidate = self.has_digit & ((of_lines & _FOREIGN) == 0)
        self._count_cache: dict[int, NDArray[np.int64]] = {}

    def __len__(self) -> int:
        return int(self.ends.size)

    def line(self, index: int) -> str:
        """The line of this index, counted from 0."""
        return self.text[self.starts[index] : self.ends[index]]

    def number(self, index: int) -> int:
        """The number in the file, counted from 1, of the line of this index."""
        return index + 1 if index < self.head else index + 1 + self.gap

    def numbers(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of many lines."""
        if not self.gap:
            return indices + 1
        return indices + 1 + np.where(indices < self.head, 0, self.gap)

    def index(self, number: int) -> int:
        """The index of the line of this number."""
        return number - 1 if number <= self.head else number - 1 - self.gap

    def count(self, character: int) -> NDArray[np.int64]:
        """How often a character stands in each line."""
        if character not in self._count_cache:
            self._count_cache[character] = self._per_line(self._raw == character)
        return self._count_cache[character]

    def words(self) -> NDArray[np.int64]:
        """How many runs of non-blanks each line has."""
        white = _IS_WHITE[self._raw]
        begins = ~white
        begins[1:] &= white[:-1]
        return self._per_line(begins)

    def _per_line(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        where = np.flatnonzero(mask)
        if where.size == len(self) and (where >= self.starts).all() and (where <= self.ends).all():
            return np.ones(len(self), dtype=np.int64)
        # A position's line is the first whose end is not before it.
        return np.bincount(np.searchsorted(self.ends, where), minlength=len(self))[: len(self)]


def _unquoted(match: re.Match[str]) -> str:
    """A number without its quotes, as long as before."""
    return f" {match[1].replace(',', '.')} "
