"""The demo finds what its files were made with, and says so when it does not."""

from __future__ import annotations

import csv
import math
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from batchlab.engine import Status, Verdict, inline, plan, read_view, run
from batchlab.spectra._demo import expected, make_demo, on_purpose
from batchlab.spectra._measures import MEASURES
from batchlab.spectra._panel import panel, truths_of
from batchlab.spectra._synthetic_batch import Kind
from batchlab.spectra._synthetic_files import FILES

SAMPLES = 16


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    batch = make_demo(folder, SAMPLES)
    result = run(batch, executor=inline)
    assert result.exit_code == 1
    return read_view(batch.output)


def test_what_happens_is_what_is_expected(finished):
    assert expected(finished) is None
    cut = first_of(finished, Kind.CUT_OFF).partition("/")[2]
    assert on_purpose(finished) == f"1 file refused, as it should be: {cut} (truncated)"
    assert on_purpose(without(finished, "spectra.compare")) is None


def with_changed(view, name, **changes):
    """The same outcome, but for one job; metrics are changed one by one."""
    assert any(job.name == name for job in view.jobs)
    jobs = []
    for job in view.jobs:
        if job.name == name:
            metrics = {**job.metrics, **changes.pop("metrics", {})}
            job = replace(job, metrics=metrics, **changes)
        jobs.append(job)
    return replace(view, jobs=tuple(jobs))


def without(view, task):
    return replace(view, jobs=tuple(job for job in view.jobs if job.task != task))


def first_of(view, kind):
    return next(name for name, made in truths_of(view).items() if made.kind is kind)


def test_wrong_findings_are_named(finished):
    good, foreign = first_of(finished, Kind.GOOD), first_of(finished, Kind.CONTAMINATED)
    for name, metrics, told in (
        (good, {"area_ratio": 9.0}, "area ratio 9,"),
        (good, {"axis_shift": 0.5 + truths_of(finished)[good].shift}, "is true"),
        (good, {"axis_shift": math.nan}, "shift nan cm-1"),
        (good, {"conforms": False}, "should conform"),
        (foreign, {"conforms": True}, "should not conform"),
        (foreign, {"largest_excess_at": 1001.0}, "and the comparison says 1001"),
        ("analytics", {"worst": foreign.partition("/")[2]}, "stands out most, which"),
        ("overview", {"n": 3}, f"3 of {SAMPLES - 1} compared samples are in it"),
    ):
        missed = expected(with_changed(finished, name, metrics=metrics))
        assert missed is not None and told in missed
        assert all(each.startswith(f"{name}: ") for each in missed.split("; "))  # of no other


def test_jobs_that_ended_otherwise_are_named(finished):
    broken, good = first_of(finished, Kind.CUT_OFF), first_of(finished, Kind.GOOD)
    assert f"{broken}: should have been refused as cut off, and is done" in expected(
        with_changed(finished, broken, state=Status.DONE, reason=None, category=None)
    )
    assert f"{good}: should be done, and is failed (timeout)" in expected(
        with_changed(finished, good, state=Status.FAILED, category="timeout")
    )
    assert "analytics should be done, and is failed" in expected(
        with_changed(finished, "analytics", state=Status.FAILED)
    )
    page = next(job for job in finished.jobs if job.name == "overview").outputs
    assert "overview: without page" in expected(
        with_changed(finished, "overview", outputs=tuple(each for each in page if each.name != "page"))
    )


@pytest.mark.parametrize("task", ["spectra.limits", "spectra.analytics", "spectra.overview"])
def test_a_missing_job_is_named(finished, task):
    assert f"there is no job of {task}" in expected(without(finished, task))


def test_a_missing_comparison_is_named(finished):
    good = first_of(finished, Kind.GOOD)
    file = truths_of(finished)[good].file
    left = replace(finished, jobs=tuple(job for job in finished.jobs if job.name != good))
    assert f"no job compares {file}" in expected(left)
    assert "truth.csv" in expected(without(finished, "spectra.compare"))


def test_a_table_of_the_analysis_that_says_otherwise_is_noticed(finished, tmp_path):
    copy = tmp_path / "demo"
    shutil.copytree(Path(finished.root).parent, copy)
    view = replace(finished, root=str(copy / "out"))
    assert expected(view) is None
    foreign = first_of(view, Kind.CONTAMINATED)
    table = copy / "out" / "analytics.csv"
    told = table.read_text(encoding="utf-8")
    table.write_text(re.sub(r"most at [\d.]+", "most at 333", told), encoding="utf-8")
    assert f"{foreign}: its foreign band is at" in expected(view) and "the analysis says 333" in expected(view)
    table.write_text(told.replace(",outlier,", ",good,"), encoding="utf-8")
    assert f"{foreign}: the analysis calls it good, and it is contaminated" in expected(view)
    table.unlink()
    assert "the analysis calls it nothing" in expected(view)


def test_a_layout_taken_for_another_is_noticed(finished, tmp_path):
    copy = tmp_path / "demo"
    shutil.copytree(Path(finished.root).parent, copy)
    view = replace(finished, root=str(copy / "out"))
    made = truths_of(view)[first_of(view, Kind.GOOD)]
    other = next(name for name in FILES if name not in (made.program, "comma"))
    (copy / "data" / "samples" / made.file).write_bytes(
        FILES[other].file_of(np.sin(FILES[other].axis / 50) + 2, "another")
    )
    assert f"its layout is {FILES[made.program].words}, and was read as" in expected(view)
    (copy / "data" / "samples" / made.file).unlink()
    assert "its layout is not recognised: the file is gone" in expected(view)


def test_run_again_it_finds_its_work_done(finished):
    folder = Path(finished.root).parent
    again = make_demo(folder, SAMPLES)
    to_run = {each.job.name for each in plan(again).jobs if each.verdict is not Verdict.SKIP}
    # What failed is tried again, and what waits for it has to wait.
    assert to_run <= {first_of(finished, Kind.CUT_OFF), "limits", "analytics", "overview"}


def test_the_panel_shows_truth_beside_what_was_found(finished):
    shown = panel(finished)
    written, found = shown.tables
    assert shown.text.startswith(f"{SAMPLES} of {SAMPLES} samples are as they were made.")
    assert len(written.rows) == len(found.rows) == SAMPLES
    assert len(shown.pictures) == 3
    kinds = [row[1] for row in found.rows]
    assert kinds.count("cut off") == kinds.count("another substance") == kinds.count("contaminated") == 1
    for row in found.rows:
        _, kind, _, ratio, measured, ratio_found, shift, shift_found, band, band_found, conforms, verdict, missed = row
        assert missed is None
        if kind == "cut off":
            assert verdict == "failed: truncated"
            continue
        assert conforms is (kind == "good")
        assert (verdict == "outlier") is (kind != "good")
        assert abs(ratio_found - ratio) < abs(measured - ratio) or kind == "another substance"
        if kind == "contaminated":
            assert band_found == pytest.approx(band, abs=2)
        if kind != "another substance":
            assert ratio_found == pytest.approx(ratio, rel=0.06)
            assert shift_found == pytest.approx(shift, abs=0.2)


def test_the_panel_tells_what_was_missed(finished):
    good = first_of(finished, Kind.GOOD)
    shown = panel(with_changed(finished, good, metrics={"area_ratio": 9.0}))
    assert shown.text.startswith(f"{SAMPLES - 1} of {SAMPLES} ")
    row = next(row for row in shown.tables[1].rows if row[0] == good.partition("/")[2])
    assert row[-1].startswith("area ratio 9, ")


def test_the_panel_of_other_batches_shows_the_least_alike(finished, tmp_path):
    elsewhere = replace(finished, root=str(tmp_path))
    assert truths_of(elsewhere) is None
    shown = panel(elsewhere)
    table, legend = shown.tables
    assert [row[0] for row in legend.rows] == [name for name in table.columns if name in MEASURES]
    likeness = [row[table.columns.index("pearson_r")] for row in table.rows]
    assert likeness == sorted(likeness)
    assert len(shown.pictures) == len(table.rows) == 10
    assert panel(replace(finished, jobs=())) is None


def test_a_table_of_truth_that_is_somebody_elses_is_left_alone(finished, tmp_path):
    reference = tmp_path / "data" / "reference.csv"
    reference.parent.mkdir()
    with (reference.parent / "truth.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["when", "what"], ["now", "nothing"]])
    moved = replace(
        finished,
        root=str(tmp_path / "out"),
        jobs=tuple(replace(j, inputs={**j.inputs, "reference": "../data/reference.csv"}) for j in finished.jobs),
    )
    assert truths_of(moved) is None
