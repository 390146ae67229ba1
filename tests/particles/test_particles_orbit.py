from __future__ import annotations

from pathlib import Path

import cdflib
import cdflib.cdfwrite
import numpy as np
import pytest

from batchlab.particles._describe import FileKind, describe
from batchlab.particles._model import EmptyFile, InvalidCdf, MissingVariable
from batchlab.particles._orbit import read_orbit


def write_orbit(path: Path, seconds: np.ndarray, columns: dict[str, np.ndarray], *, epoch: bool = True) -> Path:
    file = cdflib.cdfwrite.CDF(path, cdf_spec={"Majority": "column_major"}, delete=True)

    def write(name: str, values: np.ndarray, kind: int, **attributes: object) -> None:
        spec = {"Variable": name, "Data_Type": kind, "Num_Elements": 1, "Rec_Vary": True, "Dim_Sizes": []}
        file.write_var(spec, var_attrs=attributes, var_data=values)

    if epoch:
        milliseconds = np.where(np.isfinite(seconds), (seconds + 62_167_219_200) * 1e3, -1e31)
        write("Epoch", milliseconds, 31, UNITS="ms", FILLVAL=-1e31)
    else:
        write("unix_time", seconds, 45, FILLVAL=-1e31)
    for name, values in columns.items():
        write(name, values.astype(np.float32), 44, DEPEND_0="Epoch", FILLVAL=np.float32(-1e31))
    file.close()
    return path


def orbit_columns(count: int) -> dict[str, np.ndarray]:
    return {
        "ilat": np.linspace(-80, 80, count),
        "flat": np.linspace(-75, 75, count),
        "mlt": (23.0 + np.linspace(0, 3, count)) % 24,
        "alt": np.linspace(350, 4_000, count),
        "flng": (np.linspace(170, 200, count) + 180) % 360 - 180,
        "orbit": np.full(count, 13_616.0),
    }


@pytest.mark.parametrize("epoch", [True, False])
def test_an_orbit_file_tells_where_the_spacecraft_was(tmp_path: Path, epoch: bool) -> None:
    seconds = 951_000_000.0 + 20.0 * np.arange(41)
    columns = orbit_columns(41)
    path = write_orbit(tmp_path / "fa_k0_orb_13616_v01.cdf", seconds, columns, epoch=epoch)
    track = read_orbit(path)
    np.testing.assert_allclose(track.times_s, seconds)
    assert track.orbit == 13_616
    for name, values in (
        ("ilat", track.ilat_deg),
        ("mlt", track.mlt_h),
        ("alt", track.alt_km),
        ("flat", track.flat_deg),
    ):
        np.testing.assert_allclose(values, columns[name], rtol=1e-6)
    assert describe(path).kind is FileKind.ORBIT


def test_places_between_records_go_the_short_way_round(tmp_path: Path) -> None:
    seconds = 951_000_000.0 + 20.0 * np.arange(41)
    track = read_orbit(write_orbit(tmp_path / "k0.cdf", seconds, orbit_columns(41)))
    between = track.at(seconds[:-1] + 10)
    hours = 23.0 + 3.0 * (np.arange(40) + 0.5) / 40
    np.testing.assert_allclose(between.mlt_h, hours % 24, atol=1e-5)
    degrees = 170.0 + 30.0 * (np.arange(40) + 0.5) / 40
    np.testing.assert_allclose(between.flng_deg, (degrees + 180) % 360 - 180, atol=1e-4)
    np.testing.assert_allclose(between.alt_km, 350 + 3_650 * (np.arange(40) + 0.5) / 40, rtol=1e-6)
    np.testing.assert_allclose(track.at(seconds).ilat_deg, track.ilat_deg)


def test_outside_the_file_and_in_gaps_no_place_is_told(tmp_path: Path) -> None:
    seconds = 951_000_000.0 + np.concatenate([20.0 * np.arange(10), 2_000 + 20.0 * np.arange(10)])
    track = read_orbit(write_orbit(tmp_path / "k0.cdf", seconds, orbit_columns(20)))
    wanted = np.array([seconds[0] - 1, seconds[9] + 100, seconds[9], seconds[10], seconds[-1] + 1])
    np.testing.assert_array_equal(np.isfinite(track.at(wanted).alt_km), [False, False, True, True, False])


def test_hemispheres_are_told_by_the_foot_else_by_the_invariant_latitude(tmp_path: Path) -> None:
    seconds = 951_000_000.0 + 20.0 * np.arange(41)
    columns = orbit_columns(41)
    columns["flat"] = np.where(np.arange(41) < 10, -1e31, columns["flat"])
    track = read_orbit(write_orbit(tmp_path / "k0.cdf", seconds, columns))
    np.testing.assert_array_equal(track.south(seconds), np.arange(41) < 20)
    assert track.south(np.array([0.0]))[0] and not track.south(np.array([2e9]))[0]


def test_records_out_of_order_and_without_time_are_mended(tmp_path: Path) -> None:
    seconds = 951_000_000.0 + 20.0 * np.array([3, 1, 2, np.nan, 0])
    track = read_orbit(write_orbit(tmp_path / "k0.cdf", seconds, {"alt": np.array([3.0, 1, 2, 9, 0])}))
    np.testing.assert_array_equal(track.alt_km, [0.0, 1, 2, 3])
    assert np.isnan(track.ilat_deg).all()
    assert track.orbit is None
    with pytest.raises(MissingVariable, match="latitude"):
        track.south(seconds)


def test_what_is_no_orbit_file_says_so(tmp_path: Path, shared_particles: Path) -> None:
    with pytest.raises(MissingVariable, match="no orbit file"):
        read_orbit(shared_particles / "ge_k0_cpi_19921231_v02.cdf")
    with pytest.raises(EmptyFile):
        read_orbit(write_orbit(tmp_path / "k0.cdf", np.full(3, np.nan), {"alt": np.ones(3)}))
    text = tmp_path / "text.cdf"
    text.write_text("not found")
    with pytest.raises(InvalidCdf):
        read_orbit(text)
