from __future__ import annotations

from pathlib import Path

import cdflib
import cdflib.cdfwrite
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.errors import DataError
from batchlab.particles._describe import FileKind, describe
from batchlab.particles._generic import solid_angles
from batchlab.particles._istp import tidy_unit
from batchlab.particles._model import Collapse, EmptyFile, MissingVariable, PitchCategory, Quantity
from batchlab.particles._pitch_spectrogram import EnergyBand, read_pitch_spectrogram
from batchlab.particles._read import read_spectrogram, read_times

HOPE = "rbspa_rel04_ect-hope-PA-L3_20121201_v0.0.0.cdf"
EPT = "solo_L2_epd-ept-north-hcad_20200713_V02.cdf"
GEOTAIL = "ge_k0_cpi_19921231_v02.cdf"


def masked(file: cdflib.CDF, name: str) -> np.ndarray:
    values = np.array(file.varget(name), float)
    values[values == file.varattsget(name)["FILLVAL"]] = np.nan
    return values


def test_tables_of_hope_alternate_as_in_the_file(shared_particles: Path) -> None:
    found = read_spectrogram(shared_particles / HOPE, variable="FEDU")
    energies = masked(cdflib.CDF(shared_particles / HOPE), "HOPE_ENERGY_Ele")
    assert [len(table) for table in found.energies_ev] == [72, 9]
    changes = np.flatnonzero(np.diff(found.mode)) + 1
    assert (len(changes), changes[0]) == (18, 9)
    np.testing.assert_array_equal(changes, np.flatnonzero(np.any(np.diff(energies, axis=0) != 0, axis=1)) + 1)
    for record in range(100):
        np.testing.assert_allclose(found.energies_ev[found.mode[record]], np.unique(energies[record]))


@pytest.mark.parametrize(("name", "energy"), [("FEDU", "HOPE_ENERGY_Ele"), ("FPDU", "HOPE_ENERGY_Ion")])
def test_directions_of_hope_are_averaged_without_its_rows_of_fill(
    shared_particles: Path, name: str, energy: str
) -> None:
    file = cdflib.CDF(shared_particles / HOPE)
    flux, energies, pitch = masked(file, name), masked(file, energy), np.array(file.varget("PITCH_ANGLE"), float)
    assert np.isnan(flux[:, [0, 10]]).all()
    category = PitchCategory(name="mid", ranges_deg=((40.0, 140.0),))
    found = read_spectrogram(
        shared_particles / HOPE, variable=name, categories=[category], collapse=Collapse.SOLID_ANGLE_MEAN
    )
    middle = 0.5 * (pitch[1:] + pitch[:-1])
    rings = -np.diff(np.cos(np.radians([0.0, *middle, 180.0])))
    taken = (pitch >= 40) & (pitch <= 140)
    for record in range(0, 100, 3):
        known = np.isfinite(flux[record, taken])
        weights = rings[taken][:, None] * known
        each = np.nansum(flux[record, taken] * weights, axis=0) / weights.sum(axis=0)
        expected = [each[energies[record] == level].mean() for level in np.unique(energies[record])]
        np.testing.assert_allclose(found.values[0, record, : len(expected)], expected, rtol=1e-5)
    down = PitchCategory(name="along", ranges_deg=((0.0, 10.0),))
    alone = read_spectrogram(shared_particles / HOPE, variable=name, categories=[down])
    assert np.isnan(alone.values).all()
    assert found.dropped.fill == int(np.isnan(flux).sum())


def test_electrons_and_ions_of_hope_have_their_own_times(shared_particles: Path) -> None:
    file = cdflib.CDF(shared_particles / HOPE)
    for name, epoch in (("FEDU", "Epoch_Ele"), ("FPDU", "Epoch_Ion")):
        centre = cdflib.cdfepoch.unixtime(file.varget(epoch))
        half = np.array(file.varget(f"{epoch}_DELTA"), float) / 1e3
        times = read_times(shared_particles / HOPE, variable=name)
        np.testing.assert_allclose(times, np.stack([centre - half, centre + half], axis=1), atol=1e-5, rtol=0)
    assert abs(centre - cdflib.cdfepoch.unixtime(file.varget("Epoch_Ele"))).min() > 5


@pytest.mark.parametrize(("name", "bins", "channels"), [("Ion_Flux", "Ion", 12), ("Electron_Flux", "Electron", 17)])
def test_ept_has_the_edges_times_and_gap_of_its_file(
    shared_particles: Path, name: str, bins: str, channels: int
) -> None:
    file = cdflib.CDF(shared_particles / EPT)
    found = read_spectrogram(shared_particles / EPT, variable=name)
    assert (found.categories, len(found.energies_ev), found.values.shape) == (("all",), 1, (1, 39_784, channels))
    low, width = (np.array(file.varget(f"{bins}_Bins_{word}"), float) * 1e6 for word in ("Low_Energy", "Width"))
    np.testing.assert_allclose(found.energy_edges_ev[0][:-1], low, rtol=1e-3)
    np.testing.assert_allclose(found.energy_edges_ev[0][-1], low[-1] + width[-1], rtol=1e-6)
    np.testing.assert_array_equal(found.values[0], masked(file, name).astype(np.float32))
    start = cdflib.cdfepoch.unixtime(file.varget("EPOCH"))
    end = start + file.varget("DELTA_EPOCH")  # seconds from the start, five where the spacecraft was far
    np.testing.assert_allclose(found.times_s, np.stack([start, end], axis=1), atol=3e-6, rtol=0)
    gap = np.max(found.times_s[1:, 0] - found.times_s[:-1, 1])
    assert gap / 3_600 == pytest.approx(12.2, abs=0.05)
    assert found.unit == "particles / (s cm² sr MeV)"
    assert 0.004 < found.dropped.fraction < 0.006


def test_flux_by_energy_becomes_energy_flux_on_wish(shared_particles: Path) -> None:
    plain = read_spectrogram(shared_particles / HOPE, variable="FPDU")
    number = read_spectrogram(shared_particles / HOPE, variable="FPDU", quantity=Quantity.NUMBER_FLUX)
    energy = read_spectrogram(shared_particles / HOPE, variable="FPDU", quantity=Quantity.ENERGY_FLUX)
    assert (plain.unit, energy.unit) == ("s⁻¹ cm⁻² ster⁻¹ keV⁻¹", "eV/(cm² s sr eV)")
    np.testing.assert_allclose(number.values, plain.values / 1e3, rtol=1e-5)
    np.testing.assert_allclose(energy.values, plain.values / 1e3 * plain.energies_ev[0], rtol=1e-5)
    ept = read_spectrogram(shared_particles / EPT, quantity=Quantity.NUMBER_FLUX)
    np.testing.assert_allclose(ept.values, read_spectrogram(shared_particles / EPT).values / 1e6, rtol=1e-5)


def test_what_cannot_be_turned_into_a_quantity_says_so(shared_particles: Path) -> None:
    with pytest.raises(DataError, match="cannot be turned into counts"):
        read_spectrogram(shared_particles / HOPE, variable="FEDU", quantity=Quantity.COUNTS)
    counts = read_spectrogram(shared_particles / HOPE, variable="Counts_E", quantity=Quantity.COUNTS)
    assert counts.quantity == "Counts"


def test_the_likeliest_variable_is_named_first(shared_particles: Path) -> None:
    hope, ept, geotail = (describe(shared_particles / name) for name in (HOPE, EPT, GEOTAIL))
    assert {variable.name for variable in hope.variables[:2]} == {"FPDU", "FEDU"}
    assert (hope.variables[0].energies, hope.variables[0].directions) == (72, 11)
    assert [variable.name for variable in ept.variables[:2]] == ["Ion_Flux", "Electron_Flux"]
    assert (geotail.kind, geotail.records, geotail.variables) == (FileKind.OTHER, 1090, ())
    assert hope.start_s is not None and ept.end_s is not None
    assert str(np.datetime64(int(hope.start_s), "s")).startswith("2012-11-30T23:59:59")
    assert str(np.datetime64(int(ept.end_s), "s")).startswith("2020-07-1")


def test_pitch_bins_of_hope_are_its_own(shared_particles: Path) -> None:
    found = read_pitch_spectrogram(
        shared_particles / HOPE, variable="FPDU", bands=[EnergyBand(low_ev=1_000, high_ev=10_000)]
    )
    assert found.values.shape == (1, 100, 11)
    file = cdflib.CDF(shared_particles / HOPE)
    flux, energies = masked(file, "FPDU")[7], masked(file, "HOPE_ENERGY_Ion")[7]
    taken = np.flatnonzero((energies >= 1_000) & (energies < 10_000))
    edges = np.sqrt(energies[1:] * energies[:-1])
    widths = edges[taken] - edges[taken - 1]
    expected = (flux[:, taken] * widths).sum(axis=1) / widths.sum()
    np.testing.assert_allclose(found.values[0, 7], expected, rtol=2e-2)
    assert np.isnan(found.values[0, :, [0, 10]]).all()


def test_a_file_of_other_things_has_no_spectrogram(shared_particles: Path) -> None:
    with pytest.raises(MissingVariable, match="by time and energy"):
        read_spectrogram(shared_particles / GEOTAIL)
    with pytest.raises(MissingVariable, match="axis of energy"):
        read_spectrogram(shared_particles / GEOTAIL, variable="SW_V")


def write_unseen(
    path: Path, *, energy: np.ndarray, pitch: np.ndarray, flux: np.ndarray, unit: str, order: str = "pitch-energy"
) -> Path:
    file = cdflib.cdfwrite.CDF(path, delete=True)

    def write(name: str, values: np.ndarray, kind: int, varies: bool, **attributes: object) -> None:
        sizes = list(values.shape[1:] if varies else values.shape)
        spec = {"Variable": name, "Data_Type": kind, "Num_Elements": 1, "Rec_Vary": varies, "Dim_Sizes": sizes}
        file.write_var(spec, var_attrs=attributes, var_data=values)

    parts = [[2020, 1, 1, 0, 0, k, 0, 0, 0] for k in range(len(flux))]
    write("Epoch", np.array(cdflib.cdfepoch.compute_tt2000(parts)), 33, True, UNITS="ns")
    write("channel_energy", energy, 45, energy.ndim == 2, UNITS=unit, FILLVAL=-1e31)
    write("pitch_angle", pitch, 45, pitch.ndim == 2, UNITS="deg", FILLVAL=-1e31)
    axes = {"DEPEND_1": "pitch_angle", "DEPEND_2": "channel_energy"}
    if order == "energy-pitch":
        axes, flux = {"DEPEND_2": "pitch_angle", "DEPEND_1": "channel_energy"}, np.swapaxes(flux, 1, 2)
    attributes = {"UNITS": "keV/(cm^2 s sr keV)", "FILLVAL": np.float32(-1e31), "VALIDMIN": np.float32(0), **axes}
    write("jE", flux.astype(np.float32), 44, True, DEPEND_0="Epoch", **attributes)
    file.close()
    return path


@pytest.mark.parametrize("order", ["pitch-energy", "energy-pitch"])
@pytest.mark.parametrize("direction", [1, -1])
def test_axes_come_in_any_order(tmp_path: Path, order: str, direction: int) -> None:
    random = np.random.default_rng(2)
    energy, pitch = np.geomspace(0.01, 30, 7)[::direction], np.array([10.0, 50, 90, 130, 170])
    flux = random.uniform(1, 9, (6, 5, 7))
    flux[2, 3, 4], flux[1, 0, 0] = np.nan, -5.0
    path = write_unseen(tmp_path / "unseen.cdf", energy=energy, pitch=pitch, flux=flux, unit="keV", order=order)
    found = read_spectrogram(path, collapse=Collapse.MEAN)
    np.testing.assert_allclose(found.energies_ev[0], np.geomspace(10, 30_000, 7))
    held = np.where(flux < 0, np.nan, flux)
    expected = np.nanmean(held, axis=1)[:, ::direction]
    np.testing.assert_allclose(found.values[0], expected, rtol=1e-5)
    np.testing.assert_allclose(found.values[1], held[:, 0, ::direction], rtol=1e-5)
    assert (found.dropped.fill, found.dropped.out_of_range) == (1, 1)
    assert str(np.datetime64(int(found.times_s[3].mean()), "s")) == "2020-01-01T00:00:03"
    as_number = read_spectrogram(path, quantity=Quantity.NUMBER_FLUX, collapse=Collapse.MEAN)
    np.testing.assert_allclose(as_number.values[0] * found.energies_ev[0], found.values[0], rtol=1e-5)


def test_pitch_angles_may_differ_by_record(tmp_path: Path) -> None:
    pitch = np.array([[10.0, 90.0], [90.0, 10.0], [90.0, 100.0]])
    flux = np.array([[[1.0], [2.0]], [[3.0], [4.0]], [[5.0], [6.0]]]) * np.ones((3, 2, 4))
    path = write_unseen(tmp_path / "p.cdf", energy=np.geomspace(1, 8, 4), pitch=pitch, flux=flux, unit="keV")
    found = read_spectrogram(path)
    np.testing.assert_array_equal(found.values[1, :, 0], [1.0, 4.0, np.nan])
    np.testing.assert_array_equal(found.values[3, :, 0], [2.0, 3.0, 5.5])
    assert any("differ by record" in note for note in found.notes)


def test_records_without_energies_are_left_out(tmp_path: Path) -> None:
    energy = np.tile(np.geomspace(1, 8, 4), (3, 1))
    energy[1] = -1e31
    path = write_unseen(
        tmp_path / "e.cdf", energy=energy, pitch=np.array([45.0, 135.0]), flux=np.ones((3, 2, 4)), unit="keV"
    )
    found = read_spectrogram(path)
    assert (len(found.times_s), found.dropped.invalid, found.dropped.cells) == (2, 1, 16)
    empty = write_unseen(
        tmp_path / "n.cdf",
        energy=np.full((3, 4), -1e31),
        pitch=np.array([45.0, 90]),
        flux=np.ones((3, 2, 4)),
        unit="eV",
    )
    with pytest.raises(EmptyFile, match="time and energies"):
        read_spectrogram(empty)


def test_energies_that_drift_a_little_share_tables(tmp_path: Path) -> None:
    drift = np.geomspace(1, 8, 4) * (1 + 1e-5 * np.arange(400))[:, None]
    path = write_unseen(
        tmp_path / "d.cdf", energy=drift, pitch=np.array([45.0, 135.0]), flux=np.ones((400, 2, 4)), unit="keV"
    )
    found = read_spectrogram(path)
    assert len(found.energies_ev) <= 255
    shown = np.array([found.energies_ev[mode] for mode in found.mode])
    np.testing.assert_allclose(shown, drift * 1e3, rtol=2e-3)
    assert any("one table" in note for note in found.notes)


@given(st.lists(st.floats(0, 180), min_size=1, max_size=30, unique=True))
def test_solid_angles_make_up_the_sphere(pitch: list[float]) -> None:
    assert solid_angles(np.array(pitch)).sum() == pytest.approx(4 * np.pi)


@given(st.lists(st.floats(0, 359.9), min_size=2, max_size=30, unique=True))
def test_solid_angles_of_a_whole_turn_make_up_the_sphere(pitch: list[float]) -> None:
    shares = solid_angles(np.array([*pitch, np.nan]))
    assert shares.sum() == pytest.approx(4 * np.pi)
    assert shares[-1] == 0


@pytest.mark.parametrize(
    ("unit", "tidy"),
    [
        ("s!E-1!Ncm!E-2!Nster!E-1!NkeV!E-1!N", "s⁻¹ cm⁻² ster⁻¹ keV⁻¹"),
        ("particles / (s cm^2 sr MeV)", "particles / (s cm² sr MeV)"),
        ("cm!U-2!N", "cm⁻²"),
        (" ", ""),
        ("eV/(cm^2-s-sr-eV)", "eV/(cm²-s-sr-eV)"),
    ],
)
def test_units_are_written_as_people_write_them(unit: str, tidy: str) -> None:
    assert tidy_unit(unit) == tidy
