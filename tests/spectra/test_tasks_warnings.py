"""What is odd about a reference is told once for a batch, what is odd about a sample by its own job."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from batchlab.engine import Settings, read_view, run
from batchlab.spectra import Spectrum, compare_batch
from batchlab.spectra._recipe import Recipe
from batchlab.spectra._similarity import compare
from batchlab.spectra._table import format_comparison, parse_comparison
from batchlab.spectra._write import write_spectrum

AXIS = np.linspace(400.0, 1800.0, 701)


def with_spike(name: str, at: int | None, height: float = 1.0) -> Spectrum:
    rng = np.random.default_rng(len(name))
    signal = 100 * height * np.exp(-(((AXIS - 1000) / 90) ** 2)) + rng.normal(0, 0.2, AXIS.size)
    if at is not None:
        signal[at] += 4000
    return Spectrum(axis=AXIS, intensity=signal, axis_kind="raman shift", quantity="counts", name=name)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    made = {"reference": with_spike("reference", 100)}
    made |= {"spiked": with_spike("spiked", 500, 1.1), "even": with_spike("even", None, 1.2)}
    paths = {}
    for name, spectrum in made.items():
        paths[name] = tmp_path / f"{name}.csv"
        write_spectrum(paths[name], spectrum)
    return paths


def warnings_of(files: dict[str, Path], output: Path, **options) -> dict[str, tuple[str, ...]]:
    batch = compare_batch(
        files["reference"], [files["spiked"], files["even"]], output, dpi=30,
        settings=Settings(workers=1), **{"params": {"steps": ["despike", "snv"]}, **options},
    )  # fmt: skip
    assert run(batch, install_signal_handlers=False).exit_code == 0
    return {job.name: job.warnings for job in read_view(output).jobs}


def test_the_references_warning_stands_at_one_place_and_each_samples_at_its_own(files, tmp_path):
    told = warnings_of(files, tmp_path / "out")
    of_reference = [name for name, texts in told.items() if any("reference 'reference'" in text for text in texts)]
    of_sample = [name for name, texts in told.items() if any("sample 'spiked'" in text for text in texts)]
    assert (of_reference, of_sample) == (["limits"], ["compare/spiked"])
    assert sum("reference 'reference'" in text for text in told["limits"]) == 1
    assert told["compare/even"] == ()


def test_without_a_job_for_all_of_them_each_tells_it(files, tmp_path):
    told = warnings_of(files, tmp_path / "out", figure=False)
    assert set(told) == {"compare/spiked", "compare/even"}
    assert all(any("reference 'reference'" in text for text in texts) for texts in told.values())


def test_a_table_keeps_whose_warning_is_whose(files):
    both = compare(
        with_spike("reference", 100),
        with_spike("spiked", 500),
        recipe=Recipe.model_validate({"steps": ["despike"]}),
        metrics=(),
    )
    assert len(both.warnings) == 2 and both.reference_warnings == both.warnings[:1]
    assert both.own_warnings == both.warnings[1:]
    back, _ = parse_comparison(format_comparison(both))
    assert (back.warnings, back.reference_warnings) == (both.warnings, both.reference_warnings)


def test_what_the_mean_of_references_warns_of_is_told_once(files, tmp_path):
    second = tmp_path / "second.csv"
    write_spectrum(second, with_spike("second", 300))
    told = warnings_of(
        files | {"reference": [files["reference"], second]},
        tmp_path / "out",
        params={"references": "mean", "steps": ["despike"]},
    )
    assert any("mean of 2 references" in text for text in told["limits"])
    assert not any("mean of 2 references" in text for text in told["compare/even"])
