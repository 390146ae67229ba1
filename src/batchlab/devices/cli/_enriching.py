"""Commands that join histories with the light of their runs and with metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from batchlab.devices.cli._data_options import base_option, command_line, json_option, laid_out, run_options, running
from batchlab.devices.cli._tables import print_json, print_table

if TYPE_CHECKING:
    from batchlab.devices._layout import Layout

__all__ = ["enrich_history", "enrich_now", "link_calibrations", "validate_calibration_links"]


@click.command("link-calibrations")
@base_option
@click.option("--stale-threshold", "stale_h", type=click.FloatRange(0, min_open=True), default=24.0, show_default=True)
@click.option("-c", "--chip", "chips", multiple=True, metavar="CHIPS", help="As in 67,81; else all.")
@click.option("-g", "--group", metavar="GROUP", help="Only chips of this group.  [default: all]")
@click.option("-f", "--force", is_flag=True, help="Link them anew.")
@run_options
@click.pass_context
def link_calibrations(ctx: click.Context, /, stale_h: float, chips: tuple[str, ...], **given: Any) -> None:
    """Link every lit run to the calibration of its light, and write its power into the enriched histories.

    Metrics that are derived by now are joined, too. --dry-run shows the links, and writes nothing.
    """
    layout = laid_out(given)
    if given["dry_run"]:
        _show_links(layout, stale_h, chips, given["group"], as_json=given["json_lines"])
        return
    code = enrich_now(ctx, layout, chips, stale_h=stale_h, **given)
    if not (given["quiet"] or given["json_lines"]):
        _show_links(layout, stale_h, chips, given["group"], as_json=False)
    ctx.exit(code)


def _show_links(layout: Layout, stale_h: float, words: tuple[str, ...], group: str | None, *, as_json: bool) -> None:
    from batchlab.devices._batches import chips_in
    from batchlab.devices._calibration import calibrations_of
    from batchlab.devices._calibration import link_calibrations as links_of
    from batchlab.devices._chips import chosen_chips
    from batchlab.devices._store import Store

    store = Store(layout.store)
    chips = chosen_chips(words, chips_in(store), group=group)
    some = chips if words or group else None
    links = links_of(store.runs(chips=some, columns=()), calibrations_of(store), stale_h=stale_h)
    if as_json:
        print_json(links.to_dicts())
        return
    counts = links["calibration"].value_counts().sort("calibration")
    print_table(f"{links.height} runs", ("calibration", "runs"), counts.rows(), right=(1,))
    doubts = links.filter(links["calibration_note"].is_not_null())["calibration_note"].value_counts(sort=True)
    for note, count in doubts.head(5).rows():
        click.echo(f"  {count} {'run' if count == 1 else 'runs'}: {note}")


def enrich_now(
    ctx: click.Context,
    layout: Layout,
    words: tuple[str, ...],
    *,
    group: str | None,
    workers: int | None,
    force: bool = False,
    dry_run: bool,
    json_lines: bool,
    quiet: bool,
    verbose: bool,
    **how: Any,
) -> int:
    """Join histories with the light of their runs and the metrics that are there; returns the exit code."""
    from batchlab.devices._batches import enrich_batch

    batch, why = enrich_batch(layout, chips=words, group=group, workers=workers, source=command_line(), **how)
    voice = {"dry_run": dry_run, "json_lines": json_lines, "quiet": quiet, "verbose": verbose}
    return running(ctx, batch, fresh=force, say=(why,), **voice)


@click.command("validate-calibration-links")
@base_option
@json_option
@click.pass_context
def validate_calibration_links(ctx: click.Context, /, as_json: bool, **given: Any) -> None:
    """Check the links in the enriched histories against the calibrations of today; exit code 1 if one is wrong."""
    from batchlab.devices._calibration import calibrations_of, validate_links
    from batchlab.devices._history import read_histories
    from batchlab.devices._store import Store
    from batchlab.errors import Category, DataError

    layout = laid_out(given)
    calibrations = calibrations_of(Store(layout.store))
    linked = {name: table for name, table in read_histories(layout.enriched).items() if "calibration" in table.columns}
    if not linked:
        raise DataError(
            f"{layout.enriched}: no history is linked to calibrations; link-calibrations does it",
            category=Category.MISSING_INPUT,
            reason="no-links",
        )
    wrong = [f"{name}: {each}" for name, table in linked.items() for each in validate_links(table, calibrations)]
    if as_json:
        print_json({"histories": sorted(linked), "right": not wrong, "problems": wrong})
    else:
        click.echo("\n".join(wrong) if wrong else f"{len(linked)} histories: all links are right")
    ctx.exit(1 if wrong else 0)


@click.command("enrich-history")
@click.argument("chips", nargs=-1, metavar="[CHIPS]...")
@base_option
@click.option("-a", "--all", "everything", is_flag=True, help="All chips.")
@click.option("-g", "--group", metavar="GROUP", help="Only chips of this group.  [default: all]")
@click.option("--calibrations-only", is_flag=True, help="Without metrics.")
@click.option("--metrics-only", is_flag=True, help="Without calibrations.")
@click.option("-m", "--metrics", "names", multiple=True, metavar="NAMES", help="As in cnp,tau; all for all.")
@click.option("--derive-first", is_flag=True, help="Derive the metrics of these chips first.")
@click.option("--skip-derive", is_flag=True, help="Take the metrics that are there; the default.")
@click.option("--stale-threshold", "stale_h", type=click.FloatRange(0, min_open=True), default=24.0, show_default=True)
@click.option("-f", "--force", is_flag=True, help="Make them anew.")
@run_options
@click.pass_context
def enrich_history(
    ctx: click.Context,
    /,
    chips: tuple[str, ...],
    everything: bool,
    group: str | None,
    calibrations_only: bool,
    metrics_only: bool,
    names: tuple[str, ...],
    derive_first: bool,
    skip_derive: bool,
    stale_h: float,
    force: bool,
    **given: Any,
) -> None:
    """Join the histories of CHIPS (67 or 67,81 or 67-75) with the light of their runs and with metrics."""
    if not (chips or everything or group):
        raise click.UsageError("name chips, as in 67,81, or say --all")
    if chips and everything:
        raise click.UsageError("name chips, or say --all, not both")
    if calibrations_only and (metrics_only or names or derive_first):
        raise click.UsageError("--calibrations-only takes no metrics; leave the other options out")
    if derive_first and skip_derive:
        raise click.UsageError("--derive-first and --skip-derive exclude each other")
    layout = laid_out(given)
    only = tuple(name.strip() for word in names for name in word.split(",") if name.strip())
    if derive_first:
        from batchlab.devices.cli._metrics import derive

        code = derive(ctx, layout, chips=chips, group=group, force=force, **given)
        if code != 0:
            ctx.exit(code)
    code = enrich_now(
        ctx,
        layout,
        chips,
        group=group,
        force=force,
        calibrations=not metrics_only,
        metrics=not calibrations_only,
        only=_meant(layout, only),
        stale_h=stale_h,
        **given,
    )
    ctx.exit(code)


_WORDS = {"photoresponse": ("delta_current", "delta_voltage", "delta_i_corrected", "delta_v_corrected")}


def _meant(layout: Layout, only: tuple[str, ...]) -> tuple[str, ...] | None:
    """Metrics by the beginnings of their names; words for several of them are spelt out."""
    if not only or "all" in only:
        return None
    meant = tuple(name for word in only for name in _WORDS.get(word, (word,)))
    if layout.wide.is_file():
        import polars as pl

        from batchlab.errors import ConfigError

        there = pl.read_parquet_schema(layout.wide)
        for word in only:
            if not any(name.startswith(_WORDS.get(word, (word,))) for name in there):
                known = sorted({name for name in there if "." not in name and " " not in name})
                raise ConfigError(f"--metrics {word}: no metric begins so; there are {', '.join(known)}")
    return meant
