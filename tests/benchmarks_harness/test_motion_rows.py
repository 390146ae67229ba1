from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import benchmarks.__main__ as command
from benchmarks import _ours_motion as ours
from benchmarks._measure import ask
from benchmarks._motion_by_hand import _jacobian, _residuals, by_scipy, start_of
from benchmarks._row import Row, measure_row

ROWS = ("solve", "solvers", "frames", "sweep", "first_solve")


def test_derivatives_by_hand_are_differences(tmp_path: Path) -> None:
    ours._write(8, str(tmp_path))
    start = start_of(str(tmp_path))
    unknowns = np.random.default_rng(0).normal(size=6 * 8 + start.free.shape[1]) * 0.1
    step = 1e-6
    columns = [(_residuals(start, unknowns + step * each) - _residuals(start, unknowns - step * each)) / (2 * step)
               for each in np.eye(len(unknowns))]  # fmt: skip
    slopes = _jacobian(start, unknowns).toarray()
    np.testing.assert_allclose(slopes, np.stack(columns, axis=1), atol=1e-7 * np.abs(slopes).max())


def test_the_script_by_hand_and_ours_end_at_the_same_cost(tmp_path: Path) -> None:
    ours._write(60, str(tmp_path))
    fit = ours.solved(ours.read_recording(str(tmp_path)), "joint")
    found = by_scipy(str(tmp_path))
    assert found.cost == pytest.approx(fit.cost, rel=1e-5)
    mine = ours.error_mm(str(tmp_path), fit.rotations, fit.translations_m, fit.geometry_m)
    assert ours.error_mm(str(tmp_path), found.rotations, found.translations, found.geometry) == pytest.approx(
        mine, rel=0.01
    )


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", ROWS)
def test_our_side_runs(name: str, tmp_path: Path) -> None:
    row = command.ROWS[name](True)
    sides = tuple(side for side in row.sides if side.name.startswith("batchlab"))
    measured = measure_row(Row(name=name, title="", basis=row.basis, rounds=1, sides=sides), tmp_path).measured
    assert [one.failure for one in measured] == [None] * len(sides)
    assert all(usage.left_behind == 0 for one in measured for usage in one.full)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_solvers_end_alike() -> None:
    told = ask("benchmarks._motion_alike:results", {"quick": True})
    assert told["checks"] and all(check["met"] for check in told["checks"])


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("pyceres") is None, reason="pyceres is not installed; 'make bench' does")
@pytest.mark.parametrize("together", [False, True])
def test_residuals_of_markers_and_of_frames_are_alike(tmp_path: Path, together: bool) -> None:
    from benchmarks._motion_by_ceres import by_ceres

    ours._write(60, str(tmp_path))
    assert by_ceres(str(tmp_path), together).cost == pytest.approx(
        ours.solved(ours.read_recording(str(tmp_path)), "joint").cost, rel=1e-5
    )
