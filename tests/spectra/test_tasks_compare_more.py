"""What more `spectra.compare` does on wish: steps, references, conformity, peaks, other outputs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from batchlab.engine import Settings, inline, read_view, run
from batchlab.figures import FORMATS, read_provenance
from batchlab.spectra import compare_batch, read_comparison, read_text
from batchlab.spectra.tasks._drawing import PICTURES

AXIS = np.linspace(200.0, 1800.0, 801)


def band(at: float, height: float = 1.0, width: float = 12.0) -> np.ndarray:
    return height * np.exp(-(((AXIS - at) / width) ** 2))


def written(path: Path, signal: np.ndarray, **keys: str) -> Path:
    head = [f"# {key}: {value}" for key, value in keys.items()]
    rows = [f"{x:.4f},{y:.9f}" for x, y in zip(AXIS, signal, strict=True)]
    path.write_text("\n".join([*head, "Raman shift (cm-1),counts", *rows, ""]), encoding="ascii")
    return path


def done(tmp_path: Path, reference, sample, **options):
    batch = compare_batch(
        reference, [sample], tmp_path / "out", dpi=60, limits="per-picture", settings=Settings(workers=1), **options
    )
    result = run(batch, executor=inline, install_signal_handlers=False)
    assert result.exit_code == 0
    (job,) = read_view(batch.output).jobs
    return job, batch.output


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    return written(tmp_path / "ref.csv", 0.1 + band(600) + band(1200, 2.0))


def test_formats_are_those_that_figures_write() -> None:
    assert set(PICTURES) == set(FORMATS)


def test_steps_act_on_both_and_are_told(tmp_path, reference) -> None:
    sloped = written(tmp_path / "s.csv", 0.1 + band(600) + band(1200, 2.0) + 0.5 + 0.002 * (AXIS - 200))
    plain, _ = done(tmp_path, reference, sloped, figure=False, table=False)
    assert plain.metrics["rmse"] > 1.0
    steps = [{"baseline": {"method": "linear", "regions": [[200, 400], [1500, 1800]]}}]
    level, out = done(tmp_path / "b", reference, sloped, figure=False, params={"steps": steps})
    assert level.metrics["rmse"] < 1e-6
    comparison, _ = read_comparison(out / "s_vs_ref.csv")
    assert any("baseline" in text for text in comparison.done)


def test_a_region_is_judged_by_itself(tmp_path, reference) -> None:
    other = written(tmp_path / "s.csv", 0.1 + band(600) + band(1200, 1.0))
    job, _ = done(tmp_path, reference, other, figure=False, params={"regions": {"left": [500, 700]}})
    assert job.metrics["rmse[left]"] < 1e-9 < job.metrics["rmse"]


def test_the_best_of_several_references_is_found(tmp_path, reference) -> None:
    other = written(tmp_path / "other.csv", 0.1 + band(900))
    sample = written(tmp_path / "s.csv", 0.2 + 3 * band(600) + 6 * band(1200))
    job, out = done(
        tmp_path, [other, reference], sample, params={"references": "best"}, outputs={"ranking": "ranking.csv"}
    )
    assert job.metrics["reference"] == "ref" and job.metrics["next_reference"] == "other"
    lines = [line for line in (out / "ranking.csv").read_text().splitlines() if not line.startswith("#")]
    assert [row["reference"] for row in csv.DictReader(lines)] == ["ref", "other"]


def test_a_sample_is_held_against_the_mean_and_the_spread_of_its_references(tmp_path) -> None:
    files = [written(tmp_path / f"r{i}.csv", 1 + band(600, height)) for i, height in enumerate((0.9, 1.0, 1.1))]
    good = written(tmp_path / "good.csv", 1 + band(600, 1.05))
    bad = written(tmp_path / "bad.csv", 1 + band(600, 1.05) + band(1200, 0.5))
    params = {"references": "mean", "tolerance": {"least": 0.01}}
    job, _ = done(tmp_path, files, good, figure=False, params=params)
    assert job.metrics["conforms"] is True and abs(job.metrics["max_deviation"] - 0.05) < 1e-6
    job, out = done(tmp_path / "b", files, bad, params=params)
    assert job.metrics["conforms"] is False and "1200" in job.metrics["verdict"]
    assert (out / "bad.png").is_file()


def test_the_spread_of_the_references_is_a_band_only_where_one_is_asked_for(tmp_path) -> None:
    files = [written(tmp_path / f"r{i}.csv", 1 + band(600, height)) for i, height in enumerate((0.9, 1.0, 1.1))]
    far = written(tmp_path / "far.csv", 2 + band(600))
    for number, (tolerance, conforms) in enumerate(
        [
            ({"rules": ["pearson_r >= 0.9"]}, True),
            ({"rules": ["pearson_r >= 0.9"], "least": 0.01}, False),
            ({"rules": ["pearson_r >= 0.9", "inside"]}, False),
            ({"rules": ["pearson_r >= 0.9"], "within": 0.5}, False),
            ({"rules": ["pearson_r >= 0.9"], "within": 1.5}, True),
        ]
    ):
        params = {"references": "mean", "tolerance": tolerance}
        job, _ = done(tmp_path / str(number), files, far, figure=False, params=params)
        assert job.metrics["conforms"] is conforms, tolerance
        assert ("outside_points" in job.metrics) is (number > 0)


def test_the_nearest_reference_by_metadata_is_taken(tmp_path) -> None:
    low = written(tmp_path / "low.csv", 1 + band(600), power="10 mW")
    high = written(tmp_path / "high.csv", 1 + band(1200), power="100 mW")
    sample = written(tmp_path / "s.csv", 1 + band(1200), power="90 mW")
    job, _ = done(
        tmp_path, [low, high], sample, figure=False, params={"references": "nearest", "nearest_by": {"power": 10}}
    )
    assert job.metrics["reference"] == "high" and job.metrics["reference_distance"] == pytest.approx(1.0)


def test_several_references_without_a_word_are_refused(tmp_path, reference) -> None:
    other = written(tmp_path / "other.csv", band(900))
    batch = compare_batch([reference, other], [reference], tmp_path / "out", figure=False)
    assert run(batch, executor=inline, install_signal_handlers=False).exit_code == 1
    assert read_view(batch.output).jobs[0].reason == "several-references"


def test_a_rule_about_a_band_without_one_is_the_askers_mistake(tmp_path, reference) -> None:
    params = {"tolerance": {"rules": ["outside <= 2 %"]}}
    batch = compare_batch(reference, [reference], tmp_path / "out", figure=False, params=params)
    assert run(batch, executor=inline, install_signal_handlers=False).exit_code == 1
    (job,) = read_view(batch.output).jobs
    assert (job.reason, job.category, job.attempts) == ("no-band", "invalid-input", 1)
    assert "outside_percent <= 2" in job.message and "replicates" in job.message


def test_a_band_from_a_file_and_a_rule(tmp_path, reference) -> None:
    signal = 0.1 + band(600) + band(1200, 2.0)
    rows = [f"{x},{y - 0.1},{y + 0.1}" for x, y in zip(AXIS, signal, strict=True)]
    limits = tmp_path / "band.csv"
    limits.write_text("\n".join(["Raman shift (cm-1),lower,upper", *rows, ""]))
    sample = written(tmp_path / "s.csv", signal + band(900, 0.3))
    job, _ = done(tmp_path, reference, sample, band=limits)
    assert job.metrics["conforms"] is False and abs(job.metrics["largest_excess_at"] - 900) < 3
    params = {"tolerance": {"rules": ["outside_percent <= 10", "pearson_r >= 0.9"]}}
    job, _ = done(tmp_path / "b", reference, sample, band=limits, params=params)
    assert job.metrics["conforms"] is True


def test_peaks_are_matched_and_written(tmp_path, reference) -> None:
    sample = written(tmp_path / "s.csv", 0.1 + band(604) + band(1200, 1.0) + band(1500, 0.7))
    job, out = done(
        tmp_path, reference, sample, params={"peaks": True}, outputs={"peaks": "peaks.csv", "page": "page.html"}
    )
    assert (job.metrics["peaks_matched"], job.metrics["peaks_only_sample"]) == (2, 1)
    lines = [line for line in (out / "peaks.csv").read_text().splitlines() if not line.startswith("#")]
    first, second, third = csv.DictReader(lines)
    assert float(first["shift (cm-1)"]) == pytest.approx(4.0, abs=0.05)
    assert float(second["height_ratio"]) == pytest.approx(0.5, abs=0.01)
    assert third["reference_height"] == "" and float(third["sample_position (cm-1)"]) == pytest.approx(1500, abs=0.1)
    assert read_provenance(out / "page.html")["task"] == "spectra.compare"


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "jdx", "parquet"])
def test_the_sample_is_written_in_an_open_format(tmp_path, reference, ending) -> None:
    from batchlab.spectra._write import read_written

    _, out = done(tmp_path, reference, reference, figure=False, outputs={"normalized": f"n.{ending}"})
    (found,) = read_written(out / f"n.{ending}")
    assert np.array_equal(found.intensity, read_text(reference).intensity)
    assert (found.axis_kind, found.axis_unit) == ("raman shift", "cm-1")


def test_another_unit_of_the_axis_moves_nothing(tmp_path, reference) -> None:
    sample = written(tmp_path / "s.csv", 0.1 + band(600) + band(1200, 1.0))
    params = {"to_axis": "wavelength", "to_axis_unit": "nm", "laser_nm": 785.0}
    job, _out = done(tmp_path, reference, sample, params=params)
    assert job.metrics["axis_unit"] == "nm"
    assert job.metrics["max_deviation_at"] == pytest.approx(1e7 / (1e7 / 785.0 - 1200.0), abs=0.2)
