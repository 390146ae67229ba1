"""What every executor promises, wherever it runs its attempts."""

from __future__ import annotations

import math
import os
import re
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from executor_bench import Backend, Bench, Pipe, on

from batchlab.engine import Done, Failed, Limits, Member
from batchlab.engine._events import ItemEntered, StageEntered, Started, Warned
from batchlab.errors import Category


def _file(path: Path, content: str) -> str:
    path.write_text(content, encoding="utf-8")
    return str(path)


def _read(bench: Bench, end: Done, attempt: Any, name: str) -> str:
    return (Path(attempt.scratch) / end.left[name]).read_text(encoding="utf-8")


# exactly one terminal event


def test_each_attempt_ends_exactly_once_whatever_it_does(bench: Bench) -> None:
    attempts = []
    for number in range(12):
        attempts.append(bench.attempt("value", count=number))
        attempts.append(bench.attempt("misbehave", how="value"))
        attempts.append(bench.attempt("answer", how="lock"))
    ends = bench.run(*attempts)
    assert [type(end) for end in ends] == [Done, Failed, Failed] * 12
    assert [end.metrics["value"] for end in ends[::3]] == [2 * number for number in range(12)]
    bench.assert_well()  # and nothing more was told of those that had ended


def test_it_starts_with_places_and_takes_no_more_than_it_says(bench: Bench) -> None:
    assert bench.executor.workers >= 1
    assert bench.executor.free() >= 1
    places = bench.executor.free()
    attempts = [bench.attempt("value", count=n) for n in range(places)]
    for attempt in attempts:
        bench.told[attempt.id] = []
        bench.executor.submit(attempt)
    assert bench.executor.free() == 0
    bench.wait(*attempts)
    assert bench.executor.free() >= bench.executor.workers  # more than before where it has learnt that they are short


def test_with_nothing_to_do_nothing_is_told(bench: Bench) -> None:
    assert list(bench.executor.events(0.0)) == []
    assert list(bench.executor.events(0.01)) == []


def test_one_place_runs_attempts_in_the_order_they_were_given(open_bench: Any, tell: Pipe) -> None:
    bench = open_bench(workers=1)
    attempts = [bench.attempt("value", count=number) for number in range(30)]
    ended: list[int] = []
    bench.submit(*attempts)
    while len(ended) < len(attempts):
        bench.pump(1.0)
        ended += [a.id for a in attempts if bench.end(a) is not None and a.id not in ended]
    assert ended == [a.id for a in attempts]


# what a job makes


def test_metrics_come_as_plain_numbers_texts_and_booleans(bench: Bench) -> None:
    [end] = bench.done(bench.attempt("scalars"))
    assert dict(end.metrics) == {
        "whole": 7,
        "real": 0.1,
        "text": "\N{GREEK SMALL LETTER MU}m\n",
        "flag": True,
        "nothing": None,
        "infinite": math.inf,
        "narrow": 0.5,
        "wide": 1.5,
        "counted": 12,
        "true": True,
        "member": 3,
    }
    assert {type(value) for value in end.metrics.values()} <= {int, float, str, bool, type(None)}


def test_outputs_lie_in_scratch_listed_with_their_digests(bench: Bench, tmp_path: Path) -> None:
    source = _file(tmp_path / "source.txt", "wavenumber intensity")
    attempt = bench.attempt("copy", inputs={"source": source}, outputs={"copy": "figures/leaf.txt", "more": "m.txt"})
    [end] = bench.done(attempt)
    assert [(o.name, o.path, o.bytes) for o in end.outputs] == [
        ("copy", "figures/leaf.txt", 20),
        ("more", "m.txt", 40),
    ]
    for output, content in zip(end.outputs, (b"wavenumber intensity", b"wavenumber intensity" * 2), strict=True):
        assert output.digest == blake2b(content, digest_size=16).hexdigest()
        assert (Path(attempt.scratch) / end.left[output.name]).read_bytes() == content
    assert end.metrics == {"bytes": 20}
    [(path, (_, digest))] = end.result.digests.items()
    assert (path, digest) == (source, blake2b(b"wavenumber intensity", digest_size=16).hexdigest())


def test_outputs_are_synced_before_they_are_told(fresh: Bench, tell: Pipe) -> None:
    """A power cut after 'done' must not leave an empty file under the output's name."""
    [end] = fresh.done(fresh.attempt("synced", outputs={"figure": "figure.txt"}, tell=tell.path))
    assert fresh.line(tell) == str(end.metrics["inode"])


@pytest.mark.parametrize("count", [1, 3_000_000])
def test_an_answer_is_the_same_however_large(bench: Bench, count: int) -> None:
    """Large answers may take another way than small ones."""
    attempt = bench.attempt("large", count=count, outputs={"figure": "figure.txt"})
    [end] = bench.done(attempt)
    assert end.metrics == {
        "text": "x" * count,
        "infinite": -math.inf,
        "half": "\udcff",
        "whole": 2**70,
        "nothing": None,
        "flag": True,
    }
    assert end.metrics["flag"] is True
    assert end.result.warnings == ("the answer is large",)
    assert [(i.name, i.category, i.reason) for i in end.result.items] == [
        ("one", Category.INVALID_INPUT, "not-a-spectrum")
    ]
    assert [(o.name, o.path, o.bytes) for o in end.outputs] == [("figure", "figure.txt", 4)]
    assert _read(bench, end, attempt, "figure") == "seen"
    assert {path.name for path in Path(attempt.scratch).iterdir()} == {"figure.txt"}


def test_an_output_that_the_batch_does_not_want_may_be_left_out(bench: Bench, tmp_path: Path) -> None:
    source = _file(tmp_path / "source.txt", "x")
    [end] = bench.done(bench.attempt("copy", inputs={"source": source}, outputs={"copy": "c.txt"}))
    assert [o.name for o in end.outputs] == ["copy"]


def test_an_output_folder_lists_all_its_files(bench: Bench) -> None:
    attempt = bench.attempt("folder", outputs={"figures": "out/figures/"})
    [end] = bench.done(attempt)
    assert {o.name: o.path for o in end.outputs} == {
        f"figures/{inner}": f"out/figures/{inner}" for inner in ("b.txt", "a é.txt", "inner/deep/c.txt", ".hidden")
    }
    contents = {o.name.removeprefix("figures/"): _read(bench, end, attempt, o.name) for o in end.outputs}
    assert contents == {"b.txt": "b", "a é.txt": "a", "inner/deep/c.txt": "c", ".hidden": "h"}


def test_two_outputs_of_one_base_name_do_not_meet(bench: Bench) -> None:
    attempt = bench.attempt("write", outputs={"left": "a/figure.txt", "right": "b/figure.txt"})
    [end] = bench.done(attempt)
    assert {o.path: _read(bench, end, attempt, o.name) for o in end.outputs} == {
        "a/figure.txt": "content of left",
        "b/figure.txt": "content of right",
    }


@pytest.mark.parametrize(
    "name",
    [
        "é composed.txt",
        "e\u0301 decomposed.txt",
        "北京 ωμέγα.txt",
        "new\nline.txt",
        "-dash 'quote\" $x.txt",
        "\U0001f33f.txt",
        "x" * 200 + ".txt",
    ],
)
def test_names_of_files_may_be_anything(bench: Bench, tmp_path: Path, name: str) -> None:
    source = _file(tmp_path / name, "content")
    attempt = bench.attempt("copy", inputs={"source": source}, outputs={"copy": f"ä/{name}"})
    [end] = bench.done(attempt)
    assert [o.path for o in end.outputs] == [f"ä/{name}"]
    assert _read(bench, end, attempt, "copy") == "content"
    assert list(end.result.digests) == [source]


def test_no_scratch_is_made_for_a_job_without_outputs(bench: Bench) -> None:
    attempt = bench.attempt("value")
    bench.done(attempt)
    assert not Path(attempt.scratch).exists()


@pytest.mark.parametrize("wanted", [True, False])
def test_a_thumbnail_is_made_where_one_is_wanted(bench: Bench, wanted: bool) -> None:
    [end] = bench.done(bench.attempt("thumbnail", outputs={"figure": "f.png"}, options={"thumbnail": wanted}))
    assert end.metrics == {"wanted": wanted}
    assert (end.thumbnail is not None) == wanted
    if end.thumbnail is not None:
        assert Path(end.thumbnail).read_bytes() == b"a small picture"
    assert [o.name for o in end.outputs] == ["figure"]  # the thumbnail is no output


def test_the_seed_is_the_jobs_own_on_every_worker(bench: Bench) -> None:
    """The same for the same job, also at its next attempt; another for another job."""
    names = [
        "compare/leaf-1",
        "compare/leaf-2",
        "compare/leaf-1",
        "compare/leaf-2",
        "compare/leaf \N{GREEK SMALL LETTER MU}",
    ]
    attempts = [replace(bench.attempt("dice"), job=name, number=n + 1) for n, name in enumerate(names)]
    ends = bench.done(*attempts)
    assert ends[0].metrics == ends[2].metrics
    assert ends[1].metrics == ends[3].metrics
    assert len({end.metrics["seed"] for end in ends}) == len({end.metrics["sum"] for end in ends}) == 3


def test_earlier_results_are_handed_over_and_items_left_out(bench: Bench, tmp_path: Path) -> None:
    files = tuple(_file(tmp_path / name, name) for name in ("a.txt", "b.txt", "c.txt"))
    members = tuple(
        Member(
            job=f"limits/{name}",
            outputs={"table": _file(tmp_path / f"{name}.csv", name)},
            metrics={"value": 1.5, "text": "ä"},
        )
        for name in "xy"
    )
    attempt = bench.attempt(
        "gathered", inputs={"results": members, "files": files}, options={"skip_items": frozenset({"b.txt"})}
    )
    [end] = bench.done(attempt)
    assert end.metrics == {
        "jobs": "limits/x,limits/y",
        "sum": 3.0,
        "first": str(tmp_path / "x.csv"),
        "files": "a.txt,c.txt",
        "left_out": True,
    }


# what is told meanwhile


def test_stages_items_and_warnings_are_told_in_order(bench: Bench) -> None:
    attempt = bench.attempt("story")
    [end] = bench.done(attempt)
    told = bench.told[attempt.id]
    assert all(not isinstance(e, Started) for e in told[1:])  # an executor may leave it out, or tell it first
    assert [e for e in told if not isinstance(e, Started | Warned | Done)] == [
        StageEntered(attempt=attempt.id, stage="load"),
        ItemEntered(attempt=attempt.id, item="one"),
        ItemEntered(attempt=attempt.id, item="two"),
        ItemEntered(attempt=attempt.id, item="three"),
        StageEntered(attempt=attempt.id, stage="draw"),
        StageEntered(attempt=attempt.id, stage="load"),
        StageEntered(attempt=attempt.id, stage="save"),
    ]
    assert [e.text for e in told if isinstance(e, Warned)] == ["the axis is empty", "UserWarning: old numbers"]
    assert end.result.warnings == ("the axis is empty", "UserWarning: old numbers")
    assert [(i.name, i.status, i.category, i.reason) for i in end.result.items] == [
        ("one", "done", None, None),
        ("two", "failed", Category.INVALID_INPUT, "not-a-spectrum"),
        ("three", "done", None, None),
    ]
    assert set(end.result.stages) == {"load", "draw", "save"}
    assert all(seconds >= 0 for seconds in end.result.stages.values())
    assert end.result.elapsed_s >= sum(end.result.stages.values()) * 0.99


def test_threads_of_a_job_may_speak_at_once(bench: Bench) -> None:
    attempt = bench.attempt("threads", count=400)
    [end] = bench.done(attempt)
    told = [e.item for e in bench.told[attempt.id] if isinstance(e, ItemEntered)]
    assert len(told) == len(set(told)) == end.metrics["items"] == len(end.result.items) == 1600


def test_handing_over_much_at_once_blocks_nobody(bench: Bench) -> None:
    ends = bench.done(*(bench.attempt("echo", text="x" * size) for size in (20_000_000, 0, 5_000_000, 1)))
    assert [end.metrics["length"] for end in ends] == [20_000_000, 0, 5_000_000, 1]


@pytest.mark.parametrize("how", ["hide", "raise"])
def test_each_job_hears_its_own_warnings_whatever_ran_before(backend: Backend, open_bench: Any, how: str) -> None:
    """A job that sets warning filters sets them for itself."""
    bench = open_bench(workers=1)
    ends = bench.done(*(bench.attempt("warn", how=h) for h in ("", how, "", "")))
    expected = ("warning 0", "RuntimeWarning: the same line each time")
    assert [end.result.warnings for end in ends] == [expected] * 4


def test_warnings_without_end_are_bounded(bench: Bench) -> None:
    [end] = bench.done(bench.attempt("warn", count=5000))
    assert 1 < len(end.result.warnings) <= 100
    assert end.result.warnings[0] == "warning 0"


@on("logs")
def test_what_a_job_prints_comes_with_its_result_and_with_no_other(bench: Bench) -> None:
    ends = bench.done(*(bench.attempt("talk", text=f"of-{n}") for n in range(4)), bench.attempt("value"))
    for number, end in enumerate(ends[:4]):
        for word in ("printed", "complained", "logged", "written", "child"):
            assert f"{word} of-{number}" in end.result.log
        assert set(re.findall(r"of-\d", end.result.log)) == {f"of-{number}"}
    assert ends[4].result.log is None


# failing tasks

FAILURES = [
    ("value", Category.GENERIC, "ValueError", "ValueError: window is even"),
    ("silent", Category.GENERIC, "ValueError", "ValueError"),
    ("division", Category.NUMERICAL, "ZeroDivisionError", "by zero"),
    ("missing", Category.MISSING_INPUT, "FileNotFoundError", "/nowhere/reference.txt"),
    ("memory", Category.MEMORY, "MemoryError", "no room"),
    ("too large", Category.MEMORY, "MemoryError", "MemoryError"),
    ("service", Category.SERVICE, "ConnectionRefusedError", "no answer"),
    ("disk", Category.DISK, "OSError", "No space left"),
    ("unicode", Category.INVALID_INPUT, "UnicodeDecodeError", "can't decode byte 0xff"),
    ("data", Category.INVALID_INPUT, "not-a-spectrum", "row 3 is short"),
    ("job", Category.NUMERICAL, "no-peak", "no peak"),
    ("plot", Category.PLOTTING, None, "no figure"),
    ("exit code", Category.GENERIC, "exit", "exit(3)"),
    ("exit text", Category.GENERIC, "exit", "exit(giving up)"),
    ("exit quietly", Category.GENERIC, "exit", "the task called exit("),
    ("needs two", Category.GENERIC, "NeedsTwo", "NeedsTwo: left and right differ"),
    ("holding", Category.GENERIC, "Holding", "it holds a lock"),
    ("recursion", Category.GENERIC, "RecursionError", "recursion"),
    ("stop iteration", Category.GENERIC, "StopIteration", "none left"),
    ("group", Category.GENERIC, "ExceptionGroup", "two at once"),
    ("half a character", Category.GENERIC, "ValueError", "name"),
    ("long", Category.GENERIC, "ValueError", "xxx"),
    ("speechless", Category.GENERIC, "Speechless", "Speechless"),
    ("out of tree", Category.GENERIC, "OutOfTree", "stopped from within"),
]


@pytest.mark.parametrize(("how", "category", "reason", "words"), FAILURES, ids=lambda v: str(v)[:16])
def test_a_failing_task_fails_its_own_attempt_with_category_and_words(
    bench: Bench, how: str, category: Category, reason: str | None, words: str
) -> None:
    """A task may raise anything: an exception that cannot be copied, printed or caught, or leave the interpreter."""
    end = bench.failed(bench.attempt("misbehave", how=how))
    assert (end.failure.category, end.failure.reason) == (category, reason)
    assert words in end.failure.message
    assert end.failure.stage == "misdeed"
    assert end.failure.traceback is not None and "misbehave" in end.failure.traceback
    bench.assert_well()


@pytest.mark.parametrize(
    "how",
    ["list", "mapping", "complex", "bytes", "object", "lambda", "lock", "generator", "file", "class", "shape"],
)
def test_a_metric_of_a_wrong_type_is_named(bench: Bench, how: str) -> None:
    """A result that cannot cross a process border, or would not fit a table, names the metric that is to blame."""
    end = bench.failed(bench.attempt("answer", how=how))
    assert end.failure.reason == "bad-metric"
    assert "'peaks'" in end.failure.message
    bench.assert_well()


@pytest.mark.parametrize(("how", "word"), [("number as name", "3"), ("not a mapping", "list"), ("a number", "int")])
def test_an_answer_that_is_no_mapping_of_names_is_refused(bench: Bench, how: str, word: str) -> None:
    end = bench.failed(bench.attempt("answer", how=how))
    assert end.failure.reason == "bad-metric"
    assert word in end.failure.message


def test_params_that_do_not_fit_fail_the_attempt(bench: Bench) -> None:
    end = bench.failed(bench.attempt("value", count="many"))
    assert "count" in end.failure.message
    end = bench.failed(bench.attempt("value", window=5))
    assert "window" in end.failure.message
    bench.assert_well()


# tasks that cannot be loaded


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def measure(ctx:\n    return {}\n", ["SyntaxError", "line 1"]),
        ("import nowhere_to_be_found\n", ["ModuleNotFoundError", "nowhere_to_be_found"]),
        ("1 / 0\n", ["ZeroDivisionError"]),
        ("import sys\nsys.exit('not as a module')\n", ["not as a module"]),
        ("def mesure(ctx):\n    return {}\n", ["'measure'", "did you mean 'mesure'?"]),
        ("measure = 3\n", ["measure"]),
    ],
    ids=["syntax", "import", "error", "exit", "misspelt", "no function"],
)
def test_a_task_that_cannot_be_loaded_fails_with_the_reason(
    backend: Backend, bench: Bench, tmp_path: Path, text: str, words: list[str]
) -> None:
    task = f"{_file(tmp_path / 'broken.py', text)}:measure"
    for _ in range(2):  # the second time as the first, though the worker has met it before
        end = bench.failed(bench.attempt(task))
        assert end.failure.category is not Category.CRASH
        for word in words:
            assert word in end.failure.message
    bench.assert_well()


@pytest.mark.parametrize("task", ["/nowhere/tasks.py:measure", "{tasks}:no_such_function"])
def test_a_task_that_does_not_exist_fails_with_the_reason(bench: Bench, task: str) -> None:
    name = task.format(tasks=bench.attempt("value").task.rpartition(":")[0])
    end = bench.failed(bench.attempt(name))
    assert Path(name.rpartition(":")[0]).name in end.failure.message
    bench.assert_well()


# inputs


def test_a_missing_input_is_named(bench: Bench, tmp_path: Path) -> None:
    gone = str(tmp_path / "gone é.txt")
    end = bench.failed(bench.attempt("copy", inputs={"source": gone}, outputs={"copy": "c.txt"}))
    assert (end.failure.category, end.failure.reason) == (Category.MISSING_INPUT, "not-found")
    assert gone in end.failure.message


def test_a_folder_is_no_input(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    end = bench.failed(bench.attempt("copy", inputs={"source": str(tmp_path / "folder")}, outputs={"copy": "c.txt"}))
    assert (end.failure.category, end.failure.reason) == (Category.INVALID_INPUT, "not-a-file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_input_that_may_not_be_read_is_named(bench: Bench, tmp_path: Path) -> None:
    source = tmp_path / "secret.txt"
    source.write_text("x")
    source.chmod(0)
    end = bench.failed(bench.attempt("copy", inputs={"source": str(source)}, outputs={"copy": "c.txt"}))
    assert end.failure.reason == "unreadable"
    assert str(source) in end.failure.message


@pytest.mark.parametrize("how", ["written", "removed"])
def test_an_input_that_changes_while_it_is_read_costs_the_result(bench: Bench, tmp_path: Path, how: str) -> None:
    """Digest before and after: what was computed from a file that changed is thrown away."""
    source = _file(tmp_path / "source.txt", "first content")
    end = bench.failed(bench.attempt("swapped", inputs={"source": source}, how=how))
    assert (end.failure.category, end.failure.reason) == (Category.INVALID_INPUT, "input-changed")
    assert source in end.failure.message


@pytest.mark.parametrize("how", ["touched", "replaced by its equal"])
def test_an_input_that_was_only_touched_is_the_same(bench: Bench, tmp_path: Path, how: str) -> None:
    source = _file(tmp_path / "source.txt", "content")
    bench.done(bench.attempt("swapped", inputs={"source": source}, how=how))


def test_an_input_not_given_names_the_nearest(bench: Bench, tmp_path: Path) -> None:
    sample = _file(tmp_path / "s.txt", "x")
    end = bench.failed(bench.attempt("copy", inputs={"sources": sample}, outputs={"copy": "c.txt"}))
    assert "'source'" in end.failure.message
    assert "did you mean 'sources'?" in end.failure.message


# outputs that are not as declared


def test_an_output_not_declared_names_the_nearest(bench: Bench) -> None:
    end = bench.failed(bench.attempt("write", outputs={"figure": "f.txt"}, how="figur"))
    assert (end.failure.category, end.failure.reason) == (Category.OUTPUT, "undeclared-output")
    assert "did you mean 'figure'?" in end.failure.message


def test_a_wanted_output_must_be_written(bench: Bench) -> None:
    end = bench.failed(bench.attempt("value", outputs={"figure": "f.txt"}))
    assert (end.failure.category, end.failure.reason) == (Category.OUTPUT, "missing-output")
    assert "'figure'" in end.failure.message


@pytest.mark.parametrize("how", ["", "link", "folder", "pipe"])
def test_an_output_that_is_no_regular_file_is_refused(bench: Bench, how: str) -> None:
    end = bench.failed(bench.attempt("odd_output", outputs={"figure": "f.txt"}, how=how))
    assert end.failure.category is Category.OUTPUT
    assert "'figure'" in end.failure.message
    bench.assert_well()


# cancelling


def test_cancelled_before_it_runs_it_ends_once(open_bench: Any) -> None:
    bench = open_bench(workers=1)
    attempts = [bench.attempt("value") for _ in range(3)]
    bench.submit(*attempts)
    bench.executor.cancel(attempts[0].id, hard=True)
    ends = bench.wait(*attempts)
    assert isinstance(ends[0], Done) or ends[0].failure.category is Category.CANCELLED
    assert all(isinstance(end, Done) for end in ends[1:])


def test_cancelling_what_is_over_or_unknown_changes_nothing(bench: Bench) -> None:
    attempt = bench.attempt("value")
    bench.done(attempt)
    for hard in (False, True):
        bench.executor.cancel(attempt.id, hard=hard)
        bench.executor.cancel(987_654_321, hard=hard)
    bench.assert_well()


@on("concurrent")
def test_asked_to_stop_a_job_sees_it_and_ends_as_cancelled(bench: Bench, tell: Pipe) -> None:
    attempt = bench.attempt("patient", tell=tell.path)
    bench.submit(attempt)
    bench.line(tell)
    bench.executor.cancel(attempt.id, hard=False)
    [end] = bench.wait(attempt)
    assert (type(end), end.failure.category) == (Failed, Category.CANCELLED)
    bench.assert_well()


@on("concurrent")
def test_asked_to_stop_only_the_one_that_was_asked_sees_it(open_bench: Any, tell: Pipe, gate: Pipe) -> None:
    """Neither those waiting behind it nor those that run in its process afterwards."""
    bench = open_bench(workers=1)
    attempts = [bench.attempt("held", tell=tell.path, gate=gate.path) for _ in range(4)]
    bench.submit(*attempts)
    bench.line(tell)
    bench.executor.cancel(attempts[0].id, hard=False)
    gate.open_gate(4)
    first, *others = bench.wait(*attempts)
    assert (type(first), first.failure.category) == (Failed, Category.CANCELLED)
    assert [end.metrics["cancelled"] for end in others] == [False, False, False]


@on("concurrent")
def test_asking_one_that_waits_does_not_stop_the_one_that_runs(open_bench: Any, tell: Pipe, gate: Pipe) -> None:
    bench = open_bench(workers=1)
    attempts = [bench.attempt("held", tell=tell.path, gate=gate.path) for _ in range(4)]
    bench.submit(*attempts)
    bench.line(tell)
    bench.executor.cancel(attempts[1].id, hard=False)
    gate.open_gate(4)
    first, second, *others = bench.wait(*attempts)
    assert first.metrics["cancelled"] is False
    assert isinstance(second, Done) or second.failure.category is Category.CANCELLED
    assert [end.metrics["cancelled"] for end in others] == [False, False]


@on("concurrent")
def test_asked_to_stop_too_late_a_finished_job_stays_done(open_bench: Any, tell: Pipe, gate: Pipe) -> None:
    """A job that never looked has done its work; it is not thrown away, and the next one is not stopped."""
    bench = open_bench(workers=1)
    first = bench.attempt("story")
    bench.done(first)
    attempt = bench.attempt("slow_story", tell=tell.path, gate=gate.path)
    bench.submit(attempt)
    bench.line(tell)
    bench.executor.cancel(attempt.id, hard=False)
    gate.open_gate()
    [end] = bench.wait(attempt)
    assert isinstance(end, Done)
    bench.assert_well()


@on("kills")
def test_cancelled_hard_a_job_is_ended_at_once(bench: Bench, tell: Pipe) -> None:
    attempt = bench.attempt("hang", how="c with the interpreter's lock", tell=tell.path)
    bench.submit(attempt)
    bench.line(tell)
    bench.executor.cancel(attempt.id, hard=True)
    bench.executor.cancel(attempt.id, hard=True)
    [end] = bench.wait(attempt)
    assert (type(end), end.failure.category) == (Failed, Category.CANCELLED)
    bench.assert_well()


# limits that are not reached


def test_a_job_within_its_limits_is_not_touched(bench: Bench) -> None:
    limits = Limits(timeout_s=60, memory_bytes=10**12, stages={"load": 60, "draw": 60, "save": 60})
    [end] = bench.done(bench.attempt("story", limits=limits))
    assert end.result.peak_memory_bytes is None or 10**6 < end.result.peak_memory_bytes < 10**12
    assert end.result.cpu_s >= 0


def test_closing_leaves_nothing_behind_and_tells_nothing_more(open_bench: Any, backend: Backend) -> None:
    bench = open_bench()
    bench.assert_well()
    bench.executor.close(1.0)  # the fixture closes it again, and looks for processes
