"""Spectra of a plate's wells as SoftMax Pro writes them: below each wavelength the plate, row by row.

A block begins with ``Plate:``, its name and its settings, and ends with ``~End``; a line of column numbers follows,
then for each wavelength one line for each row of the plate, the first of them led by the wavelength and the
temperature. A last plate without a wavelength holds what the program computed of the spectra.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._kinds import AxisKind, Orientation, Quantity
from batchlab.spectra._model import Array
from batchlab.spectra._plan import AxisPlan, Plan, SpectrumPlan
from batchlab.spectra._read._lines import Lines
from batchlab.spectra._read._proposal import Evidence, Proposal
from batchlab.spectra._read._rows import to_number
from batchlab.spectra._read._vocabulary import meaning

__all__ = ["FENCE", "Plate", "propose_plates", "read_plates"]

FENCE = "##BLOCKS="
_NAME, _FORMAT, _MODE, _QUANTITY, _COUNT, _FIRST, _LAST = 1, 3, 4, 5, 8, 11, 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plate:
    """A plate that was read at many wavelengths.

    Attributes
    ----------
    name, quantity
        As the file says.
    line
        Where it begins, counted from 1.
    wavelength : (n,) array
        In nm.
    wells : tuple of str
        ``A1``, ``A2``, ... row by row.
    values : (n, wells) array
        NaN where a well was not read.
    """

    name: str
    quantity: Quantity
    line: int
    wavelength: Array
    wells: tuple[str, ...]
    values: Array


def propose_plates(lines: Lines, encoding: str) -> Proposal | None:
    """Propose the wells of all plates; None where the text is not such an export."""
    if not len(lines) or not lines.line(0).lstrip("\ufeff").startswith(FENCE):
        return None
    at = _spectrum_blocks(lines)
    if not at:
        return None
    settings = _settings(lines.line(at[0]))
    first, last, count = (to_number(settings[i], ".") for i in (_FIRST, _LAST, _COUNT))
    said = meaning(settings[_QUANTITY])
    plan = Plan.model_construct(
        encoding=encoding,
        delimiter="tab",
        decimal="point",
        first_data_line=lines.number(at[0]) + 2,
        begin_fence=FENCE,
        end_fence="~End",
        header_lines=(lines.number(at[0]) + 1,),
        orientation=Orientation.MATRIX,
        axis=AxisPlan.model_construct(column=0, kind=AxisKind.WAVELENGTH, unit="nm", direction="ascending"),
        spectra=(SpectrumPlan(rows="all", quantity=said.quantity, unit=said.unit, name_from="header"),),
    )
    return Proposal(
        plan=plan,
        evidence=(Evidence("program", 0.98, "SoftMax Pro writes a plate below each wavelength"),),
        first=first,
        last=last,
        count=None if count is None or count != count else int(count),
    )


def read_plates(path: Path, lines: Lines) -> tuple[Plate, ...]:
    """Read all plates of spectra.

    Raises
    ------
    DataError
        Reason ``truncated`` where a plate lacks wavelengths that it declares; ``unknown-layout`` where there is no
        plate of spectra.
    """
    plates = tuple(_plate(path, lines, at) for at in _spectrum_blocks(lines))
    if not plates:
        raise DataError(
            f"{path}: no plate with spectra; export each well's spectrum as columns", reason="unknown-layout"
        )
    return plates


def _spectrum_blocks(lines: Lines) -> list[int]:
    """The lines that begin a plate of spectra."""
    found = []
    for i in range(len(lines)):
        if lines.text.startswith("Plate:", lines.starts[i]):
            settings = _settings(lines.line(i))
            if settings[_FORMAT] == "PlateFormat" and settings[_MODE] == "Spectrum":
                found.append(i)
    return found


def _settings(line: str) -> list[str]:
    cells = [cell.strip() for cell in line.split("\t")]
    return cells + [""] * (_LAST + 1 - len(cells))


def _plate(path: Path, lines: Lines, at: int) -> Plate:
    settings = _settings(lines.line(at))
    heads = lines.line(at + 1).split("\t") if at + 1 < len(lines) else []
    columns = [i for i, cell in enumerate(heads) if i >= 2 and cell.strip().isdecimal()]
    wavelengths: list[float] = []
    blocks: list[list[list[float]]] = []
    for i in range(at + 2, len(lines)):
        line = lines.line(i)
        if line.startswith("~End") or not columns:
            break
        if not line.strip():
            if _is_computed(lines, i + 1):
                break
            continue
        cells = line.split("\t")
        lead = to_number(cells[0], ".")
        if lead is not None and lead == lead:
            wavelengths.append(lead)
            blocks.append([])
        if not blocks or len(cells) <= columns[-1]:
            break
        numbers = [to_number(cells[k], ".") for k in columns]
        blocks[-1].append([np.nan if number is None else number for number in numbers])
    declared = to_number(settings[_COUNT], ".")
    depth = {len(block) for block in blocks}
    if declared is None or len(wavelengths) != declared or len(depth) != 1 or not columns:
        raise DataError(
            f"{path}, line {lines.number(at)}: the plate declares {settings[_COUNT]} wavelengths and "
            f"{len(wavelengths)} are there: the file is cut off; copy it again",
            reason="truncated",
        )
    height = depth.pop()
    return Plate(
        name=settings[_NAME],
        quantity=meaning(settings[_QUANTITY]).quantity,
        line=lines.number(at),
        wavelength=np.array(wavelengths),
        wells=tuple(f"{_letters(row)}{heads[k].strip()}" for row in range(height) for k in columns),
        values=np.array(blocks).reshape(len(wavelengths), -1),
    )


def _is_computed(lines: Lines, at: int) -> bool:
    """Whether the line after a blank one begins a plate without a wavelength."""
    return at < len(lines) and not lines.line(at).split("\t")[0].strip()


def _letters(row: int) -> str:
    """A plate's row: A to Z, then AA."""
    return ascii_uppercase[row] if row < 26 else ascii_uppercase[row // 26 - 1] + ascii_uppercase[row % 26]
