"""A batch whose files the rules are in doubt about, and an AI over a real socket."""

from __future__ import annotations

from pathlib import Path

import pytest
from normalizer_files import good_answer, write_unknown
from normalizer_stub import completion, error, stub_server

from batchlab.engine import read_view, run
from batchlab.errors import DataError
from batchlab.spectra import compare_batch, inspect, read_normalized

SAMPLES = 3


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The server, set up as the AI, with no plan known yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with stub_server() as server:
        monkeypatch.setenv("BATCHLAB_AI_URL", server.url)
        monkeypatch.setenv("BATCHLAB_AI_MODEL", "m")
        yield server


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [write_unknown(tmp_path / f"s{number}.txt", shift=10.0 * number) for number in range(SAMPLES + 1)]


def compared(files: list[Path], output: Path):
    batch = compare_batch(files[0], files[1:], output, figure=False)
    run(batch, install_signal_handlers=False)
    return read_view(output)


def test_columns_that_the_rules_cannot_choose_from_are_asked_for_once(asked, files, tmp_path):
    asked.behaviours.append(completion(good_answer()))
    with pytest.raises(DataError, match="2 spectra"):
        without_an_ai(files[0])
    view = compared(files, tmp_path / "out")
    assert len(asked.received) == 1
    assert [str(job.state) for job in view.jobs] == ["done"] * SAMPLES
    assert all(job.metrics["axis_unit"] == "nm" for job in view.jobs)


def test_where_the_ai_fails_too_both_reasons_are_told(asked, files, tmp_path):
    asked.otherwise = error(401)
    (job,) = compared(files[:2], tmp_path / "out").jobs
    assert job.reason == "ambiguous-columns"
    assert "2 spectra; choose one" in job.message and "AI normalization failed" in job.message
    assert asked.received


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    """Two columns that run one way: the rules are less than half sure."""
    path = tmp_path / "stage.csv"
    path.write_text("".join(f"{2.0 * i:.1f},{400 + 2.0 * i:.1f},{800 + 37 * i % 300}\n" for i in range(12)))
    return path


def test_a_file_that_the_rules_are_not_sure_of_and_whose_ai_fails_is_put_under_review(asked, stage):
    asked.otherwise = error(401)
    with pytest.raises(DataError, match=r"AI normalization failed.*plans pin.*proposed by the rules") as caught:
        read_normalized(stage)
    assert caught.value.reason == "needs-review"


@pytest.mark.parametrize(("sure", "hold"), [(0.3, "no"), (0.85, "yes")])
def test_what_is_under_review_shows_both_proposals(asked, stage, monkeypatch, sure, hold):
    monkeypatch.setenv("BATCHLAB_AI_HOLD", hold)
    plan = {
        "delimiter": "comma",
        "axis": {"column": 1, "kind": "wavelength", "unit": "nm"},
        "spectra": [{"column": 2, "quantity": "counts"}],
        "confidence": sure,
        "reason": "a stage, then nm",
    }
    asked.behaviours.append(completion(plan))
    with pytest.raises(DataError, match=rf"proposed by the rules .*; by the AI \({sure}0?\): a stage") as caught:
        read_normalized(stage)
    assert caught.value.reason == "needs-review"
    found = inspect(stage)
    assert found.recognition.plan.axis.column == 0
    other = found.recognition.alternatives[0]
    assert other.plan.axis.column == 1 and other.reasons == ("an AI's proposal, under review", "a stage, then nm")
    assert len(asked.received) == 1


def test_sure_rules_that_leave_a_choice_ask_nobody(asked, tmp_path):
    table = tmp_path / "wide.csv"
    rows = "\n".join(f"{400 + i},{i % 7},{i % 5}" for i in range(50))
    table.write_text(f"wavelength (nm),first,second\n{rows}\n")
    with pytest.raises(DataError, match="2 spectra"):
        read_normalized(table)
    assert not asked.received


def without_an_ai(path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("BATCHLAB_AI_URL")
        patch.delenv("BATCHLAB_AI_MODEL")
        read_normalized(path)
