"""The laser line that a Raman shift counts from, as the files of instruments say it."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["laser_line_of"]

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
