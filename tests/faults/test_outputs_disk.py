"""Disks that are full, and output folders that go away, on file systems of our own where they can be mounted."""

import shutil
import subprocess
from pathlib import Path

import pytest

from batchlab.engine import BatchState, InlineExecutor, inline, read_view, run
from batchlab.engine import _full_disk as full_disk
from batchlab.errors import BatchlabError, Category, StartError
from tests.engine.toys import act, batch

pytestmark = pytest.mark.faults

MB = 1_000_000


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    mounted = shutil.which("mount") and subprocess.run(command, capture_output=True, check=False)
    if not mounted or mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted and mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def fill(folder: Path, leave: int) -> Path:
    """A file that takes all but so many bytes."""
    file = folder / "ballast"
    with open(file, "wb") as ballast:
        while (left := free(folder) - leave) > 0:
            ballast.write(bytes(min(left, 65536)))
            ballast.flush()
    return file


def test_jobs_that_fill_the_disk_fail_as_disk_and_do_not_take_the_batch_along(small_disk):
    """Row: disk full: the category is disk, scratch is given back, small jobs are done, the ledger tells it all."""
    root = small_disk / "out"
    jobs = [act("huge", ["bytes", str(20 * MB)], file="huge.bin")]
    jobs += [act(f"small/{n}", ["bytes", "65536"], file=f"{n}.bin") for n in range(5)]
    result = run(batch(root, jobs, retries=1))
    view = {job.name: job for job in read_view(root).jobs}
    assert (view["huge"].category, str(view["huge"].state)) == ("disk", "failed")
    assert {str(view[f"small/{n}"].state) for n in range(5)} == {"done"}
    assert result.exit_code == 1
    assert len(view["huge"].history) == 2
    assert not any((root / ".batchlab/scratch").iterdir())
    assert free(small_disk) > 5 * MB


def test_a_full_disk_stops_the_batch_and_not_five_hundred_jobs_and_it_goes_on_when_there_is_room(
    small_disk, monkeypatch
):
    """Row: disk full: admission pauses; the end can be recorded; with room made the same command goes on."""
    root = small_disk / "out"
    jobs = [act(f"{n}", ["bytes", str(MB)], file=f"{n}.bin") for n in range(500)]
    monkeypatch.setattr(full_disk, "DISK_WAIT_S", 5.0)
    monkeypatch.setattr("batchlab.engine._retry.BACKOFF_S", 0.01)
    result = run(batch(root, jobs))
    view = read_view(root)
    assert result.exit_code == 1
    assert "full" in result.reason or "category disk" in result.reason
    assert view.state is BatchState.FAILED
    assert view.counts["failed"] <= 7
    assert view.counts["done"] >= 3
    assert view.counts["pending"] >= 480
    done = view.counts["done"]
    for output in (o for job in view.jobs for o in job.outputs):
        assert (root / output.path).stat().st_size == output.bytes
    # Room for the rest, which is small by now.
    smaller = [act(f"{n}", ["bytes", "1"], file=f"{n}.bin") if n >= 5 else job for n, job in enumerate(jobs[:20])]
    for n in range(5, 500):
        (root / f"{n}.bin").unlink(missing_ok=True)
    result = run(batch(root, smaller))
    assert result.exit_code == 0
    assert result.found_done >= min(done, 3)


def test_it_goes_on_by_itself_when_room_is_made(small_disk, tmp_path, monkeypatch):
    """Row: disk full: the run waits, and takes up its work when somebody makes room."""
    root = small_disk / "out"
    monkeypatch.setattr("batchlab.engine._retry.BACKOFF_S", 0.01)
    heard = []

    def listen(notice):
        heard.append(notice.kind)
        if notice.kind == "paused":
            (small_disk / "ballast").unlink()

    root.mkdir()
    fill(small_disk, leave=1_200_000)
    jobs = [act(f"{n}", ["bytes", str(MB)], file=f"{n}.bin") for n in range(4)]
    result = run(batch(root, jobs, workers=1, retries=5), listeners=[listen])
    assert {"paused", "resumed"} <= set(heard)
    assert result.exit_code == 0


def test_the_room_kept_aside_lets_the_ledger_record_on_a_disk_that_is_full_to_the_last_byte(small_disk, monkeypatch):
    root = small_disk / "out"
    monkeypatch.setattr(full_disk, "DISK_WAIT_S", 5.0)

    class FillsTheDisk(InlineExecutor):
        def events(self, timeout_s):
            found = super().events(timeout_s)
            if found and not (small_disk / "ballast").exists():
                fill(small_disk, leave=0)
            return found

    jobs = [act(f"{n}", n=n) for n in range(30)]
    made = batch(root, jobs)
    result = run(made, executor=lambda *_: FillsTheDisk(), install_signal_handlers=False)
    view = read_view(root)
    assert (result.state, view.state) == (BatchState.FAILED, BatchState.FAILED)
    assert "full" in view.runs[-1].reason
    assert view.counts["done"] >= 1
    assert not (root / ".batchlab/reserve").exists()
    (small_disk / "ballast").unlink()
    assert run(made, executor=inline).exit_code == 0
    assert (root / ".batchlab/reserve").exists()


def test_a_run_does_not_start_on_a_full_disk(small_disk):
    fill(small_disk, leave=0)
    with pytest.raises(StartError, match="room"):
        run(batch(small_disk / "out", [act("a")]), executor=inline)


def test_an_output_folder_that_is_removed_ends_the_run_and_nothing_more_is_told(tmp_path):
    """Row: the output folder vanishes: category output, at once, for a removed ledger takes commits for ever."""
    root = tmp_path / "out"
    told = []

    class Removes(InlineExecutor):
        ran = 0

        def events(self, timeout_s):
            found = super().events(timeout_s)
            self.ran += bool(found)
            if self.ran == 3 and found:
                shutil.rmtree(root)
            return found

    jobs = [act(f"{n}", ["write", "x"], file=f"{n}.txt") for n in range(20)]
    with pytest.raises(BatchlabError, match="is gone") as error:
        run(
            batch(root, jobs),
            executor=lambda *_: Removes(),
            listeners=[lambda n: told.append((n.kind, n.job))],
            install_signal_handlers=False,
        )
    assert error.value.category is Category.OUTPUT
    assert len([job for kind, job in told if kind == "job-ended"]) <= 3
    result = run(batch(root, jobs), executor=inline)
    assert result.counts["done"] == 20


@pytest.mark.parametrize("how", ["a file in its place", "read-only"])
def test_a_place_that_takes_no_outputs_trips_the_breaker(tmp_path, small_disk, how):
    """Row: the output folder becomes unwritable: category output, and the batch stops after a few."""
    root = tmp_path / "out"
    if how == "read-only":
        (root / "figures").mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(root / "figures")]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("no read-only file system can be mounted here")
    else:
        root.mkdir()
        (root / "figures").write_text("not a folder")
    try:
        jobs = [act(f"{n}", ["write", "x"], file=f"figures/{n}.txt") for n in range(100)]
        result = run(batch(root, jobs))
        view = read_view(root)
        failed = [job for job in view.jobs if str(job.state) == "failed"]
        assert {job.category for job in failed} == {"output"}
        assert 5 <= len(failed) <= 40, "those that were handed over already end as well"
        assert "5 failures in a row of category output" in result.reason
        assert view.counts["pending"] >= 60
    finally:
        if how == "read-only":
            subprocess.run(["umount", "-l", str(root / "figures")], check=True)


def test_a_folder_that_may_not_be_written_is_found_before_anything_runs(tmp_path, toys_traced):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StartError, match="cannot write there"):
        run(batch(tmp_path / "out", [act("a")]))
    assert toys_traced.count() == {}
