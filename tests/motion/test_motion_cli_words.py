"""``batchlab motion``: defaults and words that fit what is there."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from batchlab.cli import cli
from batchlab.engine import read_view
from batchlab.errors import Category
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


def test_two_bodies_of_one_name_are_refused(tmp_path: Path) -> None:
    write_recordings(tmp_path / "data", sessions=1, frames=40)
    found = ask("fit", tmp_path / "data", "-o", tmp_path / "out", "-b", "foot=m[1-4]", "-b", "foot=m5,m6,m7")
    assert found.exit_code == 2
    assert "--body foot: two bodies bear this name" in found.output
    assert not (tmp_path / "out").exists()


def test_view_makes_the_folder_of_its_page(tmp_path: Path) -> None:
    (truth,) = write_recordings(tmp_path / "data", sessions=1, frames=40)
    page = tmp_path / "new" / "deep" / "page.html"
    found = ask("view", truth.path, "-o", page)
    assert found.exit_code == 0, found.output
    assert page.exists()


def test_view_says_where_its_page_cannot_be_written(tmp_path: Path) -> None:
    (truth,) = write_recordings(tmp_path / "data", sessions=1, frames=40)
    found = ask("view", truth.path, "-o", truth.path / "page.html", "--raw")
    assert found.exit_code == 3
    assert "cannot be written: " in found.output and "; name another place by -o" in found.output


@pytest.mark.parametrize(
    ("option", "words", "param"),
    [
        ("--origin", ("--origin", "box1"), "convention.origin"),
        ("--edge", ("--edge", "BOX1,m:box2"), "edges"),
        ("--marker-weight", ("--marker-weight", "m:bxo1=0.5"), "weights.per_marker"),
    ],
)
def test_a_misspelt_marker_is_told_with_what_is_meant(
    tmp_path: Path, option: str, words: tuple[str, ...], param: str
) -> None:
    truth = simulate(frames=40, markers=4, missing=0.0)
    path = write_recording(tmp_path, replace(truth.recording, markers=("m:box1", "m:box2", "m:box3", "m:box4")))
    found = ask("fit", path, "-o", tmp_path / "out", *words)
    assert found.exit_code == 1
    (job,) = read_view(tmp_path / "out").jobs
    assert job.category == Category.INVALID_INPUT
    assert job.reason == "no-such-marker"
    assert f"{param} ({option}) names" in str(job.message)
    assert "did you mean 'm:box1'? it has m:box1, m:box2, m:box3, m:box4" in str(job.message)
    assert "batchlab debug" not in found.output
    viewed = ask("view", path, "-o", tmp_path / "page.html", *words)
    assert viewed.exit_code != 0 and "did you mean 'm:box1'?" in viewed.output


def test_a_misspelt_pattern_names_what_is_there(tmp_path: Path) -> None:
    path = write_recording(tmp_path, simulate(frames=40, markers=4).recording)
    found = ask("fit", path, "-o", tmp_path / "out", "-m", "M1", "-m", "m2", "-m", "m3")
    assert found.exit_code == 1
    (job,) = read_view(tmp_path / "out").jobs
    assert "no marker is called 'M1'; did you mean 'm1'? it has m1, m2, m3, m4" in str(job.message)


def test_a_geometry_chooses_its_own_markers(tmp_path: Path) -> None:
    path = write_recording(tmp_path, simulate(frames=40, markers=6).recording)
    assert ask("fit", path, "-o", tmp_path / "part", "-m", "m[1-4]", "--quiet").exit_code == 0
    geometry = next((tmp_path / "part").glob("*/geometry.csv"))
    found = ask("fit", path, "-o", tmp_path / "out", "--geometry", geometry)
    assert found.exit_code == 0, found.output
    (job,) = read_view(tmp_path / "out").jobs
    assert job.metrics["markers"] == 4
    assert ask("view", path, "-o", tmp_path / "page.html", "--geometry", geometry).exit_code == 0
    other = simulate(frames=40, markers=4).recording
    other = write_recording(tmp_path, replace(other, name="other", markers=("a", "b", "c", "d")))
    found = ask("fit", other, "-o", tmp_path / "none", "--geometry", geometry)
    assert found.exit_code == 1
    (job,) = read_view(tmp_path / "none").jobs
    assert "no marker of the geometry, which has m1, m2, m3, m4; it has a, b, c, d" in str(job.message)


def test_outliers_are_told_once_a_sweep_and_an_option_follows_the_advice(tmp_path: Path) -> None:
    truth = simulate(frames=60, markers=5, missing=0.0)
    positions = truth.recording.positions.copy()
    positions[20, 1] += 0.5
    path = write_recording(tmp_path, replace(truth.recording, positions=positions))
    words = (path, "-o", tmp_path / "out", "--noise", 2, "-g", "weights.rotation=0.01,0.1", "--translation-weight", 1)
    found = ask("sweep", *words)
    assert found.exit_code == 0, found.output
    assert found.output.count("outliers rule") == 1
    assert "of 1 of 1 jobs with these" in found.output and "held_out_trimmed_mm (--metric)" in found.output
    assert not any("outliers rule" in text for job in read_view(tmp_path / "out").jobs for text in job.warnings)
    again = ask("sweep", *words, "--metric", "held_out_trimmed_mm")
    assert again.exit_code == 0, again.output
    assert "(held-out without its worst 5 % " in again.output and "outliers rule" not in again.output
    alone = ask("fit", path, "-o", tmp_path / "alone", "--noise", 2, "--score", "held-out", "--no-viewer")
    assert alone.exit_code == 0
    (job,) = read_view(tmp_path / "alone").jobs
    assert any("choose by held_out_trimmed_mm (--metric of a sweep)" in text for text in job.warnings)


def test_an_option_to_sweep_points_to_its_param(tmp_path: Path) -> None:
    path = write_recording(tmp_path, simulate(frames=40, markers=4).recording)
    found = ask("sweep", path, "-o", tmp_path / "out", "-g", "noise=0.1,0.2")
    assert found.exit_code == 2
    assert "write --grid weights.data_per_m=10000,5000" in found.output
    found = ask("sweep", path, "-o", tmp_path / "out", "-g", "rotation-weight=0.1,1")
    assert "write --grid weights.rotation=0.1,1" in found.output


def test_advice_names_the_option_and_has_sensible_digits(tmp_path: Path) -> None:
    path = write_recording(tmp_path, simulate(frames=60, markers=5, missing=0.0, noise_m=3e-4).recording)
    assert ask("fit", path, "-o", tmp_path / "out", "--noise", 0.0005, "--no-viewer").exit_code == 0
    (job,) = read_view(tmp_path / "out").jobs
    (told,) = [text for text in job.warnings if "data_per_m" in text]
    assert "what weights.data_per_m = 2000000 (--noise 0.0005) says" in told
    assert re.search(r" \d+ times what .* so \d+ \(--noise 0\.\d+\) fits it", told)
    assert "e+" not in told


def test_inspect_of_a_folder_tells_a_line_for_each_file(tmp_path: Path) -> None:
    write_recordings(tmp_path, sessions=3, frames=40)
    found = ask("inspect", tmp_path, "-q")
    assert found.exit_code == 0, found.output
    lines = found.output.splitlines()
    assert len(lines) == 3
    assert all(".csv: 40 frames, " in line and " 8 markers in " in line for line in lines)


def test_a_file_of_a_folder_that_lacks_a_body_is_skipped_with_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for name, letter in (("boxes", "box"), ("feet", "foot")):
        truth = simulate(name, frames=40, markers=4, missing=0.0)
        write_recording(data, replace(truth.recording, markers=tuple(f"{letter}{n}" for n in range(4))))
    both = ("-b", "box=box*", "-b", "foot=foot*", "--no-viewer")
    found = ask("fit", data, "-o", tmp_path / "out", *both)
    assert found.exit_code == 0, found.output
    assert len(read_view(tmp_path / "out").jobs) == 2
    assert caplog.messages.count("skipped where there is no marker of it: box in feet.csv; foot in boxes.csv") == 1
    named = ask("fit", data / "boxes.csv", data / "feet.csv", "-o", tmp_path / "named", *both)
    assert named.exit_code == 1
    assert len(read_view(tmp_path / "named").jobs) == 4
    none = ask("fit", data, "-o", tmp_path / "none", "-b", "box=box*", "-b", "hand=hand*", "--no-viewer")
    assert none.exit_code == 1
    jobs = read_view(tmp_path / "none").jobs
    assert len(jobs) == 3 and sum("no marker is called 'hand*'" in str(job.message) for job in jobs) == 2
