"""The local pool in time: clocks, parents, terminals, thousands of jobs."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from executor_bench import LATENESS_S, Backend, Bench, Pipe, alive, assert_gone, on

from batchlab.engine import Done, Failed, Limits, Lost
from batchlab.errors import Category, StartError

pytestmark = on("kills", "isolates")

ATTEMPTS = int(os.environ.get("BATCHLAB_SOAK_ATTEMPTS", "2000"))


class Clock:
    """A monotonic clock that goes only when it is told to, and may jump while nobody looks at it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._asleep_s = 0.0
        self._looked = time.monotonic()

    def __call__(self) -> float:
        looked, self._looked = self._looked, time.monotonic()
        if self._asleep_s and self._looked - looked > 0.05:  # whoever asks has just waited for something
            self.now += self._asleep_s
            self._asleep_s = 0.0
        return self.now

    def sleep_in_the_next_wait(self, seconds: float) -> None:
        self._asleep_s = seconds

    @property
    def slept(self) -> bool:
        return self._asleep_s == 0.0


# deadlines


def test_a_deadline_is_the_clocks_own(open_bench: Any, tell: Pipe) -> None:
    clock = Clock()
    bench: Bench = open_bench(clock=clock)
    attempt = bench.attempt("hang", how="python", tell=tell.path, timeout_s=3.0)
    bench.submit(attempt)
    bench.line(tell)
    bench.pump()
    clock.now += 2.9
    bench.pump()
    assert bench.end(attempt) is None
    clock.now += 0.2
    [end] = bench.wait(attempt)
    assert end.failure.category is Category.TIMEOUT


@pytest.mark.parametrize("late_s", [-0.001, 0.0, 0.001])
def test_finished_on_the_very_deadline_it_ends_exactly_once(
    open_bench: Any, tell: Pipe, gate: Pipe, late_s: float
) -> None:
    """The result counts once, or the timeout does; never both."""
    clock = Clock()
    bench: Bench = open_bench(workers=1, clock=clock)
    for number in range(4):
        attempt = bench.attempt("held", count=number, tell=tell.path, gate=gate.path, timeout_s=3.0)
        bench.submit(attempt)
        bench.line(tell)
        gate.open_gate()
        clock.now += 3.0 + late_s
        [end] = bench.wait(attempt)
        assert isinstance(end, Done) or end.failure.category is Category.TIMEOUT
        if late_s < 0:
            assert isinstance(end, Done)
        bench.assert_well()
        while tell.take():
            continue


def test_an_answer_that_came_in_time_counts_however_late_it_is_read(open_bench: Any, tell: Pipe) -> None:
    """A runner that was busy for a while must not call finished jobs too slow."""
    clock = Clock()
    bench: Bench = open_bench(workers=1, clock=clock)
    bench.assert_well()
    [worker] = bench.executor.pids()
    attempt = bench.attempt("moody", tell=tell.path, timeout_s=3.0)
    bench.submit(attempt)
    while not tell.take():
        assert alive([worker])
    _wait_until_it_waits(worker)
    clock.now += 4.0
    [end] = bench.wait(attempt)
    assert isinstance(end, Done)


def _wait_until_it_waits(pid: int) -> None:
    """Until the process sleeps, and its time at work has stood still for some looks."""
    still, before = 0, -1.0
    while still < 20:
        process = psutil.Process(pid)
        used = process.cpu_times().user + process.cpu_times().system
        still = still + 1 if process.status() == psutil.STATUS_SLEEPING and used == before else 0
        before = used
        select.select([], [], [], 0.005)


def test_a_machine_that_slept_times_nobody_out(open_bench: Any, tell: Pipe, gate: Pipe) -> None:
    """Suspend and resume: no mass timeout; what then really hangs is ended all the same."""
    clock = Clock()
    bench: Bench = open_bench(clock=clock)
    limits = Limits(timeout_s=5.0, stages={"hang": 4.0})
    attempts = [
        bench.attempt("held", tell=tell.path, gate=gate.path, limits=limits),
        bench.attempt("hang", how="python", tell=tell.path, limits=limits),
    ]
    bench.submit(*attempts)
    bench.line(tell)
    bench.line(tell)
    clock.sleep_in_the_next_wait(3600.0)
    while not clock.slept:
        bench.pump(0.3)
    bench.pump(0.1)
    assert [bench.end(a) for a in attempts] == [None, None]
    gate.open_gate()
    assert isinstance(bench.wait(attempts[0])[0], Done)
    clock.now += 4.5
    [end] = bench.wait(attempts[1])
    assert (type(end), end.failure.reason) == (Failed, "hang")


def test_importing_a_slow_module_is_not_the_jobs_own_time(open_bench: Any, tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import time\ntime.sleep(1.2)\ndef measure(ctx):\n    return {'fine': True}\n")
    bench: Bench = open_bench(workers=1)
    for _ in range(2):
        [end] = bench.done(bench.attempt(f"{slow}:measure", timeout_s=0.8))
        assert end.result.elapsed_s < 0.8


def test_an_import_that_never_ends_is_ended(open_bench: Any, tmp_path: Path, tell: Pipe) -> None:
    clock = Clock()
    stuck = tmp_path / "stuck.py"
    stuck.write_text(
        f"import time\nwith open({str(tell.path)!r}, 'w') as pipe:\n    pipe.write('importing\\n')\n"
        "time.sleep(600)\ndef measure(ctx):\n    return {}\n"
    )
    bench: Bench = open_bench(clock=clock)
    attempt = bench.attempt(f"{stuck}:measure")
    bench.submit(attempt)
    bench.line(tell)
    clock.now += 100_000.0
    [end] = bench.wait(attempt)
    assert (end.failure.category, end.failure.reason) == (Category.TIMEOUT, "import")
    bench.assert_well()


# starting and closing


def test_closed_at_once_it_says_nothing_on_the_screen(open_bench: Any, capfd: pytest.CaptureFixture[str]) -> None:
    bench: Bench = open_bench()
    bench.executor.close(0.0)
    assert capfd.readouterr() == ("", "")


def test_processes_that_cannot_be_started_are_told(open_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(StartError, match="cannot start worker processes"):
        open_bench()


def test_a_keeper_that_never_lives_is_given_up(
    backend: Backend, open_bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library that ends the process at its import: no endless loop of new keepers."""
    if backend.name == "spawn":
        pytest.skip("nothing is imported ahead where each worker is started afresh")
    (tmp_path / "deadly_library.py").write_text("import os\nos._exit(1)\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    bench: Bench = open_bench(preload=("deadly_library",))
    with pytest.raises(StartError, match="again and again"):
        for _ in range(20):
            assert isinstance(bench.run(bench.attempt("value"))[0], Lost)


# the process that holds the pool


@pytest.fixture
def runner(backend: Backend, tmp_path: Path) -> Iterator[Any]:
    """Start a pool in a process of its own; its lines come by `readline`."""
    started: list[subprocess.Popen[str]] = []
    if backend.name not in ("forkserver", "spawn"):
        pytest.skip("not a local pool")

    def start(attempts: list[Any], terminal: str | None = None) -> subprocess.Popen[str]:
        words = {
            "folder": str(tmp_path),
            "method": backend.name,
            "terminal": terminal,
            "attempts": [
                {"id": a.id, "job": a.job, "number": 1, "task": a.task, "params": dict(a.params), "scratch": a.scratch}
                for a in attempts
            ],
        }
        script = Path(__file__).with_name("pool_runner.py")
        started.append(
            subprocess.Popen(
                [sys.executable, str(script), json.dumps(words)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _line(pipe: Pipe, runner: subprocess.Popen[str]) -> str:
    deadline = time.monotonic() + 60
    while (line := pipe.take()) is None:
        assert runner.poll() is None, "the runner ended"
        assert time.monotonic() < deadline, "no task spoke for 60 s"
        select.select([], [], [], 0.01)
    return line


@pytest.mark.faults
def test_when_its_parent_is_killed_nothing_of_a_pool_survives(runner: Any, tmp_path: Path, tell: Pipe) -> None:
    """Parent SIGKILL: no worker, no keeper, no grandchild after 3 s."""
    bench = Bench(None, tmp_path)  # type: ignore[arg-type]
    kinds = "child session daemon"
    attempts = [
        bench.attempt("hang", how="c with the interpreter's lock", text=kinds, tell=tell.path),
        bench.attempt("hang", how="signals ignored", text=kinds, tell=tell.path),
    ]
    process = runner(attempts)
    told = {int(pid) for _ in range(2) for pid in _line(tell, process).split()}
    family = {child.pid for child in psutil.Process(process.pid).children(recursive=True)} | told
    assert len(family) == 9  # a keeper, two workers, three of each worker's own
    process.kill()
    assert_gone(family, within_s=2.0 + LATENESS_S)


@pytest.mark.faults
def test_ctrl_c_in_the_terminal_does_not_reach_the_workers(runner: Any, tmp_path: Path, tell: Pipe, gate: Pipe) -> None:
    """Ctrl-C goes to the runner alone, which lets running jobs finish."""
    master, slave = pty.openpty()
    try:
        bench = Bench(None, tmp_path)  # type: ignore[arg-type]
        attempts = [bench.attempt("held", tell=tell.path, gate=gate.path) for _ in range(2)]
        process = runner(attempts, os.ttyname(slave))
        assert process.stdout.readline() == "ready\n"
        workers = [int(_line(tell, process)) for _ in range(2)]
        os.write(master, b"\x03")
        assert process.stdout.readline() == "interrupted\n"
        assert alive(workers) == workers
        gate.open_gate(2)
        assert sorted(process.stdout.readline() for _ in range(2)) == sorted(f"Done {a.id}\n" for a in attempts)
        assert process.stdout.readline() == "closed\n"
        assert process.wait() == 0
        assert_gone(workers)
    finally:
        os.close(master)
        os.close(slave)


# thousands of jobs


def test_files_and_descriptors_stay_steady_over_thousands_of_jobs(open_bench: Any) -> None:
    """File-descriptor and temp-file leaks: a steady state over BATCHLAB_SOAK_ATTEMPTS attempts."""
    bench: Bench = open_bench()

    def held() -> tuple[int, int, list[int]]:
        ends = bench.done(*(bench.attempt("descriptors") for _ in range(20)))
        opened = {end.metrics["pid"]: end.metrics["open"] for end in ends}
        files = sum(1 for path in bench.folder.rglob("*") if path.is_file())
        return len(os.listdir("/proc/self/fd")), files, sorted(opened.values())

    bench.done(*(bench.attempt("value") for _ in range(100)))
    here, files, there = held()
    ends = bench.done(*(bench.attempt("value", count=n) for n in range(ATTEMPTS)))
    assert [end.metrics["value"] for end in ends] == [2 * n for n in range(ATTEMPTS)]
    here_after, files_after, there_after = held()
    assert here_after <= here
    assert files_after <= files
    assert max(there_after) <= max(there)


def test_descriptors_stay_steady_while_workers_die(open_bench: Any) -> None:
    bench: Bench = open_bench()

    def round_of_deaths() -> tuple[int, int]:
        ends = bench.run(*(bench.attempt("moody", how="SIGKILL" if n % 2 else "") for n in range(16)))
        assert [isinstance(end, Done) for end in ends] == [n % 2 == 0 for n in range(16)]
        bench.assert_well()
        files = sum(1 for path in bench.folder.rglob("*") if path.is_file())
        return len(os.listdir("/proc/self/fd")), files

    here, files = round_of_deaths()
    here_after, files_after = round_of_deaths()
    assert here_after <= here + 6  # each of two workers may hold a socket and a page, or has just left them
    assert files_after <= files + 4


def test_workers_are_replaced_after_so_many_jobs(open_bench: Any) -> None:
    """Workers recycled after N jobs: what leaks in a library does not grow for ever."""
    bench: Bench = open_bench(max_jobs=50)
    ends = bench.done(*(bench.attempt("value", count=n) for n in range(600)))
    assert [end.metrics["value"] for end in ends] == [2 * n for n in range(600)]
    jobs = Counter(end.metrics["pid"] for end in ends)
    assert len(jobs) >= 12
    assert max(jobs.values()) <= 50


def test_replaced_one_by_one_workers_lose_nothing(open_bench: Any) -> None:
    bench: Bench = open_bench(max_jobs=1)
    ends = bench.done(*(bench.attempt("value", count=n) for n in range(12)))
    assert [end.metrics["value"] for end in ends] == [2 * n for n in range(12)]


# threads


@pytest.mark.parametrize("user", [None, "3"])
def test_libraries_start_one_thread_each_unless_the_user_says_more(
    open_bench: Any, monkeypatch: pytest.MonkeyPatch, user: str | None
) -> None:
    """BLAS oversubscription: thread caps in every worker, stated by the environment."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    if user is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", user)
    bench: Bench = open_bench()
    [end] = bench.done(bench.attempt("environment"))
    assert end.metrics["OMP_NUM_THREADS"] == (user or "1")
    assert end.metrics["OPENBLAS_NUM_THREADS"] == end.metrics["MKL_NUM_THREADS"] == "1"
    assert os.environ.get("OMP_NUM_THREADS") == user  # the host's own is left alone


def test_the_keeper_has_one_thread_whatever_it_has_imported(open_bench: Any) -> None:
    """Fork-unsafe libraries: nothing is forked from a process with threads."""
    bench: Bench = open_bench(preload=("numpy", "numpy.linalg", "no_such_module"), tasks=("devices.extract", "no.task"))
    [end] = bench.done(bench.attempt("environment"))
    assert psutil.Process(end.metrics["keeper"]).num_threads() == 1


def test_a_host_with_many_threads_may_start_a_pool(open_bench: Any) -> None:
    stop = threading.Event()
    threads = [threading.Thread(target=stop.wait) for _ in range(40)]
    for thread in threads:
        thread.start()
    try:
        bench: Bench = open_bench()
        bench.done(*(bench.attempt("scalars") for _ in range(4)))
        assert isinstance(bench.run(bench.attempt("die", how="SIGKILL"))[0], Failed)
        bench.assert_well()
    finally:
        stop.set()
        for thread in threads:
            thread.join()


# affinity


def test_attempts_of_one_affinity_prefer_one_worker(open_bench: Any, tell: Pipe, gate: Pipe) -> None:
    bench: Bench = open_bench()
    first = {tag: bench.attempt("held", tell=tell.path, gate=gate.path, options={"affinity": tag}) for tag in "ab"}
    bench.submit(*first.values())
    bench.line(tell)
    bench.line(tell)
    gate.open_gate(2)
    ends = bench.wait(*first.values())
    home = {tag: end.metrics["pid"] for tag, end in zip("ab", ends, strict=True)}
    assert len(set(home.values())) == 2
    assert bench.executor.warm() == {"a", "b"}
    for tag in "abbaabab":
        [end] = bench.done(bench.attempt("value", options={"affinity": tag}))
        assert end.metrics["pid"] == home[tag]


def test_affinity_never_changes_a_result(open_bench: Any) -> None:
    bench: Bench = open_bench()
    tags = [None, "a", "b", "a", *"cdefghijklmnopqrstuvwxyz", "a"]
    attempts = [replace(bench.attempt("dice", options={"affinity": tag}), job="compare/leaf") for tag in tags]
    assert len({end.metrics["sum"] for end in bench.done(*attempts)}) == 1
