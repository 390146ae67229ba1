"""Row of the fault table: a power cut.

What a run does to the disk is recorded as a log of operations: writes, syncs of files, syncs of folders, renames,
commits of the ledger, and what is announced. For the state of the disk after a cut, every prefix of the log is taken,
and of what was not synced by then any part may be missing. Recovery must find everything that was announced, whole.
"""

import itertools
import os
import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from batchlab.engine import Conflict, inline, run
from batchlab.engine import _promote as promote
from batchlab.engine._digest import file_digest
from batchlab.engine._records import Records
from tests.engine.toys import act, batch

CHANGES_NAMES = ("rename", "link", "unlink", "mkdir")


@dataclass
class Disk:
    """What happened to names and contents below one folder, in order."""

    root: str
    log: list[tuple] = field(default_factory=list)

    def note(self, *operation) -> None:
        self.log.append(operation)


@pytest.fixture
def record(monkeypatch):
    """Patch the seams through which the engine touches the disk, so that they keep a log."""

    def start(root: Path, *, renames: bool = True) -> Disk:
        disk = Disk(str(root.resolve()))
        real = {name: getattr(os, name) for name in ("replace", "link", "unlink", "fsync", "mkdir", "rmdir")}

        def below(path) -> str | None:
            text = os.path.abspath(os.fspath(path))
            return text if text.startswith(disk.root) else None

        def replace(a, b, **more):
            real["replace"](a, b, **more)
            if below(b):
                disk.note("rename", below(a), below(b), file_digest(b))

        def link(a, b, **more):
            real["link"](a, b, **more)
            disk.note("link", below(a), below(b), file_digest(b))

        def unlink(path, **more):
            real["unlink"](path, **more)
            if below(path):
                disk.note("unlink", below(path))

        def mkdir(path, *args, **more):
            real["mkdir"](path, *args, **more)
            if below(path):
                disk.note("mkdir", below(path))

        def fsync(descriptor):
            real["fsync"](descriptor)
            path = os.readlink(f"/proc/self/fd/{descriptor}")
            if below(path):
                disk.note("sync-folder" if os.path.isdir(path) else "sync-file", path)

        for name, fake in {"replace": replace, "link": link, "unlink": unlink, "mkdir": mkdir, "fsync": fsync}.items():
            monkeypatch.setattr(os, name, fake)
        in_one_step = promote._rename_unless_taken

        def rename_unless_taken(a, b):
            if not renames:
                return False
            done = in_one_step(a, b)
            if done:
                disk.note("rename", below(a), below(b), file_digest(b))
            return done

        monkeypatch.setattr(promote, "_rename_unless_taken", rename_unless_taken)
        commit = Records.commit

        def committed(self, beat=None):
            commit(self, beat)
            rows = self._ledger.execute(
                "SELECT job.name, job.state, output.path, output.digest, output.scratch FROM job "
                "LEFT JOIN output ON output.job = job.id"
            ).fetchall()
            disk.note("commit", rows)

        monkeypatch.setattr(Records, "commit", committed)
        return disk

    return start


def cuts(log: list[tuple], rng: random.Random):
    """Every prefix, and for each the names and contents that may be there after it; a sample where there are many."""
    for end in range(len(log) + 1):
        prefix = log[:end]
        volatile = [
            at
            for at, op in enumerate(prefix)
            if op[0] in ("rename", "link", "unlink", "mkdir") and not _synced(prefix, at)
        ]
        if len(volatile) <= 6:
            choices = itertools.product([False, True], repeat=len(volatile))
        else:
            choices = [[rng.random() < 0.5 for _ in volatile] for _ in range(48)]
            choices += [[False] * len(volatile), [True] * len(volatile)]
        for choice in choices:
            lost = {at for at, kept in zip(volatile, choice, strict=True) if not kept}
            yield prefix, _names_after(prefix, lost)


def _synced(prefix: list[tuple], at: int) -> bool:
    """Whether the change of names at this place was made to last by a later sync of the folder it is in."""
    op = prefix[at]
    folder = os.path.dirname(op[2] if op[0] in ("rename", "link") else op[1])
    return any(later[0] == "sync-folder" and later[1] == folder for later in prefix[at:])


def _names_after(prefix: list[tuple], lost: set[int]) -> dict[str, tuple[str, str]]:
    """Path -> (digest, where its content was written first); a file in a folder that is not there is not there."""
    names: dict[str, tuple[str, str]] = {}
    origin: dict[str, str] = {}
    folders_lost = {prefix[at][1] for at in lost if prefix[at][0] == "mkdir"}
    for at, op in enumerate(prefix):
        if op[0] in ("rename", "link"):
            origin[op[2]] = origin.get(op[1], op[1])
            if at not in lost:
                names[op[2]] = (op[3], origin[op[2]])
        elif op[0] == "unlink" and at not in lost:
            names.pop(op[1], None)
    return {p: v for p, v in names.items() if not any(p.startswith(f"{folder}/") for folder in folders_lost)}


@pytest.mark.parametrize("conflict", [Conflict.FAIL, Conflict.OVERWRITE])
@pytest.mark.parametrize("flush", [1, 3])
@pytest.mark.parametrize("renames", [True, False], ids=["rename", "link"])
def test_whatever_was_announced_is_there_after_any_power_cut(tmp_path, record, monkeypatch, conflict, flush, renames):
    root = tmp_path / "out"
    root.mkdir()
    jobs = [act(f"job/{n}", ["write", f"content {n}"], file=f"deep/er/{n % 2}/{n}.txt", n=n) for n in range(4)]
    jobs += [act("folder", ["fill", "a.txt", "sub/b.txt"], outputs={"folder": "many/"}), act("plain", n=9)]
    disk = record(root, renames=renames)
    told = {}

    from batchlab.engine._telling import Telling

    tell_end = Telling.end

    def announce(self, case, outcome):
        paths = {f"{disk.root}/{o.path}": o.digest for o in outcome.outputs}
        disk.note("announce", case.job.name, paths)
        told[case.job.name] = paths
        tell_end(self, case, outcome)

    monkeypatch.setattr(Telling, "end", announce)
    made = batch(root, jobs, conflict=conflict, flush_batch_size=flush)
    result = run(made, executor=inline, install_signal_handlers=False)
    assert result.exit_code == 0 and len(told) == 6
    checked = 0
    for prefix, names in cuts(disk.log, random.Random(5)):
        checked += 1
        synced_files = {op[1] for op in prefix if op[0] == "sync-file"}
        commits = [op for op in prefix if op[0] == "commit"]
        for _, job, paths in (op for op in prefix if op[0] == "announce"):
            rows = [row for row in commits[-1][1] if row[0] == job]
            assert {row[1] for row in rows} == {"done"}, f"{job} was announced before it was committed"
            for path, digest in paths.items():
                assert path in names, f"{path} was announced and its name is not sure to be there"
                found, origin = names[path]
                assert found == digest
                assert origin in synced_files, f"the content of {path} was never synced"
        # Nothing under its real name that is not whole, or that the ledger does not know to be on its way.
        known = {f"{disk.root}/{row[2]}" for commit in commits for row in commit[1] if row[2]}
        for path, (_, origin) in names.items():
            if "/.batchlab/" not in path:
                assert origin in synced_files
                assert path in known, f"{path} was put in place before the intent was recorded"
    assert checked > len(disk.log)


def test_the_folder_of_the_ledger_is_made_to_last(tmp_path, record):
    root = tmp_path / "new" / "out"
    tmp = tmp_path
    disk = record(tmp)
    run(batch(root, [act("a")]), executor=inline, install_signal_handlers=False)
    first_commit = next(at for at, op in enumerate(disk.log) if op[0] == "commit")
    synced = {op[1] for op in disk.log[:first_commit] if op[0] == "sync-folder"}
    assert {str(tmp), str(tmp / "new"), str(root), str(root / ".batchlab")} <= synced


def test_a_folder_that_cannot_be_synced_announces_nothing(tmp_path, monkeypatch):
    import errno

    from batchlab.engine import _promote, read_view

    def broken(folder):
        raise OSError(errno.EIO, os.strerror(errno.EIO), folder)

    monkeypatch.setattr(_promote, "sync_folder", broken)
    jobs = [act(str(n), ["write", "x"], file=f"{n}.txt") for n in range(20)]
    result = run(batch(tmp_path / "out", jobs), executor=inline, install_signal_handlers=False)
    view = read_view(tmp_path / "out")
    assert view.counts["done"] == 0
    assert {job.category for job in view.jobs if str(job.state) == "failed"} == {"output"}
    assert "5 failures in a row" in result.reason
    monkeypatch.undo()


def test_with_fast_durability_nothing_is_synced(tmp_path, record):
    from batchlab.engine import Durability

    root = tmp_path / "out"
    root.mkdir()
    disk = record(root)
    job = act("a", ["write", "x"], file="deep/a.txt")
    run(batch(root, [job], durability=Durability.FAST), executor=inline, install_signal_handlers=False)
    outside = [op for op in disk.log if op[0].startswith("sync") and not op[1].endswith((".batchlab", "/out"))]
    assert outside == []
    assert (root / "deep/a.txt").read_text() == "x"
