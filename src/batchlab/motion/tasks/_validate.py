"""The task that takes the folds of a cross-validation together."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from batchlab.engine import JobContext, Scalar, task
from batchlab.errors import DataError

__all__ = ["ValidateParams", "validate"]

_COLUMNS = ("test_rms_mm", "test_median_mm", "held_out_mm", "held_out_se_mm", "test_chi2_reduced", "rms_mm")


class ValidateParams(BaseModel):
    """Which metric counts, and what is held out together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str = Field("held_out_mm", description="of the folds' jobs; the least mean is best")
    parts: dict[str, int] = Field(
        default_factory=dict,
        description="number of the fold that a job's recording is held out in, by the job's name; where it is not "
        "given, each job is a fold",
    )


@dataclass(frozen=True, slots=True)
class _Fold:
    """A job that has a score, of one combination of options."""

    job: str
    part: int
    metrics: Mapping[str, Scalar]
    score: float


@dataclass(frozen=True, slots=True)
class _Combination:
    """Options, and the jobs that have them."""

    params: Mapping[str, Any]
    folds: list[_Fold] = field(default_factory=list)

    def by_part(self, leaving: int | None = None) -> list[float]:
        """Mean score of each part, but for one that is left out."""
        parts: dict[int, list[float]] = {}
        for fold in self.folds:
            parts.setdefault(fold.part, []).append(fold.score)
        return [fmean(scores) for part, scores in sorted(parts.items()) if part != leaving]


@task(
    name="motion.validate",
    version="1",
    params=ValidateParams,
    inputs=("folds",),
    outputs={"table": "{job}.csv", "summary": "{job}.json"},
    formats={"table": (".csv",), "summary": (".json",)},
    libraries=(),
)
def validate(ctx: JobContext, params: ValidateParams) -> Mapping[str, Scalar]:
    """Take folds together: mean and standard error over them, for each combination of options.

    With `parts`, options are also chosen anew for each fold by all others, and scored on it: what is to be expected
    of a choice made like this.
    """
    found = _combinations(ctx, params)
    differing = _differing([each.params for each in found])
    told = [_told(each, differing) for each in found]
    least = min(told, key=lambda each: float(each["mean"]))
    summary: dict[str, Any] = {"metric": params.metric, "best": least, "combinations": told}
    metrics: dict[str, Scalar] = {
        "mean": least["mean"],
        "standard_error": least["standard_error"],
        "folds": least["folds"],
        "combinations": len(found),
        **{f"best_{name}": _scalar(value) for name, value in least["params"].items()},
    }
    if params.parts and len(found) > 1:
        summary["chosen_by_others"] = nested = _nested(found, differing)
        scores = [float(each["score"]) for each in nested]
        if scores:
            metrics["chosen_by_others_mean"], metrics["chosen_by_others_standard_error"] = _spread(scores)
    if ctx.wanted("table"):
        _write_table(ctx.output("table"), found, differing)
    if ctx.wanted("summary"):
        ctx.output("summary").write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return metrics


def _combinations(ctx: JobContext, params: ValidateParams) -> list[_Combination]:
    groups: dict[str, _Combination] = {}
    known: set[str] = set()
    for number, member in enumerate(ctx.gathered("folds"), 1):
        asked = json.loads(Path(member.outputs["fit"]).read_text(encoding="utf-8"))["params"]
        known |= set(member.metrics)
        score = member.metrics.get(params.metric)
        if not isinstance(score, (int, float)) or not math.isfinite(score):
            ctx.warn(f"{member.job} has no {params.metric} and is left out")
            continue
        part = params.parts.get(member.job, number) if params.parts else number
        group = groups.setdefault(json.dumps(asked, sort_keys=True), _Combination(asked))
        group.folds.append(_Fold(member.job, part, member.metrics, float(score)))
    if not groups:
        raise DataError(
            f"no fold is done that has the metric {params.metric!r}"
            + (f"; there are {', '.join(sorted(known))}" if known else "; their jobs tell why"),
            reason="no-folds",
        )
    most = max(len(each.folds) for each in groups.values())
    whole = [each for each in groups.values() if len(each.folds) == most]
    if len(whole) < len(groups):
        # Means over other folds cannot be compared.
        ctx.warn(f"{len(groups) - len(whole)} combinations lack folds that others have, and are left out")
    return whole


def _told(combination: _Combination, differing: list[str]) -> dict[str, Any]:
    scores = combination.by_part()
    mean, error = _spread(scores)
    return {
        "params": {name: _at(combination.params, name) for name in differing},
        "mean": mean,
        "standard_error": error,
        "folds": len(scores),
        "jobs": [fold.job for fold in combination.folds],
    }


def _nested(found: list[_Combination], differing: list[str]) -> list[dict[str, Any]]:
    """For each part: the options that do best on all others, and how they do on it."""
    out = []
    for part in sorted({fold.part for each in found for fold in each.folds}):
        able = [each for each in found if each.by_part(leaving=part)]
        if not able:
            continue
        chosen = min(able, key=lambda each: fmean(each.by_part(leaving=part)))
        own = [fold.score for fold in chosen.folds if fold.part == part]
        if not own:
            continue
        out.append(
            {
                "fold": part,
                "params": {name: _at(chosen.params, name) for name in differing},
                "score": fmean(own),
                "jobs": [fold.job for fold in chosen.folds if fold.part == part],
            }
        )
    return out


def _spread(scores: Sequence[float]) -> tuple[float, float | None]:
    """Mean and its standard error."""
    return fmean(scores), stdev(scores) / math.sqrt(len(scores)) if len(scores) > 1 else None


def _names(params: Mapping[str, Any], above: str = "") -> list[str]:
    found: list[str] = []
    for name, value in params.items():
        found += _names(value, f"{above}{name}.") if isinstance(value, Mapping) and value else [above + name]
    return found


def _differing(asked: list[Mapping[str, Any]]) -> list[str]:
    names = dict.fromkeys(name for each in asked for name in _names(each))
    return [name for name in names if len({json.dumps(_at(each, name)) for each in asked}) > 1]


def _at(params: Mapping[str, Any], name: str) -> Any:
    value: Any = params
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def _scalar(value: Any) -> Scalar:
    return value if value is None or isinstance(value, (int, float, str, bool)) else json.dumps(value)


def _write_table(path: Path, found: list[_Combination], differing: list[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["job", "fold", *differing, *_COLUMNS])
        for each in found:
            for fold in each.folds:
                told = (_at(each.params, name) for name in differing)
                writer.writerow([fold.job, fold.part, *told, *(fold.metrics.get(name, "") for name in _COLUMNS)])
