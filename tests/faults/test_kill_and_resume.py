"""Kill a run at any instant, run again: the end is that of a run nobody disturbed, and nothing is done twice.

Rows of the fault table: the runner is killed; Ctrl-C once, twice; SIGTERM.
"""

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from batchlab.engine import Durability, inline, read_view, run
from tests.faults.kill_runner import batch_of

pytestmark = pytest.mark.faults

HERE = Path(__file__).parent
ROUNDS = int(os.environ.get("BATCHLAB_KILL_ROUNDS", "20"))
GONE_WITHIN_S = 3.0


def end_of(root: Path) -> dict[str, Any]:
    """What a run came to, without its timings."""
    view = read_view(root)
    files = {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".batchlab" not in path.parts
    }
    jobs = {
        job.name: (str(job.state), dict(job.metrics), job.category, job.reason, {o.name: o.digest for o in job.outputs})
        for job in view.jobs
    }
    return {"jobs": jobs, "files": files, "state": str(view.state)}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The end of a run nobody disturbed, and its inputs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_STATE_HOME", str(folder / "state"))
    result = run(batch_of(folder / "out", folder / "in"), install_signal_handlers=False)
    patch.undo()
    assert result.exit_code == 1  # one of them is bad
    return folder / "in", end_of(folder / "out")


class Runner:
    """A run in a process of its own, whose words can be waited for."""

    def __init__(self, root: Path, inputs: Path, pipe: Path, *more: str) -> None:
        os.mkfifo(pipe)
        self._pipe = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        command = [sys.executable, str(HERE / "kill_runner.py"), str(root), str(inputs), str(pipe), *more]
        self.process = subprocess.Popen(command, start_new_session=True, cwd=HERE.parents[1], stderr=subprocess.PIPE)
        self._end = os.pidfd_open(self.process.pid)
        self._text = b""
        self.lines: list[dict[str, Any]] = []

    def read(self, timeout_s: float = 60.0) -> bool:
        """Take in what was said; False at the end."""
        ready = select.select([self._pipe, self._end], [], [], timeout_s)[0]
        assert ready, "the run says nothing and goes on"
        data = os.read(self._pipe, 65536)
        if not data and not self.lines:
            raise AssertionError(self.process.stderr.read().decode())
        self._text += data
        *whole, self._text = self._text.split(b"\n")
        self.lines += map(json.loads, whole)
        return bool(data)

    def wait_for(self, kind: str, count: int) -> bool:
        """Until it has said so often that something of this kind happened; False if it ended before."""
        while sum(line["event"] == kind for line in self.lines) < count:
            if not self.read():
                return False
        return True

    def told_done(self) -> set[str]:
        """Jobs that were announced as done; what is left in the pipe included."""
        while select.select([self._pipe], [], [], 0)[0] and self.read():
            pass
        return {line["job"] for line in self.lines if line["event"] == "job-ended" and line["state"] == "done"}

    def census(self) -> list[psutil.Process]:
        """Everything that the run has started and that lives."""
        found = psutil.Process(self.process.pid).children(recursive=True)
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == self.process.pid and process.pid != self.process.pid:
                    found.append(process)
            except (ProcessLookupError, psutil.NoSuchProcess):
                continue
        return list({process.pid: process for process in found}.values())

    def end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        self.process.stderr.close()
        os.close(self._pipe)
        os.close(self._end)


@pytest.fixture
def start(tmp_path):
    started: list[Runner] = []

    def one(root: Path, inputs: Path, *more: str) -> Runner:
        runner = Runner(root, inputs, tmp_path / f"told-{len(started)}", *more)
        started.append(runner)
        return runner

    yield one
    for runner in started:
        runner.end()


def assert_all_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=GONE_WITHIN_S)
    alive = [process for process in alive if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    assert alive == [], "processes survive the run"


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_kill_and_resume_ends_as_if_nothing_had_happened(tmp_path, start, undisturbed, toys_traced, seed):
    """The runner gets SIGKILL at a random instant, once or twice; the run after that comes to the undisturbed end."""
    inputs, expected = undisturbed
    root = tmp_path / "out"
    rng = random.Random(seed)
    done: set[str] = set()
    for _ in range(rng.choice([1, 1, 2])):
        runner = start(root, inputs)
        kind = rng.choice(["batch-started", "job-started", "job-started", "job-ended", "job-ended", "job-ended"])
        count = 1 if kind == "batch-started" else rng.randint(1, 50)
        if not runner.wait_for(kind, count):
            break
        time.sleep(rng.random() * 0.02)  # chance, and not a wait for anything
        family = runner.census()
        executed = toys_traced.count()
        os.kill(runner.process.pid, signal.SIGKILL)
        runner.process.wait(30)
        assert_all_gone(family)
        told = runner.told_done()
        assert told <= set(toys_traced.count()), "told as done, and never executed"
        again = {name for name in done if toys_traced.count()[name] > 1}
        assert again == set(), "done before the kill, and executed again"
        done |= told
        assert executed.keys() <= toys_traced.count().keys()
    before = toys_traced.count()
    result = run(batch_of(root, inputs), install_signal_handlers=False)
    after = toys_traced.count()
    assert {name for name in done if after[name] > before[name]} == set(), "told as done, and executed again"
    assert result.exit_code == 1
    assert end_of(root) == expected
    last = run(batch_of(root, inputs), install_signal_handlers=False, executor=inline)
    assert last.found_done == len(expected["jobs"]) - 2
    assert end_of(root) == expected


@pytest.mark.parametrize(
    ("how", "signals"),
    [("slow", [signal.SIGINT]), ("stubborn", [signal.SIGINT, signal.SIGINT]), ("stubborn", [signal.SIGTERM])],
)
def test_signals_stop_a_run_in_good_order_and_kill_and_resume_goes_on(tmp_path, start, toys_traced, how, signals):
    """Row: Ctrl-C once drains, twice ends at once, SIGTERM too; exit 130, no process left, the rest can be run."""
    root = tmp_path / "out"
    runner = start(root, tmp_path, how)
    assert runner.wait_for("job-started", 2)
    while sum(toys_traced.count().values()) < 2:  # both are inside their functions
        os.sched_yield()
    family = runner.census()
    assert len(family) >= 3
    os.kill(runner.process.pid, signals[0])
    if len(signals) > 1:
        assert runner.wait_for("stopping", 1)
        os.kill(runner.process.pid, signals[1])
    assert runner.process.wait(20) == 130
    assert_all_gone(family)
    view = read_view(root)
    assert str(view.state) == "cancelled"
    states = {str(job.state) for job in view.jobs}
    assert states <= {"cancelled", "pending"}
    again = start(root, tmp_path, how)
    assert again.wait_for("job-started", 1)
    os.kill(again.process.pid, signal.SIGTERM)
    assert again.process.wait(20) == 130


def test_a_finished_run_is_the_same_by_one_worker_by_two_and_inline(tmp_path, undisturbed):
    """States, metrics and bytes do not depend on where the jobs ran, nor on how results were flushed."""
    inputs, expected = undisturbed
    for name, workers, executor, settings in [
        ("one", 1, None, {}),
        ("two", 2, None, {"flush_batch_size": 10}),
        ("inline", 1, inline, {}),
        ("flushed", 1, inline, {"flush_batch_size": 1000, "durability": Durability.FAST}),
    ]:
        made = batch_of(tmp_path / name, inputs, workers, **settings)
        run(made, executor=executor, install_signal_handlers=False)
        assert end_of(tmp_path / name) == expected, name
