"""What a page shows of one quantity over time: a line, a band of two standard errors, and how wide that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from batchlab.motion._panel._svg import Axis, Plot, area, axis_of, bars, columns_of, line, svg, text, told

if TYPE_CHECKING:
    from batchlab.motion._eye import EyeFit
    from batchlab.motion._model import Code, Fit, Float

__all__ = ["BLUE", "ORANGE", "RED", "gaze_charts", "nameless", "pose_charts", "short", "spread", "time_axis"]

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
_MM = 1e3
_SHOWN = 0.99  # of frames, whose band of errors lies within the axes


def pose_charts(fit: Fit) -> list[tuple[str, str]]:
    """Names and drawings: places and turns with two standard errors, and speeds."""
    angles, angle_sd = _angles(fit)
    place_sd = None if fit.pose_sd is None else fit.pose_sd[:, 3:]
    out = []
    for axis, name in enumerate("xyz"):
        sd = None if place_sd is None else 2 * _MM * place_sd[:, axis]
        out.append(
            (
                f"place {name} / mm",
                _course(fit.times_s, fit.covered, _MM * fit.translations_m[:, axis], sd, f"place along {name}"),
            )
        )
        sd = None if angle_sd is None else 2 * angle_sd[:, axis]
        out.append(
            (f"turn about {name} / °", _course(fit.times_s, fit.covered, angles[:, axis], sd, f"turn about {name}"))
        )
    if len(fit.times_s) > 2:
        speed, turning = _speeds(fit)
        out.append(("speed / mm/s", _course(fit.times_s, fit.covered, speed, None, "speed")))
        out.append(("angular speed / °/s", _course(fit.times_s, fit.covered, turning, None, "angular speed")))
    return out


def gaze_charts(fit: EyeFit) -> list[tuple[str, str]]:
    """Names and drawings: both angles of gaze and the pupil's radius with two standard errors, and speed of gaze."""
    known = np.isfinite(fit.sd).any()
    out = []
    for column, name in enumerate(("azimuth", "elevation")):
        angles = np.degrees(fit.azimuth_rad if column == 0 else fit.elevation_rad)
        sd = 2 * np.degrees(fit.sd[:, column]) if known else None
        out.append((f"{name} / °", _course(fit.times_s, fit.covered, angles, sd, name)))
    if np.isfinite(fit.pupil_radius_m).any():
        sd = 2 * _MM * fit.sd[:, 2] if known else None
        values = _MM * fit.pupil_radius_m
        out.append(("pupil radius / mm", _course(fit.times_s, fit.covered, values, sd, "pupil radius")))
    if len(fit.times_s) > 2:
        turned = np.arccos(np.clip(np.sum(fit.gaze[1:] * fit.gaze[:-1], axis=1), -1.0, 1.0))
        speed = np.degrees(turned) / np.diff(fit.times_s)
        values = np.append(speed[:1], speed)
        out.append(("speed of gaze / °/s", _course(fit.times_s, fit.covered, values, None, "speed of gaze")))
    return out


def spread(plot: Plot, middle: Float, low: Float, high: Float, colour: str) -> str:
    """A line where columns hold one frame each, and the whole of what they hold where they hold many."""
    if np.array_equal(low, high, equal_nan=True):
        return line(middle, plot.down(high), colour)
    up_down = np.column_stack([low, high])
    up_down[1::2] = up_down[1::2, ::-1]
    return line(np.repeat(middle, 2), plot.down(up_down.ravel()), colour, 1.0)


def time_axis(times_s: Float, number: int = 10) -> Axis:
    """From the first frame to the last."""
    return axis_of(float(times_s[0]), float(times_s[-1]), number)


def nameless() -> Axis:
    """From 0 to 1, without names."""
    return Axis(low=0.0, high=1.0, names=())


def short(name: str, most: int = 18) -> str:
    """The end of a long name."""
    return name if len(name) <= most else f"…{name[-most + 1 :]}"


def _course(times_s: Float, covered: Code, values: Float, two_sd: Float | None, what: str) -> str:
    """A line over time; with errors a band, and below it how wide that is, which the band is often too thin to show."""
    width, left = 552.0, 62.0
    axis = time_axis(times_s, 6)
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    if two_sd is not None and (sure := np.isfinite(values) & np.isfinite(two_sd)).any():
        # A few frames of which nothing is known would leave the others no room.
        low = min(low, float(np.quantile((values - two_sd)[sure], 1.0 - _SHOWN)))
        high = max(high, float(np.quantile((values + two_sd)[sure], _SHOWN)))
    room = 0.05 * (high - low)
    plot = Plot(
        left=left, top=8.0, width=width - left - 12, height=104.0, x=axis, y=axis_of(low - room, high + room, 4)
    )
    columns = columns_of(times_s, plot)
    middle = columns.ends.mean(axis=1)
    parts = []
    if two_sd is not None:
        lower, upper = columns.lowest(values - two_sd), columns.highest(values + two_sd)
        ends = plot.y.low, plot.y.high
        parts.append(area(middle, plot.down(np.clip(lower, *ends)), plot.down(np.clip(upper, *ends)), BLUE, 0.3))
    parts.append(spread(plot, middle, columns.lowest(values), columns.highest(values), BLUE))
    parts.append(bars(columns.some(covered == 2), columns.ends, plot.top, plot.height, RED, 0.18))
    parts.append(plot.sides(x_names=two_sd is None))
    if two_sd is None:
        return svg(parts, width, 134, what)
    finite = two_sd[np.isfinite(two_sd)]
    top = float(np.quantile(finite, 0.995)) * 1.15 if finite.size else 1.0
    strip = Plot(left=left, top=131.0, width=plot.width, height=28.0, x=axis, y=_ends(0.0, top or 1.0))
    error = np.minimum(columns.highest(two_sd), top)
    parts.append(area(middle, strip.down(np.zeros_like(error)), strip.down(error), GREEN, 0.5))
    parts.append(strip.sides(grid=False))
    parts.append(text(left, 126, "± 2 standard errors", soft=True, size=10))
    return svg(parts, width, 180, what)


def _angles(fit: Fit) -> tuple[Float, Float | None]:
    """Turns about x, then y, then z of the laboratory in degrees (F, 3), continuous; and their standard errors."""
    r = fit.rotations
    x = np.arctan2(r[:, 2, 1], r[:, 2, 2])
    y = np.arcsin(np.clip(-r[:, 2, 0], -1.0, 1.0))
    z = np.arctan2(r[:, 1, 0], r[:, 0, 0])
    angles = np.column_stack([x, y, z])
    known = np.flatnonzero(np.isfinite(x))
    for axis in (0, 2):
        angles[known, axis] = np.unwrap(angles[known, axis])
    if fit.pose_sd is None:
        return np.degrees(angles), None
    variance = fit.pose_sd[:, :3] ** 2
    c2, s2 = np.cos(z) ** 2, np.sin(z) ** 2
    forward = c2 * variance[:, 0] + s2 * variance[:, 1]
    level = np.maximum(np.cos(y) ** 2, 1e-6)
    sd = np.sqrt(
        np.column_stack(
            [
                forward / level,
                s2 * variance[:, 0] + c2 * variance[:, 1],
                variance[:, 2] + forward * (1.0 - level) / level,
            ]
        )
    )
    return np.degrees(angles), np.degrees(sd)


def _speeds(fit: Fit) -> tuple[Float, Float]:
    """Of the origin in mm/s and of turning in degrees/s, (F,) each; the first frame is as the second."""
    from batchlab.motion._solve import logarithms

    steps = np.diff(fit.times_s)
    with np.errstate(invalid="ignore"):
        moved = np.linalg.norm(np.diff(fit.translations_m, axis=0), axis=1) / steps
        known = np.isfinite(fit.rotations[:, 0, 0])
        turned = np.full(len(steps), np.nan)
        pairs = known[1:] & known[:-1]
        between = np.einsum("fij,fkj->fik", fit.rotations[1:][pairs], fit.rotations[:-1][pairs])
        turned[pairs] = np.degrees(np.linalg.norm(logarithms(between), axis=1)) / steps[pairs]
    return np.append(moved[:1], moved) * _MM, np.append(turned[:1], turned)


def _ends(low: float, high: float) -> Axis:
    return Axis(low=low, high=high, names=((low, "0"), (high, told(high, 2))))
