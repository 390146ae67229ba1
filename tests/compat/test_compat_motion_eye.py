"""Configurations of eyes, by the names and defaults of an earlier program, come to fits."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from batchlab.compat.motion import (
    BatchConfig,
    BatchJobConfig,
    BatchProcessor,
    BatchResult,
    CameraConfig,
    EyeModelConfig,
    EyeTrackingConfig,
    EyeWeightConfig,
    OptimizationConfig,
    RigidBodyConfig,
    RigidBodyTopology,
)
from batchlab.errors import ConfigError
from batchlab.motion import EyeTruth, simulate_eye, write_eyes, write_recording, write_recordings

# The synthetic camera, as a data sheet.
CAMERA = CameraConfig(focal_length_mm=5.9, sensor_size_mm=(4.0, 4.0), image_size_px=(400, 400))


@pytest.fixture(scope="module")
def eyes(tmp_path_factory: pytest.TempPathFactory) -> list[EyeTruth]:
    return write_eyes(tmp_path_factory.mktemp("eyes"), eyes=2, frames=300)


def config_of(path: Path, **given: object) -> EyeTrackingConfig:
    return EyeTrackingConfig(**{"input_path": path, "output_dir": Path("x"), "camera": CAMERA, "rate_hz": 120, **given})


def ran(jobs: list[BatchJobConfig], output: Path) -> BatchResult:
    config = BatchConfig(batch_name="eyes", jobs=jobs, output_root=output, parallel_mode="sequential", retries=0)
    return BatchProcessor(config=config).run()


def test_defaults_are_those_that_are_told() -> None:
    config = EyeTrackingConfig(input_path=Path("eye.csv"), output_dir=Path("out"), camera=CameraConfig())
    assert (config.min_confidence, config.min_pupil_points) == (0.3, 6)
    assert (config.optimization.max_iterations, config.optimization.function_tolerance) == (500, 1e-8)
    assert (config.optimization.robust_loss_type, config.optimization.robust_loss_param) == ("huber", 2.0)
    weights = config.weights
    assert (weights.lambda_data, weights.lambda_rot_smooth, weights.lambda_scalar_smooth) == (1.0, 10.0, 5.0)
    assert config.initial_eye_model.center_mm == (0.0, 0.0, 20.0)
    assert (CameraConfig().focal_length_mm, CameraConfig().image_size_px) == (1.7, (400, 400))
    with pytest.raises(ConfigError, match="needs camera"):
        EyeTrackingConfig(input_path=Path("eye.csv"), output_dir=Path("out"))
    with pytest.raises(ConfigError, match="min_pupil_point'; did you mean 'min_pupil_points'"):
        EyeTrackingConfig(input_path=Path("e"), output_dir=Path("o"), camera=CAMERA, min_pupil_point=3)


def test_eyes_are_fitted_beside_bodies(eyes: list[EyeTruth], tmp_path: Path) -> None:
    (body,) = write_recordings(tmp_path / "bodies", frames=60)
    assert body.path
    topology = RigidBodyTopology.from_marker_names(list(body.recording.markers), name="body")
    rigid = RigidBodyConfig(input_path=body.path, output_dir=tmp_path, topology=topology)
    jobs = [BatchJobConfig(job_id="body", pipeline_config=rigid)]
    jobs += [
        BatchJobConfig(
            job_id=truth.recording.name,
            pipeline_config=config_of(truth.path, weights=EyeWeightConfig(lambda_data=2.5)),
            metadata={"condition": "eye_tracking"},
        )
        for truth in eyes
        if truth.path
    ]
    result = ran(jobs, tmp_path / "out")
    assert result.success_rate == 1.0, [job.error for job in result.job_results]
    for job, truth in zip(result.job_results[1:], eyes, strict=True):
        solved = job.optimization_result
        assert solved is not None and math.isnan(solved.rms_mm)
        assert solved.metrics["rms_px"] == pytest.approx(0.4 * math.sqrt(2), rel=0.2)
        assert job.metadata["condition"] == "eye_tracking"
        with (tmp_path / "out" / job.job_name / "gaze.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        off = np.array([float(row["azimuth_deg"]) for row in rows]) - np.degrees(truth.azimuth_rad)
        assert np.median(np.abs(off[~truth.blinks])) < 0.3
    assert (tmp_path / "out" / "batch_summary.csv").is_file()


def test_weights_and_model_are_told_in_units_of_the_solver(eyes: list[EyeTruth], tmp_path: Path) -> None:
    path = eyes[0].path
    assert path
    config = config_of(
        path,
        weights=EyeWeightConfig(lambda_data=2.0, lambda_pupil=2.0),
        initial_eye_model=EyeModelConfig(pupil_distance_mm=5.1),
        optimization=OptimizationConfig(max_iterations=50, robust_loss_type="cauchy"),
        min_pupil_points=4,
        save_tables=False,
    )
    result = ran([BatchJobConfig(job_id="eye", pipeline_config=config)], tmp_path)
    told = json.loads((tmp_path / "eye" / "eye.json").read_text())
    assert told["params"]["noise_px"] == 0.25
    assert told["params"]["weights"] == {"rotation": 5.0, "radius": 2500.0}
    assert (told["params"]["smoothing"], told["params"]["loss"]) == ("first", "cauchy")
    assert (told["params"]["min_points"], told["params"]["iterations_max"]) == (4, 50)
    assert told["camera"]["focal_px"] == pytest.approx(590.0)
    # Lengths go with the distance of the pupil.
    assert told["eyes"][0]["model"]["center_mm"][2] == pytest.approx(17.5, rel=0.05)
    assert not (tmp_path / "eye" / "gaze.csv").exists()
    assert result.job_results[0].success


def test_gazes_too_small_are_no_success(tmp_path: Path) -> None:
    truth = simulate_eye("still", frames=150, seed=2)
    places = np.repeat(truth.recording.positions[:1], 150, axis=0)
    places = places + np.random.default_rng(0).normal(0.0, 0.4, places.shape)
    path = write_recording(tmp_path, replace(truth.recording, positions=places), "dlc")
    weights = EyeWeightConfig(lambda_rot_smooth=0.0, lambda_scalar_smooth=0.0)
    result = ran([BatchJobConfig(job_id="eye", pipeline_config=config_of(path, weights=weights))], tmp_path / "out")
    (job,) = result.job_results
    assert (job.success, job.status) == (False, "degenerate")
    assert job.error is not None and job.error.startswith("degenerate; ") and "depth_m" in job.error


def test_recordings_of_eyes_share_nothing(eyes: list[EyeTruth], tmp_path: Path) -> None:
    path = eyes[0].path
    assert path
    job = BatchJobConfig(job_id="eye", pipeline_config=config_of(path), train_files=(path,))
    with pytest.raises(ConfigError, match="recordings of eyes share nothing"):
        ran([job], tmp_path)
