"""Pictures of spectrograms: rows of panels, zooms, marks, ticks of the orbit."""

from batchlab.particles._draw._drawn import FACTS, DrawnSpectrograms, draw
from batchlab.particles._draw._model import (
    COLORMAPS,
    MarkStyle,
    Row,
    SpectrogramSheet,
    Zoom,
    instrument_grid,
    pitch_grid,
    zoom_around,
    zoom_each,
)

__all__ = [
    "COLORMAPS",
    "FACTS",
    "DrawnSpectrograms",
    "MarkStyle",
    "Row",
    "SpectrogramSheet",
    "Zoom",
    "draw",
    "instrument_grid",
    "pitch_grid",
    "zoom_around",
    "zoom_each",
]
