"""``batchlab motion eye``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from batchlab.errors import ConfigError
from batchlab.motion._model import Loss, Smoothing
from batchlab.motion.cli._asked import batch_options
from batchlab.options import command_line, run_options, with_options

__all__ = ["eye", "eye_params_asked"]

_POSITIVE = click.FloatRange(0, min_open=True)
# Options whose values are params under the same name.
_PLAIN = (
    "edge",
    "tear_duct",
    "pupil_distance_mm",
    "eye_radius_mm",
    "depth_mm",
    "rate_hz",
    "time_unit",
    "file_format",
    "min_confidence",
    "min_points",
    "noise_px",
    "smoothing",
    "loss",
    "loss_scale",
    "iterations_max",
    "tolerance",
)
_WEIGHTS = ("rotation", "radius")
_CAMERA = ("preset", "focal_mm", "sensor_mm", "image_px", "focal_px", "principal_px")


class PairType(click.ParamType):  # type: ignore[type-arg]
    """``400x300`` or ``1.15,1.15``."""

    def __init__(self, name: str, kind: type[int] | type[float]) -> None:
        self.name = name
        self._kind = kind

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float] | tuple[int, int]:
        """Both numbers."""
        if isinstance(value, tuple):
            return value
        try:
            first, second = (self._kind(part) for part in str(value).lower().replace("x", ",").split(","))
        except ValueError:
            self.fail(f"{value!r}: write two numbers as in 400x300", param, ctx)
        return first, second


class AngleType(click.ParamType):  # type: ignore[type-arg]
    """``pupil_top_r=270``."""

    name = "POINT=DEGREES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        """Point and angle."""
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).rpartition("=")
        try:
            angle = float(text)
        except ValueError:
            equals = ""
            angle = 0.0
        if not (equals and name.strip()):
            self.fail(f"{value!r}: write POINT=DEGREES, as in top=270", param, ctx)
        return name.strip(), angle


_OPTIONS = (
    click.option("--camera", "preset", type=click.Choice(["pupil-labs"]), help="The camera, by name."),
    click.option("--focal-mm", type=_POSITIVE, metavar="MM", help="Its focal length, with --sensor and --image."),
    click.option("--sensor", "sensor_mm", type=PairType("MMxMM", float), help="Width and height of its sensor."),
    click.option("--image", "image_px", type=PairType("PXxPX", int), help="Width and height of its image."),
    click.option("--focal-px", type=_POSITIVE, metavar="PX", help="Instead: its focal length as calibrations tell it."),
    click.option(
        "--principal",
        "principal_px",
        type=PairType("PXxPX", float),
        help="Where its axis meets the image.  [default: the middle]",
    ),
    click.option(
        "--edge",
        type=click.Choice(["labelled", "outline"]),
        help="Whether points are at angles of their own, or anywhere on the outline.  [default: labelled]",
    ),
    click.option(
        "--angle",
        "angles",
        type=AngleType(),
        multiple=True,
        help="A point of the pupil's edge, from the image's right towards its bottom; repeatable.  "
        "[default: told by names]",
    ),
    click.option("--tear-duct", metavar="POINT", help="A point that does not turn with the eye.  [default: tear_duct]"),
    click.option(
        "--pupil-distance",
        "pupil_distance_mm",
        type=_POSITIVE,
        metavar="MM",
        help="From the eye's centre to the pupil: it fixes the scale.  [default: 10.2]",
    ),
    click.option(
        "--eye-radius", "eye_radius_mm", type=_POSITIVE, metavar="MM", help="Instead: of a ball that the pupil lies on."
    ),
    click.option(
        "--depth",
        "depth_mm",
        type=_POSITIVE,
        metavar="MM",
        help="Of the eye's centre before the camera, where it is known.  [default: fitted]",
    ),
    click.option("--rate", "rate_hz", type=_POSITIVE, metavar="HZ", help="Frames per second, where files do not say."),
    click.option("--time-unit", type=click.Choice(["s", "ms", "us", "ns"]), help="Of time stamps, likewise."),
    click.option(
        "--format",
        "file_format",
        metavar="NAME",
        help="Of files: dlc, wide, tidy, or pupil-labs for gaze found already.  [default: told by them]",
    ),
    click.option(
        "--min-confidence", type=click.FloatRange(0, 1), help="Less than this counts as not seen.  [default: 0.3]"
    ),
    click.option("--min-points", type=click.IntRange(3), help="A frame with fewer is inferred.  [default: 3]"),
    click.option(
        "--noise", "noise_px", type=_POSITIVE, metavar="PX", help="Standard deviation of a coordinate.  [default: 0.5]"
    ),
    click.option(
        "--smoothing",
        type=click.Choice([each.value for each in Smoothing]),
        help="What is asked of motion: nothing, small changes, small accelerations.  [default: none]",
    ),
    click.option("--rotation-weight", "rotation", type=click.FloatRange(0), help="Of smooth turning.  [default: 0]"),
    click.option("--radius-weight", "radius", type=click.FloatRange(0), help="Of a smooth pupil.  [default: 0]"),
    click.option(
        "--loss",
        type=click.Choice([each.value for each in Loss]),
        help="How much a large residual counts.  [default: huber]",
    ),
    click.option(
        "--loss-scale",
        type=_POSITIVE,
        help="Where the loss bends, in standard deviations.  [default: 2 for huber, 2.55 for cauchy, 4.1 for "
        "geman-mcclure, 5.1 for tukey]",
    ),
    click.option("--iterations", "iterations_max", type=click.IntRange(1), help="At most.  [default: 500]"),
    click.option(
        "--tolerance",
        type=click.FloatRange(0, 0.1, min_open=True, max_open=True),
        help="Relative decrease of cost at the end.  [default: 1e-10]",
    ),
)


def _eye_options(command: Callable[..., None]) -> Callable[..., None]:
    return with_options(command, _OPTIONS)


@click.command("eye")
@click.argument("places", nargs=-1, required=True, metavar="RECORDING...")
@click.option("-o", "--output", default="motion-eye", metavar="DIR", show_default=True, help="For the results.")
@_eye_options
@click.option("--tables/--no-tables", default=True, help="Gaze and points of all frames.  [default: tables]")
@click.option("--viewer/--no-viewer", default=True, help="A page that plays each eye.  [default: viewer]")
@batch_options
@run_options
@click.pass_context
def eye(ctx: click.Context, /, places: tuple[str, ...], **given: Any) -> None:
    """Fit an eye to points of its pupil's edge, in each RECORDING: a file, the files of a folder, or a pattern.

    Gaze and pupil of all frames with their errors, the eye's centre, and all numbers are written. The camera has to be
    told: nothing in the files says it. Gaze that Pupil Labs' program has found (--format pupil-labs) wants no camera
    and is told in the same form.
    """
    from batchlab.engine import Limits, Settings
    from batchlab.motion._eye_batch import eye_batch

    params = eye_params_asked(given)
    output = given.pop("output")
    limits = Limits(timeout_s=given.pop("timeout"), memory_bytes=given.pop("memory"))
    settings = Settings(workers=given.pop("workers"), retries=given.pop("retries"))
    tables, viewer = given.pop("tables"), given.pop("viewer")
    try:
        batch = eye_batch(
            places,
            output,
            params=params,
            tables=tables,
            viewer=viewer,
            limits=limits,
            settings=settings,
            source=command_line(),
        )
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    ctx.exit(ctx.obj.run_batch(batch, **given))


def eye_params_asked(given: dict[str, Any]) -> dict[str, Any]:
    """Params of `motion.eye` that the options ask for; takes them out of what was given."""
    params: dict[str, Any] = {name: value for name in _PLAIN if (value := given.pop(name)) is not None}
    for name, parts in (("weights", _WEIGHTS), ("camera", _CAMERA)):
        said = {part: value for part in parts if (value := given.pop(part)) is not None}
        if said:
            params[name] = {part: list(value) if isinstance(value, tuple) else value for part, value in said.items()}
    if angles := given.pop("angles"):
        params["angles_deg"] = dict(angles)
    return params
