"""The demo of the domain and what the report tells of it: what is true is found, and said where it is not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from batchlab.engine import Batch, BatchView, Status, read_view, run
from batchlab.particles._demo import COUNTS, expected, make_demo, on_purpose
from batchlab.particles._demo_truth import findings
from batchlab.particles._panel import demo_panel, files_panel, limits_panel, orbits_panel
from batchlab.reports import TRUTH, read_truth, write_reports

ORBITS, RECORDS = 2, 60


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        made = make_demo(tmp_path_factory.mktemp("demo"), orbits=ORBITS, records=RECORDS)
        assert run(made).exit_code == 1  # of the files with a fault
    return made


@pytest.fixture
def view(batch: Batch) -> BatchView:
    return read_view(batch.output)


def test_it_finds_what_the_files_were_made_with(view: BatchView) -> None:
    assert expected(view) is None
    told = on_purpose(view)
    assert told is not None and told.startswith("4 files cannot be read, as it should be: read/20543/ees (invalid-cdf)")
    truth = read_truth(view)
    assert truth is not None
    kinds = [each.what for each in findings(view, truth)]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "beam energy": 4 * ORBITS,
        "gaps": 4 * ORBITS,
        "counts": 4,
        "end of colours": 4,
        "cusp marked": ORBITS,
        "fault": 8,
    }


def test_made_again_it_has_nothing_to_do(batch: Batch) -> None:
    again = make_demo(batch.output.parent, orbits=ORBITS, records=RECORDS)
    assert again == batch
    result = run(again)
    done = sum(job.state is Status.DONE for job in read_view(batch.output).jobs)
    assert result.found_done == done and not result.counts.get(Status.DONE)


def test_it_tells_what_is_not_as_it_should_be(batch: Batch, view: BatchView) -> None:
    path = batch.output.parent / TRUTH
    whole = path.read_text()
    truth = json.loads(whole)
    try:
        first = truth["files"][0]
        first["beam_ev"] = [1.2 * energy for energy in first["beam_ev"]]
        truth["files"][1]["times_s"][5][1] -= 30.0
        truth["files"][2]["counts"][3][10] += 1
        truth["files"][3]["cusp"] = False
        truth["faults"] = {name: "empty" if fault == "text" else fault for name, fault in truth["faults"].items()}
        path.write_text(json.dumps(truth))
        told = expected(view)
        assert told is not None
        for part in (
            "beam energy of 20541 ees", "gaps of 20541 eeb", "counts of 20541 ies", "cusp marked of 20541",
            "read/20543/eeb (empty) should fail as empty, and is failed (invalid-cdf)",
        ):  # fmt: skip
            assert part in told
        panel = demo_panel(view)
        assert panel is not None and panel.headline == "5 findings are not what is true"
        path.unlink()
        assert expected(view) == f"the file of what is true ({TRUTH}) is not beside the results"
        assert demo_panel(view) is None
    finally:
        path.write_text(whole)


def test_a_job_that_should_be_done_and_is_not_is_told(view: BatchView) -> None:
    jobs = [
        replace(job, state=Status.FAILED, category="crash", reason="SIGSEGV") if job.name == "read/20541/ees" else job
        for job in view.jobs
    ]
    told = expected(replace(view, jobs=tuple(jobs)))
    assert told is not None and "read/20541/ees should be done, and failed (SIGSEGV)" in told
    assert "numbers of 20541 ees: not there" in told


def test_files_are_told_by_orbit_and_by_instrument(view: BatchView) -> None:
    panel = files_panel(view)
    assert panel is not None
    assert panel.headline.startswith("2 orbits lack something: 20543 (ees, eeb, ieb), 20544 (ees)")
    assert "Without a single value above zero: 20544 eeb" in panel.text
    assert "Put in order of time: 20544 ies" in panel.text
    failed, instruments, worst = panel.tables
    assert failed.columns == ("orbit", "pictures", "lacking", "empty", "invalid-cdf", "missing-variable")
    assert failed.rows == (("20543", 4, 6, None, "ees, eeb", "ieb"), ("20544", 8, 2, "ees", None, None))
    by_name = {row[0]: row for row in instruments.rows}
    assert list(by_name) == ["ees", "eeb", "ies", "ieb"]
    assert by_name["ies"][1:3] == (4, 4 * RECORDS)  # counts read the same files, and are no further files
    assert {row[0] for row in worst.rows} >= {"20541 ees", "20542 ieb"}
    assert all(any(row[k] for row in worst.rows) for k in range(len(worst.columns)))


def test_limits_are_those_of_the_files(batch: Batch, view: BatchView) -> None:
    panel = limits_panel(view)
    assert panel is not None
    (table,) = panel.tables
    content = json.loads((batch.output / "_limits" / "ees.json").read_text())
    row = next(row for row in table.rows if row[:2] == ("ees", "downgoing"))
    told = content["limits"]["downgoing"]
    assert row[2] == 2 and row[4:] == (told["y_max"], told["z_min"], told["z_max"], content["unit"])
    assert "Those of ees come from fewer than 3 files" in panel.text


def test_thumbnails_stand_in_rows_of_orbits(batch: Batch, view: BatchView, tmp_path: Path) -> None:
    panel = orbits_panel(view)
    assert panel is not None
    (grid,) = panel.grids
    assert grid.columns[:3] == ("ees, shared", "ees, own limits", "eeb, shared") and len(grid.columns) == 10
    assert [label for label, _ in grid.rows] == ["20541", "20542", "20543", "20544"]
    jobs = {job.name: job for job in view.jobs}
    for label, names in grid.rows:
        assert all(name in jobs and jobs[name].metadata["orbit"] == int(label) for name in names if name)
    html = write_reports(view, tmp_path / "report", panels=(panel,)).html.read_text()
    assert html.count("data-thumbnail=") == 40
    assert "blocked by read/20543/ees (invalid-input)" in html


def test_other_batches_have_no_panels_of_ours(view: BatchView) -> None:
    other = replace(view, jobs=tuple(replace(job, task="spectra.compare") for job in view.jobs), batch="other")
    assert [panel(other) for panel in (files_panel, limits_panel, orbits_panel, demo_panel)] == [None] * 4


def test_counts_are_jobs_of_their_own(batch: Batch) -> None:
    counted = [job for job in batch.jobs if job.name.startswith(f"{COUNTS}/")]
    assert len(counted) == 4 and all(job.params["quantity"] == "counts" for job in counted)
