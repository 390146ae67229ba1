"""A band of tolerance from a file: an axis, and either two limits or a middle and a width."""

from __future__ import annotations

from pathlib import Path

from batchlab.errors import DataError
from batchlab.spectra._conformity import Band, band_about, band_between
from batchlab.spectra._read._columns import choose_axis
from batchlab.spectra._read._layout import read_layout

__all__ = ["read_band"]

_LOWER = ("lower", "low", "lower limit", "minimum", "min")
_UPPER = ("upper", "high", "upper limit", "maximum", "max")
_MIDDLE = ("mean", "middle", "centre", "center", "reference")
_WIDTH = ("tolerance", "width", "half-width", "sd", "standard deviation")


def read_band(path: Path) -> Band:
    """Read a band of tolerance from a text table with a header.

    Parameters
    ----------
    path
        Its columns are the axis, and ``lower`` and ``upper``, or ``mean`` and ``tolerance`` (half the width).

    Raises
    ------
    DataError
        The reasons of `read_layout`, and ``not-a-band``.
    """
    layout = read_layout(path)
    at = choose_axis(path, layout.values, layout.names, layout.meanings, None)
    names = [name.split("(")[0].split("[")[0].strip().casefold() for name in layout.names]

    def column(words: tuple[str, ...]) -> int | None:
        return next((i for i, name in enumerate(names) if i != at and name in words), None)

    axis = layout.values[:, at]
    for first, second, make in ((_LOWER, _UPPER, band_between), (_MIDDLE, _WIDTH, band_about)):
        one, other = column(first), column(second)
        if one is not None and other is not None:
            return make(axis, layout.values[:, one], layout.values[:, other], words=f"the band of {Path(path).name}")
    raise DataError(
        f"{path}: no band of tolerance: it needs an axis and the columns lower and upper, or mean and tolerance; "
        f"there are {', '.join(layout.names) or 'no names'}",
        reason="not-a-band",
    )
