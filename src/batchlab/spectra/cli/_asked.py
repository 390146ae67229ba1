"""Options that become params of a comparison, and how they are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from batchlab.spectra._kinds import AxisKind, Common, Interpolation, Joins, Quantity, References, Technique
from batchlab.spectra._measures import Difference, ShiftHandling
from batchlab.spectra.cli._types import WordsType

__all__ = ["asked", "judging_options"]

F = TypeVar("F", bound=Callable[..., Any])


_OPTIONS = (
    click.option("--preset", type=WordsType(Technique), help="What is usually done to spectra of a technique."),
    click.option(
        "--step",
        "steps",
        multiple=True,
        metavar="STEP",
        help="A step of the pretreatment, in order: despike, savgol=11, baseline=arpls, mask=co2, derivative=9, msc, "
        "... or {baseline: {method: arpls, lam: 1e6}}.",
    ),
    click.option("--to-axis", type=WordsType(AxisKind), help="Convert every axis to this."),
    click.option("--to-axis-unit", help="The unit of --to-axis, such as nm."),
    click.option(
        "--laser-nm", type=float, help="The laser line, between Raman shift and wavelength; default what the files say."
    ),
    click.option("--to-quantity", type=WordsType(Quantity), help="Convert every signal to this."),
    click.option(
        "--joins",
        metavar="middle|keep|A,B",
        help="Where detectors overlap: cut in the middle (default), keep all points, or cut at A and B.",
    ),
    click.option("--common", type=WordsType(Common), help="Points to compare at; default overlap."),
    click.option("--grid", metavar="START,STOP,STEP", help="Compare at these points."),
    click.option("--interpolation", type=WordsType(Interpolation), help="Default linear."),
    click.option("--metric", "metrics", multiple=True, help="What to compute; all for everything."),
    click.option("--region", "regions", multiple=True, metavar="NAME=LOW,HIGH", help="Judge this region too."),
    click.option("--mask", "masks", multiple=True, metavar="LOW,HIGH", help="No number is to know of this range."),
    click.option("--difference", type=WordsType(Difference), help="The curve below; default difference."),
    click.option("--factor", help="Of a scaled difference: a number, values, derivative, or a region's name."),
    click.option("--shift", type=WordsType(ShiftHandling), help="What is done about a shifted axis; default ignore."),
    click.option(
        "--references", type=WordsType(References), help="Where REFERENCE is a folder or a pattern: which one is meant."
    ),
    click.option("--nearest-by", multiple=True, metavar="KEY[=SCALE]", help="Metadata for --references nearest."),
    click.option("--peaks", is_flag=True, help="Find the peaks of both, match them, mark them, write a table."),
    click.option("--rule", "rules", multiple=True, metavar="RULE", help="Conforms if: 'pearson_r >= 0.99', 'inside'."),
    click.option("--within", type=float, help="A band of tolerance so far either way from the reference."),
)


def judging_options(command: F) -> F:
    """Give a command the options of a comparison."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def asked(given: dict[str, Any]) -> dict[str, Any]:
    """Params of ``spectra.compare`` from those options; only what was given.

    Raises
    ------
    click.UsageError
        For a value that is written wrongly.
    """
    params = {
        name: given[name]
        for name in ("preset", "to_axis", "to_axis_unit", "laser_nm", "to_quantity", "common", "interpolation")
        if given[name] is not None
    }
    params |= {name: given[name] for name in ("difference", "shift", "references") if given[name] is not None}
    if given["factor"] is not None:
        params["factor"] = _scalar(given["factor"])
    if given["steps"]:
        params["steps"] = [_step(text) for text in given["steps"]]
    if given["joins"] is not None:
        params["joins"] = _joins(given["joins"])
    if given["grid"] is not None:
        start, stop, step = _numbers(given["grid"], 3, "--grid START,STOP,STEP")
        params["grid"] = {"start": start, "stop": stop, "step": step}
    if given["metrics"]:
        params["metrics"] = list(given["metrics"])
    if given["regions"]:
        params["regions"] = dict(_region(text) for text in given["regions"])
    if given["masks"]:
        params["masks"] = [_numbers(text, 2, "--mask LOW,HIGH") for text in given["masks"]]
    if given["nearest_by"]:
        params["nearest_by"] = dict(_key(text) for text in given["nearest_by"])
    if given["peaks"]:
        params["peaks"] = True
    tolerance: dict[str, Any] = {"rules": list(given["rules"])} if given["rules"] else {}
    if given["within"] is not None:
        tolerance["within"] = given["within"]
    if tolerance:
        params["tolerance"] = tolerance
    return params


def _step(text: str) -> Any:
    """A step as in a batch file, or ``name=value``."""
    name, equals, value = text.partition("=")
    if equals and not text.lstrip().startswith("{"):
        if not value.lstrip().startswith(("[", "{")):
            return {name.strip(): _scalar(value.strip())}
        text = f"{{{name.strip()}: {value.strip()}}}"
    from batchlab.batchfile._yaml import read_yaml
    from batchlab.errors import BatchlabError

    try:
        return read_yaml(text.encode(), "--step").plain()
    except BatchlabError as error:
        raise click.UsageError(f"--step {text!r}: {error}") from error


def _scalar(text: str) -> Any:
    """A number, two of them, or a word."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return text
    whole = [int(number) if number.is_integer() else number for number in numbers]
    return whole[0] if len(whole) == 1 else whole


def _numbers(text: str, count: int, form: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise click.UsageError(f"{text!r}: write {form}")
    return numbers


def _joins(text: str) -> str | list[float]:
    if text.strip().lower() in tuple(Joins):
        return text.strip().lower()
    return _numbers(text, text.count(",") + 1, "--joins middle, --joins keep, or a position for each, as in 990,1900")


def _region(text: str) -> tuple[str, list[float]]:
    name, _, ends = text.rpartition("=")
    if not name.strip():
        raise click.UsageError(f"--region {text!r}: write NAME=LOW,HIGH")
    return name.strip(), _numbers(ends, 2, "--region NAME=LOW,HIGH")


def _key(text: str) -> tuple[str, float | None]:
    name, equals, scale = text.rpartition("=")
    if not equals:
        return text, None
    return name, _numbers(scale, 1, "--nearest-by KEY=SCALE")[0]
