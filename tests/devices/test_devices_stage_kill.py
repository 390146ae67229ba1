from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from batchlab.devices._inspect import validate_manifest
from batchlab.devices._stage import stage
from batchlab.devices._store import Store
from batchlab.devices._synthetic import write_lab
from batchlab.errors import DataError

# Dies by SIGKILL before its n-th call of what changes the disk; tells the number of calls if it lives.
CHILD = """
import os, pathlib, signal, sys
import polars
from batchlab.devices._stage import stage
raw, store, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
calls = 0
def deadly(real):
    def call(*args, **kwargs):
        global calls
        calls += 1
        if calls == n:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)
    return call
os.replace, os.fsync = deadly(os.replace), deadly(os.fsync)
for name in ("replace", "unlink", "write_bytes"):
    setattr(pathlib.Path, name, deadly(getattr(pathlib.Path, name)))
polars.DataFrame.write_parquet = deadly(polars.DataFrame.write_parquet)
stage(raw, store)
print(calls)
"""


@pytest.fixture(scope="module")
def states(tmp_path_factory):
    """Raw files before and after a correction, and what the store holds of each."""
    folder = tmp_path_factory.mktemp("states")
    lab = write_lab(folder / "lab", chips=1, runs=6, documented=False, interval_s=2.0, step_v=0.5)
    after = folder / "after"
    shutil.copytree(lab.raw_root, after)
    path = sorted(after.rglob("IVg*.csv"))[0]
    path.write_bytes(path.read_bytes().replace(b",", b",1", 1) + b"9.0,1e-06,nan,nan,nan\r\n")
    (after / "empty.csv").touch()
    held = {}
    for name, raw in (("before", lab.raw_root), ("after", after)):
        stage(raw, folder / f"store-{name}")
        held[name] = read_all(folder / f"store-{name}")
    assert held["before"] != held["after"]
    return lab.raw_root, after, folder / "store-before", held


def read_all(root: Path) -> dict[str, tuple[object, ...]]:
    """Everything a reader of the store can see, by raw file."""
    store = Store(root)
    runs = {run.run_id: {n: c.tobytes() for n, c in run.columns.items()} for run in store.runs()}
    columns = ("source_file", "status", "reason", "run_id", "offset", "rows", "settings")
    return {row[0]: (*row, runs.get(row[3])) for row in store.manifest().select(columns).iter_rows()}


def test_killed_at_any_instant_a_store_is_the_old_or_the_new_one(states, tmp_path):
    _, raw, before, held = states
    seen = set()
    n = 0
    while True:
        n += 1
        store = tmp_path / f"{n}"
        shutil.copytree(before, store)
        child = subprocess.run(
            [sys.executable, "-c", CHILD, raw, store, str(n)], capture_output=True, text=True, timeout=60, check=False
        )
        if child.returncode == 0:
            assert int(child.stdout) == n - 1  # every call has been the last one once
            break
        assert child.returncode == -signal.SIGKILL, child.stderr
        found = read_all(store)
        assert found in (held["before"], held["after"])
        assert not [line for line in validate_manifest(store) if "raw files" not in line]
        seen.add("before" if found == held["before"] else "after")
        stage(raw, store)
        assert read_all(store) == held["after"]
        left = [path.name for path in store.rglob("*") if path.is_file()]
        assert not [name for name in left if name.endswith(".tmp")] and len(left) == len(set(left))
        assert sorted(path.name for path in (store / "runs").iterdir()) == sorted(
            name.removeprefix("runs/") for name in Store(store).table["data_file"].unique()
        )
    assert seen == {"before", "after"} and n > 8


def test_who_reads_while_it_is_staged_sees_one_of_the_states(states, tmp_path):
    raw_before, raw_after, before, held = states
    store = tmp_path / "store"
    shutil.copytree(before, store)
    done = threading.Event()
    wrong: list[object] = []
    seen = 0

    def read() -> None:
        nonlocal seen
        while not done.is_set() or not seen:
            try:
                found = read_all(store)
            except DataError as error:
                # The store was replaced between opening and reading, and a run is no longer in it: told as such.
                if error.reason != "no-such-run":
                    wrong.append(error)
                continue
            seen += 1
            if found not in (held["before"], held["after"]):
                wrong.append(found)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(10):
            stage(raw_after, store)
            stage(raw_before, store)
    finally:
        done.set()
        reader.join(60)
    assert seen and not wrong
