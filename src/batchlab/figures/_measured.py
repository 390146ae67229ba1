"""Texts that are measured once for each drawing.

matplotlib asks for the layout of a text at every box around it: five times for a name in a legend, three times for the
number at a tick. That takes a fifth of the time of a plot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["measure_once"]


def measure_once(figure: Figure) -> None:
    """Let the texts of a figure remember how they were laid out last.

    Afterwards their words and sizes may change, but neither their angles nor how their lines are aligned.
    """
    from matplotlib.text import Annotation, Text

    for text in figure.findobj(Text):
        if not isinstance(text, Annotation) and hasattr(text, "_get_layout"):
            _remember(text)


def _remember(text: Any) -> None:
    measure = text._get_layout
    last: tuple[Any, ...] = ()
    layout: Any = None

    def laid_out(renderer: Any) -> Any:
        nonlocal last, layout
        # A file has its own renderer; the one for pixels is another at another resolution.
        now = (ref(renderer), text.figure.dpi, text.get_text(), text.get_fontsize())
        if now != last:
            last, layout = now, measure(renderer)
        return layout

    text._get_layout = laid_out
