"""Files of intensities alone: the first and last axis value and the number of points stand above them."""

from __future__ import annotations

import numpy as np

from batchlab.spectra._kinds import AxisKind, Orientation, Quantity
from batchlab.spectra._plan import AxisPlan, Plan, SpectrumPlan
from batchlab.spectra._read._header import metadata_of
from batchlab.spectra._read._layout import technique_in
from batchlab.spectra._read._lines import Lines
from batchlab.spectra._read._proposal import Evidence, Proposal
from batchlab.spectra._read._vocabulary import meaning, unit_of

__all__ = ["key_number", "propose_single_y"]

LEAST_POINTS = 10
# PerkinElmer's .asp: number of points, first and last axis value, and three lines more.
_ASP_LINES = 6
_FIRST_KEYS = ("firstx", "##firstx", "first x", "x first", "start", "begin", "xmin", "from")
_LAST_KEYS = ("lastx", "##lastx", "last x", "x last", "end", "stop", "xmax", "to")
_COUNT_KEYS = ("npoints", "##npoints", "points", "number of points", "data points", "n points", "count")
_UNIT_KEYS = ("xunits", "##xunits", "x units", "x unit", "xunit")
_QUANTITY_KEYS = ("yunits", "##yunits", "y units", "y unit", "yunit")


def propose_single_y(lines: Lines, encoding: str, least: int = 0) -> Proposal | None:
    """Propose one column of intensities whose axis stands above it; None where nothing says the axis.

    Parameters
    ----------
    lines
        The lines of the text.
    encoding
        Of the text.
    least
        How many rows a table of several columns has: fewer lone numbers than that are no spectrum.
    """
    lone = lines.candidate & (lines.words() == 1) & (lines.count(ord(";")) == 0)
    kept = np.flatnonzero(~lines.blank)
    begin, length = _longest(lone[kept])
    if length < max(LEAST_POINTS, least):
        return None
    rows = kept[begin : begin + length]
    above = [lines.line(i) for i in range(int(rows[0]))]
    metadata = metadata_of(tuple(above))
    said = {key.casefold(): key for key in metadata}
    keys = [next((said[k] for k in names if k in said), None) for names in (_FIRST_KEYS, _LAST_KEYS, _COUNT_KEYS)]
    hidden = lines.gap if rows[0] < lines.head <= rows[-1] else 0
    if all(keys):
        first, last, count = (key_number(metadata, above, key) for key in keys if key is not None)
        start = int(rows[0])
    elif not any(line.strip() for line in above) and length > _ASP_LINES:
        head = [lines.line(int(i)) for i in rows[:_ASP_LINES]]
        first, last, count = (_number(head[i]) for i in (1, 2, 0))
        keys = [f"line {lines.number(int(rows[i]))}" for i in (1, 2, 0)]
        start = int(rows[_ASP_LINES])
        length -= _ASP_LINES
    else:
        return None
    if first is None or last is None or count is None or first == last or count != length + hidden:
        return None
    unit = next((unit_of(metadata[said[key]]) for key in _UNIT_KEYS if key in said), None)
    signal = next((meaning(metadata[said[key]]) for key in _QUANTITY_KEYS if key in said), None)
    quantity = signal.quantity if signal is not None else Quantity.UNKNOWN
    kind = AxisKind.WAVELENGTH if unit in ("nm", "um") else AxisKind.UNKNOWN
    decimal = "comma" if any("," in lines.line(int(i)) for i in rows[:50]) else "point"
    plan = Plan.model_construct(
        technique=technique_in("\n".join(above), []),
        encoding=encoding,
        delimiter="blank",
        decimal=decimal,
        first_data_line=lines.number(start),
        orientation=Orientation.SINGLE_Y,
        axis=AxisPlan.model_construct(
            first_key=keys[0],
            last_key=keys[1],
            count_key=keys[2],
            kind=kind,
            unit=unit,
            direction="ascending" if last > first else "descending",
        ),
        spectra=(SpectrumPlan(column=0, quantity=quantity, unit=signal.unit if signal is not None else None),),
    )
    return Proposal(
        plan=plan,
        evidence=(
            Evidence("points", 1.0, f"{count:g} lone numbers, as many as are declared"),
            Evidence("axis", 0.97, f"from {keys[0]} to {keys[1]} in even steps"),
        ),
        first=first,
        last=last,
        count=int(count),
        covered=not lines.gap or bool(hidden),
    )


def key_number(metadata: dict[str, str], above: list[str], key: str) -> float | None:
    """The number that a key of the preamble, or ``line 3``, says."""
    if key in metadata:
        return _number(metadata[key])
    word, _, number = key.partition(" ")
    if word == "line" and number.isdecimal() and 0 < int(number) <= len(above):
        return _number(above[int(number) - 1])
    return None


def _number(text: str) -> float | None:
    text = text.strip().replace(",", ".")
    try:
        number = float(text.split()[0]) if text else None
    except ValueError:
        return None
    return number if number is None or np.isfinite(number) else None


def _longest(mask: np.ndarray) -> tuple[int, int]:
    """Begin and length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    if not edges.size:
        return 0, 0
    begins, lengths = edges[::2], edges[1::2] - edges[::2]
    at = int(np.argmax(lengths))
    return int(begins[at]), int(lengths[at])
