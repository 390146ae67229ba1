"""Figures of real chips: every kind is drawn, and shows what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from batchlab.devices._model import Run
from batchlab.devices._read import read_run
from batchlab.devices.plots import Facts, Look, RunFacts, plot_type
from batchlab.errors import DataError
from batchlab.figures import Line, Picture, picture_facts


@lru_cache(maxsize=1)
def runs_of(folder: Path) -> dict[tuple[str, str], list[Run]]:
    """Runs by chip and procedure, in the order they were measured."""
    found: dict[tuple[str, str], list[Run]] = {}
    for path in sorted(folder.rglob("*.csv")):
        if path.stat().st_size > 1_000_000:
            continue
        try:
            run = read_run(path)
        except DataError:  # the one file without rows
            continue
        found.setdefault((run.chip.name if run.chip else "", run.procedure), []).append(run)
    for runs in found.values():
        runs.sort(key=lambda run: str(run.start_utc))
    return found


def facts_of(runs: Sequence[Run]) -> Facts:
    return Facts(
        runs={
            run.run_id: RunFacts(
                seq=at,
                file_number=at,
                power_w=1e-6 * at,
                metrics={"cnp_voltage": 0.1 * at, "delta_current": -1e-7 * at},
            )
            for at, run in enumerate(runs, 1)
        }
    )


@pytest.mark.parametrize(
    ("name", "chip", "procedure"),
    [
        ("plot-its", "Alisson71", "It"),
        ("plot-its-sequential", "Alisson72", "It"),
        ("plot-its-suite", "Alisson71", "It"),
        ("plot-photoresponse", "Alisson72", "It"),
        ("plot-its-relaxation", "Alisson71", "It"),
        ("plot-ivg", "Alisson79", "IVg"),
        ("plot-transconductance", "Alisson72", "IVg"),
        ("plot-consecutive-sweep-diff", "Alisson71", "IVg"),
        ("plot-cnp-time", "Alisson79", "IVg"),
        ("plot-laser-calibration", "", "LaserCalibration"),
        ("plot-laser-calibration-comparison", "", "LaserCalibration"),
    ],
)
def test_every_kind_draws_real_runs(name: str, chip: str, procedure: str, shared_devices: Path, tmp_path: Path) -> None:
    runs = runs_of(shared_devices)[chip, procedure][:8]
    kind = plot_type(name)
    made = kind.draw(runs, kind.options(), Look(format="png", dpi=72), facts_of(runs))
    for sheet, table in zip(made.sheets, made.tables, strict=True):
        file = tmp_path / "a.png"
        Picture(sheet).save(file)
        assert not picture_facts(file).blank and table.rows > 0


def test_real_loops_have_differences_over_their_whole_range(shared_devices: Path) -> None:
    runs = [run for run in runs_of(shared_devices)["Alisson72", "IVg"] if run.number("vg_end_v") == 5.0][:6]
    kind = plot_type("plot-consecutive-sweep-diff")
    made = kind.draw(runs, kind.options(), Look(), Facts())
    lines = [mark for mark in made.sheets[0].plots[0].marks if isinstance(mark, Line)]
    assert len(lines) == 2 * (len(runs) - 1)
    assert min(float(np.ptp(line.x)) for line in lines) > 9.5
