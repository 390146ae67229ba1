"""Options about recordings, the body and its fit, and what they ask for."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from batchlab.motion._model import Loss, Smoothing
from batchlab.motion.cli._known import KNOWN_OPTIONS, known_asked
from batchlab.options import DurationType, SizeType, with_options

__all__ = ["BodyType", "axes_of", "batch_options", "fit_options", "params_asked", "score_option"]

F = TypeVar("F", bound=Callable[..., Any])

_SCORES = ("none", "held-out", "leave-one-out", "time-blocks")
# Options whose values are params under the same name.
_PLAIN = (
    "unit",
    "rate_hz",
    "time_unit",
    "min_confidence",
    "file_format",
    "smoothing",
    "loss",
    "loss_scale",
    "geometry_is",
    "anchor_mm",
    "iterations_max",
    "tolerance",
    "score",
    "folds",
    "burst_frames",
    "score_seed",
    "up",
)
# Options whose params bear another name.
_OPTION_PARAMS = {
    "noise": "weights.data_per_m",
    "rotation-weight": "weights.rotation",
    "translation-weight": "weights.translation",
    "loss-scale": "loss_scale",
    "iterations": "iterations_max",
    "min-confidence": "min_confidence",
    "anchor": "anchor_mm",
    "score-folds": "folds",
    "burst": "burst_frames",
}
_POSITIVE = click.FloatRange(0, min_open=True)


class BodyType(click.ParamType):  # type: ignore[type-arg]
    """``box=box:*`` or ``foot=Foot1,Foot2``."""

    name = "NAME=PATTERNS"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, tuple[str, ...]]:
        """Name and patterns."""
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        patterns = tuple(part.strip() for part in text.split(",") if part.strip())
        if not (equals and name.strip() and patterns):
            self.fail(f"{value!r}: write a body as NAME=PATTERN,PATTERN, as in box=box:*", param, ctx)
        return name.strip(), patterns


class AxisType(click.ParamType):  # type: ignore[type-arg]
    """``weights.rotation=0.1,1,10``."""

    name = "PARAM=VALUES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, list[Any]]:
        """Dotted name and values: numbers, words, true, false and null."""
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        words = [part.strip() for part in text.split(",") if part.strip()]
        if not (equals and name.strip() and words):
            self.fail(f"{value!r}: write PARAM=VALUE,VALUE, as in weights.rotation=0.1,1,10", param, ctx)
        return name.strip(), [_value(word) for word in words]


class FactorType(click.ParamType):  # type: ignore[type-arg]
    """``Foot5=0.2``."""

    name = "MARKER=FACTOR"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        """Marker and factor."""
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).rpartition("=")
        try:
            factor = float(text)
        except ValueError:
            factor = 0.0
        if not (equals and name.strip() and factor > 0):
            self.fail(f"{value!r}: write MARKER=FACTOR with a factor above zero, as in Foot5=0.2", param, ctx)
        return name.strip(), factor


class EdgeType(click.ParamType):  # type: ignore[type-arg]
    """``Foot1,Foot2``."""

    name = "MARKER,MARKER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """The two markers."""
        if isinstance(value, tuple):
            return value
        first, comma, second = (part.strip() for part in str(value).partition(","))
        if not (comma and first and second):
            self.fail(f"{value!r}: write an edge as MARKER,MARKER", param, ctx)
        return first, second


def fit_options(command: F) -> F:
    """How recordings are read, and how the body is fitted."""
    options = (
        click.option(
            "-m",
            "--marker",
            "markers",
            multiple=True,
            metavar="PATTERN",
            help="A marker of the body, or a pattern such as box:*; repeatable.  [default: all]",
        ),
        click.option(
            "-b",
            "--body",
            "bodies",
            type=BodyType(),
            multiple=True,
            help="One of several bodies, as in box=box:*; repeatable, jobs of its own each.",
        ),
        click.option("--edge", "edges", type=EdgeType(), multiple=True, help="For the table of lengths; repeatable."),
        click.option("--origin", metavar="MARKER", help="At the origin of the body's axes.  [default: the centroid]"),
        click.option("--x-axis", metavar="MARKER", help="Which the x axis points to.  [default: principal axes]"),
        click.option("--xy-plane", metavar="MARKER", help="Which lies in the plane of x and y."),
        click.option("--unit", help="Of coordinates, where files do not say it: m, cm, mm, in, ft."),
        click.option("--rate", "rate_hz", type=_POSITIVE, metavar="HZ", help="Frames per second, likewise."),
        click.option("--time-unit", type=click.Choice(["s", "ms", "us", "ns"]), help="Of time stamps, likewise."),
        click.option("--min-confidence", type=click.FloatRange(0, 1), help="Less than this counts as not seen."),
        click.option(
            "--format", "file_format", metavar="NAME", help="Of files: c3d, trc, wide...  [default: told by them]"
        ),
        click.option(
            "--smoothing",
            type=click.Choice([each.value for each in Smoothing]),
            help="What is asked of motion, as much as weights say: nothing, small changes, small accelerations.  "
            "[default: second]",
        ),
        click.option(
            "--noise",
            "noise_mm",
            type=_POSITIVE,
            metavar="MM",
            help="Standard deviation of a coordinate; weights.data_per_m is 1000 / MM.  [default: 1]",
        ),
        click.option(
            "--rotation-weight",
            "rotation",
            type=click.FloatRange(0),
            help="Of smooth turning, in s²/rad, of first order 1/rad; a sweep tells which.  [default: 0, none]",
        ),
        click.option(
            "--translation-weight",
            "translation",
            type=click.FloatRange(0),
            help="Of smooth moving, in s²/m, of first order 1/m, likewise.  [default: 0, none]",
        ),
        click.option(
            "--marker-weight",
            "per_marker",
            type=FactorType(),
            multiple=True,
            help="Trust a marker more, or less than 1; repeatable.",
        ),
        click.option(
            "--loss",
            type=click.Choice([each.value for each in Loss]),
            help="How much a large residual counts.  [default: huber]",
        ),
        click.option(
            "--loss-scale",
            type=_POSITIVE,
            help="Where the loss bends, in standard deviations.  [default: 2 for huber, 2.7 for cauchy, 4.35 for "
            "geman-mcclure, 5.5 for tukey]",
        ),
        click.option("--geometry", metavar="FILE", help="Use this geometry.csv, and fit poses alone."),
        click.option("--refine", is_flag=True, help="Start from --geometry, and estimate it, too."),
        *KNOWN_OPTIONS,
        click.option("--iterations", "iterations_max", type=click.IntRange(1), help="At most.  [default: 100]"),
        click.option(
            "--tolerance",
            type=click.FloatRange(0, 0.1, min_open=True, max_open=True),
            help="Relative decrease of cost at the end.  [default: 1e-10]",
        ),
        click.option(
            "--mend-swaps", is_flag=True, help="Give markers that bear each other's name their own, and fit again."
        ),
        click.option("--no-judge", is_flag=True, help="Do not look for loose markers, swapped names and outliers."),
        click.option("--up", type=click.Choice(["x", "-x", "y", "-y", "z", "-z"]), help="In the viewer.  [default: z]"),
        click.option("--no-covariance", is_flag=True, help="No standard errors of poses."),
    )
    return with_options(command, options)


def score_option(default: str) -> Callable[[F], F]:
    """How fits are scored."""

    def add(command: F) -> F:
        options = (
            click.option(
                "--score",
                type=click.Choice(_SCORES),
                default=default,
                show_default=True,
                help="What is hidden from the fit, to be foretold: markers in bursts as long as real gaps, "
                "one marker throughout, or all at once.",
            ),
            click.option(
                "--score-folds",
                "folds",
                type=click.IntRange(2, 100),
                help="Parts that what was seen is dealt into.  [default: 5]",
            ),
            click.option(
                "--burst",
                "burst_frames",
                type=click.IntRange(1),
                metavar="FRAMES",
                help="How long a marker stays hidden.  [default: as long as real gaps]",
            ),
            click.option("--score-seed", type=click.IntRange(0), help="Of the dealing.  [default: 0]"),
        )
        return with_options(command, options)

    return add


def batch_options(command: F) -> F:
    """What a job may take."""
    options = (
        click.option(
            "--timeout", type=DurationType(), help="After which a job is killed, as in 5 min.  [default: none]"
        ),
        click.option("--memory", type=SizeType(), help="What a job may take, as in 2 GB.  [default: no limit]"),
        click.option("--retries", type=click.IntRange(0), default=2, show_default=True, help="After faults that pass."),
    )
    return with_options(command, options)


def params_asked(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, tuple[str, ...]]]:
    """Params and bodies that the options ask for; takes them out of what was given.

    Raises
    ------
    click.UsageError
        If options contradict each other.
    """
    bodies = _bodies_of(given.pop("bodies"))
    markers, edges, factors = given.pop("markers"), given.pop("edges"), given.pop("per_marker")
    if bodies and markers:
        raise click.UsageError("--marker and --body: name the markers of each body in --body NAME=PATTERNS")
    refine = given.pop("refine")
    if refine and not given.get("geometry"):
        raise click.UsageError("--refine: name the geometry to start from by --geometry FILE")
    if given.get("anchor_mm") and not given.get("geometry"):
        raise click.UsageError("--anchor: name the geometry that is known by --geometry FILE")
    params: dict[str, Any] = {}
    given["geometry_is"] = "estimate" if refine else None
    for name in _PLAIN:
        value = given.pop(name, None)
        if value is not None:
            params["geometry" if name == "geometry_is" else name] = value
    noise = given.pop("noise_mm")
    weights = {
        "data_per_m": None if noise is None else 1000.0 / noise,
        "rotation": given.pop("rotation"),
        "translation": given.pop("translation"),
        "per_marker": dict(factors) or None,
    }
    frame = {name: given.pop(name) for name in ("origin", "x_axis", "xy_plane")}
    for name, told in (("weights", weights), ("convention", frame)):
        said = {key: value for key, value in told.items() if value is not None}
        if said:
            params[name] = said
    params |= known_asked(given)
    if markers:
        params["markers"] = list(markers)
    if edges:
        params["edges"] = [list(pair) for pair in edges]
    if given.pop("no_covariance"):
        params["covariance"] = False
    if given.pop("no_judge"):
        params["judge"] = False
    if given.pop("mend_swaps"):
        params["mend_swaps"] = True
    return params, bodies


def axes_of(asked: tuple[tuple[str, list[Any]], ...]) -> dict[str, list[Any]]:
    """Values by param.

    Raises
    ------
    click.UsageError
        If a param is named twice, or an option in its place.
    """
    axes: dict[str, list[Any]] = {}
    for name, values in asked:
        if name in _OPTION_PARAMS:
            raise click.UsageError(_as_param(name, values))
        if name in axes:
            raise click.UsageError(f"--grid {name}: is given twice; write all values at once, with commas")
        axes[name] = values
    return axes


def _as_param(option: str, values: Sequence[Any]) -> str:
    """How to sweep what is an option of another name and unit."""
    param = _OPTION_PARAMS[option]
    if option == "noise" and all(isinstance(value, (int, float)) and value > 0 for value in values):
        values = [float(f"{1000.0 / value:.4g}") for value in values]
    told = ",".join(f"{value:.10g}" if isinstance(value, (int, float)) else str(value) for value in values)
    why = ", 1000 / MM" if option == "noise" else ""
    return f"--grid {option}: the param of --{option} is {param}{why}; write --grid {param}={told}"


def _bodies_of(asked: Sequence[tuple[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    """Patterns of markers by the name of their body."""
    bodies: dict[str, tuple[str, ...]] = {}
    for name, patterns in asked:
        if name in bodies:
            raise click.UsageError(
                f"--body {name}: two bodies bear this name; give each its own, or all its markers at once, as in "
                f"--body {name}={','.join((*bodies[name], *patterns))}"
            )
        bodies[name] = patterns
    return bodies


def _value(word: str) -> Any:
    try:
        return json.loads(word)
    except ValueError:
        return word
