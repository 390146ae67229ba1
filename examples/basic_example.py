"""Five ways to fit rigid bodies in batches, by the calls of an earlier program.

    python examples/basic_example.py FOLDER

Without a folder of recordings some are made, of two subjects in two sessions each.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from batchlab.compat.motion import (
    BatchConfig,
    BatchJobConfig,
    BatchProcessor,
    BatchReportGenerator,
    BatchResult,
    OptimizationConfig,
    RigidBodyConfig,
    RigidBodyTopology,
    WeightConfig,
    apply_parameters,
    compare_parameter_sweep_results,
    create_batch_from_directory,
    create_batch_from_files,
    create_parameter_sweep,
    estimate_batch_time,
    find_best_parameters,
    group_files_by_pattern,
)

MARKERS = tuple(f"m{number}" for number in range(1, 7))


def config_of(recording: Path, markers: tuple[str, ...] = MARKERS) -> RigidBodyConfig:
    """How a recording is fitted: the same for all."""
    return RigidBodyConfig(
        input_path=recording,
        output_dir=recording.parent / "fitted" / recording.stem,
        topology=RigidBodyTopology.from_marker_names(markers, name="cluster"),
        # Of a file in mm: markers are 2 mm uncertain.
        weights=WeightConfig(lambda_data=0.5, lambda_rot_smooth=20.0, lambda_trans_smooth=0.05),
        optimization=OptimizationConfig(max_iterations=300),
    )


def several_files(recordings: Path, output: Path) -> BatchResult:
    """Fit the recordings of one subject, all in the same way."""
    first, files = next(iter(group_files_by_pattern(recordings, "subject_*.csv").items()))
    print(f"{first}: {len(files)} recordings")
    batch = create_batch_from_files(file_paths=files, config_factory=config_of, output_root=output / "files")
    times = estimate_batch_time(batch, time_per_job_seconds=2.0)
    print(f"about {times['parallel_time_minutes']:.1f} minutes on {times['n_workers']:.0f} cores")
    return BatchProcessor(config=batch).run()


def parameter_sweep(recordings: Path, output: Path) -> BatchResult:
    """Try weights of smoothness on one recording."""
    recording = min(recordings.glob("*.csv"))
    grid = {"weights.lambda_rot_smooth": [20.0, 200.0, 2000.0], "weights.lambda_trans_smooth": [0.1, 1.0, 10.0]}
    batch = create_parameter_sweep(base_config=config_of(recording), parameter_grid=grid, output_root=output / "sweep")
    return BatchProcessor(config=batch).run()


def whole_directory(recordings: Path, output: Path) -> BatchResult:
    """Fit whatever a folder and those below it hold, and write the reports to a place of their own."""
    batch = create_batch_from_directory(
        directory=recordings, pattern="*.csv", config_factory=config_of, output_root=output / "all", recursive=True
    )
    result = BatchProcessor(config=batch).run()
    written = BatchReportGenerator(batch_result=result).save_all_reports(output_dir=output / "reports")
    print(f"open {written.html}")
    return result


def jobs_by_hand(recordings: Path, output: Path) -> BatchResult:
    """Say for each job what it does, how urgent it is and what is known of it."""
    recording = min(recordings.glob("*.csv"))
    plain = config_of(recording)
    few = config_of(recording, MARKERS[:4])
    jobs = [
        BatchJobConfig(job_id="job_1", job_name="all markers", pipeline_config=plain, metadata={"session": "1"}),
        BatchJobConfig(job_id="job_2", job_name="four markers", pipeline_config=few, priority=1),
    ]
    batch = BatchConfig(batch_name="by_hand", jobs=jobs, output_root=output / "by_hand", parallel_mode="sequential")
    return BatchProcessor(config=batch).run()


def look_at_sweep(result: BatchResult, recordings: Path, output: Path) -> BatchResult:
    """See how results depend on a weight, take the best weights, and fit once more with them, with all tables."""
    print(compare_parameter_sweep_results(batch_result=result, parameter_name="weights.lambda_trans_smooth"))
    best = find_best_parameters(batch_result=result)
    print(f"best: {best}")
    config = apply_parameters(config_of(min(recordings.glob("*.csv"))), best)
    batch = create_batch_from_files([config.input_path], lambda _: config, output / "best", batch_name="best")
    return BatchProcessor(config=batch).run()


def main(recordings: Path, output: Path) -> list[BatchResult]:
    """All five."""
    results = [
        example(recordings, output) for example in (several_files, parameter_sweep, whole_directory, jobs_by_hand)
    ]
    results.append(look_at_sweep(results[1], recordings, output))
    for result in results:
        print(result.summary())
    return results


if __name__ == "__main__":
    if len(sys.argv) > 1:
        here = Path(sys.argv[1])
    else:
        from batchlab.motion._synthetic import write_recordings

        here = Path(tempfile.mkdtemp(prefix="recordings-"))
        write_recordings(here, subjects=2, sessions=2, frames=300, markers=len(MARKERS))
    main(here, here.parent / f"{here.name}-fitted")
