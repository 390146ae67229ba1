"""Commands that derive metrics."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from batchlab.devices.cli._data_options import (
    base_option,
    chip_options,
    command_line,
    laid_out,
    run_options,
    running,
    told_of_run,
)
from batchlab.devices.cli._report import tell_stale_pages
from batchlab.devices.cli._tables import print_table
from batchlab.errors import Category, DataError

if TYPE_CHECKING:
    from batchlab.devices._batches import Metrics
    from batchlab.devices._layout import Layout

__all__ = ["derive", "derive_all_metrics", "derive_consecutive_sweeps", "derive_fitting_metrics", "reasons_told"]

_PAIRS, _EXTRACT = "devices.pairs", "devices.extract"
_SKIPPED = re.compile(r"(\S+) skipped (\S+): (\w+) \((.*)\)")  # as log_skip of the metrics writes it


def _method_options(command: Any) -> Any:
    """How single runs are looked at."""
    options = (
        click.option("--calibrations/--no-calibrations", "powers", default=True, help="Find the light of each run."),
        click.option(
            "--stale-threshold", "stale_h", type=click.FloatRange(0, min_open=True), help="In h.  [default: 24]"
        ),
        click.option("--geometries", metavar="FILE", help="Geometry of chips.  [default: BASE/chips.yaml]"),
        click.option(
            "--threshold-current", "threshold_current_a", type=click.FloatRange(0, min_open=True), help="In A."
        ),
        click.option("--extractors", "modules", multiple=True, metavar="FILE", help="A .py file with further methods."),
        click.option("--constant", "constants", multiple=True, metavar="NAME=VALUE", help="A threshold of your own."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command("derive-all-metrics")
@base_option
@chip_options
@_method_options
@click.option("-m", "--method", "methods", multiple=True, metavar="NAMES", help="Only these methods, without pairs.")
@click.option("--pairs/--no-pairs", default=True, help="Compare consecutive sweeps, too.")
@click.option("--enrich", is_flag=True, help="Join the histories of these chips with the metrics afterwards.")
@click.option("--pages", is_flag=True, help="Write the pages of chips afterwards, as batchlab devices report does.")
@click.option("-f", "--force/--skip-existing", default=False, help="Derive anew what is unchanged, too, or not.")
@run_options
@click.pass_context
def derive_all_metrics(ctx: click.Context, /, **given: Any) -> None:
    """Derive all metrics of staged runs, and of pairs of consecutive sweeps.

    What is unchanged since it was derived is not derived again. With --chip or --procedures only rows of those change.
    """
    layout = laid_out(given)
    methods = [name.strip() for word in given.pop("methods") for name in word.split(",") if name.strip()]
    if methods:
        given |= {"extractors": methods, "pairs": False}
    ctx.exit(derive(ctx, layout, **given))


@click.command("derive-consecutive-sweeps")
@base_option
@chip_options
@click.option("--same", "same", metavar="NAMES", help="What both must have.  [default: vds_v,ids_a,light,sample]")
@click.option("--skip-over", is_flag=True, help="Compare a sweep with the last one like it, over others between them.")
@click.option("--calibrations/--no-calibrations", "powers", default=True, help="Find the light between sweeps.")
@click.option("-f", "--force", is_flag=True, help="Compare anew what is unchanged, too.")
@run_options
@click.pass_context
def derive_consecutive_sweeps(ctx: click.Context, /, same: str | None, skip_over: bool, **given: Any) -> None:
    """Compare gate sweeps that follow each other, leg by leg."""
    layout = laid_out(given)
    pairing: dict[str, Any] = {"skip_over": skip_over} if skip_over else {}
    if same is not None:
        pairing["same"] = [name.strip() for name in same.split(",") if name.strip()]
    ctx.exit(derive(ctx, layout, singles=False, pairing=pairing, **given))


@click.command("derive-fitting-metrics")
@base_option
@chip_options
@_method_options
@click.option("-f", "--force", is_flag=True, help="Fit anew what is unchanged, too.")
@run_options
@click.pass_context
def derive_fitting_metrics(ctx: click.Context, /, **given: Any) -> None:
    """Fit relaxations, three phases and drifts; the other metrics stay as they are."""
    from batchlab.devices._batches import FITTING

    layout = laid_out(given)
    ctx.exit(derive(ctx, layout, extractors=FITTING, pairs=False, **given))


def derive(
    ctx: click.Context,
    layout: Layout,
    *,
    chips: tuple[str, ...] = (),
    group: str | None = None,
    procedures: tuple[str, ...] = (),
    force: bool = False,
    stale_h: float | None = None,
    constants: tuple[str, ...] = (),
    workers: int | None = None,
    dry_run: bool,
    json_lines: bool,
    quiet: bool,
    verbose: bool,
    histories: bool = True,
    **how: Any,
) -> int:
    """Derive metrics with progress and summary; returns the exit code.

    With `histories`, those that enriching lacks are built first.
    """
    from batchlab.devices._batches import metrics_batch, stage_batch, swept

    changed = _constants(constants)
    voice: dict[str, Any] = {"dry_run": dry_run, "json_lines": json_lines, "quiet": quiet, "verbose": verbose}
    if histories and how.get("enrich") and (lacking := _without_history(layout)):
        if dry_run:
            raise DataError(
                f"{layout.histories}: no history of {', '.join(lacking)} yet, so that the joining cannot be planned; "
                "build-all-histories makes them, and so does this command without --dry-run",
                category=Category.MISSING_INPUT,
                reason="no-history",
            )
        if not (quiet or json_lines):
            click.echo(f"no history of {', '.join(lacking)} yet: all histories are built first", err=True)
        code = running(ctx, stage_batch(layout, stage=False), **{**voice, "json_lines": False, "quiet": True})
        if code > 1:
            return code
    if stale_h is not None:
        changed["CALIBRATION_STALE_H"] = stale_h
    made = metrics_batch(
        layout,
        chips=chips,
        group=group,
        procedures=procedures,
        constants=changed,
        workers=workers,
        source=command_line(),
        **how,
    )
    for warning in () if quiet else made.warnings:
        click.echo(f"warning: {warning}", err=True)
    began = time.time()
    code = running(
        ctx,
        made.batch,
        fresh=force,
        **voice,
        say=(_covers(made), made.workers),
    )
    if dry_run:
        return code
    if verbose:
        for line in told_of_run(made.batch, began, (_PAIRS,), "airwise extraction"):
            click.echo(line, err=True)
        for line in told_of_run(made.batch, began, (_PAIRS,), "pairs in batches"):
            click.echo(line, err=True)
        for line in reasons_told(told_of_run(made.batch, began, (_PAIRS, _EXTRACT), " skipped ")):
            click.echo(line, err=True)
    if made.complete:
        swept(layout, made.batch)
    if not (quiet or json_lines):
        tell_metrics(layout, made)
        if not how.get("pages"):
            tell_stale_pages(layout)
    return code


def reasons_told(lines: Iterable[str]) -> list[str]:
    """Why methods gave nothing, a line for each method and reason: of how many runs, and what one was told."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for match in filter(None, map(_SKIPPED.match, lines)):
        method, run_id, reason, detail = match.groups()
        found.setdefault((method, reason), []).append((run_id, detail))
    lines = []
    for (method, reason), told in sorted(found.items()):
        run_id, detail = min(told)
        lines.append(
            f"no {method} of {len(told)} {'run' if len(told) == 1 else 'runs'}: {reason}, as of {run_id}: {detail}"
        )
    return lines


def _without_history(layout: Layout) -> list[str]:
    """Names of staged chips that have no history."""
    from batchlab.devices._batches import chips_in
    from batchlab.devices._history import file_of, names_of
    from batchlab.devices._store import Store

    names = names_of(chips_in(Store(layout.store)))
    return [name for name in names.values() if not (layout.histories / file_of(name)).is_file()]


def _constants(words: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for word in words:
        name, _, value = word.partition("=")
        try:
            numbers = [float(part) for part in value.split(",")]
        except ValueError as error:
            raise click.UsageError(f"--constant {word}: write NAME=VALUE, or NAME=LOW,HIGH") from error
        whole = [int(number) if number.is_integer() else number for number in numbers]
        found[name.strip()] = whole[0] if len(whole) == 1 else whole
    if found:
        from batchlab.devices.metrics import _constants as constants

        try:
            constants.changed(**found)
        except AttributeError as error:
            raise click.UsageError(f"--constant: {error}") from error
    return found


def _covers(made: Metrics) -> str:
    chips = ", ".join(chip.name for chip in made.chips)
    pairs = f" and up to {made.pairs} pairs" if made.pairs else ""
    return f"{made.runs} runs{pairs} of {chips or 'no chip'}: {', '.join(made.procedures)}"


def tell_metrics(layout: Layout, made: Metrics) -> None:
    """The metrics of the chips and procedures that were covered, a line for each name."""
    import polars as pl

    if not layout.metrics.is_file():
        return
    from batchlab.devices.metrics._dirac_point import METHODS

    method, key = "extraction_method", ("run_id", "metric_name", "unit")
    columns = (*key, method, "chip_group", "chip_number", "procedure", "value_float", "confidence")
    table = pl.read_parquet(layout.metrics, columns=list(columns), glob=False)
    names = [chip.name for chip in made.chips]
    covered = table.filter(
        (pl.concat_str("chip_group", "chip_number").is_in(names) | pl.col("chip_number").is_null())
        & pl.col("procedure").is_in(made.procedures)
    )
    told = (
        # Of several methods the first, as in the wide table: a median over all would mix them.
        covered.sort(pl.col(method).replace_strict(METHODS, range(len(METHODS)), default=len(METHODS)), method)
        .unique(key, keep="first", maintain_order=True)
        .group_by("metric_name", "unit")
        .agg(
            pl.col("run_id").n_unique().alias("runs"),
            pl.col("value_float").median().alias("median"),
            pl.col("confidence").median().alias("confidence"),
        )
        .sort("metric_name", "unit")
        .select("metric_name", "runs", "median", "unit", "confidence")
    )
    head = ("metric", "runs", "median", "unit", "confidence")
    title = f"{covered.height} of {table.height} rows in {os.path.relpath(layout.metrics)}"
    print_table(title, head, told.rows(), right=(1, 2, 4))
