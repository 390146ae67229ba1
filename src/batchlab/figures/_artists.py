"""What lies on axes besides curves: bands, legends, labels of peaks, numbers of logarithms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.figures._decimate import Floats
from batchlab.figures._palette import PALETTE, Role
from batchlab.figures._text import MAX_LABEL, plain_text, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

    from batchlab.figures._kind import Band

_PEAK_PT = 8.0
_ABOVE_PT = 7.2  # from a peak to its label: the mark is 4 high, and has 2.5 on either side
_BESIDE_PT = 8.5
_FAR = 1e6  # spans of an axis beyond its limits
_FEW_DECADES = 1.6  # in sight: beyond, powers of ten say enough
_BETWEEN = ((0.35, range(1, 10)), (0.75, (2, 3, 4, 5, 6, 8)), (1.2, (2, 3, 5)), (_FEW_DECADES, (2, 5)))  # by decades
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def cut(values: Floats, limits: tuple[float, float]) -> Floats:
    """Values within a million spans of the limits; NaN where they are not finite."""
    low, high = min(limits), max(limits)
    far = _FAR * (high - low)
    if low - far <= np.fmin.reduce(values) and np.fmax.reduce(values) <= high + far:
        return values
    return np.where(np.isfinite(values), np.clip(values, low - far, high + far), np.nan)


def label_marks(axes: Axes, x: Floats, y: Floats) -> list[Text]:
    """Write the x of marks beside them, in the order given, as far as there is room."""
    dpi = axes.figure.dpi
    width_in, height_in = axes.bbox.width / dpi, axes.bbox.height / dpi
    span = abs(axes.get_xlim()[1] - axes.get_xlim()[0])
    decimals = max(0, 3 - math.ceil(math.log10(span)))
    room = 1.2 * _PEAK_PT / 72 / width_in
    inside = np.isfinite(x) & np.isfinite(y)
    places = axes.transAxes.inverted().transform(axes.transData.transform(np.column_stack((x[inside], y[inside]))))
    made: list[Text] = []
    taken: list[float] = []
    for value, (across, up) in zip(x[inside], places, strict=True):
        if not (0 <= across <= 1 and 0 <= up <= 1) or any(abs(across - other) < room for other in taken):
            continue
        text = f"{value:.{decimals}f}".replace("-", "\N{MINUS SIGN}")
        highest = 1 - len(text) * 0.68 * _PEAK_PT / 72 / height_in
        above = up + _ABOVE_PT / 72 / height_in
        if above > highest:  # beside the mark, which would cover it
            turn = 1 if across + 1.5 * room <= 1 else -1
            across += turn * _BESIDE_PT / 72 / width_in
            above = min(up, highest)
            if any(abs(across - other) < room for other in taken):
                continue
        taken.append(across)
        made.append(
            axes.text(
                across,
                above,
                text,
                transform=axes.transAxes,
                rotation=90,
                ha="center",
                va="bottom",
                fontsize=_PEAK_PT,
                color="#404040",
            )
        )
    return made


def fill(axes: Axes, band: Band) -> Any:
    """Put a band onto axes."""
    colour = band.colour or PALETTE[band.role].colour
    return axes.fill_between(
        cut(band.x, axes.get_xlim()),
        cut(band.low, axes.get_ylim()),
        cut(band.high, axes.get_ylim()),
        color=colour,
        alpha=band.opacity,
        linewidth=0,
    )


def add_legend(axes: Axes, named: Sequence[tuple[Any, str]], width_px: float) -> None:
    """Put a legend above the axes, where it hides no curve, in as few rows as fit the width."""
    shown = [(artist, shortened(plain_text(label), MAX_LABEL)) for artist, label in named if label]
    for columns in range(len(shown), 0, -1):
        legend = axes.legend(
            *zip(*shown, strict=True),
            ncols=columns,
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            frameon=False,
            borderaxespad=0.1,
        )
        if legend.get_window_extent().width <= width_px:
            return


def write_powers(axis: Any) -> None:
    """Numbers along a logarithmic axis in plain text, for no text here is mathematics: 0.01, 10⁻⁶.

    Where fewer than two powers of ten are in sight, or hardly more than a decade, numbers between them are written too.
    """
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: power(value)))
    axis.set_minor_formatter(FuncFormatter(lambda value, _: between_powers(value, tuple(axis.get_view_interval()))))


def power(value: float) -> str:
    """A power of ten as text, or a few of them: 10⁻⁶, 2×10⁻⁶."""
    if value <= 0 or 1e-3 <= value < 1e4:
        return f"{value:g}"
    exponent = math.floor(math.log10(value * (1 + 1e-12)))
    raised = f"10{str(exponent).translate(_RAISED)}"
    few = f"{value / 10.0**exponent:.3g}"
    return raised if few == "1" else f"{few}×{raised}"


def between_powers(value: float, limits: tuple[float, float]) -> str:
    """The text of a tick between powers of ten: nothing where powers say enough.

    Parameters
    ----------
    limits
        Of what is in sight, either the larger.
    """
    low, high = min(limits), max(limits)
    if not 0 < low < high or value <= 0:
        return ""
    decades = math.log10(high / low)
    if decades > _FEW_DECADES:
        return ""
    digit = value / 10.0 ** math.floor(math.log10(value * (1 + 1e-12)))
    whole = round(digit)
    shown = next(digits for most, digits in _BETWEEN if decades <= most)
    # What is no whole multiple of a power was put there by a locator that found too few of them.
    return power(value) if abs(digit - whole) > 1e-6 or whole in shown else ""


def line_look(role: Role, colour: str | None = None, width_pt: float | None = None) -> dict[str, Any]:
    """How a curve looks, in matplotlib's words."""
    style = PALETTE[role]
    if style.marked:
        # The tip of the mark is at the point.
        return {"color": colour or style.colour, "linestyle": "none", "marker": 7, "markersize": 5.0}
    dashes = (0, style.dashes) if style.dashes else "-"
    return {"color": colour or style.colour, "linewidth": width_pt or style.width_pt, "linestyle": dashes}
