"""The commands of particles: what they refuse, and what they say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from batchlab.cli._main import cli
from batchlab.particles._synthetic import Mission


def told(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["particles", *map(str, arguments)])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--orbits", "1-5"], "there are orbits 20541 to 20543"),
        (["--from", "2003-01-01"], "there are orbits 20541 to 20543"),
        (["--from", "yesterday"], "write a day as 2000-01-19"),
        (["--instruments", "esv"], "unknown instrument 'esv'"),
        (["--row", "ees.zmax=3"], "did you mean z_max"),
        (["--row", "eess.z_max=3"], "did you mean ees"),
        (["--category", "x=5-5"], "as in loss_cone=0-12,348-360"),
        (["--band", "1000-100"], "two energies in eV that run upwards"),
        (["--size", "big"], "write pixels as 2400x1200"),
        (["--colormap", "virids"], "did you mean viridis"),
        (["--percentile", "5", "--percentile-min", "50"], "the first must be the smaller"),
        (["--limits-from", "nowhere"], "no limits are in it"),
    ],
)
def test_slips_end_with_2_and_the_mend(mission: Mission, tmp_path: Path, arguments: list[str], text: str) -> None:
    result = told("plot", mission.data, "-o", tmp_path / "out", "-n", *arguments)
    assert result.exit_code == 2, result.output
    assert text in " ".join(result.output.split())


def test_files_of_other_missions_want_to_be_asked_for(shared_particles: Path, tmp_path: Path) -> None:
    result = told("plot", shared_particles, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "add --others" in result.output


def test_events_that_fall_nowhere_are_told(mission: Mission, tmp_path: Path) -> None:
    far = tmp_path / "far.csv"
    far.write_text("start,end,label\n2010-01-01T00:00:00,2010-01-01T00:01:00,far\n")
    result = told("plot", mission.data, "-o", tmp_path / "out", "-n", "--events", far)
    assert result.exit_code == 0
    assert "nothing in it falls into these files" in result.output


def test_an_orbit_has_a_folder_of_its_own(mission: Mission, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = told("orbit", mission.data, 20542, "--instruments", "ees", "--size", "700x500", "-q")
    assert result.exit_code == 0, result.output
    assert list((tmp_path / "particles-20542").rglob("20542_pitch-angle_ESA_ees_*_raw-*.png"))


def test_the_list_tells_orbits_and_what_was_passed_over(mission: Mission) -> None:
    result = told("list", mission.data, "--json")
    content = json.loads(result.output)
    assert {row["orbit"] for row in content["files"]} == {20541, 20542, 20543}
    assert set(content["orbit_files"]) == {"20541", "20542", "20543"}
    looked = told("list", mission.data, "--look")
    assert "11 files, 3 orbits" in looked.output


def test_extrema_are_shown_and_kept(mission: Mission, tmp_path: Path) -> None:
    result = told("extrema", mission.data, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "limits in" in result.output
    again = told(
        "orbit", mission.data, 20542, "-o", tmp_path / "one", "--limits-from", tmp_path / "out/_limits", "--size",
        "700x500", "-q",
    )  # fmt: skip
    assert again.exit_code == 0, again.output
    assert list((tmp_path / "one").rglob("*_given_extrema-*.png"))
