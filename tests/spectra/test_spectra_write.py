"""What is written reads back to the last bit, in every format."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchlab.errors import Category, ConfigError, DataError, JobError
from batchlab.spectra import AxisKind, Quantity, Spectrum, inspect, read_spectra, read_spectrum, read_text
from batchlab.spectra._kinds import SpectrumRole, Technique
from batchlab.spectra._write import (
    SUFFIXES,
    check_written,
    format_jcamp,
    format_spectra,
    is_normalized_csv,
    is_ours,
    parse_spectra,
    read_ours,
    read_written,
    write_spectra,
    write_spectrum,
)
from batchlab.spectra._write._facts import difference_of
from batchlab.spectra._write._read_jcamp import parse_jcamp

_LIBRARY = {".parquet": "pyarrow", ".zst": "zstandard"}
_numbers = st.floats(allow_nan=False, allow_infinity=False)
_words = st.text(max_size=30)


@st.composite
def spectra(draw: st.DrawFn) -> Spectrum:
    points = draw(st.integers(2, 12))
    return Spectrum(
        axis=draw(st.lists(_numbers, min_size=points, max_size=points)),
        intensity=draw(st.lists(_numbers, min_size=points, max_size=points)),
        axis_kind=draw(st.sampled_from(AxisKind)),
        axis_unit=draw(st.none() | st.sampled_from(["nm", "cm-1", "um", "eV"]) | _words),
        quantity=draw(st.sampled_from(Quantity)),
        unit=draw(st.none() | st.sampled_from(["%", "1", "counts"]) | _words),
        role=draw(st.sampled_from(SpectrumRole)),
        technique=draw(st.sampled_from(Technique)),
        name=draw(_words),
        metadata=draw(st.dictionaries(_words, _words, max_size=4)),
        warnings=tuple(draw(st.lists(_words, max_size=3))),
    )


@pytest.fixture
def leaf() -> Spectrum:
    axis = np.linspace(4000.1, 399.9, 500)
    return Spectrum(
        axis=axis,
        intensity=np.exp(-(((axis - 1650) / 30) ** 2)) / 3 + 1 / 7,
        axis_kind=AxisKind.WAVENUMBER,
        quantity=Quantity.TRANSMITTANCE,
        unit="%",
        role=SpectrumRole.SAMPLE,
        technique=Technique.FTIR,
        name="Ahorn, Blatt 3 µm",
        metadata={"Gerät": "Spektrometer $$ 7 ## x", "a,b": 'he said "no"\n##END='},
        warnings=("two rows are left out",),
    )


def needed(suffix: str) -> None:
    for ending, library in _LIBRARY.items():
        if suffix.endswith(ending):
            pytest.importorskip(library)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_spectrum_comes_back_field_for_field(tmp_path: Path, leaf: Spectrum, suffix: str):
    needed(suffix)
    path = tmp_path / f"leaf{suffix}"
    write_spectrum(path, leaf, provenance={"job": "normalize/leaf"})
    (back,) = read_written(path)
    assert difference_of(leaf, back) is None
    assert back.axis.tobytes() == leaf.axis.tobytes()


@given(spectrum=spectra())
@settings(max_examples=150, deadline=None)
def test_any_spectrum_survives_csv_and_jcamp(spectrum: Spectrum):
    for text, parse in ((format_spectra([spectrum]), parse_spectra), (format_jcamp([spectrum]), parse_jcamp)):
        text.encode("ascii")
        (back,) = parse(text)
        assert difference_of(spectrum, back) is None


@given(spectrum=spectra())
@settings(max_examples=30, deadline=None)
def test_any_spectrum_survives_parquet(spectrum: Spectrum):
    pytest.importorskip("pyarrow")
    from batchlab.spectra._write._parquet import parquet_bytes, spectra_of_parquet

    (back,) = spectra_of_parquet(parquet_bytes([spectrum]))
    assert difference_of(spectrum, back) is None


@pytest.mark.parametrize("suffix", [".csv", ".jdx", ".parquet"])
def test_several_spectra_share_a_file(tmp_path: Path, leaf: Spectrum, suffix: str):
    needed(suffix)
    both = (leaf, replace(leaf, intensity=leaf.intensity * 2, warnings=(), role=SpectrumRole.REFERENCE))
    path = tmp_path / f"both{suffix}"
    write_spectra(path, both)
    back = read_written(path)
    assert [difference_of(*pair) for pair in zip(both, back, strict=True)] == [None, None]


def test_a_table_has_one_axis_and_jcamp_may_have_many(tmp_path: Path, leaf: Spectrum):
    other = replace(leaf, axis=leaf.axis + 1.0, name="shifted")
    with pytest.raises(DataError, match="shifted is on another axis") as caught:
        write_spectra(tmp_path / "both.csv", (leaf, other))
    assert caught.value.reason == "different-axes"
    write_spectra(tmp_path / "both.jdx", (leaf, other))
    assert len(read_written(tmp_path / "both.jdx")) == 2


def test_an_unknown_suffix_is_told_with_those_there_are(tmp_path: Path, leaf: Spectrum):
    with pytest.raises(ConfigError, match=r"leaf\.xlsx: spectra are written as \.csv, "):
        write_spectrum(tmp_path / "leaf.xlsx", leaf)
    assert not (tmp_path / "leaf.xlsx").exists()


@pytest.mark.parametrize("suffix", [".csv.gz", ".csv.zst", ".parquet", ".jdx.gz"])
def test_equal_spectra_give_equal_bytes(tmp_path: Path, leaf: Spectrum, suffix: str):
    needed(suffix)
    one, other = tmp_path / f"one{suffix}", tmp_path / f"other{suffix}"
    write_spectrum(one, leaf)
    write_spectrum(other, leaf)
    assert one.read_bytes() == other.read_bytes()


def test_a_packed_file_holds_the_plain_one(tmp_path: Path, leaf: Spectrum):
    write_spectrum(tmp_path / "leaf.csv", leaf)
    write_spectrum(tmp_path / "leaf.csv.gz", leaf)
    plain = (tmp_path / "leaf.csv").read_bytes()
    assert gzip.decompress((tmp_path / "leaf.csv.gz").read_bytes()) == plain
    assert is_normalized_csv(plain[:100]) and is_normalized_csv(plain[:100].decode())
    assert not is_normalized_csv(b"wavelength,counts\n")


@pytest.mark.parametrize(
    ("kind", "unit", "quantity", "of"),
    [
        (AxisKind.WAVENUMBER, "cm-1", Quantity.ABSORBANCE, "1"),
        (AxisKind.WAVENUMBER, "cm-1", Quantity.TRANSMITTANCE, "%"),
        (AxisKind.RAMAN_SHIFT, "cm-1", Quantity.COUNTS, "counts"),
        (AxisKind.WAVELENGTH, "nm", Quantity.REFLECTANCE, "%"),
        (AxisKind.WAVELENGTH, "um", Quantity.INTENSITY, None),
    ],
)
def test_without_its_title_the_table_reads_as_any_other_export(
    tmp_path: Path, leaf: Spectrum, kind: AxisKind, unit: str, quantity: Quantity, of: str | None
):
    written = replace(leaf, axis_kind=kind, axis_unit=unit, quantity=quantity, unit=of)
    path = tmp_path / "leaf.csv"
    path.write_text(format_spectra([written]).partition("\n")[2])
    read = read_text(path)
    assert (read.axis_kind, read.axis_unit, read.quantity) == (kind, unit, quantity)
    assert (read.unit or "1") == (of or "1")
    assert read.axis.tobytes() == written.axis.tobytes()
    assert read.intensity.tobytes() == written.intensity.tobytes()


def test_others_read_our_jcamp(tmp_path: Path, leaf: Spectrum):
    jcamp = pytest.importorskip("jcamp")
    named = replace(leaf, name="leaf 3")
    path = tmp_path / "leaf.jdx"
    write_spectrum(path, named)
    found = jcamp.readfile(str(path))
    assert found["title"] == "leaf 3"
    assert found["data type"].upper() == "INFRARED SPECTRUM"
    assert found["xunits"] == "1/CM" and "TRANSMITTANCE" in found["yunits"]
    np.testing.assert_array_equal(found["x"], leaf.axis)
    np.testing.assert_array_equal(found["y"], leaf.intensity)


def test_our_reader_of_any_jcamp_reads_it(tmp_path: Path, leaf: Spectrum):
    from batchlab.spectra._read._formats._jcamp import read_jcamp

    path = tmp_path / "leaf.jdx"
    write_spectra(path, (leaf, replace(leaf, axis=leaf.axis - 3)))
    for written, read in zip(read_written(path), read_jcamp(path, path.read_bytes()), strict=True):
        assert read.axis.tobytes() == written.axis.tobytes()
        assert read.intensity.tobytes() == written.intensity.tobytes()
        assert (read.axis_kind, read.axis_unit, read.quantity, read.unit, read.technique) == (
            written.axis_kind,
            written.axis_unit,
            written.quantity,
            written.unit,
            written.technique,
        )


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_our_files_are_told_by_their_content(tmp_path: Path, leaf: Spectrum, suffix: str):
    needed(suffix)
    path = tmp_path / f"leaf{suffix}"
    write_spectrum(path, leaf)
    data = path.read_bytes()
    assert is_ours(data)
    (back,) = read_ours(tmp_path / "renamed.txt", data)
    assert difference_of(leaf, back) is None


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_reader_of_any_file_gives_ours_back_whole(tmp_path: Path, leaf: Spectrum, suffix: str):
    needed(suffix)
    path = tmp_path / f"renamed{suffix}"
    write_spectrum(path, leaf, provenance={"job": "normalize/leaf"})
    (one,) = read_spectra(path)
    assert difference_of(leaf, one) is None
    assert difference_of(leaf, read_spectrum(path)) is None
    found = inspect(path)
    assert found.refused is None and found.layout.startswith("batchlab ")
    assert found.recognition is not None and found.recognition.confidence == 1
    (shown,) = found.as_json()["spectra"]
    assert (shown["name"], shown["quantity"], shown["unit"]) == (leaf.name, "transmittance", "%")


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".jdx", ".parquet"])
def test_one_of_several_is_chosen_by_its_name(tmp_path: Path, leaf: Spectrum, suffix: str):
    needed(suffix)
    other = replace(leaf, name="Birke", unit="1", metadata={"tree": "7"}, warnings=())
    path = tmp_path / f"trees{suffix}"
    write_spectra(path, (leaf, other))
    assert difference_of(other, read_spectrum(path, spectrum="Birke")) is None
    assert [each.name for each in read_spectra(path)] == [leaf.name, "Birke"]


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".jdx"])
def test_ours_cut_off_is_refused_and_not_read_as_any_table(tmp_path: Path, leaf: Spectrum, suffix: str):
    path = tmp_path / f"leaf{suffix}"
    write_spectrum(path, leaf)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError) as refused:
        read_spectrum(path)
    assert refused.value.reason == "not-normalized"
    assert inspect(path).reason == "not-normalized"


def test_without_the_library_of_its_format_a_file_is_refused_with_the_mend(
    tmp_path: Path, leaf: Spectrum, monkeypatch: pytest.MonkeyPatch
):
    needed(".parquet")
    path = tmp_path / "leaf.parquet"
    write_spectrum(path, leaf)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match="install"):
        read_spectrum(path)
    assert inspect(path).reason == "unsupported-format"


@pytest.mark.parametrize("data", [b"", b"PAR1", b"\x1f\x8b", b"\x28\xb5\x2f\xfdx", b"##TITLE=x\n", b"a,b\n1,2\n"])
def test_other_files_are_not_taken_for_ours(data: bytes):
    assert not is_ours(data)


def cut_csv(data: bytes) -> bytes:
    return data[: data.rstrip().rfind(b"\n") + 1]


@pytest.mark.parametrize(
    ("suffix", "harm", "said"),
    [
        (".csv", cut_csv, "499 rows where 500 points"),
        (".csv", lambda data: data[:-2], "cut short"),
        (".csv", lambda data: data[:-2] + b"\n", "intensity of Ahorn, Blatt 3 µm reads back otherwise"),
        (".csv", lambda data: b"", "empty"),
        (".csv", lambda data: data.replace(b"format 1", b"format 9"), "line 1"),
        (".csv.gz", lambda data: data[:-300], "cannot be unpacked"),
        (".csv.zst", lambda data: data[:-300], "cannot be unpacked"),
        (".jdx", lambda data: data[:-40], "not JCAMP-DX as we write it"),
        (".parquet", lambda data: data[:-9], "no Parquet table"),
        (".csv", lambda data: data.replace(b"4000.1,", b"nan,"), "not finite"),
    ],
)
def test_the_check_tells_a_file_that_is_not_what_was_written(
    tmp_path: Path, leaf: Spectrum, suffix: str, harm: Callable[[bytes], bytes], said: str
):
    needed(suffix)
    path = tmp_path / f"leaf{suffix}"
    write_spectrum(path, leaf)
    check_written(path, [leaf])
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(JobError, match=said) as caught:
        check_written(path, [leaf])
    assert (caught.value.category, caught.value.reason) == (Category.OUTPUT, "output-check")


def test_the_check_tells_another_spectrum(tmp_path: Path, leaf: Spectrum):
    path = tmp_path / "leaf.csv"
    write_spectrum(path, leaf)
    with pytest.raises(JobError, match="unit of Ahorn"):
        check_written(path, [replace(leaf, unit="1")])
    with pytest.raises(JobError, match="1 spectra of 2"):
        check_written(path, [leaf, leaf])


def test_nothing_to_write_is_an_error(tmp_path: Path):
    for suffix in (".csv", ".jdx"):
        with pytest.raises(DataError, match="no spectrum to write"):
            write_spectra(tmp_path / f"none{suffix}", ())
