"""A pinned plan is followed by inspect and compare alike, and what it says is part of a job's key."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import pytest
from click.testing import CliRunner

from batchlab.batchfile import load
from batchlab.engine import Settings, inline, plan, run
from batchlab.errors import ConfigError
from batchlab.spectra import compare_batch, inspect, read_comparison
from batchlab.spectra.cli import spectra
from batchlab.spectra.tasks._pinned import pinned

POINTS = range(40)
STAGE = "".join(f"{2 * i},{400 + 2 * i + (i > 20)},{i % 7 + math.sin(i):.4f}\n" for i in POINTS)
PLAN = {
    "delimiter": "comma",
    "axis": {"column": 1, "kind": "wavelength", "unit": "nm"},
    "spectra": [{"column": 2, "quantity": "counts"}],
}
# What the rules are sure of, so that jobs are done before anything is pinned.
SURE = "nm,A,B\n" + "".join(f"{400 + i},{math.sin(i):.4f},{i % 7 + math.sin(i):.4f}\n" for i in POINTS)
OF_SURE = {"axis": {"column": 0, "kind": "wavelength", "unit": "nm"}, "header_lines": [1], "first_data_line": 2}


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def stage(write):
    write(STAGE, "b.csv")
    write("nm,A\n" + "".join(f"{400 + i},{math.sin(i):.4f}\n" for i in POINTS), "other.txt")
    return write(STAGE, "a.csv")


@pytest.fixture
def sure(write):
    write(SURE, "b.csv")
    return write(SURE, "a.csv")


def call(*words):
    result = CliRunner().invoke(spectra, [*map(str, words)])
    assert result.exit_code == 0, result.output
    return result.output


def pin(path, **changes):
    file = path.parent / "stage.plan.json"
    file.write_text(json.dumps(PLAN | changes))
    call("plans", "pin", path, "--plan", file)


def batch_of(stage):
    reading = {"spectrum": 0}
    output = stage.parent / "out"
    return compare_batch(
        stage, [stage.parent / "b.csv"], output, figure=False, reading=reading, settings=Settings(workers=1)
    )


def verdict(batch):
    (job,) = plan(batch).jobs
    return str(job.verdict), job.reason


def test_inspect_reads_a_file_by_its_pinned_plan_and_tells_the_rules_reading_beside(stage):
    assert inspect(stage).main.axis[1] == 2.0
    pin(stage)
    found = inspect(stage)
    assert (found.main.axis_kind, found.main.axis_unit, found.main.axis[0]) == ("wavelength", "nm", 400.0)
    assert "pinned" in found.recognition.reasons[0]
    assert found.recognition.confidence >= 0.8
    assert found.recognition.alternatives[0].reasons[0] == "the rules' own"
    (told,) = json.loads(call("inspect", stage, "--json"))
    assert (told["axis"]["kind"], told["axis"]["first"], told["axis"]["count"]) == ("wavelength", 400.0, 40)
    assert [each["column"] for each in told["spectra"]] == [2]
    assert told["alternatives"][0]["axis"]["column"] == 0
    assert "or else" in call("inspect", stage, "--no-plot")
    assert inspect(stage.parent / "other.txt").recognition.confidence >= 0.8
    call("plans", "unpin", stage)
    assert inspect(stage).main.axis[1] == 2.0


def test_what_a_pinned_plan_says_makes_the_jobs_of_its_files_stale(sure):
    run(batch_of(sure), executor=inline)
    assert verdict(batch_of(sure)) == ("skip", "done before, nothing changed")
    pin(sure, **OF_SURE)
    assert verdict(batch_of(sure)) == ("stale", "the pinned plan of a.csv is new")
    run(batch_of(sure), executor=inline)
    assert read_comparison(sure.parent / "out/b_vs_a.csv")[0].quantity == "counts"
    assert verdict(batch_of(sure)) == ("skip", "done before, nothing changed")
    pin(sure, **OF_SURE)
    assert verdict(batch_of(sure))[0] == "skip", "pinned once more, and it says the same"
    pin(sure, **OF_SURE, spectra=[{"column": 2, "quantity": "absorbance"}])
    assert verdict(batch_of(sure)) == ("stale", "the pinned plan of a.csv has changed")
    call("plans", "unpin", sure)
    assert verdict(batch_of(sure)) == ("stale", "the pinned plan of a.csv is gone")


def test_a_plan_for_another_layout_and_columns_that_are_named_leave_jobs_alone(sure, write):
    other = write("x;y;z\n" + STAGE.replace(",", ";"), "third.csv")
    run(batch_of(sure), executor=inline)
    pin(other, delimiter="semicolon", header_lines=[1], first_data_line=2)
    assert verdict(batch_of(sure))[0] == "skip"
    pin(sure, **OF_SURE)
    files = {"sample": (str(sure), str(sure.parent / "gone.csv"))}
    assert list(pinned({}, files)) == ["the pinned plan of a.csv"]
    assert pinned({"axis": 1, "column": 2}, files) == {}


def test_a_pinned_plan_that_is_none_is_told_when_the_batch_is_planned(stage):
    pin(stage)
    (file,) = (stage.parent / "state/batchlab/spectra/pinned-plans").iterdir()
    file.write_text("{")
    with pytest.raises(ConfigError, match="is not JSON"):
        plan(batch_of(stage))
    assert "is not JSON" in inspect(stage).refused


def test_planning_loads_no_numpy_where_nothing_is_pinned(stage):
    code = (
        "import sys; from batchlab.spectra.tasks._pinned import pinned; "
        f"assert pinned({{}}, {{'sample': ({str(stage)!r},)}}) == {{}}; assert 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_analytics_of_files_read_them_by_the_pinned_plan(stage):
    for number in range(3):
        stage.with_name(f"c{number}.csv").write_text(STAGE)
    pin(stage)
    file = stage.with_name("batch.yaml")
    file.write_text(
        "batch: b\noutput: looked\njobs:\n- task: spectra.analytics\n"
        "  inputs: {samples: {all: 'c*.csv'}}\n  outputs: {figure: null}\n"
    )
    run(load(file), executor=inline)
    assert "\n479.0," in stage.with_name("looked").joinpath("analytics_loadings.csv").read_text()
