from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import benchmarks.__main__ as command
from benchmarks import _ours_particles as ours
from benchmarks._measure import ask
from benchmarks._opened import opened, telling
from benchmarks._particles_by_hand import _limits, files_of
from benchmarks._row import Row, measure_row

ROWS = ("orbits", "scale_pairs", "data_side", "unchanged", "new_limits", "extrema_memory")


@pytest.fixture
def by_hand_runs() -> None:
    if importlib.util.find_spec("cdflib") is None:
        pytest.skip("cdflib is not installed; 'make bench' installs it")


@pytest.mark.skipif(not telling(), reason="this system does not tell which files are opened")
def test_each_opening_is_counted_and_nothing_else(tmp_path: Path) -> None:
    one, other, unread = (tmp_path / name for name in ("one.cdf", "other.cdf", "unread.cdf"))
    for path in (one, other, unread):
        path.write_bytes(b"data")
    with opened([tmp_path]) as counted:
        for _ in range(40):
            one.read_bytes()
        other.read_bytes()
        unread.stat()
    other.read_bytes()
    assert counted == {"one.cdf": 40, "other.cdf": 1}


@pytest.mark.skipif(not telling(), reason="this system does not tell which files are opened")
def test_a_folder_that_is_absent_cannot_be_watched(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot be watched"), opened([tmp_path / "absent"]):
        pass


def test_limits_by_hand_are_those_of_all_samples_together() -> None:
    random = np.random.default_rng(1)
    parts = [np.sort(random.lognormal(size=size)) for size in (100, 900)]
    energies = np.array([10.0, 100.0, 1000.0])
    counts = (np.array([60, 40, 0]), np.array([500, 390, 10]))
    top, low, high = _limits([(part, np.stack([energies, each])) for part, each in zip(parts, counts, strict=True)])
    # 10 of 1000 samples lie at the last energy: 99 % are reached at the one before.
    assert top == 100.0
    assert (low, high) == pytest.approx(np.percentile(np.concatenate(parts), [1, 99]))


def test_the_script_by_hand_takes_the_files_of_its_orbits(tmp_path: Path) -> None:
    ours.write_small_orbits(2, str(tmp_path))
    _, second = ours.orbits_there(str(tmp_path))
    found = files_of(str(tmp_path), [second])
    assert set(found) == {second} and set(found[second]) == {"ees", "eeb", "ies", "ieb"}
    assert all(f"_{second}_" in path for path in found[second].values())


def test_asking_for_more_orbits_than_there_are_is_no_measurement(tmp_path: Path) -> None:
    ours.write_small_orbits(1, str(tmp_path))
    with pytest.raises(SystemExit, match="1 orbits are there, 2 are asked for"):
        ours.read(2, str(tmp_path), str(tmp_path), keep=False)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", ROWS)
def test_our_side_runs(name: str, tmp_path: Path) -> None:
    row = command.ROWS[name](True)
    sides = tuple(side for side in row.sides if not side.name.startswith("by hand"))
    measured = measure_row(Row(name=name, title="", basis=row.basis, rounds=1, sides=sides), tmp_path).measured
    assert [one.failure for one in measured] == [None] * len(sides)
    assert all(usage.left_behind == 0 for one in measured for usage in one.full)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("asked", ["_particles_alike:results", "_particles_opened:once", "_particles_opened:never"])
def test_what_rows_look_at_holds(asked: str, by_hand_runs: None) -> None:
    told = ask(f"benchmarks.{asked}", {"quick": True})
    assert [check["text"] for check in told["checks"] if check["met"] is False] == []
    assert all(table["rows"] for table in told["tables"])
