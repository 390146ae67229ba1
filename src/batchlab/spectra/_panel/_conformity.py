"""Which samples conform, and what those that do not fail."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from batchlab.engine import BatchView, JobView, Scalar
from batchlab.reports import Panel, Table
from batchlab.spectra._panel._jobs import COMPARE, done, jobs_of, number_of, output_of, told, unit_of
from batchlab.spectra._panel._likeness import least_alike
from batchlab.spectra._panel._numbers import legend, pretty_unit
from batchlab.spectra._rules import ALL_INSIDE, Rule, parse_rule
from batchlab.spectra._words import listed

__all__ = ["conformity_panel"]

_MOST_FAILED, _MOST_PASSED = 100, 10
_MOST_NAMED = 3
_PICTURES = 4
_BAND = ("outside_percent", "longest_run", "largest_excess", "largest_excess_at")


def conformity_panel(view: BatchView) -> Panel | None:
    """Pass or fail of each sample in words, those that fail first; None where nothing was to be kept."""
    jobs = jobs_of(view, COMPARE)
    judged = [job for job in done(jobs) if "conforms" in job.metrics]
    if not judged:
        return None
    failed = [job for job in judged if job.metrics["conforms"] is not True]
    passed = [job for job in judged if job.metrics["conforms"] is True]
    failed.sort(key=lambda job: (-_outside(job), job.name))
    shown = [*failed[:_MOST_FAILED], *passed[:_MOST_PASSED]]
    pictured = {job.name for job in least_alike(view)[0]}
    unseen = [job for job in failed if job.name not in pictured]
    band = tuple(name for name in _BAND if any(name in job.metrics for job in shown))
    at = pretty_unit(unit_of(shown, "axis_unit"))
    return Panel(
        title="Spectra: conformity",
        headline=_headline(judged, failed),
        text=_text(jobs, judged, failed, len(shown)),
        tables=(
            Table(
                columns=("sample", "conforms", "verdict", *band),
                units=(None, None, None, *(at if name == "largest_excess_at" else None for name in band)),
                rows=tuple(
                    (job.name, job.metrics["conforms"], _verdict(job), *(told(job, name) for name in band))
                    for job in shown
                ),
            ),
            legend((*_ruled(judged), *band)),
        ),
        pictures=tuple(path for job in unseen[:_PICTURES] if (path := output_of(job, "figure")) is not None),
    )


def _text(jobs: Sequence[JobView], judged: Sequence[JobView], failed: Sequence[JobView], shown: int) -> str:
    text = f"{len(judged) - len(failed)} of {len(judged)} samples conform"
    text += f", {len(failed)} do not." if failed else "."
    missing = len(jobs) - len(judged)
    if missing:
        text += f" {missing} {'was' if missing == 1 else 'were'} not judged, since not compared to the end."
    rules = {_rules(job) for job in judged}
    if len(rules) == 1:
        text += f" To conform: {' and '.join(map(str, rules.pop()))}."
    if shown < len(judged):
        text += f" {len(judged) - shown} that are not listed are in the table of jobs."
    return text


def _headline(judged: Sequence[JobView], failed: Sequence[JobView]) -> str:
    if not failed:
        return f"all {len(judged)} samples conform" if len(judged) > 1 else "the sample conforms"
    of = f"{len(failed)} of {len(judged)} samples do not conform" if len(judged) > 1 else "the sample does not conform"
    return f"{of}: {listed([job.name.partition('/')[2] or job.name for job in failed], _MOST_NAMED)}"


def _verdict(job: JobView) -> Scalar:
    verdict = told(job, "verdict")
    return verdict.removeprefix("does not conform: ") if isinstance(verdict, str) else verdict


def _rules(job: JobView) -> tuple[Rule, ...]:
    tolerance = job.params.get("tolerance")
    rules = tolerance.get("rules") if isinstance(tolerance, Mapping) else None
    return (
        tuple(parse_rule(str(rule)) for rule in rules) if isinstance(rules, list | tuple) and rules else (ALL_INSIDE,)
    )


def _ruled(jobs: Sequence[JobView]) -> tuple[str, ...]:
    """The numbers that rules are about."""
    return tuple(dict.fromkeys(rule.metric for job in jobs for rule in _rules(job)))


def _outside(job: JobView) -> float:
    """What those that fail are ordered by: how much of them is outside of the band, or how unlike they are."""
    for name in ("outside_percent", "spectral_angle_deg", "relative_rmse"):
        value = number_of(job, name)
        if not math.isnan(value):
            return value
    return 0.0
