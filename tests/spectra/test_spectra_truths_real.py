"""What is known of the real files beside their answer key: every number, every role, every oddity."""

from __future__ import annotations

import csv
import importlib.util
import json
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from batchlab.errors import DataError
from batchlab.spectra import (
    Quantity,
    Spectrum,
    compare,
    read_layout,
    read_spectra,
    read_text,
    read_written,
    to_axis,
    to_quantity,
    write_spectrum,
)
from batchlab.spectra.cli import spectra as command

DECIMAL_COMMA = {"oceanoptics-spectrasuite-comma", "bwtek-bwram-semicolon", "bwtek-twinning-family", "shimadzu-uvprobe"}
SEVERAL_SAMPLES = {"wide-many-samples-nm", "time-series-wide"}
REFUSED = {
    "avantes2.TRM": "AvaSoft",
    "avantes_reflect.ROH": "AvaSoft",
    "S0N_50x.spe": "Princeton Instruments",
    "sa281-02-280K.spc": "Shimadzu UVProbe",
}
WHITE = "ACPL_D2_P1_T_1_WR_000"
OTHER_PLANT = "3_6_PANVI_2_T_1_001_BAD"


def answer_key(folder: Path) -> list[dict[str, str]]:
    with (folder / "expected.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def wanted_columns(row: dict[str, str]) -> list[int]:
    told = row["intensity_column"]
    if told == "last":
        return [int(row["columns"]) - 1]
    first, _, last = told.split()[0].partition("..")
    return list(range(int(first), int(last or first) + 1))


def points_of(folder: Path, row: dict[str, str]) -> list[tuple[float, float]]:
    """The points of a table by nothing but `split` and `float`, from the line that the answer key says."""
    text = (folder / row["layout"] / row["file"]).read_bytes().decode("latin-1").replace("\r\n", "\n")
    lines = text.replace("\r", "\n").split("\n")[int(row["first_data_line"]) - 1 :]
    comma = row["layout"] in DECIMAL_COMMA
    sign = next((each for each in (";", "\t", *("," * (not comma))) if each in lines[0].strip()), None)
    axis, column = 3 if row["layout"].startswith("bwtek") else 0, wanted_columns(row)[0]
    points: list[tuple[float, float]] = []
    for line in lines:
        cells = [cell.replace(",", ".") if comma else cell for cell in line.strip(" ").split(sign)]
        if cells[axis].strip():
            points.append((float(cells[axis]), float(cells[column])))
        if len(points) == int(row["n"]):
            break
    return points


def test_every_number_of_every_table_is_read_as_it_is_written(shared_spectra):
    rows = [row for row in answer_key(shared_spectra) if row["kind"] == "text"]
    for row in rows:
        path = shared_spectra / row["layout"] / row["file"]
        expected = np.array(points_of(shared_spectra, row))
        found = read_text(path, column=1 if row["layout"] in SEVERAL_SAMPLES else None)
        assert len(found) == int(row["n"]), path
        np.testing.assert_array_equal(found.axis, expected[:, 0], err_msg=str(path))
        np.testing.assert_array_equal(found.intensity, expected[:, 1], err_msg=str(path))
    assert len(rows) == 89


def test_inspect_tells_every_file_of_the_collection_as_its_answer_key_does(shared_spectra):
    rows = answer_key(shared_spectra)
    files = [str(shared_spectra / row["layout"] / row["file"]) for row in rows]
    result = CliRunner().invoke(command, ["inspect", "--json", *files])
    assert result.exit_code == 1  # some are refused
    told = json.loads(result.stdout)
    assert [each["file"] for each in told] == files
    refused = {Path(each["file"]).name: each["refused"] for each in told if "refused" in each}
    assert refused.keys() == REFUSED.keys()
    for name, why in refused.items():
        assert REFUSED[name] in why and any(word in why for word in ("export", "convert", "save")), why
    wrong = []
    for row, each in zip(rows, told, strict=True):
        if "refused" in each or not row["n"] or row["file"] == "test_spectra.0":
            continue  # of the last the key tells the reference channel, and the reflectance is what is wanted
        axis = each["axis"]
        right = (axis["first"], axis["last"], axis["count"]) == (
            float(row["x_first"]), float(row["x_last"]), int(row["n"]),
        )  # fmt: skip
        if row["kind"] == "text":
            columns = [spectrum["column"] for spectrum in each["spectra"] if spectrum["role"] == "sample"]
            right = right and (each["encoding"], each["first_data_line"]) == (
                row["encoding"], int(row["first_data_line"]),
            )  # fmt: skip
            right = right and columns == wanted_columns(row)
            right = right and axis["kind"] in ("unknown", row["axis"].removeprefix("emission ").casefold())
            right = right and axis["unit"] in (None, row["unit"])
        if not right or each["confidence"] < 0.8:
            wrong.append((row["file"], each))
    assert not wrong


def test_absorbance_and_transmittance_of_one_spectrum_are_one_spectrum(shared_spectra):
    absorbances = []
    for path in sorted((shared_spectra / "genesys30-csv-tsv").iterdir()):
        (found,) = read_spectra(path)
        assert (found.quantity, found.unit, len(found)) == (Quantity.ABSORBANCE, "1", 156)
        transmitted = read_text(path, column=2)
        assert (transmitted.quantity, transmitted.unit) == (Quantity.TRANSMITTANCE, "%")
        again = to_quantity(transmitted, "absorbance").intensity
        # The file gives %T to 0.1 at worst and A to 0.001.
        rounding = 0.0005 + 0.05 / transmitted.intensity / np.log(10)
        assert np.all(np.abs(again - found.intensity) <= rounding)
        metrics = compare(found, to_quantity(transmitted, "absorbance")).metrics
        assert metrics["pearson_r"] > 0.99999
        with pytest.raises(DataError) as caught:
            compare(found, transmitted)
        assert caught.value.reason == "quantity-mismatch"
        absorbances.append(found.intensity)
    np.testing.assert_array_equal(*absorbances)


def test_dark_reference_and_sample_have_the_roles_by_which_the_result_was_computed(shared_spectra):
    path = shared_spectra / "jaz-five-columns" / "jazspec.jaz"
    spectra = {each.role.value: each.intensity for each in read_spectra(path)}
    assert spectra.keys() == {"dark", "reference", "sample"}
    raw = read_layout(path).values[:, 3]
    lit = spectra["reference"] - spectra["dark"] > 50
    computed = 100 * (raw - spectra["dark"])[lit] / (spectra["reference"] - spectra["dark"])[lit]
    assert np.count_nonzero(lit) > 2000
    np.testing.assert_allclose(spectra["sample"][lit], computed, atol=2e-5)


def test_reflectance_of_a_leaf_is_its_radiance_over_that_of_the_panel(shared_spectra):
    for path in sorted((shared_spectra / "svc-sig-family").glob("*.sig")):
        panel, leaf = read_spectra(path)
        assert (panel.role, panel.quantity) == ("reference", "radiance")
        assert (leaf.role, leaf.quantity, leaf.unit) == ("sample", "reflectance", "%")
        target = read_layout(path).values[:, 2]
        np.testing.assert_allclose(leaf.intensity, 100 * target / panel.intensity, atol=0.02)


def test_the_axis_of_a_field_spectrometer_steps_back_twice_and_is_spliced_there(shared_spectra):
    for path in sorted((shared_spectra / "svc-sig-family").glob("*.sig")):
        leaf = read_text(path)
        joins = np.flatnonzero(np.diff(leaf.axis) < 0)
        assert len(leaf) == 1024 and joins.size == 2
        assert "steps back 2 times" in leaf.warnings[0]
        itself = compare(leaf, leaf)
        assert np.all(np.diff(itself.axis) > 0)
        assert (itself.axis[0], itself.axis[-1]) == (leaf.axis.min(), leaf.axis.max())
        detectors = np.split(leaf.axis, joins + 1)
        cuts = [(a[-1] + b[0]) / 2 for a, b in pairwise(detectors)]
        edges = [-np.inf, *cuts, np.inf]
        spans = zip(detectors, pairwise(edges), strict=True)
        left = np.concatenate([part[(part > low) & (part <= high)] for part, (low, high) in spans])
        np.testing.assert_array_equal(itself.axis, left)


def test_the_other_plant_is_darker_and_the_white_reference_white(shared_spectra):
    folder = shared_spectra / "svc-sig-family"
    means = {path.stem: read_text(path).intensity.mean() for path in folder.glob("*.sig")}
    assert means.pop(WHITE) == pytest.approx(100.0, abs=0.1)
    assert means.pop(OTHER_PLANT) == pytest.approx(16.8, abs=0.05)
    assert len(means) == 8
    assert all(22 <= mean <= 24 for mean in means.values())


def test_more_points_than_the_preamble_says_are_all_read_and_it_is_told(shared_spectra):
    found = read_text(shared_spectra / "oceanview-exponent" / "OceanView.txt")
    assert (len(found), found.axis[0], found.axis[-1]) == (2389, 187.92, 2116.5)
    assert any("2048" in text and "2389" in text for text in found.warnings)


def test_spectra_of_every_file_come_back_from_every_open_format_as_they_were(shared_spectra, tmp_path):
    endings = ["csv", "jdx", *(["parquet"] if importlib.util.find_spec("pyarrow") else [])]
    written = 0
    for path in sorted(shared_spectra.glob("*/*")):
        try:
            spectra = read_spectra(path)
        except DataError:
            assert path.name in REFUSED
            continue
        for ending in endings:
            out = tmp_path / f"one.{ending}"
            write_spectrum(out, spectra[0])
            (found,) = read_written(out)
            for each in fields(Spectrum):
                was, now = getattr(spectra[0], each.name), getattr(found, each.name)
                same = was.tolist() == now.tolist() if isinstance(was, np.ndarray) else was == now
                assert same, (path, ending, each.name, was, now)
            written += 1
    assert written >= 130 * len(endings)


@pytest.mark.parametrize(
    ("file", "act", "reason", "words"),
    [
        (
            "horiba-labspec6-plain/PST10_iR785_OP01_8000msx8.txt",
            lambda raman: to_axis(raman, "wavelength"),
            "no-laser-line",
            "laser",
        ),
        (
            "horiba-labspec6-plain/PST10_iR785_OP01_8000msx8.txt",
            lambda raman: to_quantity(raman, "absorbance"),
            "no-such-conversion",
            "counts",
        ),
        (
            "svc-sig-family/ACPL_D2_P1_B_1_001.sig",
            lambda leaf: to_quantity(leaf, "absorbance"),
            "no-such-conversion",
            "log(1/R)",
        ),
        (
            "genesys30-csv-tsv/thermo_fisher_genesys30_example_02.csv",
            lambda solution: to_quantity(solution, "kubelka-munk"),
            "no-such-conversion",
            "Kubelka-Munk",
        ),
        (
            "svc-sig-family/ACPL_D2_P1_B_1_001.sig",
            lambda leaf: to_axis(leaf, "pixel"),
            "no-such-conversion",
            "pixel",
        ),
    ],
    ids=["shift without laser", "counts to A", "R to A", "A to K-M", "nm to pixel"],
)
def test_what_a_real_spectrum_cannot_become_is_refused_with_the_reason(shared_spectra, file, act, reason, words):
    stated = {"axis_kind": "raman shift", "quantity": "counts"} if "horiba" in file else {}
    spectrum = read_text(shared_spectra / file, **stated)
    with pytest.raises(DataError) as caught:
        act(spectrum)
    assert caught.value.reason == reason
    assert words in str(caught.value) and spectrum.name in str(caught.value)
