"""What an AI is told of a file: a masked layout of at most two kilobytes, and the name its layout goes by.

The payload is JSON, so the file's words are quoted data in it. Lines that matter least go first when it is too long:
those far above the table, then those below it.
"""

from __future__ import annotations

import hashlib
import json
import re
from itertools import groupby
from typing import Any

from batchlab.spectra._normalizer._masking import Mask, masked_digits
from batchlab.spectra._normalizer._prompt import PROMPT_VERSION
from batchlab.spectra._read._observation import ColumnFacts, Observation

__all__ = ["MOST_BYTES", "fingerprint", "layout_name", "masked"]

MOST_BYTES = 2048
_ABOVE, _BELOW = 40, 10
_SIZES = ((10_000, "under 10 kB"), (100_000, "10-100 kB"), (1_000_000, "0.1-1 MB"), (10_000_000, "1-10 MB"))
_DELIMITERS = {"\t": "tab", ",": "comma", ";": "semicolon", " ": "blank"}
_LINE_ENDS = {"\n": "LF", "\r\n": "CRLF", "\r": "CR"}


def masked(observation: Observation) -> str:
    """Tell what a file looks like without telling what is in it.

    Parameters
    ----------
    observation
        What was measured of the file.

    Returns
    -------
    str
        JSON of at most `MOST_BYTES` bytes in UTF-8. Every digit of the file is a nine, values are gone but those of
        keys that tell units, technique, laser line or number of points.
    """
    mask = Mask.of(observation)
    above, below = _lines_above(observation, mask), _lines_below(observation, mask)
    data = [(number, mask.data_line(line)) for number, line in observation.data_head[:3]]
    header = [number for number, _ in _header(observation)]
    for width, most_above, most_below, rows in _fits():
        kept = _nearest(above, most_above, header)
        payload = _facts(observation) | {
            "above": [[number, _cut(text, width)] for number, text in kept],
            "data": [[number, _cut(text, max(width, 60))] for number, text in data[:rows]],
            "below": [[number, _cut(text, width)] for number, text in below[len(below) - most_below :]],
        }
        told = _compact(payload)
        if len(told.encode()) <= MOST_BYTES:
            return told
    return _compact({"extension": _extension(observation), "columns": len(observation.columns), "too_long": True})


def fingerprint(observation: Observation) -> str:
    """Name a layout: the same for all files of one instrument and one way to export.

    Neither path nor values, number of rows or date are in it.
    """
    mask = Mask.of(observation)
    best = observation.hypotheses[0] if observation.hypotheses else None
    # The other ways to part a text count where they explain as much of it: a short run is chance.
    rivals = sorted(
        (_DELIMITERS.get(each.delimiter, each.delimiter), each.decimal, each.columns)
        for each in observation.hypotheses[1:]
        if best and each.last_line - each.first_line >= (best.last_line - best.first_line) // 2
    )
    axis = next((each for each in observation.columns if each.monotone != "no"), None)
    layout: dict[str, object] = {
        "version": PROMPT_VERSION,
        "extension": _extension(observation),
        "encoding": observation.encoding,
        "line_end": observation.line_end,
        "hypotheses": [list(best[:3]) if best else None, rivals],
        "keys": [" ".join(mask.key(key).casefold().split()) for key in observation.keys],
        "header": [mask.header_line(line) for line in observation.header],
        "units": mask.header_line(observation.unit_line) if observation.unit_line else None,
        "columns": len(observation.columns),
        "shape": "".join("n" if each.numeric_share >= 0.5 else "t" for each in observation.columns),
        "axis": [axis.index, axis.monotone, axis.regular] if axis else None,
    }
    if not observation.columns:
        # No table to go by: the first lines tell such layouts apart.
        lines = [re.sub(r"9+", "9", mask.preamble_line(line)) for line in observation.preamble[:6]]
        layout["lines"] = [[each[:40], *(min(each.count(sign), 3) for sign in ",;\t")] for each in lines]
    return hashlib.sha256(_compact(layout).encode()).hexdigest()


def layout_name(observation: Observation) -> str:
    """A layout in a few words, for lists."""
    mask = Mask.of(observation)
    header = " ".join(mask.header_line(line) for line in observation.header[:1])
    words = " ".join(header.split()) or f"{len(observation.columns)} columns without a header"
    return f"{_extension(observation) or 'no extension'}: {_cut(words, 60)}"


def _facts(observation: Observation) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "extension": _extension(observation),
        "size": next((name for limit, name in _SIZES if observation.size < limit), "over 10 MB"),
        "encoding": observation.encoding,
        "line_end": _LINE_ENDS.get(observation.line_end, observation.line_end),
        "hypotheses": [
            [_DELIMITERS.get(each.delimiter, each.delimiter), "comma" if each.decimal == "," else "point", *each[2:]]
            for each in observation.hypotheses[:4]
        ],
        "header_lines": list(observation.header_lines),
        "unit_line": observation.unit_line_number,
        "columns": _column_classes(observation.columns),
        "preamble": str(observation.preamble_style),
        "hints": list(observation.hints),
    }
    if observation.declared_points is not None:
        facts["declared_points"] = "as many as rows" if observation.declared_points == observation.rows else "others"
    return facts


def _column_classes(columns: tuple[ColumnFacts, ...]) -> list[dict[str, Any]]:
    """Columns that look alike told as one."""
    alike = groupby(columns, key=lambda c: (c.numeric_share >= 0.99, c.monotone, c.regular, c.log10_min, c.log10_max))
    classes = []
    for _, group in alike:
        members = list(group)
        first = members[0]
        told: dict[str, Any] = {"from": first.index, "to": members[-1].index}
        told |= {"numeric": round(first.numeric_share, 2), "monotone": first.monotone, "regular": first.regular}
        told |= {"log10": [first.log10_min, first.log10_max], "blanks": max(each.blanks for each in members)}
        classes.append(told)
    return classes if len(classes) <= 6 else [*classes[:4], {"more": len(classes) - 5}, classes[-1]]


def _lines_above(observation: Observation, mask: Mask) -> list[tuple[int, str]]:
    free = [(n, mask.preamble_line(line)) for n, line in enumerate(observation.preamble, start=1) if line.strip()]
    if not observation.header and free:
        # No header was recognised; the last line with as many cells as the table may be one in words unknown to us.
        number, _ = free[-1]
        free[-1] = (number, mask.header_line(observation.preamble[number - 1]))
    return sorted([*free, *((number, mask.header_line(line)) for number, line in _header(observation))])


def _lines_below(observation: Observation, mask: Mask) -> list[tuple[int, str]]:
    last = observation.data_tail[-1][0] if observation.data_tail else observation.lines
    lines = [
        (last + i, mask.preamble_line(line)) for i, line in enumerate(observation.trailer, start=1) if line.strip()
    ]
    return lines[-_BELOW:]


def _header(observation: Observation) -> list[tuple[int, str]]:
    header = list(zip(observation.header_lines, observation.header, strict=False))
    if observation.unit_line is not None and observation.unit_line_number is not None:
        header.append((observation.unit_line_number, observation.unit_line))
    return header


def _nearest(lines: list[tuple[int, str]], most: int, header: list[int]) -> list[tuple[int, str]]:
    """The lines nearest to the table, and the first two, which often name the program."""
    if len(lines) <= most:
        return lines
    kept = {*header, *(number for number, _ in lines[:2]), *(number for number, _ in lines[-max(0, most - 2) :])}
    return [each for each in lines if each[0] in kept]


def _fits() -> list[tuple[int, int, int, int]]:
    """Widths and numbers of lines to try, each shorter than the one before."""
    widths = [(width, _ABOVE, _BELOW, 3) for width in (100, 60, 40)]
    fewer = [(40, above, max(2, above // 4), 2) for above in (32, 24, 16, 12, 8)]
    return [*widths, *fewer, (30, 5, 1, 1), (20, 3, 0, 1)]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _extension(observation: Observation) -> str:
    return masked_digits(observation.extension)[:8]


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
