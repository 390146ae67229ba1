"""How the pictures of this domain look: themes, palettes, sizes, letters.

Palettes that tell groups apart are the schemes of Tol [1]_ and of Okabe and Ito [2]_, made for every kind of colour
vision; past eight curves colours run from dark to light, in the order of the runs.

References
----------
.. [1] P. Tol, *Colour Schemes*, SRON/EPS/TN/09-002, issue 3.2, 2021.
.. [2] M. Okabe and K. Ito, *Color Universal Design*, 2002.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

if TYPE_CHECKING:
    from batchlab.figures import Legend, Plot, Sheet

__all__ = ["PALETTES", "THEMES", "Look", "Palette", "Theme"]

_MOST_GROUPS = 8  # that can be told apart by hue; more follow an order


class Theme(StrEnum):
    """A whole design: size, letters, lines, colours."""

    PRISM_RAIN = "prism_rain"
    PAPER = "paper"
    PRESENTATION = "presentation"
    MINIMAL = "minimal"


class Palette(StrEnum):
    """Colours of curves."""

    PRISM_RAIN = "prism_rain"
    DEEP_RAIN = "deep_rain"
    SCIENTIFIC = "scientific"
    MINIMAL = "minimal"
    VIVID = "vivid"


PALETTES: dict[Palette, tuple[str, ...]] = {
    # Tol's bright, with black for grey, which reads as a grid line.
    Palette.PRISM_RAIN: ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377", "#000000"),
    # Tol's muted.
    Palette.DEEP_RAIN: ("#332288", "#CC6677", "#117733", "#88CCEE", "#882255", "#44AA99", "#999933", "#AA4499"),
    # Okabe's and Ito's, but Tol's wine for yellow: pale on white; darkened, their orange to people without red cones.
    Palette.SCIENTIFIC: ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000", "#882255"),
    Palette.MINIMAL: ("#000000", "#0072B2", "#8C8C8C", "#56B4E9"),
    # Tol's vibrant.
    Palette.VIVID: ("#EE7733", "#0077BB", "#009988", "#CC3311", "#33BBEE", "#EE3377", "#000000"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Design:
    size_in: tuple[float, float]
    scale: float
    line_pt: float
    palette: Palette
    place: str
    title: bool = True


THEMES: dict[Theme, _Design] = {
    Theme.PRISM_RAIN: _Design(size_in=(7.2, 4.4), scale=1.0, line_pt=1.3, palette=Palette.PRISM_RAIN, place="right"),
    Theme.PAPER: _Design(
        size_in=(5.2, 3.3), scale=0.86, line_pt=1.0, palette=Palette.SCIENTIFIC, place="right", title=False
    ),
    Theme.PRESENTATION: _Design(size_in=(10.0, 5.6), scale=1.4, line_pt=2.2, palette=Palette.VIVID, place="right"),
    Theme.MINIMAL: _Design(size_in=(6.4, 4.0), scale=0.95, line_pt=1.1, palette=Palette.MINIMAL, place="best"),
}

_MARGINS_IN = (0.82, 0.2, 0.2, 0.55)  # left, right, top, bottom, at letters of scale 1
_TITLE_IN = 0.24
_NAME_IN = 0.1  # of plots, besides
_GAP_IN = (0.78, 0.8)  # between plots across and down
_PANEL_SHARE = 0.62  # of a plot's height, for each further row


class Look(BaseModel):
    """How pictures look.

    Attributes
    ----------
    theme
        Sets what is not set here.
    palette
        In place of the theme's.
    font, font_weight
        Of all letters; a font must be on the machine that draws.
    dpi
        Pixels per inch of a raster format.
    format
        pdf, png, svg or jpg.
    size_in
        Width and height in inches, in place of the theme's.
    line_pt
        Width of curves in points.
    legend_place, legend_scale, legend_alpha
        Where the names stand, how large, and how opaque their ground is on the axes.
    grid
        Whether grid lines are drawn.
    title
        Whether a picture has a title; None leaves it to the theme.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    theme: Theme = Theme.PRISM_RAIN
    palette: Palette | None = None
    font: str | None = None
    font_weight: Literal["normal", "bold", "light", "medium", "semibold"] = "normal"
    dpi: Annotated[int, Field(ge=72, le=1200)] = 300
    format: Literal["png", "pdf", "svg", "jpg"] = "pdf"
    size_in: tuple[Annotated[float, Field(ge=1, le=40)], Annotated[float, Field(ge=1, le=40)]] | None = None
    line_pt: Annotated[float, Field(gt=0, le=10)] | None = None
    legend_place: Literal["right", "best", "upper left", "upper right", "lower left", "lower right", "above"] | None = (
        None
    )
    legend_scale: Annotated[float, Field(ge=0.2, le=5)] = 1.0
    legend_alpha: Annotated[float, Field(ge=0, le=1)] = 0.85
    grid: bool = False
    title: bool | None = None

    @field_validator("size_in", mode="before")
    @classmethod
    def _two_sides(cls, value: Any) -> Any:
        """Two numbers, ``12,8`` or ``12x8``."""
        if value is None:
            return None
        sides = re.split(r"\s*[x\u00d7,]\s*", value.strip()) if isinstance(value, str) else value
        if not isinstance(sides, list | tuple) or len(sides) != 2:
            raise ValueError("write width and height in inches, as in 12,8")
        return tuple(sides)

    @property
    def width_pt(self) -> float:
        """Of curves."""
        return self.line_pt or THEMES[self.theme].line_pt

    @property
    def mark_pt(self) -> float:
        """Diameter of points."""
        return 4.2 + 1.2 * THEMES[self.theme].line_pt

    def colours(self, count: int) -> tuple[str, ...]:
        """So many colours: of groups if they are few, else in an order."""
        from batchlab.figures import shades

        palette = PALETTES[self.palette or THEMES[self.theme].palette]
        return palette[:count] if count <= min(_MOST_GROUPS, len(palette)) else shades(count)

    def legend(self, title: str = "") -> Legend:
        """The legend of a plot."""
        from batchlab.figures import Legend

        place = self.legend_place or THEMES[self.theme].place
        return Legend(title=title, place=place, scale=self.legend_scale, opacity=self.legend_alpha)

    def sheet(self, plots: tuple[Plot, ...], title: str, *, columns: int = 1) -> Sheet:
        """A picture of plots, whose margins are those of all pictures of this look.

        Parameters
        ----------
        plots
            From the upper left.
        title
            Above all, if the look has titles.
        columns
            How many stand beside each other.
        """
        from batchlab.figures import Lettering, Sheet

        design = THEMES[self.theme]
        shown = (design.title if self.title is None else self.title) and bool(title)
        rows = -(-len(plots) // columns)
        heights = sum(plot.height for plot in plots[::columns])
        width, height = self.size_in or design.size_in
        if self.size_in is None:
            width *= 1 + 0.45 * (columns - 1)
            height *= 1 + _PANEL_SHARE * (heights - 1) if rows > 1 else 1.0
        named = _NAME_IN if any(plot.title for plot in plots) else 0.0
        left, right, top, bottom = (side * design.scale for side in _MARGINS_IN)
        lettering = Lettering(family=self.font, weight=self.font_weight, scale=design.scale)
        vector = self.format in ("pdf", "svg")
        return Sheet(
            plots=plots,
            columns=columns,
            title=title if shown else "",
            size_in=(width, height),
            # A vector file has no pixels: those are its thumbnail's alone.
            dpi=100.0 if vector else float(self.dpi),
            margins_in=(left, right, top + design.scale * ((_TITLE_IN if shown else 0.0) + named), bottom),
            gaps_in=None if columns == 1 else (_GAP_IN[0] * design.scale, _GAP_IN[1] * design.scale),
            lettering=lettering,
        )
