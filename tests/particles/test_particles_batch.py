"""Missions through the engine: what is drawn, what a fault costs, and what is done again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from batchlab.engine import Notice, RunResult, Settings, Status, Verdict, plan, read_view, run
from batchlab.errors import Category, ConfigError
from batchlab.figures import read_provenance
from batchlab.particles._batch import GIVEN, RAW, Pictures, Reading, plot_batch
from batchlab.particles._events import read_events
from batchlab.particles._files import find_files
from batchlab.particles._limits import limits_from_json
from batchlab.particles._model import Scale
from batchlab.particles._synthetic import Mission, write_broken, write_mission

SMALL: Mapping[str, Any] = {"size_px": [700, 500]}


def batch_of(data: Path, output: Path, **more: Any) -> Any:
    pictures = more.pop("pictures", Pictures(params=SMALL))
    return plot_batch(find_files(data), output, pictures=pictures, **more)


def ended(result: RunResult) -> dict[str, Status]:
    return {job.name: job.state for job in read_view(result.root).jobs}


def pictures_in(output: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(output)): path.read_bytes()
        for path in sorted(output.rglob("*.png"))
        if ".batchlab" not in path.parts
    }


def limits_in(output: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((output / "_limits").glob("*.json"))}


def to_run(data: Path, output: Path, **more: Any) -> set[str]:
    judged = plan(batch_of(data, output, **more))
    return {each.job.name for each in judged.jobs if each.verdict is not Verdict.SKIP}


@pytest.fixture(scope="module")
def drawn(mission: Mission, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of the small mission, never written after."""
    output = tmp_path_factory.mktemp("drawn") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(output.parent / "cache"))
        assert run(batch_of(mission.data, output, settings=Settings(workers=2))).exit_code == 0
    return output


def test_every_orbit_gets_all_its_pictures(mission: Mission, drawn: Path) -> None:
    names = set(pictures_in(drawn))
    files = find_files(mission.data).files
    for variant in (GIVEN, RAW):
        look = f"y-log_z-log_{variant}-inferno.png"
        for file in files:
            assert f"2001/10/{file.orbit}/{file.orbit}_pitch-angle_ESA_{file.instrument}_{look}" in names
        for orbit in find_files(mission.data).orbits:
            assert f"2001/10/{orbit}/{orbit}_instrument-grid_ESA_{look}" in names
    assert len(files) == 11  # one instrument is missing in the first orbit
    assert len(names) == 2 * (11 + 3)
    assert set(limits_in(drawn)) == {"ees.json", "eeb.json", "ies.json", "ieb.json"}


def test_given_and_raw_use_their_own_limits(drawn: Path) -> None:
    limits = limits_from_json((drawn / "_limits" / "ies.json").read_text())["all"]
    folder = drawn / "2001/10/20542"
    facts = {
        variant: json.loads(
            read_provenance(folder / f"20542_pitch-angle_ESA_ies_y-log_z-log_{variant}-inferno.png")["picture"]
        )
        for variant in (GIVEN, RAW)
    }
    for row in facts[GIVEN]["rows"]:
        assert (row["z_min"], row["z_max"]) == (limits.z_min, limits.z_max)
        assert row["y_max"] == limits.y_max
    assert any(
        row["z_max"] != shared["z_max"] for row, shared in zip(facts[RAW]["rows"], facts[GIVEN]["rows"], strict=True)
    )


def test_an_instrument_that_the_first_orbit_lacks_has_limits_of_the_others(drawn: Path) -> None:
    limits = limits_from_json((drawn / "_limits" / "eeb.json").read_text())["all"]
    assert limits.z_max is not None
    assert limits.z_max > 0


def test_workers_and_order_change_nothing(mission: Mission, drawn: Path, tmp_path: Path) -> None:
    assert run(batch_of(mission.data, tmp_path / "out", settings=Settings(workers=1))).exit_code == 0
    assert pictures_in(tmp_path / "out") == pictures_in(drawn)
    assert limits_in(tmp_path / "out") == limits_in(drawn)


def test_each_file_is_read_once_and_new_limits_read_none(mission: Mission, tmp_path: Path) -> None:
    output = tmp_path / "out"
    scales = tuple((y, z) for y in Scale for z in Scale)
    pictures = Pictures(scales=scales, params=SMALL)
    assert run(batch_of(mission.data, output, pictures=pictures, settings=Settings(workers=2))).exit_code == 0
    assert _reads(output) == 11
    reading = Reading(limits={"percentile": 90.0})
    assert run(batch_of(mission.data, output, pictures=pictures, reading=reading)).exit_code == 0
    assert _reads(output) == 11


def _reads(output: Path) -> int:
    """How often the logs of a run, and of those before, tell that a file was read."""
    logs = (output / ".batchlab").rglob("*.log")
    return sum(path.read_text().count(": reading fa_esa_l2_") for path in logs)


def test_another_percentile_draws_only_pictures_with_shared_limits(mission: Mission, drawn: Path) -> None:
    names = to_run(mission.data, drawn, reading=Reading(limits={"percentile": 80.0}))
    assert names
    assert {name.split("/")[0] for name in names} == {"limits", "plot"}
    assert all(name.endswith(f"/{GIVEN}") for name in names if name.startswith("plot/"))


def test_nothing_is_left_to_do_after_a_run_and_a_look_draws_no_other_kind(mission: Mission, drawn: Path) -> None:
    assert to_run(mission.data, drawn) == set()
    other = Pictures(params={**SMALL, "marker": "line"})
    assert {name.split("/")[0] for name in to_run(mission.data, drawn, pictures=other)} == {"plot"}


def test_a_new_orbit_redraws_nothing_where_limits_stay(mission: Mission, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(mission.data, data)
    last = [file.path for file in find_files(data).files if file.orbit == 20543]
    kept = {path: path.read_bytes() for path in last}
    for path in last:
        path.unlink()
    run(batch_of(data, tmp_path / "out"))
    before = limits_in(tmp_path / "out")
    for path, content in kept.items():
        path.write_bytes(content)
    done = Done()
    run(batch_of(data, tmp_path / "out"), listeners=[done])
    after = limits_in(tmp_path / "out")
    plots = [name.split("/")[1:] for name in done.jobs if name.startswith("plot/")]
    assert any(orbit == "20543" for orbit, *_ in plots)
    redrawn = [rest for orbit, *rest in plots if orbit != "20543"]
    changed = {name.removesuffix(".json") for name in after if after[name] != before[name]}
    assert all(variant == GIVEN for _, _, variant in redrawn)
    assert {what for what, _, _ in redrawn} - {"instruments"} == changed


class Done:
    """Hears which jobs a run has done."""

    def __init__(self) -> None:
        self.jobs: set[str] = set()

    def __call__(self, notice: Notice) -> None:
        if notice.kind == "job-ended" and notice.facts["state"] == "done":
            assert notice.job is not None
            self.jobs.add(notice.job)


@pytest.fixture
def faulty(tmp_path: Path) -> tuple[Path, Mapping[Path, str]]:
    """An orbit that is whole, and two with every fault there is."""
    whole = write_mission(tmp_path / "mission", orbits=1, records=40)
    return whole.data, write_broken(whole.data, 20550, records=40)


def test_a_fault_costs_its_own_pictures(faulty: tuple[Path, Mapping[Path, str]], tmp_path: Path) -> None:
    data, faults = faulty
    result = run(batch_of(data, tmp_path / "out"))
    assert result.exit_code == 1
    jobs = {job.name: job for job in read_view(result.root).jobs}
    reasons = {"truncated": "invalid-cdf", "text": "invalid-cdf", "no-flux": "missing-variable", "empty": "empty"}
    for path, fault in faults.items():
        found = [file for file in find_files(data).files if file.path == path]
        if not found:
            assert fault == "old-version"
            continue
        job = jobs[f"read/{found[0].orbit}/{found[0].instrument}"]
        if fault in reasons:
            assert (job.state, job.category, job.reason) == (Status.FAILED, Category.INVALID_INPUT, reasons[fault])
        else:
            assert job.state is Status.DONE, (fault, job)
    grids = [job for name, job in jobs.items() if "/instruments/" in name]
    assert grids
    assert all(job.state is Status.DONE for job in grids)


def test_a_mended_file_is_picked_up(faulty: tuple[Path, Mapping[Path, str]], tmp_path: Path) -> None:
    data, faults = faulty
    run(batch_of(data, tmp_path / "out"))
    (path,) = [path for path, fault in faults.items() if fault == "truncated"]
    file = next(each for each in find_files(data).files if each.path == path)
    whole = write_mission(tmp_path / "again", orbits=1, records=40, instruments=(file.instrument,))
    shutil.copyfile(whole.truths[0].path, path)
    done = Done()
    run(batch_of(data, tmp_path / "out"), listeners=[done])
    assert f"read/{file.orbit}/{file.instrument}" in done.jobs
    assert f"plot/{file.orbit}/{file.instrument}/log-log/{RAW}" in done.jobs
    # The grid was drawn without it, and is drawn anew.
    assert f"plot/{file.orbit}/instruments/log-log/{RAW}" in done.jobs


def test_events_are_marked_in_name_and_picture(mission: Mission, tmp_path: Path) -> None:
    for table in (mission.cusp_table, mission.events):
        events = read_events(table)
        output = tmp_path / table.name
        batch = batch_of(mission.data, output, events=events, pictures=Pictures(variants=(RAW,), params=SMALL))
        assert run(batch).exit_code == 0
        truth = next(each for each in mission.truths if each.cusp is not None and each.instrument == "ees")
        (path,) = output.rglob(f"{truth.orbit}_cusp_pitch-angle_ESA_ees_*.png")
        facts = json.loads(read_provenance(path)["picture"])
        (mark,) = facts["marks"]
        assert truth.cusp is not None
        step = float((truth.times_s[:, 1] - truth.times_s[:, 0]).max())
        assert mark["start_s"] == pytest.approx(truth.cusp.start_s, abs=step)
        assert mark["end_s"] == pytest.approx(truth.cusp.end_s, abs=step)
        assert len(facts["columns"]) == 2


def test_an_event_of_another_orbit_makes_no_picture_stale(mission: Mission, tmp_path: Path) -> None:
    events = read_events(mission.cusp_table)
    run(batch_of(mission.data, tmp_path / "out", events=events))
    lines = mission.cusp_table.read_text().splitlines()
    changed = tmp_path / "changed.csv"
    changed.write_text("\n".join(line for line in lines if not line.startswith("20542\t")) + "\n")
    names = to_run(mission.data, tmp_path / "out", events=read_events(changed))
    assert names
    assert {name.split("/")[1] for name in names} == {"20542"}


def test_a_category_of_the_users_own_and_a_row_of_its_own_limits(mission: Mission, tmp_path: Path) -> None:
    reading = Reading(params={"categories": [{"name": "loss_cone", "ranges_deg": [[0, 12], [348, 360]]}]})
    rows = {"ees": {"y_max": 5000.0, "z_label": "Flux of my own"}, "loss_cone": {"z_max": 1e8}}
    pictures = Pictures(variants=(RAW,), kinds=("pitch-angle",), params={**SMALL, "rows": rows})
    assert run(batch_of(mission.data, tmp_path / "out", reading=reading, pictures=pictures)).exit_code == 0
    (path,) = (tmp_path / "out").rglob("20542_pitch-angle_ESA_ies_*.png")
    (row,) = json.loads(read_provenance(path)["picture"])["rows"]
    assert row["category"] == "loss_cone"
    assert row["z_max"] == 1e8


def test_pitch_angles_against_time_and_mean_spectra(mission: Mission, tmp_path: Path) -> None:
    pictures = Pictures(kinds=("pitch-spectrogram", "energy-cuts"), params={**SMALL, "bands": [[100, 1000]]})
    batch = batch_of(mission.data, tmp_path / "out", pictures=pictures, events=read_events(mission.cusp_table))
    assert run(batch).exit_code == 0
    names = set(pictures_in(tmp_path / "out"))
    assert "2001/10/20542/20542_energy-cuts_ESA_ees.png" in names
    assert len(names) == 2 * 11
    path = tmp_path / "out/2001/10/20542/20542_pitch-spectrogram_ESA_ees_z-log-cividis.png"
    (row,) = json.loads(read_provenance(path)["picture"])["rows"]
    assert row["category"] == "100 to 1000 eV"
    assert (row["y_min"], row["y_max"]) == (0, 360)
    done = {job.name: job for job in read_view(tmp_path / "out").jobs}
    assert done["plot/20542/ees/energy-cuts"].metrics["spans"] == 1


def test_numbers_are_exported_beside_the_pictures(mission: Mission, tmp_path: Path) -> None:
    run(
        batch_of(mission.data, tmp_path / "out", reading=Reading(data=".nc"), pictures=Pictures(kinds=("instruments",)))
    )
    assert len(list((tmp_path / "out").rglob("*.nc"))) == 11


def test_what_cannot_be_is_told_before_the_start(mission: Mission, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean viridis"):
        plan(batch_of(mission.data, tmp_path / "out", pictures=Pictures(colormap="virids")))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no file of a particle instrument"):
        batch_of(tmp_path / "empty", tmp_path / "out")
    with pytest.raises(ConfigError, match="no picture is asked for"):
        batch_of(mission.data, tmp_path / "out", pictures=Pictures(kinds=()))


@pytest.mark.faults
@pytest.mark.parametrize("after", [3, 9, 17])
def test_killed_at_any_instant_it_ends_as_if_nothing_had_happened(
    mission: Mission, drawn: Path, tmp_path: Path, after: int
) -> None:
    output = tmp_path / "out"
    command = [sys.executable, "-m", "batchlab.cli", "particles", "plot", str(mission.data), "-o", str(output)]
    command += ["--workers", "3", "--size", "700x500", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    done = 0
    for line in process.stdout:
        done += json.loads(line).get("event") == "job-ended"
        if done == after:
            os.kill(process.pid, signal.SIGKILL)
            break
    process.stdout.close()
    process.wait()
    assert run(batch_of(mission.data, output)).exit_code == 0
    assert pictures_in(output) == pictures_in(drawn)
    assert limits_in(output) == limits_in(drawn)


@pytest.mark.faults
@pytest.mark.timeout(400)  # a worker that is stopped while it loads its first task is given two minutes
def test_a_worker_that_hangs_costs_its_own_picture_at_most(mission: Mission, tmp_path: Path) -> None:
    """A worker is stopped: to all others its job hangs for ever."""
    stopped: list[int] = []
    ended: list[str | None] = []

    def stop(notice: Notice) -> None:
        if notice.kind == "job-ended":
            ended.append(notice.job)
        if not stopped and len(ended) == 16:
            ours = {each.pid for each in psutil.Process().children()}
            workers = [each for each in psutil.Process().children(recursive=True) if each.pid not in ours]
            workers[-1].suspend()
            stopped.append(workers[-1].pid)

    # Every task but drawing is over by then, and much is left to draw for the worker that is stopped.
    scales = tuple((y, z) for y in Scale for z in Scale)
    pictures = Pictures(scales=scales, variants=(RAW,), params=SMALL)
    settings = Settings(workers=2, retries=0)
    batch = batch_of(mission.data, tmp_path / "out", pictures=pictures, instrument_timeout_s=12.0, settings=settings)
    began = time.monotonic()
    result = run(batch, listeners=[stop])
    assert stopped
    # What it had begun is killed; what it had not, the other worker takes over.
    lost = [job for job in read_view(result.root).jobs if job.state is not Status.DONE]
    assert [job.category for job in lost] in ([], [Category.TIMEOUT])
    assert time.monotonic() - began < 300


def test_another_mission_is_drawn_with_its_shared_limits(shared_particles: Path, tmp_path: Path) -> None:
    found = find_files(shared_particles / "rbspa_rel04_ect-hope-PA-L3_20121201_v0.0.0.cdf")
    reading = Reading(limits={"percentile": 50.0, "percentile_min": 5.0})
    result = run(plot_batch(found, tmp_path / "out", reading=reading, pictures=Pictures(params=SMALL)))
    assert result.exit_code == 0
    (file,) = (tmp_path / "out" / "_limits").glob("*.json")
    limits = limits_from_json(file.read_text())["all"]
    (given,) = (tmp_path / "out").rglob("2012/**/*_given_extrema-*.png")
    for row in json.loads(read_provenance(given)["picture"])["rows"]:
        assert (row["z_min"], row["z_max"]) == (limits.z_min, limits.z_max)


def test_slips_are_told_before_the_start(mission: Mission, tmp_path: Path, shared_particles: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean ees"):
        batch_of(mission.data, tmp_path, pictures=Pictures(params={"rows": {"eess": {"z_max": 3.0}}}))
    with pytest.raises(ConfigError, match="the first must be the smaller"):
        plan(batch_of(mission.data, tmp_path, reading=Reading(limits={"percentile": 5, "percentile_min": 50})))
    with pytest.raises(ConfigError, match="of no orbit"):
        plot_batch(find_files(shared_particles, others=True), tmp_path, pictures=Pictures(kinds=("instruments",)))


def test_a_grid_of_instruments_shows_the_first_of_ones_own_categories(mission: Mission, tmp_path: Path) -> None:
    reading = Reading(params={"categories": [{"name": "cone", "ranges_deg": [[0, 10]]}]})
    pictures = Pictures(variants=(RAW,), kinds=("instruments",), params=SMALL)
    assert run(batch_of(mission.data, tmp_path / "out", reading=reading, pictures=pictures)).exit_code == 0
    (path,) = (tmp_path / "out").rglob("20542_instrument-grid_*.png")
    assert {row["category"] for row in json.loads(read_provenance(path)["picture"])["rows"]} == {"cone"}
