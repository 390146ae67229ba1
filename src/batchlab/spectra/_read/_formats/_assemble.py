"""Make a Spectrum of what a format's reader found, with the oddities of its numbers told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._kinds import AxisKind, Quantity, SpectrumRole, Technique
from batchlab.spectra._model import Array, Spectrum
from batchlab.spectra._read._formats._units import Axis, Signal
from batchlab.spectra._words import agreed, counted

__all__ = ["assemble", "evenly", "one_or_more", "part_name"]

_OUT_OF_DOMAIN = (AxisKind.FREQUENCY, AxisKind.TIME)
_SHARES = (Quantity.TRANSMITTANCE, Quantity.REFLECTANCE)
_MOST_PER_CENT = 300.0
_MOST_METADATA = 300  # keys; a vendor's whole parameter dump, and no more
_LONGEST_VALUE = 1000  # characters
_LASER = re.compile(r"(?:(?:excitation )?laser|excitation)[ _]*(?:\(nm\)|wavelength(?: *\(nm\))?|nm)$", re.IGNORECASE)
_NUMBER = re.compile(r"\s*(\d{3,4}(?:\.\d+)?)\s*(?:nm)?\s*$", re.IGNORECASE)


def assemble(
    path: Path,
    name: str,
    x: Array,
    y: Array,
    axis: Axis,
    signal: Signal,
    *,
    metadata: Mapping[str, object],
    role: SpectrumRole = SpectrumRole.SAMPLE,
    technique: Technique = Technique.UNKNOWN,
    warnings: Iterable[str] = (),
) -> Spectrum:
    """Build one Spectrum in the order of its file; points that are no numbers are left out, with a warning.

    Raises
    ------
    DataError
        Reason ``damaged`` where half the points or more are no numbers, ``not-a-spectrum`` where fewer than two
        are left.
    """
    told = list(warnings)
    finite = np.isfinite(x) & np.isfinite(y)
    if not finite.all():
        missing = int(finite.size - finite.sum())
        if missing * 2 >= finite.size:
            raise DataError(
                f"{path}: {missing} of the {finite.size} points of {name!r} are no numbers; the file is damaged: copy "
                "or export it again",
                reason="damaged",
            )
        x, y = x[finite], y[finite]
        told.append(f"{counted(missing, 'point')} without a number {agreed(missing, 'was', 'were')} left out")
    if axis.kind in _OUT_OF_DOMAIN or axis.unit in ("m/z", "ppm"):
        told.append(f"its axis is in {axis.unit}: this is no optical spectrum, and is not converted to one")
    unit = signal.unit
    if unit is None and signal.quantity in _SHARES:
        # Both are written as fractions and as per cent under the same word; a median above 1.5 is no fraction.
        unit = "%" if y.size and np.median(y) > 1.5 else "1"
        if unit == "%":
            told.append(f"{signal.quantity.value} without a unit has values to {y.max():g}; taken as per cent")
    elif unit == "%" and signal.quantity in _SHARES and y.size and np.median(y) > _MOST_PER_CENT:
        told.append(f"{signal.quantity.value} in % has values to {y.max():g}: these look like raw counts")
    try:
        return Spectrum(
            axis=x,
            intensity=y,
            axis_kind=axis.kind,
            axis_unit=axis.unit,
            quantity=signal.quantity,
            unit=unit,
            role=role,
            technique=technique,
            name=name,
            metadata=_flat(metadata),
            warnings=tuple(told),
        )
    except DataError as error:
        raise DataError(f"{path}: {error}", reason=error.reason) from error


def evenly(first: float, last: float, count: int) -> Array:
    """An even axis, its first and last value as the file has them.

    `count` comes from data that is there, never from a header alone, so a lying header costs no memory.
    """
    if not np.isfinite([first, last]).all() or max(abs(first), abs(last)) > 1e30:
        return np.full(count, np.nan)
    return np.linspace(first, last, count)


def part_name(path: Path, part: str, parts: int) -> str:
    """What to call one of several spectra of a file: its stem alone where there is only one."""
    return path.stem if parts == 1 or not part else f"{path.stem} {part}"


def one_or_more(path: Path, spectra: list[Spectrum], what: str, skipped: Iterable[str] = ()) -> tuple[Spectrum, ...]:
    """The spectra of a file, or the reason why there is none."""
    if not spectra:
        why = "; ".join(skipped) or "none of its parts is a curve"
        raise DataError(
            f"{path}: {what} without a spectrum: {why}; export the spectrum as text", reason="not-a-spectrum"
        )
    return tuple(spectra)


def _flat(metadata: Mapping[str, object]) -> dict[str, str]:
    """Text for text: blank values out, long ones cut; the laser's wavelength under the key of every format."""
    flat: dict[str, str] = {}
    for key, value in metadata.items():
        said = f"{value:.10g}" if isinstance(value, float) else str(value).strip()
        if said and len(flat) < _MOST_METADATA:
            flat[key] = said if len(said) <= _LONGEST_VALUE else said[:_LONGEST_VALUE] + "…"
    laser = next((found[1] for key, said in flat.items() if _LASER.match(key) and (found := _NUMBER.match(said))), None)
    if laser is not None:
        flat.setdefault("laser_nm", laser)
    return flat
