"""``batchlab motion inspect``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from batchlab.errors import BatchlabError, ConfigError

if TYPE_CHECKING:
    from batchlab.motion._model import Recording

__all__ = ["inspect"]


@click.command("inspect")
@click.argument("places", nargs=-1, required=True, metavar="RECORDING...")
@click.option("-m", "--marker", "markers", multiple=True, metavar="PATTERN", help="Only these; repeatable.")
@click.option("--unit", help="Of coordinates, where files do not say it.")
@click.option("--rate", "rate_hz", type=click.FloatRange(0, min_open=True), metavar="HZ", help="Likewise.")
@click.option("--time-unit", type=click.Choice(["s", "ms", "us", "ns"]), help="Of time stamps, likewise.")
@click.option("--format", "file_format", metavar="NAME", help="c3d, trc, wide...  [default: told by the file]")
@click.option("-q", "--quiet", is_flag=True, help="One line for each file.")
@click.option("--json", "as_json", is_flag=True, help="One list, for machines.")
@click.pass_context
def inspect(
    ctx: click.Context, /, places: tuple[str, ...], markers: tuple[str, ...], quiet: bool, as_json: bool, **given: Any
) -> None:
    """Tell what is in each RECORDING: frames, rate, unit, markers, and how much of each was seen.

    Nothing is written. Exit code 1 where a file cannot be read.
    """
    from batchlab.motion._files import find_recordings
    from batchlab.motion._read import read_recording

    try:
        files = find_recordings(places)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    told: list[dict[str, Any]] = []
    refused = False
    for file in files:
        try:
            row = _row(file, read_recording(file, markers=markers, **given))
        except ConfigError as error:
            raise click.UsageError(str(error)) from error
        except BatchlabError as error:
            refused = True
            row = {"file": file, "refused": str(error), "reason": error.reason}
        told.append(row)
        if not as_json:
            told_so = _line(row) if quiet else "\n".join(_lines(row)) + "\n"
            click.echo(told_so, err="refused" in row)
    if as_json:
        click.echo(json.dumps(told, indent=2, allow_nan=False))
    ctx.exit(1 if refused else 0)


def _row(file: str, recording: Recording) -> dict[str, Any]:
    import numpy as np

    from batchlab.motion._score import gap_lengths

    seen = np.asarray(np.isfinite(recording.positions).all(axis=2))
    rows = []
    for number, marker in enumerate(recording.markers):
        own = seen[:, number : number + 1]
        gaps = gap_lengths(own)
        rows.append(
            {
                "marker": marker,
                "seen_share": float(own.mean()) if own.size else 0.0,
                "gaps": int(gaps.size),
                "longest_gap_frames": int(gaps.max(initial=0)),
            }
        )
    return {
        "file": file,
        "name": recording.name,
        "frames": len(recording.times_s),
        "rate_hz": recording.rate_hz,
        "duration_s": float(recording.times_s[-1] - recording.times_s[0]) if len(recording.times_s) else 0.0,
        "unit": recording.stated_unit or recording.unit,
        "dimensions": int(recording.positions.shape[2]),
        "missing_share": float(1.0 - seen.mean()) if seen.size else 0.0,
        "frames_with_three_markers": int((seen.sum(axis=1) >= 3).sum()),
        "markers": rows,
        "notes": list(recording.notes),
    }


def _line(row: dict[str, Any]) -> str:
    """All of a file in one line, with how many notes it has."""
    if "refused" in row:
        return f"refused: {row['refused']}"
    notes = len(row["notes"])
    more = f"; {notes} {'note' if notes == 1 else 'notes'}" if notes else ""
    return f"{row['file']}: {_sizes(row)}{more}"


def _sizes(row: dict[str, Any]) -> str:
    rate = "irregular" if row["rate_hz"] is None else f"{row['rate_hz']:g} Hz"
    return (
        f"{row['frames']} frames, {rate}, {row['duration_s']:.2f} s; {len(row['markers'])} markers in {row['unit']}, "
        f"{row['dimensions']} coordinates; {100 * row['missing_share']:.1f} % missing"
    )


def _lines(row: dict[str, Any]) -> list[str]:
    if "refused" in row:
        return [f"refused: {row['refused']}"]
    lines = [
        row["file"],
        f"  {_sizes(row)}",
        f"  {row['frames_with_three_markers']} frames see three markers or more",
    ]
    width = max(len(each["marker"]) for each in row["markers"])
    for each in row["markers"]:
        lines.append(f"  {each['marker']:<{width}}  {_seen(each)}")
    return lines + [f"  note: {text}" for text in row["notes"]]


def _seen(marker: dict[str, Any]) -> str:
    """How much of a marker was seen, in words."""
    if not marker["seen_share"]:
        return "never seen"
    share, gaps, longest = 100 * marker["seen_share"], marker["gaps"], marker["longest_gap_frames"]
    # Nearly all is not all.
    words = f"seen {min(share, 99.9) if gaps else share:5.1f} %"
    if not gaps:
        return words
    many = f"{gaps} gaps, the longest" if gaps > 1 else "a gap of"
    return f"{words}  {many} {longest} frame{'s' * (longest > 1)}"
