"""What this domain offers to the command line. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import os
import shlex
import sys
from typing import Any

import click

from batchlab.spectra._kinds import AxisKind, Normalization, Quantity

_NORMALIZATIONS = tuple(each.value for each in Normalization)


class _WordsType(click.Choice):  # type: ignore[type-arg]
    """One of some words; a hyphen may stand for the blank between two of them."""

    def __init__(self, words: type[AxisKind] | type[Quantity]) -> None:
        super().__init__(
            [each.value.replace(" ", "-") for each in words if each.value != "unknown"], case_sensitive=False
        )

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | None:
        """The words as the params have them."""
        if value is None:
            return None
        return str(super().convert(str(value).replace(" ", "-").replace("_", "-"), param, ctx)).replace("-", " ")


class _LimitsType(click.ParamType):  # type: ignore[type-arg]
    """``auto``, ``per-picture`` or ``LOW,HIGH``."""

    name = "limits"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | tuple[float, float]:
        """Words as they are, numbers as a pair."""
        if not isinstance(value, str) or value in ("auto", "per-picture"):
            return value  # type: ignore[no-any-return]
        try:
            low, high = map(float, value.split(","))
        except ValueError:
            self.fail(f"{value!r}: write auto, per-picture, or two numbers as in 0,1.5", param, ctx)
        if not low < high:
            self.fail(f"{value!r}: the first number must be the smaller", param, ctx)
        return low, high


class _WorkersType(click.ParamType):  # type: ignore[type-arg]
    """A number of processes, or ``auto``."""

    name = "workers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """None for one per core."""
        if value is None or value == "auto":
            return None
        try:
            number = int(value)
        except ValueError:
            number = 0
        if number < 1:
            self.fail(f"{value!r}: write auto, or a number from 1", param, ctx)
        return number


@click.group()
def spectra() -> None:
    """Optical spectra: Raman, infrared, UV-Vis, fluorescence."""


@spectra.command("compare")
@click.argument("reference")
@click.argument("samples", nargs=-1, required=True)
@click.option(
    "-o", "--output", default="spectra-compare", metavar="DIR", show_default=True, help="Folder for the results."
)
@click.option(
    "--normalization", type=click.Choice(_NORMALIZATIONS, case_sensitive=False), default="none", show_default=True
)
@click.option("--axis-kind", type=_WordsType(AxisKind), help="What the axis is, where the files do not say.")
@click.option("--axis-unit", help="Unit of the axis, where the files do not say.")
@click.option("--quantity", type=_WordsType(Quantity), help="What the signal is, where the files do not say.")
@click.option("--unit", help="Unit of the signal, where the files do not say.")
@click.option("--column", help="Intensity column, by name or by number from 0.")
@click.option(
    "--limits",
    type=_LimitsType(),
    default="auto",
    metavar="auto|per-picture|LOW,HIGH",
    show_default=True,
    help="y limits of the pictures: settled from all samples, from each its own, or these.",
)
@click.option("--dpi", type=click.FloatRange(10, 2400), default=300.0, show_default=True)
@click.option("--no-figure", is_flag=True, help="Draw no pictures.")
@click.option("--no-table", is_flag=True, help="Write no tables.")
@click.option(
    "--workers", type=_WorkersType(), default="auto", metavar="N|auto", help="Processes; auto is one per core."
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
