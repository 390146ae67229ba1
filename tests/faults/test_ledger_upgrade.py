"""Ledgers of other versions, ledgers elsewhere, and many who read while one writes."""

import multiprocessing
import os
import sqlite3
from pathlib import Path

import pytest

from batchlab.engine import Place, inline, plan, read_view, run
from batchlab.engine import _ledger as ledger_module
from batchlab.engine import _place as place_module
from batchlab.errors import StartError
from tests.engine.toys import act, batch


@pytest.fixture
def next_version(monkeypatch):
    """As if a newer batchlab were installed, whose ledgers know one thing more."""

    def install():
        monkeypatch.setattr(ledger_module, "SCHEMA_VERSION", 2)
        monkeypatch.setattr("batchlab.engine._run.SCHEMA_VERSION", 2)
        steps = {1: "ALTER TABLE job ADD COLUMN colour TEXT; UPDATE job SET colour = 'green' WHERE state = 'done'"}
        monkeypatch.setattr(ledger_module, "_MIGRATIONS", steps)

    return install


def test_an_older_ledger_is_copied_and_brought_up_to_date(tmp_path, next_version, toys_traced):
    """Row: an upgrade between two runs: a copy is kept, nothing done is done again."""
    made = batch(tmp_path / "out", [act("a", ["write", "x"], file="a.txt"), act("b")])
    run(made, executor=inline)
    toys_traced.clear()
    next_version()
    with pytest.raises(StartError, match="older ledger; run the batch once"):
        read_view(tmp_path / "out")
    result = run(made, executor=inline)
    assert (result.found_done, result.exit_code) == (2, 0)
    assert toys_traced.count() == {}
    assert read_view(tmp_path / "out").counts["done"] == 2
    with sqlite3.connect(tmp_path / "out/.batchlab/ledger.sqlite") as db:
        assert db.execute("SELECT DISTINCT colour FROM job").fetchall() == [("green",)]
    db.close()
    with sqlite3.connect(tmp_path / "out/.batchlab/ledger.v1.sqlite") as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)
        assert copy.execute("SELECT COUNT(*) FROM job WHERE state = 'done'").fetchone() == (2,)
    copy.close()


def test_an_upgrade_that_breaks_off_leaves_the_ledger_as_it_was(tmp_path, next_version, monkeypatch):
    made = batch(tmp_path / "out", [act("a")])
    run(made, executor=inline)
    next_version()
    good = ledger_module._MIGRATIONS
    monkeypatch.setattr(ledger_module, "_MIGRATIONS", {1: good[1] + "; SELECT no_such_function()"})
    with pytest.raises(StartError, match="cannot be brought up to date"):
        run(made, executor=inline)
    monkeypatch.setattr(ledger_module, "_MIGRATIONS", good)
    assert run(made, executor=inline).found_done == 1


def test_an_older_ledger_that_is_in_use_is_not_touched(tmp_path, next_version):
    from batchlab.engine._lease import Lease
    from batchlab.engine._ledger import Ledger

    made = batch(tmp_path / "out", [act("a")])
    run(made, executor=inline)
    ledger = Ledger(tmp_path / "out/.batchlab/ledger.sqlite")
    lease = Lease(ledger)
    lease.acquire()
    next_version()
    with pytest.raises(StartError, match="being run by"):
        run(made, executor=inline)
    assert ledger._version() == 1
    lease.release()
    ledger.close()


def test_a_newer_ledger_is_refused_in_words_and_left_alone(tmp_path):
    made = batch(tmp_path / "out", [act("a")])
    run(made, executor=inline)
    file = tmp_path / "out/.batchlab/ledger.sqlite"
    with sqlite3.connect(file) as db:
        db.execute(f"PRAGMA user_version={ledger_module.SCHEMA_VERSION + 1}")
    db.close()
    before = file.read_bytes()
    for attempt in (lambda: run(made, executor=inline), lambda: plan(made), lambda: read_view(tmp_path / "out")):
        with pytest.raises(StartError, match="newer batchlab"):
            attempt()
    assert file.read_bytes() == before


def test_on_a_network_file_system_the_ledger_lies_elsewhere_and_all_goes_on_as_ever(
    tmp_path, monkeypatch, state_folder, toys_traced
):
    """Row: NFS and SMB: the ledger goes to the state folder, with a pointer in its place."""
    monkeypatch.setattr(place_module.Place.make, "__kwdefaults__", {"type_of": lambda _: "nfs4"})
    root = tmp_path / "out"
    made = batch(root, [act("a", ["write", "x"], file="a.txt"), act("b", ["fail", "numerical"])])
    assert run(made, executor=inline).exit_code == 1
    place = Place(root)
    assert place.ledger.is_relative_to(state_folder)
    assert not (place.own / "ledger.sqlite").exists()
    assert read_view(root).counts["done"] == 1
    assert [str(p.verdict) for p in plan(made).jobs] == ["skip", "run"]
    toys_traced.clear()
    assert run(made).found_done == 1
    assert toys_traced.count() == {"b": 1}
    with pytest.raises(StartError, match="belongs to"):
        run(batch(root, [act("a")], name="other"), executor=inline)


def test_a_pointer_leads_nowhere_but_to_the_state_folder(tmp_path):
    victim = tmp_path / "victim.sqlite"
    own = tmp_path / "out/.batchlab"
    own.mkdir(parents=True)
    (own / "ledger.path").write_text(f"{victim}\n")
    with pytest.raises(StartError, match="XDG_STATE_HOME"):
        run(batch(tmp_path / "out", [act("a")]), executor=inline)
    assert not victim.exists()


@pytest.mark.parametrize(
    ("line", "path", "kind"),
    [
        ("36 35 0:30 / / rw - ext4 /dev/vda rw", "/data/x", "ext4"),
        ("37 35 0:31 / /data rw shared:1 - nfs4 host:/x rw", "/data/x", "nfs4"),
        ("37 35 0:31 / /da rw - nfs4 host:/x rw", "/data/x", "ext4"),
        ("37 35 0:31 / /data/my\\040disk rw - cifs //h/x rw", "/data/my disk/y", "cifs"),
    ],
)
def test_the_file_system_is_that_of_the_nearest_mount(monkeypatch, line, path, kind):
    import io

    table = "36 35 0:30 / / rw - ext4 /dev/vda rw\n" + line + "\n"
    monkeypatch.setattr("builtins.open", lambda *a, **k: io.StringIO(table))
    assert place_module.filesystem_type(Path(path)) == kind


def look(root: str, stop, found) -> None:
    """Read again and again until the run is over; answer how often, and what was not as it should be."""
    wrong, looks, seen = [], 0, 0
    while not stop.is_set():
        try:
            view = read_view(Path(root))
        except StartError:
            if looks:
                wrong.append("the batch was there and is not any more")
            continue
        looks += 1
        done = view.counts["done"]
        if sum(view.counts.values()) != len(view.jobs):
            wrong.append("counts do not add up")
        if done < seen:
            wrong.append(f"{seen} were done, and now {done}")
        seen = done
        for job in view.jobs:
            if (
                str(job.state) == "done"
                and job.outputs
                and not all((Path(root) / o.path).is_file() for o in job.outputs)
            ):
                wrong.append(f"{job.name} is done, and its output is not there")
            if str(job.state) == "done" and job.metrics != {"n": 0}:
                wrong.append(f"{job.name} is done, and its metrics are {job.metrics}")
    found.put((looks, wrong))


def test_twenty_who_read_all_the_time_see_what_is_so_and_disturb_nobody(tmp_path):
    """Row: a dashboard must neither slow nor break a run."""
    context = multiprocessing.get_context("fork")
    stop, found = context.Event(), context.Queue()
    readers = [context.Process(target=look, args=(str(tmp_path / "out"), stop, found), daemon=True) for _ in range(20)]
    for reader in readers:
        reader.start()
    try:
        jobs = [act(str(n), ["write", "x"], file=f"{n}.txt") for n in range(60)]
        result = run(batch(tmp_path / "out", jobs))
    finally:
        stop.set()
        answers = [found.get(timeout=60) for _ in readers]
        for reader in readers:
            reader.join(60)
    assert result.exit_code == 0
    assert [wrong for _, wrong in answers if wrong] == []
    assert sum(looks for looks, _ in answers) > 20
    assert read_view(tmp_path / "out").counts["done"] == 60


def test_a_read_only_result_is_read_from_a_copy_that_is_tidied_up(tmp_path, monkeypatch):
    made = batch(tmp_path / "out", [act("a")])
    run(made, executor=inline)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and real(path, mode))
    before = sorted((tmp_path / "out/.batchlab").iterdir())
    assert read_view(tmp_path / "out").counts["done"] == 1
    assert [str(p.verdict) for p in plan(made).jobs] == ["skip"]
    assert list(temporary.iterdir()) == []
    assert sorted((tmp_path / "out/.batchlab").iterdir()) == before
