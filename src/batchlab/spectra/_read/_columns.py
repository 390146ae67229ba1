"""Which column is the axis and which the signal: by what the file says, then by which one runs one way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from batchlab.errors import DataError
from batchlab.spectra._kinds import AxisKind, Quantity, SpectrumRole
from batchlab.spectra._read._vocabulary import Meaning, Role

__all__ = ["Selector", "can_be_axis", "choose_axis", "choose_signal", "counts_rows", "roles_of", "steps_back"]

Selector = int | str

# Several axes in one file are one axis in several units: what the technique measures comes first.
_AXIS_RANK = (
    AxisKind.RAMAN_SHIFT,
    AxisKind.WAVENUMBER,
    AxisKind.WAVELENGTH,
    AxisKind.ENERGY,
    AxisKind.FREQUENCY,
    AxisKind.UNKNOWN,
    AxisKind.TIME,
    AxisKind.PIXEL,
)
_LEAST_FILLED = 0.5
_ROLE_OF = {
    Role.RESULT: SpectrumRole.SAMPLE,
    Role.RAW: SpectrumRole.SAMPLE,
    Role.UNKNOWN: SpectrumRole.SAMPLE,
    Role.DARK: SpectrumRole.DARK,
    Role.REFERENCE: SpectrumRole.REFERENCE,
    Role.BACKGROUND: SpectrumRole.BACKGROUND,
    Role.ASIDE: SpectrumRole.IGNORE,
}
# Several results beside the dark and the reference that they were computed from are one result in several forms.
_FORM_RANK = (
    Quantity.ABSORBANCE,
    Quantity.REFLECTANCE,
    Quantity.TRANSMITTANCE,
    Quantity.FLUORESCENCE,
    Quantity.COUNTS,
    Quantity.INTENSITY,
)


def steps_back(axis: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where an axis turns against its own direction, and where it stands still.

    Parameters
    ----------
    axis : (n,) array
        Finite values.

    Returns
    -------
    against, still : arrays of int
        Indices of the points that come after such a step.
    """
    steps = np.diff(axis)
    direction = 1.0 if np.count_nonzero(steps > 0) >= np.count_nonzero(steps < 0) else -1.0
    return np.flatnonzero(steps * direction < 0) + 1, np.flatnonzero(steps == 0) + 1


def can_be_axis(column: NDArray[np.float64], hidden: int = 0) -> bool:
    """Whether a column runs one way, but for a few joins of detectors or repeats; blanks set aside.

    Of a sample, `hidden` rows between its head and tail count as filled: detectors are blank at their ends.
    """
    filled = column[~np.isnan(column)]
    if filled.size < 3 or filled.size + hidden < _LEAST_FILLED * (column.size + hidden):
        return False
    against, still = steps_back(filled)
    return against.size <= min(max(3, filled.size // 100), filled.size // 10) and still.size <= filled.size // 2


def choose_axis(
    path: Path,
    values: NDArray[np.float64],
    names: tuple[str, ...],
    meanings: tuple[Meaning, ...],
    wanted: Selector | None,
    hidden: int = 0,
) -> int:
    """Choose the axis.

    A column that the caller names is taken. Else, of the columns that run one way: the one that the file
    calls an axis (Raman shift before wavenumber before wavelength before pixel), else the first that is no
    mere count of rows. The size of its values never matters.

    Raises
    ------
    DataError
        Reason ``unknown-layout`` where no column runs one way; ``no-such-column``.
    """
    if wanted is not None:
        return _named(path, names, values.shape[1], wanted, "axis")
    able = [i for i in range(values.shape[1]) if can_be_axis(values[:, i], hidden)]
    if not able:
        raise DataError(
            f"{path}: a table of {values.shape[0]} rows and {values.shape[1]} columns in which no column runs one "
            "way, so none can be the axis; is there a spectrum in each row, or are several spectra one below the "
            "other? State the column with axis=..., or export one spectrum as two columns",
            reason="unknown-layout",
        )
    called = [i for i in able if meanings[i].role is Role.AXIS]
    if called:
        return min(called, key=lambda i: (_AXIS_RANK.index(meanings[i].axis_kind), i))
    no_signal = [i for i in able if meanings[i].role is Role.UNKNOWN] or able
    no_count = [i for i in no_signal if not counts_rows(values[:, i])]
    # With two columns the first is the axis, even where it counts pixels.
    return no_count[0] if no_count and values.shape[1] > 2 else no_signal[0]


def roles_of(
    values: NDArray[np.float64], names: tuple[str, ...], meanings: tuple[Meaning, ...], axis: int
) -> dict[int, SpectrumRole]:
    """Say what each column beside the axis is to its measurement.

    The only column is the sample. Of columns with a known part, the results (dark subtracted, processed,
    reflectance, ...) are the samples, and so is the raw signal where there is no result; of several forms of one
    result the first named by `_FORM_RANK` is. A column that says nothing is a sample, and where there is one,
    words like *reference* are taken for names of samples too.

    Returns
    -------
    dict
        From a column to its role; axes and counts of rows are not in it.
    """
    filled = [i for i in range(values.shape[1]) if i != axis and not np.isnan(values[:, i]).all()]
    rest = [i for i in filled if meanings[i].role is not Role.AXIS and not _is_index(values, i, meanings)]
    if len(rest) == 1:
        return {rest[0]: SpectrumRole.SAMPLE}
    roles = {i: _ROLE_OF[meanings[i].role] for i in rest}
    unknown = [i for i in rest if meanings[i].role is Role.UNKNOWN]
    if unknown:
        aside = [i for i in rest if meanings[i].role is Role.ASIDE]
        forms = _other_forms(names, meanings, unknown)
        return {i: SpectrumRole.IGNORE if i in aside or i in forms else SpectrumRole.SAMPLE for i in rest}
    results = [
        i for i in rest if meanings[i].role is Role.RESULT and np.nanmin(values[:, i]) != np.nanmax(values[:, i])
    ]
    for i in rest:
        if meanings[i].role is Role.RESULT and i not in results:
            roles[i] = SpectrumRole.IGNORE
    if not results:
        return roles
    for i in rest:
        if meanings[i].role is Role.RAW:
            roles[i] = SpectrumRole.IGNORE
    companions = len(rest) > sum(meanings[i].role is Role.RESULT for i in rest)
    quantities = [meanings[i].quantity for i in results]
    if companions and len(set(quantities)) == len(quantities) > 1:
        raman = meanings[axis].axis_kind is AxisKind.RAMAN_SHIFT
        best = max(results, key=lambda i: (raman and meanings[i].quantity is Quantity.COUNTS, -_form_rank(meanings[i])))
        forms = set(results) - {best}
    else:
        forms = _other_forms(names, meanings, results)
    for i in forms:
        roles[i] = SpectrumRole.IGNORE
    return roles


def _other_forms(names: tuple[str, ...], meanings: tuple[Meaning, ...], columns: list[int]) -> set[int]:
    """Columns that say in %T what another says in absorbance."""
    absorbing = [i for i in columns if meanings[i].quantity is Quantity.ABSORBANCE]
    passing = [i for i in columns if meanings[i].quantity is Quantity.TRANSMITTANCE]
    return set(passing) if absorbing and len(absorbing) == len(passing) else set()


def _form_rank(said: Meaning) -> int:
    return _FORM_RANK.index(said.quantity) if said.quantity in _FORM_RANK else len(_FORM_RANK)


def choose_signal(
    path: Path,
    values: NDArray[np.float64],
    names: tuple[str, ...],
    meanings: tuple[Meaning, ...],
    axis: int,
    wanted: Selector | None,
) -> int:
    """Choose the intensity column: the one that the caller names, else the only sample.

    Raises
    ------
    DataError
        Reason ``ambiguous-columns``, naming them; ``unknown-layout`` where there is none; ``no-such-column``.
    """
    if wanted is not None:
        return _named(path, names, values.shape[1], wanted, "column")
    roles = roles_of(values, names, meanings, axis)
    if not roles:
        raise DataError(
            f"{path}: no intensity column beside the axis; state it with column=...", reason="unknown-layout"
        )
    samples = [i for i, role in roles.items() if role is SpectrumRole.SAMPLE]
    if len(samples) == 1:
        return samples[0]
    listed = samples or list(roles)
    raise DataError(
        f"{path}: {len(listed)} intensity columns; choose one with column=NAME or its number, counted from 0: "
        f"{_listed(names, listed)}",
        reason="ambiguous-columns",
    )


def _is_index(values: NDArray[np.float64], i: int, meanings: tuple[Meaning, ...]) -> bool:
    return i == 0 and meanings[i].role is Role.UNKNOWN and counts_rows(values[:, i])


def counts_rows(column: NDArray[np.float64]) -> bool:
    """Whether a column is 0, 1, 2, ... or 1, 2, 3, ..."""
    return bool(column[0] in (0.0, 1.0) and np.array_equal(np.diff(column), np.ones(column.size - 1)))


def _named(path: Path, names: tuple[str, ...], columns: int, wanted: Selector, option: str) -> int:
    if isinstance(wanted, int) or wanted.lstrip("-").isdecimal():
        number = int(wanted)
        if -columns <= number < columns:
            return number % columns
        found: list[int] = []
    else:
        key = wanted.strip().casefold()
        found = [i for i, name in enumerate(names) if name.casefold() == key]
        found = found or [i for i, name in enumerate(names) if key and key in name.casefold()]
    if len(found) == 1:
        return found[0]
    problem = "fits several columns" if found else "is no column"
    raise DataError(
        f"{path}: {option}={wanted!r} {problem}; there are {_listed(names, list(range(columns)))}",
        reason="ambiguous-columns" if found else "no-such-column",
    )


def _listed(names: tuple[str, ...], columns: list[int]) -> str:
    shown = [f"{i}: {names[i]}" if names else str(i) for i in columns[:12]]
    return ", ".join(shown) + (f" and {len(columns) - 12} more" if len(columns) > 12 else "")
