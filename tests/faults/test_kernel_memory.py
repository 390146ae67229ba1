"""The kernel kills for want of memory: a job, or the runner itself. In a control group of 300 MB."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchlab.engine import Batch, Job, Settings, Status, read_view, run

pytestmark = pytest.mark.faults

LIMIT_BYTES = 300_000_000

TASK = '''
def eat(ctx, *, megabytes: int):
    """Hold that much memory, every page of it touched."""
    held = []
    for _ in range(megabytes):
        held.append(bytearray(b"x") * 1_000_000)
    return {"held": len(held)}
'''

RUNNER = """
import os, sys
from pathlib import Path
from batchlab.engine import inline, run
sys.path.insert(0, sys.argv[2])
from test_kernel_memory import eaters
Path(sys.argv[1], "cgroup.procs").write_text(str(os.getpid()))
executor = inline if sys.argv[4] == "inline" else None
run(eaters(Path(sys.argv[3]), big=2000), executor=executor, install_signal_handlers=False)
"""


def eaters(folder: Path, *, big: int) -> Batch:
    """Five jobs, the third of them hungry."""
    task = f"{folder / 'eat.py'}:eat"
    jobs = tuple(Job(name=f"eat/{n}", task=task, params={"megabytes": big if n == 2 else 1}) for n in range(5))
    return Batch(name="eaters", output=folder / "out", jobs=jobs, settings=Settings(workers=2))


@pytest.fixture
def small_group() -> Iterator[Path]:
    """A control group with a memory limit."""
    for base, limit in (
        (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
        (Path("/sys/fs/cgroup"), "memory.max"),
    ):
        group = base / f"batchlab-test-{uuid.uuid4().hex[:8]}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text(str(LIMIT_BYTES))
        except OSError:
            group.rmdir()
            continue
        yield group
        group.rmdir()
        return
    pytest.skip("no control group with a memory limit can be made here")


def _run_in(group: Path, folder: Path, executor: str) -> int:
    (folder / "eat.py").write_text(TASK)
    words = [sys.executable, "-c", RUNNER, str(group), str(Path(__file__).parent), str(folder), executor]
    return subprocess.run(words, stdin=subprocess.DEVNULL, timeout=100, env=dict(os.environ), check=False).returncode


def test_a_job_that_the_kernel_kills_is_told_as_memory_and_costs_itself_alone(
    small_group: Path, tmp_path: Path
) -> None:
    """Memory used up by a job: category memory, the others never notice."""
    assert _run_in(small_group, tmp_path, "pool") == 0
    jobs = {job.name: job for job in read_view(tmp_path / "out").jobs}
    assert (jobs["eat/2"].state, jobs["eat/2"].category, jobs["eat/2"].reason) == (
        Status.FAILED,
        "memory",
        "out-of-memory",
    )
    assert jobs["eat/2"].attempts == 2  # once more, alone
    assert all(job.state is Status.DONE for name, job in jobs.items() if name != "eat/2")


def test_a_runner_that_the_kernel_kills_leaves_a_whole_ledger(small_group: Path, tmp_path: Path) -> None:
    """Memory used up by the runner: what was done stays done, and the next run does the rest."""
    assert _run_in(small_group, tmp_path, "inline") == -9
    before = {job.name: job.state for job in read_view(tmp_path / "out").jobs}
    assert before["eat/0"] is before["eat/1"] is Status.DONE
    assert before["eat/2"] is Status.INTERRUPTED
    result = run(eaters(tmp_path, big=3))
    assert (result.exit_code, result.found_done) == (0, 2)
