"""Fast drawing of line plots that share everything but a curve or two.

A `FigureKind` says what a picture shows; a `Canvas` holds the drawn background of one kind and puts picture
after picture on it. Importing this package loads no matplotlib.
"""

from batchlab.figures._canvas import Canvas, canvas_for
from batchlab.figures._kind import Curve, FigureKind, Line, Panel, Slot
from batchlab.figures._palette import PALETTE, Role, Style
from batchlab.figures._png import encode_png, read_provenance
from batchlab.figures._thumbnail import thumbnail

__all__ = [
    "PALETTE",
    "Canvas",
    "Curve",
    "FigureKind",
    "Line",
    "Panel",
    "Role",
    "Slot",
    "Style",
    "canvas_for",
    "encode_png",
    "read_provenance",
    "thumbnail",
]
