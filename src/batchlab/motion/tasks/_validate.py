"""The task that takes the folds of a cross-validation together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from batchlab.engine import JobContext, Scalar, task
from batchlab.errors import DataError

__all__ = ["ValidateParams", "validate"]

_COLUMNS = ("test_rms_mm", "test_median_mm", "held_out_mm", "held_out_se_mm", "test_chi2_reduced", "rms_mm")


class ValidateParams(BaseModel):
    """Which metric counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str = Field("held_out_mm", description="of the folds' jobs; the least mean is best")


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
    """Take folds together: mean and standard error over them, for each combination of options."""
    groups: dict[str, tuple[dict[str, Any], list[tuple[str, Mapping[str, Scalar]]]]] = {}
    for member in ctx.gathered("folds"):
        asked = json.loads(Path(member.outputs["fit"]).read_text(encoding="utf-8"))["params"]
        groups.setdefault(json.dumps(asked, sort_keys=True), (asked, []))[1].append((member.job, member.metrics))
    if not groups:
        raise DataError("no fold is done; their jobs tell why", reason="no-folds")
    differing = _differing([asked for asked, _ in groups.values()])
    found: list[dict[str, Any]] = []
    for asked, folds in groups.values():
        mean, error, count = _spread([metrics.get(params.metric) for _, metrics in folds])
        found.append({"params": {name: _at(asked, name) for name in differing}, "mean": mean,
                      "standard_error": error, "folds": count, "jobs": [job for job, _ in folds]})  # fmt: skip
    scored = [each for each in found if each["mean"] is not None]
    if not scored:
        names = sorted({name for _, folds in groups.values() for _, metrics in folds for name in metrics})
        raise DataError(f"no fold has the metric {params.metric!r}; there are {', '.join(names)}", reason="no-metric")
    least = min(scored, key=lambda each: float(each["mean"]))
    if ctx.wanted("table"):
        _write_table(ctx.output("table"), groups.values(), differing)
    if ctx.wanted("summary"):
        summary = {"metric": params.metric, "best": least, "combinations": found}
        ctx.output("summary").write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return {
        "mean": least["mean"],
        "standard_error": least["standard_error"],
        "folds": least["folds"],
        "combinations": len(groups),
        **{f"best_{name}": _scalar(value) for name, value in least["params"].items()},
    }


def _spread(values: list[Scalar]) -> tuple[float | None, float | None, int]:
    """Mean, its standard error, and of how many."""
    import math
    from statistics import fmean, stdev

    numbers = [float(each) for each in values if isinstance(each, (int, float)) and math.isfinite(each)]
    if not numbers:
        return None, None, 0
    error = stdev(numbers) / math.sqrt(len(numbers)) if len(numbers) > 1 else None
    return fmean(numbers), error, len(numbers)


def _names(params: Mapping[str, Any], above: str = "") -> list[str]:
    found: list[str] = []
    for name, value in params.items():
        found += _names(value, f"{above}{name}.") if isinstance(value, Mapping) and value else [above + name]
    return found


def _differing(asked: list[dict[str, Any]]) -> list[str]:
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


def _write_table(path: Path, groups: Any, differing: list[str]) -> None:
    import csv

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["job", *differing, *_COLUMNS])
        for asked, folds in groups:
            for job, metrics in folds:
                writer.writerow(
                    [job, *(_at(asked, name) for name in differing), *(metrics.get(name, "") for name in _COLUMNS)]
                )
