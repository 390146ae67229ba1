"""A sample is never held against itself without a word: left out of a folder, and no reference of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from batchlab.engine import inline, read_view, run
from batchlab.errors import ConfigError
from batchlab.spectra import compare_batch
from batchlab.spectra.cli import spectra as command

AXIS = np.linspace(400.0, 1800.0, 200)


def band(at: float, height: float = 1.0) -> np.ndarray:
    return height * np.exp(-((AXIS - at) ** 2) / 800)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Four spectra, of which a and b are alike, and c and d."""
    folder = tmp_path / "library"
    folder.mkdir()
    signals = {
        "a": 1 + band(600),
        "b": 1 + band(600, 1.1) + band(900, 0.05),
        "c": 1 + band(1200),
        "d": 1 + band(1200, 1.1) + band(900, 0.05),
    }
    for name, signal in signals.items():
        rows = "\n".join(f"{x},{y}" for x, y in zip(AXIS, signal, strict=True))
        (folder / f"{name}.csv").write_text(f"Raman shift (cm-1),Intensity (counts)\n{rows}\n")
    return folder


def done(output: Path, references, samples, **options):
    batch = compare_batch(references, samples, output, figure=False, **options)
    run(batch, executor=inline, install_signal_handlers=False)
    return {job.name.partition("/")[2]: job for job in read_view(batch.output).jobs}


def files(library: Path) -> list[Path]:
    return sorted(library.glob("*.csv"))


@pytest.mark.parametrize("samples", [".", "*.csv", "?.csv"])
def test_the_reference_is_no_sample_of_its_own_folder(library, tmp_path, samples):
    jobs = done(tmp_path / "out", library / "a.csv", [library / samples])
    assert sorted(jobs) == ["b", "c", "d"]


def test_a_link_to_the_reference_is_the_reference(library, tmp_path):
    link = tmp_path / "link.csv"
    link.symlink_to(library / "a.csv")
    assert sorted(done(tmp_path / "out", link, [library])) == ["b", "c", "d"]


def test_a_reference_that_is_named_among_the_samples_stays_and_is_told(library, tmp_path):
    jobs = done(tmp_path / "out", library / "a.csv", [library, library / "a.csv"])
    assert sorted(jobs) == ["a", "b", "c", "d"]
    assert [text for _, text in told(jobs["a"])] == ["the sample is the reference itself"]
    assert told(jobs["b"]) == []


def told(job) -> list[tuple[str, str]]:
    return [(job.name, text) for text in job.warnings]


def test_the_command_tells_what_it_leaves_out(library, tmp_path, monkeypatch):
    class Face:
        def run_batch(self, batch, **options):
            self.batch = batch
            return 0

    face = Face()
    words = ["compare", str(library / "a.csv"), str(library), "-o", str(tmp_path / "out"), "--no-figure"]
    result = CliRunner().invoke(command, words, obj=face)
    assert result.exit_code == 0
    assert "the reference a.csv is among the samples: left out" in result.stderr
    assert [job.name for job in face.batch.jobs] == ["compare/b", "compare/c", "compare/d"]


def test_a_folder_with_nothing_but_the_reference_has_no_samples(library, tmp_path):
    for name in "bcd":
        (library / f"{name}.csv").unlink()
    with pytest.raises(ConfigError, match="no samples, but only the reference itself"):
        compare_batch(library / "a.csv", [library], tmp_path / "out")


def test_a_sample_is_not_its_own_best_reference(library, tmp_path):
    jobs = done(tmp_path / "out", files(library), [library], params={"references": "best"})
    assert {name: job.metrics["reference"] for name, job in jobs.items()} == {"a": "b", "b": "a", "c": "d", "d": "c"}
    assert all(job.metrics["hqi"] < 1000 for job in jobs.values())
    for job in jobs.values():
        assert "the sample is one of the 4 references, and is compared with the others alone" in job.warnings


def test_a_sample_is_no_part_of_the_mean_and_the_band_that_it_is_held_against(library, tmp_path):
    params = {"references": "mean", "tolerance": {"least": 0.01}}
    jobs = done(tmp_path / "out", files(library), [library / "a.csv"], params=params)
    others = np.mean([np.loadtxt(file, delimiter=",", skiprows=1)[:, 1] for file in files(library)[1:]], axis=0)
    sample = np.loadtxt(library / "a.csv", delimiter=",", skiprows=1)[:, 1]
    assert jobs["a"].metrics["rmse"] == pytest.approx(np.sqrt(np.mean((sample - others) ** 2)))
    whole = done(tmp_path / "whole", files(library)[1:], [library / "a.csv"], params=params)
    assert jobs["a"].metrics["outside_points"] == whole["a"].metrics["outside_points"]


def test_with_one_reference_there_is_no_gap_to_the_next(library, tmp_path):
    jobs = done(tmp_path / "out", files(library)[:1], [library / "b.csv"], params={"references": "best"})
    assert jobs["b"].metrics["gap"] is None and jobs["b"].metrics["next_reference"] is None


@pytest.mark.parametrize("which", ["best", "mean", "nearest"])
def test_with_one_reference_a_word_for_several_is_told_to_have_no_effect(library, tmp_path, which):
    params = {"references": which, **({"nearest_by": {"power": 10}} if which == "nearest" else {})}
    for file in files(library):
        file.write_text("# power: 5\n" + file.read_text())

    def idle(count, name):
        jobs = done(tmp_path / name, files(library)[:count], [library / "d.csv"], params=params)
        return [text for text in jobs["d"].warnings if "no effect" in text]

    told = "has no effect: there is one reference alone, a.csv; give a folder, a pattern or several files"
    assert idle(1, "one") == [f"references: {which} {told}"]
    assert idle(2, "two") == []


def test_of_a_file_of_many_in_a_folder_only_the_reference_itself_is_no_sample(tmp_path):
    folder = tmp_path / "wide"
    folder.mkdir()
    rows = "\n".join(
        f"{x},{1 + a},{1 + b},{1 + c}" for x, a, b, c in zip(AXIS, band(600), band(900), band(1200), strict=True)
    )
    (folder / "plate.csv").write_text(f"Raman shift (cm-1),one,two,three\n{rows}\n")
    batch = compare_batch(
        folder / "plate.csv", [folder], tmp_path / "out", reading={"spectrum": "two"}, each_spectrum=True
    )
    assert [job.params["sample_spectrum"] for job in batch.jobs if job.task == "spectra.compare"] == ["one", "three"]
