"""Finished batches by a parameter, and the best of them."""

from __future__ import annotations

import math
import statistics as stats
from collections.abc import Mapping

import pytest

from batchlab.builders import best, compare, statistics
from batchlab.engine import BatchState, BatchView, JobView, Scalar, Status
from batchlab.errors import ConfigError


def job(name: str, params: Mapping[str, object], metrics: Mapping[str, Scalar], **more: object) -> JobView:
    facts: dict[str, object] = {
        "task": "toy.fit",
        "state": Status.DONE,
        "attempts": 1,
        "category": None,
        "reason": None,
        "message": None,
        "outputs": (),
        "items": (),
        "warnings": (),
        "elapsed_s": 1.0,
        "peak_memory_mb": None,
        "stages": {},
        "inputs": {},
        "group": None,
        "metadata": {},
        "key": None,
        "thumbnail": None,
        "log": None,
    }
    return JobView(name=name, params=params, metrics=metrics, **{**facts, **more})  # type: ignore[arg-type]


def view(*jobs: JobView) -> BatchView:
    return BatchView(batch="toy", root="/nowhere", state=BatchState.DONE, counts={}, jobs=jobs, runs=())


SCORES = {0.0: (4.4, 4.2, 4.6), 100.0: (3.72, 3.70, 3.74), 700.0: (3.71, 3.69, 3.73), 2000.0: (4.9, 5.0, 5.1)}


@pytest.fixture
def sweep() -> BatchView:
    """Four weights, three folds, and a cost that falls as the score gets worse."""
    return view(
        *(
            job(
                f"fit/{weight}/{fold}",
                {"weights": {"rotation": weight}, "fold": fold},
                {"held_out_mm": score, "cost": 100.0 + weight, "status": "converged"},
                metadata={"file": f"f{fold}"},
            )
            for weight, scores in SCORES.items()
            for fold, score in enumerate(scores)
        ),
        job("failed", {"weights": {"rotation": 50.0}, "fold": 0}, {"held_out_mm": 0.1}, state=Status.FAILED),
    )


def test_jobs_are_compared_by_a_parameter_over_all_others(sweep: BatchView) -> None:
    rows = compare(sweep, "weights.rotation")
    assert [row.value for row in rows] == sorted(SCORES)
    for row in rows:
        scores = SCORES[row.value]  # type: ignore[index]
        spread = row.metrics["held_out_mm"]
        assert spread.count == 3
        assert spread.mean == pytest.approx(stats.mean(scores))
        assert spread.standard_error == pytest.approx(stats.stdev(scores) / math.sqrt(3))
        assert (spread.minimum, spread.median, spread.maximum) == tuple(sorted(scores))
        assert "status" not in row.metrics
    assert compare(sweep, "params.weights.rotation") == rows
    assert [row.value for row in compare(sweep, "file")] == ["f0", "f1", "f2"]


def test_the_best_is_by_the_mean_over_what_does_not_count(sweep: BatchView) -> None:
    choice = best(sweep, "held_out_mm", over=("fold", "file"))
    assert choice.params == {"weights.rotation": 700.0}
    assert choice.score == pytest.approx(3.71)
    assert len(choice.jobs) == 3
    assert [params["weights.rotation"] for params, _ in choice.candidates] == [700.0, 100.0, 0.0, 2000.0]
    assert best(sweep, "held_out_mm", "max", over=("fold", "file")).params == {"weights.rotation": 2000.0}


def test_within_one_standard_error_the_simplest_is_chosen(sweep: BatchView) -> None:
    choice = best(
        sweep, "held_out_mm", over=("fold", "file"), simpler=lambda params: float(str(params["weights.rotation"]))
    )
    assert choice.params == {"weights.rotation": 100.0}
    assert "one standard error" in choice.rule


def test_what_failed_and_what_is_no_number_does_not_count() -> None:
    odd = view(
        job("a", {"x": 1}, {"score": math.nan}),
        job("b", {"x": 2}, {"score": 2.0}),
        job("c", {"x": 3}, {"score": "bad"}),
        job("d", {"x": 4}, {"score": True}),
        job("e", {"x": 5}, {"score": 0.5}, state=Status.FAILED),
    )
    assert best(odd, "score").jobs == ("b",)
    spread = statistics(odd)["score"]
    assert (spread.count, spread.mean) == (1, 2.0)
    assert math.isnan(spread.sd)


def test_a_slip_is_told_with_the_nearest_right_name(sweep: BatchView) -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'weights.rotation'"):
        compare(sweep, "weights.rotatoin")
    with pytest.raises(ConfigError, match="did you mean 'held_out_mm'"):
        best(sweep, "held_out")
    with pytest.raises(ConfigError, match="has a number as metric 'status'"):
        best(sweep, "status")
