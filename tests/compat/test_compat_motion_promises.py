"""What the calls of an earlier program for rigid bodies promise, on small recordings whose truth is known."""

from __future__ import annotations

import csv
import importlib.util
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from batchlab.compat.motion import (
    BatchConfig,
    BatchJobConfig,
    BatchProcessor,
    BatchReportGenerator,
    BatchResult,
    OptimizationConfig,
    ParallelConfig,
    ParameterSweepConfig,
    ProgressTracker,
    RigidBodyConfig,
    RigidBodyTopology,
    WeightConfig,
    apply_parameters,
    compare_parameter_sweep_results,
    create_batch_from_directory,
    create_batch_from_files,
    create_cross_validation_batch,
    create_parameter_sweep,
    estimate_batch_time,
    find_best_parameters,
    group_files_by_pattern,
)
from batchlab.compat.motion import _processor as processor
from batchlab.compat.motion._paths import _leaves
from batchlab.compat.motion._plan import plan_batch
from batchlab.engine import Status
from batchlab.errors import ConfigError
from batchlab.motion._synthetic import Truth, simulate, write_recording, write_recordings

MARKERS = [f"m{number}" for number in range(1, 6)]
TOPOLOGY = RigidBodyTopology.from_marker_names(MARKERS)
# Of files in mm: markers are 2 mm uncertain.
WEIGHTS = WeightConfig(lambda_data=0.5, lambda_rot_smooth=20.0, lambda_trans_smooth=0.05)
SMOOTH = "weights.lambda_trans_smooth"


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Truth]:
    """Two subjects in two sessions each; only read."""
    return write_recordings(tmp_path_factory.mktemp("recordings"), subjects=2, sessions=2, frames=80, markers=5)


@pytest.fixture
def file(recordings: list[Truth]) -> Path:
    return path_of(recordings[0])


def path_of(truth: Truth) -> Path:
    assert truth.path is not None
    return truth.path


def config_of(path: Path, **other: Any) -> RigidBodyConfig:
    return RigidBodyConfig(
        **{"input_path": path, "output_dir": path.parent / "x", "topology": TOPOLOGY, "weights": WEIGHTS, **other}
    )


def done(config: BatchConfig, **how: Any) -> BatchResult:
    return BatchProcessor(config, show_progress=False).run(**how)


def one(path: Path, output: Path, **other: Any) -> BatchResult:
    return done(create_batch_from_files([path], lambda each: config_of(each, **other), output))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def swept(recordings: list[Truth], tmp_path_factory: pytest.TempPathFactory) -> BatchResult:
    """Four weights of smoothness, from none to far too much, and a parameter that changes nothing."""
    grid = {SMOOTH: [0.0, 0.03, 0.3, 30.0], "weights.lambda_rigid": [1.0, 2.0]}
    return done(create_parameter_sweep(config_of(path_of(recordings[0])), grid, tmp_path_factory.mktemp("swept")))


# Configurations


def test_defaults_are_those_of_the_earlier_program():
    asked = OptimizationConfig()
    assert (asked.max_iterations, asked.function_tolerance) == (300, 1e-9)
    assert (asked.gradient_tolerance, asked.parameter_tolerance) == (1e-11, 1e-10)
    assert (asked.use_robust_loss, asked.robust_loss_type, asked.robust_loss_param) == (True, "huber", 2.0)
    assert (asked.linear_solver, asked.trust_region) == ("sparse_normal_cholesky", "levenberg_marquardt")
    assert asked.num_threads is None and asked.minimizer_progress_to_stdout
    assert list(WeightConfig().model_dump().values()) == [100.0, 500.0, 10.0, 100.0, 100.0, 10.0, 1.0]
    body = RigidBodyConfig(input_path=Path("a.csv"), output_dir=Path("b"), topology=TOPOLOGY)
    assert list(body.weights.model_dump().values()) == [100.0, 500.0, 10.0, 200.0, 200.0, 10.0, 10.0]
    assert list(ParallelConfig().model_dump().values()) == [True, 500, 50, 25, 100, None]
    assert (body.min_confidence, body.interpolate_missing_data, body.use_bundle_adjustment) == (0.3, True, True)
    job = BatchJobConfig(job_id="a", job_name="b", pipeline_config=body)
    assert (job.priority, job.metadata) == (0, {})
    batch = BatchConfig(batch_name="a", jobs=[job], output_root=Path("b"))
    assert (batch.parallel_mode, batch.max_workers) == ("auto", None)
    assert batch.continue_on_error and batch.save_intermediate and batch.generate_summary_report
    assert not batch.should_use_parallel and batch.n_workers == 1


def test_weights_are_scaled_together():
    assert WeightConfig().scale_all(2.0).lambda_rigid == 1000.0


@pytest.mark.parametrize(
    ("edges", "told"), [([(0, 0)], "joins a marker with itself"), ([(0, 7)], "names no marker; there are 0 to 1")]
)
def test_edges_join_two_markers_that_are_there(edges: list[tuple[int, int]], told: str):
    with pytest.raises(ConfigError, match=told):
        RigidBodyTopology(marker_names=["a", "b"], rigid_edges=edges)


def test_a_topology_is_written_and_read(tmp_path: Path):
    made = {how: RigidBodyTopology.from_marker_names("abcd", how) for how in ("full", "minimal", "skeleton")}  # type: ignore[arg-type]
    assert {how: each.n_rigid_edges for how, each in made.items()} == {"full": 6, "minimal": 3, "skeleton": 3}
    made["minimal"].save_json(tmp_path / "topology.json")
    assert RigidBodyTopology.load_json(tmp_path / "topology.json") == made["minimal"]


def test_a_wrong_field_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match="WeightConfig has no 'lambda_dta'; did you mean 'lambda_data'"):
        WeightConfig(lambda_dta=1.0)
    with pytest.raises(ConfigError, match="WeightConfig has no 'lamda_soft'"):
        WeightConfig().lamda_soft = 1.0
    with pytest.raises(ConfigError, match=r"lambda_data is -1\.0"):
        WeightConfig().lambda_data = -1.0


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("weights.lambda_rgid", "weights.lambda_rigid"),
        ("weight.lambda_rigid", "weights.lambda_rigid"),
        ("lambda_rigid", "weights.lambda_rigid"),
        ("optimization.max_iteration", "optimization.max_iterations"),
    ],
)
def test_an_unknown_path_is_refused_before_any_job_starts(path: str, near: str, tmp_path: Path):
    with pytest.raises(ConfigError, match=f"{path!r} is no path of RigidBodyConfig; did you mean {near!r}"):
        create_parameter_sweep(config_of(tmp_path / "a.csv"), {path: [1.0]}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("grid", "told"),
    [
        ({"optimization.max_iterations": [10, "many"]}, "max_iterations is 'many'"),
        ({SMOOTH: []}, "has no values"),
        ({}, "has no paths"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(grid: dict[str, list[Any]], told: str, tmp_path: Path):
    with pytest.raises(ConfigError, match=told):
        create_parameter_sweep(config_of(tmp_path / "a.csv"), grid, tmp_path / "out")


def test_a_sweep_leaves_its_base_alone_and_names_its_jobs(tmp_path: Path):
    base = config_of(tmp_path / "a.csv")
    sweep = ParameterSweepConfig(base_config=base, parameter_grid={SMOOTH: [1.0, 2.0], "min_confidence": [0.1, 0.2]},
                                 output_root=tmp_path, sweep_name="tried")  # fmt: skip
    jobs = sweep.generate_batch_config().jobs
    assert [job.job_id for job in jobs] == [f"tried_{number:04d}" for number in range(4)]
    assert jobs[2].metadata == {SMOOTH: 2.0, "min_confidence": 0.1}
    assert jobs[2].pipeline_config.weights.lambda_trans_smooth == 2.0 and base.weights.lambda_trans_smooth == 0.05


# Batches


def test_markers_are_counted_when_a_batch_is_planned(file: Path, tmp_path: Path):
    two = RigidBodyTopology(marker_names=["m1", "m2"], rigid_edges=[(0, 1)])
    batch = create_batch_from_files([file], lambda each: config_of(each, topology=two), tmp_path / "out")
    with pytest.raises(ConfigError, match="rigid_body has 2 markers; fitting a rigid body needs 3 or more"):
        done(batch)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"soft_edges": [(0, 1)]}, "there are 1 soft edges and 0 soft_distances"),
        ({"soft_distances": [0.1]}, "there are 0 soft edges and 1 soft_distances"),
        ({"soft_edges": [(0, 9)], "soft_distances": [60.0]}, "joins no two markers; there are 0 to 4"),
        ({"soft_edges": [(0, 1)], "soft_distances": [0.0]}, "is not above zero"),
        ({"soft_edges": [(0, 1), (1, 2)], "soft_distances": [6.0, 6.0]}, "lead to m2 and from it"),
        ({"soft_edges": [(0, 2), (0, 3), (0, 4)], "soft_distances": [6.0, 6.0, 6.0]}, "has 2 markers"),
        ({"use_bundle_adjustment": False}, "needs a geometry"),
        ({"unit": "stone"}, "'stone' is no length"),
    ],
)
def test_what_cannot_be_fitted_is_refused(other: dict[str, Any], told: str, file: Path, tmp_path: Path):
    with pytest.raises(ConfigError, match=told):
        one(file, tmp_path / "out", **other)
    assert not (tmp_path / "out").exists()


def test_all_that_is_wrong_is_told_at_once(file: Path, tmp_path: Path):
    config = config_of(file, soft_edges=[(0, 1)], unit="stone")
    jobs = [BatchJobConfig(job_id=name, job_name="same", pipeline_config=config) for name in "ab"]
    with pytest.raises(ConfigError) as caught:
        done(BatchConfig(batch_name="b", jobs=jobs, output_root=tmp_path))
    assert len(caught.value.problems) == 3
    with pytest.raises(ConfigError, match="has no jobs"):
        done(BatchConfig(batch_name="b", jobs=[], output_root=tmp_path))


def test_a_missing_file_costs_its_own_job(file: Path, tmp_path: Path):
    result = done(create_batch_from_files([tmp_path / "no.csv", file], config_of, tmp_path / "out"))
    assert [job.status for job in result.job_results] == ["missing-input", "converged"]
    lost = result.job_results[0]
    assert not lost.success and lost.error is not None and "no.csv" in lost.error
    assert result.success_rate == 0.5 and (result.successful_jobs, result.failed_jobs) == (1, 1)
    assert "no: missing-input" in result.summary()


def test_a_file_that_is_found_twice_is_one_job(recordings: list[Truth], tmp_path: Path):
    first = path_of(recordings[0])
    (tmp_path / "link.csv").symlink_to(first)
    batch = create_batch_from_files([first, first, tmp_path / "link.csv"], config_of, tmp_path / "out")
    assert [job.name for job in batch.jobs] == [first.stem]
    for pattern in ("*.csv", "**/*.csv"):
        found = create_batch_from_directory(first.parent, config_of, tmp_path / "out", pattern=pattern, recursive=True)
        assert found.n_jobs == len(recordings)


def test_folders_of_jobs_are_told_once(file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        batch = create_batch_from_files([file, tmp_path / "b.csv"], config_of, tmp_path / "out")
        plan_batch(batch)
    assert caplog.text.count("not to their own output_dir") == 1 and "2 of 2 jobs" in caplog.text
    assert batch.jobs[0].pipeline_config.output_dir == tmp_path / "out" / file.stem


def test_folders_of_jobs_made_by_hand_are_those_of_their_names(file: Path, tmp_path: Path):
    job = BatchJobConfig(job_id="job_001", job_name="Special Job", pipeline_config=config_of(file),
                         metadata={"subject": "ferret_757", "weights of": [1, 2]})  # fmt: skip
    result = done(BatchConfig(batch_name="custom", jobs=[job], output_root=tmp_path / "out"))
    (only,) = result.job_results
    assert only.output_dir == tmp_path / "out" / "Special Job" and (only.output_dir / "poses.csv").is_file()
    assert only.metadata == {"subject": "ferret_757", "weights of": [1, 2]}
    assert not (file.parent / "x").exists()


def test_what_is_done_is_not_done_again(file: Path, tmp_path: Path):
    batch = create_batch_from_files([file], config_of, tmp_path / "out")
    first = done(batch)
    again = done(batch)
    assert again.success_rate == 1.0 and len(again.view.runs) == 2
    assert again.job_results[0].end_time == first.job_results[0].end_time
    assert done(batch, fresh=True).job_results[0].end_time != first.job_results[0].end_time


def test_results_are_kept_while_a_batch_runs(recordings: list[Truth], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    seen: list[tuple[int, bool]] = []
    written = processor._Told._write

    def watched(told: processor._Told, name: str) -> None:
        written(told, name)
        states = [row["status"] for row in rows(tmp_path / "batch_summary.csv")]
        seen.append((states.count("converged"), (tmp_path / name / "job_result.json").is_file()))

    monkeypatch.setattr(processor._Told, "_write", watched)
    batch = create_batch_from_files([path_of(each) for each in recordings], config_of, tmp_path, max_workers=1)
    done(batch)
    assert len(seen) == 4 and all(kept for _, kept in seen)
    assert [count for count, _ in seen] == sorted(count for count, _ in seen) and seen[-1][0] == 4
    told = json.loads((tmp_path / batch.jobs[0].name / "job_result.json").read_text(encoding="utf-8"))
    assert told["status"] == "converged" and told["metrics"]["rms_mm"] > 0


def test_results_are_not_kept_where_that_is_not_asked(file: Path, tmp_path: Path):
    batch = create_batch_from_files([file], config_of, tmp_path, save_intermediate=False, generate_summary_report=False)
    done(batch)
    assert not (tmp_path / file.stem / "job_result.json").exists() and not (tmp_path / "batch_summary.csv").exists()


def test_a_solve_that_did_not_converge_is_no_success(file: Path, tmp_path: Path):
    (job,) = one(file, tmp_path, optimization=OptimizationConfig(max_iterations=1, use_robust_loss=False)).job_results
    assert job.status == "iteration-limit" and not job.success
    assert job.error is not None and "raise optimization.max_iterations" in job.error
    assert job.optimization_result is not None and not job.optimization_result.success


def test_markers_on_a_line_are_degenerate(tmp_path: Path):
    truth = simulate("line", frames=40, markers=5, noise_m=0.0, case="collinear")
    path = write_recording(tmp_path, truth.recording)
    (job,) = one(path, tmp_path / "out").job_results
    assert job.status == "degenerate" and job.optimization_result is None and job.error


def test_a_unit_that_nobody_says_is_asked_for(file: Path, tmp_path: Path):
    path = tmp_path / "silent.csv"
    path.write_text(file.read_text(encoding="utf-8").replace("_mm", ""), encoding="utf-8")
    (job,) = one(path, tmp_path / "out").job_results
    assert job.status == "failed" and job.error is not None and "does not say its unit" in job.error
    assert one(path, tmp_path / "told", unit="mm").success_rate == 1.0


@pytest.mark.parametrize("confident", [True, False])
def test_confidence_counts_where_a_file_has_it(confident: bool, tmp_path: Path, file: Path):
    lines = ["frame,time_s,keypoint,x_mm,y_mm,z_mm" + (",confidence" if confident else "")]
    for number, row in enumerate(rows(file)):
        for marker in MARKERS:
            place = [row[f"{marker}_{axis}_mm"] for axis in "xyz"]
            low = marker == "m1" and number % 2 == 0
            if all(place):
                lines.append(
                    ",".join([str(number), row["time_s"], marker, *place, *(["0.1" if low else "0.9"] * confident)])
                )
    path = tmp_path / "tidy.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (job,) = one(path, tmp_path / "out").job_results
    assert job.success and not [text for text in job.warnings if "has no confidence" in text]
    assert any("less confidence than 0.3" in text for text in job.warnings) is confident


# What weights mean


def doubled_cost(output: Path, weights: Mapping[str, float], per_unit: float) -> float:
    """The earlier program's cost, without loss, of what a fit has written; times two."""
    poses, markers = rows(output / "poses.csv"), rows(output / "markers.csv")

    def table(found: Sequence[Mapping[str, str]], names: Sequence[str]) -> np.ndarray:
        return np.array([[float(row[name] or "nan") for name in names] for row in found])

    residuals = table(markers, [f"raw_{axis}_mm" for axis in "xyz"]) - table(markers, [f"fitted_{a}_mm" for a in "xyz"])
    turns = np.diff(table(poses, ["q_w", "q_x", "q_y", "q_z"]), axis=0)
    moves = np.diff(table(poses, ["x_mm", "y_mm", "z_mm"]), axis=0)
    return float(
        np.nansum((weights["data"] * residuals * per_unit) ** 2)
        + np.sum((weights["rotation"] * turns) ** 2)
        + np.sum((weights["translation"] * moves * per_unit) ** 2)
    )


@pytest.mark.parametrize("unit", ["mm", "m"])
def test_weights_are_those_of_the_earlier_cost_in_the_unit_of_the_file(unit: str, file: Path, tmp_path: Path):
    path = tmp_path / "recording.csv"
    factor = {"mm": 1.0, "m": 1e-3}[unit]
    head, *body = file.read_text(encoding="utf-8").splitlines()
    lines = [head.replace("_mm", f"_{unit}")]
    for line in body:
        number, time, *places = line.split(",")
        lines.append(",".join([number, time, *(each and repr(float(each) * factor) for each in places)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    # The same standard deviations and the same smoothness, whatever the unit.
    data, move = 0.5 / factor, 0.1 / factor
    weights = WeightConfig(lambda_data=data, lambda_rot_smooth=30.0, lambda_trans_smooth=move)
    (job,) = one(
        path, tmp_path / "out", weights=weights, optimization=OptimizationConfig(use_robust_loss=False)
    ).job_results
    told = doubled_cost(job.output_dir, {"data": data, "rotation": 30.0, "translation": move}, factor)
    solved = job.optimization_result
    assert solved is not None and 2.0 * solved.final_cost == pytest.approx(told, rel=1e-3)
    assert solved.final_cost < solved.initial_cost and job.cost_reduction_percent == solved.cost_reduction > 0


def test_a_given_geometry_is_used(recordings: list[Truth], tmp_path: Path):
    first, second = path_of(recordings[0]), path_of(recordings[1])
    (fitted,) = one(first, tmp_path / "first").job_results
    given = fitted.output_dir / "geometry.csv"
    (job,) = one(second, tmp_path / "second", use_bundle_adjustment=False, reference_geometry=given).job_results
    assert job.success
    old, new = (json.loads((each.output_dir / "fit.json").read_text(encoding="utf-8")) for each in (fitted, job))
    np.testing.assert_allclose(old["body"]["geometry_mm"], new["body"]["geometry_mm"], atol=1e-3)


# Choosing


def test_the_best_parameters_are_those_that_foretell_best(swept: BatchResult):
    best = find_best_parameters(swept, one_standard_error=False)
    scores = {job.parameters[SMOOTH]: job.metric("held_out_mm") for job in swept.job_results}
    assert best[SMOOTH] == min(scores, key=lambda each: scores[each] or np.inf) == 0.3
    assert set(best) == {SMOOTH, "weights.lambda_rigid"}
    chosen = find_best_parameters(batch_result=swept)
    assert chosen[SMOOTH] >= 0.3
    assert apply_parameters(config_of(Path("a.csv")), chosen).weights.lambda_trans_smooth == chosen[SMOOTH]


def test_asking_for_the_cost_warns_and_picks_no_smoothing(swept: BatchResult):
    with pytest.warns(UserWarning, match="costs are in different units"):
        best = find_best_parameters(swept, metric="final_cost", one_standard_error=False)
    assert best[SMOOTH] == 0.0


@pytest.mark.parametrize("metric", ["rms_mm", "median_mm", "chi2_reduced", "cost_start"])
def test_asking_for_what_was_fitted_warns(swept: BatchResult, metric: str):
    with pytest.warns(UserWarning, match="jobs differ in weights or losses"):
        find_best_parameters(swept, metric, one_standard_error=False)
    with pytest.warns(UserWarning, match="compare held-out scores"):
        swept.get_best_result(metric)


def test_without_scores_no_residual_is_recommended(file: Path, tmp_path: Path):
    result = done(create_parameter_sweep(config_of(file, score="none"), {SMOOTH: [0.03, 0.3]}, tmp_path))
    with pytest.raises(ConfigError, match="has a held-out score: set score='held-out'") as caught:
        find_best_parameters(result)
    assert "rms" not in str(caught.value)


def test_a_best_at_the_end_of_the_grid_is_told(file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    grid = {SMOOTH: [0.003, 0.03, 0.3]}
    result = done(create_parameter_sweep(config_of(file), grid, tmp_path))
    assert find_best_parameters(result) == {SMOOTH: 0.3}
    assert f"at the end of the values tried ({SMOOTH} 0.003 to 0.3): try a larger {SMOOTH}" in caplog.text


def test_weights_of_default_in_metres_are_told_once(
    recordings: list[Truth], tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    told = "one recording is fitted and smoothed differently in m and in mm"

    def planned(written: str, **other: Any) -> int:
        """How often it is told."""
        caplog.clear()
        files = [write_recording(tmp_path / written, truth.recording, "trc") for truth in recordings[:2]]
        for path in files:
            path.write_text(path.read_text().replace("\tmm\t", f"\t{written}\t"))
        plan_batch(create_batch_from_files(files, lambda each: config_of(each, **other), tmp_path / "out"))
        return caplog.text.count(told)

    usual = RigidBodyConfig.model_fields["weights"].get_default(call_default_factory=True)
    assert planned("m", weights=usual) == 1
    assert " and 1 more, and weights of default" in caplog.text
    assert planned("m") == 0
    assert planned("mm", weights=usual) == 0
    assert planned("mm", weights=usual, unit="m") == 1


def test_jobs_are_ranked_by_what_they_foretell(swept: BatchResult):
    best, worst = swept.get_best_result(), swept.get_worst_result()
    assert best is not None and worst is not None
    assert best.parameters[SMOOTH] == 0.3
    assert (best.metric("held-out") or 0) < (worst.metric("held-out") or 0)
    with pytest.warns(UserWarning, match="compare held-out scores"):
        cheapest = swept.get_best_result("final_cost")
    assert cheapest is not None and cheapest.parameters[SMOOTH] == 0.0
    with pytest.raises(ConfigError, match="no successful job has the metric 'beauty'"):
        swept.get_best_result("beauty")


def test_recordings_of_equal_weights_are_ranked_by_residual(recordings: list[Truth], tmp_path: Path):
    result = done(create_batch_from_files([path_of(each) for each in recordings[:2]], config_of, tmp_path))
    assert all(job.metric("held_out_mm") is None for job in result.job_results)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        best, worst = result.get_best_result(), result.get_worst_result("final_cost")
    assert best is not None and worst is not None
    assert "best: " in result.summary()
    with pytest.raises(ConfigError, match="differ in no parameter"):
        find_best_parameters(result)
    assert BatchReportGenerator(result).compute_statistics()["final_cost"]["n"] == 2


def test_what_changes_nothing_is_told_once(file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    grid = {"weights.lambda_rigid": [1.0, 2.0], SMOOTH: [1.0, 2.0]}
    with caplog.at_level(logging.WARNING):
        plan_batch(create_parameter_sweep(config_of(file), grid, tmp_path))
    assert caplog.text.count("weights.lambda_rigid differs between jobs, but changes nothing") == 1
    assert f"{SMOOTH} differs" not in caplog.text


def test_what_is_set_and_changes_nothing_is_told_once(
    recordings: list[Truth], tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    cut = ParallelConfig(chunk_size=100, overlap_size=10)
    files = [path_of(truth) for truth in recordings]
    batch = create_batch_from_files(files, lambda each: config_of(each, parallel=cut), tmp_path)
    with caplog.at_level(logging.WARNING):
        plan_batch(batch)
    assert caplog.text.count("changes nothing") + caplog.text.count("change nothing") == 1
    assert (
        "parallel.chunk_size, parallel.overlap_size are set, but change nothing: a recording is solved" in caplog.text
    )


# Every field of a fit, with a value that is not the usual one: it changes what is done, is refused, or is told.
OTHER: dict[str, Any] = {
    "input_path": Path("other.csv"),
    "output_dir": Path("elsewhere"),
    "topology.marker_names": ["m5", "m4", "m3", "m2", "m1"],
    "topology.rigid_edges": [(0, 1)],
    "topology.soft_edges": [(0, 1)],
    "topology.display_edges": [(0, 1)],
    "topology.name": "foot",
    "optimization.max_iterations": 7,
    "optimization.function_tolerance": 1e-5,
    "optimization.gradient_tolerance": 1e-5,
    "optimization.parameter_tolerance": 1e-5,
    "optimization.use_robust_loss": False,
    "optimization.robust_loss_type": "soft_l1",
    "optimization.robust_loss_param": 3.0,
    "optimization.linear_solver": "dense_qr",
    "optimization.trust_region": "dogleg",
    "optimization.num_threads": 3,
    "optimization.minimizer_progress_to_stdout": False,
    "weights.lambda_data": 7.0,
    "weights.lambda_rigid": 7.0,
    "weights.lambda_soft": 7.0,
    "weights.lambda_rot_smooth": 7.0,
    "weights.lambda_trans_smooth": 7.0,
    "weights.lambda_scalar_smooth": 7.0,
    "weights.lambda_anchor": 7.0,
    "soft_edges": [(0, 1)],
    "soft_distances": [0.1],
    "min_confidence": 0.7,
    "interpolate_missing_data": False,
    "use_bundle_adjustment": False,
    "parallel.enabled": False,
    "parallel.chunk_size": 77,
    "parallel.overlap_size": 7,
    "parallel.blend_window": 7,
    "parallel.min_chunk_size": 77,
    "parallel.num_workers": 7,
    "reference_geometry": Path("geometry.csv"),
    "unit": "cm",
    "rate_hz": 7.0,
    "score": "leave-one-out",
    "save_tables": False,
    "save_viewer": True,
}


def test_every_field_of_a_fit_is_looked_at():
    paths = {path for path, _ in _leaves(config_of(Path("a.csv"), topology=TOPOLOGY))}
    assert paths == set(OTHER)


@pytest.mark.parametrize("path", OTHER)
def test_no_field_of_a_fit_is_ignored_in_silence(
    path: str, file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    def planned(config: RigidBodyConfig) -> Any:
        (job,) = plan_batch(create_batch_from_files([config.input_path], lambda _: config, tmp_path)).batch.jobs
        return job.params, job.inputs, dict(job.outputs)

    plain = config_of(file, output_dir=tmp_path / file.stem)
    other = apply_parameters(plain, {path: OTHER[path]})
    with caplog.at_level(logging.WARNING):
        before = planned(plain)
        assert not caplog.records
        try:
            changed = planned(other) != before
        except ConfigError as error:
            assert any(word in str(error) for word in ("soft_distances", "needs a geometry"))
            return
    told = [record for record in caplog.records if path.rpartition(".")[2] in record.getMessage()]
    assert changed or len(told) == 1


def test_soft_edges_lead_to_points_outside_the_body(file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    weights = WEIGHTS.model_copy(update={"lambda_soft": 0.2})
    edges = {"soft_edges": [(0, 4)], "soft_distances": [60.0], "weights": weights}
    batch = create_batch_from_files([file], lambda each: config_of(each, **edges), tmp_path)
    (job,) = plan_batch(batch).batch.jobs
    assert job.params["markers"] == MARKERS[:4]
    assert job.params["soft_edges"] == [{"point": "m5", "marker": "m1", "mm": 60.0, "sd_mm": 5.0}]
    assert all("m5" not in pair for pair in job.params["edges"])
    assert "lambda_soft" not in caplog.text
    (result,) = done(batch).job_results
    assert result.success
    told = result.optimization_result
    assert told is not None and told.metrics["markers"] == 4
    # As heavy as nothing: the same body without them.
    (plain,) = one(file, tmp_path / "plain", topology=RigidBodyTopology.from_marker_names(MARKERS[:4])).job_results
    assert plain.optimization_result is not None
    assert told.rms_mm != plain.optimization_result.rms_mm
    none = {**edges, "weights": weights.model_copy(update={"lambda_soft": 0.0})}
    (free,) = one(file, tmp_path / "free", **none).job_results
    assert free.optimization_result is not None
    assert free.optimization_result.rms_mm == pytest.approx(plain.optimization_result.rms_mm, rel=1e-9)


def test_what_is_known_of_a_batch_is_in_its_statistics(file: Path, tmp_path: Path):
    batch = create_batch_from_files([file], config_of, tmp_path)
    batch.metadata = {"session": "2025-07-11"}
    result = done(batch)
    assert result.metadata == {"session": "2025-07-11"}
    told = json.loads((tmp_path / "batch_statistics.json").read_text(encoding="utf-8"))
    assert told["metadata"] == {"session": "2025-07-11"}


def test_results_are_compared_by_a_parameter(swept: BatchResult):
    table = compare_parameter_sweep_results(swept, SMOOTH)
    assert table["parameter_value"] == [0.0, 0.0, 0.03, 0.03, 0.3, 0.3, 30.0, 30.0]
    assert table["final_cost"] == sorted(table["final_cost"])
    means = compare_parameter_sweep_results(swept, SMOOTH, means=True)
    assert means["parameter_value"] == [0.0, 0.03, 0.3, 30.0] and means["jobs"] == [2] * 4
    assert min(means, key=lambda row: row["held_out_mm"])["parameter_value"] == 0.3
    with pytest.raises(ConfigError, match=r"did you mean .weights\.lambda_rigid"):
        compare_parameter_sweep_results(swept, "weights.lambda_rgid")
    with pytest.raises(ConfigError, match="no column 'beauty'"):
        _ = table["beauty"]
    assert "<td>30</td>" in table._repr_html_()
    words = compare_parameter_sweep_results.__doc__ or ""
    assert all(f"``{column}``" in words for column in table.columns)


# Reports


def test_reports_tell_parameters_and_no_costs_of_different_weights(swept: BatchResult, tmp_path: Path):
    written = BatchReportGenerator(batch_result=swept).save_all_reports(output_dir=tmp_path / "reports")
    table = rows(written.summary)
    assert {row[f"param_{SMOOTH}"] for row in table} == {"0.0", "0.03", "0.3", "30.0"}
    assert {"job_id", "final_cost", "iterations", "duration_s", "cost_reduction_pct"} <= table[0].keys()
    numbers = json.loads(written.statistics.read_text(encoding="utf-8"))
    assert numbers["success_rate"] == 1.0 and numbers["held_out_mm"].keys() >= {"mean", "std", "min", "max", "median"}
    assert numbers["final_cost"] is None and SMOOTH in numbers["final_cost_note"]
    assert len(numbers["job_results"]) == 8
    assert written.html.read_text(encoding="utf-8").count("sweep_0007") > 0


def test_a_batch_without_success_has_reports_too(tmp_path: Path):
    job = BatchJobConfig(job_id="=cmd()", job_name="<em>odd", pipeline_config=config_of(tmp_path / "no.csv"))
    result = done(BatchConfig(batch_name="none", jobs=[job], output_root=tmp_path / "out"))
    assert result.success_rate == 0.0 and result.get_best_result() is None and result.average_duration is None
    (row,) = rows(tmp_path / "out" / "batch_summary.csv")
    assert row["job_id"] == "'=cmd()" and row["success"] == "false"
    numbers = json.loads((tmp_path / "out" / "batch_statistics.json").read_text(encoding="utf-8"))
    assert numbers["held_out_mm"] == {"n": 0, "mean": None, "std": None, "min": None, "max": None, "median": None}
    assert "<em>odd" not in (tmp_path / "out" / "batch_report.html").read_text(encoding="utf-8")


# Folds and groups


def test_folds_are_scored_on_what_they_hold_out(tmp_path: Path):
    files = [path_of(each) for each in write_recordings(tmp_path / "data", sessions=4, frames=60, markers=5)]
    asked: list[tuple[list[Path], list[Path]]] = []

    def factory(train: list[Path], test: list[Path]) -> RigidBodyConfig:
        asked.append((train, test))
        return config_of(train[0])

    batch = create_cross_validation_batch(files, factory, tmp_path / "out", n_folds=2)
    assert [job.name for job in batch.jobs] == ["fold_1", "fold_2", "refit"]
    assert sorted(each for _, test in asked for each in test) == files
    assert all(not set(train) & set(test) for train, test in asked)
    assert batch.jobs[0].metadata.keys() >= {"fold", "n_train", "n_test"}
    result = done(batch)
    assert result.success_rate == 1.0
    for job in result.job_results[:2]:
        assert (job.metric("test_rms_mm") or 0) > 0 and (job.metric("held_out_mm") or 0) > 0
    assert result.job_results[2].metric("recordings") == 4
    assert (tmp_path / "out" / "refit" / "poses.csv").is_file()


def test_folds_never_part_a_subject(recordings: list[Truth], tmp_path: Path):
    files = [path_of(each) for each in recordings]
    batch = create_cross_validation_batch(
        files,
        lambda train, test: config_of(train[0]),
        tmp_path,
        n_folds=2,
        group="subject_{subject}_*.csv",
        refit=False,
    )
    for job in batch.jobs:
        trained, tested = ({each.name[:10] for each in some} for some in (job.train_files, job.test_files))
        assert trained and tested and not trained & tested
    with pytest.raises(ConfigError, match="2 groups cannot make 3 folds"):
        create_cross_validation_batch(files, lambda train, test: config_of(train[0]), tmp_path, n_folds=3,
                                      group="subject_{subject}_*.csv")  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("subject_*.csv", {"subject_01": 2, "subject_02": 1, "subject_anna": 2, "subject_ferret_757": 2}),
        ("subject_{who}_{what}.csv", {"01/a": 1, "01/b": 1, "02/a": 1, "anna/run": 1, "anna/walk": 1,
                                      "ferret/757_a": 1, "ferret/757_b": 1}),
        ("{kind}_{who}_*.csv", {"subject/01": 2, "subject/02": 1, "subject/anna": 2, "subject/ferret": 2}),
        ("*_a.csv", {"subject_01": 1, "subject_02": 1, "subject_ferret_757": 1}),
    ],
)  # fmt: skip
def test_files_are_grouped_by_their_names(pattern: str, names: dict[str, int], tmp_path: Path):
    for name in ("01_a", "01_b", "02_a", "anna_walk", "anna_run", "ferret_757_a", "ferret_757_b"):
        (tmp_path / f"subject_{name}.csv").touch()
    found = group_files_by_pattern(directory=tmp_path, pattern=pattern)
    assert {name: len(files) for name, files in found.items()} == names
    with pytest.raises(ConfigError, match="no file"):
        group_files_by_pattern(tmp_path, "patient_*.csv")


# Time


def test_progress_tells_what_is_left():
    now = [0.0]
    tracker = ProgressTracker(4, clock=lambda: now[0])
    assert tracker.eta_seconds is None and tracker.percent_complete == 0.0
    now[0] = 10.0
    tracker.update()
    assert (tracker.completed, tracker.percent_complete, tracker.eta_seconds) == (1, 25.0, 30.0)
    assert str(tracker) == "1/4 (25 %), about 30 s left"
    tracker.update(5)
    assert tracker.percent_complete == 100.0 and str(tracker) == "4/4 (100 %)"


def test_progress_is_printed_as_jobs_end(recordings: list[Truth], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    files = [path_of(each) for each in recordings[:2]]
    BatchProcessor(config=create_batch_from_files(files, config_of, tmp_path)).run()
    said = capsys.readouterr().out
    assert "1/2 (50 %)" in said and "2/2 (100 %)" in said and f"{files[0].stem}: done" in said


def test_times_without_a_word_are_those_of_earlier_fits(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    batch = create_batch_from_files([file], config_of, tmp_path / "out")
    with pytest.raises(ConfigError, match="say time_per_job_seconds"):
        estimate_batch_time(batch)
    done(batch)
    assert estimate_batch_time(batch)["sequential_time_seconds"] > 0


def test_priorities_come_first_and_workers_are_counted(tmp_path: Path):
    jobs = [
        BatchJobConfig(job_id=str(at), pipeline_config=config_of(tmp_path / "a.csv"), priority=at) for at in range(3)
    ]
    batch = BatchConfig(batch_name="b", jobs=jobs, output_root=tmp_path, parallel_mode="parallel", max_workers=8)
    assert [job.job_id for job in batch.sorted_jobs] == ["2", "1", "0"] and batch.n_workers == 8
    assert [job.priority for job in plan_batch(batch).batch.jobs] == [0, 1, 2]
    assert BatchConfig(batch_name="b", jobs=jobs, output_root=tmp_path, parallel_mode="sequential").n_workers == 1


def test_a_batch_may_stop_at_the_first_error(file: Path, tmp_path: Path):
    bad = tmp_path / "bad.csv"
    bad.write_text("nothing of use\n", encoding="utf-8")
    batch = create_batch_from_files([bad, file], config_of, tmp_path / "out", continue_on_error=False, max_workers=1)
    result = done(batch)
    assert result.job_results[0].status == "failed" and not result.job_results[1].success


# The examples that are shipped


def test_the_examples_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = Path(__file__).parents[2] / "examples" / "basic_example.py"
    spec = importlib.util.spec_from_file_location("basic_example", path)
    assert spec is not None and spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    write_recordings(tmp_path / "data", subjects=2, sessions=2, frames=60, markers=len(example.MARKERS))
    results = example.main(tmp_path / "data", tmp_path / "out")
    assert [result.total_jobs for result in results] == [2, 9, 4, 2, 1]
    assert all(result.success_rate == 1.0 for result in results)
    assert all(job.state is Status.DONE for result in results for job in result.view.jobs)
    assert (tmp_path / "out" / "reports" / "batch_report.html").is_file()
    best = results[4].job_results[0]
    assert (best.output_dir / "poses.csv").is_file() and "best: {" in capsys.readouterr().out


def test_nothing_heavy_is_loaded_before_it_is_needed():
    code = "import sys, batchlab.compat.motion as m; m.BatchProcessor; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
