"""Fits, sweeps and cross-validations through the engine: outputs, metrics, what a fault costs, what is done again."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from batchlab.builders import grid
from batchlab.engine import Batch, BatchView, JobView, Settings, Status, Verdict, load_batch, plan, read_view, run
from batchlab.errors import Category, ConfigError
from batchlab.motion._batch import cross_validation, fit_batch, sweep
from batchlab.motion._best import find_best, smoothness
from batchlab.motion._candidate import end_note
from batchlab.motion._files import find_recordings, grouping
from batchlab.motion._read import read_recording
from batchlab.motion._synthetic import Truth, simulate, write_recording, write_recordings
from batchlab.motion._write import read_geometry

SMOOTH = {"weights": {"data_per_m": 500.0, "rotation": 0.1, "translation": 0.1}}
# All in one process: what is tested is what jobs come to.
ONE = Settings(workers=1, retries=0)


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> list[Truth]:
    """Four sessions of one body."""
    return write_recordings(tmp_path_factory.mktemp("sessions"), sessions=4, frames=200)


def done(batch: Batch) -> BatchView:
    """The view of a batch that was run."""
    return read_view(run(batch).root)


def job_of(view: BatchView, name: str) -> JobView:
    return next(job for job in view.jobs if job.name == name)


def output(view: BatchView, job: JobView, name: str) -> Path:
    return Path(view.root) / next(each.path for each in job.outputs if each.name == name)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tables_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".csv", ".json", ".html") and ".batchlab" not in path.parts and "batch_" not in path.name
    }


# one fit


def test_a_fit_writes_poses_markers_geometry_and_numbers_that_agree(sessions: list[Truth], tmp_path: Path) -> None:
    truth = sessions[0]
    assert truth.path is not None
    view = done(fit_batch([truth.path], tmp_path, params={**SMOOTH, "score": "held-out"}, settings=ONE))
    job = job_of(view, "fit/subject_01_session_1")
    assert job.state is Status.DONE
    told = job.metrics
    assert told["status"] == "converged"
    assert told["chi2_reduced"] == pytest.approx(1.0, abs=0.15)
    assert told["frames"] == 200 and told["markers"] == 8 and told["recordings"] == 1
    assert told["frames_measured"] + told["frames_partly"] + told["frames_inferred"] == 200  # type: ignore[operator]
    missing = np.isnan(truth.recording.positions[:, :, 0]).mean()
    assert told["missing_share"] == pytest.approx(missing)
    assert told["held_out_mm"] == pytest.approx(2 * math.sqrt(3), rel=0.1)
    folds = [float(part) for part in str(told["held_out_folds_mm"]).split()]
    assert told["held_out_mm"] == pytest.approx(np.mean(folds))
    assert told["held_out_se_mm"] == pytest.approx(np.std(folds, ddof=1) / math.sqrt(5))

    poses, markers = table(output(view, job, "poses")), table(output(view, job, "markers"))
    assert len(poses) == 200 and len(markers) == 200 * 8
    quaternions = np.array([[float(row[f"q_{part}"]) for part in "wxyz"] for row in poses])
    assert np.linalg.norm(quaternions, axis=1) == pytest.approx(1.0, abs=1e-8)
    assert (np.sum(quaternions[1:] * quaternions[:-1], axis=1) > 0).all()
    names, geometry = read_geometry(output(view, job, "geometry"))
    assert names == truth.recording.markers
    # Poses and geometry of the tables put markers where the table of markers has them, near the truth.
    places = {(row["keypoint"], int(row["frame"])): row for row in markers}
    for frame in (0, 77, 199):
        w, x, y, z = quaternions[frame]
        turn = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ]
        )
        origin = np.array([float(poses[frame][f"{axis}_mm"]) for axis in "xyz"])
        for number, name in enumerate(names):
            row = places[name, frame]
            fitted = np.array([float(row[f"fitted_{axis}_mm"]) for axis in "xyz"])
            assert turn @ geometry[number] * 1e3 + origin == pytest.approx(fitted, abs=1e-3)
            assert fitted == pytest.approx(truth.positions_m[frame, number] * 1e3, abs=6.0)
    lengths = [float(row["residual_mm"]) for row in markers if row["residual_mm"]]
    assert math.sqrt(np.mean(np.square(lengths))) == pytest.approx(float(told["rms_mm"] or 0), rel=1e-4)
    assert np.median(lengths) == pytest.approx(float(told["median_mm"] or 0), rel=1e-3)
    # What was not seen is filled by the body, and says so.
    filled = [row for row in markers if row["flag"] != "measured"]
    assert len(filled) == round(missing * 1600)
    assert all(row["raw_x_mm"] == "" and row["residual_mm"] == "" and row["fitted_x_mm"] for row in filled)

    report = json.loads(output(view, job, "fit").read_text())
    assert report["metrics"]["rms_mm"] == told["rms_mm"]
    assert report["params"]["weights"]["rotation"] == 0.1
    assert len(report["edges"]) == 28 and len(report["markers"]) == 8
    for edge in report["edges"]:
        assert edge["fitted_mm"] == pytest.approx(edge["measured_mm"], abs=1.0)
    assert report["recordings"][0]["judgement"]["swaps"] == []
    assert b"<canvas" in output(view, job, "viewer").read_bytes()


def test_recordings_fitted_together_share_one_geometry(sessions: list[Truth], tmp_path: Path) -> None:
    paths = [truth.path for truth in sessions if truth.path]
    view = done(fit_batch(paths, tmp_path, together=True, params=SMOOTH, settings=ONE))
    (job,) = view.jobs
    assert job.metrics["recordings"] == 4 and job.metrics["frames"] == 800
    assert {row["recording"] for row in table(output(view, job, "poses"))} == {path.stem for path in paths}
    assert {each.path for each in job.outputs if each.name.startswith("viewers/")} == {
        f"fit/viewers/{path.stem}.html" for path in paths
    }
    _, geometry = read_geometry(output(view, job, "geometry"))
    distances = np.linalg.norm(geometry[:, None] - geometry, axis=2)
    true = np.linalg.norm(sessions[0].geometry_m[:, None] - sessions[0].geometry_m, axis=2)
    assert distances == pytest.approx(true, abs=5e-4)


def test_a_geometry_of_an_earlier_fit_is_used_as_it_is(sessions: list[Truth], tmp_path: Path) -> None:
    first, second = sessions[0].path, sessions[1].path
    assert first and second
    view = done(fit_batch([first], tmp_path / "one", params=SMOOTH, settings=ONE))
    geometry = output(view, view.jobs[0], "geometry")
    fixed = done(fit_batch([second], tmp_path / "two", params=SMOOTH, geometry=geometry, settings=ONE))
    _, before = read_geometry(geometry)
    _, after = read_geometry(output(fixed, fixed.jobs[0], "geometry"))
    assert after == pytest.approx(before, abs=2e-9)
    free = done(
        fit_batch(
            [second], tmp_path / "three", params={**SMOOTH, "geometry": "estimate"}, geometry=geometry, settings=ONE
        )
    )
    _, refined = read_geometry(output(free, free.jobs[0], "geometry"))
    assert np.abs(refined - before).max() > 1e-5
    assert float(free.jobs[0].metrics["cost"] or 0) < float(fixed.jobs[0].metrics["cost"] or 0)


def test_bodies_are_jobs_of_their_own(sessions: list[Truth], tmp_path: Path) -> None:
    path = sessions[0].path
    assert path
    bodies = {"low": ["m1", "m2", "m3", "m4"], "high": ["m[5678]"]}
    view = done(fit_batch([path], tmp_path, bodies=bodies, params=SMOOTH, settings=ONE))
    assert [job.name for job in view.jobs] == ["fit/low/subject_01_session_1", "fit/high/subject_01_session_1"]
    assert {job.metrics["markers"] for job in view.jobs} == {4}
    with pytest.raises(ConfigError, match="params say markers and bodies are given"):
        fit_batch([path], tmp_path, bodies=bodies, params={"markers": ["m1"]})


def test_names_that_are_swapped_are_told_and_mended_on_wish(tmp_path: Path) -> None:
    truth = simulate("swapped", frames=400, case="swapped")
    path = write_recording(tmp_path, truth.recording)
    plain = done(fit_batch([path], tmp_path / "plain", params=SMOOTH, settings=ONE)).jobs[0]
    assert plain.metrics["swaps"] == 1
    assert any("bear each other's name" in text for text in plain.warnings)
    mended = done(fit_batch([path], tmp_path / "mended", params={**SMOOTH, "mend_swaps": True}, settings=ONE)).jobs[0]
    assert mended.metrics["swaps"] == 0
    assert float(mended.metrics["rms_mm"] or 0) < 0.7 * float(plain.metrics["rms_mm"] or 0)
    assert any("names mended in frames" in text for text in mended.warnings)


# what goes wrong


def test_a_bad_file_costs_its_own_job_and_a_degenerate_body_says_so(sessions: list[Truth], tmp_path: Path) -> None:
    (tmp_path / "broken.c3d").write_bytes(b"no recording")
    line = write_recording(tmp_path, simulate("line", frames=50, case="collinear", noise_m=1e-6).recording)
    good = sessions[0].path
    assert good
    batch = fit_batch([tmp_path / "broken.c3d", line, good, tmp_path / "missing.csv"], tmp_path / "out", settings=ONE)
    result = run(batch)
    assert result.exit_code == 1
    view = read_view(result.root)
    found = {job.name: (job.state, job.category, job.reason) for job in view.jobs}
    assert found["fit/broken"] == (Status.FAILED, Category.INVALID_INPUT, "not-a-recording")
    assert found["fit/line"] == (Status.FAILED, Category.INVALID_INPUT, "degenerate")
    assert found["fit/missing"][:2] == (Status.FAILED, Category.MISSING_INPUT)
    assert found["fit/subject_01_session_1"][0] is Status.DONE
    assert all(job.attempts == 1 for job in view.jobs)


def test_of_recordings_solved_together_a_bad_one_costs_an_item(sessions: list[Truth], tmp_path: Path) -> None:
    (tmp_path / "broken.c3d").write_bytes(b"no recording")
    bare = sessions[1].recording.positions.copy()
    bare[:, 2:] = np.nan
    path = write_recording(tmp_path, replace(sessions[1].recording, name="bare", positions=bare))
    good = sessions[0].path
    assert good
    view = done(fit_batch([good, tmp_path / "broken.c3d", path], tmp_path / "out", together=True, settings=ONE))
    (job,) = view.jobs
    assert job.state is Status.DONE
    assert {item.name: (item.status, item.reason) for item in job.items} == {
        "subject_01_session_1": (Status.DONE, None),
        "broken": (Status.FAILED, "not-a-recording"),
        "bare": (Status.FAILED, "degenerate"),
    }
    assert job.metrics["status"] == "degenerate"
    (tmp_path / "worse.c3d").write_bytes(b"nothing")
    none = done(
        fit_batch([tmp_path / "broken.c3d", tmp_path / "worse.c3d"], tmp_path / "no", together=True, settings=ONE)
    )
    assert none.jobs[0].reason == "no-recording"


def test_a_solve_that_stops_early_is_done_with_a_warning(sessions: list[Truth], tmp_path: Path) -> None:
    path = sessions[0].path
    assert path
    params = {"iterations_max": 1, "weights": {"data_per_m": 500.0, "rotation": 1.0, "translation": 1.0}}
    (job,) = done(fit_batch([path], tmp_path, params=params, settings=ONE)).jobs
    assert job.state is Status.DONE
    assert job.metrics["status"] == "iteration-limit"
    assert any("not converged after" in text for text in job.warnings)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"wieghts": {}}, "weights"),
        ({"weights": {"rotaton": 1.0}}, "rotation"),
        ({"weights": {"data_per_m": 0.0}}, "data_per_m"),
        ({"loss": "hubert"}, "huber"),
        ({"unit": "furlong"}, "'furlong' is no length; write one of m, dm, cm, mm"),
        ({"unit": "px"}, "pixels are no length"),
        ({"score": "cost"}, "held-out"),
        ({"folds": 1}, "folds"),
        ({"min_confidence": 2.0}, "min_confidence"),
    ],
)
def test_a_param_that_does_not_fit_is_told_before_anything_starts(
    sessions: list[Truth], tmp_path: Path, params: dict[str, Any], match: str
) -> None:
    path = sessions[0].path
    assert path
    with pytest.raises(ConfigError, match=match):
        fit_batch([path], tmp_path, params=params)
    assert not any(tmp_path.iterdir())


def test_a_given_geometry_that_is_none_is_told(sessions: list[Truth], tmp_path: Path) -> None:
    path = sessions[0].path
    assert path
    (tmp_path / "odd.csv").write_text("marker,x_mm,y_mm,z_mm\nm1,0,0,0\n")
    (job,) = done(
        fit_batch([path], tmp_path / "a", geometry=tmp_path / "odd.csv", params={"markers": ["m*"]}, settings=ONE)
    ).jobs
    assert job.reason == "not-a-geometry" and "no place for m2" in str(job.message)
    (tmp_path / "odd.csv").write_text("marker,x_mm,y_mm,z_mm\nm1,0,,0\n")
    (job,) = done(fit_batch([path], tmp_path / "b", geometry=tmp_path / "odd.csv", settings=ONE)).jobs
    assert "line 2: the place of 'm1' is not known" in str(job.message)
    (job,) = done(fit_batch([path], tmp_path / "c", params={"geometry": "given"}, settings=ONE)).jobs
    assert job.state is Status.FAILED and "name a geometry.csv" in str(job.message)


# sweeps


AXES = {"weights.rotation": [0.01, 0.1, 1.0], "weights.translation": [0.01, 0.1, 1.0]}


@pytest.fixture(scope="module")
def swept(sessions: list[Truth], tmp_path_factory: pytest.TempPathFactory) -> BatchView:
    """A sweep over nine combinations, by one worker."""
    path = sessions[0].path
    assert path
    folder = tmp_path_factory.mktemp("swept")
    return done(sweep([path], AXES, folder, params={"weights": {"data_per_m": 500.0}}, settings=ONE))


def test_workers_change_nothing(sessions: list[Truth], swept: BatchView, tmp_path: Path) -> None:
    path = sessions[0].path
    assert path
    again = sweep([path], AXES, tmp_path, params={"weights": {"data_per_m": 500.0}}, settings=Settings(workers=2))
    # The other way round, too: what a worker did before must not show.
    done(replace(again, jobs=tuple(reversed(again.jobs))))
    assert tables_in(tmp_path) == tables_in(Path(swept.root))
    assert len(tables_in(tmp_path)) == 27


def test_finished_work_is_not_done_again(sessions: list[Truth], swept: BatchView) -> None:
    batch = load_batch(Path(swept.root))
    assert {each.verdict for each in plan(batch).jobs} == {Verdict.SKIP}
    path = sessions[0].path
    assert path
    wider = {**AXES, "weights.rotation": [0.01, 0.1, 1.0, 3.0]}
    more = sweep([path], wider, swept.root, params={"weights": {"data_per_m": 500.0}}, settings=ONE)
    verdicts = {each.job.name: each.verdict for each in plan(more).jobs}
    assert sum(verdict is Verdict.RUN for verdict in verdicts.values()) == 3
    assert all("rotation=3" in name for name, verdict in verdicts.items() if verdict is Verdict.RUN)


def test_a_sweep_checks_names_and_values_before_it_starts(sessions: list[Truth], tmp_path: Path) -> None:
    path = sessions[0].path
    assert path
    with pytest.raises(ConfigError, match=r"rotaion.*rotation"):
        sweep([path], {"weights.rotaion": [1.0]}, tmp_path)
    with pytest.raises(ConfigError, match="greater than or equal to 0"):
        sweep([path], {"weights.rotation": [1.0, -1.0]}, tmp_path)
    with pytest.raises(ConfigError, match="at least one param"):
        sweep([path], {}, tmp_path)
    base = fit_batch([path], tmp_path)
    with pytest.raises(ConfigError, match=r"rotaion.*rotation"):
        grid(base, {"params.weights.rotaion": [1.0]})


def test_the_best_options_are_those_that_foretell_best(swept: BatchView) -> None:
    scores = {job.name: float(job.metrics["held_out_mm"] or 0) for job in swept.jobs}
    least = min(scores, key=lambda name: scores[name])
    plain = find_best(swept, one_standard_error=False)
    assert plain.jobs == (least,)
    assert plain.score == scores[least]
    assert plain.standard_error == pytest.approx(job_of(swept, least).metrics["held_out_se_mm"], rel=1e-6)
    assert plain.params.keys() == {"weights.rotation", "weights.translation"}
    chosen = find_best(swept)
    assert chosen.score <= plain.score + plain.standard_error
    assert sum(map(math.log1p, chosen.params.values())) >= sum(map(math.log1p, plain.params.values()))
    assert "the simplest within one standard error" in chosen.rule
    assert len(chosen.candidates) == 9


def test_smoother_is_simpler_and_data_that_weigh_less_are_smoother() -> None:
    ranked = [
        {"weights.data_per_m": 100.0, "weights.rotation": 1.0},
        {"weights.data_per_m": 200.0, "weights.rotation": 1.0},
        {"weights.data_per_m": 200.0, "weights.rotation": 0.1},
        {"weights.data_per_m": 200.0, "weights.rotation": 0.0},
    ]
    assert sorted(ranked, key=smoothness) == ranked
    assert smoothness({"loss": "squared"}) < smoothness({"loss": "huber"})


def test_the_best_by_the_trimmed_score_is_the_smoothest_within_an_error_of_its_folds(swept: BatchView) -> None:
    choice = find_best(swept, "held_out_trimmed_mm")
    assert choice.standard_error > 0
    assert choice.rule.endswith("the simplest within one standard error; errors over 5 folds of one fit")


def test_what_is_simpler_can_be_said(swept: BatchView) -> None:
    with pytest.raises(ConfigError, match="held_out_mm"):
        find_best(swept, "held_out")
    rough = find_best(swept, simpler=lambda params: float(params["weights.rotation"]))
    assert rough.params["weights.rotation"] <= find_best(swept).params["weights.rotation"]
    with pytest.warns(UserWarning, match="choose by held_out_mm"):
        most = find_best(swept, "rms_mm", "max", one_standard_error=False)
    assert most.score == max(float(job.metrics["rms_mm"] or 0) for job in swept.jobs)


def test_a_combination_that_lacks_a_recording_is_not_chosen(swept: BatchView) -> None:
    # The same sweep of a second recording, worse by far, of which the best combination failed.
    best = find_best(swept, one_standard_error=False).jobs[0]
    worse = tuple(
        replace(job, name=f"{job.name}-2", inputs={"recordings": "other.csv"},
                metrics={**job.metrics, "held_out_mm": 100 * float(job.metrics["held_out_mm"] or 0)},
                state=Status.FAILED if job.name == best else job.state)
        for job in swept.jobs
    )  # fmt: skip
    both = replace(swept, jobs=(*swept.jobs, *worse))
    chosen = find_best(both, one_standard_error=False)
    assert best not in chosen.jobs and len(chosen.jobs) == 2
    assert "whose 2 jobs are all done" in chosen.rule


def test_the_lowest_cost_among_different_weights_is_warned_of(swept: BatchView) -> None:
    with pytest.warns(UserWarning, match="costs are in different units"):
        choice = find_best(swept, "cost", one_standard_error=False)
    assert choice.params == {"weights.rotation": 0.01, "weights.translation": 0.01}


@pytest.mark.parametrize("metric", ["rms_mm", "median_mm", "chi2_reduced", "cost_start"])
def test_what_markers_were_fitted_to_is_warned_of_among_different_weights(swept: BatchView, metric: str) -> None:
    why = "costs are in different units" if metric == "cost_start" else f"{metric} tells how closely a fit follows"
    with pytest.warns(UserWarning, match=why):
        choice = find_best(swept, metric, one_standard_error=False)
    assert choice.notes == ()


def test_a_best_at_the_end_of_the_values_tried_says_so(swept: BatchView) -> None:
    values = sorted({float(job.params["weights"]["rotation"]) for job in swept.jobs})
    assert len(values) == 3

    def best_at(value: float) -> BatchView:
        """The sweep, with scores that are best at a value and alike for each translation."""
        jobs = [
            replace(job, metrics={"held_out_mm": 1.0 + abs(float(job.params["weights"]["rotation"]) - value)})
            for job in swept.jobs
            if job.params["weights"]["translation"] == values[0]
        ]
        return replace(swept, jobs=tuple(jobs))

    low, middle, high = (find_best(best_at(value), one_standard_error=False) for value in values)
    tried = f"the best lies at the end of the values tried (weights.rotation {values[0]:g} to {values[2]:g})"
    assert low.notes == (f"{tried}: try a smaller weights.rotation",)
    assert middle.notes == ()
    assert high.notes == (f"{tried}: try a larger weights.rotation",)


def test_nothing_is_smaller_than_no_weight_and_other_options_have_no_ends() -> None:
    tried = [{"weights.rotation": 0.0, "folds": 2}, {"weights.rotation": 1.0, "folds": 5}]
    assert end_note(tried[0], tried) is None
    assert "larger weights.rotation" in (end_note(tried[1], tried) or "")
    assert end_note({"weights.rotation": 1.0}, [{"weights.rotation": 1.0}]) is None


def test_recordings_of_a_subject_are_one_part_of_the_standard_error(swept: BatchView) -> None:
    scores = {"a_1": 1.0, "a_2": 1.2, "b_1": 2.0, "b_2": 2.2}
    jobs = [
        replace(job, name=f"{job.name}-{name}", inputs={"recordings": f"subject_{name}.csv"},
                metrics={"held_out_mm": score + 0.1 * number})
        for number, job in enumerate(swept.jobs[:2])
        for name, score in scores.items()
    ]  # fmt: skip
    view = replace(swept, jobs=tuple(jobs))
    alone = find_best(view)
    assert alone.standard_error == pytest.approx(np.std(list(scores.values()), ddof=1) / 2)
    assert alone.rule.endswith("; errors over 4 recordings, counted as independent")
    grouped = find_best(view, group="subject_{subject}_*.csv")
    # Means of subjects are 1.1 and 2.1.
    assert grouped.standard_error == pytest.approx(0.5)
    assert grouped.rule.endswith("; errors over 2 groups of recordings")
    assert (grouped.params, grouped.score) == (alone.params, alone.score)
    with pytest.raises(ConfigError, match="does not match"):
        find_best(view, group="patient_{subject}_*.csv")


def test_costs_of_equal_weights_are_compared_without_a_word(sessions: list[Truth], tmp_path: Path) -> None:
    path = sessions[0].path
    assert path
    view = done(sweep([path], {"iterations_max": [1, 50]}, tmp_path, params=SMOOTH, settings=ONE))
    assert find_best(view, "cost", one_standard_error=False).params == {"iterations_max": 50}


# cross-validation


def test_folds_are_scored_where_they_were_not_fitted_and_all_is_refitted(sessions: list[Truth], tmp_path: Path) -> None:
    paths = [truth.path for truth in sessions if truth.path]
    batch = cross_validation(paths, tmp_path, count=2, params=SMOOTH, axes={"loss": ["squared", "huber"]}, settings=ONE)
    view = done(batch)
    assert all(job.state is Status.DONE for job in view.jobs)
    folds = [job for job in view.jobs if "fold" in job.metadata]
    assert len(folds) == 4
    for job in folds:
        held = set(str(job.metadata["held_out"]).split(", "))
        assert held | {Path(path).stem for path in job.inputs["recordings"]} == {path.stem for path in paths}
        assert not held & {Path(path).stem for path in job.inputs["recordings"]}
        assert job.metrics["recordings"] == job.metadata["n_train"] == 2
        assert job.metrics["test_frames"] == 400
        assert job.metrics["held_out_mm"] == pytest.approx(2 * math.sqrt(3), rel=0.12)
        assert float(job.metrics["test_rms_mm"] or 0) > float(job.metrics["rms_mm"] or 0) * 0.9
        assert not [text for text in job.warnings if "does not fit" in text]
    summary = json.loads(output(view, job_of(view, "validate"), "summary").read_text())
    best = find_best(view, one_standard_error=False)
    assert summary["best"]["params"] == best.params
    assert summary["best"]["mean"] == pytest.approx(best.score)
    assert summary["best"]["standard_error"] == pytest.approx(best.standard_error)
    scores = [float(job.metrics["held_out_mm"] or 0) for job in folds if job.params["loss"] == best.params["loss"]]
    assert best.score == pytest.approx(np.mean(scores))
    assert job_of(view, "validate").metrics["best_loss"] == best.params["loss"]
    rows = table(output(view, job_of(view, "validate"), "table"))
    assert len(rows) == 4 and {row["loss"] for row in rows} == {"squared", "huber"}
    assert job_of(view, "refit/loss=huber").metrics["recordings"] == 4


def test_the_held_out_error_of_a_fold_is_of_the_carried_geometry(sessions: list[Truth], tmp_path: Path) -> None:
    paths = [truth.path for truth in sessions[:2] if truth.path]
    other = write_recordings(tmp_path / "other", frames=200, seed=9)[0].path
    assert other
    view = done(cross_validation([*paths, other], tmp_path / "out", count=3, params=SMOOTH, refit=False, settings=ONE))
    foreign = next(
        job
        for job in view.jobs
        if job.metadata.get("held_out") == other.stem
        and job.inputs["test"][0].endswith(str(other.relative_to(tmp_path)))
    )
    assert float(foreign.metrics["test_rms_mm"] or 0) > 10
    assert any("if these are other bodies, validate with own geometry" in text for text in foreign.warnings)
    assert "refit" not in {job.name for job in view.jobs}


def test_soft_edges_hold_where_a_geometry_is_carried_to(sessions: list[Truth], tmp_path: Path) -> None:
    paths = [truth.path for truth in sessions[:2] if truth.path]
    names = [name for name in sessions[0].recording.markers if name != "m1"]
    rms = {}
    for mm in (None, 5.0):
        edges = [] if mm is None else [{"point": "m1", "marker": "m2", "mm": mm, "sd_mm": 0.01}]
        params = {**SMOOTH, "markers": names, "soft_edges": edges}
        view = done(cross_validation(paths, tmp_path / f"{mm}", count=2, params=params, refit=False, settings=ONE))
        rms[mm] = [float(job.metrics["test_rms_mm"] or 0) for job in view.jobs if "fold" in job.metadata]
    # A way that is not as long as said pulls poses away from their markers.
    assert min(rms[5.0]) > 2 * max(rms[None])


def test_where_bodies_differ_options_are_validated_with_a_geometry_each(tmp_path: Path) -> None:
    write_recordings(tmp_path / "data", subjects=3, sessions=2, frames=150)
    axes = {"weights.rotation": [0.003, 0.1], "weights.translation": [0.1, 30.0]}
    batch = cross_validation(
        [tmp_path / "data"], tmp_path / "out", count=3, group="subject_{subject}_session_*.csv", own_geometry=True,
        params=SMOOTH, axes=axes, settings=ONE,
    )  # fmt: skip
    view = done(batch)
    assert len(view.jobs) == 25 and all(job.state is Status.DONE for job in view.jobs)
    summary = json.loads(output(view, job_of(view, "validate"), "summary").read_text())
    best = find_best(view, one_standard_error=False)
    assert summary["best"]["params"] == best.params == {"weights.rotation": 0.1, "weights.translation": 0.1}
    assert summary["best"]["mean"] == pytest.approx(best.score) == pytest.approx(2 * math.sqrt(3), rel=0.12)
    assert summary["best"]["folds"] == 3
    assert best.standard_error == pytest.approx(summary["best"]["standard_error"])
    for each in summary["chosen_by_others"]:
        assert each["params"] == best.params
        subject = {name.split("_")[1] for name in each["jobs"]}
        assert len(subject) == 1 and len(each["jobs"]) == 2
        own = [float(job_of(view, name).metrics["held_out_mm"] or 0) for name in each["jobs"]]
        assert each["score"] == pytest.approx(np.mean(own))
    scores = [each["score"] for each in summary["chosen_by_others"]]
    told = job_of(view, "validate").metrics
    assert told["chosen_by_others_mean"] == pytest.approx(np.mean(scores))
    assert told["chosen_by_others_standard_error"] == pytest.approx(np.std(scores, ddof=1) / math.sqrt(3))


def test_recordings_of_a_subject_are_never_parted(tmp_path: Path) -> None:
    for subject in "abc":
        for session in (1, 2):
            (tmp_path / f"subject_{subject}_session_{session}.csv").write_text("")
    batch = cross_validation([tmp_path], tmp_path / "out", count=3, group="subject_{subject}_*.csv")
    parts = [job.inputs["test"] for job in batch.jobs if "test" in job.inputs]
    assert len(parts) == 3
    for part in parts:
        assert isinstance(part, tuple) and len(part) == 2
        assert len({Path(path).stem.split("_")[1] for path in part}) == 1
    with pytest.raises(ConfigError, match="3 groups cannot make 4 folds"):
        cross_validation([tmp_path], tmp_path / "out", count=4, group="subject_{subject}_*.csv")
    with pytest.raises(ConfigError, match="does not match"):
        cross_validation([tmp_path], tmp_path / "out", count=3, group="patient_{subject}_*.csv")
    with pytest.raises(ConfigError, match="has no field"):
        grouping("subject_*.csv")


def test_recordings_are_found_in_folders_and_by_pattern(tmp_path: Path) -> None:
    for name in ("b.c3d", "a.trc", "notes.txt", ".hidden.csv"):
        (tmp_path / name).write_text("")
    assert [Path(path).name for path in find_recordings([tmp_path])] == ["a.trc", "b.c3d"]
    assert [Path(path).name for path in find_recordings([tmp_path / "*.c3d", tmp_path])] == ["b.c3d", "a.trc"]
    assert [Path(path).name for path in find_recordings([tmp_path / "notes.txt"])] == ["notes.txt"]
    with pytest.raises(ConfigError, match="no file is there"):
        find_recordings([tmp_path / "*.n3d"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"no file ending in \.c3d"):
        find_recordings([tmp_path / "empty"])
    with pytest.raises(ConfigError, match="no recording is named"):
        find_recordings([])


# planning and real bodies


def test_planning_loads_no_numpy(tmp_path: Path) -> None:
    (tmp_path / "a.c3d").write_text("")
    code = (
        "import sys\nfrom batchlab.motion._batch import cross_validation, sweep\n"
        f"sweep([{str(tmp_path)!r}], {{'weights.rotation': [1.0]}}, {str(tmp_path / 'out')!r})\n"
        "assert 'numpy' not in sys.modules and 'scipy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_box_fits_as_well_as_it_is_rigid(shared_motion: Path, tmp_path: Path) -> None:
    params = {"markers": ["boite:*"], "loss": "squared", "weights": {"data_per_m": 1 / 0.3e-3}, "body": "box"}
    (job,) = done(
        fit_batch([shared_motion / "pyomeca_markers_analogs.c3d"], tmp_path, params=params, settings=ONE)
    ).jobs
    assert job.metrics["rms_mm"] == pytest.approx(0.256, abs=0.001)
    assert job.metrics["median_mm"] == pytest.approx(0.147, abs=0.001)
    assert job.metrics["missing_share"] == pytest.approx(0.005, abs=0.0005)


def test_a_pointer_is_one_body_in_four_recordings(shared_motion: Path, tmp_path: Path) -> None:
    params = {"markers": ["Probe*"], "loss": "squared", "weights": {"data_per_m": 1 / 0.05e-3}, "covariance": False}
    places = [shared_motion / "ktk_sample_probing_*_R.c3d"]
    acromion = shared_motion / "ktk_sample_probing_acromion_R.c3d"
    (alone,) = done(fit_batch([acromion], tmp_path / "alone", params=params, settings=ONE)).jobs
    assert alone.metrics["rms_mm"] == pytest.approx(0.053, abs=0.001)
    assert alone.metrics["median_mm"] == pytest.approx(0.039, abs=0.001)
    (job,) = done(fit_batch(places, tmp_path / "all", together=True, viewer=False, params=params, settings=ONE)).jobs
    assert job.metrics["recordings"] == 4
    # The probe differs a little from recording to recording.
    assert 0.1 < float(job.metrics["rms_mm"] or 9) < 0.13
    view = done(cross_validation(places, tmp_path / "cv", count=4, params=params, refit=False, settings=ONE))
    for fold in (job for job in view.jobs if "fold" in job.metadata):
        assert float(fold.metrics["test_rms_mm"] or 9) < 0.25
        assert float(fold.metrics["held_out_mm"] or 9) < 0.5


def test_markers_nearly_on_a_line_are_told(tmp_path: Path) -> None:
    path = write_recording(tmp_path, simulate("line", frames=50, case="collinear").recording)
    (job,) = done(fit_batch([path], tmp_path / "out", settings=ONE)).jobs
    assert any("almost on a line" in text for text in job.warnings)


def test_every_recording_reads_as_before_from_its_table_of_markers(sessions: list[Truth], tmp_path: Path) -> None:
    path = sessions[0].path
    assert path
    view = done(fit_batch([path], tmp_path, params=SMOOTH, settings=ONE))
    rows = table(output(view, view.jobs[0], "markers"))
    recording = read_recording(path)
    for row in rows[::97]:
        place = recording.positions[int(row["frame"]), recording.markers.index(row["keypoint"])]
        told = np.array([float(row[f"raw_{axis}_mm"] or "nan") for axis in "xyz"])
        assert told == pytest.approx(place * 1e3, abs=1e-4, nan_ok=True)
