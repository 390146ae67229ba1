"""``batchlab particles plot`` and ``orbit``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from batchlab.errors import ConfigError
from batchlab.options import DurationType, SizeType, command_line, run_options, with_options
from batchlab.particles._model import Scale
from batchlab.particles.cli._asked import (
    chosen_files,
    file_options,
    limit_options,
    reading_asked,
    reading_options,
    tell_notes,
)
from batchlab.particles.cli._export_options import export_options, exported

if TYPE_CHECKING:
    from batchlab.particles._files import Found

__all__ = ["orbit", "plot"]

F = TypeVar("F", bound=Callable[..., Any])

_SCALES = click.Choice([each.value for each in Scale], case_sensitive=False)
_ROW_NUMBERS = ("y_min", "y_max", "z_min", "z_max")
_ROW_WORDS = ("label", "y_label", "z_label")


class SizeInPixels(click.ParamType):  # type: ignore[type-arg]
    """``2400x1200``."""

    name = "WIDTHxHEIGHT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Width and height."""
        if isinstance(value, tuple):
            return value
        width, _, height = str(value).lower().partition("x")
        if not (width.isdecimal() and height.isdecimal()):
            self.fail(f"{value!r}: write pixels as 2400x1200", param, ctx)
        return int(width), int(height)


class RowType(click.ParamType):  # type: ignore[type-arg]
    """``ees.y_max=4000``."""

    name = "row"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str, float | str]:
        """Row, key and value."""
        if isinstance(value, tuple):
            return value
        place, equals, text = str(value).partition("=")
        row, dot, key = place.rpartition(".")
        if not (equals and dot and row):
            self.fail(f"{value!r}: write ROW.KEY=VALUE, as in ees.y_max=4000", param, ctx)
        if key in _ROW_WORDS:
            return row, key, text
        if key not in _ROW_NUMBERS:
            from difflib import get_close_matches

            near = get_close_matches(key, (*_ROW_NUMBERS, *_ROW_WORDS), 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join((*_ROW_NUMBERS, *_ROW_WORDS))}"
            self.fail(f"{value!r}: {key!r} is nothing that a row has; {hint}", param, ctx)
        try:
            return row, key, float(text)
        except ValueError:
            self.fail(f"{value!r}: {text!r} is no number", param, ctx)


class BandType(click.ParamType):  # type: ignore[type-arg]
    """``100-1000``."""

    name = "LOW-HIGH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        """Both ends."""
        if isinstance(value, tuple):
            return value
        low, _, high = str(value).partition("-")
        try:
            ends = float(low), float(high)
        except ValueError:
            ends = 0.0, 0.0
        if not 0 < ends[0] < ends[1]:
            self.fail(f"{value!r}: write two energies in eV that run upwards, as in 100-1000", param, ctx)
        return ends


def _picture_options(command: F) -> F:
    """Which pictures, and how they look."""
    options = (
        click.option("--y-scale", type=_SCALES, default="log", show_default=True, help="Of energy."),
        click.option("--z-scale", type=_SCALES, default="log", show_default=True, help="Of colour."),
        click.option("--all-scales", is_flag=True, help="All four pairs of these two."),
        click.option(
            "--variant",
            "variants",
            type=click.Choice(["given_extrema", "raw"]),
            multiple=True,
            help="With limits that all orbits share, with those of its own data, or both.  [default: both]",
        ),
        click.option(
            "--kind",
            "kinds",
            type=click.Choice(["pitch-angle", "instruments", "pitch-spectrogram", "energy-cuts"]),
            multiple=True,
            help="A grid of categories per instrument, one of all instruments, pitch angle against time, mean spectra "
            "of what is marked; several give several.  [default: the first two]",
        ),
        click.option(
            "--band",
            "bands",
            type=BandType(),
            multiple=True,
            metavar="LOW-HIGH",
            help="Energies in eV of a row of pitch spectrograms.  [default: decades from 10 eV]",
        ),
        click.option("--colormap", metavar="NAME", help="One for all pictures.  [default: by the scales]"),
        click.option("--events", metavar="FILE", help="What to mark: a table of cusp indices, or of start and end."),
        click.option("--marker", type=click.Choice(["line", "bracket", "both"]), default="both", show_default=True),
        click.option(
            "--zoom",
            "zooms",
            type=click.FloatRange(0, min_open=True),
            multiple=True,
            metavar="MINUTES",
            help="Width of a column around what is marked; several give several columns.  [default: 6]",
        ),
        click.option("--no-ticks", is_flag=True, help="Do not tell latitude, local time and altitude below the time."),
        click.option(
            "--row",
            "rows",
            type=RowType(),
            multiple=True,
            metavar="ROW.KEY=VALUE",
            help="Of an instrument or a category: y_min, y_max (eV), z_min, z_max, label, y_label, z_label.",
        ),
        click.option("--by-category", is_flag=True, help="Shared limits of each category by itself."),
        click.option(
            "--limits-from", metavar="DIR", help="Limits that an earlier run has settled, in its folder _limits."
        ),
        click.option(
            "--size", type=SizeInPixels(), help="Of each picture.  [default: 1200 for a column and 300 for a row]"
        ),
        click.option(
            "--format",
            "suffix",
            type=click.Choice(["png", "pdf", "svg"], case_sensitive=False),
            default="png",
            show_default=True,
        ),
        click.option("--data", type=click.Choice(["nc", "csv"]), help="The numbers of each file, too."),
    )
    return with_options(command, options)


def _bound_options(command: F) -> F:
    """What a job may take."""
    options = (
        click.option(
            "--instrument-timeout",
            type=DurationType(),
            default="2 min",
            show_default=True,
            help="After which reading or drawing one picture is killed; none for no limit.",
        ),
        click.option(
            "--orbit-timeout",
            type=DurationType(),
            default="10 min",
            show_default=True,
            help="After which what is left of an orbit is killed: the run time of all its jobs.",
        ),
        click.option("--memory", type=SizeType(), help="What a job may take, as in 500 MB.  [default: no limit]"),
        click.option("--retries", type=click.IntRange(0), default=1, show_default=True, help="After a time-out."),
    )
    return with_options(command, options)


@click.command("plot")
@click.argument("places", nargs=-1, required=True, metavar="DIR...")
@click.option("-o", "--output", default="particles-plots", metavar="DIR", show_default=True, help="For the results.")
@file_options
@reading_options
@limit_options
@_picture_options
@_bound_options
@export_options
@run_options
@click.pass_context
def plot(ctx: click.Context, /, places: tuple[str, ...], **given: Any) -> None:
    """Draw the spectrograms of every orbit whose files lie in DIR: by pitch angle, and of all instruments.

    Each file is read once. Limits that all orbits share come first, then the pictures; what is there and right is not
    drawn again.
    """
    ctx.exit(_run(ctx, chosen_files(places, given), given))


@click.command("orbit")
@click.argument("place", metavar="DIR")
@click.argument("number", type=int, metavar="ORBIT")
@click.option("-o", "--output", metavar="DIR", help="For the results.  [default: particles-ORBIT]")
@file_options
@reading_options
@limit_options
@_picture_options
@_bound_options
@export_options
@run_options
@click.pass_context
def orbit(ctx: click.Context, /, place: str, number: int, **given: Any) -> None:
    """Draw the spectrograms of one ORBIT: with its own limits, and with those that --limits-from names.

    Of a day there may be several orbits: batchlab particles list shows them.
    """
    if not given["variants"]:
        given["variants"] = ("raw", "given_extrema") if given["limits_from"] else ("raw",)
    given["output"] = given["output"] or f"particles-{number}"
    found = chosen_files((place,), given, orbit=number)
    ctx.exit(_run(ctx, found, given, name=f"orbit-{number}"))


def _run(ctx: click.Context, found: Found, given: dict[str, Any], name: str = "particles") -> int:
    from batchlab.engine import Conflict, Settings
    from batchlab.particles._batch import Pictures, plot_batch
    from batchlab.particles._events import read_events

    given.pop("first_day", None)
    reading = reading_asked(given, limits_from=given.pop("limits_from"), data=given.pop("data"))
    scales = (Scale(given.pop("y_scale")), Scale(given.pop("z_scale")))
    if given.pop("all_scales"):
        pairs = tuple((y, z) for y in Scale for z in Scale)
    else:
        pairs = (scales,)
    size = given.pop("size")
    rows: dict[str, dict[str, float | str]] = {}
    for row, key, value in given.pop("rows"):
        rows.setdefault(row, {})[key] = value
    params: dict[str, Any] = {
        "marker": given.pop("marker"),
        "by_category": given.pop("by_category"),
    }
    zooms = given.pop("zooms")
    bands = given.pop("bands")
    if bands:
        params["bands"] = [list(band) for band in bands]
    if size:
        params["size_px"] = list(size)
    if zooms:
        params["zoom_minutes"] = list(zooms)
    if rows:
        params["rows"] = rows
    pictures = Pictures(
        scales=pairs,
        variants=given.pop("variants") or ("given_extrema", "raw"),
        kinds=given.pop("kinds") or ("pitch-angle", "instruments"),
        colormap=given.pop("colormap"),
        suffix=f".{given.pop('suffix')}",
        params=params,
    )
    events = given.pop("events")
    try:
        batch = plot_batch(
            found,
            given.pop("output"),
            name=name,
            pictures=pictures,
            reading=reading,
            events=read_events(events) if events else None,
            ticks=not given.pop("no_ticks"),
            instrument_timeout_s=given.pop("instrument_timeout"),
            orbit_timeout_s=given.pop("orbit_timeout"),
            memory_bytes=given.pop("memory"),
            settings=Settings(workers=given.pop("workers"), retries=given.pop("retries"), conflict=Conflict.OVERWRITE),
            source=command_line(),
        )
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    if not given["quiet"]:
        tell_notes(found)
        if events and not any("marks" in job.params or "mark_records" in job.params for job in batch.jobs):
            click.echo(f"{events}: nothing in it falls into these files, so nothing is marked", err=True)
    told: dict[str, Any] = {
        "progress": given.pop("progress_json"),
        "extrema": given.pop("extrema_json"),
        "flush_batch_size": given.pop("flush_batch_size"),
    }
    with exported(batch, pairs, reading.limits, dry_run=given["dry_run"], **told) as listeners:
        code: int = ctx.obj.run_batch(batch, report=None, listeners=listeners, **given)
    return code
