"""The batch behind one call: the baseline read once, each sample too, one scale for all, then the comparisons."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from batchlab.compat.spectra._names import owners, settle
from batchlab.compat.spectra._settings import BatchConfig, OutputSettings
from batchlab.engine import Batch, From, Gather, Job, Json, Limits, Settings, render_template, slug

__all__ = ["BATCH", "COMPARE", "LIMITS", "NORMALIZE", "Work", "WorkFile", "places", "plan_work"]

BATCH = "spectral-batch"
NORMALIZE = "compat.normalize"
LIMITS = "compat.limits"
COMPARE = "spectra.compare"
TEMPORARY = ".temporary"
# What a worker takes that draws, in MB: its libraries, and some buffers of the picture; and a share for the files.
_LIBRARIES_MB, _PIXEL_MB, _AMPLE = 100.0, 13e-6, 1.2
_INCHES = 10 * 6


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFile:
    """One file of the batch, and the jobs that are about it."""

    path: str  # absolute
    name: str  # what to call it to people
    normalize: str
    compare: str | None  # None of the baseline
    figure: str | None  # relative to the output folder, as are the others
    copy: str  # normalised, for the comparison
    kept: str | None  # normalised, where the caller wants it


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is to be done."""

    batch: Batch
    baseline: WorkFile
    limits: str  # the job that settles the pictures' scale
    scale: str  # what it writes, relative to the output folder
    samples: tuple[WorkFile, ...]
    skipped: tuple[str, ...]  # names of samples whose output is there

    @property
    def temporary(self) -> tuple[str, ...]:
        """Files that nobody asked for, relative to the output folder."""
        return (*(each.copy for each in (self.baseline, *self.samples)), self.scale)

    @property
    def by_job(self) -> dict[str, WorkFile]:
        """Which file a job is about."""
        files = (self.baseline, *self.samples)
        return {job: each for each in files for job in (each.normalize, each.compare) if job is not None}


def places(config: BatchConfig, dpi: float) -> int:
    """How many workers there may be: each needs room for a picture of this resolution."""
    needed = _AMPLE * (_LIBRARIES_MB + _PIXEL_MB * _INCHES * dpi**2)
    return max(1, min(config.max_concurrent_files, int(config.memory_limit_mb // needed)))


def plan_work(
    baseline: str | os.PathLike[str],
    samples: Sequence[str | os.PathLike[str]],
    output: OutputSettings,
    config: BatchConfig,
) -> Work:
    """Make the batch.

    Parameters
    ----------
    baseline, samples
        Files, each once.
    output, config
        The caller's settings.

    Raises
    ------
    ConfigError
        If the template leads nowhere.
    StartError
        If the folder's ledger cannot be read.
    """
    root = Path(os.path.abspath(os.fspath(output.output_dir)))
    reference = os.path.abspath(os.fspath(baseline))
    paths = [os.path.abspath(os.fspath(each)) for each in samples]
    names = names_of(paths)
    owned = owners(root)
    stem = Path(reference).stem
    compares = [f"compare/{_label(each, reference)}" for each in paths]
    pictures = [render_template(output.picture_template, _fields(Path(each).stem, stem)) for each in paths]
    figures = settle(list(zip(compares, pictures, strict=True)), output.conflict, root, owned)
    done = {path: figure for path, figure in zip(paths, figures, strict=True) if figure is not None}
    loading = f"baseline/{_label(reference)}"
    normalizes = {path: f"normalize/{_label(path)}" for path in done}
    kept = _kept({**normalizes, reference: loading}, output, root, owned)

    def work_file(path: str, job: str, compare: str | None = None, figure: str | None = None) -> WorkFile:
        return WorkFile(
            path=path,
            name=names.get(path, os.path.basename(path)),
            normalize=job,
            compare=compare,
            figure=figure,
            copy=f"{TEMPORARY}/{slug(job)}/{render_template('{file}.csv', {'file': Path(path).stem})}",
            # Where the baseline is a sample as well, it is kept once.
            kept=None if compare is not None and path == reference else kept.get(path),
        )

    head = work_file(reference, loading)
    files = [
        work_file(path, normalizes[path], compare, done[path])
        for path, compare in zip(paths, compares, strict=True)
        if path in done
    ]
    limits = _limits(config, output.dpi)
    settling = f"limits/{_label(reference)}"
    scale = f"{TEMPORARY}/{slug(settling)}/limits.json"
    jobs = [
        _normalize_job(head, limits),
        *(_normalize_job(each, limits, needs=(loading,)) for each in files),
        Job(
            name=settling,
            task=LIMITS,
            inputs={
                "baseline": From(jobs=(loading,), output="spectrum"),
                "samples": From(jobs=tuple(each.normalize for each in files), gather=Gather.DONE),
            },
            outputs={"limits": scale},
            limits=replace(limits, group_timeout_s=None),
        ),
        *(_compare_job(each, head, settling, output, limits) for each in files),
    ]
    return Work(
        batch=Batch(
            name=BATCH,
            output=root,
            jobs=tuple(jobs),
            settings=Settings(
                workers=places(config, output.dpi),
                retries=config.retries,
                continue_on_error=config.continue_on_error,
                conflict=output.conflict,
            ),
            source=f"process_spectral_batch of {len(paths)} samples against {os.path.basename(reference)}",
        ),
        baseline=head,
        limits=settling,
        scale=scale,
        samples=tuple(files),
        skipped=tuple(names[path] for path in paths if path not in done),
    )


def names_of(paths: Sequence[str]) -> dict[str, str]:
    """What to call each file: its name, with its folder where two are called the same."""
    times = Counter(os.path.basename(path) for path in paths)
    return {
        path: name if times[name := os.path.basename(path)] == 1 else os.path.join(Path(path).parent.name, name)
        for path in paths
    }


def _kept(jobs: Mapping[str, str], output: OutputSettings, root: Path, owned: Mapping[str, str]) -> dict[str, str]:
    """Where the normalised spectra lie that the caller wants."""
    if not output.save_normalized_csvs:
        return {}
    wanted = [(job, render_template("{file}_normalized.csv", {"file": Path(path).stem})) for path, job in jobs.items()]
    settled = settle(wanted, output.conflict, root, owned)
    return {path: name for path, name in zip(jobs, settled, strict=True) if name is not None}


def _label(path: str, *others: str) -> str:
    """A readable name of its own for a file, wherever it lies."""
    digest = blake2b("\0".join((path, *others)).encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{Path(path).stem}-{digest}"


def _fields(sample: str, baseline: str) -> dict[str, str]:
    return {"sample": sample, "baseline": baseline, "reference": baseline}


def _limits(config: BatchConfig, dpi: float) -> Limits:
    seconds = config.timeout_per_file_minutes * 60
    tries = 1 + min(1, config.retries)  # a timeout is tried again once
    share = int(config.memory_limit_mb * 1e6 / places(config, dpi))
    return Limits(timeout_s=seconds, group_timeout_s=seconds * tries, memory_bytes=share)


def _normalize_job(file: WorkFile, limits: Limits, needs: tuple[str, ...] = ()) -> Job:
    return Job(
        name=file.normalize,
        task=NORMALIZE,
        inputs={"file": file.path},
        outputs={"spectrum": file.copy} | ({"kept": file.kept} if file.kept is not None else {}),
        needs=needs,
        limits=limits,
        group=file.compare or file.normalize,
        metadata={"file": file.name},
    )


def _compare_job(file: WorkFile, baseline: WorkFile, settling: str, output: OutputSettings, limits: Limits) -> Job:
    assert file.compare is not None and file.figure is not None
    params: dict[str, Json] = {"dpi": output.dpi}
    return Job(
        name=file.compare,
        task=COMPARE,
        params=params,
        inputs={
            "reference": From(jobs=(baseline.normalize,), output="spectrum"),
            "sample": From(jobs=(file.normalize,), output="spectrum"),
            "limits": From(jobs=(settling,), output="limits"),
        },
        outputs={"figure": file.figure},
        limits=limits,
        group=file.compare,
        metadata={"file": file.name},
    )
