"""The nouns of a picture that is drawn once: a sheet of plots, and the marks on them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from batchlab.errors import PlotError
from batchlab.figures._kind import Band, Line, check_limits, check_size, checked_points, keep
from batchlab.figures._legend import PLAIN, Legend, Lettering
from batchlab.figures._palette import CYCLE, Role

# Every eighth of viridis up to three quarters, where it grows too pale for a line on white.
_VIRIDIS = ("#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Points:
    """Points that no line joins.

    Parameters
    ----------
    x, y
        (n,) arrays in the plot's units; kept as read-only copies. What is not finite is not shown.
    label
        Their name in the legend; without one they have no entry there.
    colour, symbol, size_pt
        ``#rrggbb``; a symbol of matplotlib's; its diameter in points.
    hollow
        Whether only the outline is drawn, as a ring around other points is.
    names
        What to write beside each, as far as there is room, first come first served; an empty text writes nothing.

    Raises
    ------
    PlotError
        If the arrays do not match, or there are names but not one for each point.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    label: str = ""
    colour: str = CYCLE[0]
    symbol: str = "o"
    size_pt: float = 5.0
    hollow: bool = False
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        x, y = checked_points((self.x, self.y), f"points {self.label!r}")
        if self.names and len(self.names) != x.size:
            raise PlotError(f"points {self.label!r}: {len(self.names)} names for {x.size} points; give one each")
        keep(self, x=x, y=y)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mesh:
    """Cells of colour, with a colour bar beside the plot.

    Where cells are finer than pixels a pixel shows their mean; so it does in vector formats, where a mesh is an
    image of the picture's own resolution.

    Parameters
    ----------
    x_edges, y_edges
        (n + 1,) and (m + 1,) arrays that run strictly up or down; cells may differ in width. Read-only copies.
    values
        (m, n) array: a row per cell of y. What is not finite stays blank; so does, with `log`, what is not positive.
    label
        Of the colour bar, with its unit.
    limits
        Values of the two ends of the colours; by default those of the values.
    log
        Whether colours are spread over the logarithm of the values.
    diverging
        Whether the colours tell what lies above zero from what lies below; the default limits then are symmetric.

    Raises
    ------
    PlotError
        If the edges do not fit the values or do not run one way, or no cell has a value to show.
    """

    x_edges: NDArray[np.float64]
    y_edges: NDArray[np.float64]
    values: NDArray[np.float64]
    label: str
    limits: tuple[float, float] | None = None
    log: bool = False
    diverging: bool = False

    def __post_init__(self) -> None:
        x, y, values = (np.asarray(given, dtype=np.float64) for given in (self.x_edges, self.y_edges, self.values))
        if x.ndim != 1 or y.ndim != 1 or values.shape != (y.size - 1, x.size - 1):
            raise PlotError(
                f"mesh {self.label!r}: values have shape {values.shape}, edges {y.shape} and {x.shape}; "
                "give one edge more than there are rows, and one more than there are columns"
            )
        for edges, name in ((x, "x"), (y, "y")):
            steps = np.diff(edges)
            if not (np.isfinite(edges).all() and edges.size > 1 and ((steps > 0).all() or (steps < 0).all())):
                raise PlotError(f"mesh {self.label!r}: edges of {name} must run strictly up or down")
        if self.log and self.diverging:
            raise PlotError(f"mesh {self.label!r}: a logarithm has no zero to diverge from; choose one")
        shown = values[np.isfinite(values) & ((values > 0) | (not self.log))]
        if self.limits is None and not shown.size:
            raise PlotError(f"mesh {self.label!r} has no value to show; give limits, or values")
        limits = self.limits or _ends(float(shown.min()), float(shown.max()), diverging=self.diverging, log=self.log)
        check_limits(limits, f"mesh {self.label!r}")
        if limits[0] > limits[1] or (self.log and limits[0] <= 0):
            raise PlotError(f"limits of mesh {self.label!r} are {limits!r}; give low, high, with log both above 0")
        object.__setattr__(self, "limits", limits)
        keep(self, x_edges=x, y_edges=y, values=values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A straight line across a plot, such as a limit."""

    at: float
    upright: bool = False
    label: str = ""
    role: Role = Role.LIMIT
    colour: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A text beside an axis in place of a number."""

    at: float
    text: str
    colour: str = "#000000"


Mark: TypeAlias = Line | Band | Points | Mesh | Rule


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plot:
    """One pair of axes and what is on it.

    Parameters
    ----------
    marks
        Drawn in this order, later ones on top.
    x_limits, y_limits
        Left, right; bottom, top. Either may be the larger.
    x_label, y_label
        With units. Plain text.
    x_log, y_log
        Whether an axis is logarithmic.
    title
        Above the plot.
    legend
        Above the plot, right; or where a `Legend` says.
    x_names, y_names
        Texts in place of the numbers of an axis, as many as there is room for, evenly chosen.
    y_names_right
        Whether those of y stand at the right, beside numbers at the left.
    x_scientific
        Whether numbers along x are written as multiples of a power of ten.
    grid
        Whether grid lines are drawn; behind a mesh there are none.
    height
        Of its row, relative to other rows.
    tells_cut
        Whether the plot says so where a line leaves its linear y axis.

    Raises
    ------
    PlotError
        If limits are none, or a plot shows nothing or more than one mesh.
    """

    marks: tuple[Mark, ...]
    x_limits: tuple[float, float]
    y_limits: tuple[float, float]
    x_label: str = ""
    y_label: str = ""
    x_log: bool = False
    y_log: bool = False
    title: str = ""
    legend: bool | Legend = False
    x_names: tuple[Name, ...] = ()
    y_names: tuple[Name, ...] = ()
    y_names_right: bool = False
    x_scientific: bool = False
    grid: bool = True
    height: float = 1.0
    tells_cut: bool = False

    def __post_init__(self) -> None:
        what = f"plot {self.title or self.y_label!r}"
        for limits, log, name in ((self.x_limits, self.x_log, "x"), (self.y_limits, self.y_log, "y")):
            check_limits(limits, f"{name} of {what}")
            if log and min(limits) <= 0:
                raise PlotError(f"limits of {name} of {what} are {limits!r}; a logarithm needs both above 0")
        if not self.marks:
            raise PlotError(f"{what} shows nothing; give it a mark")
        if sum(isinstance(mark, Mesh) for mark in self.marks) > 1:
            raise PlotError(f"{what} has more than one mesh, of which the last would hide the rest; make more plots")
        if not (math.isfinite(self.height) and self.height > 0):
            raise PlotError(f"{what}: height {self.height!r} must be positive")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sheet:
    """A picture: plots in rows, from the upper left.

    Parameters
    ----------
    plots
        One or more.
    columns
        How many stand beside each other.
    title
        Above all; where it is too long its middle is left out.
    x_label, y_label
        One for all plots, that share the axis: only the outer ones then show numbers.
    size_in, dpi
        Width and height in inches, and pixels per inch.
    margins_in
        Left, right, top and bottom, in inches: those of every sheet of a family, which then look alike, and are drawn
        faster; a legend beside or above the axes gets its room besides. Without them they are learned from the labels.
    gaps_in
        With margins: between plots beside each other, and above each other, in inches.
    lettering
        How letters look.

    Raises
    ------
    PlotError
        If there is no plot, or the size cannot be drawn.
    """

    plots: tuple[Plot, ...]
    columns: int = 1
    title: str = ""
    x_label: str = ""
    y_label: str = ""
    size_in: tuple[float, float] = (10.0, 6.0)
    dpi: float = 300.0
    margins_in: tuple[float, float, float, float] | None = None
    gaps_in: tuple[float, float] | None = None
    lettering: Lettering = PLAIN

    def __post_init__(self) -> None:
        if not self.plots:
            raise PlotError("a sheet needs at least one plot; give plots=(Plot(...),)")
        if self.columns < 1:
            raise PlotError(f"{self.columns} plots cannot stand beside each other; give columns=1 or more")
        check_size(self.size_in, self.dpi)

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return round(self.size_in[0] * self.dpi), round(self.size_in[1] * self.dpi)


def shades(count: int) -> tuple[str, ...]:
    """Colours for curves that have an order, from dark to light, told apart by lightness alone too."""
    anchors = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in _VIRIDIS], dtype=float)
    at = np.linspace(0, len(anchors) - 1, count) if count > 1 else np.zeros(count)
    mixed = np.column_stack([np.interp(at, np.arange(len(anchors)), channel) for channel in anchors.T])
    return tuple("#{:02x}{:02x}{:02x}".format(*row) for row in np.rint(mixed).astype(int).tolist())


def ellipse(
    centre: tuple[float, float], semi_axes: tuple[float, float], *, angle_deg: float = 0.0, label: str = ""
) -> Line:
    """The outline of an ellipse, as a limit.

    Parameters
    ----------
    centre, semi_axes
        In the plot's units; the angle turns the first semi-axis from x towards y.
    """
    turn, angle = np.linspace(0, 2 * np.pi, 361), math.radians(angle_deg)
    along, across = semi_axes[0] * np.cos(turn), semi_axes[1] * np.sin(turn)
    return Line(
        x=centre[0] + along * math.cos(angle) - across * math.sin(angle),
        y=centre[1] + along * math.sin(angle) + across * math.cos(angle),
        label=label,
        role=Role.LIMIT,
    )


def _ends(low: float, high: float, *, diverging: bool, log: bool) -> tuple[float, float]:
    """Limits that span something, for values that may all be the same."""
    if diverging:
        far = max(abs(low), abs(high)) or 1.0
        return -far, far
    if high - low > 1e-9 * max(abs(low), abs(high)):
        return low, high
    if log:
        return low / 2, high * 2
    half = abs(low) / 2 or 1.0
    return low - half, high + half
