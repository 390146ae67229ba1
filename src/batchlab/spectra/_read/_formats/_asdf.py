"""The numbers of a JCAMP-DX data table: plain (AFFN), packed, squeezed, as differences, with repeats.

A compressed ordinate begins with a character that is its first digit, its sign and its form at once, so forms
may be mixed at will. A line that ends in a difference repeats its last value at the start of the next one, as
a check.

References
----------
.. [1] McDonald and Wilks, *JCAMP-DX: A standard form for exchange of infrared spectra in computer readable
   form*, Appl. Spectrosc. 42 (1988) 151.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

__all__ = ["Damage", "Table", "read_pairs", "read_table"]

_SQUEEZED = {c: str(n) for n, c in enumerate("@ABCDEFGHI")} | {c: f"-{n}" for n, c in enumerate("abcdefghi", 1)}
_DIFFERENCE = {c: str(n) for n, c in enumerate("%JKLMNOPQR")} | {c: f"-{n}" for n, c in enumerate("jklmnopqr", 1)}
_REPEAT = {c: str(n) for n, c in enumerate("STUVWXYZ", 1)} | {"s": "9"}

# An exponent has its sign, where 'E5' squeezed is a 5: the one ambiguity of the standard, settled as it asks.
_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[Ee][+-]\d{1,3})?"
_PLAIN = re.compile(rf"[+-]?{_NUMBER}")
_LOOSE = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[Ee][+-]?\d{1,3})?")
_BETWEEN = re.compile(r"[\s,;]*")
_TOKEN = re.compile(rf"[\s,;]*(?:([%@A-IJ-Ra-ij-rS-Zs])({_NUMBER})?|([+-]?{_NUMBER})|(\?))")
# Plain ordinates do not begin with the E that squeezed ones may begin with.
_ONLY_PLAIN = re.compile(r"(?![\s,;]*[Ee])[\d\s.,;+\-Ee]*")
_LONGEST_REPEAT = 1_000_000

_MISSING = float("nan")


class Damage(Exception):
    """A table that cannot be read, and why; its reader says where."""


@dataclass(slots=True)
class Table:
    """The ordinates of a table, and which abscissa each line began with."""

    y: list[float] = field(default_factory=list)
    starts: list[tuple[int, float]] = field(default_factory=list)  # (ordinate's number, abscissa as written)
    unchecked: int = 0  # lines whose check value contradicts the line before


def read_table(lines: Iterable[tuple[int, str]], most: int, keep_checks: bool = False) -> Table:
    """Read an X++(Y..Y) table.

    Parameters
    ----------
    lines
        Line number and text, comments removed.
    most
        How many ordinates there may be at most; repeats cannot claim more.
    keep_checks
        Take every line's first ordinate as a point: for programs that write differences without the check.

    Raises
    ------
    Damage
        A character that is no part of a number, a repeat of nothing, or too many ordinates.
    """
    table = Table()
    after_difference = False
    for number, line in lines:
        x, at = _abscissa(number, line)
        if x is None:
            continue
        values, ends_in_difference = _ordinates(number, line, at, most - len(table.y))
        start = len(table.y)
        if after_difference and values:
            table.unchecked += abs(values[0] - table.y[-1]) > 1e-6 * max(1.0, abs(values[0]))
            if not keep_checks:
                values = values[1:]
                start -= 1  # the check stands at the abscissa of the point it repeats
        table.starts.append((start, x))
        table.y.extend(values)
        after_difference = ends_in_difference
    return table


def read_pairs(lines: Iterable[tuple[int, str]]) -> tuple[list[float], list[float]]:
    """Read an (XY..XY) table: plain numbers, two for each point.

    Raises
    ------
    Damage
        Something that is no number, or an odd count.
    """
    numbers: list[float] = []
    for number, line in lines:
        numbers.extend(_plain(number, line))
    if len(numbers) % 2:
        raise Damage(f"has {len(numbers)} numbers, which make no pairs")
    return numbers[0::2], numbers[1::2]


def _abscissa(number: int, line: str) -> tuple[float | None, int]:
    at = _BETWEEN.match(line).end()  # type: ignore[union-attr]
    found = _PLAIN.match(line, at)
    if found is None:
        if at < len(line):
            raise Damage(f"has {line[at : at + 12]!r} in line {number} where an abscissa should stand")
        return None, at
    return float(found[0]), found.end()


def _ordinates(number: int, line: str, at: int, room: int) -> tuple[list[float], bool]:
    """The ordinates of a line, and whether the last of them was written as a difference."""
    if _ONLY_PLAIN.fullmatch(line, at):
        return _plain(number, line[at:]), False
    values: list[float] = []
    step: float | None = None  # what a repeat repeats: None for a value, else the difference
    while at < len(line):
        found = _TOKEN.match(line, at)
        if found is None:
            if _BETWEEN.fullmatch(line, at):
                break
            raise Damage(f"has {line[at : at + 12]!r} in line {number}, which is no number")
        mark, digits, plain, missing = found.groups()
        at = found.end()
        if plain is not None:
            values.append(float(plain))
            step = None
        elif missing is not None:
            values.append(_MISSING)
            step = None
        elif mark in _SQUEEZED:
            values.append(float(_SQUEEZED[mark] + (digits or "")))
            step = None
        elif not values:
            raise Damage(f"has the difference or repeat {found[0]!r} in line {number} before any value")
        elif mark in _DIFFERENCE:
            step = float(_DIFFERENCE[mark] + (digits or ""))
            values.append(values[-1] + step)
        else:
            times = int(float(_REPEAT[mark] + (digits or ""))) - 1
            if times > min(_LONGEST_REPEAT, room - len(values)):
                raise Damage(f"repeats a value {times + 1} times in line {number}, more than there are points")
            for _ in range(times):
                values.append(values[-1] + step if step is not None else values[-1])
    return values, step is not None


def _plain(number: int, text: str) -> list[float]:
    values: list[float] = []
    at = 0
    text = text.rstrip()
    append: Callable[[float], None] = values.append
    while at < len(text):
        at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]
        if at == len(text):
            break
        if text[at] == "?":
            append(_MISSING)
            at += 1
            continue
        found = _LOOSE.match(text, at)
        if found is None:
            raise Damage(f"has {text[at : at + 12]!r} in line {number}, which is no number")
        append(float(found[0]))
        at = found.end()
    return values
