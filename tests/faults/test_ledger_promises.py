"""A kill between any two steps: the next run finishes what was on its way, and repeats nothing that was told."""

import os

import pytest

from batchlab.engine import Conflict, inline, read_view, run
from batchlab.engine import _promote as promote
from batchlab.engine._lease import Lease
from batchlab.engine._ledger import Ledger
from batchlab.engine._records import Records
from batchlab.engine._telling import Telling
from tests.engine.toys import act, batch


class Killed(BaseException):
    """Stands for SIGKILL: nothing that comes after it in the run is done."""


@pytest.fixture(autouse=True)
def lease_is_free(monkeypatch):
    """One process plays both the dead and the next run, so the lease is simply taken."""

    def take(lease):
        with lease._ledger.writing():
            lease._write()

    monkeypatch.setattr(Lease, "acquire", take)


def jobs(version: int):
    made = [act(f"job/{n}", ["write", f"{n} {version}"], file=f"f/{n}.txt", n=version) for n in range(3)]
    folder = act("folder", ["fill", "a.txt", "b.txt"], outputs={"folder": f"many{version}/"}, n=version)
    return [*made, folder, act("plain", n=version)]


def run_until_killed(made, after: int, patch: pytest.MonkeyPatch, *, by_rename: bool) -> list[str] | None:
    """Run; die at the `after`-th step of those that change the disk; answers what was told, or None if it ended."""
    told: list[str] = []
    left = [after]

    def step(action):
        def stepped(*args, **more):
            if left[0] == 0:
                raise Killed
            result = action(*args, **more)
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return result

        return stepped

    def tell(self, case, outcome, tell_end=Telling.end):
        told.append(case.job.name)
        tell_end(self, case, outcome)

    patch.setattr(Records, "_write", step(Records._write))
    patch.setattr(
        promote, "_rename_unless_taken", step(promote._rename_unless_taken) if by_rename else lambda *_: False
    )
    for name in ("link", "replace", "unlink"):
        patch.setattr(os, name, step(getattr(os, name)))
    patch.setattr(Telling, "end", tell)
    # The dead tidy nothing up.
    patch.setattr(promote.Mover, "_take_back", lambda self, placed: None)
    patch.setattr(Records, "end", step(Records.end))
    patch.setattr(Lease, "release", lambda self: None)
    patch.setattr(Ledger, "close", lambda self: self._db.close())
    try:
        run(made, executor=inline, install_signal_handlers=False)
    except Killed:
        return told
    return None


@pytest.mark.parametrize(
    ("flush", "conflict", "by_rename"),
    [(1, Conflict.FAIL, True), (1, Conflict.FAIL, False), (4, Conflict.AUTO_INCREMENT, True)],
)
@pytest.mark.parametrize("version", [1, 2], ids=["first", "anew"])
def test_killed_after_every_single_step(tmp_path, monkeypatch, toys_traced, flush, conflict, by_rename, version):
    """Row: kill and start again: at each commit, rename, link and unlink, of a first run and of a later one."""
    for after in range(1, 200):
        root = tmp_path / str(after)
        made = batch(root, jobs(version), flush_batch_size=flush, conflict=conflict)
        if version == 2:
            before = batch(root, jobs(1), flush_batch_size=flush, conflict=conflict)
            run(before, executor=inline, install_signal_handlers=False)
        with monkeypatch.context() as patch:
            told = run_until_killed(made, after, patch, by_rename=by_rename)
        if told is None:
            break
        toys_traced.clear()
        result = run(made, executor=inline, install_signal_handlers=False)
        assert result.exit_code == 0, after
        again = toys_traced.count()
        assert [name for name in told if again[name]] == [], f"told as done, and run again (step {after})"
        assert read_view(root).counts["done"] == 5
        found = {str(p.relative_to(root)): p.read_text() for p in root.rglob("*.txt") if ".batchlab" not in p.parts}
        expected = {f"f/{n}.txt": f"{n} {version}" for n in range(3)}
        expected |= {f"many{version}/{name}": name for name in ("a.txt", "b.txt")}
        assert {path: found.get(path) for path in expected} == expected, after
        assert set(found) - set(expected) <= {"many1/a.txt", "many1/b.txt"}
        assert not any((root / ".batchlab/scratch").iterdir())
    assert 10 < after < 199
