"""Layouts are told by what stands in a file, with reasons, alternatives and a confidence that is worth its word."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from batchlab.errors import DataError
from batchlab.spectra import AxisKind, Quantity
from batchlab.spectra._kinds import Orientation, SpectrumRole, Technique
from batchlab.spectra._read import observe, read_spectra, read_spectrum, recognize
from batchlab.spectra._read._calibration import TABLE, calibrated, fit, reliability
from batchlab.spectra._synthetic_layouts import KINDS, NASTY, judge, make_layout, make_layouts

SURE = 0.8
X = [400.0 + 1.5 * i for i in range(40)]
Y = [round(0.2 + 0.1 * ((i * 7) % 11) - 0.3 * (i % 3), 4) for i in range(40)]
TWO = "".join(f"{x}\t{y}\n" for x, y in zip(X, Y, strict=True))


# Confidence


def test_of_generated_files_none_is_sure_and_wrong_and_most_are_sure():
    judged = list(judge(make_layouts(400, seed=77)))
    usual = [each for each in judged if each.made.kind not in NASTY]
    assert [each.made.kind for each in judged if each.confidence >= SURE and not each.right] == []
    assert sum(each.right and each.confidence >= SURE for each in usual) >= 0.97 * len(usual)
    # The nasty ones are there to be doubted: some are read wrongly, and all those with doubt.
    assert any(each.mistake for each in judged)
    bins = reliability((each.confidence, each.right) for each in judged if each.refused is None)
    assert all(each.right >= each.low - 0.35 for each in bins if each.files >= 10), bins


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(NASTY)))
def test_each_usual_layout_is_read_right_whatever_is_drawn_for_it(kind):
    for each in judge(make_layout(kind, seed) for seed in range(6)):
        assert each.right, (kind, each.mistake, each.refused, each.made.data[:300])


@pytest.mark.parametrize("kind", NASTY)
def test_each_nasty_layout_is_read_right_refused_or_doubted(kind):
    for each in judge(make_layout(kind, seed) for seed in range(12)):
        assert each.right or each.refused or each.confidence < SURE, (kind, each.mistake, each.made.data[:300])


def test_confidence_is_the_calibrated_product_of_its_named_terms(write):
    found = recognize(write("wavenumber\tabsorbance\n" + TWO))
    assert found.score == pytest.approx(math.prod(each.factor for each in found.evidence))
    assert found.confidence == calibrated(found.score) == found.plan.confidence
    assert {each.name for each in found.evidence} >= {"axis", "rows", "signal"}
    assert all(each.seen for each in found.evidence)
    assert found.plan.reason.startswith(found.reasons[0])


def test_the_calibration_rises_and_never_promises_certainty():
    assert list(TABLE) == sorted(TABLE)
    assert [share for _, share in TABLE] == sorted(share for _, share in TABLE)
    assert calibrated(1.0) < 1.0
    assert calibrated(0.0) == 0.0


def test_a_table_fitted_to_outcomes_gives_their_shares():
    rng = np.random.default_rng(5)
    scores = rng.random(4000)
    found = [(float(score), bool(rng.random() < score**2)) for score in scores]
    table = fit(found)
    for score in (0.3, 0.6, 0.9):
        assert calibrated(score, table) == pytest.approx(score**2, abs=0.07)
    assert [b.files for b in reliability(found)] and sum(b.files for b in reliability(found)) == 4000


# What is told


def test_the_range_of_values_never_names_an_axis(write):
    for first, step in ((400, 2), (200, 1), (-50, 3), (4000, -2)):
        rows = "".join(f"{first + step * i},{(i * 7) % 11}\n" for i in range(50))
        found = recognize(write(rows))
        assert (found.plan.axis.kind, found.plan.axis.unit) == (AxisKind.UNKNOWN, None)
        assert found.confidence >= SURE


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("cm-1,A\n", AxisKind.WAVENUMBER),
        ("cm-1,%T\n", AxisKind.WAVENUMBER),
        ("cm-1,signal\n", AxisKind.UNKNOWN),
        ("Raman spectrum of glass\ncm-1,signal\n", AxisKind.RAMAN_SHIFT),
        ("laser 532 nm\n1/cm,counts\n", AxisKind.RAMAN_SHIFT),
        ("nm,counts\n", AxisKind.WAVELENGTH),
        ("Em. wavelength (nm),Fluorescence\n", AxisKind.WAVELENGTH),
    ],
)
def test_an_axis_in_reciprocal_centimetres_is_told_by_its_companions(write, text, kind):
    assert recognize(write(text + TWO.replace("\t", ","))).plan.axis.kind is kind


def test_an_axis_that_may_be_either_column_is_doubted_and_said_so_where_it_is_read(write):
    rows = "".join(f"{400 + 2 * i},{100 + 3 * i}\n" for i in range(50))
    found = recognize(write(rows))
    assert found.confidence < SURE
    assert "2 columns run one way" in found.reasons[0]
    assert any("not sure" in warning for warning in read_spectrum(write(rows)).warnings)
    assert not any("not sure" in warning for warning in read_spectrum(write(rows), axis=0).warnings)


def test_other_readings_are_told_with_their_own_reasons(write):
    head = ",".join(["", *(f"{400 + 2 * i}" for i in range(40))])
    rows = "\n".join(",".join([f"{5 * j}", *(f"{(i * j) % 7}" for i in range(40))]) for j in range(1, 31))
    found = recognize(write(f"{head}\n{rows}\n"))
    assert {found.plan.orientation, *(each.plan.orientation for each in found.alternatives)} == {
        Orientation.ROWS,
        Orientation.COLUMNS,
    }
    assert found.confidence < SURE
    assert all(each.reasons and each.confidence <= found.confidence for each in found.alternatives)


def test_two_spectra_one_below_the_other_are_doubted(write):
    found = recognize(write(TWO + TWO))
    assert found.confidence < 0.5
    assert "goes back" in found.reasons[0]


def test_a_preamble_that_is_longer_than_what_is_looked_at_is_still_one(write):
    text = "".join(f"key {i}: some words and the number {i}\n" for i in range(3000))
    found = recognize(write(text + "wavelength (nm)\tabs\n" + TWO))
    assert (found.plan.first_data_line, found.count) == (3002, 40)


def test_points_are_counted_by_lines_where_only_head_and_tail_are_read(write):
    rows = "".join(f"{400 + 0.01 * i:.2f};{(i * 7) % 11}\r\n" for i in range(60_000))
    found = recognize(write("Wavelength [nm];Counts\r\n" + rows))
    assert (found.count, found.first, found.last) == (60_000, 400.0, 999.99)
    assert found.confidence >= SURE


# Layouts without a real file


def test_pairs_side_by_side_with_a_log_below(write):
    text = "Baseline 100%T,,leaf,,\nWavelength (nm),%T,Wavelength (nm),%T,\n"
    text += "".join(f"{800 - i:.2f},{50 + i % 7}.5,{800 - i:.2f},{40 + i % 5}.25,\n" for i in range(60))
    text += "\nBaseline 100%T\nCollection Time: 3/7/2019 3:36:14 PM\nStart (nm)  800.00\n"
    path = write(text, "cary.csv")
    found = recognize(path)
    assert found.plan.orientation is Orientation.PAIRS and found.confidence >= SURE
    one, two = read_spectra(path)
    assert (one.name, two.name) == ("Baseline 100%T", "leaf")
    assert (one.axis[0], one.axis[-1], len(one)) == (800.0, 741.0, 60)
    assert (two.axis_kind, two.quantity, two.unit) == (AxisKind.WAVELENGTH, Quantity.TRANSMITTANCE, "%")
    assert two.intensity[:2].tolist() == [40.25, 41.25]


def test_keys_after_a_hash_in_latin_1(write):
    text = (
        "#Acq. time (s)=\t10\n#Laser=\t532nm\n#Spectro (cm-\u00b9)=\t1500\n#AxisType[0]=\tIntens\n#AxisUnit[0]=\tCnt\n"
    )
    text += "#AxisType[1]=\tSpectr\n#AxisUnit[1]=\t1/cm\n"
    spectrum = read_spectrum(write(text + TWO, encoding="latin-1"))
    assert (spectrum.axis_label, spectrum.intensity_label) == ("Raman shift / cm⁻¹", "Counts")
    assert spectrum.metadata["Laser"] == "532nm"
    assert spectrum.technique is Technique.RAMAN


@pytest.mark.parametrize(
    ("encoding", "header"),
    [("cp932", "波長 (nm)\t吸光度"), ("gb18030", "波长 (nm)\t吸光度"), ("utf-16", "波長 (nm)\t吸光度")],
)
def test_east_asian_exports_are_told_by_the_words_of_the_field(write, encoding, header):
    path = write(
        f"測定日\t2024\n{header}\n".replace("測定日", "日付" if encoding != "gb18030" else "日期") + TWO,
        encoding=encoding,
    )
    spectrum = read_spectrum(path)
    assert (spectrum.axis_label, spectrum.intensity_label) == ("Wavelength / nm", "Absorbance")
    assert spectrum.metadata["encoding"] == encoding
    assert observe(path).encoding == encoding


def test_intensities_alone_under_their_first_last_and_count(write):
    values = [f"{50 + (i * 7) % 11}.25" for i in range(61)]
    path = write("\n".join(["61", "4000.0", "400.0", "4.0", "16", "0", *values]) + "\n", "film.asp")
    found = recognize(path)
    assert found.plan.orientation is Orientation.SINGLE_Y and found.confidence >= SURE
    spectrum = read_spectrum(path)
    np.testing.assert_allclose(spectrum.axis, np.linspace(4000, 400, 61))
    assert spectrum.intensity[0] == 50.25
    with pytest.raises(DataError):
        read_spectrum(write("\n".join(["61", "4000.0", "400.0", "4.0", "16", "0", *values[:-5]]) + "\n", "cut.asp"))


def test_rows_of_few_kinds_have_their_roles(write):
    cells = {"wavelength (nm)": X, "dark": [1.0] * 40, "reference": [9.5] * 40, "sample": Y}
    path = write("".join(",".join([name, *map(str, values)]) + "\n" for name, values in cells.items()))
    spectra = read_spectra(path)
    assert [each.role for each in spectra] == [SpectrumRole.DARK, SpectrumRole.REFERENCE, SpectrumRole.SAMPLE]
    assert read_spectrum(path).intensity.tolist() == Y
    assert read_spectrum(path).axis_kind is AxisKind.WAVELENGTH


def test_headers_with_a_letter_or_a_unit_around_the_axis_value(write):
    for cell, unit in (("X{:.1f}", None), ("{:.1f} nm", "nm"), ('"{:.1f}"', None)):
        head = ",".join(["id", *(cell.format(x) for x in X)])
        spectrum, _ = read_spectra(write(f"{head}\na,{','.join(map(str, Y))}\nb,{','.join(map(str, Y))}\n"))
        assert spectrum.axis.tolist() == X
        assert (spectrum.name, spectrum.axis_unit) == ("a", unit)


# The observation


def test_an_observation_tells_shapes_and_words_and_no_more_than_three_rows_at_each_end(write):
    text = "Date: 2024-01-01\nNPOINTS: 40\nWave\tSample\n[nm]\t[counts]\n" + TWO + "\n[End]\n"
    seen = observe(write(text, "Leaf.TXT"))
    assert (seen.extension, seen.encoding, seen.line_end, seen.rows) == (".txt", "ascii", "\n", 40)
    assert seen.hypotheses[0] == ("\t", ".", 2, 5, 44)
    assert (seen.header, seen.unit_line, seen.header_lines, seen.unit_line_number) == (
        ("Wave\tSample",),
        "[nm]\t[counts]",
        (3,),
        4,
    )
    assert seen.keys == {"Date": "2024-01-01", "NPOINTS": "40"}
    assert seen.declared_points == 40
    assert [number for number, _ in (*seen.data_head, *seen.data_tail)] == [5, 6, 7, 42, 43, 44]
    assert [line for line in seen.trailer if line] == ["[End]"]
    axis, signal = seen.columns
    assert (axis.monotone, axis.regular, axis.log10_min, axis.log10_max) == ("up", True, 2, 2)
    assert signal.monotone == "no"


def test_a_text_without_a_table_is_observed_too(write):
    seen = observe(write("Dear reader,\nnothing here.\n"))
    assert (seen.rows, seen.preamble) == (0, ("Dear reader,", "nothing here."))


def test_bytes_that_are_at_hand_are_not_read_again():
    assert recognize(Path("nowhere.txt"), TWO.encode()).count == 40


def test_a_corner_that_continues_the_line_of_axis_values_does_not_hide_the_column_below_it(write):
    head = ";".join(f"{4 * i}" for i in range(101))
    rows = "".join(f"{1100 - 5 * j};" + ";".join(f"{(i * j) % 7}" for i in range(100)) + "\n" for j in range(30))
    assert recognize(write(f"{head}\n{rows}")).confidence < SURE


# Which column is the axis


UNEVEN = [400.0 + 2 * i + (1.0 if i > 20 else 0.0) for i in range(40)]


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param([[2.0 * i for i in range(40)], UNEVEN, Y], id="stage"),
        pytest.param([UNEVEN, [0.5 * i for i in range(40)], Y], id="stage-second"),
        pytest.param([[10.0 * i for i in range(1, 41)], [1e7 / x for x in UNEVEN], Y, Y[::-1]], id="bent"),
        pytest.param([[2.0 * i for i in range(40)], UNEVEN], id="ramp"),
        pytest.param([[2.0 * i + 0.9 * ((i * 7) % 3) for i in range(40)], UNEVEN, Y], id="measured-position"),
    ],
)
def test_an_even_column_beside_one_that_runs_too_is_doubted_and_the_other_axis_named(write, columns):
    found = recognize(write("".join(",".join(map(str, row)) + "\n" for row in zip(*columns, strict=True))))
    assert found.confidence < SURE, found.reasons
    assert found.plan.axis.column == 0
    other = next(each for each in found.alternatives if each.plan.axis.column == 1)
    assert other.confidence <= found.confidence
    assert any("column 1 may be the axis rather than 0" in reason for reason in other.reasons)
    assert 1 not in [each.column for each in other.plan.spectra]


def test_a_signal_that_only_falls_bent_leaves_the_even_column_the_sure_axis(write):
    rows = "".join(f"{400 + 2 * i},{math.exp(-i / 8):.5f}\n" for i in range(40))
    found = recognize(write(rows))
    assert found.confidence >= SURE
    assert [each.plan.axis.column for each in found.alternatives] == [1]


@pytest.mark.parametrize("kind", ["position-beside", "straight-signal"])
def test_no_layout_with_two_possible_axes_is_sure_and_wrong(kind):
    judged = list(judge(make_layout(kind, seed) for seed in range(100)))
    assert [each.mistake for each in judged if each.confidence >= SURE and each.mistake] == []
    assert sum(each.mistake is not None for each in judged) > 10
