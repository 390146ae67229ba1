"""The demo of the domain: it finds what its files were made with, and tells when it does not."""

from __future__ import annotations

import polars as pl
import pytest

from batchlab.devices._demo import PROMISES, errors_of, expected, make_demo, on_purpose
from batchlab.engine import Status, read_view, run


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    made = make_demo(tmp_path_factory.mktemp("demo"), chips=2, runs=20)
    assert run(made).exit_code == 1  # of the file that is refused on purpose
    return made


def test_it_finds_what_the_files_were_made_with(batch):
    view = read_view(batch.output)
    assert expected(view) is None
    assert on_purpose(view) == "1 file refused, as it should be: 2025-09-04/IVg_aborted.csv (no-rows)"
    assert all(job.state is Status.DONE for job in view.jobs)
    assert {path.suffix for path in (batch.output / "figs").iterdir()} == {".png"}


def test_made_again_it_has_nothing_to_do(batch):
    again = make_demo(batch.output.parent, chips=2, runs=20)
    assert again == batch
    result = run(again)
    assert sum(result.counts.values()) == 0 and result.found_done == len(batch.jobs)


def test_it_tells_what_is_not_as_it_should_be(batch, tmp_path):
    view = read_view(batch.output)
    table = batch.output / "03_derived" / "_metrics" / "metrics.parquet"
    whole = table.read_bytes()
    frame = pl.read_parquet(table)
    off = pl.when(pl.col("metric_name") == "tau_dark").then(pl.col("value_float") * 1.5).otherwise("value_float")
    try:
        frame.with_columns(off.alias("value_float")).write_parquet(table)
        assert "tau_dark by stretched-exponential is off from tau_s by 0.5" in expected(view)
        frame.filter(pl.col("metric_name") != "t_rise").write_parquet(table)
        assert expected(view) == "t_rise by time-below was found for no run"
    finally:
        table.write_bytes(whole)
    truths = [{"file": "nowhere.csv", "values": {}}]
    assert all(not errors for errors in errors_of(view, truths).values())
    assert set(errors_of(view, truths)) == set(PROMISES)
