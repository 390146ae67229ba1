"""Jobs that die, hang, swell and shout: each costs its own attempt, and its neighbours never notice.

What has to hold stands in each docstring in the words of the list of faults that the engine must survive.
"""

from __future__ import annotations

import os
import random
import select
import signal
import time
from typing import Any

import psutil
import pytest
from executor_bench import LATENESS_S, MB, Bench, Pipe, alive, assert_gone, on

from batchlab.engine import Done, Failed, Limits, Lost
from batchlab.errors import Category

pytestmark = [pytest.mark.faults, on("kills", "isolates")]


def _make_it_expect_short_jobs(bench: Bench) -> None:
    """After many very short jobs an executor may queue attempts ahead."""
    bench.done(*(bench.attempt("moody", count=n) for n in range(80)))


def _in_time(end: Failed, limit_s: float) -> bool:
    return limit_s <= end.result.elapsed_s < limit_s + LATENESS_S


# a job that ends its process


@pytest.mark.parametrize("how", ["SIGKILL", "SIGSEGV", "SIGABRT", "SIGTERM", "exit-3", "exit-0"])
def test_a_job_that_ends_its_process_fails_as_a_crash_with_its_last_words(bench: Bench, how: str) -> None:
    """Worker SIGKILL or segmentation fault: only that job fails, as a crash with the signal's name."""
    end = bench.failed(bench.attempt("die", how=how, text="of this one"))
    assert (end.failure.category, end.failure.reason) == (Category.CRASH, how)
    assert end.failure.signal == (how if how.startswith("SIG") else None)
    assert "last words: of this one" in (end.result.log or "")
    assert "and one more" in (end.result.log or "")  # after it, for a crash in C, the Python lines that led there
    bench.assert_well()


@pytest.mark.parametrize("how", ["SIGSEGV", "exit-3"])
def test_of_twenty_jobs_one_kills_itself(fresh: Bench, how: str) -> None:
    """Only that job fails; the worker is replaced."""
    attempts = [fresh.attempt("moody", count=n, how=how if n == 7 else "") for n in range(20)]
    ends = fresh.run(*attempts)
    assert [n for n, end in enumerate(ends) if not isinstance(end, Done)] == [7]
    assert ends[7].failure.category is Category.CRASH
    assert [end.metrics["value"] for n, end in enumerate(ends) if n != 7] == [2 * n for n in range(20) if n != 7]


@pytest.mark.parametrize("workers", [1, 2])
def test_among_very_short_jobs_exactly_those_that_die_are_blamed(open_bench: Any, workers: int) -> None:
    """Also where attempts are queued ahead behind the one that dies."""
    bench = open_bench(workers=workers)
    _make_it_expect_short_jobs(bench)
    deadly = {5: "SIGKILL", 6: "exit-3", 40: "SIGSEGV", 77: "SIGKILL"}
    ends = bench.run(*(bench.attempt("moody", count=n, how=deadly.get(n, "")) for n in range(80)))
    failed = {n: end.failure.reason for n, end in enumerate(ends) if isinstance(end, Failed)}
    assert failed == deadly
    assert all(isinstance(end, Done | Failed) for end in ends)


def test_killed_from_outside_at_random_times_each_attempt_ends_once(fresh: Bench) -> None:
    """Kill from outside at random times, 100 attempts: every one has exactly one final state."""
    chance = random.Random(20)
    attempts = [fresh.attempt("burn", count=chance.choice([1_000, 50_000, 200_000])) for _ in range(100)]
    fresh.submit(*attempts)
    kills = 0
    while any(fresh.end(a) is None for a in attempts):
        fresh.pump(chance.uniform(0.0, 0.03))
        pids = fresh.executor.pids()  # type: ignore[attr-defined]
        if pids and kills < 25 and chance.random() < 0.5:
            try:
                os.kill(chance.choice(pids), signal.SIGKILL)
            except ProcessLookupError:
                continue  # it had been killed before, and the executor has not heard of it yet
            kills += 1
    ends = fresh.wait(*attempts)
    failed = [end for end in ends if isinstance(end, Failed)]
    assert 0 < len(failed) <= kills
    assert {(end.failure.category, end.failure.signal) for end in failed} == {(Category.CRASH, "SIGKILL")}
    fresh.assert_well()


def test_a_worker_killed_while_idle_costs_nobody_anything(open_bench: Any) -> None:
    """Poison is blamed on the job that was running; one that never ran is not at fault."""
    bench = open_bench(workers=1)
    bench.assert_well()
    pids = bench.executor.pids()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    assert_gone(pids)  # and the executor, which was not asked for events, cannot know
    [end] = bench.run(bench.attempt("value"))
    assert isinstance(end, Done | Lost)
    bench.assert_well()


@pytest.mark.parametrize("how", ["SIGKILL", "python"])
def test_death_over_one_of_many_files_names_the_file(bench: Bench, how: str) -> None:
    """A crash or a timeout blames the item entered last; the next try can leave it out."""
    limits = Limits(timeout_s=0.5 if how == "python" else None)
    end = bench.failed(bench.attempt("die_in_item", how=how, limits=limits))
    assert end.item == "b"
    [end] = bench.done(bench.attempt("die_in_item", how=how, options={"skip_items": frozenset({"b"})}))
    assert [item.name for item in end.result.items] == ["a", "b", "c"]


# death in the middle of an answer


def test_an_answer_of_50_mb_arrives_whole(bench: Bench) -> None:
    [end] = bench.done(bench.attempt("large", count=50 * MB))
    assert len(end.metrics["text"]) == 50 * MB
    bench.assert_well()


def test_a_worker_that_dies_while_it_writes_a_large_answer_has_crashed(bench: Bench) -> None:
    """Worker dies while sending a large result: a torn message is a crash, the pool goes on."""
    attempt = bench.attempt("large", count=50 * MB, how="file limit")
    [end] = bench.run(attempt)
    if isinstance(end, Done):  # an executor that needs no file for it
        assert len(end.metrics["text"]) == 50 * MB
    else:
        assert (end.failure.category, end.failure.signal) == (Category.CRASH, "SIGXFSZ")
    bench.assert_well()


def test_a_worker_that_dies_while_it_sends_has_crashed(fresh: Bench, tell: Pipe) -> None:
    """The socket holds less than the answer: the worker is killed in the middle of it."""
    attempt = fresh.attempt("large", count=900_000, how="killed soon", tell=tell.path)
    fresh.submit(attempt)
    fresh.line(tell)
    worker = fresh.executor.pids()  # type: ignore[attr-defined]
    assert_gone(worker)  # nobody takes the answer meanwhile
    [end] = fresh.wait(attempt)
    assert isinstance(end, Failed)
    assert (end.failure.category, end.failure.signal) == (Category.CRASH, "SIGKILL")
    fresh.assert_well()


# memory


@pytest.mark.parametrize("who", ["itself", "child"])
def test_a_job_that_swells_over_its_limit_is_ended(bench: Bench, who: str) -> None:
    """OOM by job: category memory, peak recorded; what its children use counts."""
    limits = Limits(memory_bytes=300 * MB)
    end = bench.failed(bench.attempt("swell", count=1500, how=who, limits=limits))
    assert end.failure.category is Category.MEMORY
    assert "300 MB" in end.failure.message
    assert end.failure.stage == "swell"
    assert 300 * MB < (end.result.peak_memory_bytes or 0) < 1500 * MB
    bench.assert_well()


def test_the_peak_is_each_jobs_own(open_bench: Any) -> None:
    """A large job does not stand in the figures of the small one after it."""
    bench = open_bench(workers=1)
    bench.assert_well()
    small, large, after = bench.done(*(bench.attempt("use", count=n) for n in (1, 200, 1)))
    assert large.result.peak_memory_bytes > 200 * MB
    assert after.result.peak_memory_bytes < small.result.peak_memory_bytes + 100 * MB


def test_a_memory_limit_is_held_against_nobody_else(open_bench: Any, tell: Pipe, gate: Pipe) -> None:
    """The small job has ended, unread; the one that runs after it in the same process has no limit."""
    bench = open_bench(workers=1)
    _make_it_expect_short_jobs(bench)
    first = bench.attempt("moody", limits=Limits(memory_bytes=150 * MB))
    second = bench.attempt("large_held", count=300, tell=tell.path, gate=gate.path)
    third = bench.attempt("moody")
    bench.submit(first, second, third)
    deadline = time.monotonic() + bench.patience_s
    while not tell.take():  # without asking for events
        assert time.monotonic() < deadline, "the second never ran: nothing is queued ahead"
        select.select([], [], [], 0.005)
    bench.executor.cancel(third.id, hard=True)
    for _ in range(10):  # time for what must not happen
        bench.pump(0.05)
    gate.open_gate()
    assert [type(end) for end in bench.wait(first, second)] == [Done, Done]


# hanging


@pytest.mark.parametrize(
    "how",
    [
        "python",
        "busy",
        "c with the interpreter's lock",
        "signals ignored",
        "exceptions swallowed",
        "stopped",
    ],
)
def test_a_job_that_hangs_is_ended_in_time_with_its_children(bench: Bench, tell: Pipe, how: str) -> None:
    """Hung Python, hung C with the GIL, SIGTERM ignored: killed at the deadline + 1 s, children too."""
    attempt = bench.attempt("hang", how=how, text="child session", timeout_s=0.6, tell=tell.path)
    neighbour = bench.attempt("value", count=4)
    bench.submit(attempt, neighbour)
    pids = [int(pid) for pid in bench.line(tell).split()]
    end, other = bench.wait(attempt, neighbour)
    assert (type(end), end.failure.category) == (Failed, Category.TIMEOUT)
    assert "0.6 s" in end.failure.message
    assert end.failure.stage == "hang"
    assert _in_time(end, 0.6)
    assert_gone(pids)
    assert other.metrics["value"] == 8
    bench.assert_well()


def test_a_grandchild_that_became_a_daemon_is_ended_with_its_job(bench: Bench, tell: Pipe) -> None:
    """In a session of its own, and its parent gone: no parent's id leads from it to the job."""
    attempt = bench.attempt("hang", how="python", text="daemon", timeout_s=0.6, tell=tell.path)
    bench.submit(attempt)
    pids = [int(pid) for pid in bench.line(tell).split()]
    bench.wait(attempt)
    assert_gone(pids, within_s=1.0)


@pytest.mark.parametrize("kind", ["child", "session", "daemon"])
def test_what_a_crashed_job_started_ends_with_it(bench: Bench, tell: Pipe, kind: str) -> None:
    attempt = bench.attempt("leave", how="SIGSEGV", text=kind, tell=tell.path)
    bench.submit(attempt)
    pids = [int(pid) for pid in bench.line(tell).split()]
    bench.wait(attempt)
    assert_gone(pids, within_s=1.0)


def test_a_stage_that_takes_too_long_is_the_reason(bench: Bench) -> None:
    """Nested limits: a job and its parts."""
    limits = Limits(timeout_s=30, stages={"load": 20, "draw": 0.4})
    end = bench.failed(bench.attempt("staged", limits=limits))
    assert (end.failure.category, end.failure.reason, end.failure.stage) == (Category.TIMEOUT, "draw", "draw")
    assert "draw" in end.failure.message and "0.4 s" in end.failure.message
    assert _in_time(end, 0.4)


@pytest.mark.parametrize("workers", [1, 2])
def test_those_queued_behind_a_job_that_hangs_are_not_blamed(open_bench: Any, workers: int) -> None:
    bench = open_bench(workers=workers)
    _make_it_expect_short_jobs(bench)
    attempts = [bench.attempt("moody", count=n, how="busy" if n == 3 else "", timeout_s=0.6) for n in range(40)]
    ends = bench.run(*attempts)
    assert [n for n, end in enumerate(ends) if not isinstance(end, Done)] == [3]
    assert ends[3].failure.category is Category.TIMEOUT
    assert _in_time(ends[3], 0.6)


def test_waiting_behind_others_does_not_count_against_a_jobs_limit(open_bench: Any) -> None:
    bench = open_bench(workers=1)
    _make_it_expect_short_jobs(bench)
    bench.done(*(bench.attempt("sleep", seconds=0.04, timeout_s=30.0) for _ in range(20)))
    _make_it_expect_short_jobs(bench)
    bench.done(*(bench.attempt("sleep", seconds=0.2, timeout_s=1.0) for _ in range(7)))


def test_cancelling_one_that_waits_harms_no_other(open_bench: Any, tell: Pipe, gate: Pipe) -> None:
    bench = open_bench(workers=1)
    _make_it_expect_short_jobs(bench)
    attempts = [bench.attempt("moody", tell=tell.path, gate=gate.path), *(bench.attempt("moody") for _ in range(5))]
    bench.submit(*attempts)
    bench.line(tell)
    bench.executor.cancel(attempts[2].id, hard=True)
    gate.open_gate()
    ends = bench.wait(*attempts)
    assert [n for n, end in enumerate(ends) if not isinstance(end, Done)] in ([2], [])


def test_cancelling_the_running_one_harms_none_behind_it(open_bench: Any, tell: Pipe, gate: Pipe) -> None:
    bench = open_bench(workers=1)
    _make_it_expect_short_jobs(bench)
    attempts = [bench.attempt("moody", tell=tell.path, gate=gate.path), *(bench.attempt("moody") for _ in range(5))]
    bench.submit(*attempts)
    bench.line(tell)
    bench.executor.cancel(attempts[0].id, hard=True)
    first, *others = bench.wait(*attempts)
    assert (type(first), first.failure.category) == (Failed, Category.CANCELLED)
    assert all(isinstance(end, Done) for end in others)


def test_cancelling_one_that_is_already_over_harms_none_behind_it(open_bench: Any, tell: Pipe, gate: Pipe) -> None:
    """The answer of the first has come and was not read yet; the second has begun."""
    bench = open_bench(workers=1)
    _make_it_expect_short_jobs(bench)
    assert bench.executor.free() > 1, "this executor queues nothing ahead: the case cannot happen"
    first, second = bench.attempt("moody"), bench.attempt("moody", tell=tell.path, gate=gate.path)
    bench.submit(first, second)
    deadline = time.monotonic() + bench.patience_s
    while (line := tell.take()) is None:  # without asking for events
        assert time.monotonic() < deadline, "the second never ran: nothing is queued ahead"
        select.select([], [], [], 0.005)
    assert int(line) in bench.executor.pids()
    bench.executor.cancel(first.id, hard=True)
    assert isinstance(bench.wait(first)[0], Done)
    for _ in range(10):  # time for what must not happen
        bench.pump(0.05)
    gate.open_gate()
    [end] = bench.wait(second)
    assert isinstance(end, Done | Lost), end


# printing


@pytest.mark.parametrize("how", ["python", "c", "child"])
def test_a_job_may_print_100_mb(bench: Bench, how: str) -> None:
    """Worker prints megabytes: a bounded log per job with head and tail, and nobody ever waits for a reader."""
    [end, after] = bench.done(bench.attempt("shout", count=100, how=how), bench.attempt("talk", text="small"))
    assert end.metrics == {"said": 100}
    assert len(end.result.log) < 200_000
    assert end.result.log.startswith("the first line\n")
    assert end.result.log.endswith("the last line\n")
    assert "left out" in end.result.log
    assert "the last line" not in after.result.log
    held = sum(file.stat().st_size for file in bench.folder.rglob("*.out"))
    assert held < MB


@pytest.mark.parametrize("how", ["all", "beyond standard", "standard", "stdout", "no stdout"])
def test_a_job_that_closes_what_is_the_workers_costs_at_most_itself(open_bench: Any, how: str) -> None:
    """It may close its socket, its output, or every file it holds."""
    bench = open_bench(workers=1)
    neighbours = [bench.attempt("moody", count=n) for n in range(4)]
    attempt = bench.attempt("shut", how=how)
    [end, *others] = bench.run(attempt, *neighbours)
    assert isinstance(end, Done) or end.failure.category is Category.CRASH
    assert [other.metrics["value"] for other in others] == [0, 2, 4, 6]
    ends = bench.done(*(bench.attempt("talk", text=f"after-{n}") for n in range(4)))
    assert all(f"printed after-{n}" in end.result.log for n, end in enumerate(ends))


# what a job leaves in its process


@pytest.mark.parametrize("how", ["folder", "umask", "alarm"])
def test_what_a_job_changes_in_its_process_does_not_reach_the_next(open_bench: Any, how: str) -> None:
    """The current folder changes no result, and an alarm set by one job does not ring in another."""
    bench = open_bench(workers=1)

    def where() -> Any:
        return bench.attempt("where", outputs={"figure": "f.txt"}, seconds=0.5 if how == "alarm" else 0.0)

    [before] = bench.done(where())
    bench.done(bench.attempt("disturb", how=how))
    [after] = bench.done(where())
    assert dict(after.metrics) == dict(before.metrics)


def test_a_job_that_forks_and_forgets_to_end_its_child_answers_once(open_bench: Any) -> None:
    """The child must not go on as a second worker on the same socket."""
    bench = open_bench(workers=1)
    bench.patience_s = 3.0
    for _ in range(3):
        [end] = bench.done(bench.attempt("forked"))
        assert end.metrics == {"value": 1}
        ends = bench.done(*(bench.attempt("value", count=n) for n in range(20)))
        assert [end.metrics["value"] for end in ends] == [2 * n for n in range(20)]
        assert {end.metrics["pid"] for end in ends} <= set(bench.executor.pids())


def test_a_job_may_have_worker_processes_of_its_own(bench: Bench) -> None:
    [end] = bench.done(bench.attempt("processes"))
    assert end.metrics == {"sum": 6}


# the end of the pool


def test_closing_ends_jobs_that_hang_and_everything_they_started(open_bench: Any, tell: Pipe) -> None:
    """Kill at once, no orphans."""
    bench = open_bench()
    for how in ("c with the interpreter's lock", "signals ignored"):
        bench.submit(bench.attempt("hang", how=how, text="child session daemon", tell=tell.path))
    pids = [int(pid) for _ in range(2) for pid in bench.line(tell).split()]
    assert len(alive(pids)) == 8
    bench.executor.close(0.2)
    assert_gone(pids)


def test_closing_ends_what_finished_jobs_left_running(open_bench: Any, tell: Pipe) -> None:
    bench = open_bench()
    [end] = bench.done(bench.attempt("leave", text="child session daemon", tell=tell.path))
    pids = [int(pid) for pid in end.metrics["pids"].split()]
    assert len(alive(pids)) == 3
    bench.executor.close(1.0)
    assert_gone(pids)


def test_the_keepers_death_loses_the_attempts_and_nothing_else(fresh: Bench, tell: Pipe) -> None:
    """Nobody is blamed, workers and their children end with it, and the pool goes on."""
    attempts = [fresh.attempt("family", text="child", tell=tell.path) for _ in range(2)]
    fresh.submit(*attempts)
    told = [[int(pid) for pid in fresh.line(tell).split()] for _ in range(2)]
    [keeper] = {pids[1] for pids in told}
    assert psutil.Process(keeper).ppid() == os.getpid()
    os.kill(keeper, signal.SIGKILL)
    assert [type(end) for end in fresh.wait(*attempts)] == [Lost, Lost]
    assert_gone(pid for pids in told for pid in pids)
    fresh.assert_well()
