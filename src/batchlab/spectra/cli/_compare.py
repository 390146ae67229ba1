"""``batchlab spectra compare``."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from batchlab.options import WorkersType
from batchlab.spectra._kinds import AxisKind, Normalization, Quantity
from batchlab.spectra._words import listed
from batchlab.spectra.cli._asked import asked, judging_options
from batchlab.spectra.cli._types import LimitsType, WordsType

if TYPE_CHECKING:
    from batchlab.engine import Batch

__all__ = ["compare"]

_READING = ("spectrum", "axis", "axis_kind", "axis_unit", "quantity", "unit", "column")
_MOST_NAMED = 10
_NORMALIZATIONS = tuple(each.value for each in Normalization)


@click.command("compare")
@click.argument("reference")
@click.argument("samples", nargs=-1, required=True)
@click.option(
    "-o", "--output", default="spectra-compare", metavar="DIR", show_default=True, help="Folder for the results."
)
@click.option(
    "--normalization", type=click.Choice(_NORMALIZATIONS, case_sensitive=False), default="none", show_default=True
)
@click.option(
    "--axis-kind",
    type=WordsType(AxisKind),
    help="What the axis is, where the files do not say; one that does, and differs, is told in a warning.",
)
@click.option("--axis-unit", help="Unit of the axis, likewise; nothing is converted, see --to-axis.")
@click.option("--quantity", type=WordsType(Quantity), help="What the signal is, likewise.")
@click.option("--unit", help="Unit of the signal, likewise; nothing is converted, see --to-quantity.")
@click.option("--axis", help="Axis column, by name or by number from 0.")
@click.option("--column", help="Intensity column, by name or by number from 0.")
@click.option("--spectrum", help="Which of a file's spectra, by name or by number from 0.")
@click.option(
    "--each-spectrum", is_flag=True, help="Compare every spectrum of each file; --spectrum is then the reference's."
)
@judging_options
@click.option("--band", metavar="FILE", help="A band of tolerance: axis, lower and upper, or mean and tolerance.")
@click.option("--must-conform", is_flag=True, help="Exit code 1 where a sample does not conform.")
@click.option("--replicates", multiple=True, metavar="FILES", help="Files whose spread is the band of tolerance.")
@click.option(
    "--analytics/--no-analytics",
    default=None,
    help="Look at the whole batch: outliers, clusters, drift. By default from 6 samples on, where tables are written.",
)
@click.option(
    "--format",
    type=click.Choice(["png", "jpg", "webp", "pdf", "svg"], case_sensitive=False),
    default="png",
    show_default=True,
    help="Of the pictures.",
)
@click.option("--page", is_flag=True, help="An interactive page for each comparison, too.")
@click.option("--ranking", is_flag=True, help="A table of all references for each sample, too.")
@click.option(
    "--normalized",
    type=click.Choice(["csv", "csv.gz", "parquet", "jdx"], case_sensitive=False),
    help="Write each sample in this open format, too.",
)
@click.option(
    "--compression",
    type=click.Choice(["gz", "zst"], case_sensitive=False),
    help="Pack each comparison's tables, and spectra that are written as text.",
)
@click.option(
    "--limits",
    type=LimitsType(),
    default="auto",
    metavar="auto|per-picture|LOW,HIGH",
    show_default=True,
    help="y limits of the pictures: settled from all samples, from each its own, or these.",
)
@click.option("--dpi", type=click.FloatRange(10, 2400), default=300.0, show_default=True)
@click.option("--no-figure", is_flag=True, help="Draw no pictures.")
@click.option("--no-table", is_flag=True, help="Write no tables.")
@click.option(
    "--workers", type=WorkersType(), default="auto", metavar="N|auto", help="Processes; auto is one per core."
)
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--fresh", is_flag=True, help="Do everything anew.")
@click.option("--json", "json_lines", is_flag=True, help="One JSON object per line.")
@click.option("-q", "--quiet", is_flag=True, help="Tell errors alone.")
@click.option("-v", "--verbose", is_flag=True, help="Tell of each job, and what the engine logs, too.")
@click.pass_context
def compare(
    ctx: click.Context,
    /,
    reference: str,
    samples: tuple[str, ...],
    output: str,
    normalization: str,
    limits: str | tuple[float, float],
    dpi: float,
    no_figure: bool,
    no_table: bool,
    workers: int | None,
    dry_run: bool,
    fresh: bool,
    json_lines: bool,
    quiet: bool,
    verbose: bool,
    band: str | None,
    must_conform: bool,
    replicates: tuple[str, ...],
    analytics: bool | None,
    format: str,
    page: bool,
    ranking: bool,
    normalized: str | None,
    each_spectrum: bool,
    compression: str | None,
    **given: Any,
) -> None:
    """Compare SAMPLES with a REFERENCE: numbers, a picture and a table for each.

    SAMPLES are files, folders (their own files; DIR/** those of folders below, too) or patterns with * and ?.
    REFERENCE is a file, or with --references a folder or a pattern.
    """
    from batchlab.engine import Settings
    from batchlab.errors import ConfigError
    from batchlab.spectra._batch import compare_batch
    from batchlab.spectra._samples import find_samples, look_for_samples, samples_or_raise

    params = asked(given)
    try:
        references = find_samples([reference], output)
        # All of them, before one of them is read.
        found = look_for_samples(samples, output, references[0] if len(references) == 1 else None)
        samples_or_raise(look_for_samples(samples, output) if each_spectrum else found)
        if not quiet:
            for text in found.told:
                click.echo(text, err=True)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    if not os.path.lexists(references[0]):
        raise click.UsageError(f"REFERENCE {reference}: there is no such file")
    if len(references) > 1 and "references" not in params:
        raise click.UsageError(
            f"REFERENCE {reference}: {len(references)} files; name one, or say --references best, mean or nearest"
        )
    wanted = {"peaks": params.get("peaks") and "csv", "ranking": ranking and "csv", "page": page and "html"}
    outputs = {name: f"{{sample}}_{name}.{ending}" for name, ending in wanted.items() if ending}
    if normalized is not None:
        outputs["normalized"] = f"normalized/{{sample}}.{normalized}"
    for option in ("axis", "column"):
        if each_spectrum and given[option] is not None:
            raise click.UsageError(f"--each-spectrum takes all columns: leave --{option} out, or --each-spectrum")
    banded = "within" in params.get("tolerance", {}) or band or replicates or params.get("references") == "mean"
    if not banded and (lost := next(filter(_of_band, given["rules"]), None)):
        raise click.UsageError(f"--rule '{lost}' is about a band: say --within, --band or --replicates, too")
    if must_conform and not ("tolerance" in params or band or replicates):
        raise click.UsageError("--must-conform needs something to conform to: --rule, --within, --band or --replicates")
    batch = compare_batch(
        references,
        samples,
        output,
        normalization=normalization,
        reading={name: given[name] for name in _READING if given[name] is not None},
        params=params,
        limits=limits,
        dpi=dpi,
        figure=not no_figure,
        table=not no_table,
        format=format,
        compression=compression,
        outputs=outputs,
        band=band,
        replicates=replicates,
        analytics="auto" if analytics is None else {} if analytics else None,
        each_spectrum=each_spectrum,
        settings=Settings(workers=workers),
        source=shlex.join(["batchlab", *sys.argv[1:]]),
    )
    code = ctx.obj.run_batch(
        batch, dry_run=dry_run, fresh=fresh, only=None, json_lines=json_lines, quiet=quiet, verbose=verbose
    )
    if must_conform and code == 0 and not dry_run:
        failed = _not_conforming(batch)
        code = 1 if failed else 0
        if failed and (quiet or json_lines):  # else the summary names them
            click.echo(f"{listed(failed, _MOST_NAMED)} {'does' if len(failed) == 1 else 'do'} not conform", err=True)
    ctx.exit(code)


def _of_band(rule: str) -> bool:
    from batchlab.spectra._rules import parse_rule

    try:
        return parse_rule(rule).of_band
    except ValueError:  # told with all else that is wrong, before anything runs
        return False


def _not_conforming(batch: Batch) -> tuple[str, ...]:
    """The samples of a batch that do not conform, by the names of their jobs."""
    from batchlab.engine import read_view

    jobs = {job.name for job in batch.jobs}
    view = read_view(batch.output)
    found = (job for job in view.jobs if job.name in jobs and job.metrics.get("conforms") is False)
    return tuple(job.name.partition("/")[2] or job.name for job in found)
