"""The synthetic mission: files as the archive's, readable by others' libraries, and true to what it says of itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from batchlab.errors import ConfigError
from batchlab.particles._events import read_events
from batchlab.particles._files import find_files
from batchlab.particles._model import INSTRUMENTS, Collapse, Quantity
from batchlab.particles._read import read_spectrogram
from batchlab.particles._synthetic import Column, Mission, one_bright_cell, write_cdf, write_mission
from batchlab.particles._synthetic._orbit_file import orbit_track
from batchlab.particles._synthetic._tables import SHAPES, decode, encode, flight_tables

cdflib = pytest.importorskip("cdflib", reason="an independent reader of CDF files")
pycdfpp = pytest.importorskip("pycdfpp", reason="another independent reader of CDF files")

_RECORDS = 50
_FILL = np.float32(-1e31)


@pytest.fixture(scope="module")
def mission(tmp_path_factory: pytest.TempPathFactory) -> Mission:
    return write_mission(tmp_path_factory.mktemp("mission"), orbits=6, records=_RECORDS)


def test_what_is_written_reads_the_same_with_two_libraries(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    columns = [
        Column(name="epoch", values=np.array([0.0, 951_782_400.25]), is_epoch=True, attributes={"UNITS": "ms"}),
        *(
            Column(name=f"of_{kind}", values=rng.integers(0, 100, (2, 7, 5)).astype(kind))
            for kind in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "f4", "f8")
        ),
        Column(name="large", values=rng.normal(size=(300, 64, 96)).astype("f4"), attributes={"FILLVAL": _FILL}),
        Column(name="big_endian", values=np.arange(200, dtype=">f8").reshape(100, 2)),
        Column(name="turned", values=np.arange(600, dtype="i4").reshape(20, 30).T),
        Column(name="nothing", values=np.empty((0, 4), np.float32)),
        Column(name="table", values=rng.normal(size=(3, 4)), constant=True),
        Column(name="number", values=np.array(-7, np.int16), constant=True),
        Column(name="text", values="FAST"),
        Column(name="texts", values=["a", "bcd"]),
    ]
    write_cdf(tmp_path / "new" / "a.cdf", columns, {"TITLE": "of all kinds"})
    oracle = cdflib.CDF(tmp_path / "new" / "a.cdf")
    other = pycdfpp.load(str(tmp_path / "new" / "a.cdf"))
    assert oracle.cdf_info().zVariables == [column.name for column in columns]
    assert oracle.globalattsget() == {"TITLE": ["of all kinds"]}
    assert oracle.varattsget("large") == {"FILLVAL": _FILL}
    assert list(oracle.varget("epoch")) == [62_167_219_200_000.0, 63_119_001_600_250.0]
    for column in columns[1:-4]:
        assert isinstance(column.values, np.ndarray)
        for read in (oracle.varget(column.name), other[column.name].values):
            assert read.dtype.newbyteorder("=") == column.values.dtype.newbyteorder("=")
            np.testing.assert_array_equal(read, column.values, err_msg=column.name)
    np.testing.assert_array_equal(oracle.varget("table"), columns[-4].values)
    assert (oracle.varget("number"), oracle.varget("text")) == (-7, "FAST")
    assert [each.strip() for each in oracle.varget("texts")] == ["a", "bcd"]


def test_tables_are_those_of_the_missions_master(shared_particles: Path) -> None:
    master = cdflib.CDF(shared_particles / "fa_esa_l2_eeb_00000000_v01.cdf")
    tables = flight_tables(burst=True)
    for name, far in (("energy", 1e-5), ("denergy", 1e-5), ("theta", 1e-5), ("dtheta", 0.0), ("eff", 0.03)):
        np.testing.assert_allclose(getattr(tables, name), master.varget(name), rtol=far, err_msg=name)
    assert tables.gf.shape == master.varget("gf").shape


def test_variables_are_the_archives(mission: Mission, shared_particles: Path) -> None:
    master = cdflib.CDF(shared_particles / "fa_esa_l2_eeb_00000000_v01.cdf")
    ours = cdflib.CDF(mission.truth(mission.orbits[0], "eeb").path)
    # The master's virtual variables and the labels of its axes hold nothing.
    left_out = {"eflux_movie", "eflux_byE_atA", "eflux_byA_atE", "pitch_angle_median", "energy_median"}
    for name in set(master.cdf_info().zVariables) - left_out:
        if "labl" in name or name.startswith("compno"):
            continue
        theirs, own = master.varinq(name), ours.varinq(name)
        assert own.Rec_Vary == theirs.Rec_Vary, name
        if theirs.Data_Type_Description != "CDF_CHAR":
            assert (own.Data_Type, own.Dim_Sizes) == (theirs.Data_Type, theirs.Dim_Sizes), name


def test_a_file_is_true_to_its_truth(mission: Mission) -> None:
    for truth in (mission.truth(mission.orbits[0], name) for name in INSTRUMENTS):
        file = cdflib.CDF(truth.path)
        get = file.varget
        np.testing.assert_array_equal(get("time_start"), truth.times_s[:, 0])
        np.testing.assert_array_equal(get("time_end"), truth.times_s[:, 1])
        np.testing.assert_allclose(get("time_unix"), truth.times_s.mean(axis=1), rtol=0, atol=1e-6)
        np.testing.assert_allclose(get("epoch") / 1e3 - 62_167_219_200, get("time_unix"), rtol=0, atol=1e-4)
        np.testing.assert_array_equal(get("mode_ind"), truth.mode)
        np.testing.assert_array_equal(decode(get("data")).sum(axis=1), truth.counts_by_energy)
        np.testing.assert_array_equal(get("valid") == 1, truth.valid)
        np.testing.assert_array_equal(get("data_quality") != 0, truth.flagged)
        assert set(np.unique(truth.mode)) == ({0, 1} if truth.instrument.endswith("s") else {0, 2})
        assert np.flatnonzero(np.diff(truth.mode.astype(int))).tolist() == [round(0.7 * _RECORDS) - 1]
        assert (np.diff(truth.times_s[:, 0]) > 0).all()
        for record in (0, _RECORDS - 1):
            mode = int(truth.mode[record])
            angles, energies = SHAPES[mode]
            used = np.zeros((64, 96), bool)
            used[:angles, :energies] = True
            eflux, pitch = get("eflux")[record], get("pitch_angle")[record]
            assert (eflux[~used] == _FILL).all() and (eflux[used] >= 0).all()
            assert (get("data")[record][~used] == 0).all()
            turned = (get("theta")[mode, :angles, :energies] + truth.theta_shift_deg[record]) % 360
            off = np.abs(pitch[:angles, :energies] - turned)
            assert np.minimum(off, 360 - off).max() < 1e-3
            # What the specification says flux is made of, from the file's own calibration.
            counts = decode(get("data")[record, :angles, :energies]).astype(float)
            dt, place = get("time_integ")[record], int(get("gf_ind")[record])
            gf = get("gf")[place] if get("gf").ndim == 3 else get("gf")
            factor = get("geom_factor")[record] * gf[:angles, :energies] * get("eff")[mode, :angles, :energies] * dt
            flux = counts / np.maximum(1 - get("dead") * counts / dt, 0.1) / factor
            np.testing.assert_allclose(eflux[used].reshape(angles, energies), flux, rtol=1e-5)
            solid = get("domega")[record, :angles, :energies]
            np.testing.assert_allclose(solid.sum(axis=0), 4 * np.pi, rtol=1e-3)


def test_the_beam_peaks_where_the_truth_says(mission: Mission) -> None:
    truth = mission.truth(mission.orbits[0], "ees")
    energies = cdflib.CDF(truth.path).varget("energy")
    for record in range(_RECORDS):
        table = energies[int(truth.mode[record]), 0]
        above = (table > 250) & (table < 30_000)
        peak = table[above][np.argmax(truth.counts_by_energy[record][above])]
        assert abs(np.log(peak / truth.beam_ev[record])) < 0.35


def test_beams_come_down_in_both_hemispheres(mission: Mission) -> None:
    for orbit in mission.orbits[:3]:
        truth = mission.truth(orbit, "ees")
        file = cdflib.CDF(truth.path)
        pitch, flux = file.varget("pitch_angle")[5, :32, 1:48], file.varget("eflux")[5, :32, 1:48]
        toward = np.cos(np.deg2rad(pitch)) * (-1 if truth.south else 1)
        assert flux[toward > 0.9].mean() > 3 * flux[toward < -0.9].mean()
    assert [mission.truth(orbit, "ees").south for orbit in mission.orbits] == [False, False, True] * 2


def test_survey_has_a_long_gap_and_bursts_have_several(mission: Mission) -> None:
    survey, burst = (mission.truth(mission.orbits[0], name) for name in ("ees", "eeb"))
    assert np.diff(survey.gaps_s, axis=1)[:, 0] == pytest.approx([260.0], abs=1e-3)
    assert len(burst.gaps_s) == 5
    assert np.diff(burst.gaps_s, axis=1).max() >= 260.0


def test_the_same_seed_writes_the_same_bytes_in_any_company(tmp_path: Path) -> None:
    many = write_mission(tmp_path / "many", orbits=2, records=20)
    one = write_mission(tmp_path / "one", orbits=1, records=20, instruments=("eeb",), first_orbit=many.orbits[1])
    other = write_mission(tmp_path / "other", orbits=1, records=20, instruments=("eeb",), seed=1)
    alone = one.truths[0]
    beside = many.truth(alone.orbit, "eeb")
    assert alone.path.name == beside.path.name
    assert alone.path.read_bytes() == beside.path.read_bytes()
    assert other.truths[0].path.read_bytes() != many.truth(many.orbits[0], "eeb").path.read_bytes()


def test_the_mission_is_found_and_its_two_lists_of_cusps_agree(mission: Mission) -> None:
    found = find_files(mission.data)
    assert found.orbits == mission.orbits == tuple(found.orbit_files)
    assert [each.path for each in found.files] == [truth.path for truth in mission.truths]
    table, listed = read_events(mission.cusp_table), read_events(mission.events)
    for truth in mission.truths:
        marks = table.marks(truth.orbit, truth.instrument, truth.times_s)
        assert marks == (() if truth.cusp is None else (truth.cusp,))
        if truth.instrument.endswith("s"):
            for ours, theirs in zip(listed.marks(truth.orbit, truth.instrument, truth.times_s), marks, strict=True):
                assert (ours.start_s, ours.end_s) == pytest.approx((theirs.start_s, theirs.end_s), abs=1e-5)
    lengths = {truth.orbit: truth.cusp and truth.cusp.end_s - truth.cusp.start_s for truth in mission.truths[::4]}
    assert lengths[mission.orbits[4]] == 0.0
    assert lengths[mission.orbits[5]] is None


def test_orbit_files_tell_places_that_can_be(mission: Mission) -> None:
    file = cdflib.CDF(next(iter(find_files(mission.data).orbit_files.values())))
    height, r, v = file.varget("alt"), file.varget("r").astype(float), file.varget("v").astype(float)
    assert (len(height), height.min() > 340, height.max() < 4_200) == (396, True, True)
    np.testing.assert_allclose(np.linalg.norm(r, axis=1) - 6_371.2, height, atol=0.01)
    # Energy and angular momentum of an orbit do not change.
    energy = 0.5 * (v**2).sum(axis=1) - 398_600.4 / np.linalg.norm(r, axis=1)
    np.testing.assert_allclose(energy, energy[0], rtol=1e-4)
    momentum = np.cross(r, v)
    np.testing.assert_allclose(momentum, np.broadcast_to(momentum[0], momentum.shape), atol=20.0)
    # The speed is that of the places.
    np.testing.assert_allclose(np.gradient(r, file.varget("unix_time"), axis=0)[1:-1], v[1:-1], atol=0.01)
    np.testing.assert_array_equal(file.varget("Time_PB5")[0][:2], [2001, 304])
    for name in ("ilat", "flat"):
        assert np.abs(file.varget(name)).max() <= 90


@pytest.mark.parametrize("south", [False, True])
def test_records_are_taken_over_one_pole(south: bool) -> None:
    track = orbit_track(0.0, south=south)
    during = track.ilat_deg[(track.times_s >= 1_000) & (track.times_s <= 3_300)]
    assert ((during < 0) == south).all()
    assert np.abs(during).max() > 80


def test_telemetry_is_as_coarse_as_four_bits_of_mantissa() -> None:
    counts = np.arange(300_000)
    told = decode(encode(counts))
    assert (told <= counts).all()
    assert ((counts - told) / np.maximum(counts, 1)).max() < 1 / 16
    np.testing.assert_array_equal(told[:32], counts[:32])
    np.testing.assert_array_equal(encode(decode(np.arange(256, dtype=np.uint8))), np.arange(256))


def test_broken_files_have_the_fault_that_they_are_said_to_have(tmp_path: Path) -> None:
    mission = write_mission(tmp_path, orbits=1, records=20, broken=True)
    fault = {what: path for path, what in mission.broken.items()}
    assert len(fault) == 8
    whole = mission.truth(mission.orbits[0], "ees").path
    assert fault["truncated"].stat().st_size < 0.7 * whole.stat().st_size
    assert fault["text"].read_text().startswith("<html>")
    for what, name in (("no-pitch-angle", "pitch_angle"), ("no-flux", "eflux")):
        names = cdflib.CDF(fault[what]).cdf_info().zVariables
        assert name not in names and "data" in names
    assert cdflib.CDF(fault["empty"]).varinq("eflux").Last_Rec == -1
    assert not cdflib.CDF(fault["zeros"]).varget("data").any()
    starts = cdflib.CDF(fault["out-of-order"]).varget("time_start")
    assert np.count_nonzero(np.diff(starts) < 0) == 1 + (np.diff(starts)[:1] < 0).sum()
    old = fault["old-version"]
    new = old.with_name(old.name.replace("_v01", "_v02"))
    assert (cdflib.CDF(old).varget("data") != cdflib.CDF(new).varget("data")).any()
    found = find_files(mission.data)
    assert old not in [each.path for each in found.files]
    assert any(old.name in note for note in found.notes)


@pytest.mark.parametrize(("record", "mode"), [(3, 0), (30, 1)])
def test_one_cell_is_bright_and_no_other(tmp_path: Path, record: int, mode: int) -> None:
    cell = one_bright_cell(tmp_path, record=record, channel=40, angle=7, elsewhere=2)
    file = cdflib.CDF(cell.path)
    data = decode(file.varget("data"))
    assert np.argwhere(data > 2).tolist() == [[record, 7, 40]]
    assert data[record, 7, 40] == cell.counts
    assert (file.varget("time_start")[record], file.varget("time_end")[record]) == (cell.start_s, cell.end_s)
    assert cell.low_ev < file.varget("energy_full")[record, 7, 40] < cell.high_ev
    assert cell.pitch_deg == file.varget("pitch_angle")[record, 7, 40]
    assert cell.mode == mode


@pytest.mark.parametrize(("record", "channel", "angle"), [(40, 3, 0), (0, 0, 0), (0, 48, 0), (0, 3, 32), (39, 3, 64)])
def test_a_cell_that_is_not_there_is_refused(tmp_path: Path, record: int, channel: int, angle: int) -> None:
    with pytest.raises(ConfigError, match="record"):
        one_bright_cell(tmp_path, record=record, channel=channel, angle=angle)


def test_our_own_reader_recovers_every_count(mission: Mission) -> None:
    for truth in mission.truths[:8]:
        found = read_spectrogram(truth.path, quantity=Quantity.COUNTS, collapse=Collapse.SUM)
        np.testing.assert_array_equal(found.times_s, truth.times_s[truth.valid])
        counts, mode = truth.counts_by_energy[truth.valid], truth.mode[truth.valid]
        energies = flight_tables(burst=truth.instrument.endswith("b")).energy
        for index, number in enumerate(np.unique(mode)):
            ours = found.values[0][found.mode == index]
            table = energies[number, 0]
            for place, energy in enumerate(found.energies_ev[index]):
                (same,) = np.flatnonzero(np.isclose(table, energy, rtol=1e-6))[:1]
                if same:  # the voltage flies back in the first
                    np.testing.assert_array_equal(ours[:, place], counts[mode == number, same])
