"""How a job over a whole batch brings its spectra together: from comparisons, or from the files themselves."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection as Words
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

from batchlab.engine import JobContext
from batchlab.errors import Category, DataError, JobError
from batchlab.spectra._kinds import AxisKind, Quantity
from batchlab.spectra.tasks._params import Preparation
from batchlab.spectra.tasks._reading import stem_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from batchlab.spectra._analytics._collect import Collection
    from batchlab.spectra._model import Array, Spectrum

__all__ = ["Gathered", "Gathering", "gather", "when_or_number"]

_SECONDS_A_DAY = 86_400.0


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]


class Gathering(Preparation):
    """How files are read and prepared, and what groups them."""

    group_by: str | None = Field(None, description="key of the files' metadata whose value is the group")
    group_pattern: Pattern | None = Field(
        None, description="regular expression for names; what its first parentheses match is the group"
    )

    def group_of(self, name: str, metadata: Mapping[str, str]) -> str | None:
        """The group that a spectrum's file or its name says."""
        if self.group_by is not None and self.group_by in metadata:
            return str(metadata[self.group_by])
        if self.group_pattern is not None:
            found = re.search(self.group_pattern, name)
            if found is not None:
                return next((part for part in found.groups() if part is not None), found.group())
        return None


class Gathered:
    """What is known of the spectra beside their numbers, in the order in which they were collected."""

    def __init__(self) -> None:
        self.groups: list[str | None] = []
        self.said: list[Mapping[str, str]] = []  # of each spectrum's metadata what was asked for
        self.reference: Array | None = None  # on the collection's first points
        self.reference_name = ""
        self.gaps: tuple[tuple[float, float], ...] = ()
        self.axis_kind = AxisKind.UNKNOWN
        self.axis_unit: str | None = None
        self.quantity = Quantity.UNKNOWN
        self.unit: str | None = None  # of the signals before they were normalised
        self.treatment = ""  # what made another quantity of them, in words
        self.axis_label = ""

    @property
    def grouped(self) -> bool:
        """Whether any spectrum is of a group."""
        return any(group is not None for group in self.groups)

    @property
    def signal_unit(self) -> str | None:
        """The unit of the signals as they were collected."""
        return "1" if self.treatment else self.unit

    @property
    def intensity_label(self) -> str:
        """The signals as a plot names them."""
        from batchlab.spectra._model import intensity_label

        if self.treatment:
            return f"{intensity_label(self.quantity, '1')} ({self.treatment})"
        return intensity_label(self.quantity, self.unit)

    def times(self, key: str) -> tuple[list[float] | None, int]:
        """What each says under a key as a number, if all do; and how many do not."""
        found = [when_or_number(said.get(key)) for said in self.said]
        known = [each for each in found if each is not None]
        return (known if len(known) == len(found) else None), len(found) - len(known)


def gather(
    ctx: JobContext,
    params: Gathering,
    collection: Collection,
    keys: Words[str] = (),
    masks: tuple[tuple[float, float], ...] | None = None,
) -> Gathered:
    """Collect the spectra of the inputs ``comparisons`` or ``samples``, each file an item.

    Parameters
    ----------
    ctx
        With the tables of comparisons, or with files and perhaps a ``reference``, whose points they are brought to;
        else those of the first.
    params
        How.
    collection
        To which the spectra are added.
    keys
        Of the metadata, to be kept.
    masks
        Ranges whose points are left out, and with them those under a mask of the comparisons; None leaves all in.

    Raises
    ------
    JobError
        Reason ``no-such-input``: neither is given, or both.
    """
    given = [name for name in ("comparisons", "samples") if ctx.given(name)]
    if len(given) != 1:
        raise JobError(
            f"inputs {' and '.join(given) or 'without spectra'}: give either comparisons, such as "
            "{from: compare, gather: done}, or samples, the files themselves",
            category=Category.INVALID_INPUT,
            reason="no-such-input",
        )
    gathered = Gathered()
    if given == ["comparisons"]:
        _from_comparisons(ctx, params, collection, gathered, keys, masks)
    else:
        _from_samples(ctx, params, collection, gathered, keys, masks or ())
    return gathered


def _from_comparisons(
    ctx: JobContext,
    params: Gathering,
    collection: Collection,
    gathered: Gathered,
    keys: Words[str],
    masks: tuple[tuple[float, float], ...] | None,
) -> None:
    from batchlab.spectra._read import read_comparison

    members = [member for member in ctx.gathered("comparisons") if not ctx.left_out(member.job)]
    tables = [(member.job, member.outputs.get("table")) for member in members]
    if not members:
        tables = [(path.stem, str(path)) for path in ctx.inputs("comparisons")]
    references: set[str] = set()
    taken: set[str] = set()
    for name, table in tables:
        if ctx.cancelled:
            return
        with ctx.item(name):
            if table is None:
                raise DataError(
                    f"{name} wrote no table; leave the output table in the jobs that are gathered", reason="no-table"
                )
            comparison, _ = read_comparison(table)
            called = comparison.sample_name or name
            if called in taken:  # of another file
                called = name.partition("/")[2] or name
            taken.add(called)
            _describe(gathered, comparison, comparison.treatment)
            kept = _unmasked(comparison.axis, () if masks is None else (*masks, *comparison.masks), called)
            collection.add(comparison.axis[kept], comparison.sample[kept], called)
            if gathered.reference is None:
                gathered.reference, gathered.reference_name = comparison.reference[kept], comparison.reference_name
            references.add(comparison.reference_name)
            said = comparison.sample_metadata
            gathered.groups.append(params.group_of(called, said))
            gathered.said.append({key: said[key] for key in keys if key in said})
    if len(references) > 1:
        gathered.reference = None
        ctx.warn(
            f"the comparisons are with {len(references)} references, so the batch is held against its own mean instead"
        )


def _from_samples(
    ctx: JobContext,
    params: Gathering,
    collection: Collection,
    gathered: Gathered,
    keys: Words[str],
    masks: tuple[tuple[float, float], ...],
) -> None:
    from batchlab.spectra._recipe import prepare

    recipe = params.recipe.normalized(params.normalization)
    first: Spectrum | None = None
    reference_name = ""
    if ctx.given("reference"):
        references = _spectra(ctx.input("reference"), params)
        first = references[0]
        reference_name = _called(stem_of(ctx.input("reference")), first, len(references), 1)
    files = ctx.inputs("samples")
    names, stems = Counter(file.name for file in files), Counter(map(stem_of, files))
    for file in files:
        if ctx.cancelled:
            return
        with ctx.item(file.name if names[file.name] == 1 else str(file)):
            spectra = _spectra(file, params)
            stem = stem_of(file)
            stem = stem if stems[stem] == 1 else f"{file.parent.name}/{file.name}"
            for spectrum in spectra:
                called = _called(stem, spectrum, len(spectra), len(files))
                for text in spectrum.warnings:
                    ctx.warn(f"{called}: {text}")
                both = prepare(first or spectrum, spectrum, recipe, ctx.cache)
                if first is not None:
                    for text in both.reference_warnings if not gathered.said else ():
                        ctx.warn(text)
                    for text in both.warnings:
                        if text not in both.reference_warnings:
                            ctx.warn(text)
                _describe(gathered, both, ", ".join(both.treated))
                kept = _unmasked(both.axis, masks, called)
                collection.add(both.axis[kept], both.sample[kept], called)
                first = first or spectrum
                if gathered.reference is None and ctx.given("reference"):
                    gathered.reference, gathered.reference_name = both.reference[kept], reference_name
                gathered.groups.append(params.group_of(called, spectrum.metadata))
                gathered.said.append({key: spectrum.metadata[key] for key in keys if key in spectrum.metadata})


def _unmasked(axis: Array, masks: tuple[tuple[float, float], ...], called: str) -> NDArray[np.bool_]:
    """The points that no mask hides."""
    import numpy as np

    kept = np.ones(axis.size, dtype=bool)
    for low, high in masks:
        kept &= (axis < low) | (axis > high)
    if not kept.any():
        raise DataError(f"the masks leave none of {axis.size} points of {called}; mask less", reason="no-overlap")
    return kept


def _spectra(file: Path, params: Gathering) -> tuple[Spectrum, ...]:
    """The samples of a file: its only one, or all that it holds."""
    from batchlab.spectra._kinds import SpectrumRole
    from batchlab.spectra._normalized import read_all_normalized, read_normalized

    if any(which is not None for which in (params.spectrum, params.axis, params.column)):
        return (read_normalized(file, **params.reading),)
    samples = tuple(each for each in read_all_normalized(file, **params.stated) if each.role is SpectrumRole.SAMPLE)
    if not samples:
        raise DataError(f"{file}: it holds references and darks, but no sample", reason="no-sample")
    return samples


def _called(stem: str, spectrum: Spectrum, of_file: int, files: int) -> str:
    """The file's stem; of a file of many, what the file calls it, and of many such files both."""
    if of_file == 1 or not spectrum.name:
        return stem
    return spectrum.name if files == 1 else f"{stem}: {spectrum.name}"


def _describe(gathered: Gathered, found: Any, treatment: str) -> None:
    """Take over what the first spectrum's axis and signal are, and refuse spectra on another axis."""
    from batchlab.spectra._model import axis_label

    label = axis_label(found.axis_kind, found.axis_unit)
    if not gathered.axis_label:
        gathered.axis_label, gathered.axis_kind, gathered.axis_unit = label, found.axis_kind, found.axis_unit
        gathered.quantity, gathered.unit, gathered.treatment = found.quantity, found.unit, treatment
        gathered.gaps = tuple(found.gaps)
    elif gathered.axis_label != label:
        raise DataError(
            f"its axis is {label}, that of the first spectrum {gathered.axis_label}; bring all to one with a recipe, "
            "or look at them apart",
            reason="unit-mismatch",
        )


def when_or_number(text: object) -> float | None:
    """Days, or the number that is written; a date without a zone is not that of this machine's zone."""
    written = "" if text is None else str(text).strip()
    try:
        number = float(written)
        return number if math.isfinite(number) else None
    except ValueError:
        pass
    try:
        when = datetime.fromisoformat(written)
    except ValueError:
        return None
    return (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp() / _SECONDS_A_DAY
