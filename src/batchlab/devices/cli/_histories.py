"""Commands over the histories of chips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from batchlab.devices.cli._data_options import base_option, command_line, json_option, laid_out, run_options, running
from batchlab.devices.cli._tables import print_json, print_table

if TYPE_CHECKING:
    import polars as pl

    from batchlab.devices._layout import Layout

__all__ = [
    "build_all_histories",
    "build_history",
    "enrich_history",
    "export_history",
    "link_calibrations",
    "show_history",
    "validate_calibration_links",
]

_FORMATS = ("table", "json", "csv")


@click.command("build-all-histories")
@base_option
@click.option("-g", "--group", metavar="GROUP", help="Only chips of this group.  [default: all]")
@click.option("-n", "--min", "--min-experiments", "minimum", type=click.IntRange(1), default=1, help="Of runs.")
@click.option("-w", "--workers", help="Has no effect: it is one pass.", hidden=True)
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
    workers: str | None,
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
        click.option("--date", metavar="YYYY-MM-DD", help="Only this local day."),
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

    history = chip_history(layout, chip, group, enriched=given.pop("enriched"))
    procs, light, seq, limit = (given.pop(name) for name in ("procs", "light", "seq", "limit"))
    columns = given.pop("columns")
    wanted = chosen_words(procs, set(history["proc"]), "procedure") if procs else None
    chosen = select_runs(history, proc=wanted, light=None if light is None else light == "light", **given)
    if seq is not None:
        chosen = chosen.filter(chosen["run_id"].is_in(list(resolve(history, seq).values())))
    if limit is not None:
        chosen = chosen.tail(limit)
    if columns is not None:
        chosen_words([columns], history.columns, "column")
        chosen = chosen.select([name.strip() for name in columns.split(",")])
    return chosen, history.height


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
@click.option("-o", "--output", metavar="FILE", help="Write it there (.csv, .json, .parquet, .txt) and nowhere else.")
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
    try:
        export(history, output)
    except ValueError as error:
        raise click.UsageError(f"--output {error}") from error
    click.echo(f"{history.height} runs written to {output}", err=True)


@click.command("export-history")
@click.argument("chip")
@base_option
@click.option("-g", "--group", metavar="GROUP", help="Of the chip, where several have the number.")
@_filters
@click.option("-o", "--output", required=True, metavar="FILE", help="Ends in .csv, .json, .parquet or .txt.")
def export_history(chip: str, group: str | None, output: str, **given: Any) -> None:
    """Write the history of a CHIP, or a selection of it, to a file."""
    from batchlab.devices._history_view import export_history as export

    chosen, _ = _chosen(laid_out(given), chip, group, given)
    _export(export, chosen, output)


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
