"""Fast drawing of pictures that share everything but a curve or two, and plain drawing of all others.

A `FigureKind` says what pictures of lines have in common; a `Canvas` holds the drawn background of one kind and
puts picture after picture on it. A `Sheet` says all that a single picture shows: lines, bands, points, meshes, in
one or many plots; a `Picture` is that sheet, drawn. Both save as PNG, JPEG, WebP, PDF and SVG, with their
provenance inside.

A name is imported when it is first asked for: formats are checked, and provenance is read, without numpy, and
nothing here loads matplotlib before a picture is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchlab._lazy import lazy_names

if TYPE_CHECKING:
    from batchlab.figures._artists import power
    from batchlab.figures._canvas import Canvas, canvas_for
    from batchlab.figures._cells import Places, place_cells
    from batchlab.figures._facts import PictureFacts, check_picture, picture_facts
    from batchlab.figures._formats import FORMATS, check_format
    from batchlab.figures._kind import Band, Curve, FigureKind, Line, Panel, Slot
    from batchlab.figures._legend import Legend, Lettering
    from batchlab.figures._palette import CYCLE, PALETTE, SYMBOLS, Role, Style
    from batchlab.figures._picture import Picture
    from batchlab.figures._png import encode_png
    from batchlab.figures._provenance import read_provenance
    from batchlab.figures._save import encode, save
    from batchlab.figures._scene import TABLE, TABLE_SIZE, Box, Ink, Part, Scene, Tile, Wedge, Words, colour_table
    from batchlab.figures._scene_picture import ScenePicture
    from batchlab.figures._scene_raster import width_px
    from batchlab.figures._sheet import Mesh, Name, Plot, Points, Rule, Sheet, ellipse, shades
    from batchlab.figures._text import shortened
    from batchlab.figures._thumbnail import thumbnail

_HOMES = {
    "_artists": ("power",),
    "_canvas": ("Canvas", "canvas_for"),
    "_cells": ("Places", "place_cells"),
    "_facts": ("PictureFacts", "check_picture", "picture_facts"),
    "_formats": ("FORMATS", "check_format"),
    "_kind": ("Band", "Curve", "FigureKind", "Line", "Panel", "Slot"),
    "_legend": ("Legend", "Lettering"),
    "_palette": ("CYCLE", "PALETTE", "SYMBOLS", "Role", "Style"),
    "_picture": ("Picture",),
    "_png": ("encode_png",),
    "_provenance": ("read_provenance",),
    "_save": ("encode", "save"),
    "_scene": ("TABLE", "TABLE_SIZE", "Box", "Ink", "Part", "Scene", "Tile", "Wedge", "Words", "colour_table"),
    "_scene_picture": ("ScenePicture",),
    "_scene_raster": ("width_px",),
    "_sheet": ("Mesh", "Name", "Plot", "Points", "Rule", "Sheet", "ellipse", "shades"),
    "_text": ("shortened",),
    "_thumbnail": ("thumbnail",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "power",
    "Places",
    "place_cells",
    "save",
    "TABLE",
    "TABLE_SIZE",
    "Box",
    "Ink",
    "Part",
    "Scene",
    "Tile",
    "Wedge",
    "Words",
    "colour_table",
    "ScenePicture",
    "width_px",
    "CYCLE",
    "FORMATS",
    "PALETTE",
    "SYMBOLS",
    "Band",
    "Canvas",
    "Curve",
    "FigureKind",
    "Legend",
    "Lettering",
    "Line",
    "Mesh",
    "Name",
    "Panel",
    "Picture",
    "PictureFacts",
    "Plot",
    "Points",
    "Role",
    "Rule",
    "Sheet",
    "Slot",
    "Style",
    "canvas_for",
    "check_format",
    "check_picture",
    "ellipse",
    "encode",
    "encode_png",
    "picture_facts",
    "read_provenance",
    "shades",
    "shortened",
    "thumbnail",
]

__getattr__, __dir__ = lazy_names(__name__, _HOME_OF)
