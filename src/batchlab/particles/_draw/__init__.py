"""Pictures of spectrograms: rows of panels, zooms, marks, ticks of the orbit."""

from batchlab.particles._draw._cuts import energy_cut, pitch_cut, time_cut
from batchlab.particles._draw._drawn import FACTS, DrawnSpectrograms, draw
from batchlab.particles._draw._model import (
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
    "FACTS",
    "DrawnSpectrograms",
    "MarkStyle",
    "Row",
    "SpectrogramSheet",
    "Zoom",
    "draw",
    "energy_cut",
    "instrument_grid",
    "pitch_cut",
    "pitch_grid",
    "time_cut",
    "zoom_around",
    "zoom_each",
]
