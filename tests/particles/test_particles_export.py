"""Numbers for other programs hold what the spectrogram holds."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from batchlab.errors import ConfigError
from batchlab.particles._export import export
from batchlab.particles._model import Spectrogram
from batchlab.particles._read import read_spectrogram
from batchlab.particles._store import pack, unpack
from batchlab.particles._synthetic import write_mission


@pytest.fixture(scope="module")
def spectrogram(tmp_path_factory: pytest.TempPathFactory) -> Spectrogram:
    """Of a burst file with two modes."""
    mission = write_mission(tmp_path_factory.mktemp("mission"), orbits=1, records=20, instruments=("eeb",))
    return read_spectrogram(mission.truths[0].path)


def test_netcdf_is_read_by_another_library(spectrogram: Spectrogram, tmp_path: Path) -> None:
    from scipy.io import netcdf_file

    export(spectrogram, tmp_path / "a.nc", {"job": "collapse/1/eeb"})
    with netcdf_file(tmp_path / "a.nc", mmap=False) as file:
        values = np.where(file.variables["intensity"][:] > 9e36, np.nan, file.variables["intensity"][:])
        names = [b"".join(row).decode().rstrip("\x00") for row in file.variables["category_name"][:]]
        assert np.array_equal(values, spectrogram.values, equal_nan=True)
        assert tuple(names) == spectrogram.categories
        assert np.array_equal(file.variables["time_start"][:], spectrogram.times_s[:, 0])
        assert np.array_equal(file.variables["mode"][:], spectrogram.mode)
        for mode, edges in enumerate(spectrogram.energy_edges_ev):
            assert np.allclose(file.variables["energy_high"][mode, : len(edges) - 1], edges[1:], rtol=1e-6)
        assert file.variables["intensity"].units.decode() == spectrogram.unit
        assert b"collapse/1/eeb" in file.history


def test_csv_holds_each_measured_value(spectrogram: Spectrogram, tmp_path: Path) -> None:
    export(spectrogram, tmp_path / "a.csv", {"job": "collapse/1/eeb"})
    text = (tmp_path / "a.csv").read_text()
    assert "collapse/1/eeb" in text.splitlines()[1]
    rows = list(csv.reader(line for line in text.splitlines() if not line.startswith("#")))
    assert rows[0][-1] == f"{spectrogram.quantity} ({spectrogram.unit})"
    assert len(rows) - 1 == np.isfinite(spectrogram.values).sum()
    first = rows[1]
    start = datetime.fromisoformat(first[0]).timestamp()
    assert start == pytest.approx(spectrogram.times_s[0, 0], abs=1e-3)
    mode = spectrogram.mode[0]
    channel = int(np.argmin(abs(spectrogram.energies_ev[mode] - float(first[3]))))
    assert float(first[6]) == pytest.approx(float(spectrogram.values[0, 0, channel]), rel=1e-6)


def test_the_same_numbers_are_the_same_bytes(spectrogram: Spectrogram, tmp_path: Path) -> None:
    for name in ("a.nc", "b.nc", "a.csv", "b.csv"):
        export(spectrogram, tmp_path / name, {})
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_another_ending_is_refused(spectrogram: Spectrogram, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.nc or \.csv"):
        export(spectrogram, tmp_path / "a.xlsx", {})


def test_a_packed_spectrogram_is_the_same(spectrogram: Spectrogram) -> None:
    again = unpack(pack(spectrogram))
    assert np.array_equal(again.values, spectrogram.values, equal_nan=True)
    assert np.array_equal(again.times_s, spectrogram.times_s)
    assert (again.name, again.unit, again.categories) == (spectrogram.name, spectrogram.unit, spectrogram.categories)
    assert (again.dropped, again.notes) == (spectrogram.dropped, spectrogram.notes)
    for one, other in zip(again.energy_edges_ev, spectrogram.energy_edges_ev, strict=True):
        assert np.array_equal(one, other)
    with pytest.raises(ValueError, match="no packed spectrogram"):
        unpack(b"junk")
