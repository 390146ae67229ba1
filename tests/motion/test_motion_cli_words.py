"""``batchlab motion``: defaults and words that fit what is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result

from batchlab.cli import cli
from batchlab.engine import read_view
from batchlab.motion._synthetic import simulate, write_recording, write_recordings


def ask(*words: object) -> Result:
    return CliRunner().invoke(cli, ["motion", *map(str, words)], catch_exceptions=False)


def test_few_recordings_make_as_many_folds_and_one_is_refused(tmp_path: Path) -> None:
    write_recordings(tmp_path / "three", sessions=3, frames=40)
    found = ask("cross-validate", tmp_path / "three", "-o", tmp_path / "out", "-w", 1, "--no-refit", "--quiet")
    assert found.exit_code == 0, found.output
    assert len([job for job in read_view(tmp_path / "out").jobs if "fold" in job.metadata]) == 3
    write_recordings(tmp_path / "one", sessions=1, frames=40)
    found = ask("cross-validate", tmp_path / "one", "-o", tmp_path / "none")
    assert found.exit_code == 2
    assert "there is but one recording" in found.output


def test_inspect_tells_gaps_in_plain_words(tmp_path: Path) -> None:
    truth = simulate(frames=100, markers=4, missing=0.0)
    positions = truth.recording.positions.copy()
    positions[5, 0] = positions[10:14, 1] = positions[50, 1] = np.nan
    positions[:, 2] = np.nan
    path = write_recording(tmp_path, replace(truth.recording, positions=positions))
    lines = [line.split() for line in ask("inspect", path).output.splitlines()]
    told = {line[0]: " ".join(line[1:]) for line in lines if line and line[0] in truth.recording.markers}
    assert told == {
        "m1": "seen 99.0 % a gap of 1 frame",
        "m2": "seen 95.0 % 2 gaps, the longest 4 frames",
        "m3": "never seen",
        "m4": "seen 100.0 %",
    }
