"""Commands from raw files to the store, and to look at it."""

from __future__ import annotations

import os
from typing import Any

import click

from batchlab.devices.cli._data_options import (
    DayType,
    F,
    base_option,
    command_line,
    json_option,
    laid_out,
    run_options,
    running,
    with_options,
)
from batchlab.devices.cli._tables import print_counts, print_json, print_table

__all__ = ["clean_data", "inspect_manifest", "stage_all", "staging_options", "staging_stats", "validate_manifest"]

_MOST_REJECTS = 20
_MOST_WARNINGS = 20


def staging_options(command: F) -> F:
    """How raw files are read."""
    options = (
        click.option("-p", "--procedures-yaml", metavar="FILE", help="A YAML file that describes further procedures."),
        click.option("-tz", "--local-tz", metavar="ZONE", help="Of the laboratory.  [default: America/Santiago]"),
        click.option("--strict", is_flag=True, help="Reject what does not follow the procedures' description."),
        click.option("--suffix", "suffixes", multiple=True, metavar=".EXT", help="Of raw files.  [default: .csv]"),
        click.option("--polars-threads", type=click.IntRange(1), help="Threads of tables."),
    )
    return with_options(command, options)


def staged_with(given: dict[str, Any]) -> dict[str, Any]:
    """Arguments of the batch from those options; takes them out of what was given.

    Raises
    ------
    click.UsageError
        If a time zone or a file is not there.
    """
    threads = given.pop("polars_threads")
    if threads is not None:
        os.environ["POLARS_MAX_THREADS"] = str(threads)
    zone = given.pop("local_tz")
    if zone is not None:
        _check_zone(zone)
    described = given.pop("procedures_yaml")
    if described is not None:
        from batchlab.devices._procedures import load_schema

        load_schema(described)  # all that is wrong in it, before anything starts
    suffixes = tuple(each if each.startswith(".") else f".{each}" for each in given.pop("suffixes")) or (".csv",)
    return {"timezone": zone, "procedures": described, "strict": given.pop("strict"), "suffixes": suffixes}


def _check_zone(zone: str) -> None:
    from difflib import get_close_matches
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        near = get_close_matches(zone, available_timezones(), n=1)
        hint = f"; did you mean {near[0]}?" if near else "; write one as in America/Santiago"
        raise click.UsageError(f"--local-tz {zone}: there is no such time zone{hint}") from error


@click.command("stage-all")
@base_option
@staging_options
@click.option("-f", "--force", is_flag=True, help="Read every file, whatever is known of it.")
@run_options
@click.pass_context
def stage_all(ctx: click.Context, /, **given: Any) -> None:
    """Read all raw files into the staged store; what is unchanged is not read again.

    Exit code 1 where files are rejected: each is told with its reason, and the others are staged.
    """
    from batchlab.devices._batches import reading_all, stage_batch

    layout = laid_out(given)
    batch = stage_batch(layout, **staged_with(given), histories=False, source=command_line())
    with reading_all(given["force"]):
        code = running(ctx, batch, fresh=given["force"], say=(_ONE,), **_voice(given))
    if not given["dry_run"] and not given["quiet"] and not given["json_lines"]:
        tell_staged(layout)
    ctx.exit(code)


_ONE = "1 worker: all files are read in one pass, which more processes would not shorten"


def _voice(given: dict[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in ("dry_run", "json_lines", "quiet", "verbose")}


def tell_staged(layout: Any) -> None:
    """What is in the store, which files are rejected, and which were read with warnings."""
    from batchlab.devices._inspect import staging_stats as stats_of
    from batchlab.devices._store import Store

    store = Store(layout.store)
    stats = stats_of(store.manifest())
    counts = ", ".join(f"{count} {name}" for name, count in stats["by_procedure"].items())
    status = ", ".join(f"{count} {name}" for name, count in stats["by_status"].items())
    click.echo(f"{stats['files']} files ({status}): {counts}")
    rejects = store.rejects().to_dicts()
    for row in rejects[:_MOST_REJECTS]:
        why = row["message"].removeprefix(f"{row['source_file']}: ")
        click.echo(f"  rejected {row['source_file']} ({row['reason']}): {why}")
    if len(rejects) > _MOST_REJECTS:
        click.echo(f"  and {len(rejects) - _MOST_REJECTS} more; inspect-manifest --status reject lists them")
    warned = store.manifest().drop_nulls("warnings").select("source_file", "warnings").rows()
    for file, warnings in warned[:_MOST_WARNINGS]:
        click.echo(f"  warning: {file}: {warnings}")
    if len(warned) > _MOST_WARNINGS:
        click.echo(f"  and {len(warned) - _MOST_WARNINGS} more; {_WARNED} lists them")


_WARNED = "inspect-manifest --warned --columns source_file,warnings"


@click.command("validate-manifest")
@base_option
@click.option("--raw/--no-raw", "raw", default=False, help="Compare with the raw files, too.")
@json_option
@click.pass_context
def validate_manifest(ctx: click.Context, /, raw: bool, as_json: bool, **given: Any) -> None:
    """Check that the store is whole; exit code 1 if it is not."""
    from batchlab.devices._inspect import validate_manifest as wrong_of

    layout = laid_out(given)
    wrong = wrong_of(layout.store, raw_root=layout.raw if raw else None)
    if as_json:
        print_json({"store": str(layout.store), "whole": not wrong, "problems": wrong})
    else:
        click.echo("\n".join(wrong) if wrong else f"{layout.store}: whole")
    ctx.exit(1 if wrong else 0)


@click.command("inspect-manifest")
@base_option
@click.option("-p", "--proc", metavar="NAME", help="Only this procedure.")
@click.option("-c", "--chip", metavar="CHIP", help="Only this chip: its name, or its number in any group.")
@click.option("-g", "--group", metavar="GROUP", help="Only chips of this group.")
@click.option("--light", type=click.Choice(["dark", "light"]), help="Only dark runs, or lit ones.")
@click.option("--status", type=click.Choice(["ok", "duplicate", "reject"]), help="Only files that came out so.")
@click.option("--date", type=DayType(), metavar="YYYY-MM-DD", help="Only this local day.")
@click.option("--flagged/--not-flagged", default=None, help="Only runs whose data are flagged as bad, or are not.")
@click.option("--warned/--not-warned", default=None, help="Only runs read with warnings, or without.")
@click.option("--columns", metavar="NAMES", help="With commas between; all for all.")
@click.option("-n", "--limit", type=click.IntRange(1), help="At most so many rows.")
@json_option
def inspect_manifest(
    proc: str | None,
    chip: str | None,
    group: str | None,
    light: str | None,
    columns: str | None,
    limit: int | None,
    as_json: bool,
    **given: Any,
) -> None:
    """List raw files with what was read from them."""
    from batchlab.devices._chips import chosen_chips, chosen_words
    from batchlab.devices._inspect import inspect_manifest as rows_of
    from batchlab.devices._manifest import read_manifest
    from batchlab.devices._model import Chip

    manifest = read_manifest(laid_out(given).store).table
    there = {Chip(*row) for row in manifest.select("chip_group", "chip_number").drop_nulls().unique().rows()}
    chips = chosen_chips([chip or ""], there, group=group) if chip or group else None
    procs = chosen_words([proc], set(manifest["proc"].drop_nulls()), "procedure") if proc else None
    wanted = tuple(manifest.columns) if columns == "all" else _names(columns, manifest.columns)
    chosen = rows_of(
        manifest,
        proc=procs,
        chip=None if chips is None else [each.name for each in chips],
        light=None if light is None else light == "light",
        columns=wanted,
        **given,
    )
    shown = chosen if limit is None else chosen.head(limit)
    if as_json:
        print_json(shown.to_dicts())
        return
    right = [at for at, kind in enumerate(shown.schema.dtypes()) if kind.is_numeric()]
    print_table(f"{shown.height} of {manifest.height} files", shown.columns, shown.rows(), right=right)


def _names(columns: str | None, there: list[str]) -> tuple[str, ...] | None:
    if columns is None:
        return None
    from batchlab.devices._chips import chosen_words

    chosen_words([columns], there, "column")
    return tuple(name.strip() for name in columns.split(","))


@click.command("staging-stats")
@base_option
@json_option
def staging_stats(as_json: bool, **given: Any) -> None:
    """Count what is staged: by procedure, chip, day, light, reason and flag."""
    from batchlab.devices._inspect import staging_stats as stats_of
    from batchlab.devices._manifest import read_manifest

    stats = stats_of(read_manifest(laid_out(given).store).table)
    if as_json:
        print_json(stats)
        return
    click.echo(f"{stats['files']} files, {stats['raw_bytes'] / 1e6:.1f} MB, {stats['rows']} rows")
    click.echo(f"{stats['first_utc']} to {stats['last_utc']} (UTC)\n")
    for name, value in stats.items():
        if isinstance(value, dict):
            print_counts(name.replace("_", " "), value)
    if stats["with_warnings"]:
        click.echo(f"{stats['with_warnings']} runs were read with warnings; {_WARNED} lists them")


@click.command("clean-data")
@click.option("--base-dir", default="data", show_default=True, metavar="DIR", help="The data folder.")
@click.argument("parts", nargs=-1, metavar="[PARTS]...")
@click.option("-n", "--dry-run", is_flag=True, help="Only tell what would go.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
def clean_data(base_dir: str, parts: tuple[str, ...], dry_run: bool, yes: bool, as_json: bool) -> None:
    """Remove what can be made again: PARTS are stage, histories, derived, metrics, enriched; by default stage, derived.

    Raw files are never touched.
    """
    from batchlab.devices._clean import clean

    wanted = tuple(word for part in parts for word in part.split(",")) or ("stage", "derived")
    found = clean(base_dir, wanted, dry_run=True)
    if not dry_run and found.folders:
        if not yes:
            click.confirm(f"Remove {', '.join(found.folders)} ({found.files} files)?", abort=True, err=True)
        found = clean(base_dir, wanted)
    if as_json:
        print_json({"folders": found.folders, "files": found.files, "bytes": found.bytes, "removed": not dry_run})
        return
    verb = "would remove" if dry_run else "removed"
    if not found.folders:
        click.echo("there is nothing to remove")
    for folder in found.folders:
        click.echo(f"{verb} {folder}")
    if found.folders:
        click.echo(f"{found.files} files, {found.bytes / 1e6:.1f} MB")
