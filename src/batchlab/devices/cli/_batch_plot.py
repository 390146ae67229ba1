"""``batchlab devices batch-plot``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from batchlab.devices.cli._plot_lines import (
    Voice,
    dry_run_lines,
    left_out_of,
    loaded_line,
    matching,
    reasons_of,
    warnings_of,
)
from batchlab.devices.cli._plot_options import DURATION
from batchlab.devices.cli._plot_run import draw_all, draw_for_machines, plan_all, plan_for_machines
from batchlab.devices.cli._tables import print_json

__all__ = ["batch_plot"]


@click.command("batch-plot")
@click.argument("config", metavar="CONFIG", type=click.Path(path_type=Path))
@click.option(
    "-p", "--parallel", type=click.IntRange(1), metavar="N", help="Number of parallel workers; by default by the work."
)
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be drawn; with -v also why.")
@click.option("--json", "json_lines", is_flag=True, help="One JSON object per line, the last the status.")
@click.option("-v", "--verbose", is_flag=True, help="Show where pictures are, and what plots warn of.")
@click.option("-q", "--quiet", is_flag=True, help="Tell errors alone.")
@click.option("-o", "--output", type=click.Path(), default="figs", show_default=True, help="The folder of figures.")
@click.option(
    "--format", "form", type=click.Choice(["pdf", "png", "svg", "jpg"]), help="Of all pictures, whatever CONFIG says."
)
@click.option("--base-dir", default="data", show_default=True, metavar="DIR", help="The data folder.")
@click.option("-s", "--stage-root", metavar="DIR", help="Staged runs.  [default: BASE/02_stage]")
@click.option("--derived-root", metavar="DIR", help="Enriched histories.  [default: BASE/03_derived]")
@click.option("--only", metavar="GLOB", help="Only plots whose names match, such as 'plot-its/*'.")
@click.option("--fresh", is_flag=True, help="Draw everything anew, also what is done.")
@click.option("--timeout", type=DURATION, default="2 min", show_default=True, help="What one plot may take.")
@click.option("--retries", type=click.IntRange(0), default=2, show_default=True, help="After failures that may pass.")
@click.option("--overwrite", is_flag=True, help="Replace files of these names that something else made.")
@click.option("--no-report", is_flag=True, help="Write no reports afterwards.")
@click.pass_context
def batch_plot(
    ctx: click.Context,
    /,
    config: Path,
    parallel: int | None,
    dry_run: bool,
    json_lines: bool,
    verbose: bool,
    quiet: bool,
    output: str,
    form: str | None,
    base_dir: str,
    stage_root: str | None,
    derived_root: str | None,
    only: str | None,
    fresh: bool,
    timeout: float,
    retries: int,
    overwrite: bool,
    no_report: bool,
) -> None:
    """Draw all plots of CONFIG, a YAML file of plots.

    What is drawn already and has not changed stays as it is. One plot that fails leaves the others; the exit code is
    then 1, and 2 for a file that is wrong.
    """
    from batchlab.devices._batch_plots import load_batch_plots
    from batchlab.devices._plot_batch import name_of, plot_batch
    from batchlab.engine import Conflict, Settings
    from batchlab.errors import DataError

    found = load_batch_plots(config)
    if form is not None:
        found = replace(found, specs=tuple(replace(s, style={**s.style, "format": form}) for s in found.specs))
    voice = Voice(quiet=quiet or json_lines, verbose=verbose)
    if not dry_run:
        voice.say(loaded_line(found.specs, found.chips))
    settings = Settings(workers=parallel, retries=retries, conflict=Conflict.OVERWRITE if overwrite else Conflict.FAIL)
    groups = len({chip.group for chip in found.chips}) > 1
    try:
        plots = plot_batch(
            found.specs,
            base_dir=base_dir,
            stage_root=stage_root,
            derived_root=derived_root,
            output=output,
            plugins=found.plugins,
            settings=settings,
            timeout_s=timeout,
            source=config.read_text(encoding="utf-8-sig", errors="replace"),
            file=config,
        )
    except DataError as error:
        if not dry_run or error.reason != "no-store":
            raise
        if json_lines:
            raise
        some = [found.specs[at] for at in matching([name_of(spec) for spec in found.specs], only)]
        click.echo("\n".join(dry_run_lines(some, {}, groups=groups)))
        click.echo(f"note: {error}", err=True)
        ctx.exit(0)
    # A run that tells more tells what is left out with the plots.
    for line in (*warnings_of(plots), *(() if quiet or (verbose and not dry_run) else left_out_of(plots))):
        voice.trouble(line)
    if dry_run and json_lines:
        print_json(plan_for_machines(plots, fresh=fresh, only=only))
        ctx.exit(0)
    if dry_run:
        chosen = matching([each.job.name for each in plots.plots], only)
        reasons = reasons_of(plots, plan_all(plots, fresh=fresh)) if verbose else {}
        told = {number: reasons[at] for number, at in enumerate(chosen) if at in reasons}
        click.echo("\n".join(dry_run_lines([plots.plots[at].spec for at in chosen], told, groups=groups)))
        ctx.exit(0)
    how: dict[str, Any] = {"workers": parallel, "only": only, "fresh": fresh, "report": not no_report}
    if json_lines:
        code = draw_for_machines(plots, ctx.obj, verbose=verbose, **how)
    else:
        code = draw_all(plots, voice, **how).exit_code
    plots.keep_pins()
    ctx.exit(code)
