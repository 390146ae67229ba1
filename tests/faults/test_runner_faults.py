"""What happens around a running job: inputs that change, clocks that jump, jobs that poison, secrets that are told."""

import os
import threading
import time
from dataclasses import replace

import pytest

from batchlab.engine import BatchState, Job, Place, Progress, fold, inline, plan, read_view, run, traceback_of
from batchlab.engine._ledger import Ledger
from tests.engine.toys import act, batch, write_numbers

SECRET = "c4n4ry-p4ss 'w\"ord\\with/all"
SECRET_WORDS = "c4n4ry"


def adding(path: str, **changes) -> Job:
    return Job(name="sum", task="toy.add", inputs={"numbers": path}, outputs={"sum": "sum.txt"}, **changes)


@pytest.fixture
def changing(monkeypatch):
    """Make the input change while the job reads it, so many times."""

    def arrange(path: str, times: int) -> None:
        from batchlab.engine import _execute

        left = [times]
        check = _execute.check_metrics

        def changed_meanwhile(returned):
            if left[0]:
                left[0] -= 1
                with open(path, "a") as file:
                    file.write(" 100")
            return check(returned)

        monkeypatch.setattr(_execute, "check_metrics", changed_meanwhile)

    return arrange


def test_an_input_that_changes_while_it_is_read_is_read_once_more(tmp_path, changing, toys_traced):
    """Row: an input changes during the run: its result is thrown away, the job is queued once more."""
    path = write_numbers(tmp_path / "in", 1, 2)
    changing(path, 1)
    made = batch(tmp_path / "out", [adding(path)])
    assert run(made, executor=inline).exit_code == 0
    (job,) = read_view(tmp_path / "out").jobs
    assert job.metrics == {"sum": 103}
    assert [a.reason for a in job.history] == ["input-changed", None]
    assert toys_traced.count() == {"sum": 2}
    assert plan(made).counts["skip"] == 1


def test_an_input_that_never_rests_fails_the_job(tmp_path, changing):
    path = write_numbers(tmp_path / "in", 1, 2)
    changing(path, 99)
    assert run(batch(tmp_path / "out", [adding(path)]), executor=inline).exit_code == 1
    (job,) = read_view(tmp_path / "out").jobs
    assert (job.category, job.reason, job.attempts) == ("invalid-input", "input-changed", 2)
    assert not (tmp_path / "out/sum.txt").exists()


def test_an_input_that_is_renamed_while_it_is_read_fails_the_job_alone(tmp_path):
    inputs = [write_numbers(tmp_path / "in", n) for n in range(3)]
    pipe = tmp_path / "gate"
    os.mkfifo(pipe)
    first = act("first", ["await", str(pipe)], priority=1)
    jobs = [first, *(adding(p, needs=("first",)) for p in inputs[:1])]

    def rename():
        os.rename(inputs[0], inputs[0] + ".moved")
        pipe.write_text("go\n")

    renamer = threading.Thread(target=rename)
    renamer.start()
    run(batch(tmp_path / "out", jobs))
    renamer.join()
    view = {job.name: job for job in read_view(tmp_path / "out").jobs}
    assert (str(view["first"].state), view["sum"].category) == ("done", "missing-input")


@pytest.mark.parametrize("jump_s", [86_400.0, -86_400.0])
def test_a_wall_clock_that_jumps_by_a_day_changes_no_duration_and_no_estimate(tmp_path, monkeypatch, jump_s):
    """Row: clock jumps: durations and estimates go by the monotonic clock, the wall clock is for show."""
    real = time.time
    jumped = [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + jumped[0])
    progress = Progress()
    seen = []

    def listen(notice):
        nonlocal progress
        progress = fold(progress, notice)
        if notice.kind == "job-ended":
            jumped[0] = 0.0 if jumped[0] else jump_s
        seen.append((notice.at_s, progress.eta))

    path = write_numbers(tmp_path / "in", 1, 2)
    jobs = [*(act(f"{n}", ["write", "x"], file=f"{n}.txt") for n in range(10)), adding(path)]
    began = time.monotonic()
    result = run(batch(tmp_path / "out", jobs, timeout_s=3600.0), listeners=[listen])
    took = time.monotonic() - began
    assert (result.exit_code, result.state) == (0, BatchState.DONE)
    assert 0.0 <= result.elapsed_s <= took
    for at_s, eta in seen:
        assert 0.0 <= at_s <= took
        assert eta is None or 0.0 <= eta.low_s <= eta.likely_s <= eta.high_s < 3600.0
    view = read_view(tmp_path / "out")
    assert all(0.0 <= job.elapsed_s <= took for job in view.jobs)
    assert 0.0 <= view.runs[-1].elapsed_s <= took
    assert run(batch(tmp_path / "out", jobs)).found_done == 11


def test_a_job_that_kills_its_worker_costs_itself_alone(tmp_path, toys_traced):
    """Row: the poison job: it is tried once more, alone, and then given up; its neighbours are done, unblamed."""
    jobs = [act("poison", ["crash"]), *(act(f"good/{n}", ["write", "x"], file=f"{n}.txt") for n in range(20))]
    run(batch(tmp_path / "out", jobs))
    view = {job.name: job for job in read_view(tmp_path / "out").jobs}
    assert (view["poison"].category, view["poison"].reason, view["poison"].attempts) == ("crash", "SIGKILL", 2)
    assert all(str(job.state) == "done" and job.attempts == 1 for name, job in view.items() if name != "poison")
    assert toys_traced.count()["poison"] == 2
    assert all(toys_traced.count()[name] == 1 for name in view if name != "poison")


def test_a_job_that_takes_the_whole_run_with_it_comes_last_and_alone(tmp_path, monkeypatch):
    """Row: the poison job that ends the node each time: after two such ends all the others are done before it."""
    from batchlab.engine._lineup import SUSPECT_DEATHS
    from tests.engine.toys import Clock, Pretender

    jobs = [act("poison", priority=9), *(act(f"good/{n}") for n in range(6))]
    made = batch(tmp_path / "out", jobs, workers=2)

    class NodeDies(BaseException):
        pass

    class Dying(Pretender):
        def events(self, timeout_s):
            if any(attempt.job == "poison" for _, attempt in self._running.values()):
                raise NodeDies
            return super().events(timeout_s)

    from batchlab.engine._records import Records

    with monkeypatch.context() as patch:
        patch.setattr(Records, "end", lambda *a: None)  # the dead record nothing
        # Twice with a neighbour, then alone, and then after the neighbour that had been there as often.
        for _ in range(SUSPECT_DEATHS + 2):
            with pytest.raises(NodeDies):
                run(made, executor=Dying(Clock()), install_signal_handlers=False)
    counts = read_view(tmp_path / "out").counts
    assert (counts["done"], counts["interrupted"]) == (6, 1)
    executor = Pretender(Clock())
    run(made, executor=executor, install_signal_handlers=False)
    assert [attempt.job for attempt in executor.submitted] == ["poison"]


def test_no_secret_is_left_anywhere_in_the_output_folder(tmp_path, monkeypatch, caplog):
    """Row: secrets: printed, logged, warned of, raised, returned, and in the command; in no file of the output root."""
    monkeypatch.setenv("LAB_LOGIN", SECRET)  # only the params tell that it is one
    monkeypatch.setenv("OTHER_TOKEN", SECRET)
    jobs = [
        act("says", ["say", "LAB_LOGIN"], ["write", "harmless"], file="a.txt"),
        act("raises", ["raise", "LAB_LOGIN"]),
        act("item", ["item", "one", "harmless"]),
        act("crashes", ["say", "LAB_LOGIN"], ["crash"]),
        Job(name="refers", task="toy.act", params={"acts": [["metric", "a", "1"], ["item", "env:LAB_LOGIN"]]}),
    ]
    made = replace(batch(tmp_path / "out", jobs, retries=1), source=f"batchlab run --set login={SECRET}")
    monkeypatch.setattr("batchlab.engine._retry.BACKOFF_S", 0.01)
    run(made, verbose=True)
    # Everything is read as bytes, the ledger with its write-ahead log too.
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            assert SECRET_WORDS.encode() not in path.read_bytes(), path
    view = {job.name: job for job in read_view(tmp_path / "out").jobs}
    assert view["says"].metrics["told"] == "metric [redacted]"
    assert view["says"].warnings == ("warned of [redacted]",)
    assert "printed [redacted]" in (tmp_path / "out" / view["says"].log).read_text()
    assert "cannot log in with" in view["raises"].message
    assert "[redacted]" in view["raises"].message
    assert "[redacted]" in (traceback_of(tmp_path / "out", "raises") or "")
    assert view["refers"].params["acts"][1] == ["item", "env:LAB_LOGIN"]
    assert SECRET_WORDS not in caplog.text


def test_raw_output_that_a_killed_run_left_behind_is_removed(tmp_path):
    made = batch(tmp_path / "out", [act("a")])
    run(made, executor=inline)
    left = Place(tmp_path / "out").logs / "worker-1234-1.out"
    left.write_text(SECRET)
    run(made, executor=inline)
    assert not left.exists()


def test_what_was_asked_of_an_earlier_run_is_not_asked_of_the_next(tmp_path):
    from batchlab.engine import Ask, Command, drop_command

    made = batch(tmp_path / "out", [act("a")])
    drop_command(Place(tmp_path / "out").commands, Command(Ask.CANCEL, now=True))
    assert run(made).exit_code == 0


def test_two_hosts_one_ledger_the_one_thought_dead_stops(tmp_path):
    """A run that gave no sign of life and was replaced notices it with its next commit, and records nothing more."""
    from batchlab.engine import InlineExecutor
    from batchlab.errors import StartError

    root = tmp_path / "out"

    class Stolen(InlineExecutor):
        def events(self, timeout_s):
            found = super().events(timeout_s)
            if found:
                other = Ledger(root / ".batchlab/ledger.sqlite")
                with other.writing():
                    other.execute("UPDATE lease SET token='another', host='elsewhere'")
                other.close()
            return found

    told = []
    with pytest.raises(StartError, match="taken over"):
        run(
            batch(root, [act("a"), act("b")]),
            executor=lambda *_: Stolen(),
            listeners=[lambda n: told.append(n.kind)],
            install_signal_handlers=False,
        )
    assert "job-ended" not in told
    ledger = Ledger(root / ".batchlab/ledger.sqlite")
    assert ledger.execute("SELECT token FROM lease").fetchone() == ("another",)
    ledger.close()
