"""The batch that compares many samples with one reference, made without a batch file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from batchlab.builders import Each, Entry, FromEntry, InputSpec, Many, One, expand_or_raise, match
from batchlab.engine import Batch, Json, Settings
from batchlab.errors import ConfigError
from batchlab.spectra._kinds import Normalization

__all__ = ["compare_batch", "find_samples"]

_EMPTY: Mapping[str, Json] = {}


def compare_batch(
    reference: str | os.PathLike[str],
    samples: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    name: str = "spectra-compare",
    normalization: Normalization | str = Normalization.NONE,
    reading: Mapping[str, Json] = _EMPTY,
    limits: str | tuple[float, float] = "auto",
    dpi: float = 300.0,
    figure: bool = True,
    table: bool = True,
    settings: Settings | None = None,
    source: str | None = None,
) -> Batch:
    """A batch that compares samples with a reference, one job each.

    Parameters
    ----------
    reference
        A file.
    samples
        Files, folders (their files, not those of folders below) and patterns; each file once. Relative paths start
        from the current folder.
    output
        The output root.
    name
        The batch's name.
    normalization
        How the signals are scaled before they are compared.
    reading
        Params of the tasks that say what the files do not: ``axis, column, axis_kind, axis_unit, quantity, unit``.
    limits
        The pictures' y limits: ``auto`` settles them in a job of its own, from all samples; ``per-picture`` fits
        each picture's to itself, which is slower; a pair holds for the upper panel of all, and half its span either
        way for the lower.
    dpi
        Pixels per inch of the pictures, which are 10 x 6 inches.
    figure, table
        Whether to draw pictures, and to write tables.
    settings
        How the batch is run.
    source
        What the report shows as the batch's origin: the command.

    Raises
    ------
    ConfigError
        If a pattern or a folder holds no file, or a param is wrong.
    """
    files = find_samples(samples, output)
    shared: dict[str, Json] = {"normalization": Normalization(normalization).value, **reading}
    params: dict[str, Json] = {**shared, "dpi": dpi}
    if not isinstance(limits, str):
        params["overlay_limits"] = list(limits)
    elif limits not in ("auto", "per-picture"):
        raise ConfigError(f"limits {limits!r}: write auto, per-picture, or two numbers")
    inputs: dict[str, InputSpec] = {
        "reference": One(path=os.fspath(reference)),
        "sample": Each(patterns=files, literal=True),
    }
    entries = []
    if figure and limits == "auto":
        everything = {"reference": inputs["reference"], "samples": Many(patterns=files, literal=True)}
        entries.append(Entry(id="limits", task="spectra.limits", inputs=everything, params=shared))
        inputs["limits"] = FromEntry(entries=("limits",), output="limits")
    unwanted = {name: None for name, wanted in (("figure", figure), ("table", table)) if not wanted}
    entries.append(Entry(id="compare", task="spectra.compare", inputs=inputs, params=params, outputs=unwanted))
    root = os.path.abspath(os.fspath(output))
    jobs = expand_or_raise(entries, batch=name, base=os.getcwd(), output=root)
    return Batch(name=name, output=Path(root), jobs=jobs, settings=settings or Settings(), source=source)


def find_samples(samples: Sequence[str | os.PathLike[str]], output: str | os.PathLike[str]) -> tuple[str, ...]:
    """The files meant: absolute, each once, in the order given, those of a folder or a pattern by name.

    Raises
    ------
    ConfigError
        Naming every folder and pattern without a file.
    """
    root = os.path.abspath(os.fspath(output))
    found: dict[str, None] = {}
    empty = []
    for sample in samples:
        path = os.path.abspath(os.fspath(sample))
        if os.path.isdir(path):
            path = os.path.join(path, "*")
        elif os.path.lexists(path) or not any(sign in path for sign in "*?"):
            # A file that is named and missing fails its own job.
            found[path] = None
            continue
        matched = match(path, leave_out=root)
        if not matched:
            empty.append(os.fspath(sample))
        found.update(dict.fromkeys(matched))
    if empty or not found:
        raise ConfigError(f"no samples in {', '.join(empty)}" if empty else "name one sample, or a folder of samples")
    return tuple(found)
