"""Structured formats are told by their bytes, read as other programs read them, and refused with the mend."""

from __future__ import annotations

import csv
import subprocess
import sys
from importlib.util import resolve_name
from pathlib import Path

import numpy as np
import pytest

from batchlab.errors import DataError
from batchlab.spectra._kinds import AxisKind, Quantity, SpectrumRole, Technique
from batchlab.spectra._model import Spectrum
from batchlab.spectra._read._formats import READERS, refuse_binary, sniff


def read(path: Path) -> tuple[Spectrum, ...]:
    data = path.read_bytes()
    told = sniff(data, path)
    assert told is not None, f"{path.name} was taken for text"
    return told.read(path, data)


def find(shared: Path, name: str) -> Path:
    return next(shared.glob(f"*/{name}"))


def test_every_structured_file_with_an_answer_has_its_range_and_count(shared_spectra: Path) -> None:
    with (shared_spectra / "expected.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] in ("JCAMP-DX", "SPC", "OPUS", "WDF") and row["n"]]
    assert len(rows) >= 30
    for row in rows:
        first = read(shared_spectra / row["layout"] / row["file"])[0]
        if row["file"] == "test_spectra.0":
            continue  # the key tells its reference channel; its reflectance is told below
        got = (len(first), first.axis[0], first.axis[-1])
        assert got == (int(row["n"]), float(row["x_first"]), float(row["x_last"])), row["file"]


# Name, format, then what other programs read: first, last and largest intensity; None where there is no other.
AGREED = [
    ("dupdec1.jdx", "JCAMP-DX", 82.25, 78.58, 87.1),
    ("fixdec1.jdx", "JCAMP-DX", 64.915172496, 66.91711656, 81.98510256),
    ("pacdec1.jdx", "JCAMP-DX", 101.6, 101.24, 101.89),
    ("sqzdec1.jdx", "JCAMP-DX", 2259260.0, 1505988.0, 972201806.0),
    ("acetone.jdx", "JCAMP-DX", 4.096206972e-08, 1.11409753884e-06, 0.00051625813668),
    ("toluene.jdx", "JCAMP-DX", 1.058566, 1.846718, 2.431453),
    ("tannic_acid.jdx", "JCAMP-DX", 42.644, 4.667, 300.889),
    ("BC408_5mmHorizontal.spc", "SPC", 7313.0, 9764.0, 114496.0),
    ("Ft-ir.spc", "SPC", 95.13749694824219, 94.88349151611328, 100.0),
    ("HENE25.SPC", "SPC", 154.0, 539.0, 87372.0),
    ("RAMAN.SPC", "SPC", 0.01710212230682373, 0.03207695484161377, 137.45338439941406),
    ("nir.spc", "SPC", 0.00020048394799232483, 0.0014411769807338715, 4.041977882385254),
    ("s_evenx.spc", "SPC", 0.008050619624555111, 0.005854657851159573, 0.4648916721343994),
    ("s_xy.spc", "SPC", 45333.0, 22761.0, 673534.0),
    ("m_xyxy.spc", "SPC", 6823.0, 3144.0, 17704.0),
    ("20170410EDL_L01_cell01_c1.spc", "SPC", 173.33334350585938, 109.70896911621094, 575.2030639648438),
    ("BF_lo_01_soil_cal.1", "OPUS", 0.12397846579551697, 0.551766037940979, 1.4668512344360352),
    ("issue81_A1.1.0", "OPUS", 0.0431477427482605, 0.16630131006240845, 1.076660394668579),
    ("issue82_Opus_test.0", "OPUS", 0.9984222054481506, 1.991413950920105, 1.991413950920105),
    ("test_spectra.0", "OPUS", 0.5243431925773621, 0.03384891524910927, 0.5861161947250366),
    ("sp.wdf", "WDF", 47.092708587646484, 21.815458297729492, 1863.2559814453125),
    ("sample1.spa", "Thermo SPA", 0.043998364359140396, 6.0, 6.0),
    (
        "ftir_polyethylene_reflectance_adjustment_not_working.spa",
        "Thermo SPA",
        100.49649810791016,
        95.18974304199219,
        102.87708282470703,
    ),
    ("single_PE_spectrum.sp", "PerkinElmer SP", 100.71570587158203, 101.09009552001953, 101.32456970214844),
    ("jobinyvon_test_spec_3s_eV.xml", "Jobin-Yvon XML", 166.333, 86.0, 166.333),
]


@pytest.mark.parametrize(("name", "form", "first", "last", "most"), AGREED, ids=[row[0] for row in AGREED])
def test_intensities_agree_with_other_programs(
    shared_spectra: Path, name: str, form: str, first: float, last: float, most: float
) -> None:
    path = find(shared_spectra, name)
    told = sniff(path.read_bytes(), path)
    assert told is not None and told.name == form and told.confidence > 0.9 and told.reason
    y = read(path)[0].intensity
    assert (y[0], y[-1], y.max()) == pytest.approx((first, last, most), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "kind", "unit", "quantity", "signal_unit", "technique"),
    [
        ("dupdec1.jdx", AxisKind.WAVENUMBER, "cm-1", Quantity.TRANSMITTANCE, "%", Technique.FTIR),
        ("ethanol.jdx", AxisKind.WAVENUMBER, "cm-1", Quantity.TRANSMITTANCE, "1", Technique.FTIR),
        ("tannic_acid.jdx", AxisKind.RAMAN_SHIFT, "cm-1", Quantity.INTENSITY, "a.u.", Technique.RAMAN),
        ("toluene.jdx", AxisKind.WAVELENGTH, "nm", Quantity.UNKNOWN, "Logarithm epsilon", Technique.UV_VIS),
        ("sqzdec1.jdx", AxisKind.FREQUENCY, "Hz", Quantity.INTENSITY, "a.u.", Technique.UNKNOWN),
        ("BC408_5mmHorizontal.spc", AxisKind.WAVELENGTH, "nm", Quantity.COUNTS, "counts", Technique.UNKNOWN),
        ("Ft-ir.spc", AxisKind.WAVENUMBER, "cm-1", Quantity.TRANSMITTANCE, "%", Technique.UNKNOWN),
        ("nir.spc", AxisKind.WAVELENGTH, "nm", Quantity.KUBELKA_MUNK, "1", Technique.UNKNOWN),
        ("spectra_1.spc", AxisKind.RAMAN_SHIFT, "cm-1", Quantity.COUNTS, "counts", Technique.RAMAN),
        ("m_ordz.spc", AxisKind.WAVENUMBER, "cm-1", Quantity.ABSORBANCE, "1", Technique.UNKNOWN),
        ("issue81_A1.1.0", AxisKind.WAVENUMBER, "cm-1", Quantity.ABSORBANCE, "1", Technique.FTIR),
        ("issue82_Opus_test.0", AxisKind.WAVENUMBER, "cm-1", Quantity.ABSORBANCE, "1", Technique.NIR),
        ("test_spectra.0", AxisKind.WAVENUMBER, "cm-1", Quantity.REFLECTANCE, "1", Technique.FTIR),
        ("sp.wdf", AxisKind.RAMAN_SHIFT, "cm-1", Quantity.COUNTS, "counts", Technique.RAMAN),
        ("jobinyvon_test_spec_3s_cm-1.xml", AxisKind.RAMAN_SHIFT, "cm-1", Quantity.COUNTS, "counts/s", Technique.RAMAN),
        ("jobinyvon_test_spec_3s_eV.xml", AxisKind.ENERGY, "eV", Quantity.COUNTS, "counts/s", Technique.UNKNOWN),
        ("single_PE_spectrum.sp", AxisKind.WAVENUMBER, "cm-1", Quantity.TRANSMITTANCE, "%", Technique.FTIR),
        ("sample1.spa", AxisKind.WAVENUMBER, "cm-1", Quantity.ABSORBANCE, "1", Technique.FTIR),
    ],
)
def test_axis_and_signal_are_what_the_file_says(
    shared_spectra: Path,
    name: str,
    kind: AxisKind,
    unit: str,
    quantity: Quantity,
    signal_unit: str,
    technique: Technique,
) -> None:
    first = read(find(shared_spectra, name))[0]
    got = (first.axis_kind, first.axis_unit, first.quantity, first.unit, first.technique)
    assert got == (kind, unit, quantity, signal_unit, technique)
    assert first.role is SpectrumRole.SAMPLE and first.name.startswith(Path(name).stem)


def test_compound_blocks_are_each_a_spectrum_with_the_extremes_they_declare(shared_spectra: Path) -> None:
    one, two = read(find(shared_spectra, "example_compound_file.jdx"))
    assert len(one) == len(two) == 2074
    assert (one.axis[0], one.axis[-1]) == (11995.21, 3999.691)
    assert (one.intensity.max(), two.intensity.max()) == pytest.approx((0.529274, 1.205558))
    assert one.name != two.name


def test_a_link_file_tells_result_dark_and_reference(shared_spectra: Path) -> None:
    blocks = read(find(shared_spectra, "OceanOptics_period.jdx"))
    assert [each.role for each in blocks] == [SpectrumRole.SAMPLE, SpectrumRole.DARK, SpectrumRole.REFERENCE]
    assert all((len(each), each.axis[0], each.axis[-1]) == (3648, 176.36, 893.69) for each in blocks)
    assert [each.intensity.min() for each in blocks] == pytest.approx([1647.796, 1654.349, 1555.227])
    assert any("raw counts" in told for told in blocks[0].warnings)
    assert blocks[0].quantity is Quantity.TRANSMITTANCE and blocks[1].quantity is Quantity.INTENSITY


def test_the_old_spc_file_has_ten_smooth_curves_that_fill_it(shared_spectra: Path) -> None:
    subfiles = read(find(shared_spectra, "m_ordz.spc"))
    assert len(subfiles) == 10 and all(len(each) == 857 for each in subfiles)
    assert subfiles[0].axis[[0, -1]] == pytest.approx([698.2297, 4000.3547], abs=1e-4)
    # Words in the wrong order make noise: steps of a third of the range in place of a hundredth.
    assert all(np.abs(np.diff(each.intensity)).mean() < 0.02 * np.ptp(each.intensity) for each in subfiles)
    z = [float(each.metadata["z"]) for each in subfiles]
    assert z == sorted(z) and subfiles[0].metadata["date"].startswith("1992-05-14")


def test_an_opus_absorbance_is_the_log_ratio_of_its_two_channels(shared_spectra: Path) -> None:
    result, sample, reference = read(find(shared_spectra, "issue81_A1.1.0"))
    assert (sample.quantity, reference.quantity) == (Quantity.SINGLE_BEAM, Quantity.SINGLE_BEAM)
    assert (sample.role, reference.role) == (SpectrumRole.IGNORE, SpectrumRole.BACKGROUND)
    computed = -np.log10(sample.intensity / reference.intensity)
    assert np.abs(computed - result.intensity).max() < 1e-4


def test_a_second_opus_result_stands_aside(shared_spectra: Path) -> None:
    spectra = read(find(shared_spectra, "BF_lo_01_soil_cal.1"))
    assert [each.role for each in spectra] == [
        SpectrumRole.SAMPLE,
        SpectrumRole.IGNORE,
        SpectrumRole.IGNORE,
        SpectrumRole.BACKGROUND,
    ]
    assert len({each.name for each in spectra}) == 4 and spectra[1].warnings


def test_metadata_tells_laser_date_resolution_and_title(shared_spectra: Path) -> None:
    wire = read(find(shared_spectra, "sp.wdf"))[0].metadata
    assert float(wire["laser_nm"]) == pytest.approx(532.25, abs=1e-3) and wire["date"].startswith("2017-05-16")
    labspec = read(find(shared_spectra, "jobinyvon_test_spec_3s_cm-1.xml"))[0].metadata
    assert float(labspec["laser_nm"]) == 633 and labspec["date"]
    galactic = read(find(shared_spectra, "spectra_1.spc"))[0].metadata
    assert (galactic["laser_nm"], galactic["date"]) == ("660", "27.03.2015 13:27")
    omnic = read(find(shared_spectra, "ftir_polyethylene*.spa"))[0].metadata
    assert omnic["title"] == "Parafilm Test" and omnic["resolution"] == "4.000" and omnic["scans"] == "100"
    assert read(find(shared_spectra, "single_PE_spectrum.sp"))[0].metadata["instrument"] == "Spotlight 400"
    assert read(find(shared_spectra, "fixdec1.jdx"))[0].metadata["resolution"] == "2 cm-1"


def test_a_spectrum_that_is_not_optical_says_so(shared_spectra: Path) -> None:
    for name in ("sqzdec1.jdx", "m_xyxy.spc", "s_xy.spc"):
        assert any("no optical spectrum" in told for told in read(find(shared_spectra, name))[0].warnings)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("avantes2.TRM", "AvaSoft"),
        ("avantes_reflect.ROH", "AvaSoft"),
        ("S0N_50x.spe", "LightField"),
        ("sa281-02-280K.spc", "UVProbe"),
    ],
)
def test_real_files_that_are_not_read_are_refused_with_advice(shared_spectra: Path, name: str, advice: str) -> None:
    path = find(shared_spectra, name)
    with pytest.raises(DataError, match=advice) as refused:
        sniff(path.read_bytes(), path)
    assert refused.value.reason == "unsupported-format"


@pytest.mark.parametrize(
    ("start", "reason", "what"),
    [
        (b"\x89PNG\r\n\x1a\n", "binary", "picture"),
        (b"%PDF-1.7", "binary", "PDF"),
        (b"PK\x03\x04 xl/workbook.xml", "unsupported-format", "CSV"),
        (b"PK\x03\x04 OOISignatures.xml", "unsupported-format", "OceanView"),
        (b"PK\x03\x04", "unsupported-format", "ZIP"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "unsupported-format", "OLE"),
        (b"\x89HDF\r\n\x1a\n", "unsupported-format", "HDF5"),
        (b"WIT_PR06\x00", "unsupported-format", "WITec"),
        (b"AVS84\x00", "unsupported-format", "AvaSoft 8"),
        (b"Spectral Exte File\x00", "unsupported-format", "OMNIC"),
        (b"<?xml version='1.0'?><svg/>", "unsupported-format", "XML"),
    ],
)
def test_other_formats_are_refused_by_their_first_bytes(start: bytes, reason: str, what: str) -> None:
    with pytest.raises(DataError, match=what) as refused:
        sniff(start + bytes(200), Path("innocent.csv"))
    assert refused.value.reason == reason and "innocent.csv" in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        b"wavelength,intensity\n400,1\n401,2\n",
        b"OK this is text, with a K as its second letter" + b" and more" * 100,
        b"SMALL tables" * 200,
        b"Spectral Data File\nof ours\n400 1\n401 2\n",
        b"PAR1\tPAR2\n1\t2\n",
        b"##TITLE= looks like it\n##NAMES=Quartz\n100, 1\n101, 2\n",
        b"",
        b"x",
    ],
)
def test_text_is_left_to_the_readers_of_text(text: bytes) -> None:
    assert sniff(text, Path("a.spc")) is None


def test_text_of_the_real_set_is_left_to_the_readers_of_text(shared_spectra: Path) -> None:
    with (shared_spectra / "expected.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "text"]
    assert len(rows) > 80
    for row in rows:
        path = shared_spectra / row["layout"] / row["file"]
        assert sniff(path.read_bytes(), path) is None, row["file"]


def test_bytes_of_no_known_format_are_refused_as_binary() -> None:
    with pytest.raises(DataError) as refused:
        refuse_binary(Path("a.l6s"), bytes(range(256)) * 8)
    assert refused.value.reason == "binary"
    refuse_binary(Path("a.txt"), b"400\t1\r\n401\t2\r\n")


def test_telling_a_format_loads_no_reader() -> None:
    package = "batchlab.spectra._read._formats"
    readers = sorted({resolve_name(each.split(":")[0], package) for each in READERS.values()})
    code = (
        f"import sys; from pathlib import Path; import {package} as f; f.sniff(b'1,2', Path('a'));"
        f"print([m for m in {readers!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
