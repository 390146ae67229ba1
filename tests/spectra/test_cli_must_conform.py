"""`batchlab spectra compare --must-conform`, run in whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from batchlab.cli._face import Face
from batchlab.spectra.cli import spectra

AXIS = np.linspace(400.0, 700.0, 100)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    for name, height in (("reference", 1.0), ("near", 1.02), ("far", 1.5)):
        signal = 1 + height * np.exp(-((AXIS - 550) ** 2) / 800)
        rows = "\n".join(f"{x},{y}" for x, y in zip(AXIS, signal, strict=True))
        (made / f"{name}.csv").write_text(f"Wavelength (nm),Absorbance\n{rows}\n")
    return made


def call(folder: Path, *words: str):
    shared = [str(folder / "reference.csv"), str(folder), "-o", str(folder.parent / "out"), "--no-figure"]
    return CliRunner().invoke(spectra, ["compare", *shared, "--workers", "1", *words], obj=Face())


def test_a_sample_that_does_not_conform_is_an_exit_code_where_that_is_asked_for(folder):
    asked = ("--within", "0.1", "-q")
    assert call(folder, *asked).exit_code == 0
    found = call(folder, *asked, "--must-conform")  # all done before: the verdicts are those on record
    assert found.exit_code == 1
    assert "far does not conform" in found.stderr and "near" not in found.stderr
    assert call(folder, "--within", "1", "-q", "--must-conform").exit_code == 0
    assert call(folder, *asked, "--must-conform", "--dry-run").exit_code == 0


def test_it_wants_something_to_conform_to(folder):
    refused = call(folder, "--must-conform")
    assert refused.exit_code == 2
    assert "--rule, --within, --band or --replicates" in refused.output


def test_a_rule_about_a_band_wants_a_band(folder):
    refused = call(folder, "--rule", "inside")
    assert refused.exit_code == 2
    assert "--rule 'inside' is about a band: say --within, --band or --replicates" in refused.output
    assert call(folder, "--rule", "inside", "--within", "1", "-q", "--must-conform").exit_code == 0
    assert "is no rule" in str(call(folder, "--rule", "inside of it").exception)
