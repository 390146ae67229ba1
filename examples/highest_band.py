"""A task of one's own: where a spectrum is highest, within a range."""

from __future__ import annotations

import csv

from batchlab.engine import JobContext
from batchlab.errors import DataError
from batchlab.spectra import read_text


def highest_band(ctx: JobContext, *, low: float, high: float, half_width: int = 20) -> dict[str, float]:
    """Position and height of the highest point between `low` and `high`, in the units of the file."""
    ctx.stage("load")
    spectrum = read_text(ctx.input("sample"))
    inside = (spectrum.axis >= low) & (spectrum.axis <= high)
    if not inside.any():
        raise DataError(
            f"{ctx.input('sample')}: no point between {low:g} and {high:g}; the axis runs from "
            f"{spectrum.axis.min():g} to {spectrum.axis.max():g}",
            reason="out-of-range",
        )
    axis, intensity = spectrum.axis[inside], spectrum.intensity[inside]
    at = int(intensity.argmax())
    if ctx.wanted("table"):
        ctx.stage("table")
        around = slice(max(0, at - half_width), at + half_width + 1)
        with open(ctx.output("table"), "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["axis", "intensity"])
            writer.writerows(zip(axis[around].tolist(), intensity[around].tolist(), strict=True))
    return {"position": float(axis[at]), "height": float(intensity[at])}
