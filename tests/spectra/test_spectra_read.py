"""The reader finds the same spectrum however it is written."""

from __future__ import annotations

import csv
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchlab.errors import DataError
from batchlab.spectra import AxisKind, Quantity, Spectrum, read_layout, read_text

X = [400.0 + 1.5 * i for i in range(40)]
Y = [round(0.2 + 0.1 * ((i * 7) % 11) - 0.3 * (i % 3), 4) for i in range(40)]


def table(delimiter: str, decimal: str = ".", number: str = "%.4f", end: str = "\n") -> str:
    rows = ((number % x, number % y) for x, y in zip(X, Y, strict=True))
    return "".join(f"{x}{delimiter}{y}{end}".replace(".", decimal) for x, y in rows)


def assert_whole(spectrum: Spectrum, tolerance: float = 0.0) -> None:
    np.testing.assert_allclose(spectrum.axis, X, rtol=tolerance, atol=0)
    np.testing.assert_allclose(spectrum.intensity, Y, rtol=tolerance, atol=0)


PREAMBLES = {
    "none": "",
    "key: value": "Date: Fri Aug 19, 2016\nUser: Adolfo\nIntegration Time (usec): 70000 (A)\n",
    "lone numbers": "PE\n  -1\n495.000000\n1\n\n100\n0.0\n405 350 NORM\n1 0 0\n#DATA\n",
    "comments": "# made by a program\n# 1 2\n#\n",
    "fence": "Spectrometer: S2000\n>>>>>Begin Spectral Data<<<<<\n",
}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"], ids=repr)
@pytest.mark.parametrize("preamble", PREAMBLES.values(), ids=PREAMBLES)
@pytest.mark.parametrize(
    ("delimiter", "decimal"),
    [("\t", "."), (",", "."), (";", "."), (" ", "."), ("   ", "."), (", ", "."), ("\t", ","), (";", ","), ("  ", ",")],
    ids=repr,
)
def test_every_delimiter_decimal_line_end_and_preamble(write, delimiter, decimal, preamble, end):
    spectrum = read_text(write(preamble.replace("\n", end) + table(delimiter, decimal, end=end)))
    assert_whole(spectrum)
    assert spectrum.axis_kind is AxisKind.UNKNOWN
    assert spectrum.name == "sample"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_every_encoding(write, encoding):
    path = write("Wellenlänge [nm]\tReflexion [%]\n" + table("\t", ","), encoding=encoding)
    spectrum = read_text(path)
    assert_whole(spectrum)
    assert (spectrum.axis_label, spectrum.intensity_label) == ("Wavelength / nm", "Reflectance / %")
    unmarked = encoding in ("utf-16-le", "utf-16-be")
    assert bool(spectrum.warnings) == unmarked


@pytest.mark.parametrize("text", ["Größe µm °C", "d\u2019onde"])
def test_old_encodings_are_read_and_told(write, text):
    spectrum = read_text(write(f"{text}\n" + table("\t"), encoding="cp1252"))
    assert_whole(spectrum)
    assert spectrum.metadata["encoding"] == "cp1252"
    assert "cp1252" in spectrum.warnings[0]


@pytest.mark.parametrize(
    "number", ["%.6e", "%+.4f", "%8.4f", "%.10g", '"%.4f"'], ids=["exponent", "sign", "padded", "short", "quoted"]
)
def test_every_way_to_write_a_number(write, number):
    assert_whole(read_text(write(table(",", number=number))), tolerance=1e-6)


def test_three_digit_exponents_and_capital_letters(write):
    rows = "".join(f"{x:.6e},{y:.6E}\n".replace("e+02", "e+002") for x, y in zip(X, Y, strict=True))
    assert_whole(read_text(write(rows)), tolerance=1e-6)


def test_quoted_decimal_commas_in_a_comma_table(write):
    rows = "".join(f'"{x:.1f}","{y:.1f}"\n'.replace(".", ",") for x, y in zip(X, Y, strict=True))
    np.testing.assert_array_equal(read_text(write(rows)).axis, X)


def test_typographic_minus_and_no_break_blanks(write):
    rows = table("\t").replace("-", "\N{MINUS SIGN}").replace("\t", "\N{NO-BREAK SPACE}\t")
    assert_whole(read_text(write(rows)))


def test_descending_order_is_kept(write):
    rows = table(",").splitlines(keepends=True)[::-1]
    spectrum = read_text(write("".join(rows)))
    assert spectrum.axis.tolist() == X[::-1]


def test_trailing_delimiters_trailers_and_blank_lines(write):
    rows = table(";").replace("\n", ";\n")
    spectrum = read_text(write("\n\n" + rows + "\n[Measurement]\nExposure;3 sec\n# end\n"))
    assert_whole(spectrum)
    assert spectrum.warnings == ()


def test_blank_cells_and_nan_leave_out_their_points_and_are_counted(write):
    lines = table(";").splitlines()
    lines[0] = "   ;0.1"
    lines[7] = lines[7].split(";")[0] + ";NaN"
    lines[-1] = ";0.2"
    spectrum = read_text(write("\n".join(lines) + "\n"))
    assert spectrum.axis.tolist() == X[1:7] + X[8:-1]
    assert spectrum.intensity.tolist() == Y[1:7] + Y[8:-1]
    assert spectrum.warnings[0].startswith("3 rows without")
    assert "1 of them between" in spectrum.warnings[0]


@pytest.mark.parametrize(
    ("header", "axis", "signal"),
    [
        ("wavenumber,absorbance", "Wavenumber / cm⁻¹", "Absorbance"),
        ("Raman shift (cm-1),Counts", "Raman shift / cm⁻¹", "Counts"),
        ("Wavelength [nm],%T", "Wavelength / nm", "Transmittance / %"),
        ('"Wavelength nm.","Abs."', "Wavelength / nm", "Absorbance"),
        ("#Wave,#Intensity", "Axis (unit not stated)", "Intensity (unit not stated)"),
        ("x,y", "Axis (unit not stated)", "Intensity (unit not stated)"),
        ("Wellenzahl [1/cm],Extinktion", "Wavenumber / cm⁻¹", "Absorbance"),
        ("longueur d'onde (nm),Intensité", "Wavelength / nm", "Intensity (unit not stated)"),
        ("wavelength (µm),reflectance (%)", "Wavelength / µm", "Reflectance / %"),
        ("Energy (eV),Counts", "Energy / eV", "Counts"),
        ("Pixel,Signal", "Pixel", "Intensity (unit not stated)"),
        ("nm,A", "Wavelength / nm", "Absorbance"),
        ("Wave   ,Sample\n[nm]   ,[counts]", "Wavelength / nm", "Counts"),
        ("foo,bar", "Axis (unit not stated)", "Intensity (unit not stated)"),
    ],
)
def test_what_a_header_says_is_believed_and_nothing_else(write, header, axis, signal):
    spectrum = read_text(write(f"{header}\n" + table(",")))
    assert_whole(spectrum)
    assert (spectrum.axis_label, spectrum.intensity_label) == (axis, signal)


@pytest.mark.parametrize("first", [400.0, 25.0, 1000.0, 0.0, 190.0])
def test_the_size_of_axis_values_decides_nothing(write, first):
    rows = "".join(f"{first + i},{500 + (i * 7) % 11}\n" for i in range(30))
    spectrum = read_text(write(rows))
    assert spectrum.axis_kind is AxisKind.UNKNOWN
    assert spectrum.axis[0] == first


def test_the_caller_may_state_what_the_file_does_not(write):
    path = write(table("\t"))
    spectrum = read_text(path, axis_kind="raman shift", quantity="counts", name="glass")
    assert (spectrum.axis_label, spectrum.intensity_label, spectrum.name) == ("Raman shift / cm⁻¹", "Counts", "glass")
    assert read_text(path, axis_kind="wavelength", axis_unit="nanometers").axis_label == "Wavelength / nm"


def test_the_caller_is_believed_against_the_file_and_told(write):
    spectrum = read_text(write("wavelength (nm),signal\n" + table(",")), axis_kind="raman shift")
    assert (spectrum.axis_kind, spectrum.axis_unit) == (AxisKind.RAMAN_SHIFT, "cm-1")
    assert "wavelength" in spectrum.warnings[0]


def many_columns(names: str, columns: int = 4) -> str:
    rows = "".join(
        f"{300 + i}," + ",".join(str((i * k) % 7 + k) for k in range(2, columns + 1)) + "\n" for i in range(30)
    )
    return f"{names}\n{rows}"


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ("wl,Dark,Reference,Reflectance", 3),
        ("wl,Reflectance,Dark,Reference", 1),
        ("wl,Sample,Dark,Reference", 1),
        ("wl,ABS,%T,Dark", 1),
        ("wl,%T,ABS,Reference", 2),
        ("Pixel,Wavelength (nm),Raman shift,Counts", 3),
    ],
)
def test_the_result_is_chosen_among_its_companions(write, names, chosen):
    path = write(many_columns(names))
    if names.startswith("Pixel"):
        rows = "".join(f"{i},{700 + i},{100 + 2 * i},{i * 5 % 7}\n" for i in range(30))
        path = write(f"{names}\n{rows}")
    spectrum = read_text(path)
    np.testing.assert_array_equal(spectrum.intensity, read_layout(path).values[:, chosen])
    assert spectrum.metadata["column"] == names.split(",")[chosen]
    if names.startswith("Pixel"):
        assert spectrum.axis_kind is AxisKind.RAMAN_SHIFT


@pytest.mark.parametrize("column", ["b2", "B2", 2, "2", -2])
def test_a_column_is_chosen_by_name_or_number(write, column):
    path = write(many_columns("wl,a1,b2,b3"))
    np.testing.assert_array_equal(read_text(path, column=column).intensity, read_layout(path).values[:, 2])


def test_part_of_a_name_must_be_unmistakable(write):
    with pytest.raises(DataError, match="fits several") as caught:
        read_text(write(many_columns("wl,a1,b2,b3")), column="b")
    assert caught.value.reason == "ambiguous-columns"


def test_a_column_that_numbers_the_rows_is_no_axis_beside_a_real_one(write):
    rows = "".join(f"{i},{500 + 2 * i},{i * 5 % 7}\n" for i in range(30))
    assert read_text(write(",x,y\n" + rows)).axis[0] == 500
    assert read_text(write(rows)).axis[0] == 500


def test_a_noisy_first_column_is_not_the_axis(write):
    rows = "".join(f"{i * 37 % 29},{500 + 2 * i}\n" for i in range(29))
    assert read_text(write(rows)).axis[0] == 500


def test_repeated_and_backward_axis_values_are_told_with_their_line(write):
    xs = [400.0 + i for i in range(60)]
    xs[20] = xs[19]
    xs[40:] = [x - 5 for x in xs[40:]]
    spectrum = read_text(write("".join(f"{x},{i % 7}\n" for i, x in enumerate(xs))))
    assert spectrum.axis.tolist() == xs
    back, twice = spectrum.warnings
    assert "steps back 1 time, first at line 41" in back
    assert "said twice, first at line 21" in twice


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    y=st.lists(st.floats(-1e12, 1e12, allow_nan=False), min_size=5, max_size=40),
    start=st.floats(-1e4, 1e4),
    step=st.floats(0.5, 50) | st.floats(-50, -0.5),
    delimiter=st.sampled_from([",", ";", "\t", "  "]),
    header=st.booleans(),
)
def test_what_is_written_with_all_digits_reads_back_to_the_bit(tmp_path, y, start, step, delimiter, header):
    x = [start + i * step for i in range(len(y))]
    text = f"position{delimiter}signal\n" * header
    text += "".join(f"{a!r}{delimiter}{b!r}\n" for a, b in zip(x, y, strict=True))
    path = tmp_path / "any.txt"
    path.write_text(text)
    spectrum = read_text(path, axis=0, column=1)
    assert spectrum.axis.tolist() == x
    assert spectrum.intensity.tolist() == y


def test_a_spectrum_is_frozen_and_crosses_processes(write):
    spectrum = read_text(write("wavelength (nm),counts\n" + table(",")))
    with pytest.raises(ValueError, match="read-only"):
        spectrum.axis[0] = 1
    again = pickle.loads(pickle.dumps(spectrum))
    assert_whole(again)
    assert (again.axis_label, again.metadata) == (spectrum.axis_label, spectrum.metadata)


@pytest.mark.parametrize(
    ("axis", "intensity"),
    [
        ([1.0, 2.0], [1.0]),
        ([1.0], [1.0]),
        ([[1.0, 2.0]], [[1.0, 2.0]]),
        ([1.0, np.nan], [1.0, 2.0]),
        ([1.0, 2.0], [1.0, np.inf]),
    ],
)
def test_a_spectrum_is_two_equal_columns_of_numbers(axis, intensity):
    with pytest.raises(DataError) as caught:
        Spectrum(axis=axis, intensity=intensity)
    assert caught.value.reason == "not-a-spectrum"


def test_a_spectrum_keeps_its_own_copy():
    axis = np.array([1.0, 2.0])
    spectrum = Spectrum(axis=axis, intensity=axis, quantity=Quantity.ABSORBANCE)
    axis[0] = 7.0
    assert spectrum.axis[0] == 1.0


# Real files

SEVERAL_SAMPLES = ("wide-many-samples-nm", "time-series-wide")


def answer_key(folder: Path) -> list[dict[str, str]]:
    with (folder / "expected.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_plain_table_of_the_collection_is_read_as_its_answer_key_says(shared_spectra):
    rows = [row for row in answer_key(shared_spectra) if row["kind"] == "text"]
    wrong = []
    for row in rows:
        path = shared_spectra / row["layout"] / row["file"]
        layout = read_layout(path)
        spectrum = read_text(path, column=1 if row["layout"] in SEVERAL_SAMPLES else None)
        last = row["intensity_column"] == "last"
        column = layout.values.shape[1] - 1 if last else int(re.match(r"\d+", row["intensity_column"])[0])
        filled = ~np.isnan(layout.values)
        axis = next(i for i, own in enumerate(filled.T) if np.array_equal(layout.values[own, i], spectrum.axis))
        rows_used = filled[:, axis]
        found = (
            layout.encoding,
            int(layout.lines[rows_used][0]),
            layout.values.shape[1],
            spectrum.axis[0],
            spectrum.axis[-1],
            len(spectrum),
            spectrum.intensity.tolist() == layout.values[rows_used, column].tolist(),
        )
        expected = (
            row["encoding"],
            int(row["first_data_line"]),
            int(row["columns"]),
            float(row["x_first"]),
            float(row["x_last"]),
            int(row["n"]),
            True,
        )
        if found != expected:
            wrong.append((row["file"], found, expected))
    assert not wrong
    assert len(rows) == 89


def test_no_axis_of_the_collection_is_called_what_it_is_not(shared_spectra):
    known = 0
    for row in answer_key(shared_spectra):
        if row["kind"] != "text":
            continue
        path = shared_spectra / row["layout"] / row["file"]
        spectrum = read_text(path, column=1 if row["layout"] in SEVERAL_SAMPLES else None)
        right = row["axis"].removeprefix("emission ").casefold()
        assert spectrum.axis_kind is AxisKind.UNKNOWN or spectrum.axis_kind.value == right, path
        known += spectrum.axis_kind is not AxisKind.UNKNOWN
        assert spectrum.axis_unit in (None, row["unit"]), path
    assert known > 40


def test_files_of_several_samples_name_their_columns(shared_spectra):
    with pytest.raises(DataError, match="1: d0001, 2: d0002") as caught:
        read_text(shared_spectra / "wide-many-samples-nm" / "official.csv")
    assert caught.value.reason == "ambiguous-columns"


def test_rows_at_the_ends_that_have_no_axis_value_are_noted_and_not_warned_of(write):
    rows = ["Pixel;Raman Shift;Dark Subtracted #1", *(f"{i};;{i % 7}" for i in range(30))]
    rows += [f"{i};{100 + 2 * i};{i % 7}" for i in range(30, 200)] + [f"{i};;3" for i in range(200, 210)]
    path = write("\n".join(rows) + "\n")
    found = read_text(path)
    assert found.warnings == () and len(found) == 170
    assert found.metadata["left out"] == "40 rows at the ends, which have no axis value"
    rows[100] = "99;;2"
    assert any("1 of them between other points" in text for text in read_text(write("\n".join(rows) + "\n")).warnings)
