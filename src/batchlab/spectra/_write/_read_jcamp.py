"""Read back the JCAMP-DX files that we wrote, to the last bit; a reader for those of others is another matter."""

from __future__ import annotations

import json

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._model import Spectrum
from batchlab.spectra._write._facts import spectrum_of
from batchlab.spectra._write._jcamp import LABEL, POINTS

__all__ = ["parse_jcamp"]


def parse_jcamp(text: str, where: str = "the file") -> tuple[Spectrum, ...]:
    """Read back what `format_jcamp` wrote.

    Raises
    ------
    DataError
        Reason ``not-normalized``: it is no such file, or not a whole one.
    """
    lines = text.splitlines()
    found = []
    try:
        at = 0
        while LABEL in lines[at:]:
            begin = lines.index(LABEL, at) + 1
            end = next(i for i in range(begin, len(lines)) if not lines[i].startswith(" "))
            facts = json.loads("".join(line[1:] for line in lines[begin:end]))
            first = lines.index(POINTS, end) + 1
            at = lines.index("##END=", first)
            points = np.array([list(map(float, line.split(", "))) for line in lines[first:at]], dtype=np.float64)
            declared = next(int(line.partition("=")[2]) for line in lines[end:first] if line.startswith("##NPOINTS="))
            if points.shape != (declared, 2):
                raise ValueError(f"{len(points)} points where {declared} are declared")
            found.append(spectrum_of(points[:, 0], points[:, 1], facts["axis"], facts))
        blocks = next((int(line.partition("=")[2]) for line in lines if line.startswith("##BLOCKS=")), 1)
        if found and len(found) != blocks:
            raise ValueError(f"{len(found)} blocks where {blocks} are declared")
    except (KeyError, TypeError, ValueError, StopIteration, DataError) as error:
        raise _unreadable(where, str(error)) from error
    if not found:
        raise _unreadable(where, f"no {LABEL}")
    return tuple(found)


def _unreadable(where: str, problem: str) -> DataError:
    return DataError(
        f"{where}: not JCAMP-DX as we write it ({problem}); write the spectra again", reason="not-normalized"
    )
