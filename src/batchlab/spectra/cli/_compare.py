"""``batchlab spectra compare``."""

from __future__ import annotations

import os
import shlex
import sys

import click

from batchlab.spectra._kinds import AxisKind, Normalization, Quantity
from batchlab.spectra.cli._types import LimitsType, WordsType, WorkersType

__all__ = ["compare"]

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
@click.option("--axis-kind", type=WordsType(AxisKind), help="What the axis is, where the files do not say.")
@click.option("--axis-unit", help="Unit of the axis, where the files do not say.")
@click.option("--quantity", type=WordsType(Quantity), help="What the signal is, where the files do not say.")
@click.option("--unit", help="Unit of the signal, where the files do not say.")
@click.option("--column", help="Intensity column, by name or by number from 0.")
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
    **reading: str | None,
) -> None:
    """Compare SAMPLES with a REFERENCE: numbers, a picture and a table for each.

    SAMPLES are files, folders or patterns.
    """
    from batchlab.engine import Settings
    from batchlab.spectra._batch import compare_batch

    if not os.path.isfile(reference):
        what = "is a folder; name a file" if os.path.isdir(reference) else "there is no such file"
        raise click.UsageError(f"REFERENCE {reference}: {what}")
    batch = compare_batch(
        reference,
        samples,
        output,
        normalization=normalization,
        reading={name: value for name, value in reading.items() if value is not None},
        limits=limits,
        dpi=dpi,
        figure=not no_figure,
        table=not no_table,
        settings=Settings(workers=workers),
        source=shlex.join(["batchlab", *sys.argv[1:]]),
    )
    code = ctx.obj.run_batch(
        batch, dry_run=dry_run, fresh=fresh, only=None, json_lines=json_lines, quiet=quiet, verbose=verbose
    )
    ctx.exit(code)
