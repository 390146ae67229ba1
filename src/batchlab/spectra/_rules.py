"""Rules of conformity as people write them, such as ``pearson_r >= 0.99``; loads no numpy, so params can use them."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from batchlab.spectra._measures import MEASURES, METRICS, Difference, ShiftHandling, known_metrics, split_region

__all__ = ["ALL_INSIDE", "Finding", "Rule", "findings", "parse_rule", "why_not_computed"]

_RULE = re.compile(
    r"\s*(?P<bar>\|)?\s*(?P<name>[A-Za-z_]\w*(\[[^\]]+\])?)\s*(?(bar)\|)\s*(?P<sign><=|>=|<|>|≤|≥)\s*"
    r"(?P<limit>[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?)\s*(?P<percent>%)?\s*"
)
_SIGNS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}
_ASCII = {"≤": "<=", "≥": ">="}
_OF_THE_BAND = frozenset({"outside_points", "outside_percent", "longest_run", "largest_excess", "largest_excess_at"})
# What people would write for a number of the band.
_SHORT = {"outside": "outside_points", "run": "longest_run", "excess": "largest_excess"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit to one number of a comparison.

    Attributes
    ----------
    metric
        Its name, with its region if it has one.
    sign
        One of ``<=``, ``>=``, ``<``, ``>``.
    limit
        What it is held against.
    absolute
        Whether it is judged without its own sign.
    """

    metric: str
    sign: str
    limit: float
    absolute: bool = False

    def __str__(self) -> str:
        return f"{f'|{self.metric}|' if self.absolute else self.metric} {self.sign} {self.limit:g}"

    @property
    def of_band(self) -> bool:
        """Whether it is about a band of tolerance."""
        return split_region(self.metric)[0] in _OF_THE_BAND

    def holds(self, value: float) -> bool:
        """Whether a value keeps the rule; what is not a number keeps none."""
        return bool(_SIGNS[self.sign](abs(value) if self.absolute else value, self.limit))


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of a rule."""

    rule: Rule
    value: float
    passed: bool

    def __str__(self) -> str:
        value = "not a number" if math.isnan(self.value) else f"{self.value:.6g}"
        return f"{self.rule.metric} is {value}: {self.rule} {'holds' if self.passed else 'fails'}"


#: The rule that no point lies outside of the band.
ALL_INSIDE = Rule("outside_points", "<=", 0.0)


def parse_rule(text: str) -> Rule:
    """Read a rule.

    Parameters
    ----------
    text
        A number of a comparison, a sign and a limit: ``pearson_r >= 0.99``, ``rmse[C-H] < 0.02``,
        ``|axis_shift| <= 0.5``. Of a band: ``inside`` (no point outside), ``outside <= 2 %``, ``outside <= 10``
        (points), ``run <= 5`` (neighbours outside), ``excess <= 0.01``.

    Raises
    ------
    ValueError
        Telling what cannot be read, or the number that is not there and the nearest that is.
    """
    if text.strip() in ("inside", "all inside"):
        return ALL_INSIDE
    found = _RULE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no rule; write such as 'pearson_r >= 0.99', 'outside <= 2 %' or 'inside'")
    name, percent = found["name"], bool(found["percent"])
    metric, region = split_region(name)
    metric = "outside_percent" if percent and metric == "outside" else _SHORT.get(metric, metric)
    if metric not in MEASURES:
        near = get_close_matches(metric, MEASURES, 1, 0.0)[0]
        raise ValueError(f"{text!r}: {metric!r} is no number of a comparison, did you mean {near!r}?")
    if percent and metric != "outside_percent":
        raise ValueError(f"{text!r}: only outside is told in percent")
    sign = _ASCII.get(found["sign"], found["sign"])
    name = metric if region is None else f"{metric}[{region}]"
    return Rule(name, sign, float(found["limit"]), absolute=bool(found["bar"]))


def why_not_computed(
    rule: Rule,
    *,
    metrics: Iterable[str],
    regions: Collection[str],
    difference: Difference,
    shift: ShiftHandling,
) -> str | None:
    """What a comparison so asked for would have to compute besides, for a rule to be judged; None if nothing.

    Rules about a band are left to where the band is known.
    """
    metric, region = split_region(rule.metric)
    if rule.of_band:
        return None
    if region is not None and metric not in METRICS:
        return f"the rule '{rule}': {metric} is of the whole axis, and not of a region"
    if region is not None and region not in regions:
        return f"the rule '{rule}' needs the region {region!r} among regions"
    if metric in METRICS and metric not in known_metrics(metrics):
        return f"the rule '{rule}' needs {metric} among metrics, or metrics: [all]"
    if metric.startswith("axis_shift") and shift is ShiftHandling.IGNORE:
        return f"the rule '{rule}' needs shift: estimate, or correct"
    if metric.startswith("factor") and difference is not Difference.SCALED:
        return f"the rule '{rule}' needs difference: scaled difference"
    return None


def findings(rules: Iterable[Rule], numbers: Mapping[str, float | int | str]) -> tuple[Finding, ...]:
    """Hold each rule against its number.

    Raises
    ------
    ValueError
        Naming a number that was not computed.
    """
    found = []
    for rule in rules:
        if rule.metric not in numbers:
            raise ValueError(
                f"the rule '{rule}' needs {rule.metric}, which was not computed; ask for that metric, its region, "
                "the shift or a band"
            )
        value = float(numbers[rule.metric])
        found.append(Finding(rule, value, rule.holds(value)))
    return tuple(found)
