"""What is known of a spectrum beside its numbers, as JSON and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._model import Array, AxisKind, Quantity, Spectrum, SpectrumRole, Technique

__all__ = ["as_json", "axis_facts", "common_axis_of", "difference_of", "spectrum_facts", "spectrum_of"]


def axis_facts(spectrum: Spectrum) -> dict[str, object]:
    """Kind, unit and length of its axis."""
    return {"kind": spectrum.axis_kind.value, "unit": spectrum.axis_unit, "points": len(spectrum)}


def spectrum_facts(spectrum: Spectrum) -> dict[str, object]:
    """All the rest but the numbers."""
    return {
        "name": spectrum.name,
        "quantity": spectrum.quantity.value,
        "unit": spectrum.unit,
        "role": spectrum.role.value,
        "technique": spectrum.technique.value,
        "warnings": list(spectrum.warnings),
        "metadata": {str(key): str(value) for key, value in spectrum.metadata.items()},
    }


def as_json(facts: Mapping[str, object]) -> str:
    """One line of ASCII, the same for the same facts."""
    return json.dumps(facts, ensure_ascii=True, separators=(", ", ": "), default=str)


def spectrum_of(axis: Array, intensity: Array, on_axis: Mapping[str, object], facts: Mapping[str, object]) -> Spectrum:
    """The spectrum that these numbers and facts are of.

    Raises
    ------
    KeyError, TypeError, ValueError
        If a fact is missing or is none that we know.
    """
    metadata, warnings = facts["metadata"], facts["warnings"]
    if not isinstance(metadata, Mapping) or not isinstance(warnings, Sequence):
        raise TypeError("metadata or warnings of another shape")
    return Spectrum(
        axis=axis,
        intensity=intensity,
        axis_kind=AxisKind(str(on_axis["kind"])),
        axis_unit=_text(on_axis["unit"]),
        quantity=Quantity(str(facts["quantity"])),
        unit=_text(facts["unit"]),
        role=SpectrumRole(str(facts["role"])),
        technique=Technique(str(facts["technique"])),
        name=str(facts["name"]),
        metadata={str(key): str(value) for key, value in metadata.items()},
        warnings=tuple(map(str, warnings)),
    )


def common_axis_of(spectra: Sequence[Spectrum]) -> Spectrum:
    """The first of some spectra that are all on one axis, as the columns of a table are.

    Raises
    ------
    DataError
        Reason ``different-axes``, naming the first that is on another; or ``no-spectra``.
    """
    if not spectra:
        raise DataError("there is no spectrum to write; give one or more", reason="no-spectra")
    first = spectra[0]
    for each in spectra[1:]:
        same = (each.axis_kind, each.axis_unit) == (first.axis_kind, first.axis_unit)
        if not same or not np.array_equal(each.axis, first.axis):
            raise DataError(
                f"{each.name or 'a spectrum'} is on another axis than {first.name or 'the first'}, and one table has "
                "one axis; bring them to a common axis, or write each to a file of its own",
                reason="different-axes",
            )
    return first


def difference_of(one: Spectrum, other: Spectrum) -> str | None:
    """In which field two spectra differ first, to the last bit; None if in none."""
    for name in ("axis", "intensity"):
        if getattr(one, name).tobytes() != getattr(other, name).tobytes():
            return name
    before = {**axis_facts(one), **spectrum_facts(one)}
    after = {**axis_facts(other), **spectrum_facts(other)}
    return next((name for name in before if before[name] != after[name]), None)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
