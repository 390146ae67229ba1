"""``batchlab particles list``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from batchlab.particles.cli._asked import chosen_files, file_options

if TYPE_CHECKING:
    from batchlab.particles._model import DataFile

__all__ = ["list_files"]


@click.command("list")
@click.argument("places", nargs=-1, required=True, metavar="DIR...")
@file_options
@click.option("--look", is_flag=True, help="Open each file: its span in time, its records, and what it holds.")
@click.option("--json", "as_json", is_flag=True, help="For machines: one object.")
@click.pass_context
def list_files(ctx: click.Context, /, places: tuple[str, ...], look: bool, as_json: bool, **given: Any) -> None:
    """Show which files lie in DIR: by orbit, each in its highest version, and what is passed over."""
    found = chosen_files(places, given)
    rows = [_row(each, look) for each in found.files]
    if as_json:
        orbits = {str(orbit): str(path) for orbit, path in found.orbit_files.items()}
        click.echo(json.dumps({"files": rows, "orbit_files": orbits, "notes": list(found.notes)}, indent=2))
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in (
        "orbit",
        "instrument",
        "start (UTC)",
        "version",
        "MB",
        *(("records", "span", "holds") if look else ()),
    ):
        table.add_column(name, justify="right" if name in ("orbit", "version", "MB", "records") else "left")
    for row in rows:
        cells = ["" if row["orbit"] is None else str(row["orbit"]), row["instrument"], row["start"] or "",
                 str(row["version"]), f"{row['bytes'] / 1e6:.1f}"]  # fmt: skip
        if look:
            holds = row.get("error") or ", ".join(each["name"] for each in row["holds"])
            end = row.get("end", "")
            cells += [end[11:] if end[:10] == (row["start"] or "")[:10] else end, str(row.get("records", "")), holds]
        table.add_row(*cells)
    from rich.console import Console

    Console().print(table)
    tracks = f", {len(found.orbit_files)} with an orbit file" if found.orbits else ""
    click.echo(f"{len(found.files)} files, {len(found.orbits)} orbits{tracks}")
    for note in found.notes:
        click.echo(note, err=True)


def _row(each: DataFile, look: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "orbit": each.orbit,
        "instrument": each.instrument,
        "start": each.start.strftime("%Y-%m-%d %H:%M:%S") if each.start else None,
        "version": each.version if each.orbit is not None else _stated_version(each.path.stem),
        "bytes": each.path.stat().st_size,
        "path": str(each.path),
    }
    if look:
        from batchlab.errors import BatchlabError
        from batchlab.particles._describe import describe

        try:
            told = describe(each.path)
        except BatchlabError as error:
            row["error"] = str(error)
            return row
        row["records"] = told.records
        if told.start_s is not None and told.end_s is not None:
            row["start"], row["end"] = _time(told.start_s), _time(told.end_s)
        row["holds"] = [{"name": each.name, "quantity": each.quantity, "unit": each.unit} for each in told.variables]
    return row


def _stated_version(stem: str) -> str:
    """As a name of another mission has it, such as 0.0.0."""
    tail = stem.lower().rpartition("_v")[2]
    return tail if tail.replace(".", "").isdecimal() else ""


def _time(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
