"""What is recognised of every real file, against the answer key of the collection."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from batchlab.errors import DataError
from batchlab.spectra import AxisKind, Quantity
from batchlab.spectra._kinds import Orientation, SpectrumRole, Technique
from batchlab.spectra._read import apply_plan, read_spectra, read_spectrum, recognize

SURE = 0.8
# No simple columns, so the answer key leaves them to the notes of the collection.
ROWS = {
    "rows-are-spectra-class/collagen.csv": (731, 234, 1801.264, 902.5606),
    "nanodrop-eight-wide/thermo_nanodrop_eight_example01.txt": (5, 261, 220.0, 350.0),
    "xyz-map-rows/map_test.xyz": (16, 9, 1641.69, 1634.84),
    "transposed-row-pair/raman_hdpe_os.csv": (1, 964, 301.0, 3198.0),
    "softmax-utf16/spectrum_data.txt": (384, 4, 525.0, 528.0),
}
REFUSED = {"avantes2.TRM", "avantes_reflect.ROH", "S0N_50x.spe", "sa281-02-280K.spc"}


def answer_key(folder: Path) -> list[dict[str, str]]:
    with (folder / "expected.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def found_in(path: Path) -> tuple[float, tuple[float, float, int], bool, bool]:
    """Confidence, first, last and count as recognised; whether the file's spectra agree; what of kind is stated."""
    found = recognize(path)
    samples = [each for each in apply_plan(found.plan, path) if each.role is SpectrumRole.SAMPLE]
    axis = samples[0].axis
    agree = (found.first, found.last) == (axis[0], axis[-1]) and found.count == axis.size
    return found.confidence, (axis[0], axis[-1], axis.size), agree, samples[0]


def test_every_table_is_right_in_axis_count_and_column_and_sure_of_it(shared_spectra, capsys):
    rows = [row for row in answer_key(shared_spectra) if row["kind"] == "text"]
    table, wrong = [], []
    for row in rows:
        path = shared_spectra / row["layout"] / row["file"]
        confidence, axis, agree, sample = found_in(path)
        kind = row["axis"].removeprefix("emission ").casefold()
        right = (
            axis == (float(row["x_first"]), float(row["x_last"]), int(row["n"]))
            and agree
            and sample.axis_kind.value in ("unknown", kind)
            and sample.axis_unit in (None, row["unit"])
        )
        column = re.match(r"\d+", row["intensity_column"])
        if column is not None:
            told = read_spectrum(path, column=int(column[0]))
            right = right and told.intensity.tolist() == sample.intensity.tolist()
        table.append((row["layout"], confidence, right))
        if not right or confidence < SURE:
            wrong.append((row["file"], confidence, axis, sample.axis_label))
    assert not wrong
    assert len(rows) == 89
    with capsys.disabled():
        layouts = sorted({layout for layout, _, _ in table})
        least = min(confidence for _, confidence, _ in table)
        print(f"\n{len(table)} tables of {len(layouts)} layouts right, at a confidence of {least:.2f} or more")


@pytest.mark.parametrize("file", ROWS)
def test_tables_without_an_axis_column_are_read_too(shared_spectra, file):
    path = shared_spectra / file
    count, points, first, last = ROWS[file]
    found = recognize(path)
    spectra = apply_plan(found.plan, path)
    assert found.confidence >= SURE
    assert len(spectra) == count
    assert len({each.name for each in spectra}) == count
    for each in spectra:
        assert (len(each), each.axis[0], each.axis[-1]) == (points, pytest.approx(first), pytest.approx(last))
    assert (found.count, found.first, found.last) == (points, pytest.approx(first), pytest.approx(last))


def test_what_is_no_text_is_told_by_its_format_or_refused_with_advice(shared_spectra):
    refused = set()
    for row in answer_key(shared_spectra):
        path = shared_spectra / row["layout"] / row["file"]
        if row["kind"].startswith("text") and row["layout"] != "jobinyvon-xml":
            continue
        try:
            found = recognize(path)
        except DataError as error:
            assert error.reason in ("binary", "unsupported-format")
            refused.add(path.name)
        else:
            assert found.plan is None and found.observation is None
            assert found.format != "text" and found.confidence >= 0.95
    assert refused == REFUSED


def test_rows_keep_their_labels(shared_spectra):
    spectra = read_spectra(shared_spectra / "rows-are-spectra-class" / "collagen.csv")
    classes = {each.metadata["type"] for each in spectra}
    assert classes == {"collagen", "glycogen", "lipids", "DNA"}
    assert [each.name for each in spectra[:2]] == ["collagen", "collagen (2)"]
    drops = read_spectra(shared_spectra / "nanodrop-eight-wide" / "thermo_nanodrop_eight_example01.txt")
    assert drops[0].name == "Sample 1"
    assert drops[0].metadata["Location"] == "A"


def test_each_column_has_its_role(shared_spectra):
    def roles(file: str) -> dict[str, SpectrumRole]:
        path = shared_spectra / file
        return {f"{each.column}": each.role for each in recognize(path).plan.spectra}

    R = SpectrumRole
    assert roles("jaz-five-columns/jazspec.jaz") == {"1": R.DARK, "2": R.REFERENCE, "3": R.IGNORE, "4": R.SAMPLE}
    assert roles("genesys30-csv-tsv/thermo_fisher_genesys30_example_02.csv") == {"1": R.SAMPLE, "2": R.IGNORE}
    leaf = "svc-sig-family/ACPL_D2_P1_B_1_001.sig"
    assert roles(leaf) == {"1": R.REFERENCE, "2": R.IGNORE, "3": R.SAMPLE}
    assert recognize(shared_spectra / leaf).plan.technique is Technique.FIELD_REFLECTANCE
    avantes = roles("avantes-avasoft8-semicolon/avasoft8.txt")
    assert avantes == {"1": R.IGNORE, "2": R.DARK, "3": R.REFERENCE, "4": R.SAMPLE}


def test_more_points_than_declared_are_told_and_cost_confidence(shared_spectra):
    found = recognize(shared_spectra / "oceanview-exponent" / "OceanView.txt")
    other = recognize(shared_spectra / "oceanoptics-spectrasuite-dot" / "UK5.txt")
    assert "declares 2048 points, 2389 are there" in found.reasons[0]
    assert SURE <= found.confidence < other.confidence
    assert any("2048" in warning for warning in found.warnings)


def test_a_sample_of_a_file_tells_what_the_whole_file_tells(shared_spectra):
    """Points are counted by lines, and no plan depends on how much was looked at."""
    for row in answer_key(shared_spectra):
        path = shared_spectra / row["layout"] / row["file"]
        if row["kind"] != "text":
            continue
        planned = apply_plan(recognize(path).plan, path)
        read = read_spectra(path)
        assert [each.name for each in planned] == [each.name for each in read]
        for one, other in zip(planned, read, strict=True):
            np.testing.assert_array_equal(one.axis, other.axis)
            np.testing.assert_array_equal(one.intensity, other.intensity)
            assert (one.axis_kind, one.axis_unit, one.role) == (other.axis_kind, other.axis_unit, other.role), path


def test_wells_of_a_plate_are_named_by_row_and_column(shared_spectra):
    spectra = read_spectra(shared_spectra / "softmax-utf16" / "spectrum_data.txt")
    named = {each.name: each for each in spectra}
    assert (spectra[0].name, spectra[-1].name) == ("A1", "P24")
    assert named["B2"].intensity[:2].tolist() == [0.0353, 0.0352]
    assert (named["B2"].axis_kind, named["B2"].quantity) == (AxisKind.WAVELENGTH, Quantity.ABSORBANCE)
    assert recognize(shared_spectra / "softmax-utf16" / "spectrum_data.txt").plan.orientation is Orientation.MATRIX
