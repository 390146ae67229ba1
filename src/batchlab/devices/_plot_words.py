"""Words of a batch file of plots: what people write, to what is meant."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date
from hashlib import blake2b
from typing import Any

from batchlab.devices._procedures import nearest
from batchlab.devices._selection import Selection
from batchlab.devices._seq import read_seq

__all__ = [
    "is_reference",
    "plain",
    "read_dates",
    "read_light",
    "read_procedures",
    "read_references",
    "read_samples",
    "read_seq_or_names",
    "read_volts",
    "read_wavelengths",
    "safe",
    "tag_of",
]

_LIGHT = {"light": True, "lit": True, "dark": False, "any": None}
_REFERENCE = re.compile(r"[0-9a-f]{6,16}|\d{4}-\d\d-\d\d#\d+|[A-Za-z0-9]+\d{4}-\d\d-\d\d[#_]\d+")
_DATES = re.compile(r"(\d{4}-\d\d-\d\d)(?:\s*\.\.\s*(\d{4}-\d\d-\d\d))?")
_NUMERIC = re.compile(r"[\d\s–-]+")
_LONGEST_TAG = 120
_UNSAFE = re.compile(r"[^\w.+=-]+")


def read_references(value: Any) -> tuple[str, ...]:
    """Ids of runs, or dates and numbers; ValueError where it is neither."""
    found = []
    for each in value if isinstance(value, list) else [value]:
        text = str(each).strip()
        if isinstance(each, bool) or not _REFERENCE.fullmatch(text):
            raise ValueError(f"{each!r} is no run; write its id, or date and number, as in 2025-09-04#3")
        found.append(text)
    return tuple(dict.fromkeys(found))


def read_procedures(value: Any, plot: str, procedures: Sequence[str]) -> tuple[str, ...]:
    """Procedures that a plot shows; ValueError where it does not."""
    given = [str(each) for each in (value if isinstance(value, list) else [value])]
    for each in given:
        if each not in procedures:
            raise ValueError(f"{plot} shows no {each!r}{nearest(each, procedures)}")
    return tuple(dict.fromkeys(given))


def read_light(value: Any) -> bool | None:
    """Lit, dark, or either; ValueError where it is none of them."""
    if isinstance(value, bool):
        return value
    if str(value).lower() not in _LIGHT:
        raise ValueError(f"{value!r} is unknown{nearest(str(value), _LIGHT)}")
    return _LIGHT[str(value).lower()]


def read_wavelengths(value: Any) -> tuple[float, ...]:
    """Wavelengths in nm, with or without the unit; ValueError where it is none."""
    found = []
    for each in value if isinstance(value, list) else [value]:
        text = str(each).removesuffix("nm").strip()
        try:
            nm = float(text)
        except ValueError:
            nm = 0.0
        if isinstance(each, bool) or not 0 < nm < 1e6:
            raise ValueError(f"{each!r} is no wavelength; write 455, or a list of such, in nm")
        found.append(nm)
    return tuple(dict.fromkeys(found))


def read_volts(value: Any) -> tuple[float, ...]:
    """Voltages in V, with or without the unit; ValueError where it is none."""
    found = []
    for each in value if isinstance(value, list) else [value]:
        text = str(each).removesuffix("V").replace("\N{MINUS SIGN}", "-").strip()
        try:
            volt = float(text)
        except ValueError:
            volt = math.nan
        if isinstance(each, bool) or not abs(volt) < 1e6:
            raise ValueError(f"{each!r} is no voltage; write -3.5, or a list of such, in V")
        found.append(volt)
    return tuple(dict.fromkeys(found))


def is_reference(text: str) -> bool:
    """Whether a word names a run by its id, or by date and number; digits alone are a number in a history."""
    return not text.isdigit() and _REFERENCE.fullmatch(text) is not None


def read_seq_or_names(value: Any) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Numbers as `read_seq` has them, and names that do not move: ids of runs, or dates and numbers.

    Raises
    ------
    ValueError
        If a part is neither.
    """
    parts = [part.strip() if isinstance(part, str) else part for part in _parts(value)]
    names = tuple(dict.fromkeys(part for part in parts if isinstance(part, str) and is_reference(part)))
    numbers = [part for part in parts if part not in names]
    try:
        return read_seq(numbers) if numbers or not names else (), names
    except ValueError as error:
        if not any(isinstance(part, str) and part and not _NUMERIC.fullmatch(part) for part in numbers):
            raise
        raise ValueError(f"{error}; or a run's id, or its day and number, as in 2025-09-04#3") from error


def _parts(value: Any) -> list[Any]:
    """Of lists, and of texts with commas."""
    if isinstance(value, list | tuple):
        return [part for each in value for part in _parts(each)]
    return list(value.split(",")) if isinstance(value, str) else [value]


def read_samples(value: Any) -> tuple[str, ...]:
    """Names of samples; ValueError where it is none."""
    found = []
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, bool | dict | list) or not str(each).strip():
            raise ValueError(f"{each!r} is no sample; write its name, or a list of names")
        found.append(str(each).strip())
    return tuple(dict.fromkeys(found))


def read_dates(value: Any) -> tuple[tuple[date, date], ...]:
    """Days and spans of days, both ends of which count; ValueError where it is none."""
    found = []
    for each in value if isinstance(value, list) else [value]:
        match = _DATES.fullmatch(str(each).strip())
        if match is None:
            raise ValueError(f"{each!r} is no day; write 2025-09-04, or 2025-09-04..2025-09-12")
        try:
            first = date.fromisoformat(match[1])
            last = date.fromisoformat(match[2] or match[1])
        except ValueError as error:
            raise ValueError(f"{each!r} is no day: {error}") from error
        if last < first:
            raise ValueError(f"{each} runs backwards; write {last}..{first}")
        found.append((first, last))
    return tuple(found)


def tag_of(selection: Selection) -> str:
    """The tag of a plot that has none: ``seq_4_5_6``; of many runs the first and a digest of all."""
    from batchlab.devices.plots import default_tag

    only_seqs = selection == Selection(seqs=selection.seqs)
    tag = default_tag(selection.seqs) if selection.seqs and only_seqs else str(selection)
    if len(tag) <= _LONGEST_TAG:
        return tag
    digest = blake2b(tag.encode(), digest_size=4).hexdigest()
    return f"{tag[: _LONGEST_TAG - 20].rsplit('_', 1)[0]}_etc_{digest}"


def safe(tag: str) -> str:
    """A tag as it can stand in a file's name everywhere."""
    return _UNSAFE.sub("_", tag).strip("_.") or "plot"


def plain(value: Any) -> str:
    """A swept value as part of a tag."""
    return "".join(f"{part}" for part in (value if isinstance(value, list) else [value]))
