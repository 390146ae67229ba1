"""Made-up Raman spectra beside their reference: known scales, shifts and bands, an outlier, a broken file.

The entry point group ``batchlab.demos`` names this module; `make_demo`, `expected` and `on_purpose` are what it
offers.
"""

from __future__ import annotations

from pathlib import Path

from batchlab.engine import Batch, BatchView, JobView, Settings, Status
from batchlab.spectra._batch import compare_batch
from batchlab.spectra._kinds import Normalization

__all__ = ["expected", "make_demo", "on_purpose"]

_AREA_TOLERANCE = 0.02


def make_demo(folder: Path, samples: int = 40, *, seed: int = 0, settings: Settings | None = None) -> Batch:
    """Write a set of spectra and give the batch that compares them.

    Parameters
    ----------
    folder
        The set is written to its folder ``data``, results go to its folder ``out``.
    samples
        How many samples; of four or more, one is an outlier, and one is a broken file, on purpose.
    seed
        Equal seeds give equal files.
    settings
        How the batch is run.
    """
    from batchlab.spectra._synthetic import write_demo_set

    data = Path(folder) / "data"
    write_demo_set(data, samples, seed)
    return compare_batch(
        data / "reference.csv",
        [data / "samples"],
        Path(folder) / "out",
        name="demo-spectra",
        normalization=Normalization.SNV,
        # One of the set's layouts has no header.
        reading={"axis_kind": "raman shift", "quantity": "counts"},
        settings=settings,
        source=f"batchlab demo --domain spectra: {samples} samples made with seed {seed}",
    )


def expected(view: BatchView) -> str | None:
    """What is not as it should be in the outcome of the demo; None if all is.

    The broken file is to be refused as cut off, all else to be done, areas to come out as they are known to be, and
    the outlier to be the least like the reference.
    """
    from batchlab.spectra._panel import truths_of
    from batchlab.spectra._synthetic import Role

    truths = truths_of(view)
    if truths is None:
        return "the table of what is true (truth.csv) is not beside the reference"
    problems = []
    unlikely: tuple[float, str] = (2.0, "")
    outliers = {truth.file for truth in truths.values() if truth.role is Role.OUTLIER}
    for job in view.jobs:
        truth = truths.get(job.name)
        if truth is not None and truth.role is Role.BROKEN:
            if (job.state, job.reason) != (Status.FAILED, "truncated"):
                problems.append(f"{job.name} should have been refused as cut off, and is {_state(job)}")
            continue
        if job.state is not Status.DONE:
            problems.append(f"{job.name} should be done, and is {_state(job)}")
        elif truth is not None and truth.area_ratio is not None:
            found = float(job.metrics["area_ratio"] or 0.0)
            unlikely = min(unlikely, (float(job.metrics["pearson_r"] or 0.0), truth.file))
            if abs(found / truth.area_ratio - 1.0) > _AREA_TOLERANCE:
                problems.append(f"{job.name}: area ratio {found:.4f}, {truth.area_ratio:.4f} is true")
    if outliers and unlikely[1] and unlikely[1] not in outliers:
        problems.append(f"{unlikely[1]} is the least like the reference, which {', '.join(outliers)} should be")
    return "; ".join(problems) or None


def on_purpose(view: BatchView) -> str | None:
    """What failed because it was made to fail: ``1 file refused, as it should be: sample_040 (truncated)``."""
    from batchlab.spectra._panel import truths_of
    from batchlab.spectra._synthetic import Role

    truths = truths_of(view) or {}
    refused = [
        f"{Path(truths[job.name].file).stem} ({job.reason or job.category})"
        for job in view.jobs
        if job.state is Status.FAILED and job.name in truths and truths[job.name].role is Role.BROKEN
    ]
    if not refused:
        return None
    return f"{len(refused)} {'file' if len(refused) == 1 else 'files'} refused, as it should be: {', '.join(refused)}"


def _state(job: JobView) -> str:
    why = job.reason or job.category
    return f"{job.state} ({why})" if why else str(job.state)
