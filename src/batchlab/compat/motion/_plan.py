"""From the configurations of a batch to jobs of the engine."""

from __future__ import annotations

import json
import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.compat.motion._config import INERT, RigidBodyConfig
from batchlab.compat.motion._eyes import EyeTrackingConfig, eye_job
from batchlab.compat.motion._jobs import BatchConfig, BatchJobConfig, folder_of, placed
from batchlab.compat.motion._paths import differing_parameters, is_path, set_paths
from batchlab.compat.motion._soft import points_outside, soft_params, soft_problems
from batchlab.engine import Batch, Job, Json, Limits, Scalar, Settings, collision_key
from batchlab.errors import ConfigError, Problem
from batchlab.motion._model import Loss, Smoothing
from batchlab.motion.tasks import OUTPUTS, VIEWERS

if TYPE_CHECKING:
    from batchlab.motion._read._peek import Peek

__all__ = ["Planned", "plan_batch"]

log = logging.getLogger(__name__)

_LOSSES = {"huber": Loss.HUBER, "soft_l1": Loss.HUBER, "cauchy": Loss.CAUCHY}
_TABLES = ("poses", "markers")
_MARKERS_MIN = 3
_IN_UNITS = ("lambda_data", "lambda_trans_smooth")
_WEIGHING = frozenset(f"weights.{name}" for name in _IN_UNITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A batch for the engine, and what each of its jobs was asked to do.

    Attributes
    ----------
    batch
        Its jobs are called by their names.
    jobs
        By name, in order; each writes to the folder of its `output_dir`.
    parameters
        By name: values at the dotted paths that differ between jobs, and those of a sweep.
    metadata
        Of the batch.
    """

    batch: Batch
    jobs: Mapping[str, BatchJobConfig]
    parameters: Mapping[str, Mapping[str, Any]]
    metadata: Mapping[str, Any]


def plan_batch(config: BatchConfig) -> Planned:
    """Make jobs of configurations, and refuse what cannot be fitted before any of them starts.

    What is varied or set without effect, such as ``weights.lambda_rigid``, is told once; likewise weights of default
    where positions are in metres, for they are in the unit of the file.

    Raises
    ------
    ConfigError
        With everything that is wrong: no jobs, two of one name, fewer than three markers, soft edges without lengths,
        a geometry that is neither solved for nor given.
    """
    from batchlab.motion._read._peek import peek

    jobs = placed(config.jobs, config.output_root)
    problems = _problems(jobs)
    if problems:
        raise ConfigError.of(problems)
    parameters = _parameters(jobs)
    metres: list[str] = []
    counts = Counter(_key(job) for job in jobs)
    heads: dict[Path, Peek | None] = {}
    made = []
    for job in jobs:
        metadata = {name: _scalar(value) for name, value in {**job.metadata, **parameters[job.name]}.items()}
        first, own = job.files[0], job.pipeline_config
        if isinstance(own, EyeTrackingConfig):
            made.append(eye_job(job, own, folder_of(job.name), config.timeout_seconds, metadata))
            continue
        if first not in heads:
            heads[first] = peek(first)
        if _in_metres(own, heads[first]) and not _WEIGHING.intersection(parameters[job.name]):
            metres.append(first.name)
        alone = counts[_key(job)] == 1 and not job.test_files
        made.append(_job(job, own, heads[first], alone, config.timeout_seconds, metadata))
    if metres:
        _tell_metres(list(dict.fromkeys(metres)))
    settings = Settings(workers=config.n_workers, retries=config.retries, continue_on_error=config.continue_on_error)
    output = Path(os.path.abspath(config.output_root))
    return Planned(
        batch=Batch(name=config.batch_name, output=output, jobs=tuple(made), settings=settings),
        jobs={job.name: job for job in jobs},
        parameters=parameters,
        metadata=dict(config.metadata),
    )


def _parameters(jobs: Sequence[BatchJobConfig]) -> dict[str, dict[str, Any]]:
    """By job: values at the paths in which fits of bodies differ, and those of a sweep."""
    bodies = [(job, job.pipeline_config) for job in jobs if isinstance(job.pipeline_config, RigidBodyConfig)]
    configs = [config for _, config in bodies]
    varied = differing_parameters(configs)
    # Without soft edges their weight does nothing.
    soft = {"weights.lambda_soft"} if any(points_outside(each) for each in configs) else set()
    names = [name for name in varied[0] if name in INERT and name not in soft] if varied else []
    _tell_inert(names, {path for each in configs for path in set_paths(each)} - soft)
    if any(
        job.pipeline_config.optimization.robust_loss_type == "soft_l1"
        and job.pipeline_config.optimization.use_robust_loss
        for job in jobs
    ):
        log.warning("robust_loss_type soft_l1 is solved as huber: it bends at one length and not softly")
    found: dict[str, dict[str, Any]] = {job.name: {} for job in jobs}
    for (job, _), differing in zip(bodies, varied, strict=True):
        swept = {name: value for name, value in job.metadata.items() if is_path(name)}
        found[job.name] = {**swept, **differing}
    return found


def _problems(jobs: list[BatchJobConfig]) -> list[Problem]:
    from batchlab.motion._read._units import LENGTHS_M, canonical_length

    if not jobs:
        return [Problem(message="the batch has no jobs; give one or more")]
    told: list[str] = []
    for what, names in (("job_id", [job.job_id for job in jobs]), ("name", [job.name for job in jobs])):
        keys = [collision_key(folder_of(name)) for name in names]
        double = sorted({name for name, key in zip(names, keys, strict=True) if keys.count(key) > 1})
        if double:
            told.append(f"several jobs have the {what} {double[0]!r}; each writes to a folder of its own name")
    for job in jobs:
        config = job.pipeline_config
        if isinstance(config, EyeTrackingConfig):
            if job.train_files or job.test_files:
                told.append(f"{job.name}: recordings of eyes share nothing; give each a job of its own, by input_path")
            continue
        body = config.topology
        count = body.n_markers - len(points_outside(config))
        if count < _MARKERS_MIN:
            told.append(
                f"{job.name}: {body.name} has {count} markers; fitting a rigid body needs {_MARKERS_MIN} or "
                "more, name them in marker_names"
            )
        told += [f"{job.name}: {problem}" for problem in soft_problems(config)]
        if not config.use_bundle_adjustment and config.reference_geometry is None:
            told.append(
                f"{job.name}: use_bundle_adjustment=False needs a geometry; name the geometry.csv of an earlier fit as "
                "reference_geometry"
            )
        if config.unit is not None and canonical_length(config.unit) not in LENGTHS_M:
            told.append(f"{job.name}: unit {config.unit!r} is no length; write one of {', '.join(LENGTHS_M)}")
    return [Problem(message=message) for message in told]


def _tell_inert(varied: list[str], given: set[str]) -> None:
    for name in varied:
        log.warning("%s differs between jobs, but changes nothing: %s", name, INERT[name])
    by_reason: dict[str, list[str]] = {}
    for name, reason in INERT.items():
        if name in given and name not in varied:
            by_reason.setdefault(reason, []).append(name)
    for reason, names in by_reason.items():
        verbs = ("is", "changes") if len(names) == 1 else ("are", "change")
        log.warning("%s %s set, but %s nothing: %s", ", ".join(names), *verbs, reason)


def _in_metres(config: RigidBodyConfig, head: Peek | None) -> bool:
    """Whether positions are in metres, and weights those of default."""
    from batchlab.motion._read._units import canonical_length

    said = canonical_length(config.unit) if config.unit else head.unit if head else None
    usual = RigidBodyConfig.model_fields["weights"].get_default(call_default_factory=True)
    return said == "m" and all(getattr(config.weights, name) == getattr(usual, name) for name in _IN_UNITS)


def _tell_metres(names: Sequence[str]) -> None:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    log.warning(
        "positions are in m in %s%s, and weights of default are in the unit of the file: lambda_data=100 says that "
        "markers are measured to 10 mm there, and to 0.01 mm in a file in mm, so one recording is fitted and smoothed "
        "differently in m and in mm; say weights.lambda_data and weights.lambda_trans_smooth",
        names[0],
        more,
    )


def _key(job: BatchJobConfig) -> tuple[str, ...]:
    return tuple(os.path.abspath(file) for file in job.files)


def _job(
    job: BatchJobConfig,
    config: RigidBodyConfig,
    head: Peek | None,
    alone: bool,
    timeout_s: float | None,
    metadata: Mapping[str, Scalar],
) -> Job:
    tables = alone if config.save_tables is None else config.save_tables
    if not job.test_files and job.train_files and config.save_tables is None:
        tables = True
    score = config.score or ("none" if alone else "held-out")
    files = _key(job)
    inputs: dict[str, str | tuple[str, ...]] = {"recordings": files[0] if len(files) == 1 else files}
    if job.test_files:
        inputs["test"] = tuple(os.path.abspath(file) for file in job.test_files)
    if config.reference_geometry is not None:
        inputs["geometry"] = os.path.abspath(config.reference_geometry)
    templates = {name: path for name, path in OUTPUTS.items() if tables or name not in _TABLES}
    if config.save_viewer:
        name = "viewer" if len(files) == 1 else "viewers"
        templates[name] = VIEWERS[name]
    folder = folder_of(job.name)
    return Job(
        name=job.name,
        task="motion.fit",
        params={**_params(config, head), "score": score, "covariance": tables, "judge": tables},
        inputs=inputs,
        outputs={name: path.replace("{job}", folder) for name, path in templates.items()},
        priority=job.priority,
        limits=Limits(timeout_s=timeout_s),
        affinity=files[0],
        metadata=metadata,
    )


def _params(config: RigidBodyConfig, head: Peek | None) -> dict[str, Json]:
    """As `motion.fit` has them; see `WeightConfig` for what becomes of weights."""
    from batchlab.motion._read._units import LENGTHS_M, canonical_length

    asked, weights, body = config.optimization, config.weights, config.topology
    said = (canonical_length(config.unit) if config.unit else None) or (head.unit if head else None)
    per_m = 1.0 / LENGTHS_M.get(said or "m", 1.0)
    outside = points_outside(config)
    params: dict[str, Json] = {
        "body": body.name,
        "markers": [name for name in body.marker_names if name not in outside],
        "edges": [list(pair) for pair in body.drawn_edges if not outside.intersection(pair)],
        "smoothing": Smoothing.FIRST.value,
        "weights": {
            "data_per_m": weights.lambda_data * per_m,
            "rotation": weights.lambda_rot_smooth / 2.0,
            "translation": weights.lambda_trans_smooth * per_m,
        },
        "loss": (_LOSSES[asked.robust_loss_type] if asked.use_robust_loss else Loss.SQUARED).value,
        "loss_scale": asked.robust_loss_param,
        "iterations_max": asked.max_iterations,
        "tolerance": asked.function_tolerance,
        "geometry": "estimate" if config.use_bundle_adjustment else "given",
        **soft_params(config, 1e3 / per_m),
    }
    for name in ("unit", "rate_hz"):
        if getattr(config, name) is not None:
            params[name] = getattr(config, name)
    # Of a file without confidences the usual least would be told as a fault.
    told = "min_confidence" in config.model_fields_set
    if config.min_confidence is not None and (told or (head is not None and head.confidence)):
        params["min_confidence"] = config.min_confidence
    return params


def _scalar(value: Any) -> Scalar:
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
