"""What the samples' files say reaches the analytics through the tables of their comparisons."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from batchlab.engine import Settings, read_view, run
from batchlab.spectra import Spectrum, compare_batch
from batchlab.spectra._write import write_spectrum

AXIS = np.linspace(400.0, 800.0, 301)
DAYS = (5, 1, 4, 2, 3, 8, 6, 7)


def measured(folder: Path, suffix: str = ".csv") -> list[Path]:
    """A lamp that fades from day to day, its files not in the order of the days."""
    paths = []
    for i, day in enumerate(DAYS):
        rng = np.random.default_rng(i)
        signal = (1 - 0.02 * day) * np.exp(-(((AXIS - 600) / 60) ** 2)) + rng.normal(0, 0.001, AXIS.size)
        spectrum = Spectrum(
            axis=AXIS, intensity=signal, axis_kind="wavelength", quantity="absorbance", name="the lamp",
            metadata={"measured": f"2024-03-{day:02}T10:00:00", "lamp": "A" if day % 2 else "B"},
        )  # fmt: skip
        paths.append(folder / f"run_{i}{suffix}")
        write_spectrum(paths[-1], spectrum)
    return paths


def rows_of(output: Path) -> list[dict[str, str]]:
    lines = (output / "analytics.csv").read_text().splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def test_groups_and_times_come_from_the_samples_files(tmp_path):
    files = measured(tmp_path)
    batch = compare_batch(
        files[0], files, tmp_path / "out", figure=False, settings=Settings(workers=1),
        analytics={"time_by": "measured", "group_by": "lamp"},
    )  # fmt: skip
    assert run(batch, install_signal_handlers=False).exit_code == 0
    analytics = next(job for job in read_view(batch.output).jobs if job.name == "analytics")
    assert not any("do not say when" in text for text in analytics.warnings)
    assert {row["name"]: row["group"] for row in rows_of(batch.output)} == {
        f"run_{i}": "A" if day % 2 else "B" for i, day in enumerate(DAYS)
    }
    drift = {key: value for key, value in analytics.metrics.items() if key.startswith("drift_p_")}
    assert min(drift.values()) < 0.01, drift


def test_files_of_one_spectrum_are_called_by_their_stems(tmp_path):
    from batchlab.builders import Entry, Many, One, expand_or_raise
    from batchlab.engine import Batch

    files = measured(tmp_path, ".csv.gz")
    entry = Entry(
        id="analytics", task="spectra.analytics", outputs={"figure": None, "loadings": None},
        inputs={"samples": Many(patterns=tuple(map(str, files)), literal=True), "reference": One(path=str(files[0]))},
    )  # fmt: skip
    out = tmp_path / "out"
    jobs = expand_or_raise([entry], batch="lamps", base=str(tmp_path), output=str(out))
    batch = Batch(name="lamps", output=out, jobs=jobs, settings=Settings(workers=1))
    assert run(batch, install_signal_handlers=False).exit_code == 0
    assert [row["name"] for row in rows_of(out)] == [f"run_{i}" for i in range(len(DAYS))]
