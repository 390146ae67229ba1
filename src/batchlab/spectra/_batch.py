"""The batch that compares many samples with one reference, made without a batch file."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from batchlab.builders import Each, Entry, FromEntry, InputSpec, Many, One, expand_or_raise
from batchlab.engine import Batch, Gather, Json, Settings
from batchlab.errors import ConfigError
from batchlab.spectra._each_spectrum import Member, members_of, own_template
from batchlab.spectra._kinds import Normalization
from batchlab.spectra._samples import find_samples, look_for_samples, samples_or_raise
from batchlab.spectra.tasks import LimitsParams

__all__ = ["compare_batch"]

log = logging.getLogger(__name__)

_EMPTY: Mapping[str, Json] = {}
_STATED = ("axis_kind", "axis_unit", "quantity", "unit")
_WORTH_ANALYSING = 6
_TEXTS = (".csv", ".jdx")
_COMPRESSIONS = ("gz", "zst")


def compare_batch(
    reference: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    samples: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    name: str = "spectra-compare",
    normalization: Normalization | str = Normalization.NONE,
    reading: Mapping[str, Json] = _EMPTY,
    params: Mapping[str, Json] = _EMPTY,
    limits: str | tuple[float, float] = "auto",
    dpi: float = 300.0,
    figure: bool = True,
    table: bool = True,
    format: str = "png",
    compression: str | None = None,
    outputs: Mapping[str, str | None] = _EMPTY,
    band: str | os.PathLike[str] | None = None,
    replicates: Sequence[str | os.PathLike[str]] = (),
    analytics: Mapping[str, Json] | Literal["auto"] | None = None,
    each_spectrum: bool = False,
    settings: Settings | None = None,
    source: str | None = None,
) -> Batch:
    """A batch that compares samples with a reference, one job each.

    Parameters
    ----------
    reference
        A file; or several, with ``references`` in `params` saying what they are to a sample.
    samples
        Files, folders (their files; ``FOLDER/**`` for those of folders below, too) and patterns with ``*`` and ``?``;
        each file once. Relative paths start from the current folder. What the batch itself has made is no sample,
        where the output root is a folder of samples; nor is the reference, if there is one alone, where it lies in
        a folder or fits a pattern: it is a sample only where it is named. The log tells what is left out.
    output
        The output root.
    name
        The batch's name.
    normalization
        How the signals are scaled before they are compared.
    reading
        Params of the tasks that say what the files do not: ``axis, column, axis_kind, axis_unit, quantity, unit``.
    params
        Other params of ``spectra.compare``: ``preset, steps, regions, difference, peaks, tolerance, ...``.
    limits
        The pictures' y limits: ``auto`` settles them in a job of its own, from all samples; ``per-picture`` fits
        each picture's to itself, which is slower; a pair holds for the upper panel of all, and half its span either
        way for the lower.
    dpi
        Pixels per inch of the pictures, which are 10 x 6 inches.
    figure, table
        Whether to draw pictures, and to write tables.
    format
        Of the pictures: png, jpg, webp, pdf or svg.
    compression
        How each comparison's tables are packed, and spectra that are written as text: ``gz`` or ``zst``; None leaves
        them as they are.
    outputs
        Templates of other outputs that are wanted, by name: ``peaks, ranking, normalized, page``; or of those above.
    band, replicates
        A file with a band of tolerance, or files whose spread is one; see ``tolerance`` in `params`.
    analytics
        Params of ``spectra.analytics``, which then looks at all comparisons at once; None leaves it out. ``auto``
        takes it in, as it is, from six comparisons on, where tables are written.
    each_spectrum
        Whether every sample of a file of many is compared, a job each, rather than the only one of each file. They are
        read now, to know their names. In templates ``{spectrum}`` is a sample's name, ``{file}`` its file's; one
        without it gets it beside ``{sample}``. A ``spectrum`` in `reading` then says which one of the reference's.
    settings
        How the batch is run.
    source
        What the report shows as the batch's origin: the command.

    Raises
    ------
    ConfigError
        If a pattern or a folder holds no file, or a param is wrong.
    """
    if compression not in (None, *_COMPRESSIONS):
        raise ConfigError(f"compression {compression!r}: write {' or '.join(_COMPRESSIONS)}")
    references = (reference,) if isinstance(reference, str | os.PathLike) else tuple(reference)
    found = look_for_samples(samples, output, references[0] if len(references) == 1 else None)
    files = find_samples(samples, output) if each_spectrum else samples_or_raise(found).files
    for text in found.told:
        log.info("%s", text)
    shared: dict[str, Json] = {"normalization": Normalization.named(normalization).value, **reading}
    own: dict[str, Json] = {"dpi": dpi}
    for key, value in params.items():
        (shared if key in LimitsParams.model_fields else own)[key] = value
    if not isinstance(limits, str):
        own["overlay_limits"] = list(limits)
    elif limits not in ("auto", "per-picture"):
        raise ConfigError(f"limits {limits!r}: write auto, per-picture, or two numbers")
    inputs: dict[str, InputSpec] = {
        "reference": _one_or_many(references),
    }
    alone: tuple[str, ...] = files
    members: tuple[Member, ...] = ()
    if each_spectrum:
        if {"column", "axis"} & reading.keys():
            raise ConfigError("each_spectrum takes all spectra of a file: leave the column out, or each_spectrum")
        stated = {key: reading[key] for key in _STATED if key in reading}
        alone, members = members_of(files, stated)
        alone, members = _without_the_reference(alone, members, found.reference, reading.get("spectrum"))
        used = {*alone, *(each.file for each in members)}
        files = tuple(file for file in files if file in used)
        if not files:
            samples_or_raise(found)
    entries = []
    if figure and limits == "auto":
        everything = {"reference": inputs["reference"], "samples": Many(patterns=files, literal=True)}
        all_of_them: dict[str, Json] = {"each_spectrum": True} if members else {}
        entries.append(Entry(id="limits", task="spectra.limits", inputs=everything, params={**shared, **all_of_them}))
        inputs["limits"] = FromEntry(entries=("limits",), output="limits")
    if band is not None:
        inputs["band"] = One(path=os.fspath(band))
    if replicates:
        inputs["replicates"] = Many(patterns=find_samples(replicates, output), literal=True)
    if analytics == "auto":
        analytics = {} if table and len(alone) + len(members) >= _WORTH_ANALYSING else None
    stem = "{sample}_vs_{reference}" if len(references) == 1 else "{sample}"
    templates: dict[str, str | None] = {
        "figure": f"{stem}.{format}" if figure else None,
        "table": f"{stem}.csv" if table or analytics is not None else None,
        **outputs,
    }
    templates = {name: _packed(template, compression) for name, template in templates.items()}
    compared = Entry(id="compare", task="spectra.compare", inputs=inputs, params={**shared, **own}, outputs=templates)
    comparisons = [replace(compared, inputs={**inputs, "sample": Each(patterns=alone, literal=True)})] if alone else []
    comparisons += [_of_member(compared, each) for each in members]
    entries += comparisons
    if analytics is not None:
        gathered = FromEntry(entries=tuple(entry.id for entry in comparisons), gather=Gather.DONE)
        entries.append(
            Entry(id="analytics", task="spectra.analytics", inputs={"comparisons": gathered}, params=dict(analytics))
        )
    root = os.path.abspath(os.fspath(output))
    jobs = expand_or_raise(entries, batch=name, base=os.getcwd(), output=root)
    return Batch(name=name, output=Path(root), jobs=jobs, settings=settings or Settings(), source=source)


def _packed(template: str | None, compression: str | None) -> str | None:
    """The template of an output that is text, with the ending of what packs it."""
    if template is None or compression is None or not template.lower().endswith(_TEXTS):
        return template
    return f"{template}.{compression}"


def _without_the_reference(
    alone: tuple[str, ...], members: tuple[Member, ...], reference: tuple[str, ...], which: Json
) -> tuple[tuple[str, ...], tuple[Member, ...]]:
    """Of a file that holds the reference and was not named itself, all other spectra."""
    others = tuple(each for each in members if each.file not in reference or str(each.which) != str(which))
    return tuple(each for each in alone if each not in reference), others


def _of_member(entry: Entry, member: Member) -> Entry:
    """The comparison of one of the spectra of a file."""
    return replace(
        entry,
        id=f"{entry.id}/{member.job}",
        inputs={**entry.inputs, "sample": One(path=member.file)},
        params={**entry.params, "sample_spectrum": member.which},
        outputs={
            name: None if template is None else own_template(template, member)
            for name, template in entry.outputs.items()
        },
        metadata={"file": member.label, "spectrum": member.which},
    )


def _one_or_many(files: Sequence[str | os.PathLike[str]]) -> InputSpec:
    if len(files) == 1:
        return One(path=os.fspath(files[0]))
    return Many(patterns=tuple(os.path.abspath(os.fspath(file)) for file in files), literal=True)
