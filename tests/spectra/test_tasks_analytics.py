"""`spectra.analytics` as the engine runs it, on comparisons and on files."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

import batchlab.spectra.tasks._analytics as module
from batchlab.batchfile import load
from batchlab.engine import Status, inline, read_view, run
from batchlab.errors import ConfigError
from batchlab.figures import read_provenance

ANALYTICS = f"{Path(module.__file__)}:analytics"
READING = {"axis_kind": "raman shift", "quantity": "counts"}
BAND = 1234.0


def write_spectrum(path, axis, intensity):
    rows = "\n".join(f"{x:.3f}\t{y:.6f}" for x, y in zip(axis, intensity, strict=True))
    path.write_text(rows + "\n", encoding="ascii")


@pytest.fixture
def files(tmp_path):
    """Twelve samples in triplicate, one of them with a band of its own, and a reference."""
    rng = np.random.default_rng(0)
    axis = np.linspace(400.0, 1800.0, 300)

    def bands(*sizes):
        places = zip((600.0, 1000.0, 1500.0), sizes, strict=True)
        return 50 + sum(size * np.exp(-((axis - at) ** 2) / 800) for at, size in places)

    folder = tmp_path / "data"
    folder.mkdir()
    write_spectrum(folder / "reference.txt", axis, bands(1000, 500, 300))
    for sample in range(12):
        own = bands(*np.array([1000, 500, 300]) * rng.normal(1, 0.1, size=3))
        for replicate in range(3):
            signal = own + rng.normal(size=300)
            if (sample, replicate) == (5, 1):
                signal = signal + 200 * np.exp(-((axis - BAND) ** 2) / 400)
            write_spectrum(folder / f"leaf{sample:02}_{replicate}.txt", axis, signal)
    return folder


def entry(**changes):
    base = {"id": "outliers", "task": ANALYTICS, "params": {}}
    return {**base, **changes}


def ended(tmp_path, entries, name="out"):
    path = tmp_path / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"batch": name, "output": name, "jobs": entries}), encoding="utf-8")
    result = run(load(path), executor=inline, install_signal_handlers=False)
    view = read_view(tmp_path / name)
    return result, {job.name: job for job in view.jobs}, tmp_path / name


def rows_of(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


SMALL = {"dpi": 40}


def test_files_are_analysed_and_the_odd_one_is_named(files, tmp_path):
    params = {**READING, **SMALL, "group_pattern": r"(leaf\d+)_", "unit": "counts"}
    found = entry(inputs={"samples": {"all": str(files / "leaf*.txt")}}, params=params, outputs={"precision": "p.csv"})
    result, jobs, out = ended(tmp_path, [found])
    job = jobs["outliers"]
    assert result.exit_code == 0, job.message
    assert job.metrics["worst"] == "leaf05_1"
    assert job.metrics["n"] == 36
    assert job.metrics["n_outliers"] == 1
    where = float(job.metrics["worst_reason"].split("most at ")[1].split(" cm-1")[0])
    assert where == pytest.approx(BAND, abs=15)
    assert len(job.items) == 36
    by_name = {row["name"]: row for row in rows_of(out / "outliers.csv")}
    assert by_name["leaf05_1"]["verdict"] == "outlier"
    assert by_name["leaf05_1"]["group"] == "leaf05"
    assert "score 1 / counts" in by_name["leaf05_1"]
    assert rows_of(out / "outliers_loadings.csv")[0]["axis / cm-1"] == "400.0"
    spread = [float(row["repeatability deviation / counts"]) for row in rows_of(out / "p.csv")]
    assert np.median(spread) == pytest.approx(1.0, rel=0.2)
    assert read_provenance(out / "outliers.png")["job"] == "outliers"
    assert len(np.unique(np.asarray(Image.open(out / "outliers.png")))) > 10


def test_the_order_of_the_files_changes_no_finding(files, tmp_path):
    names = sorted(str(path) for path in files.glob("leaf*.txt"))
    tables = []
    for number, order in enumerate((names, names[::-1])):
        found = entry(inputs={"samples": order}, params={**READING, **SMALL}, outputs={"figure": None})
        _, _, out = ended(tmp_path, [found], f"out{number}")
        rows = {row["name"]: row for row in rows_of(out / "outliers.csv")}
        tables.append({name: (row["verdict"], float(row["T2"]), float(row["DModX"])) for name, row in rows.items()})
    assert tables[0].keys() == tables[1].keys()
    for name, (verdict, t2, distance) in tables[0].items():
        assert tables[1][name][0] == verdict
        assert tables[1][name][1:] == pytest.approx((t2, distance), rel=1e-6)


def test_comparisons_are_gathered_without_those_that_failed(files, tmp_path):
    (files / "leaf99.txt").write_text("1 2 3\nnothing here\n", encoding="ascii")
    compare = {
        "id": "compare",
        "task": "spectra.compare",
        "inputs": {"reference": str(files / "reference.txt"), "sample": str(files / "leaf*.txt")},
        "params": {**READING, "normalization": "snv"},
        "outputs": {"figure": None},
    }
    found = entry(inputs={"comparisons": {"from": "compare", "gather": "done"}}, params=SMALL)
    result, jobs, out = ended(tmp_path, [compare, found])
    assert result.exit_code == 1
    job = jobs["outliers"]
    assert job.state is Status.DONE, job.message
    assert job.metrics["n"] == 36
    assert job.metrics["worst"] == "leaf05_1"
    correlations = {row["name"]: float(row["correlation"]) for row in rows_of(out / "outliers.csv")}
    for name, value in correlations.items():  # with the reference, as the comparison says
        assert value == pytest.approx(jobs[f"compare/{name}"].metrics["pearson_r"], abs=1e-9)


def test_what_is_masked_has_no_part_in_the_look_at_the_whole(files, tmp_path):
    """The mask of comparisons, and the same as a param, hide the only odd band from model, charts and correlation."""
    mask = [BAND - 100, BAND + 100]
    comparison = {
        "id": "compare",
        "task": "spectra.compare",
        "inputs": {"reference": str(files / "reference.txt"), "sample": str(files / "leaf*.txt")},
        "params": {**READING, "masks": [mask]},
        "outputs": {"figure": None},
    }
    gathered = entry(inputs={"comparisons": {"from": "compare", "gather": "done"}}, params=SMALL)
    inputs = {"samples": {"all": str(files / "leaf*.txt")}, "reference": str(files / "reference.txt")}
    raw = entry(id="raw", inputs=inputs, params={**READING, **SMALL, "masks": [mask]})
    seen = entry(id="seen", inputs=inputs, params={**READING, **SMALL})
    result, jobs, out = ended(tmp_path, [comparison, gathered, raw, seen])
    assert result.exit_code == 0
    assert jobs["seen"].metrics["worst"] == "leaf05_1" and jobs["seen"].metrics["n_outliers"] == 1
    reference = np.loadtxt(files / "reference.txt")
    kept = (reference[:, 0] < mask[0]) | (reference[:, 0] > mask[1])
    for name in ("outliers", "raw"):
        assert jobs[name].metrics["n_outliers"] == 0
        loadings = rows_of(out / f"{name}_loadings.csv")
        assert [float(next(iter(row.values()))) for row in loadings] == reference[kept, 0].tolist()
        for row in rows_of(out / f"{name}.csv"):
            sample = np.loadtxt(files / f"{row['name']}.txt")
            expected = np.corrcoef(sample[kept, 1], reference[kept, 1])[0, 1]
            assert float(row["correlation"]) == pytest.approx(expected, rel=1e-9)
            compared = jobs[f"compare/{row['name']}"].metrics["pearson_r"]
            assert compared == pytest.approx(expected, rel=1e-9)


def test_what_is_assumed_of_silent_axes_is_told_for_each(files, tmp_path):
    inputs = {"samples": {"all": str(files / "leaf0*.txt")}, "reference": str(files / "reference.txt")}
    _, jobs, _ = ended(tmp_path, [entry(inputs=inputs, params=SMALL)])
    told = [text for text in jobs["outliers"].warnings if "says what its axis is" in text]
    assert len(told) == 30 and any("'leaf00_0'" in text for text in told)


def test_masks_that_leave_nothing_are_told(files, tmp_path):
    found = entry(inputs={"samples": {"all": str(files / "leaf*.txt")}}, params={**READING, "masks": [[0, 9999]]})
    result, jobs, _ = ended(tmp_path, [found])
    assert result.exit_code == 1
    assert any("the masks leave none of 300 points of leaf00_0" in each.message for each in jobs["outliers"].items)


def test_a_bad_file_costs_one_item(files, tmp_path):
    (files / "leaf98.txt").write_text("", encoding="ascii")
    found = entry(inputs={"samples": {"all": str(files / "leaf*.txt")}}, params={**READING, **SMALL})
    result, jobs, _ = ended(tmp_path, [found])
    assert result.exit_code == 1
    failed = [item for item in jobs["outliers"].items if item.status is Status.FAILED]
    assert [(item.name, item.reason) for item in failed] == [("leaf98.txt", "empty-file")]
    assert jobs["outliers"].metrics["n"] == 36


def test_a_narrower_spectrum_narrows_all_and_is_named(files, tmp_path):
    axis = np.linspace(400.0, 900.0, 200)
    write_spectrum(files / "leaf97.txt", axis, 1000 * np.exp(-((axis - 600) ** 2) / 800) + 50)
    found = entry(inputs={"samples": {"all": str(files / "leaf*.txt")}}, params={**READING, **SMALL})
    _, jobs, out = ended(tmp_path, [found])
    assert any("leaf97" in text and "covered by all" in text for text in jobs["outliers"].warnings)
    last = float(rows_of(out / "outliers_loadings.csv")[-1]["axis / cm-1"])
    assert 890 < last <= 900


def test_a_normal_group_judges_the_others(files, tmp_path):
    params = {**READING, **SMALL, "group_pattern": "(other|leaf)", "normal": "leaf", "normalization": "snv"}
    axis = np.linspace(400.0, 1800.0, 300)
    for number in range(3):
        write_spectrum(files / f"other{number}.txt", axis, 50 + 500 * np.exp(-((axis - 1200 - number) ** 2) / 2000))
    inputs = {
        "samples": sorted(str(path) for path in files.glob("[lo]*.txt")),
        "reference": str(files / "reference.txt"),
    }
    _, jobs, out = ended(tmp_path, [entry(inputs=inputs, params=params)])
    verdicts = {row["name"]: row["verdict"] for row in rows_of(out / "outliers.csv")}
    assert {verdicts[f"other{number}"] for number in range(3)} == {"outlier"}
    assert sum(verdict == "outlier" for verdict in verdicts.values()) == 4
    _, jobs, _ = ended(tmp_path, [entry(inputs=inputs, params={**params, "normal": "maple"})], "no_group")
    assert jobs["outliers"].reason == "no-such-group"
    assert "leaf, other" in jobs["outliers"].message


def test_two_spectra_make_no_batch(files, tmp_path):
    inputs = {"samples": [str(files / "leaf00_0.txt"), str(files / "leaf00_1.txt")]}
    _, jobs, _ = ended(tmp_path, [entry(inputs=inputs, params={**READING, **SMALL})])
    assert (jobs["outliers"].state, jobs["outliers"].reason) == (Status.FAILED, "too-few-spectra")


def test_without_spectra_or_with_two_kinds_it_is_told_what_to_give(files, tmp_path):
    inputs = {"reference": str(files / "reference.txt")}
    _, jobs, _ = ended(tmp_path, [entry(inputs=inputs)])
    assert "give either comparisons" in jobs["outliers"].message


def test_a_wrong_pattern_is_told_in_the_plan(files, tmp_path):
    inputs = {"samples": {"all": str(files / "leaf*.txt")}}
    with pytest.raises(ConfigError, match="no regular expression"):
        ended(tmp_path, [entry(inputs=inputs, params={"group_pattern": "("})])


def test_a_file_of_many_spectra_brings_its_own_groups(shared_spectra, tmp_path):
    params = {**SMALL, "axis_kind": "wavenumber", "normalization": "snv", "group_by": "type", "components": 6}
    inputs = {"samples": [str(shared_spectra / "rows-are-spectra-class" / "collagen.csv")]}
    result, jobs, out = ended(tmp_path, [entry(inputs=inputs, params=params)])
    job = jobs["outliers"]
    assert result.exit_code == 0, job.message
    assert job.metrics["n"] == 731
    assert job.metrics["nearest_own_group"] > 0.95
    assert {row["group"] for row in rows_of(out / "outliers.csv")} == {"collagen", "glycogen", "lipids", "DNA"}
    assert float(rows_of(out / "outliers_loadings.csv")[0]["axis / cm-1"]) == 1801.264
    with_normal = {**params, "normal": "glycogen", "components": None}
    _, jobs, _ = ended(tmp_path, [entry(inputs=inputs, params=with_normal)], "normal")
    assert jobs["outliers"].metrics["n_outliers"] > 500


def test_the_times_in_the_files_order_the_charts(tmp_path):
    rng = np.random.default_rng(1)
    axis = np.linspace(400.0, 900.0, 100)
    days = rng.permutation(20)
    for number, day in enumerate(days):
        signal = (100 + day) * np.exp(-((axis - 600) ** 2) / 800) + 50 + 0.1 * rng.normal(size=100)
        rows = "".join(f"{x:.2f}\t{y:.4f}\n" for x, y in zip(axis, signal, strict=True))
        head = f"Measured: 2024-03-{day + 1:02}T10:00:00\nInstrument: A\nraman shift\tcounts\n"
        (tmp_path / f"s{number:02}.txt").write_text(head + rows, encoding="ascii")
    inputs = {"samples": {"all": str(tmp_path / "s*.txt")}}
    drifts = {}
    for key in ("Measured", "Nowhere"):
        found = entry(inputs=inputs, params={**READING, **SMALL, "time_by": key}, outputs={"figure": None})
        _, jobs, _ = ended(tmp_path, [found], key)
        drifts[key] = jobs["outliers"].metrics["drift_p_level"]
        assert any("do not say when" in text for text in jobs["outliers"].warnings) == (key == "Nowhere")
    assert drifts["Measured"] < 1e-6
    assert drifts["Nowhere"] > 0.01


def test_field_spectra_as_they_come_tell_the_white_reference_and_the_other_plant(shared_spectra, tmp_path):
    inputs = {"samples": {"all": str(shared_spectra / "svc-sig-family" / "*.sig")}}
    _, jobs, out = ended(tmp_path, [entry(inputs=inputs, params={**SMALL, "normalization": "snv"})])
    job = jobs["outliers"]
    assert job.state is Status.DONE, job.message
    verdicts = {row["name"]: row["verdict"] for row in rows_of(out / "outliers.csv")}
    assert len(verdicts) == 10
    assert job.metrics["worst"] == "ACPL_D2_P1_T_1_WR_000"
    assert verdicts["3_6_PANVI_2_T_1_001_BAD"] == "outlier"
    assert any("only gross outliers" in text for text in job.warnings)
