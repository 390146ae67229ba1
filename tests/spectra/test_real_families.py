"""The batch files of real instruments' families, and a folder in which all sorts of files lie."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from batchlab.batchfile import load
from batchlab.engine import Settings, Status, inline, read_view, run
from batchlab.spectra import compare_batch, read_comparison, read_text

EXAMPLES = Path(__file__).parents[2] / "examples"
FAMILIES = {"horiba-glass-family": 10, "renishaw-glass-family": 21, "perkinelmer-ls50-peds-family": 6}


@pytest.fixture(scope="module")
def finished(shared_spectra, tmp_path_factory):
    """A function from a family to its finished batch, run once."""
    known = {}

    def of(family):
        if family not in known:
            output = tmp_path_factory.mktemp(family)
            batch = load(EXAMPLES / "real" / f"{family}.yaml", output=output, set={"data": str(shared_spectra)})
            result = run(batch, executor=inline, install_signal_handlers=False)
            known[family] = (result, read_view(output))
        return known[family]

    return of


def told(shared_spectra, family):
    with (shared_spectra / "expected.csv").open(encoding="utf-8", newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file) if row["layout"] == family}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_file_is_compared_over_the_axis_that_it_has(family, finished, shared_spectra):
    result, view = finished(family)
    assert result.exit_code == 0
    jobs = {job.name.removeprefix("compare/"): job for job in view.jobs if job.task == "spectra.compare"}
    rows = told(shared_spectra, family)
    assert len(jobs) == len(rows) == FAMILIES[family]
    # The reference is the first file, and is compared with itself.
    reference = rows[min(rows)]
    for file, row in rows.items():
        metrics = jobs[Path(file).stem].metrics
        assert metrics["axis_unit"] == row["unit"]
        if (row["x_first"], row["x_last"]) == (reference["x_first"], reference["x_last"]):
            assert metrics["axis_first"] == pytest.approx(float(row["x_first"]), abs=1e-6)
            assert metrics["axis_last"] == pytest.approx(float(row["x_last"]), abs=1e-6)
            assert metrics["n_points"] == int(reference["n"])
            assert metrics["coverage"] == 1.0
        else:  # one file of a run is calibrated anew: nothing is extrapolated for it
            assert metrics["n_points"] == int(reference["n"]) - 1
            assert metrics["coverage"] < 1.0
    assert jobs[Path(min(rows)).stem].metrics["pearson_r"] == 1.0


@pytest.mark.parametrize("family", FAMILIES)
def test_axis_count_and_column_of_each_file_are_the_expected_ones(family, finished, shared_spectra):
    _, view = finished(family)
    params = next(job.params for job in view.jobs if job.task == "spectra.compare")
    reading = {name: params[name] for name in ("axis", "column", "axis_kind", "axis_unit", "quantity", "unit")}
    for file, row in told(shared_spectra, family).items():
        found = read_text(shared_spectra / family / file, **reading)
        assert len(found) == int(row["n"])
        assert found.axis[0] == pytest.approx(float(row["x_first"]), abs=1e-6)
        assert found.axis[-1] == pytest.approx(float(row["x_last"]), abs=1e-6)
        assert found.axis_unit == row["unit"]
        assert found.axis_kind.value == {"Raman shift": "raman shift", "emission wavelength": "wavelength"}[row["axis"]]
        assert found.quantity.value == row["intensity"]


def test_fluorescence_grows_as_its_concentration_does(finished):
    _, view = finished("perkinelmer-ls50-peds-family")
    ratios = [job.metrics["area_ratio"] for job in view.jobs if job.task == "spectra.compare"]
    assert ratios == pytest.approx([1.00, 2.02, 3.17, 4.24, 5.27, 6.41], abs=0.01)


def test_each_bad_file_of_a_mixed_folder_is_named_with_its_reason(shared_spectra, tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    family = shared_spectra / "horiba-glass-family"
    good = sorted(family.glob("*.txt"))[:3]
    for file in good:
        shutil.copyfile(file, folder / file.name)
    whole = good[0].read_bytes()
    cut = whole.index(b"\n", len(whole) // 2) + 4  # within an axis value
    (folder / "cut.txt").write_bytes(whole[:cut])
    (folder / "empty.txt").write_bytes(b"")
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (folder / "x.csv").mkdir()
    (folder / "notes.txt").write_bytes("\ufeffno numbers here\r\n".encode("utf-16-le"))
    (folder / "wide.txt").write_bytes(whole.decode("ascii").encode("utf-16"))
    batch = compare_batch(
        good[0],
        [folder],
        tmp_path / "out",
        normalization="snv",
        reading={"axis_kind": "raman shift"},
        dpi=50,
        settings=Settings(workers=2),
    )
    result = run(batch, install_signal_handlers=False)
    assert result.exit_code == 1
    jobs = {job.name.removeprefix("compare/"): job for job in read_view(batch.output).jobs}
    reasons = {name: job.reason for name, job in jobs.items() if job.state is Status.FAILED}
    assert reasons == {
        "cut": "truncated",
        "empty": "empty-file",
        "picture": "binary",
        "x": "not-a-file",
        "notes": "not-a-spectrum",
    }
    assert all(job.category == "invalid-input" for job in jobs.values() if job.state is Status.FAILED)
    done = {name for name, job in jobs.items() if job.state is Status.DONE}
    assert done == {"limits", "wide", *(file.stem for file in good)}
    # UTF-16 is an encoding like others: its numbers are those of the same file in ASCII.
    assert jobs["wide"].metrics["pearson_r"] == 1.0
    comparison, _ = read_comparison(batch.output / "wide_vs_BD1469.csv")
    assert not comparison.difference.any()


def test_the_general_example_is_a_batch_of_the_synthetic_set(small_set, tmp_path):
    batch = load(EXAMPLES / "compare-spectra.yaml", output=tmp_path, set={"data": str(small_set)})
    assert [job.name for job in batch.jobs] == ["limits", *(f"compare/sample_00{i}" for i in range(1, 7))]
