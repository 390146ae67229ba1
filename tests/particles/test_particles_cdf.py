from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cdflib
import cdflib.cdfwrite
import numpy as np
import pytest
from particles_fast_files import write_fast

from batchlab.errors import Category, DataError
from batchlab.particles._cdf import Cdf
from batchlab.particles._cdf_times import EPOCH, EPOCH16, TT2000, unix_seconds
from batchlab.particles._model import InvalidCdf, MissingVariable

REAL = (
    "fa_esa_l2_eeb_00000000_v01.cdf",
    "ge_k0_cpi_19921231_v02.cdf",
    "rbspa_rel04_ect-hope-PA-L3_20121201_v0.0.0.cdf",
    "solo_L2_epd-ept-north-hcad_20200713_V02.cdf",
)


@pytest.mark.parametrize("name", REAL)
def test_every_value_and_attribute_is_as_another_library_reads_it(shared_particles: Path, name: str) -> None:
    theirs = cdflib.CDF(shared_particles / name)
    compared = 0
    with Cdf(shared_particles / name) as ours:
        info = theirs.cdf_info()
        assert sorted(ours.variables) == sorted(info.rVariables + info.zVariables)
        for variable in ours.variables.values():
            told = theirs.varattsget(variable.name)
            for key, value in told.items():
                mine = variable.attribute(key)
                if isinstance(mine, str):
                    assert mine.strip() == str(value).strip()
                else:
                    np.testing.assert_array_equal(np.atleast_1d(value), mine)
            if not variable.records:
                continue
            expected = theirs.varget(variable.name)
            found = variable.constant_values() if variable.constant else variable.values()
            if variable.is_text:
                words = [bytes(word).decode("latin-1").strip("\0 ") for word in np.atleast_1d(found).ravel()]
                assert words == [str(word).strip("\0 ") for word in np.atleast_1d(expected).ravel()]
            else:
                np.testing.assert_array_equal(found.reshape(np.shape(expected)), expected)
            compared += 1
    assert compared >= 20


@pytest.mark.parametrize(
    ("name", "variable"), [(REAL[1], "Epoch"), (REAL[2], "Epoch_Ele"), (REAL[2], "Epoch_Ion"), (REAL[3], "EPOCH")]
)
def test_times_are_as_another_library_turns_them(shared_particles: Path, name: str, variable: str) -> None:
    expected = cdflib.cdfepoch.unixtime(cdflib.CDF(shared_particles / name).varget(variable))
    with Cdf(shared_particles / name) as file:
        np.testing.assert_allclose(file[variable].times_s(), expected, rtol=0, atol=2e-6)


def test_fill_of_real_files_becomes_no_number_and_is_counted(shared_particles: Path) -> None:
    theirs = cdflib.CDF(shared_particles / REAL[2])
    with Cdf(shared_particles / REAL[2]) as file:
        for name in ("FEDU", "FPDU", "FEDO", "HOPE_ENERGY_Ele", "ENERGY_Ion_DELTA"):
            expected = theirs.varget(name).copy()
            expected[expected == theirs.varattsget(name)["FILLVAL"]] = np.nan
            found = file[name].floats()
            np.testing.assert_array_equal(found.values, expected)
            assert found.fill == int(np.isnan(expected).sum())
            assert found.out_of_range == 0


@pytest.mark.parametrize("leap_day", ["2012-07-01", "2015-07-01", "2017-01-01", "1999-01-01", "1972-07-01"])
@pytest.mark.parametrize("offset_s", [-86_400, -2, 0, 1, 86_400 * 30])
def test_leap_seconds_come_where_they_were(leap_day: str, offset_s: int) -> None:
    moment = int(np.datetime64(leap_day, "s").astype(int)) + offset_s
    calendar = np.datetime64(moment, "s").astype(object)
    parts = [calendar.year, calendar.month, calendar.day, calendar.hour, calendar.minute, calendar.second, 250, 0, 0]
    raw = np.array([cdflib.cdfepoch.compute_tt2000(parts)], np.int64)
    assert unix_seconds(raw, TT2000)[0] == pytest.approx(moment + 0.25, abs=1e-6)


def test_fill_of_every_time_type_is_no_time() -> None:
    assert np.isnan(unix_seconds(np.array([-1e31, 0.0]), EPOCH)).all()
    assert np.isnan(unix_seconds(np.array([[-1e31, -1e31]]), EPOCH16)).all()
    assert np.isnan(unix_seconds(np.array([np.iinfo(np.int64).min]), TT2000)).all()


def test_epoch16_counts_picoseconds() -> None:
    raw = np.array([cdflib.cdfepoch.compute_epoch16([2001, 2, 3, 4, 5, 6, 7, 8, 9, 10])])
    at = unix_seconds(np.stack([raw.real, raw.imag], axis=-1).reshape(1, 2), EPOCH16)[0]
    assert at == pytest.approx(981_173_106.007008, abs=1e-6)


@pytest.mark.parametrize("majority", ["row_major", "column_major"])
@pytest.mark.parametrize("encoding", [1, 6])
@pytest.mark.parametrize("packed", [0, 6])
def test_orders_encodings_and_packings_come_out_alike(
    tmp_path: Path, majority: str, encoding: int, packed: int
) -> None:
    values = np.arange(7 * 3 * 4 * 2, dtype=np.float32).reshape(7, 3, 4, 2)
    path = tmp_path / "orders.cdf"
    spec = {"Majority": majority, "Encoding": encoding, "Compressed": packed}
    file = cdflib.cdfwrite.CDF(path, cdf_spec=spec, delete=True)
    shape = {"Variable": "v", "Data_Type": 44, "Num_Elements": 1, "Rec_Vary": True, "Dim_Sizes": [3, 4, 2]}
    file.write_var({**shape, "Compress": packed, "Block_Factor": 2}, var_data=values)
    file.close()
    expected = cdflib.CDF(path).varget("v")
    with Cdf(path) as ours:
        np.testing.assert_array_equal(ours["v"].values(), expected)
        np.testing.assert_array_equal(ours["v"].record_values(4), expected[4])
        parts = list(ours["v"].blocks(3))
        assert [start for start, _ in parts] == [0, *np.cumsum([len(part) for _, part in parts])[:-1]]
        np.testing.assert_array_equal(np.concatenate([part for _, part in parts]), expected)


@pytest.mark.parametrize("sparse", ["pad_sparse", "prev_sparse"])
def test_records_left_out_are_padded_or_repeated(tmp_path: Path, sparse: str) -> None:
    path = tmp_path / "sparse.cdf"
    file = cdflib.cdfwrite.CDF(path, delete=True)
    spec = {"Variable": "v", "Data_Type": 45, "Num_Elements": 1, "Rec_Vary": True, "Dim_Sizes": [2], "Sparse": sparse}
    values = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    file.write_var({**spec, "Pad": np.array([-7.0])}, var_data=[[1, 2, 6], values])
    file.close()
    with Cdf(path) as ours:
        found = ours["v"].values()
    before = np.full(2, -7.0)
    between = before if sparse == "pad_sparse" else values[1]
    np.testing.assert_array_equal(found, [before, values[0], values[1], between, between, between, values[2]])


def test_only_the_blocks_of_what_is_asked_are_unpacked(tmp_path: Path) -> None:
    path = write_fast(tmp_path, records=40).path
    with Cdf(path) as file:
        variable = file["pitch_angle"]
        read: list[int] = []
        source = file.header.source
        plain = source.read
        source.read = lambda start, count: read.append(count) or plain(start, count)  # type: ignore[method-assign]
        record = variable.record_values(3)
        assert sum(read) < 0.6 * 40 * record.nbytes


def test_a_wrong_name_tells_the_nearest(tmp_path: Path) -> None:
    with (
        Cdf(write_fast(tmp_path, records=2).path) as file,
        pytest.raises(MissingVariable, match="'eflux' comes nearest"),
    ):
        file["elfux"]


@pytest.mark.parametrize("content", [b"", b"CDF", b"this is text, not a CDF at all\n" * 9, bytes(4_000)])
def test_what_is_no_cdf_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "no.cdf"
    path.write_bytes(content)
    with pytest.raises(InvalidCdf, match=r"no\.cdf"):
        Cdf(path)


def test_a_file_cut_short_says_so(tmp_path: Path) -> None:
    path = write_fast(tmp_path, records=4).path
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InvalidCdf, match=r"are there|pointed at"):
        Cdf(path)


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file") as missing:
        Cdf(tmp_path / "none.cdf")
    assert missing.value.category is Category.MISSING_INPUT
    with pytest.raises(DataError, match="cannot be read"):
        Cdf(tmp_path)
    with pytest.raises(DataError, match="cannot be opened"):
        Cdf("nul\0.cdf")


_FUZZ = """
import random, resource, sys
from pathlib import Path
from batchlab.errors import BatchlabError
from batchlab.particles._describe import describe
from batchlab.particles._orbit import read_orbit
from batchlab.particles._pitch_spectrogram import read_pitch_spectrogram
from batchlab.particles._read import read_spectrogram, read_times

resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
whole, target = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
chance = random.Random(sys.argv[3])
calls = (read_spectrogram, read_orbit, read_times, describe, read_pitch_spectrogram,
         lambda path: read_spectrogram(path, quantity="counts"))


def cases():
    for k in range(25):
        yield True, whole[: len(whole) * k // 25 + chance.randrange(1 + len(whole) // 25)]
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 3, 30))):
            damaged[chance.randrange(min(len(whole), chance.choice((400, 20_000, len(whole)))))] = chance.randrange(256)
        yield False, bytes(damaged)
    for _ in range(15):
        yield True, chance.randbytes(chance.randrange(3_000))
        yield True, whole[:8] + chance.randbytes(2_000)


counts = {}
for broken, content in cases():
    if content == whole:
        continue
    target.write_bytes(content)
    for call in calls:
        try:
            call(target)
            kind = "read"
        except BatchlabError as error:
            kind = type(error).__name__
        if broken and kind != "InvalidCdf":
            sys.exit(f"{len(content)} of {len(whole)} bytes: {kind}")
        counts[kind] = counts.get(kind, 0) + 1
print(sorted(counts.items()))
"""


def _fuzz(source: Path, tmp_path: Path) -> str:
    command = [sys.executable, "-W", "error", "-c", _FUZZ, str(source), str(tmp_path / "damaged.cdf"), source.name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout


@pytest.mark.parametrize("name", REAL)
def test_a_damaged_real_file_ends_in_our_errors_and_never_in_a_crash(
    shared_particles: Path, tmp_path: Path, name: str
) -> None:
    assert "InvalidCdf" in _fuzz(shared_particles / name, tmp_path)


def test_a_damaged_fast_file_ends_in_our_errors_and_never_in_a_crash(tmp_path: Path) -> None:
    assert "InvalidCdf" in _fuzz(write_fast(tmp_path, records=20, survey=False, switch_at=12).path, tmp_path)
