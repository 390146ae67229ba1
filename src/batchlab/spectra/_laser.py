"""The laser line that a Raman shift counts from, as the files of instruments say it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from batchlab.spectra._kinds import AxisKind
from batchlab.spectra._pretreatment._region import REGIONS
from batchlab.spectra._pretreatment._steps import Mask

if TYPE_CHECKING:
    from batchlab.spectra._recipe import Recipe

__all__ = ["laser_line_of", "laser_without_effect"]

_KEY = re.compile(
    r"(?:laser|excitation)(?:[ _\-]*(?:laser|wave[ _\-]?length|line))*[ _\-]*[\[(]?(?P<unit>nm)?[\])]?\s*\.?",
    re.IGNORECASE,
)
_VALUE = re.compile(r"\s*(?P<number>\d+(?:[.,]\d+)?)\s*(?P<unit>nm)?\b.*", re.IGNORECASE)
_OF_LENGTH = re.compile(r"wave[ _\-]?length|line", re.IGNORECASE)
_FROM_NM, _TO_NM = 150.0, 3000.0
_SAME_NM = 0.5


def laser_line_of(metadata: Mapping[str, str]) -> float | None:
    """Find the laser line among what a file says.

    Parameters
    ----------
    metadata
        Keys and values as written, such as ``laser_wavelength: 784,9`` or ``Laser: 532 nm``.

    Returns
    -------
    float or None
        In nm; None where nothing says it, or where two keys say different lines.
    """
    found = []
    for key, text in metadata.items():
        of_laser, written = _KEY.fullmatch(key.strip()), _VALUE.fullmatch(str(text))
        if of_laser is None or written is None:
            continue
        # A bare "laser" may be its power, its number or its name.
        if not (of_laser["unit"] or written["unit"] or _OF_LENGTH.search(key)):
            continue
        line = float(written["number"].replace(",", "."))
        if _FROM_NM <= line <= _TO_NM:
            found.append(line)
    return found[0] if found and max(found) - min(found) < _SAME_NM else None


def laser_without_effect(recipe: Recipe, kinds: Collection[AxisKind]) -> str | None:
    """What to tell of a laser line that is stated, and by which nothing is converted.

    Parameters
    ----------
    recipe
        What is done.
    kinds
        What the axes are before it.

    Returns
    -------
    str or None
        None where no line is stated, or an axis or a named region is converted by it.
    """
    if recipe.laser_nm is None:
        return None
    raman = AxisKind.RAMAN_SHIFT
    masked = [region for step in recipe.steps if isinstance(step, Mask) for region in step.regions]
    known_in = {unit for region in masked if isinstance(region, str) for _, _, unit in REGIONS[region]}
    compared_in = set(kinds) if recipe.to_axis is None else {recipe.to_axis}
    by_axis = recipe.to_axis is not None and any((kind is raman) != (recipe.to_axis is raman) for kind in kinds)
    by_region = any((kind is raman) != (unit == "shift") for kind in compared_in for unit in known_in)
    if by_axis or by_region:
        return None
    return (
        f"laser_nm: {recipe.laser_nm:g} has no effect: nothing is converted between Raman shift and another axis; "
        "write to_axis, such as wavelength, if that is meant"
    )
