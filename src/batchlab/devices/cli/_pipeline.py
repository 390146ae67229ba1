"""Commands that do all steps one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from batchlab.devices.cli._data_options import (
    F,
    base_option,
    command_line,
    laid_out,
    run_options,
    running,
    with_options,
)
from batchlab.devices.cli._report import tell_pages
from batchlab.devices.cli._staging import staged_with, staging_options, tell_staged

if TYPE_CHECKING:
    from batchlab.devices._layout import Layout
    from batchlab.engine import Batch

__all__ = ["full_pipeline", "update"]


def _which_histories(command: F) -> F:
    """Of which chips there is to be a history."""
    options = (
        click.option("-g", "--group", metavar="GROUP", help="Only chips of this group.  [default: all]"),
        click.option(
            "--min",
            "--min-experiments",
            "minimum",
            type=click.IntRange(1),
            default=1,
            help="Runs that a chip needs for a history.",
        ),
    )
    return with_options(command, options)


@click.command("full-pipeline")
@base_option
@staging_options
@_which_histories
@click.option("--skip-metrics", is_flag=True, help="Derive no metrics.")
@click.option("--skip-enrichment", is_flag=True, help="Leave the enriched histories as they are.")
@click.option("--calibrations/--no-calibrations", default=True, help="Find the light of each run.")
@click.option("--geometries", metavar="FILE", help="Geometry of chips.  [default: BASE/chips.yaml]")
@click.option("-f", "--force", is_flag=True, help="Do everything anew.")
@run_options
@click.pass_context
def full_pipeline(
    ctx: click.Context,
    /,
    group: str | None,
    minimum: int,
    skip_metrics: bool,
    skip_enrichment: bool,
    calibrations: bool,
    geometries: str | None,
    force: bool,
    workers: int | None,
    **given: Any,
) -> None:
    """Stage raw files, number the runs of chips, derive metrics, and join all in enriched histories.

    Each step does only what is new. Files that are rejected and runs that fail are told, and end with exit code 1.
    """
    from batchlab.devices._batches import reading_all, stage_batch
    from batchlab.devices.cli._enriching import enrich_now
    from batchlab.devices.cli._metrics import derive

    layout = laid_out(given)
    batch = stage_batch(layout, **staged_with(given), group=group, minimum=minimum, source=command_line())
    with reading_all(force):
        codes = [running(ctx, batch, fresh=force, **given)]
    if given["dry_run"] or codes[-1] > 1:
        if given["dry_run"] and not given["quiet"] and not given["json_lines"]:
            click.echo("metrics and enriched histories: what there is to do shows once the runs are staged")
        ctx.exit(codes[-1])
    if not (given["quiet"] or given["json_lines"]):
        tell_staged(layout)
    if not skip_metrics:
        codes.append(
            derive(
                ctx,
                layout,
                group=group,
                force=force,
                powers=calibrations,
                geometries=geometries,
                enrich=not skip_enrichment and calibrations,
                pages=True,
                histories=False,  # they are as they were asked for
                workers=workers,
                **given,
            )
        )
    if not skip_enrichment and (skip_metrics or not calibrations) and codes[-1] <= 1:
        codes.append(
            enrich_now(ctx, layout, (), group=group, workers=workers, force=force, calibrations=calibrations, **given)
        )
    if not (given["quiet"] or given["json_lines"]):
        tell_pages(layout)
    ctx.exit(max(codes))


@click.command("update")
@base_option
@staging_options
@_which_histories
@click.option("-f", "--force", is_flag=True, help="Do it even if nothing is new.")
@run_options
@click.pass_context
def update(
    ctx: click.Context, /, group: str | None, minimum: int, force: bool, workers: int | None, **given: Any
) -> None:
    """Stage what is new; only then number the runs of chips, and find the light of each.

    No metrics are derived: those that are there stay joined. derive-all-metrics brings them up to date.
    """
    from batchlab.devices._batches import reading_all, stage_batch
    from batchlab.devices.cli._enriching import enrich_now

    layout = laid_out(given)
    batch = stage_batch(layout, **staged_with(given), group=group, minimum=minimum, source=command_line())
    loud = not (given["quiet"] or given["json_lines"])
    if not force and _all_done(layout, batch, group):
        if loud:
            click.echo("nothing is new")
        elif given["json_lines"]:
            click.echo('{"kind": "update", "changed": false}')
        return
    with reading_all(force):
        code = running(ctx, batch, fresh=force, **given)
    if not given["dry_run"] and code <= 1:
        if loud:
            tell_staged(layout)
        code = max(code, enrich_now(ctx, layout, (), group=group, workers=workers, force=force, **given))
    ctx.exit(code)


def _all_done(layout: Layout, batch: Batch, group: str | None) -> bool:
    """Whether a run would do nothing."""
    from batchlab.devices._batches import enrich_batch
    from batchlab.engine import Verdict, plan

    if any(each.verdict is not Verdict.SKIP for each in plan(batch).jobs):
        return False
    enriching, _ = enrich_batch(layout, group=group)
    return all(each.verdict is Verdict.SKIP for each in plan(enriching).jobs)
