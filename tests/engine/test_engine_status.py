"""What a ledger tells of its batch."""

import json
import math

import pytest

from batchlab.engine import find_job, inline, read_view, run, status_json, traceback_of
from batchlab.errors import ConfigError, StartError
from tests.engine.toys import act, batch


@pytest.fixture
def view(tmp_path):
    jobs = [
        act("fine/a", ["write", "x"], ["metric", "odd", "nan"], ["metric", "far", "inf"], file="a.txt", n=1),
        act("fine/b", ["item", "one"], ["item", "two", "not so good"], n=2),
        act("bad", ["fail", "numerical"]),
        act("after", needs=("bad",)),
    ]
    run(batch(tmp_path / "out", jobs), executor=inline)
    return read_view(tmp_path / "out")


def test_the_shape_of_status(view):
    told = json.loads(json.dumps(status_json(view), allow_nan=False))
    assert (told["batch"], told["state"]) == ("toys", "failed")
    zero = dict.fromkeys(("pending", "running", "cancelled", "interrupted", "skipped"), 0)
    assert told["counts"] == {**zero, "done": 2, "failed": 1, "blocked": 1}
    jobs = {job["name"]: job for job in told["jobs"]}
    assert set(jobs["bad"]) == {
        "name",
        "task",
        "state",
        "attempts",
        "category",
        "reason",
        "metrics",
        "outputs",
        "items",
        "warnings",
        "elapsed_s",
        "peak_memory_mb",
    }
    assert jobs["fine/a"]["metrics"] == {"n": 1, "odd": None, "far": None}
    assert jobs["fine/a"]["outputs"]["file"]["path"] == "a.txt"
    assert (jobs["bad"]["state"], jobs["bad"]["category"], jobs["bad"]["reason"]) == ("failed", "numerical", "told")
    assert (jobs["after"]["state"], jobs["after"]["reason"]) == ("blocked", "blocked by bad (numerical)")
    assert [(i["name"], i["state"], i["reason"]) for i in jobs["fine/b"]["items"]] == [
        ("one", "done", None),
        ("two", "failed", "bad-item"),
    ]


def test_what_is_no_number_is_kept_as_such(view):
    assert math.isnan(view.jobs[0].metrics["odd"])
    assert view.jobs[0].metrics["far"] == math.inf


def test_a_job_is_found_by_its_name_or_its_only_ending(view):
    assert find_job(view, "a").name == "fine/a"
    assert find_job(view, "bad").name == "bad"
    with pytest.raises(ConfigError, match="did you mean"):
        find_job(view, "fine/c")


def test_a_traceback_for_those_who_ask(view, tmp_path):
    assert "told to fail: numerical" in traceback_of(tmp_path / "out", "bad")
    assert traceback_of(tmp_path / "out", "fine/a") is None


def test_where_nothing_was_run(tmp_path):
    with pytest.raises(StartError, match="no batch was run there"):
        read_view(tmp_path)
    with pytest.raises(StartError, match="no batch was run there"):
        read_view(str(tmp_path))
