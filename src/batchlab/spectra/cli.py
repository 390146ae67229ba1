"""What this domain offers to the command line. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import shlex
import sys
from typing import Any

import click

_NORMALIZATIONS = ("none", "snv", "min-max", "area")
_AXIS_KINDS = ("wavenumber", "raman shift", "wavelength", "energy", "frequency", "pixel", "time")


class _LimitsType(click.ParamType):  # type: ignore[type-arg]
    """``auto``, ``per-picture`` or ``LOW,HIGH``."""

    name = "auto|per-picture|LOW,HIGH"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | tuple[float, float]:
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

    name = "N|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
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
@click.option("-o", "--output", default="spectra-compare", show_default=True, help="Folder for the results.")
@click.option("--normalization", type=click.Choice(_NORMALIZATIONS), default="none", show_default=True)
@click.option("--axis-kind", type=click.Choice(_AXIS_KINDS), help="What the axis is, where the files do not say.")
@click.option("--axis-unit", help="Unit of the axis, where the files do not say.")
@click.option("--quantity", help="What the signal is (absorbance, counts, ...), where the files do not say.")
@click.option("--unit", help="Unit of the signal, where the files do not say.")
@click.option("--column", help="Intensity column, by name or by number from 0.")
@click.option("--limits", type=_LimitsType(), default="auto", show_default=True, help="y limits of the pictures.")
@click.option("--dpi", type=click.FloatRange(10, 2400), default=300.0, show_default=True)
@click.option("--no-figure", is_flag=True, help="Draw no pictures.")
@click.option("--no-table", is_flag=True, help="Write no tables.")
@click.option("--workers", type=_WorkersType(), default="auto", help="Processes; auto is one per core.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--fresh", is_flag=True, help="Do everything anew.")
@click.option("--json", "json_lines", is_flag=True, help="One JSON object per line.")
@click.option("-q", "--quiet", is_flag=True)
@click.option("-v", "--verbose", is_flag=True)
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
