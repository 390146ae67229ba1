from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pytest

import benchmarks.__main__ as command
from benchmarks._devices_by_hand.plots import seqs_of
from benchmarks._devices_by_hand.pool import processes
from benchmarks._devices_by_hand.sweeps import legs_of
from benchmarks._measure import ask
from benchmarks._row import Row, measure_row

pl = pytest.importorskip("polars")


@pytest.fixture
def by_hand_runs():
    absent = [name for name in ("pandas", "lmfit", "pyarrow") if importlib.util.find_spec(name) is None]
    if absent:
        pytest.skip(f"{', '.join(absent)} not installed; 'make bench' installs it")


@pytest.mark.parametrize(
    ("told", "seqs"),
    [(52, [52]), ("52-54", [52, 53, 54]), ([57, 52, 57], [52, 57]), ("89-90,95,100-101", [89, 90, 95, 100, 101])],
)
def test_numbers_of_runs_are_read_as_the_batch_file_means_them(told, seqs):
    assert seqs_of(told) == seqs


def test_a_loop_has_a_whole_leg_each_way():
    v = np.concatenate([np.arange(0, -5, -1), np.arange(-5, 5), np.arange(5, -5, -1), np.arange(-5, 1)]).astype(float)
    legs = legs_of(pl.DataFrame({"Vg (V)": v, "I (A)": np.arange(v.size, dtype=float)}), "I (A)")
    # A point belongs to the leg that leads to it, and the ways from and to 0 are no legs.
    assert legs["forward"][0].tolist() == list(range(-4, 6))
    assert legs["backward"][0].tolist() == list(range(-5, 5))
    assert np.all(np.diff(legs["forward"][1]) > 0) and np.all(np.diff(legs["backward"][1]) < 0)


@pytest.mark.parametrize("fresh", [True, False])
def test_a_fresh_process_takes_one_item_alone(fresh):
    with processes(2, fresh=fresh) as mapped:
        pids = list(mapped(_pid, range(6)))
    assert os.getpid() not in pids
    assert (len(set(pids)) == 6) if fresh else (len(set(pids)) <= 2)


def _pid(number: int) -> int:
    return os.getpid()


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", ["staging", "metrics", "plots", "devices_help", "pools", "growth"])
def test_our_side_runs(name, tmp_path, by_hand_runs):
    row = command.ROWS[name](True)
    ours = tuple(side for side in row.sides if not side.name.startswith("by hand"))
    measured = measure_row(Row(name=name, title="", basis=row.basis, rounds=1, sides=ours), tmp_path).measured
    assert [one.failure for one in measured] == [None] * len(ours)
    assert all(usage.left_behind == 0 for one in measured for usage in one.full)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_both_sides_derive_the_same(by_hand_runs):
    found = ask("benchmarks._devices_alike:results", {"quick": True})
    assert [check["text"] for check in found["checks"] if not check["met"]] == []
    runs = {tuple(row[:2]): int(row[2]) for row in found["tables"][0]["rows"]}
    assert min(runs.values()) >= 3, json.dumps(sorted(map(str, runs.items())))


def test_the_small_laboratory_has_every_kind_of_value(tmp_path):
    from batchlab.devices._synthetic import write_lab
    from benchmarks._ours_devices import FEW_CHIPS, FEW_RUNS

    lab = write_lab(Path(tmp_path), chips=FEW_CHIPS, runs=FEW_RUNS, documented=False)
    assert {"IVg", "VVg", "It", "Vt", "LaserCalibration"} <= {truth.procedure for truth in lab.truths}
