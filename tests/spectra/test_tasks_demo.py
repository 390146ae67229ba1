"""The demo finds what its files were made with, and says so when it does not."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from batchlab.engine import Status, inline, read_view, run
from batchlab.spectra._demo import expected, make_demo, on_purpose
from batchlab.spectra._measures import MEASURES
from batchlab.spectra._panel import panel, truths_of
from batchlab.spectra._synthetic import Role


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    batch = make_demo(folder, 10)
    result = run(replace(batch, jobs=tuple(small(job) for job in batch.jobs)), executor=inline)
    assert result.exit_code == 1
    return read_view(batch.output)


def small(job):
    return replace(job, params={**job.params, "dpi": 40}) if job.task == "spectra.compare" else job


def test_what_happens_is_what_is_expected(finished):
    assert expected(finished) is None
    assert on_purpose(finished) == "1 file refused, as it should be: sample_010 (truncated)"


def test_what_is_not_as_expected_is_named(finished):
    truths = truths_of(finished)
    broken = next(name for name, truth in truths.items() if truth.role is Role.BROKEN)
    outlier = next(name for name, truth in truths.items() if truth.role is Role.OUTLIER)

    def with_changed(name, **changes):
        return replace(finished, jobs=tuple(replace(j, **changes) if j.name == name else j for j in finished.jobs))

    assert f"{broken} should have been refused" in expected(with_changed(broken, state=Status.DONE))
    assert "compare/sample_001 should be done, and is failed (timeout)" in expected(
        with_changed("compare/sample_001", state=Status.FAILED, category="timeout")
    )
    first = next(job for job in finished.jobs if job.name == "compare/sample_001")
    assert "area ratio 9.0000" in expected(
        with_changed("compare/sample_001", metrics={**first.metrics, "area_ratio": 9.0})
    )
    last = next(job for job in finished.jobs if job.name == outlier)
    assert "is the least like the reference, which" in expected(
        with_changed(outlier, metrics={**last.metrics, "pearson_r": 1.0})
    )


def test_the_panel_shows_truth_beside_what_was_found(finished):
    (table,) = panel(finished).tables
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert len(rows) == 10
    for row in rows:
        if row["what it is"] == "cut off":
            assert row["taken for"] == "failed: truncated"
        elif row["what it is"] == "another substance":
            assert row["taken for"] == "another substance"
        else:
            assert row["taken for"] == ("sample" if row["band, true"] is None else "sample with a band of its own")
            assert row["scale"] == pytest.approx(row["scale, true"], rel=0.01)
            assert row["shift"] == pytest.approx(row["shift, true"], abs=0.1)
            assert row["area ratio"] == pytest.approx(row["area ratio, true"], rel=0.01)
            if row["band, true"] is not None:
                assert row["band"] == pytest.approx(row["band, true"], abs=4)


def test_the_panel_of_other_batches_shows_the_least_alike(finished, tmp_path):
    elsewhere = replace(finished, root=str(tmp_path))
    assert truths_of(elsewhere) is None
    shown = panel(elsewhere)
    table, legend = shown.tables
    assert [row[0] for row in legend.rows] == [name for name in table.columns if name in MEASURES]
    likeness = [row[table.columns.index("pearson_r")] for row in table.rows]
    assert likeness == sorted(likeness)
    assert len(shown.pictures) == len(table.rows) == 9
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
