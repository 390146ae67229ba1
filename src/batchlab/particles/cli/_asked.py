"""Options about files, reading and limits, and what they ask for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from batchlab.errors import ConfigError
from batchlab.options import with_options
from batchlab.particles._model import INSTRUMENTS, Collapse, Quantity

if TYPE_CHECKING:
    from batchlab.particles._batch import Reading
    from batchlab.particles._files import Found

__all__ = ["chosen_files", "file_options", "limit_options", "reading_asked", "reading_options", "tell_notes"]

F = TypeVar("F", bound=Callable[..., Any])

_MOST_TOLD = 5


class DayType(click.ParamType):  # type: ignore[type-arg]
    """A day as ``2000-01-19``."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date | None:
        """The date."""
        if value is None or isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r}: write a day as 2000-01-19", param, ctx)


class CategoryType(click.ParamType):  # type: ignore[type-arg]
    """``name=0-30,330-360``, with ``!flips`` at its end where the south turns it."""

    name = "category"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any] | None:
        """As the params have it."""
        if value is None or isinstance(value, dict):
            return value
        name, equals, text = str(value).partition("=")
        text, flips, rest = text.partition("!flips")
        try:
            ranges = [[float(end) for end in part.split("-")] for part in text.split(",")]
        except ValueError:
            ranges = []
        wrong = not all(
            len(pair) == 2 and 0 <= pair[0] <= 360 and 0 <= pair[1] <= 360 and pair[0] != pair[1] for pair in ranges
        )
        if not (equals and name and ranges) or wrong or rest:
            self.fail(f"{value!r}: write pitch angles of 0 to 360 degrees, as in loss_cone=0-12,348-360", param, ctx)
        return {"name": name, "ranges_deg": ranges, "flips": bool(flips)}


def file_options(command: F) -> F:
    """Which files."""
    options = (
        click.option(
            "--instruments",
            default=",".join(INSTRUMENTS),
            show_default=True,
            metavar="NAMES",
            help="Those wanted, in the order of their rows.",
        ),
        click.option("--orbits", metavar="NUMBERS", help="As in 13519,13521-13523.  [default: all]"),
        click.option("--from", "first_day", type=DayType(), metavar="DAY", help="Only files from this UTC day on."),
        click.option("--to", "last_day", type=DayType(), metavar="DAY", help="Only files up to this UTC day."),
        click.option("--others", is_flag=True, help="Files of other missions in these folders, too."),
    )
    return with_options(command, options)


def reading_options(command: F) -> F:
    """How files are read."""
    options = (
        click.option(
            "--quantity",
            type=click.Choice([each.value for each in Quantity], case_sensitive=False),
            help="What the colours tell.  [default: energy_flux, of other missions what the file holds]",
        ),
        click.option(
            "--collapse",
            type=click.Choice([each.value for each in Collapse], case_sensitive=False),
            default=Collapse.SOLID_ANGLE_MEAN.value,
            show_default=True,
            help="How directions become one value.",
        ),
        click.option(
            "--category",
            "categories",
            type=CategoryType(),
            multiple=True,
            metavar="NAME=RANGES",
            help="A row of your own, as in loss_cone=0-12,348-360; !flips after it has the south turn it.  "
            "[default: all, downgoing, upgoing, perpendicular]",
        ),
        click.option("--hemisphere", is_flag=True, help="Tell north and south apart by the orbit file."),
        click.option("--good-only", is_flag=True, help="Leave out records of flagged quality."),
        click.option("--variable", metavar="NAME", help="Of a file of another mission that holds several."),
    )
    return with_options(command, options)


def limit_options(command: F) -> F:
    """How the limits follow that all orbits share."""
    options = (
        click.option(
            "--percentile",
            type=click.FloatRange(0, 100),
            default=99.0,
            show_default=True,
            help="Of all positive values: where the colours end.",
        ),
        click.option(
            "--percentile-min",
            type=click.FloatRange(0, 100),
            default=1.0,
            show_default=True,
            help="Likewise, where they begin.",
        ),
        click.option(
            "--coverage",
            type=click.FloatRange(0, 1, min_open=True),
            default=0.99,
            show_default=True,
            help="Share of all positive values below the end of the energy axis.",
        ),
        click.option(
            "--energy-cap",
            type=click.FloatRange(0, min_open=True),
            metavar="EV",
            help="Where the energy axis ends at the latest.",
        ),
    )
    return with_options(command, options)


def chosen_files(places: tuple[str, ...], given: dict[str, Any], *, orbit: int | None = None) -> Found:
    """The files that the options ask for; takes them out of what was given.

    Raises
    ------
    click.UsageError
        If a place is not there, or a word is wrong.
    """
    from batchlab.particles._files import find_files, parse_orbits

    names = tuple(part.strip().lower() for part in given.pop("instruments").split(",") if part.strip())
    orbits = given.pop("orbits", None)
    try:
        wanted = (orbit,) if orbit is not None else parse_orbits(orbits) if orbits is not None else None
        found = find_files(
            places,
            instruments=names,
            orbits=wanted,
            first_day=given.pop("first_day", None),
            last_day=given.pop("last_day", None),
            others=given.pop("others", False),
        )
        if not found.files:
            raise click.UsageError(_why_none(places, wanted))
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    return found


def _why_none(places: tuple[str, ...], orbits: tuple[int, ...] | None) -> str:
    """What would have been there without the filters."""
    from batchlab.particles._files import find_files

    where = " ".join(places)
    all_of_them = find_files(places, others=True)
    there = all_of_them.orbits
    if there:
        asked = "these orbits" if orbits is not None else "what --instruments, --from and --to ask for"
        return f"no file in {where} is of {asked}; there are orbits {there[0]} to {there[-1]} ({len(there)})"
    if all_of_them.files:
        return f"{len(all_of_them.files)} CDF files in {where} are of other missions; add --others to take them"
    return f"no CDF file lies in {where} or below; name the folder that holds them"


def reading_asked(given: dict[str, Any], *, limits_from: str | None = None, data: str | None = None) -> Reading:
    """What the options ask for about reading and limits; takes them out of what was given."""
    from batchlab.particles._batch import Reading

    params: dict[str, Any] = {"collapse": given.pop("collapse")}
    quantity, categories, variable = given.pop("quantity"), given.pop("categories"), given.pop("variable")
    if quantity:
        params["quantity"] = quantity
    if categories:
        params["categories"] = list(categories)
    if variable:
        params["variable"] = variable
    if given.pop("hemisphere"):
        params["hemisphere"] = True
    if given.pop("good_only"):
        params["quality"] = "good"
    limits = {
        "percentile": given.pop("percentile"),
        "percentile_min": given.pop("percentile_min"),
        "coverage": given.pop("coverage"),
        "energy_cap_ev": given.pop("energy_cap"),
    }
    return Reading(
        params=params,
        limits={name: value for name, value in limits.items() if value is not None},
        given=_limit_files(limits_from),
        data=f".{data}" if data else None,
    )


def tell_notes(found: Found) -> None:
    """Say what was passed over."""
    for note in found.notes[:_MOST_TOLD]:
        click.echo(note, err=True)
    if len(found.notes) > _MOST_TOLD:
        click.echo(
            f"and {len(found.notes) - _MOST_TOLD} more files passed over; batchlab particles list names all", err=True
        )


def _limit_files(place: str | None) -> dict[str, Path]:
    """Files of limits by instrument: of a folder as a batch leaves it, or a file by itself."""
    if place is None:
        return {}
    import json

    path = Path(place)
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    found = {}
    for file in files:
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            # A batch calls the file by the instrument; what was read of another mission is called otherwise.
            found[str(content["instrument"])] = found[file.stem] = file.absolute()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise click.UsageError(f"--limits-from {file}: no limits are in it ({error})") from error
    if not found:
        raise click.UsageError(f"--limits-from {place}: no limits lie there; name the folder _limits of an earlier run")
    return found
