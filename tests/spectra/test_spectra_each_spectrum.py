"""A job for each spectrum of a file that holds many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from batchlab.cli._main import cli
from batchlab.engine import Settings, Status, read_view, run
from batchlab.errors import ConfigError
from batchlab.spectra import Spectrum, compare_batch, read_spectra, read_spectrum
from batchlab.spectra._write import write_spectra

AXIS = np.linspace(400.0, 800.0, 201)


def curve(at: float) -> np.ndarray:
    return 0.1 + np.exp(-(((AXIS - at) / 40) ** 2))


def wide(path: Path, **columns: float) -> Path:
    """A table with a column for each spectrum."""
    rows = zip(AXIS, *(curve(at) for at in columns.values()), strict=True)
    lines = [",".join(["Wavelength (nm)", *(f"{name} (Absorbance)" for name in columns)])]
    path.write_text("\n".join([*lines, *(",".join(f"{x:.6f}" for x in row) for row in rows), ""]), encoding="ascii")
    return path


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    return wide(tmp_path / "reference.csv", white=600)


def batch_of(tmp_path: Path, reference: Path, *samples: Path, **options):
    return compare_batch(
        reference, samples, tmp_path / "out", each_spectrum=True, settings=Settings(workers=1), **options
    )


def compound(path: Path, *names: str) -> Path:
    spectra = [
        Spectrum(axis=AXIS, intensity=curve(580 + 10 * i), axis_kind="wavelength", axis_unit="nm",
                 quantity="absorbance", name=name)
        for i, name in enumerate(names)
    ]  # fmt: skip
    write_spectra(path, spectra)
    return path


def test_every_column_is_a_job_with_the_numbers_of_its_own(tmp_path, reference):
    plate = wide(tmp_path / "plate.csv", A1=600, A2=610, A3=640)
    alone = wide(tmp_path / "leaf.csv", leaf=620)
    batch = batch_of(tmp_path, reference, plate, alone, dpi=30)
    names = [each.name for each in read_spectra(plate)]
    assert [job.name for job in batch.jobs] == ["limits", "compare/leaf", *(f"compare/plate/{n}" for n in names)]
    assert run(batch, install_signal_handlers=False).exit_code == 0
    jobs = {job.name: job for job in read_view(batch.output).jobs}
    assert jobs["limits"].metrics["n_samples"] == 4
    likeness = [jobs[f"compare/plate/{name}"].metrics["pearson_r"] for name in names]
    for name, (at, found) in zip(names, zip((600, 610, 640), likeness, strict=True), strict=True):
        assert found == pytest.approx(np.corrcoef(curve(600), curve(at))[0, 1], abs=1e-6), name
    written = {path.name for path in batch.output.glob("*.csv")}
    assert len(written) == 4
    assert all((batch.output / f"plate_{name}_vs_reference.png").is_file() for name in names)


def test_a_compound_file_is_taken_apart_by_its_titles(tmp_path):
    reference = compound(tmp_path / "reference.jdx", "white")
    batch = batch_of(tmp_path, reference, compound(tmp_path / "set.jdx", "oak", "450", "set b"), figure=False)
    assert [job.name for job in batch.jobs] == ["compare/set/oak", "compare/set/450", "compare/set/set b"]
    assert [job.outputs["table"] for job in batch.jobs] == [
        "set_oak_vs_reference.csv",
        "set_450_vs_reference.csv",
        "set b_vs_reference.csv",
    ]
    assert run(batch, install_signal_handlers=False).exit_code == 0


def test_names_that_files_cannot_tell_apart_give_way_to_numbers(tmp_path):
    reference = compound(tmp_path / "reference.jdx", "white")
    batch = batch_of(tmp_path, reference, compound(tmp_path / "set.jdx", "a/b", "a:b", "A/B"), figure=False)
    assert [job.name for job in batch.jobs] == ["compare/set/0", "compare/set/1", "compare/set/2"]
    assert run(batch, install_signal_handlers=False).exit_code == 0
    found = [job.metrics["pearson_r"] for job in read_view(batch.output).jobs]
    assert len(set(found)) == 3


def test_files_of_equal_names_stay_apart(tmp_path, reference):
    plates = []
    for day in ("day1", "day2"):
        (tmp_path / day).mkdir()
        plates.append(wide(tmp_path / day / "plate.csv", A1=600, A2=610))
    batch = batch_of(tmp_path, reference, *plates, figure=False, analytics={})
    assert len({job.name for job in batch.jobs}) == 5
    assert len({job.outputs["table"] for job in batch.jobs}) == 5
    assert run(batch, install_signal_handlers=False).exit_code == 0
    table = (batch.output / batch.jobs[-1].outputs["table"]).read_text()
    names = [line.split(",")[0] for line in table.splitlines() if "A1" in line and not line.startswith("#")]
    assert len(set(names)) == 2


def test_a_file_that_cannot_be_read_is_a_job_that_tells_why(tmp_path, reference):
    bad = tmp_path / "bad.csv"
    bad.write_text("no numbers\n")
    plate = wide(tmp_path / "plate.csv", A1=600, A2=610)
    batch = batch_of(tmp_path, reference, bad, tmp_path / "missing.csv", plate, figure=False)
    assert run(batch, install_signal_handlers=False).exit_code == 1
    jobs = {job.name: job for job in read_view(batch.output).jobs}
    failed = {name: job.reason for name, job in jobs.items() if job.state is not Status.DONE}
    assert failed == {"compare/bad": "not-a-spectrum", "compare/missing": "not-found"}


def test_which_of_the_references_spectra_is_meant_can_be_said(tmp_path):
    plate = wide(tmp_path / "plate.csv", A1=600, A2=610, A3=640)
    batch = batch_of(tmp_path, plate, plate, figure=False, reading={"spectrum": "A2"})
    assert run(batch, install_signal_handlers=False).exit_code == 0
    found = {job.name.rpartition("/")[2][:2]: job.metrics["pearson_r"] for job in read_view(batch.output).jobs}
    assert found["A2"] == pytest.approx(1) and found["A1"] < 1 and found["A3"] < found["A1"]


def test_users_templates_hold_the_name_where_they_say(tmp_path, reference):
    plate = compound(tmp_path / "set.jdx", "oak", "elm")
    batch = batch_of(
        tmp_path, reference, plate, figure=False, outputs={"normalized": "n/{spectrum}.csv", "peaks": "{sample}.csv"}
    )
    assert [job.outputs["normalized"] for job in batch.jobs] == ["n/oak.csv", "n/elm.csv"]
    assert [job.outputs["peaks"] for job in batch.jobs] == ["set_oak.csv", "set_elm.csv"]


def test_a_column_contradicts_it(tmp_path, reference):
    with pytest.raises(ConfigError, match="each_spectrum"):
        batch_of(tmp_path, reference, reference, reading={"column": 1})


def test_a_text_is_a_name_before_it_is_a_number(tmp_path):
    path = compound(tmp_path / "set.jdx", "1", "0")
    assert read_spectrum(path, spectrum="0").name == "0"
    assert read_spectrum(path, spectrum=0).name == "1"


def test_the_command_takes_each_spectrum(tmp_path, reference):
    plate = wide(tmp_path / "plate.csv", A1=600, A2=610, A3=640, A4=650, A5=660, A6=670)
    out = tmp_path / "out"
    words = ["spectra", "compare", str(reference), str(plate), "-o", str(out), "--no-figure", "--workers", "1", "-q"]
    result = CliRunner().invoke(cli, [*words, "--each-spectrum"])
    assert result.exit_code == 0, result.output
    jobs = [job.name for job in read_view(out).jobs]
    assert len(jobs) == 7 and jobs[-1] == "analytics"
    assert CliRunner().invoke(cli, [*words, "--each-spectrum", "--column", "1"]).exit_code == 2
