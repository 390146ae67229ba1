"""What code measures of a text file before anybody says what it means: the facts a plan is made from."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchlab.spectra._plan import PreambleStyle
from batchlab.spectra._read._block import Block, Shape, find_block, shapes_of
from batchlab.spectra._read._columns import steps_back
from batchlab.spectra._read._dialects import declared_points, dialect_of
from batchlab.spectra._read._encoding import Decoded
from batchlab.spectra._read._header import Header, read_header
from batchlab.spectra._read._lines import Lines
from batchlab.spectra._read._load import load
from batchlab.spectra._read._sample import sampled
from batchlab.spectra._read._source import text_of

__all__ = ["ColumnFacts", "Observation", "facts_of", "observe", "observed"]

_MOST_PREAMBLE = 175
_MOST_TRAILER = 40
_DATA_LINES = 3
_STEPS_ALIKE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFacts:
    """What the numbers of one column look like; no number of the measurement is in it.

    Attributes
    ----------
    index
        Counted from 0.
    numeric_share
        Cells that are numbers, of all its cells.
    monotone
        ``up``, ``down`` or ``no``; a few joins of detectors do not matter.
    regular
        Whether its steps are alike, within 2 %.
    log10_min, log10_max
        Power of ten of its smallest and largest magnitude but zero; None for a column of zeros or blanks.
    blanks
        Cells without a number among those looked at.
    """

    index: int
    numeric_share: float
    monotone: str
    regular: bool
    log10_min: int | None
    log10_max: int | None
    blanks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    r"""What was measured of one text file, on a bounded sample of its head and tail.

    Attributes
    ----------
    path, size
        The file and its bytes.
    encoding
        As Python names it; ``ascii`` where no other character stands in the whole file.
    line_end
        ``\n``, ``\r\n``, ``\r`` or ``mixed``.
    extension
        In lower case, with its dot.
    hypotheses
        How cells may be parted and decimals marked, with the longest run of rows under each, best first.
    preamble
        Lines above the table and its header, as written, at most 175.
    header
        The lines that name columns, the line of units not among them.
    header_lines
        Their numbers, counted from 1.
    unit_line, unit_line_number
        The line of units below the header, if any.
    data_head, data_tail
        The first and last rows, each with its line number.
    trailer
        Lines below the table, at most 40.
    columns
        Of the table under the best hypothesis.
    keys
        Keys and values of the preamble.
    preamble_style
        How keys are parted from values.
    declared_points
        How many points the preamble says there are.
    rows
        Of the table, counted by lines.
    lines
        Of the file.
    hints
        Words that tell of an orientation: ``numbers-in-header``, ``two-lines``, ``pairs``, ``one-column``,
        ``rows-with-words``, ``plate``.
    warnings
        What was odd in decoding it.
    """

    path: Path
    size: int
    encoding: str
    line_end: str
    extension: str
    hypotheses: tuple[Shape, ...] = ()
    preamble: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    header_lines: tuple[int, ...] = ()
    unit_line: str | None = None
    unit_line_number: int | None = None
    data_head: tuple[tuple[int, str], ...] = ()
    data_tail: tuple[tuple[int, str], ...] = ()
    trailer: tuple[str, ...] = ()
    columns: tuple[ColumnFacts, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    preamble_style: PreambleStyle = PreambleStyle.NONE
    declared_points: int | None = None
    rows: int = 0
    lines: int = 0
    hints: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def observe(path: str | os.PathLike[str], data: bytes | None = None) -> Observation:
    """Measure a text file.

    Parameters
    ----------
    path
        The file.
    data
        Its bytes, where they are known already; else they are read.

    Raises
    ------
    DataError
        The reasons of reading and decoding: ``not-found``, ``unreadable``, ``read-failed``, ``not-a-file``,
        ``empty-file``, ``too-large``, ``binary``, ``unsupported-format``, ``encoding``, ``truncated``. A text
        without a table is observed like any other.
    """
    path = Path(path)
    data = load(path) if data is None else data
    decoded = text_of(path, data)
    lines = sampled(decoded.text)
    return observed(lines, find_block(lines), **facts_of(path, data, decoded, lines))


def facts_of(path: Path, data: bytes, decoded: Decoded, lines: Lines) -> dict[str, Any]:
    """What an observation says of a file as a whole."""
    return {
        "path": path,
        "size": len(data),
        "encoding": decoded.encoding,
        "line_end": line_end_of(decoded.text[:100_000]),
        "extension": path.suffix.lower(),
        "hypotheses": shapes_of(lines),
        "lines": len(lines) + lines.gap,
        "warnings": decoded.warnings,
    }


def observed(text: Lines, block: Block | None, **facts: Any) -> Observation:
    """Tell what stands around a table, and what its columns look like."""
    if block is None:
        first = [text.line(i) for i in range(min(len(text), _MOST_PREAMBLE))]
        return Observation(preamble=tuple(first), **facts)
    header = read_header(text, block)
    columns = block.values.shape[1]
    dialect = dialect_of(header.preamble, columns)
    at = [text.index(int(number)) for number in (*block.lines[:_DATA_LINES], *block.lines[-_DATA_LINES:])]
    # The hypothesis whose numbers were read is the best; others may only look so.
    read = (block.delimiter, block.decimal)
    facts["hypotheses"] = tuple(sorted(facts.get("hypotheses", ()), key=lambda shape: shape[:2] != read))
    rows = [(text.number(i), text.line(i)) for i in at]
    below = range(at[-1] + 1, min(len(text), at[-1] + 1 + _MOST_TRAILER))
    return Observation(
        preamble=header.preamble[:_MOST_PREAMBLE],
        header=tuple(text.line(text.index(n)) for n in header.lines),
        header_lines=header.lines,
        unit_line=None if header.unit_line is None else text.line(text.index(header.unit_line)),
        unit_line_number=header.unit_line,
        data_head=tuple(rows[:_DATA_LINES]),
        data_tail=tuple(rows[_DATA_LINES:]),
        trailer=tuple(text.line(i) for i in below),
        columns=tuple(column_facts(i, block.values[:, i]) for i in range(columns)),
        keys=header.metadata,
        preamble_style=style_of(header),
        declared_points=declared_points(header.preamble, dict(header.metadata), dialect),
        rows=len(block.lines) + block.hidden,
        **facts,
    )


def column_facts(index: int, values: NDArray[np.float64]) -> ColumnFacts:
    """Measure a column."""
    filled = values[~np.isnan(values)]
    blanks = int(values.size - filled.size)
    sizes = np.abs(filled[filled != 0])
    low, high = (
        (int(np.floor(np.log10(sizes.min()))), int(np.floor(np.log10(sizes.max())))) if sizes.size else (None, None)
    )
    monotone, regular = "no", False
    if filled.size >= 3:
        against, still = steps_back(filled)
        steps = np.diff(filled)
        if against.size <= min(3, filled.size // 10) and still.size <= filled.size // 10:
            monotone = "up" if filled[-1] > filled[0] else "down"
            # A jump over left out lines is no step.
            typical = float(np.median(steps))
            regular = bool(np.mean(np.abs(steps - typical) <= _STEPS_ALIKE * abs(typical)) > 0.95)
    return ColumnFacts(
        index=index,
        numeric_share=filled.size / values.size if values.size else 0.0,
        monotone=monotone,
        regular=regular,
        log10_min=low,
        log10_max=high,
        blanks=blanks,
    )


def line_end_of(text: str) -> str:
    """How the lines of a text end."""
    both = text.count("\r\n")
    feeds, returns = text.count("\n") - both, text.count("\r") - both
    kinds = [end for end, count in (("\r\n", both), ("\n", feeds), ("\r", returns)) if count]
    return kinds[0] if len(kinds) == 1 else "mixed" if kinds else "\n"


_STYLES = (
    (PreambleStyle.JCAMP, re.compile(r"^\s*##[^=]{1,60}=")),
    (PreambleStyle.SECTIONS, re.compile(r"^\s*\[[^\]]+\]\s*$")),
    (PreambleStyle.HASH, re.compile(r"^\s*#[^=\t:]{1,60}[=\t:]")),
    (PreambleStyle.TAB, re.compile(r"^[^\t:=;,]{1,60}\t")),
    (PreambleStyle.SEMICOLON, re.compile(r"^[^;:=]{1,60};")),
    (PreambleStyle.EQUALS, re.compile(r"^[^=:]{1,60}=")),
    (PreambleStyle.COLON, re.compile(r"^[^:]{1,60}:")),
    (PreambleStyle.COMMA, re.compile(r"^[^,]{1,60},")),
)


def style_of(header: Header) -> PreambleStyle:
    """Tell how the keys of a preamble are parted from their values."""
    written = [line for line in header.preamble if line.strip()]
    found = Counter(style for line in written for style, pattern in _STYLES if pattern.match(line))
    if found[PreambleStyle.SECTIONS] and len(written) > found[PreambleStyle.SECTIONS]:
        return PreambleStyle.SECTIONS
    if not written:
        return PreambleStyle.NONE
    best = max((style for style, _ in _STYLES), key=lambda style: found[style])
    return best if found[best] >= max(1, len(written) // 3) else PreambleStyle.POSITIONAL
