from __future__ import annotations

import json

import pytest

TASKS = """
from batchlab.engine import task

@task(name="petals.count", version="1", inputs=("sample",))
def count(ctx):
    path = ctx.input("sample")
    ctx.warn(f"{path.stem}: {path.read_text().strip()} petals are few")
    if path.stem == "leaf_2":
        ctx.warn("it rains")
    return {"petals": 3}
"""
PANELS = """
from batchlab.reports import Panel

def panel(view):
    return Panel(title="Petals", headline=f"1 of {len(view.jobs)} flowers does not conform: leaf_2")

def quiet(view):
    return Panel(title="Sepals", text="nothing to tell")
"""
ENTRIES = """
[batchlab.tasks]
petals.count = petals_tasks:count
[batchlab.panels]
petals = petals_panels:panel
petals.quiet = petals_panels:quiet
"""
PETALS = """\
batch: flowers
output: out
jobs:
  - task: petals.count
    inputs: {sample: data/leaf_*.txt}
"""


@pytest.fixture
def petal_desk(good_desk):
    good_desk.install(ENTRIES, {"petals_tasks": TASKS, "petals_panels": PANELS})
    good_desk.write("batch.yaml", PETALS)
    return good_desk


def test_the_end_of_a_run_tells_headlines_and_counts_warnings(petal_desk):
    told = petal_desk("run", "batch.yaml", COLUMNS="100", PYTHONIOENCODING="utf-8").stderr
    summary = told.partition("flowers  all done")[2]
    assert summary.splitlines()[0].endswith(", with 4 warnings")
    assert "  ◆ 1 of 3 flowers does not conform: leaf_2\n" in summary
    (row,) = [line for line in summary.splitlines() if "petals are few" in line]
    assert row.split() == ["1", "petals", "are", "few", "3", "count/leaf_1"]
    assert "it rains" in summary
    assert summary.splitlines()[-1].split() == ["more", "batchlab", "why", "out", "count/leaf_1"]
    again = petal_desk("run", "batch.yaml").stderr
    assert "nothing to do, all was done before, with 4 warnings" in again


def test_a_terminal_without_signs_gets_a_plain_one(petal_desk):
    told = petal_desk("run", "batch.yaml", PYTHONIOENCODING="ascii").stderr
    assert "  * 1 of 3 flowers does not conform: leaf_2\n" in told


def test_quiet_tells_neither(petal_desk):
    done = petal_desk("run", "batch.yaml", "-q")
    assert (done.stdout, done.stderr) == ("", "")


def test_the_last_line_of_json_has_the_headlines(petal_desk):
    last = json.loads(petal_desk("run", "batch.yaml", "--json", "--no-report").stdout.splitlines()[-1])
    assert last.pop("headlines") == ["1 of 3 flowers does not conform: leaf_2"]
    assert last == petal_desk.json("status", "out")


def test_the_job_to_ask_about_is_one_that_failed(desk):
    told = desk("run", "batch.yaml").stderr
    assert told.splitlines()[-1].split() == ["more", "batchlab", "why", "out", "m/leaf_x"]
    done = desk("why", "out")
    assert done.returncode == 0
    assert done.stdout.startswith("m/leaf_x  failed")
    assert done.stderr == "no job is named, so this is m/leaf_x; `batchlab status out --jobs` lists all\n"
    assert desk.json("why", "out")["job"] == "m/leaf_x"


def test_outputs_that_no_job_of_the_batch_makes_any_more_are_told(good_desk):
    good_desk("run", "batch.yaml", "-q")
    (good_desk.folder / "data/leaf_2.txt").unlink()
    (good_desk.folder / "data/leaf_3.txt").unlink()
    told = "2 outputs of earlier runs are no longer part of this batch: leaf_2.txt, leaf_3.txt"
    assert f"\n  {told}\n" in good_desk("run", "batch.yaml").stderr
    assert f"\n  {told}\n" in good_desk("status", "out").stdout
    assert f"</span>{told}</p>" in (good_desk.folder / "out/batch_report.html").read_text()
    (good_desk.folder / "out/leaf_2.txt").unlink()
    assert "1 output of earlier runs is no longer part of this batch: leaf_3.txt" in good_desk("status", "out").stdout
    good_desk.write("data/leaf_3.txt", "3\n")
    assert "earlier runs" not in good_desk("run", "batch.yaml").stderr
