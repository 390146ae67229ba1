"""``batchlab spectra inspect``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from batchlab.spectra._cli_plans import ai_show_option, show_requests

if TYPE_CHECKING:
    from batchlab.spectra._inspect import Inspection

__all__ = ["inspect"]

_SURE = 0.8
_MOST_LISTED = 12


@click.command("inspect")
@click.argument("files", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One list, for machines.")
@click.option("--no-plot", is_flag=True, help="Words alone.")
@ai_show_option
@click.pass_context
def inspect(ctx: click.Context, files: tuple[str, ...], as_json: bool, no_plot: bool, ai_show: bool) -> None:
    """Tell how FILES are read: layout, units, spectra, how sure that is and why, with a small plot.

    FILES are files, folders (their own files; DIR/** those of folders below, too) or patterns with * and ?. Nothing is
    written. Exit code 1 where a file is refused, or a folder holds none.
    """
    from batchlab.spectra._inspect import inspect as inspect_file
    from batchlab.spectra._samples import look_for_samples

    sought = look_for_samples(files, None)
    if not sought.files:
        raise click.UsageError("; ".join(f"{name}: {why}" for name, why in sought.without))
    for name, why in sought.without:
        click.echo(f"{name}: {why}", err=True)
    if ai_show:
        ctx.exit(show_requests(sought.files))
    told: list[dict[str, Any]] = [{"file": name, "refused": why} for name, why in sought.without]
    refused = bool(sought.without)
    for path in sought.files:
        found = inspect_file(_as_given(path, files))
        refused |= found.refused is not None
        if as_json:
            told.append(found.as_json())
        else:
            click.echo("\n".join(_lines(found, plot=not no_plot)) + "\n")
    if as_json:
        click.echo(json.dumps(told, indent=2, allow_nan=False))
    ctx.exit(1 if refused else 0)


def _as_given(path: str, files: tuple[str, ...]) -> str:
    """Relative to where the user is, unless absolute names were given."""
    import os

    return path if any(os.path.isabs(file) for file in files) else os.path.relpath(path)


def _lines(found: Inspection, *, plot: bool) -> list[str]:
    lines = [click.style(found.file, bold=True)]
    if found.refused is not None or found.recognition is None or found.main is None:
        return [*lines, f"  refused     {click.style(found.refused or '', fg='red')}"]
    recognition, plan, main = found.recognition, found.recognition.plan, found.main
    how = ""
    if plan is not None:
        header = f", header in line {', '.join(map(str, plan.header_lines))}" if plan.header_lines else ""
        how = f", {plan.delimiter}, decimal {plan.decimal}, {plan.encoding}"
        how += f", data from line {recognition.first_line}{header}"
    sure = recognition.confidence
    lines += [
        f"  layout      {found.layout}{how}",
        f"  confidence  {click.style(f'{sure:.2f}', fg='green' if sure >= _SURE else 'yellow')}",
        *(f"  {'because' if not at else '':<12}{reason}" for at, reason in enumerate(recognition.reasons)),
    ]
    first = main.axis[0] if recognition.first is None else recognition.first
    last = main.axis[-1] if recognition.last is None else recognition.last
    lines.append(f"  axis        {main.axis_label}: {first:.10g} to {last:.10g}, {len(main)} points")
    for at, each in enumerate(found.spectra[:_MOST_LISTED]):
        role = "" if each.role.value == "sample" else f" ({each.role.value})"
        lines.append(f"  {'spectra' if not at else '':<12}{each.name}: {each.intensity_label}{role}")
    if len(found.spectra) > _MOST_LISTED:
        lines.append(f"{'':<14}and {len(found.spectra) - _MOST_LISTED} more")
    lines += [f"  {'noticed' if not at else '':<12}{text}" for at, text in enumerate(main.warnings)]
    if left_out := main.metadata.get("left out"):
        lines.append(f"  left out    {left_out}")
    for at, other in enumerate(recognition.alternatives[:3]):
        what = f"{other.plan.orientation.value}, {other.confidence:.2f}: {'; '.join(other.reasons[:2])}"
        lines.append(f"  {'or else' if not at else '':<12}{what}")
    if plot and _can_draw():
        from batchlab.spectra._inspect import runs_down
        from batchlab.spectra._terminal_plot import terminal_plot

        lines += [f"    {line}" for line in terminal_plot(main.axis, main.intensity, descending=runs_down(main))]
    return lines


def _can_draw() -> bool:
    try:
        "⠿".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
