from __future__ import annotations

import csv
import io
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.engine import BatchState, Status
from batchlab.reports import statistics
from batchlab.reports._summary import _cell, summary_csv


def rows(view):
    return list(csv.DictReader(io.StringIO(summary_csv(view), newline="")))


@given(st.floats())
def test_a_number_reads_back_exactly(value):
    text = _cell(value)
    assert text == "" if math.isnan(value) else float(text) == value


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd", "'+cmd"),
        ("-x", "'-x"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("-1.5", "-1.5"),
        ("+2e-3", "+2e-3"),
        ("-1+1", "'-1+1"),
        ("leaf=1", "leaf=1"),
        ("", ""),
    ],
)
def test_only_texts_that_look_like_formulas_get_a_quote_mark(text, cell):
    assert _cell(text) == cell


def test_numbers_are_never_touched():
    assert [_cell(v) for v in (-1.5, -3, float("-inf"), float("nan"), True, None)] == [
        "-1.5",
        "-3",
        "-inf",
        "",
        "true",
        "",
    ]


def test_a_row_a_job_with_every_metric_as_a_column(lab, tmp_path):
    view = lab.view(
        tmp_path,
        [
            lab.job("a", metrics={"r": 0.1 + 0.2, "name": "clash"}, warnings=("one", "two, three")),
            lab.job("b", state=Status.FAILED, category="crash", reason="SIGSEGV", metrics={"text": "=evil"}),
        ],
    )
    first, second = rows(view)
    assert (first["name"], first["state"], float(first["r"])) == ("a", "done", 0.1 + 0.2)
    assert first["metric.name"] == "clash"
    assert first["warnings"] == "one\ntwo, three"
    assert (second["category"], second["reason"], second["r"], second["text"]) == ("crash", "SIGSEGV", "", "'=evil")
    assert list(first)[:8] == [
        "name",
        "task",
        "state",
        "attempts",
        "category",
        "reason",
        "elapsed_s",
        "peak_memory_mb",
    ]


def test_swept_params_are_columns_and_constant_ones_are_not(lab, tmp_path):
    view = lab.view(tmp_path, [lab.job(f"j{w}", params={"window": w, "mode": "snv"}) for w in (5, 11)])
    assert [row["params.window"] for row in rows(view)] == ["5", "11"]
    assert "params.mode" not in rows(view)[0]


def test_items_are_counted_where_there_are_any(lab, tmp_path):
    items = (
        lab.Item(name="x", status=Status.DONE),
        lab.Item(name="y", status=Status.FAILED, category="numerical", reason="degenerate"),
    )
    row = rows(lab.view(tmp_path, [lab.job("all", items=items)]))[0]
    assert (row["items_done"], row["items_failed"]) == ("1", "1")


def test_statistics_of_known_numbers(lab, tmp_path):
    times = [1.0, 2.0, 3.0, 4.0, 10.0]
    jobs = [lab.job(f"j{i}", elapsed_s=t, metrics={"m": t, "flag": True}) for i, t in enumerate(times)]
    jobs += [lab.job("nan", elapsed_s=None, metrics={"m": float("nan")}), lab.failed(7, elapsed_s=None)]
    found = statistics(lab.view(tmp_path, jobs, state=BatchState.FAILED))
    assert found["elapsed"]["by_task"]["spectra.compare"] == {
        "n": 5,
        "total_s": 20.0,
        "mean_s": 4.0,
        "median_s": 3.0,
        "p95_s": pytest.approx(8.8),
        "max_s": 10.0,
    }
    metrics = found["metrics"]["spectra.compare"]
    assert metrics["m"] == {
        "n": 5,
        "nonfinite": 1,
        "mean": 4.0,
        "std": pytest.approx(12.5**0.5),
        "min": 1.0,
        "median": 3.0,
        "max": 10.0,
    }
    assert "flag" not in metrics
    assert found["slowest"][0] == {"name": "j4", "elapsed_s": 10.0}
    assert found["failures"][0]["reason"] == "not-a-spectrum"
    assert (found["counts"]["done"], found["counts"]["failed"], found["counts"]["blocked"]) == (6, 1, 0)
    assert found["environment"]["numpy"] == "2.1.0"


def test_statistics_of_stages_caches_and_the_time_they_hold(lab, tmp_path):
    jobs = [
        lab.job("a", elapsed_s=2.0, stages={"load": 0.5, "draw": 1.0}),
        lab.job("b", elapsed_s=2.0, stages={"draw": 1.5}),
        lab.job("no stages", elapsed_s=9.0),
        lab.job("still runs", task="other", elapsed_s=None, stages={"load": 3.0, "odd": float("nan")}),
    ]
    runs = [lab.run(cache={"hits": 3, "misses": 1}), lab.run(number=2)]
    found = statistics(lab.view(tmp_path, jobs, runs=runs))
    assert found["stages"] == {
        "spectra.compare": {
            "load": {"total_s": 0.5, "mean_s": 0.25, "share": 0.125},
            "draw": {"total_s": 2.5, "mean_s": 1.25, "share": 0.625},
        },
        "other": {"load": {"total_s": 3.0, "mean_s": 3.0, "share": 1.0}},
    }
    assert [run["cache"] for run in found["runs"]] == [{"hits": 3, "misses": 1, "hit_rate": 0.75}, None]
    assert found["as_of"] == "2026-05-04T21:04:41.500Z"


@given(st.lists(st.floats() | st.integers(), max_size=20))
def test_statistics_are_strict_json_whatever_the_numbers(lab, values):
    view = lab.view("/nowhere", [lab.job(f"j{i}", metrics={"m": v}) for i, v in enumerate(values)])
    text = json.dumps(statistics(view), allow_nan=False)
    assert json.loads(text)["jobs"] == len(values)
