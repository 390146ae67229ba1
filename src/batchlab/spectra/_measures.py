"""The numbers of a comparison in words: each with its formula and range; loads no numpy, so params can use it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from batchlab.spectra._kinds import _Words

__all__ = [
    "BEST_LARGE",
    "BEST_SMALL",
    "DEFAULT_METRICS",
    "MEASURES",
    "METRICS",
    "Difference",
    "Measure",
    "ShiftHandling",
    "of_region",
    "split_region",
    "known_metrics",
    "ordering_metric",
]


class Difference(_Words):
    """How the curve beneath a comparison is made of sample and reference."""

    DIFFERENCE = "difference"  # sample - reference
    SCALED = "scaled difference"  # sample - factor * reference
    RATIO = "ratio"  # sample / reference
    LOG_RATIO = "log ratio"  # log10(sample / reference)


class ShiftHandling(_Words):
    """What is done about a shift of the sample's axis before it is judged."""

    IGNORE = "ignore"
    ESTIMATE = "estimate"  # told, with its standard error; the numbers are of the axes as they are
    CORRECT = "correct"  # told, and taken out before anything else is computed


@dataclass(frozen=True, slots=True)
class Measure:
    """What a number is.

    Attributes
    ----------
    formula
        With the reference ``a``, the sample ``b``, their means ``ma`` and ``mb``, and ``n`` points.
    range
        What it may be, and what it is for two spectra that are alike.
    source
        Where it is from; empty for what needs none.
    """

    formula: str
    range: str
    source: str = ""

    def __str__(self) -> str:
        return "; ".join(filter(None, (self.formula, self.range)))


MEASURES = {
    "pearson_r": Measure(
        "sum((a - ma)(b - mb)) / sqrt(sum((a - ma)^2) sum((b - mb)^2))", "-1 to 1, alike is 1", "Pearson 1895"
    ),
    "derivative_r": Measure(
        "pearson_r of the first derivatives by the axis, each the slope of a parabola through 7 neighbouring points",
        "-1 to 1, alike is 1",
        "ASTM E2310; Savitzky and Golay, Anal. Chem. 36 (1964) 1627",
    ),
    "cosine": Measure("sum(ab) / sqrt(sum(a^2) sum(b^2))", "-1 to 1, alike is 1"),
    "spectral_angle_deg": Measure(
        "arccos(sum(ab) / sqrt(sum(a^2) sum(b^2)))",
        "0 to 180 degrees, alike is 0",
        "Kruse et al., Remote Sens. Environ. 44 (1993) 145",
    ),
    "sid": Measure(
        "sum((p - q) ln(p / q)) with p = a / sum(a), q = b / sum(b)",
        "0 upwards, alike is 0; not a number unless both signals are above zero everywhere",
        "Chang, IEEE Trans. Inf. Theory 46 (2000) 1927",
    ),
    "rmse": Measure("sqrt(sum((b - a)^2) / n)", "0 upwards in the signals' unit, alike is 0"),
    "relative_rmse": Measure("rmse / sqrt(sum((a - ma)^2) / (n - 1))", "0 upwards, alike is 0"),
    "mae": Measure("sum(|b - a|) / n", "0 upwards in the signals' unit, alike is 0"),
    "max_deviation": Measure(
        "the b - a that is largest without its sign", "any, in the signals' unit, alike is 0; below zero: b is lower"
    ),
    "max_deviation_at": Measure("the position of max_deviation", "within the axis, in its unit"),
    "euclid": Measure("sqrt(sum((b - a)^2))", "0 upwards in the signals' unit, alike is 0", "ASTM E2310"),
    "hqi": Measure(
        "1000 pearson_r^2, or 0 where pearson_r is below 0",
        "0 to 1000, alike is 1000",
        "correlation hit quality of library searches",
    ),
    "area_ratio": Measure(
        "area under b / area under a by trapezoids, of the signals after the steps before the first that normalises",
        "any, alike is 1",
    ),
    "coverage": Measure(
        "the share of the reference's range, as far as a grid reaches it, on which both were measured", "0 to 1"
    ),
    "n_points": Measure("points judged: on the common axis, and under no mask", "3 upwards"),
    "axis_first": Measure("first point of the common axis", "in the axis unit"),
    "axis_last": Measure("last point of the common axis", "in the axis unit"),
    "axis_shift": Measure(
        "the d of the best fit b(x) = k a(x - d) + c + e x: how much too high the sample's axis reads",
        "any, in the axis unit, alike is 0",
    ),
    "axis_shift_error": Measure("standard error of axis_shift", "0 upwards, in the axis unit"),
    "factor": Measure("the k by which the reference was scaled before it was subtracted", "any, alike is 1"),
    "factor_by": Measure("how factor was found: values, derivative, a region's name, or given", "a text"),
    "factor_error": Measure("standard error of factor; 0 where it was given", "0 upwards"),
    "outside_points": Measure("points of the sample outside of the tolerance band", "0 to n"),
    "outside_percent": Measure("100 outside_points / points judged by the band", "0 to 100"),
    "longest_run": Measure("neighbouring points outside of the tolerance band, the most in one run", "0 to n"),
    "largest_excess": Measure(
        "distance from the tolerance band of the point farthest outside", "0 upwards, in the signals' unit"
    ),
    "largest_excess_at": Measure("the position of largest_excess", "within the axis, in its unit"),
}

#: What `compare` can be asked for, for the whole axis and for regions of it.
METRICS = (
    "pearson_r",
    "derivative_r",
    "rmse",
    "relative_rmse",
    "mae",
    "max_deviation",
    "max_deviation_at",
    "spectral_angle_deg",
    "cosine",
    "sid",
    "euclid",
    "hqi",
    "area_ratio",
)
#: Those that tell better from worse, the larger or the smaller the better.
BEST_LARGE = frozenset({"pearson_r", "derivative_r", "cosine", "hqi"})
BEST_SMALL = frozenset({"spectral_angle_deg", "sid", "rmse", "relative_rmse", "mae", "euclid"})
DEFAULT_METRICS = tuple(name for name in METRICS if name not in ("cosine", "sid", "euclid"))


def of_region(metric: str, region: str) -> str:
    """The name of a metric of a region, such as ``pearson_r[C-H]``."""
    return f"{metric}[{region}]"


def split_region(name: str) -> tuple[str, str | None]:
    """Metric and region of a name; the region is None for the whole axis."""
    metric, bracket, region = name.partition("[")
    return (metric, region.removesuffix("]")) if bracket and region.endswith("]") else (name, None)


def ordering_metric(name: str, regions: Collection[str]) -> str:
    """The metric, without its region, that may order references.

    Raises
    ------
    ValueError
        It tells no better from worse, or its region is none of `regions`.
    """
    metric, region = split_region(name)
    ordering = [each for each in METRICS if each in BEST_LARGE | BEST_SMALL]
    if metric not in ordering:
        raise ValueError(f"references are ordered by {', '.join(ordering)}; not by {name!r}")
    if region is not None and region not in regions:
        raise ValueError(f"{name!r} needs the region {region!r} among regions")
    return metric


def known_metrics(names: Iterable[str]) -> tuple[str, ...]:
    """The names as they are, each once, in the order of `METRICS`; ``all`` stands for every one.

    Raises
    ------
    ValueError
        Naming what is no metric, and the nearest that is.
    """
    wanted = {names} if isinstance(names, str) else set(names)
    if "all" in wanted:
        return METRICS
    for name in sorted(wanted.difference(METRICS)):
        near = get_close_matches(name, METRICS, 1, 0.0)[0]
        raise ValueError(f"{name!r} is no metric, did you mean {near!r}? There are {', '.join(METRICS)}, and all")
    return tuple(name for name in METRICS if name in wanted)
