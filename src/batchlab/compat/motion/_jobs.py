"""Jobs, batches of them, and sweeps: what is asked for, before anything is planned."""

from __future__ import annotations

import itertools
import logging
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from batchlab.compat.motion._checked import Checked
from batchlab.compat.motion._config import RigidBodyConfig
from batchlab.compat.motion._eyes import EyeTrackingConfig
from batchlab.compat.motion._paths import apply_parameters, check_paths
from batchlab.engine import render_template

__all__ = ["BatchConfig", "BatchJobConfig", "ParameterSweepConfig", "folder_of", "placed"]

log = logging.getLogger(__name__)


class BatchJobConfig(Checked):
    """One job.

    Attributes
    ----------
    job_id
        Tells jobs apart.
    job_name
        Names the job's folder; `job_id` by default.
    pipeline_config
        What is fitted, and how.
    priority
        The higher the sooner.
    metadata
        Whatever is known of it.
    train_files, test_files
        Recordings that share one geometry, instead of the one file of the configuration, and recordings that this
        geometry is tried on; of cross-validations.
    """

    job_id: Annotated[str, Field(min_length=1)]
    job_name: str = ""
    pipeline_config: RigidBodyConfig | EyeTrackingConfig
    priority: int = 0
    metadata: dict[str, Any] = Field(default_factory=dict)
    train_files: tuple[Path, ...] = ()
    test_files: tuple[Path, ...] = ()

    @field_validator("job_id")
    @classmethod
    def _not_blank(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("give it a text")
        return text

    @property
    def name(self) -> str:
        """`job_name`, or `job_id` where there is none."""
        return self.job_name or self.job_id

    @property
    def files(self) -> tuple[Path, ...]:
        """What it fits."""
        return self.train_files or (self.pipeline_config.input_path,)


class BatchConfig(Checked):
    """Jobs, and how they are run.

    Attributes
    ----------
    batch_name
        An output folder belongs to one name: run the same name there again, and only what is missing is done.
    jobs, output_root
        Job *n* writes to ``output_root/<its name>``.
    parallel_mode
        ``sequential``, ``parallel``, or ``auto``: parallel if there is more than one job.
    max_workers
        Processes; by default one less than there are cores.
    continue_on_error
        Whether other jobs go on when one fails.
    save_intermediate
        Whether ``job_result.json`` of each job and the summary are kept up to date while the batch runs.
    generate_summary_report
        Whether the reports are written to `output_root` at the end.
    metadata
        Whatever is known of the batch.
    retries, timeout_seconds
        How often a job is tried again that failed for a passing reason, and how long it may take; None for no limit.
    """

    model_config = ConfigDict(extra="forbid")

    batch_name: Annotated[str, Field(min_length=1)]
    jobs: list[BatchJobConfig]
    output_root: Path
    parallel_mode: Literal["auto", "sequential", "parallel"] = "auto"
    max_workers: Annotated[int, Field(ge=1)] | None = None
    continue_on_error: bool = True
    save_intermediate: bool = True
    generate_summary_report: bool = True
    metadata: dict[str, Any] = Field(default_factory=dict)
    retries: Annotated[int, Field(ge=0)] = 2
    timeout_seconds: Annotated[float, Field(gt=0)] | None = None

    @property
    def n_jobs(self) -> int:
        """How many jobs."""
        return len(self.jobs)

    @property
    def sorted_jobs(self) -> list[BatchJobConfig]:
        """The higher the priority the sooner."""
        return sorted(self.jobs, key=lambda job: -job.priority)

    @property
    def should_use_parallel(self) -> bool:
        """Whether jobs run side by side."""
        return self.parallel_mode == "parallel" or (self.parallel_mode == "auto" and self.n_jobs > 1)

    @property
    def n_workers(self) -> int:
        """How many processes work."""
        if not self.should_use_parallel:
            return 1
        return self.max_workers or max(1, (os.cpu_count() or 2) - 1)


class ParameterSweepConfig(Checked):
    """A job for each combination of values.

    Attributes
    ----------
    base_config
        What is the same for all.
    parameter_grid
        Values by dotted path, as in ``{"weights.lambda_rot_smooth": [50.0, 100.0]}``; an unknown path or a value that
        does not fit is refused here.
    output_root, sweep_name
        Jobs are called ``sweep_0000`` and so on.
    """

    base_config: RigidBodyConfig
    parameter_grid: dict[str, list[Any]]
    output_root: Path
    sweep_name: Annotated[str, Field(min_length=1)] = "sweep"

    @model_validator(mode="after")
    def _possible(self) -> ParameterSweepConfig:
        empty = [path for path, values in self.parameter_grid.items() if not values]
        if empty or not self.parameter_grid:
            raise ValueError(f"parameter_grid: {empty[0]!r} has no values" if empty else "parameter_grid has no paths")
        check_paths(self.parameter_grid)
        for path, values in self.parameter_grid.items():
            for value in values:
                apply_parameters(self.base_config, {path: value})
        return self

    @property
    def n_jobs(self) -> int:
        """How many combinations there are."""
        return math.prod(len(values) for values in self.parameter_grid.values())

    def generate_jobs(self) -> list[BatchJobConfig]:
        """The jobs; the combination of each is its metadata."""
        jobs = []
        for number, values in enumerate(itertools.product(*self.parameter_grid.values())):
            combination = dict(zip(self.parameter_grid, values, strict=True))
            name = f"{self.sweep_name}_{number:04d}"
            config = apply_parameters(self.base_config, combination)
            jobs.append(BatchJobConfig(job_id=name, job_name=name, pipeline_config=config, metadata=combination))
        return jobs

    def generate_batch_config(self) -> BatchConfig:
        """All of them as a batch."""
        jobs = placed(self.generate_jobs(), self.output_root)
        return BatchConfig(batch_name=self.sweep_name, jobs=jobs, output_root=self.output_root)


def folder_of(name: str) -> str:
    """Where a job of this name writes, below the output root."""
    return "/".join(render_template("{name}", {"name": part}) for part in name.split("/"))


def placed(jobs: Iterable[BatchJobConfig], output_root: Path) -> list[BatchJobConfig]:
    """Copies of jobs that write below the output root, each to a folder of its name; told once if some did not."""
    made, moved = [], []
    for job in jobs:
        target = output_root / folder_of(job.name)
        own = job.pipeline_config.output_dir
        if os.path.abspath(own) == os.path.abspath(target):
            made.append(job)
            continue
        moved.append((own, target))
        config = job.pipeline_config.model_copy(update={"output_dir": target})
        made.append(job.model_copy(update={"pipeline_config": config}))
    if moved:
        own, target = moved[0]
        log.warning("%d of %d jobs write below the output root of their batch and not to their own output_dir: the "
                    "first to %s, not to %s", len(moved), len(made), target, own)  # fmt: skip
    return made
