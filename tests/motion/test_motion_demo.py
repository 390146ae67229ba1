"""The demo of the domain: what is true is found, and said where it is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchlab.engine import Batch, BatchView, Status, read_view, run
from batchlab.motion._demo import AXES, expected, make_demo
from batchlab.motion._demo_truth import errors_of, findings
from batchlab.motion._panel import demo_panel
from batchlab.reports import TRUTH, read_truth


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    made = make_demo(tmp_path_factory.mktemp("demo"))
    assert run(made).exit_code == 0
    return made


@pytest.fixture
def view(batch: Batch) -> BatchView:
    return read_view(batch.output)


def test_it_finds_what_the_recordings_were_made_with(view: BatchView) -> None:
    assert expected(view) is None
    truth = read_truth(view)
    assert truth is not None
    found = findings(view, truth)
    assert [each.what for each in found] == [
        "weights nearest the truth",
        "weights that are chosen",
        "geometry",
        "noise of a coordinate",
        "loose marker",
        "swapped names",
        "shape",
    ]
    errors = errors_of(view, truth)
    assert len(errors) == len(AXES["weights.rotation"]) * len(AXES["weights.translation"])
    # Smoothing pays: 2 mm of noise in each of three coordinates are 3.5 mm.
    assert min(errors.values()) < 0.8 < 1.2 < max(errors.values())


def test_the_report_shows_truth_beside_result(view: BatchView) -> None:
    panel = demo_panel(view)
    assert panel is not None and panel.headline == "" and panel.text.startswith("7 of 7 findings")
    (table,) = panel.tables
    rows = {row[0]: row for row in table.rows}
    assert rows["swapped names"][2] == rows["swapped names"][3] == "m1 and m2, frames 133 to 172"
    assert all(row[-1] is True for row in table.rows)


def test_made_again_it_has_nothing_to_do(batch: Batch) -> None:
    again = make_demo(batch.output.parent)
    assert again == batch
    result = run(again)
    assert result.found_done == len(batch.jobs) and not result.counts.get(Status.DONE)


def test_it_tells_what_is_not_as_it_should_be(batch: Batch, view: BatchView) -> None:
    path = batch.output.parent / TRUTH
    whole = path.read_text(encoding="utf-8")
    truth = json.loads(whole)
    try:
        path.write_text(json.dumps({**truth, "loose": "m3", "noise_mm": 1.0}), encoding="utf-8")
        told = expected(view)
        assert told is not None and "loose marker of loose: m8" in told and "noise of a coordinate" in told
        panel = demo_panel(view)
        assert panel is not None and panel.headline == "2 findings are not what is true"
        path.unlink()
        assert expected(view) == f"the table of what is true ({TRUTH}) is not beside the results"
    finally:
        path.write_text(whole, encoding="utf-8")


def test_a_job_that_is_not_done_is_told(tmp_path: Path) -> None:
    made = make_demo(tmp_path, recordings=1, frames=60)
    (made.output.parent / "data" / "loose.csv").write_text("no recording\n", encoding="utf-8")
    run(made)
    told = expected(read_view(made.output))
    assert told == "fit/loose should be done, and is failed"
