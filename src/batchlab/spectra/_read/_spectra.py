"""Read the spectra of a file, whatever program wrote it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from batchlab.errors import DataError
from batchlab.spectra._kinds import AxisKind, Quantity, SpectrumRole
from batchlab.spectra._model import Spectrum
from batchlab.spectra._plan import Plan
from batchlab.spectra._read._apply import entries_of
from batchlab.spectra._read._block import find_block
from batchlab.spectra._read._columns import Selector, choose_axis, choose_signal
from batchlab.spectra._read._encoding import decode
from batchlab.spectra._read._entries import Entry, Wanted, entries_of_spectra, stated
from batchlab.spectra._read._formats import sniff
from batchlab.spectra._read._layout import layout_of, no_table
from batchlab.spectra._read._load import load
from batchlab.spectra._read._recognize import proposals_of, recognized
from batchlab.spectra._read._sample import whole
from batchlab.spectra._read._source import text_of
from batchlab.spectra._read._take import Said, take
from batchlab.spectra._words import listed

__all__ = ["choose_spectrum", "read_spectra", "read_spectrum"]

_SURE = 0.8
_MOST_LISTED = 12
DOUBT = "its layout is not sure"  # how the warning begins


def read_spectra(
    path: str | os.PathLike[str],
    *,
    plan: Plan | None = None,
    axis_kind: AxisKind | str | None = None,
    axis_unit: str | None = None,
    quantity: Quantity | str | None = None,
    unit: str | None = None,
) -> tuple[Spectrum, ...]:
    """Read all spectra of a file: its samples, and the references and darks they were computed from.

    Parameters
    ----------
    path
        The file, of any format that is known.
    plan
        How a text is laid out; default what is recognised.
    axis_kind, axis_unit, quantity, unit
        What they are in all of them, where the caller knows it better than the file.

    Returns
    -------
    tuple of Spectrum
        In the order of the file, each with a name of its own and its role.

    Raises
    ------
    DataError
        The reasons of `read_layout`, and ``plan-mismatch``.
    """
    wanted = _wanted(axis_kind, axis_unit, quantity, unit)
    entries = _entries(Path(path), plan)
    return tuple(each.make(wanted) for each in entries if each.role is not SpectrumRole.IGNORE)


def read_spectrum(
    path: str | os.PathLike[str],
    *,
    plan: Plan | None = None,
    spectrum: Selector | None = None,
    axis: Selector | None = None,
    column: Selector | None = None,
    axis_kind: AxisKind | str | None = None,
    axis_unit: str | None = None,
    quantity: Quantity | str | None = None,
    unit: str | None = None,
    name: str | None = None,
) -> Spectrum:
    """Read one spectrum from a file.

    What the file says is believed; what neither it nor the caller says stays unknown, and is never guessed
    from the size of the values. Points whose axis or intensity is blank are left out, with a warning.

    Parameters
    ----------
    path
        The file, of any format that is known.
    plan
        How a text is laid out; default what is recognised.
    spectrum
        Which of the file's spectra, by name (or an unmistakable part of it) or by number counted from 0;
        default its only sample.
    axis, column
        In a table of columns the axis and the intensity column, by name (or an unmistakable part of it) or by
        number counted from 0. Without them: the axis that the file names, else the first column that runs one way;
        the only intensity, else the only result among dark, reference, sample and result columns (absorbance
        before transmittance).
    axis_kind, axis_unit, quantity, unit
        What they are, where the caller knows it better than the file.
    name
        What to call the spectrum; default what the file calls it, else the file's stem.

    Returns
    -------
    Spectrum
        In the order of the file, its first and last point included.

    Raises
    ------
    DataError
        The reasons of `read_layout`, and ``ambiguous-columns`` or ``no-such-column``, naming what there is;
        ``plan-mismatch``.
    """
    path = Path(path)
    wanted = _wanted(axis_kind, axis_unit, quantity, unit, name)
    if axis is not None or column is not None:
        return _of_columns(path, axis, column, wanted)
    entries = _entries(path, plan)
    return _chosen(path, entries, spectrum).make(wanted)


def choose_spectrum(path: Path, spectra: tuple[Spectrum, ...], which: Selector) -> Spectrum:
    """One of the spectra that `read_spectra` gave, by name or by number, as `read_spectrum` would choose it.

    Raises
    ------
    DataError
        Reason ``ambiguous-columns`` or ``no-such-column``, naming what there is.
    """
    return _chosen(path, entries_of_spectra(spectra), which).make(Wanted())


def _wanted(
    axis_kind: AxisKind | str | None,
    axis_unit: str | None,
    quantity: Quantity | str | None,
    unit: str | None,
    name: str | None = None,
) -> Wanted:
    return Wanted(
        axis_kind=None if axis_kind is None else AxisKind.named(axis_kind),
        axis_unit=axis_unit,
        quantity=None if quantity is None else Quantity.named(quantity),
        unit=unit,
        name=name,
    )


def _entries(path: Path, plan: Plan | None) -> list[Entry]:
    data = load(path)
    structured = sniff(data, path) if plan is None else None
    if structured is not None:
        return entries_of_spectra(structured.read(path, data))
    decoded = text_of(path, data, None if plan is None else plan.encoding)
    lines = whole(decoded.text)
    if plan is not None:
        return entries_of(path, lines, decoded, plan)
    proposals, _ = proposals_of(path, lines, decoded)
    found = recognized(proposals)
    best = proposals[0]
    entries = entries_of(path, lines, decoded, best.plan, best.layout)
    if found.confidence >= _SURE:
        return entries
    doubt = f"{DOUBT} ({found.confidence:.2f}): {found.reasons[0]}; state what you know, or a plan"
    return [_doubted(each, doubt) for each in entries]


def _of_columns(path: Path, axis: Selector | None, column: Selector | None, wanted: Wanted) -> Spectrum:
    """The spectrum of the columns that the caller names."""
    data = load(path)
    structured = sniff(data, path)
    if structured is not None:
        raise DataError(
            f"{path}: {structured.name} has no columns to choose from; choose with spectrum=NAME or its number",
            reason="no-such-column",
        )
    decoded = decode(path, data)
    lines = whole(decoded.text)
    block = find_block(lines)
    if block is None:
        raise no_table(path, lines)
    layout = layout_of(path, lines, block, decoded)
    at = choose_axis(path, layout.values, layout.names, layout.meanings, axis)
    signal = choose_signal(path, layout.values, layout.names, layout.meanings, at, column)
    if at == signal:
        raise DataError(
            f"{path}: column {at} cannot be both axis and intensity; choose another with axis= or column=",
            reason="ambiguous-columns",
        )
    told, signal_told = layout.meanings[at], layout.meanings[signal]
    said, warnings = stated(
        Said(
            axis_kind=told.axis_kind,
            axis_unit=told.unit,
            quantity=signal_told.quantity,
            unit=signal_told.unit,
            technique=layout.technique,
        ),
        wanted,
    )
    return take(layout, at, signal, said, path.stem if wanted.name is None else wanted.name, warnings)


def _chosen(path: Path, entries: list[Entry], wanted: Selector | None) -> Entry:
    samples = [each for each in entries if each.role is SpectrumRole.SAMPLE]
    if wanted is None:
        if len(samples) == 1:
            return samples[0]
        listed = samples or entries
        raise DataError(
            f"{path}: {len(listed)} spectra; choose one with spectrum=NAME, or with column=NAME where they are "
            f"columns: {_listed(listed)}",
            reason="ambiguous-columns",
        )
    # A spectrum may be called 450: a text is a name first, and a number where none is called so.
    found = [] if isinstance(wanted, int) else [each for each in entries if each.name == wanted]
    if not found and (isinstance(wanted, int) or wanted.lstrip("-").isdecimal()):
        number = int(wanted)
        kept = [each for each in entries if each.role is not SpectrumRole.IGNORE]
        if -len(kept) <= number < len(kept):
            return kept[number]
        found = [each for each in entries if each.name == str(wanted)]
    elif not found:
        assert isinstance(wanted, str)
        key = wanted.strip().casefold()
        found = [each for each in entries if each.name.casefold() == key]
        found = found or [each for each in entries if key and key in each.name.casefold()]
    if len(found) == 1:
        return found[0]
    problem = "fits several" if found else "is none of them"
    raise DataError(
        f"{path}: spectrum={wanted!r} {problem}; there are {_listed(found or entries)}",
        reason="ambiguous-columns" if found else "no-such-column",
    )


def _listed(entries: list[Entry]) -> str:
    shown = [each.where if each.where.endswith(each.name) else f"{each.where}: {each.name}" for each in entries]
    return listed(shown, _MOST_LISTED)


def _doubted(entry: Entry, doubt: str) -> Entry:
    def make(wanted: Wanted) -> Spectrum:
        spectrum = entry.make(wanted)
        return replace(spectrum, warnings=(*spectrum.warnings, doubt))

    return replace(entry, make=make)
