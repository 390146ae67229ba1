from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from cli_desk import BATCH

from batchlab.cli import _estimate
from batchlab.engine import Status

CHAIN = """\
batch: leaves
output: out
jobs:
  - id: x
    task: ./mytasks.py:measure
    inputs: {sample: data/leaf_x.txt}
    outputs: {table: x.txt}
  - id: total
    task: ./mytasks.py:total
    inputs: {table: {from: x, output: table}}
"""


@pytest.fixture
def run_desk(desk):
    """After a run, with one failure."""
    desk("run", "batch.yaml", "-q")
    return desk


def test_status_counts_and_groups_failures(run_desk):
    done = run_desk("status", "out")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].startswith("leaves  failed")
    assert "3  done" in done.stdout and "1  failed" in done.stdout
    assert "not-a-number" in done.stdout
    assert "m/leaf_2" not in done.stdout
    assert re.search(r"\(run 1, of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, [\d.]+ m?s, ", done.stdout)
    listed = run_desk("status", "out", "--jobs").stdout
    assert all(f"m/leaf_{n}" in listed for n in "123x")


def test_status_json_has_the_contracts_shape(run_desk):
    told = run_desk.json("status", "out")
    assert set(told) == {"batch", "state", "counts", "jobs"}
    assert set(told["counts"]) == {str(state) for state in Status}
    job = next(job for job in told["jobs"] if job["name"] == "m/leaf_1")
    assert job["metrics"] == {"value": 2.0}
    assert set(job["outputs"]["table"]) == {"path", "digest", "bytes"}


def test_why_of_a_failed_job(run_desk):
    done = run_desk("why", "out", "leaf_x")
    assert done.returncode == 0
    text = done.stdout
    assert text.splitlines()[0] == "m/leaf_x  failed  mytasks.py:measure"
    assert "'bad' is no number; write digits" in text
    assert "would run it: failed before: invalid-input (not-a-number)" in text
    assert "looking at leaf_x.txt" in text
    assert f"batchlab debug {run_desk.folder}/out m/leaf_x" in text
    assert "Traceback" not in text
    assert "mytasks.py" in run_desk("why", "out", "m/leaf_x", "--traceback").stdout.split("Traceback", 1)[1]


def test_why_of_a_failed_job_says_whether_its_file_was_mended(run_desk):
    (given,) = run_desk.json("why", "out", "m/leaf_x")["inputs"]
    assert given["state"] == "as it was"
    run_desk.write("data/leaf_x.txt", "8")
    (given,) = run_desk.json("why", "out", "m/leaf_x")["inputs"]
    assert given["state"] == "changed"


def test_why_of_a_done_job_says_what_has_changed_since(run_desk):
    told = run_desk.json("why", "out", "m/leaf_1")
    assert (told["state"], told["next"], told["next_reason"]) == ("done", "skip", "done before, nothing changed")
    assert [(each["path"], each["state"]) for each in told["inputs"]] == [("../data/leaf_1.txt", "as it was")]
    assert [(each["path"], each["state"]) for each in told["outputs"]] == [("leaf_1.txt", "as it was")]
    assert told["params"] == {"factor": 2.0, "token": ""}
    assert [attempt["status"] for attempt in told["attempts"]] == ["done"]
    run_desk.write("data/leaf_1.txt", "11")
    (run_desk.folder / "out/leaf_1.txt").unlink()
    told = run_desk.json("why", "out", "m/leaf_1")
    assert (told["next"], told["next_reason"]) == ("stale", "input sample: leaf_1.txt has changed")
    assert told["inputs"][0]["state"] == "changed"
    assert told["inputs"][0]["now"] != told["inputs"][0]["recorded"]
    assert told["outputs"][0]["state"] == "gone"
    (run_desk.folder / "data/leaf_1.txt").unlink()
    told = run_desk.json("why", "out", "m/leaf_1")
    assert told["next"] == "blocked"
    assert told["inputs"][0]["state"] == "gone"


def test_why_of_a_job_whose_task_file_is_gone(run_desk):
    (run_desk.folder / "mytasks.py").unlink()
    told = run_desk.json("why", "out", "m/leaf_1")
    assert told["next"] is None
    assert "cannot be planned" in told["next_reason"]


def test_why_of_a_blocked_job_names_the_culprit(desk):
    desk.write("batch.yaml", CHAIN)
    assert desk("run", "batch.yaml", "-q").returncode == 1
    told = desk.json("why", "out", "total")
    assert told["state"] == "blocked"
    assert told["culprit"]["job"] == "x"
    assert told["culprit"]["reason"] == "not-a-number"
    assert "blocked by  x, failed: invalid-input (not-a-number): " in desk("why", "out", "total").stdout


def test_why_of_an_unknown_job_names_the_nearest(run_desk):
    done = run_desk("why", "out", "m/leaf_11")
    assert done.returncode == 2
    assert "did you mean 'm/leaf_1'?" in done.stderr


DRAW = """
from batchlab.figures import encode_png

def draw(ctx):
    import numpy as np
    picture = np.zeros((4, 4, 3), dtype=np.uint8)
    ctx.output("figure").write_bytes(encode_png(picture, metadata=dict(ctx.provenance)))
"""


def test_why_of_a_picture(good_desk):
    good_desk.write("mytasks.py", DRAW)
    good_desk.write(
        "batch.yaml", BATCH.replace(":measure", ":draw").replace('table: "{sample}.txt"', 'figure: "{sample}.png"')
    )
    done = good_desk("run", "batch.yaml", "-q")
    assert done.returncode == 0, good_desk("status", "out").stdout
    text = good_desk("why", "out/leaf_1.png").stdout
    assert text.splitlines()[0] == "out/leaf_1.png"
    assert "  batch         leaves\n" in text
    assert "  task_version  " in text
    assert re.search(r"^  inputs        sample  leaf_1.txt  [0-9a-f]{12}$", text, re.MULTILINE)
    assert "m/leaf_1  done" in text
    away = good_desk.folder / "away.png"
    (good_desk.folder / "out/leaf_1.png").rename(away)
    told = good_desk.json("why", "away.png")
    assert told["provenance"]["job"] == "m/leaf_1"
    assert told["provenance"]["inputs"]["sample"][0]["file"] == "leaf_1.txt"
    assert told["why"] is None


def test_why_of_any_output_and_of_what_is_none(run_desk):
    assert run_desk("why", "out/leaf_1.txt").stdout.splitlines()[0] == "m/leaf_1  done  mytasks.py:measure"
    done = run_desk("why", "data/leaf_1.txt")
    assert done.returncode == 1
    assert "data/leaf_1.txt is no picture, nor a table that tells how it was made" in done.stderr


def test_why_of_a_table_reads_the_lines_that_it_begins_with(empty_desk):
    told = {"batch": "leaves", "params": json.dumps({"window": 5}), "task_version": "1"}
    empty_desk.write("t.csv", f"# a table, format 1\n# provenance: {json.dumps(told)}\na,b\n1,2\n")
    assert empty_desk("why", "t.csv").stdout.splitlines() == [
        "t.csv",
        "  batch         leaves",
        "  params        window = 5",
        "  task_version  1",
    ]
    assert empty_desk.json("why", "t.csv")["provenance"]["params"] == {"window": 5}
    for text in ("a,b\n1,2\n", "# provenance: {not JSON\n", '# provenance: ["b"]\n', "# provenance: {}\n"):
        empty_desk.write("other.csv", text)
        assert "nor a table that tells how it was made" in empty_desk("why", "other.csv").stderr


DEADLY = """
import os

def measure(ctx):
    ctx.input("sample").read_bytes()
    os.kill(os.getpid(), 9)
"""


def test_why_of_a_job_that_died_does_not_deny_what_it_read(desk):
    desk.write("mytasks.py", DEADLY)
    desk("run", "batch.yaml", "-q", "--only", "m/leaf_1")
    (given,) = desk.json("why", "out", "m/leaf_1")["inputs"]
    assert (given["recorded"], given["state"]) == (None, "read, its content not noted")
    (given,) = desk.json("why", "out", "m/leaf_2")["inputs"]
    assert given["state"] == "never read"
    told = desk("why", "out", "m/leaf_1").stdout
    assert " crash SIGKILL\n" in told and "SIGKILL SIGKILL" not in told


def test_report_into_another_folder(run_desk):
    told = run_desk.json("report", "out", "--output", "elsewhere")
    assert set(told) == {"html", "csv", "json"}
    assert (run_desk.folder / "elsewhere/batch_report.html").is_file()
    assert run_desk("report", "out").stdout.split() == [
        f"{run_desk.folder}/out/{name}" for name in ("batch_report.html", "batch_summary.csv", "batch_statistics.json")
    ]


READ_ONLY = """
set -e
mount --bind out out
mount -o remount,ro,bind out
"$PYTHON" -m batchlab.cli status out
"$PYTHON" -m batchlab.cli why out m/leaf_1
"$PYTHON" -m batchlab.cli report out --output elsewhere
code=0; "$PYTHON" -m batchlab.cli report out || code=$?; echo "report into it: $code"
code=0; "$PYTHON" -m batchlab.cli run batch.yaml --fresh || code=$?; echo "run: $code"
"""


def test_a_folder_that_may_only_be_read_can_still_be_asked(run_desk):
    trial = (
        subprocess.run(["unshare", "-m", "true"], capture_output=True) if os.path.exists("/usr/bin/unshare") else None
    )
    if trial is None or trial.returncode != 0:
        pytest.skip("needs the right to mount a folder read-only")
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", READ_ONLY],
        cwd=run_desk.folder,
        env=run_desk.environment(PYTHON=sys.executable),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "leaves  failed" in done.stdout
    assert "would leave it as it is" in done.stdout
    assert (run_desk.folder / "elsewhere/batch_report.html").is_file()
    assert "report into it: 3" in done.stdout
    assert "run: 3" in done.stdout
    assert "Traceback" not in done.stderr


def test_estimate_knows_what_earlier_runs_took_and_admits_what_it_does_not(desk):
    before = desk("estimate", "batch.yaml")
    assert before.returncode == 0
    assert "no earlier runs of mytasks.py:measure (4 to run): cannot tell" in before.stdout
    assert desk.json("estimate", "batch.yaml")["unknown"] == {"../mytasks.py:measure": 4}
    desk("run", "batch.yaml", "-q")
    told = desk.json("estimate", "batch.yaml", "--output", "another")
    assert told["jobs"] == 4
    assert told["unknown"] == {}
    assert 0 <= told["sequential"]["low_s"] <= told["sequential"]["likely_s"] <= told["sequential"]["high_s"]
    assert told["parallel"]["likely_s"] <= told["sequential"]["likely_s"]
    assert told["peak_memory_bytes"] > 1_000_000
    assert told["output_bytes"] is None
    assert desk.json("estimate", "batch.yaml")["output_bytes"] == 3


def test_debug_rehearses_a_job_and_records_nothing(run_desk):
    before = run_desk.json("status", "out")
    done = run_desk("debug", "out", "m/leaf_1", "--output", "bench")
    assert done.returncode == 0, done.stderr
    assert "value = 2" in done.stdout
    assert (run_desk.folder / "bench/leaf_1.txt").read_text() == "2.0"
    failed = run_desk("debug", "out", "m/leaf_x", "--no-pdb")
    assert failed.returncode == 1
    first, where, *_ = failed.stderr.split("Traceback", 1)[1].splitlines()
    assert first == " (most recent call last):"
    assert f'File "{run_desk.folder}/mytasks.py"' in where  # none of our own calls before it
    assert "write digits" in failed.stderr
    short = run_desk("debug", "out", "leaf_x", "--no-pdb")
    assert short.stderr.splitlines()[-1].startswith("m/leaf_x failed: DataError: ")
    assert run_desk("debug", "out", "nothing").returncode == 2
    assert list((run_desk.folder / "tmp").glob("batchlab-debug-*")) == []
    assert run_desk.json("status", "out") == before


def test_debug_opens_the_debugger_where_the_job_failed(run_desk):
    done = subprocess.run(
        run_desk.command("debug", "out", "m/leaf_x"),
        cwd=run_desk.folder,
        env=run_desk.environment(),
        input="p text\nq\n",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "'bad'" in done.stdout


DEMO = '''"""Numbers and their doubles."""

from pathlib import Path

from batchlab.engine import Batch, Job


def make_demo(folder):
    folder.mkdir(parents=True, exist_ok=True)
    jobs = []
    for n in (1, 2):
        path = folder.resolve() / f"n{n}.txt"
        if not path.exists():
            path.write_text(str(n))
        jobs.append(Job(name=f"double/{n}", task=f"{Path.cwd()}/mytasks.py:measure", inputs={"sample": str(path)}))
    return Batch(name="doubles", output=folder / "out", jobs=tuple(jobs))


def expected(view):
    found = [job.metrics.get("value") for job in view.jobs]
    return None if found == [2.0, 4.0] else f"the doubles are {found}"
'''


def test_demo_runs_checks_and_finds_its_work_done(desk):
    desk.install("[batchlab.demos]\nnumbers = numbers_demo\nsad = nowhere\n", {"numbers_demo": DEMO})
    first = desk("demo", "--domain", "numbers")
    assert first.returncode == 0, first.stderr
    assert "numbers  Numbers and their doubles." in first.stdout
    assert "batchlab-demo/numbers/out/batch_report.html" in first.stdout
    assert "2  done now" in first.stderr
    assert "2  found done" in desk("demo", "--domain", "numbers").stderr
    silent = desk("demo", "--domain", "numbers", "-q")
    assert (silent.returncode, silent.stdout, silent.stderr) == (0, "", "")
    every = desk("demo")
    assert every.returncode == 1
    assert "sad: its demo cannot be loaded" in every.stderr
    assert "found what the data were made with" in every.stdout
    (desk.folder / "other/numbers").mkdir(parents=True)
    (desk.folder / "other/numbers/n1.txt").write_text("5")
    missed = desk("demo", "--domain", "numbers", "--output", "other")
    assert missed.returncode == 1
    assert "not as expected: the doubles are [10.0, 4.0]" in missed.stderr
    assert desk("demo", "--domain", "nubmers").returncode == 2


def test_demo_says_which_failures_are_made_on_purpose(desk):
    wanted = """
def on_purpose(view):
    return f"{view.counts['failed']} file refused, as it should be: bad (not-a-number)"
"""
    module = (
        DEMO.replace("for n in (1, 2)", "for n in (1, 2, 'bad')").replace("== [2.0, 4.0]", "== [2.0, 4.0, None]")
        + wanted
    )
    desk.install("[batchlab.demos]\nnumbers = numbers_demo\n", {"numbers_demo": module})
    done = desk("demo", "--domain", "numbers")
    assert done.returncode == 0, done.stderr
    *_, told, last = done.stdout.splitlines()
    assert told == "numbers: 1 file refused, as it should be: bad (not-a-number)"
    assert last.startswith("numbers: found what the data were made with; open ")
    silent = desk("demo", "--domain", "numbers", "-q")
    assert (silent.returncode, silent.stdout, silent.stderr) == (0, "", "")


def test_the_cores_are_counted_where_the_system_does_not_tell_which_are_ours(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert _estimate._cores() == (os.cpu_count() or 1)
