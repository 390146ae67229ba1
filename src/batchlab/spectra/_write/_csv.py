"""Normalised spectra as one CSV table: an axis column, a column for each spectrum, and above them what they are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._model import AxisKind, Quantity, Spectrum
from batchlab.spectra._write._facts import as_json, axis_facts, common_axis_of, spectrum_facts, spectrum_of

__all__ = ["format_spectra", "is_normalized_csv", "parse_spectra"]

_TITLE = "# batchlab spectra, format 1"
_UNSAFE = re.compile(r"[^\x20-\x7e]|[,;\"#]")


def format_spectra(spectra: Sequence[Spectrum], provenance: Mapping[str, object] | None = None) -> str:
    r"""Write spectra on one axis as CSV.

    The first lines begin with ``#``: a title, then the facts of the axis and of each spectrum, a line of JSON each.
    Then a row of column names with units, for people and other programs, and a row for each point. Numbers are
    the shortest that read back to the same float.

    Parameters
    ----------
    spectra
        One or more, on one axis.
    provenance
        How they came about; any JSON.

    Returns
    -------
    str
        The text, in ASCII, with ``\n`` line ends.

    Raises
    ------
    DataError
        Reason ``different-axes`` or ``no-spectra``.
    """
    first = common_axis_of(spectra)
    head = [_TITLE, f"# axis: {as_json(axis_facts(first))}"]
    head += [f"# spectrum: {as_json(spectrum_facts(each))}" for each in spectra]
    if provenance:
        head.append(f"# provenance: {as_json(provenance)}")
    head.append(",".join([_axis_name(first), *(_signal_name(each, len(spectra) > 1) for each in spectra)]))
    columns = [list(map(repr, column.tolist())) for column in (first.axis, *(each.intensity for each in spectra))]
    return "\n".join([*head, *map(",".join, zip(*columns, strict=True)), ""])


def is_normalized_csv(head: bytes | str) -> bool:
    """Whether a file that begins like this was written by `format_spectra`."""
    title = _TITLE if isinstance(head, str) else _TITLE.encode("ascii")
    return head.startswith(title)  # type: ignore[arg-type]


def parse_spectra(text: str, where: str = "the table") -> tuple[Spectrum, ...]:
    """Read back what `format_spectra` wrote, equal field for field and float for float.

    Parameters
    ----------
    text
        The table.
    where
        What to call it in messages: its file.

    Raises
    ------
    DataError
        Reason ``not-normalized``: it is not such a table, or not a whole one.
    """
    lines = text.splitlines()
    if not lines or lines[0] != _TITLE:
        raise _unreadable(f"{where}, line 1: expected {_TITLE!r}")
    if not text.endswith("\n"):
        raise _unreadable(f"{where}, line {len(lines)}: the last line has no end, so the file is cut short")
    on_axis: Mapping[str, object] = {}
    facts: list[Mapping[str, object]] = []
    head = 1
    while head < len(lines) and lines[head].startswith("# "):
        key, _, value = lines[head][2:].partition(": ")
        try:
            said = json.loads(value)
        except ValueError as error:
            raise _unreadable(f"{where}, line {head + 1}: {key!r} is no JSON: {error}") from error
        if key == "axis":
            on_axis = said
        elif key == "spectrum":
            facts.append(said)
        head += 1
    rows = lines[head + 1 :]
    try:
        values = np.array([list(map(float, row.split(","))) for row in rows], dtype=np.float64)
    except ValueError as error:
        raise _unreadable(f"{where}: a row is no {len(facts) + 1} numbers: {error}") from error
    if not facts or values.shape != (on_axis.get("points"), len(facts) + 1):
        raise _unreadable(
            f"{where}: {len(rows)} rows where {on_axis.get('points')} points of {len(facts)} spectra are declared"
        )
    axis, *signals = values.T
    try:
        return tuple(spectrum_of(axis, each, on_axis, said) for each, said in zip(signals, facts, strict=True))
    except (KeyError, TypeError, ValueError, DataError) as error:
        raise _unreadable(f"{where}: {error}") from error


def _axis_name(spectrum: Spectrum) -> str:
    name = "Axis" if spectrum.axis_kind is AxisKind.UNKNOWN else spectrum.axis_kind.value.capitalize()
    return _column(name, spectrum.axis_unit)


def _signal_name(spectrum: Spectrum, several: bool) -> str:
    quantity = "signal" if spectrum.quantity is Quantity.UNKNOWN else spectrum.quantity.value
    name = spectrum.name if several and spectrum.name else quantity
    return _column(name[:1].upper() + name[1:] if name == quantity else name, spectrum.unit)


def _column(name: str, unit: str | None) -> str:
    """A column's name that any reader of CSV takes for one cell."""
    return _UNSAFE.sub("_", name if unit in (None, "1") else f"{name} ({unit})")


def _unreadable(problem: str) -> DataError:
    return DataError(f"{problem}; write the spectra again", reason="not-normalized")
