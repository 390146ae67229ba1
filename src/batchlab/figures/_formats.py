"""The formats that pictures are written in, by what a file's name ends in; told without loading anything."""

from __future__ import annotations

from pathlib import PurePath

from batchlab.errors import Category, PlotError

RASTER = (".png", ".jpg", ".jpeg", ".webp")
VECTOR = (".pdf", ".svg")
FORMATS = (*RASTER, *VECTOR)


def check_format(name: str | PurePath) -> str:
    """What the name of a picture ends in, in small letters.

    Cheap enough for a plan: a wrong ending need not wait for the first job to be found.

    Raises
    ------
    PlotError
        Category ``output``, reason ``unknown-format``: no picture is written so.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix not in FORMATS:
        raise PlotError(
            f"{name}: pictures are written as {', '.join(FORMATS)}; let the name end so",
            category=Category.OUTPUT,
            reason="unknown-format",
        )
    return suffix
