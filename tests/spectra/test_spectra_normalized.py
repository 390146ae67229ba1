"""Whose plan a job reads a file by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from batchlab.errors import DataError
from batchlab.spectra import _normalized
from batchlab.spectra._normalized import read_normalized
from batchlab.spectra._normalizer import Normalized, Normalizer, Source, Status
from batchlab.spectra._plan import AxisPlan, Plan, SpectrumPlan
from batchlab.spectra._read import recognize
from batchlab.spectra.cli import spectra


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Folders of plans of their own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "s.csv"
    rows = [f"{400 + i},{i % 7},{i % 5}" for i in range(50)]
    path.write_text("\n".join(["wavelength (nm),first,second", *rows, ""]))
    return path


def test_sure_rules_read_alone(table, monkeypatch) -> None:
    monkeypatch.setattr(Normalizer, "normalize", lambda *_: pytest.fail("nobody is to be asked"))
    found = read_normalized(table, spectrum="first")
    assert np.array_equal(found.intensity, np.arange(50) % 7)


def test_a_pinned_plan_beats_the_rules(table) -> None:
    plan = Plan(
        first_data_line=2,
        header_lines=(1,),
        axis=AxisPlan(column=0, kind="wavelength", unit="nm"),
        spectra=(SpectrumPlan(column=2, name_from="header"),),
        confidence=1.0,
    )
    chosen = table.with_name("plan.json")
    chosen.write_text(plan.model_dump_json())
    with pytest.raises(DataError, match="2 spectra"):
        read_normalized(table)
    result = CliRunner().invoke(spectra, ["plans", "pin", str(table), "--plan", str(chosen)])
    assert result.exit_code == 0, result.output
    found = read_normalized(table)
    assert np.array_equal(found.intensity, np.arange(50) % 5)
    assert any("plan of the pinned" in text for text in found.warnings)


def test_a_file_that_nobody_is_sure_of_is_put_under_review(table, monkeypatch) -> None:
    doubted = Normalized(
        path=table,
        plan=recognize(table).plan,
        source=Source.RULES,
        confidence=0.3,
        status=Status.NEEDS_REVIEW,
        warnings=("nobody is sure",),
    )
    monkeypatch.setattr(Normalizer, "normalize", lambda *_: doubted)
    monkeypatch.setattr(Normalizer, "has_pinned", True)
    with pytest.raises(DataError, match=r"nobody is sure.*plans pin") as caught:
        read_normalized(table)
    assert caught.value.reason == "needs-review"


def test_what_is_under_doubt_is_taken_to_the_normaliser(table, monkeypatch) -> None:
    asked = []
    real = _normalized.read_spectrum

    def doubting(path, **reading):
        from dataclasses import replace

        found = real(path, **reading)
        return found if asked else replace(found, warnings=("its layout is not sure (0.60): x",))

    def normalize(self, path):
        asked.append(path)
        return Normalized(
            path=path, plan=recognize(path).plan, source=Source.AI, confidence=0.8,
            status=Status.ACCEPTED_WITH_WARNING, warnings=("look at it",),
        )  # fmt: skip

    monkeypatch.setattr(_normalized, "read_spectrum", doubting)
    monkeypatch.setattr(Normalizer, "normalize", normalize)
    found = read_normalized(table, spectrum="first")
    assert asked == [table]
    assert found.warnings[-2:] == ("look at it", "read by the plan of the ai")


def test_inspect_shows_what_an_ai_would_be_sent(table) -> None:
    result = CliRunner().invoke(spectra, ["inspect", "--ai-show", str(table)])
    assert result.exit_code == 0, result.output
    assert "messages" in result.output and str(table) not in result.output


def test_inspect_tells_layout_axis_and_spectra(table, tmp_path) -> None:
    import json

    bad = tmp_path / "x.pdf"
    bad.write_bytes(b"%PDF-1.4 \x00\x01")
    result = CliRunner().invoke(spectra, ["inspect", "--json", str(table), str(bad)])
    good, refused = json.loads(result.output)
    assert result.exit_code == 1
    assert set(refused) == {"file", "refused"} and "PDF" in refused["refused"]
    assert good["axis"] == {"kind": "wavelength", "unit": "nm", "first": 400.0, "last": 449.0, "count": 50}
    assert [(each["name"], each["column"], each["role"]) for each in good["spectra"]] == [
        ("first", 1, "sample"),
        ("second", 2, "sample"),
    ]
    assert set(good) == {
        "file", "layout", "confidence", "reason", "encoding", "first_data_line", "axis", "spectra", "alternatives",
        "metadata",
    }  # fmt: skip
    words = CliRunner().invoke(spectra, ["inspect", str(table)]).output
    assert "Wavelength / nm: 400 to 449, 50 points" in words and "confidence" in words
