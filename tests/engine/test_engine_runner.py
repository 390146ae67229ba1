"""The loop: who runs when, what is recorded, what is told; with an executor and a clock that only pretend."""

import os
import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from batchlab.engine import (
    Ask,
    BatchState,
    Command,
    Failure,
    From,
    Gather,
    Job,
    Limits,
    Place,
    Status,
    drop_command,
    read_view,
    run,
)
from batchlab.engine._full_disk import DISK_WAIT_S
from batchlab.errors import BatchlabError, Category
from tests.engine.test_engine_retry import TRIES_AFTER_THE_FIRST
from tests.engine.toys import Clock, Pretender, act, batch, write_numbers


def failing(category: Category, reason: str | None = None) -> Failure:
    return Failure(category=category, message=f"pretended {category}", reason=reason)


@pytest.fixture
def pretend(tmp_path):
    """Run jobs with an executor that pretends; answers it and the result."""

    def go(jobs, *, scripts=None, takes_s=None, metrics=None, workers=2, before_wait=None, **more):
        clock = Clock()
        listeners = more.pop("listeners", ())
        settings = {**more, "workers": workers}
        made = batch(tmp_path / "out", jobs, **settings)
        executor = Pretender(clock, workers, scripts or {}, takes_s or {}, metrics or {})
        if before_wait is not None:
            executor.before_wait = lambda: before_wait(executor)
        result = run(made, executor=executor, clock=clock, listeners=listeners, install_signal_handlers=False)
        return executor, result

    return go


def states(tmp_path):
    return {job.name: str(job.state) for job in read_view(tmp_path / "out").jobs}


@pytest.mark.parametrize("category", [c for c in Category if c is not Category.CANCELLED])
def test_each_category_is_tried_as_often_as_the_table_says(pretend, tmp_path, category):
    """Row: retry storms: deterministic errors are never tried again, others a bounded number of times, with backoff."""
    executor, result = pretend([act("bad"), act("good")], scripts={"bad": [failing(category)] * 9})
    expected = 1 + TRIES_AFTER_THE_FIRST[category]
    assert Counter(attempt.job for attempt in executor.submitted) == {"bad": expected, "good": 1}
    assert states(tmp_path) == {"bad": "failed", "good": "done"}
    (bad, _) = read_view(tmp_path / "out").jobs
    assert (bad.category, bad.attempts, len(bad.history)) == (str(category), expected, expected)
    assert [a.number for a in bad.history] == list(range(1, expected + 1))
    assert {str(a.status) for a in bad.history} == {"failed"}
    assert result.exit_code == 1


def test_backoff_is_waited_for_without_spinning(pretend):
    executor, _ = pretend([act("bad")], scripts={"bad": [failing(Category.SERVICE)] * 2}, workers=1)
    first, second, third = [at for _, at in executor.at]
    assert 1.0 + 0.25 <= second - first <= 1.0 + 0.75 + 0.25
    assert 1.0 + 0.5 <= third - second <= 1.0 + 1.5 + 0.25
    assert executor.waits < 60
    assert executor.idle_waits <= 12


def test_a_retry_that_is_due_while_all_places_are_taken_does_not_spin(pretend):
    scripts = {"flaky": [failing(Category.SERVICE)]}
    executor, result = pretend(
        [act("flaky"), act("long", priority=-1), act("longer", priority=-2)],
        scripts=scripts,
        takes_s={"flaky": 0.1, "long": 60.0, "longer": 60.0},
    )
    assert result.state is BatchState.DONE
    assert executor.waits < 400  # four a second at most


def test_a_crash_is_tried_again_alone(pretend):
    """Row: the poison job: its neighbours are not blamed, and none runs beside its second try."""
    jobs = [act("poison"), *(act(f"good/{n}") for n in range(5))]
    executor, _ = pretend(jobs, scripts={"poison": [failing(Category.CRASH)] * 5})
    tried = [at for at, attempt in enumerate(executor.submitted) if attempt.job == "poison"]
    assert len(tried) == 2
    assert executor.beside[tried[1]] == ()
    assert tried[1] == len(executor.submitted) - 1, "last, when nobody else can be hurt"


def test_lost_attempts_are_nobodys_fault(pretend, tmp_path):
    executor, result = pretend([act("unlucky")], scripts={"unlucky": ["lost"] * 4})
    assert result.state is BatchState.DONE
    assert len(executor.submitted) == 5
    history = read_view(tmp_path / "out").jobs[0].history
    assert [str(a.status) for a in history] == ["interrupted"] * 4 + ["done"]


def test_what_is_lost_for_ever_ends(pretend, tmp_path):
    _, result = pretend([act("unlucky")], scripts={"unlucky": ["lost"] * 99})
    assert result.state is BatchState.FAILED
    assert read_view(tmp_path / "out").jobs[0].reason == "lost"


@pytest.mark.parametrize("flush", [1, 7, 1000])
def test_what_was_told_as_done_is_recorded_as_done(pretend, tmp_path, flush):
    heard = []
    jobs = [*(act(f"plain/{n}") for n in range(20)), *(act(f"file/{n}", file=f"{n}.txt") for n in range(20))]
    _, result = pretend(
        jobs, flush_batch_size=flush, listeners=[heard.append], scripts={"plain/3": [failing(Category.SERVICE)]}
    )
    assert result.counts == {Status.DONE: 40}
    told = {n.job for n in heard if n.kind == "job-ended" and n.facts["state"] == "done"}
    assert told == {job.name for job in jobs}
    view = read_view(tmp_path / "out")
    assert view.counts["done"] == 40
    assert all(str(a.status) == "done" for job in view.jobs for a in job.history[-1:])
    executor, again = pretend(jobs, flush_batch_size=flush)
    assert (executor.submitted, again.found_done, again.exit_code) == ([], 40, 0)


def test_a_long_job_shows_that_its_run_lives_even_if_results_are_flushed_together(pretend, tmp_path):
    beats = []

    def look(executor):
        with sqlite3.connect(tmp_path / "out/.batchlab/ledger.sqlite") as db:
            beats.append((executor.clock.now, db.execute("SELECT beats FROM lease").fetchone()[0]))
        db.close()

    pretend([act("long")], takes_s={"long": 60.0}, flush_batch_size=50, before_wait=look)
    assert beats[-1][1] >= 10


def gather(how: Gather) -> Job:
    members = tuple(f"m/{n}" for n in range(4))
    return Job(name="sum", task="toy.table", inputs={"members": From(jobs=members, gather=how)})


MEMBERS = [act(f"m/{n}") for n in range(4)]
SUMS = {f"m/{n}": {"sum": n} for n in range(4)}


def test_gather_done_goes_without_those_that_failed_and_says_so(pretend, tmp_path):
    scripts = {"m/2": [failing(Category.INVALID_INPUT)]}
    executor, _ = pretend([*MEMBERS, gather(Gather.DONE)], scripts=scripts, metrics=SUMS)
    handed = executor.submitted[-1].inputs["members"]
    assert [(m.job, m.metrics["sum"]) for m in handed] == [("m/0", 0), ("m/1", 1), ("m/3", 3)]
    assert read_view(tmp_path / "out").jobs[-1].warnings == ("left out: m/2 (invalid-input)",)


def test_a_member_that_fails_now_does_not_hand_over_what_it_made_before(pretend, tmp_path):
    pretend([*MEMBERS, gather(Gather.DONE)], metrics=SUMS)
    changed = [act(f"m/{n}", n=7) for n in range(4)]
    scripts = {"m/2": [failing(Category.INVALID_INPUT)]}
    executor, _ = pretend([*changed, gather(Gather.DONE)], scripts=scripts, metrics=SUMS)
    handed = executor.submitted[-1].inputs["members"]
    assert [m.job for m in handed] == ["m/0", "m/1", "m/3"]


def test_gather_all_is_blocked_by_the_one_that_failed(pretend, tmp_path):
    scripts = {"m/2": [failing(Category.INVALID_INPUT)]}
    pretend([*MEMBERS, gather(Gather.ALL)], scripts=scripts, metrics=SUMS)
    last = read_view(tmp_path / "out").jobs[-1]
    assert (str(last.state), last.reason) == ("blocked", "blocked by m/2 (invalid-input)")


def test_a_dependent_whose_needs_came_out_as_before_is_not_run_again(pretend):
    pretend([*MEMBERS, gather(Gather.ALL)], metrics=SUMS)
    changed = [act(f"m/{n}", n=7) for n in range(4)]
    executor, result = pretend([*changed, gather(Gather.ALL)], metrics=SUMS)
    assert len(executor.submitted) == 4
    assert result.found_done == 1
    executor, result = pretend([*changed, gather(Gather.ALL)], metrics={**SUMS, "m/1": {"sum": 9}})
    assert (executor.submitted, result.found_done) == ([], 5)


def test_stop_after_failures_of_one_category(pretend, tmp_path):
    """Row: a flood of failures: the batch stops with the reason, and does not fail hundreds of jobs."""
    jobs = [act(str(n)) for n in range(500)]
    scripts = {str(n): [failing(Category.INVALID_INPUT)] for n in range(500)}
    executor, result = pretend(jobs, scripts=scripts, stop_after_failures=4)
    assert len(executor.submitted) <= 5
    assert (result.state, result.exit_code) == (BatchState.FAILED, 1)
    assert "4 failures in a row of category invalid-input" in result.reason
    assert read_view(tmp_path / "out").counts["pending"] >= 495


def test_the_first_failure_is_the_last_if_asked_for(pretend):
    executor, result = pretend(
        [act(str(n)) for n in range(20)], scripts={"1": [failing(Category.NUMERICAL)]}, continue_on_error=False
    )
    assert len(executor.submitted) <= 4
    assert "stopped at the first failure (1)" in result.reason


def test_a_full_disk_is_waited_for_and_nothing_fails_meanwhile(tmp_path, monkeypatch):
    """Row: disk full: admission pauses until there is room."""
    clock = Clock()
    room = {"bytes": 0}
    monkeypatch.setattr("batchlab.engine._full_disk.FullDisk._room", lambda self: room["bytes"])
    scripts = {"0": [failing(Category.DISK)]}
    executor = Pretender(clock, 1, scripts)

    def make_room():
        if clock.now > 1015.0:
            room["bytes"] = 10**9

    executor.before_wait = make_room
    heard = []
    made = batch(tmp_path / "out", [act(str(n)) for n in range(10)], workers=1)
    result = run(made, executor=executor, clock=clock, listeners=[heard.append], install_signal_handlers=False)
    assert result.counts == {Status.DONE: 10}
    assert [at for _, at in executor.at][1] > 1015.0
    kinds = [n.kind for n in heard if n.kind in ("paused", "resumed")]
    assert kinds == ["paused", "resumed"]
    assert executor.waits < 200


def test_a_disk_that_stays_full_ends_the_run_and_not_the_jobs(tmp_path, monkeypatch):
    clock = Clock()
    monkeypatch.setattr("batchlab.engine._full_disk.FullDisk._room", lambda self: 0)
    executor = Pretender(clock, 1, {"0": [failing(Category.DISK)]})
    made = batch(tmp_path / "out", [act(str(n)) for n in range(50)], workers=1)
    result = run(made, executor=executor, clock=clock, install_signal_handlers=False)
    assert "full" in result.reason
    assert DISK_WAIT_S <= result.elapsed_s <= DISK_WAIT_S + 5
    assert len(executor.submitted) == 1
    view = read_view(tmp_path / "out")
    assert view.counts["pending"] == 50, "the one that met the full disk waits for another try as well"


def test_what_waits_for_another_try_when_the_run_stops_is_no_victim_of_a_crash(pretend, tmp_path):
    def stop(executor):
        if len(executor.submitted) == 1:
            drop_command(Place(tmp_path / "out").commands, Command(Ask.CANCEL))

    scripts = {"flaky": [failing(Category.SERVICE)] * 2}
    _, result = pretend([act("flaky")], scripts=scripts, before_wait=stop, takes_s={"flaky": 0.1})
    assert result.state is BatchState.CANCELLED
    assert states(tmp_path)["flaky"] in ("pending", "failed")
    with sqlite3.connect(tmp_path / "out/.batchlab/ledger.sqlite") as db:
        assert db.execute("SELECT deaths FROM job").fetchone()[0] == 0
    db.close()
    _, result = pretend([act("flaky")])
    numbers = [a.number for a in read_view(tmp_path / "out").jobs[0].history]
    assert result.state is BatchState.DONE
    assert numbers == sorted(set(numbers)) and len(numbers) >= 2, "no attempt is written over by a later one"


def ask(tmp_path, executor, when, command):
    """Ask once, when that many attempts were handed over."""
    if len(executor.submitted) >= when and not getattr(executor, "asked", False):
        executor.asked = True
        drop_command(Place(tmp_path / "out").commands, command)


def test_a_cancelled_batch_drains_and_can_go_on(pretend, tmp_path):
    jobs = [act(str(n)) for n in range(30)]
    executor, result = pretend(jobs, before_wait=lambda e: ask(tmp_path, e, 4, Command(Ask.CANCEL)))
    assert (result.state, result.exit_code) == (BatchState.CANCELLED, 130)
    assert executor.cancelled and not any(hard for _, hard in executor.cancelled)
    done = read_view(tmp_path / "out").counts["done"]
    assert 0 < done < 30
    executor, result = pretend(jobs)
    assert (len(executor.submitted), result.found_done, result.exit_code) == (30 - done, done, 0)


def test_what_does_not_end_within_the_grace_time_is_killed(pretend, tmp_path):
    executor, result = pretend(
        [act("slow")],
        takes_s={"slow": 1e6},
        grace_s=10.0,
        before_wait=lambda e: ask(tmp_path, e, 1, Command(Ask.CANCEL)),
    )
    assert [hard for _, hard in executor.cancelled] == [False, True]
    assert 10.0 <= result.elapsed_s <= 12.0
    assert states(tmp_path) == {"slow": "cancelled"}


def test_single_jobs_are_cancelled_whether_they_run_or_wait(pretend, tmp_path):
    jobs = [act(str(n)) for n in range(6)] + [act("last", needs=("5",))]
    command = Command(Ask.CANCEL, ("0", "4", "last"))
    executor, result = pretend(jobs, takes_s={"0": 50.0}, before_wait=lambda e: ask(tmp_path, e, 2, command))
    found = states(tmp_path)
    assert {name for name, state in found.items() if state == "cancelled"} == {"0", "4", "last"}
    assert "4" not in {attempt.job for attempt in executor.submitted}
    assert result.exit_code == 1


def test_paused_means_that_nothing_starts(pretend, tmp_path):
    seen = []

    def control(executor):
        ask(tmp_path, executor, 2, Command(Ask.PAUSE))
        if executor.clock.now > 1100.0 and not seen:
            seen.append(len(executor.submitted))
            drop_command(Place(tmp_path / "out").commands, Command(Ask.RESUME))

    _, result = pretend([act(str(n)) for n in range(10)], before_wait=control)
    assert seen[0] <= 4
    assert result.counts == {Status.DONE: 10}


def test_failed_jobs_and_those_they_blocked_are_taken_up_again_on_request(pretend, tmp_path):
    jobs = [act("bad"), act("after", needs=("bad",)), act("last", needs=("after",)), *(act(f"l/{n}") for n in range(9))]
    heard = []
    scripts = {"bad": [failing(Category.NUMERICAL)]}
    _, result = pretend(
        jobs, scripts=scripts, before_wait=lambda e: ask(tmp_path, e, 6, Command(Ask.RETRY)), listeners=[heard.append]
    )
    assert result.counts[Status.DONE] == 12
    assert (result.state, result.exit_code) == (BatchState.DONE, 0)
    assert set(states(tmp_path).values()) == {"done"}
    from batchlab.engine import Progress, fold

    progress = Progress()
    for notice in heard:
        progress = fold(progress, notice)
    assert (progress.done, progress.failed, progress.blocked, progress.total) == (12, 0, 0, 12)


def test_a_group_has_its_time_and_no_more(pretend, tmp_path):
    jobs = [act(str(n), group="orbit", limits=Limits(group_timeout_s=25.0)) for n in range(5)]
    executor, _ = pretend(jobs, takes_s={str(n): 10.0 for n in range(5)}, workers=1)
    assert [attempt.limits.timeout_s for attempt in executor.submitted] == [25.0, 15.0, 5.0]
    failed = [job for job in read_view(tmp_path / "out").jobs if job.reason == "group"]
    assert len(failed) == 2 and {job.category for job in failed} == {"timeout"}


def test_the_batchs_own_time_is_up(pretend):
    _, result = pretend([act(str(n)) for n in range(100)], takes_s={"3": 1e9}, timeout_s=30.0)
    assert result.state is BatchState.INTERRUPTED
    assert 30.0 <= result.elapsed_s <= 31.0
    assert result.exit_code == 1


def test_an_item_to_blame_costs_that_item(tmp_path, pretend):
    from batchlab.engine import Failed
    from batchlab.engine._events import Result

    class Blames(Pretender):
        def _end(self, attempt):
            end = super()._end(attempt)
            if "b.txt" in attempt.skip_items:
                return end
            return Failed(
                attempt=attempt.id, failure=failing(Category.CRASH), item="b.txt", result=Result(elapsed_s=1.0)
            )

    clock = Clock()
    executor = Blames(clock)
    result = run(batch(tmp_path / "out", [act("many")]), executor=executor, clock=clock, install_signal_handlers=False)
    (job,) = read_view(tmp_path / "out").jobs
    assert (str(job.state), [(i.name, str(i.status), str(i.category)) for i in job.items]) == (
        "done",
        [("b.txt", "failed", "crash")],
    )
    assert result.exit_code == 1
    again = run(
        batch(tmp_path / "out", [act("many")]), executor=Pretender(clock), clock=clock, install_signal_handlers=False
    )
    assert (again.found_done, again.items_failed, again.exit_code) == (1, 1, 1), "it is still a failed item"


def test_a_ledger_that_takes_nothing_more_ends_the_run_in_words(tmp_path, monkeypatch):
    from batchlab.engine._records import Records

    def broken(self, p, beat):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(Records, "_write", broken)
    clock = Clock()
    with pytest.raises(BatchlabError, match="nothing more can be recorded"):
        run(batch(tmp_path / "out", [act("a")]), executor=Pretender(clock), clock=clock, install_signal_handlers=False)
    view = read_view(tmp_path / "out")
    assert view.state is BatchState.INTERRUPTED
    assert "disk I/O error" in view.runs[-1].reason


def test_names_that_are_no_text_neither_break_the_ledger_nor_get_lost(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    raw = os.fsencode(folder) + b"/caf\xe9.txt"
    with open(raw, "w") as file:
        file.write("1 2")
    path = os.fsdecode(raw)
    job = Job(name="cafe", task="toy.add", inputs={"numbers": path}, outputs={"sum": "cafe.sum"})
    bad = Job(name="gone", task="toy.add", inputs={"numbers": path + "x"})
    clock = Clock()
    executor = Pretender(clock, scripts={"gone": [Failure(category=Category.MISSING_INPUT, message=f"{path}x: no")]})
    run(batch(tmp_path / "out", [job, bad]), executor=executor, clock=clock, install_signal_handlers=False)
    view = read_view(tmp_path / "out")
    assert [str(j.state) for j in view.jobs] == ["done", "failed"]
    assert view.jobs[0].inputs["numbers"].endswith("caf\udce9.txt")
    assert "caf\\udce9.txtx: no" in view.jobs[1].message
    executor = Pretender(clock)
    run(batch(tmp_path / "out", [job]), executor=executor, clock=clock, install_signal_handlers=False)
    assert executor.submitted == []


def test_what_a_running_job_reads_is_recorded_so_that_it_is_not_read_again(pretend, tmp_path):
    path = write_numbers(tmp_path / "in", 1, 2)
    pretend([Job(name="a", task="toy.add", inputs={"numbers": path})])
    with sqlite3.connect(tmp_path / "out/.batchlab/ledger.sqlite") as db:
        assert [row[0] for row in db.execute("SELECT path FROM file")] == ["../in/1_2.txt"]
    db.close()


def test_a_file_that_was_touched_alone_is_read_once_more_and_then_remembered(pretend, tmp_path):
    path = write_numbers(tmp_path / "in", 1, 2)
    job = Job(name="a", task="toy.add", inputs={"numbers": path}, outputs={"sum": "a.sum"})
    pretend([job])

    def remembered():
        with closing(sqlite3.connect(tmp_path / "out/.batchlab/ledger.sqlite")) as db:
            return [row[0] for row in db.execute("SELECT mtime_ns FROM file")]

    old = os.stat(path).st_mtime_ns - 10 * 10**9
    os.utime(path, ns=(old, old))
    assert remembered() != [old]
    executor, _ = pretend([job])
    assert executor.submitted == []
    assert remembered() == [old]
