"""Commands over the histories of chips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from batchlab.devices.cli._data_options import DayType, base_option, command_line, json_option, laid_out, running
from batchlab.devices.cli._tables import print_table

if TYPE_CHECKING:
    import polars as pl

    from batchlab.devices._layout import Layout

__all__ = [
    "build_all_histories",
    "build_history",
    "export_history",
    "show_history",
]

_FORMATS = ("table", "json", "csv", "latex")


@click.command("build-all-histories")
@base_option
@click.option("-g", "--group", metavar="GROUP", help="Only chips of this group.  [default: all]")
@click.option("-n", "--min", "--min-experiments", "minimum", type=click.IntRange(1), default=1, help="Of runs.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("-f", "--force", is_flag=True, help="Build them anew.")
@click.option("--json", "json_lines", is_flag=True, help="One JSON object per line, the last the status.")
@click.option("-q", "--quiet", is_flag=True, help="Tell errors alone.")
@click.option("-v", "--verbose", is_flag=True, help="Tell of each job, and what is logged, too.")
@click.pass_context
def build_all_histories(
    ctx: click.Context,
    /,
    group: str | None,
    minimum: int,
    force: bool,
    dry_run: bool,
    json_lines: bool,
    quiet: bool,
    verbose: bool,
    **given: Any,
) -> None:
    """Number the runs of every chip, and write a history for each."""
    from batchlab.devices._batches import stage_batch
    from batchlab.devices._manifest import read_manifest

    layout = laid_out(given)
    read_manifest(layout.store)  # which tells what is wrong, if anything is
    batch = stage_batch(layout, stage=False, group=group, minimum=minimum, source=command_line())
    code = running(ctx, batch, fresh=force, dry_run=dry_run, json_lines=json_lines, quiet=quiet, verbose=verbose)
    if not (dry_run or quiet or json_lines):
        tell_histories(layout)
    ctx.exit(code)


def tell_histories(layout: Layout) -> None:
    """The chips, with how many runs of what and when."""
    from batchlab.devices._history import read_histories

    rows = []
    for name, history in read_histories(layout.histories).items():
        counts = history["proc"].value_counts(sort=True).rows()
        said = ", ".join(f"{count} {proc}" for proc, count in sorted(counts, key=lambda each: (-each[1], each[0])))
        rows.append((name, history.height, history["date_local"].min(), history["date_local"].max(), said))
    print_table("", ("chip", "runs", "first", "last", "procedures"), rows, right=(1,))


def _filters(command: Any) -> Any:
    """Which runs of a history."""
    options = (
        click.option("-p", "--proc", "procs", multiple=True, metavar="NAMES", help="Only these procedures."),
        click.option("--light", type=click.Choice(["dark", "light"]), help="Only dark runs, or lit ones."),
        click.option("--vg", "vg_v", type=float, help="Only runs at this fixed gate voltage, in V."),
        click.option("--vds", "vds_v", type=float, help="Only runs at this drain voltage, in V."),
        click.option("--wavelength", "wavelength_nm", type=float, help="Only runs of this light, in nm."),
        click.option("--date", type=DayType(), metavar="YYYY-MM-DD", help="Only this local day."),
        click.option("--flagged/--not-flagged", default=None, help="Only runs flagged as bad, or not."),
        click.option("--seq", metavar="SEQ", help="Only these: 52,57-60, ids of runs, or 2025-09-04#3."),
        click.option("--enriched", is_flag=True, help="The history with calibrations and metrics."),
        click.option("--columns", metavar="NAMES", help="With commas between."),
        click.option("-n", "--limit", type=click.IntRange(1), help="At most so many rows, the last."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def chip_history(layout: Layout, word: str, group: str | None, *, enriched: bool = False) -> pl.DataFrame:
    """The history of a chip that is named by its number or its name.

    Raises
    ------
    ConfigError
        If a number means chips of two groups.
    DataError
        If there is none.
    """
    from batchlab.devices._history import HISTORY, read_history
    from batchlab.errors import Category, ConfigError, DataError

    folder = layout.enriched if enriched else layout.histories
    there = sorted(path.name.removesuffix(HISTORY) for path in folder.glob(f"*{HISTORY}"))
    if not there:
        command = "enrich-history -a" if enriched else "build-all-histories"
        raise DataError(
            f"{folder}: there are no histories; {command} makes them",
            category=Category.MISSING_INPUT,
            reason="no-history",
        )
    if not (word.isascii() and word.isdigit()):
        return read_history(folder, word)
    names = [name for name in there if _number(name) == int(word) and group in (None, name.rstrip("0123456789"))]
    if len(names) > 1:
        raise ConfigError(f"{len(names)} chips have the number {word}: {', '.join(names)}; write the name, or --group")
    return read_history(folder, names[0] if names else f"{group or ''}{word}")


def _number(name: str) -> int | None:
    digits = name[len(name.rstrip("0123456789")) :]
    return int(digits) if digits else None


def _chosen(layout: Layout, chip: str, group: str | None, given: dict[str, Any]) -> tuple[pl.DataFrame, int]:
    """The runs that the filters leave, and how many there are."""
    from batchlab.devices._chips import chosen_words
    from batchlab.devices._history_view import select_runs
    from batchlab.devices._references import resolve

    enriched = given.pop("enriched")
    history = chip_history(layout, chip, group, enriched=enriched)
    procs, light, seq, limit = (given.pop(name) for name in ("procs", "light", "seq", "limit"))
    columns = given.pop("columns")
    wanted = chosen_words(procs, set(history["proc"]), "procedure") if procs else None
    chosen = select_runs(history, proc=wanted, light=None if light is None else light == "light", **given)
    if seq is not None:
        chosen = chosen.filter(chosen["run_id"].is_in(list(resolve(history, seq).values())))
    if limit is not None:
        chosen = chosen.tail(limit)
    if columns is not None:
        _refuse_metrics(layout, chip, [name.strip() for name in columns.split(",")], history.columns, enriched=enriched)
        chosen_words([columns], history.columns, "column")
        chosen = chosen.select([name.strip() for name in columns.split(",")])
    return chosen, history.height


def _refuse_metrics(layout: Layout, chip: str, wanted: list[str], there: list[str], *, enriched: bool) -> None:
    """Name the mend where a column that is asked for is a metric which this history does not have.

    Raises
    ------
    ConfigError
        If one is.
    """
    from batchlab.devices.metrics import PAIR_NAMES, extractors
    from batchlab.errors import ConfigError

    unknown = [name for name in wanted if name and name not in there]
    metrics = {*PAIR_NAMES, *(name for each in extractors() for name in each.metrics)} if unknown else set()
    joined = metrics.intersection(there)
    for name in unknown:
        if name in metrics and not enriched:
            raise ConfigError(f"{name} is a metric; --enriched shows the history with metrics")
        if name in metrics:
            why = "no run of this chip has it" if joined else "no metrics are joined with this history"
            mend = "derive-all-metrics --enrich derives them and joins them"
            if layout.wide.is_file():
                mend += f", enrich-history {chip} joins those that are derived"
            raise ConfigError(f"{name} is a metric, and {why}; {mend}")


@click.command("show-history")
@click.argument("chip")
@base_option
@click.option("-g", "--group", metavar="GROUP", help="Of the chip, where several have the number.")
@_filters
@click.option("-f", "--format", "form", type=click.Choice(_FORMATS), default="table", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def show_history(chip: str, group: str | None, form: str, as_json: bool, **given: Any) -> None:
    """Show the runs of a CHIP (67 or Alisson67) in the order of time, with their numbers."""
    from batchlab.devices._history_view import show

    layout = laid_out(given)
    columns = given["columns"]
    chosen, total = _chosen(layout, chip, group, given)
    if as_json or form != "table":
        click.echo(show(chosen, "json" if as_json else form), nl=False)
        return
    click.echo(show(chosen, columns=chosen.columns if columns is not None else None), nl=False)
    click.echo(f"{chosen.height} of {total} runs", err=True)


@click.command("build-history")
@click.argument("chip")
@base_option
@click.option("-g", "--group", default="Alisson", show_default=True, help="Of a chip that is named by its number.")
@click.option(
    "-o", "--output", metavar="FILE", help="Write it there (.csv, .json, .parquet, .txt, .tex) and nowhere else."
)
@json_option
def build_history(chip: str, group: str, output: str | None, as_json: bool, **given: Any) -> None:
    """Number the runs of one CHIP as they are staged now, and show or write its history.

    The histories of all chips stay as they are; build-all-histories brings them up to date.
    """
    from batchlab.devices._history import history_of
    from batchlab.devices._history_view import export_history as export
    from batchlab.devices._history_view import show
    from batchlab.devices._model import Chip
    from batchlab.devices._store import Store

    store = Store(laid_out(given).store)
    history = history_of(store.table, _chip(chip, group, Chip), timezone=store.timezone)
    if output is not None:
        _export(export, history, output)
        return
    click.echo(show(history, "json" if as_json else "table"), nl=False)


def _chip(word: str, group: str, kind: Any) -> Any:
    try:
        return kind.named(word, group=group)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _export(export: Any, history: pl.DataFrame, output: str) -> None:
    from pathlib import Path

    from batchlab.devices._durable import writing_into

    try:
        with writing_into(Path(output)):
            export(history, output)
    except ValueError as error:
        raise click.UsageError(f"--output {error}") from error
    click.echo(f"{history.height} runs written to {output}", err=True)


@click.command("export-history")
@click.argument("chip")
@base_option
@click.option("-g", "--group", metavar="GROUP", help="Of the chip, where several have the number.")
@_filters
@click.option("-o", "--output", required=True, metavar="FILE", help="Ends in .csv, .json, .parquet, .txt or .tex.")
def export_history(chip: str, group: str | None, output: str, **given: Any) -> None:
    """Write the history of a CHIP, or a selection of it, to a file."""
    from batchlab.devices._history_view import export_history as export

    chosen, _ = _chosen(laid_out(given), chip, group, given)
    _export(export, chosen, output)
