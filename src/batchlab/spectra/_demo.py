"""Raman spectra from ten programs' files: recognised, cleaned, compared, judged, and the odd ones found.

The entry point group ``batchlab.demos`` names this module; `make_demo`, `expected` and `on_purpose` are what it
offers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from batchlab.batchfile import load
from batchlab.engine import Batch, BatchView, Settings, Status
from batchlab.spectra._panel._findings import findings, missed, state_of, truths_of
from batchlab.spectra._panel._jobs import ANALYTICS, COMPARE, OVERVIEW, jobs_of, output_of

__all__ = ["expected", "make_demo", "on_purpose"]

_LIMITS = "spectra.limits"
_PICTURES = ("heat_map", "stack", "page")
_BATCH = """\
# Samples of many instruments against one reference. Run it again with: batchlab run batch.yaml
batch: demo-spectra
output: out
jobs:
  # Settles the y limits of all pictures before the first is drawn.
  - id: limits
    task: spectra.limits
    inputs: {reference: data/reference.csv, samples: {all: data/samples/*}}
    params:
      # One instrument writes nm, the others Raman shift.
      to_axis: raman shift
      laser_nm: 785
      interpolation: cubic
      # Axes that are off are put right, and it is told by how much.
      shift: correct
      # Cosmic rays, then fluorescence, then how much light there was: out of reference and samples alike.
      steps:
        - despike
        - baseline: {method: arpls, lam: 3e+6}
        - snv

  - id: compare
    task: spectra.compare
    inputs:
      reference: data/reference.csv
      sample: data/samples/*
      limits: {from: limits}
      replicates: {all: data/replicates/*}
    params:
      to_axis: raman shift
      laser_nm: 785
      interpolation: cubic
      shift: correct
      steps: [despike, {baseline: {method: arpls, lam: 3e+6}}, snv]
      # About the mean of the replicates; noise leaves it for a point, a band that is foreign for many.
      tolerance: {k: 4, least: 0.1, rules: [longest_run <= 10]}
      dpi: 150
    outputs: {normalized: "{sample}.csv.gz"}

  # Principal components, Hotelling's T2 and Q residuals of all: what stands out, and why.
  - id: analytics
    task: spectra.analytics
    inputs: {comparisons: {from: compare, gather: done}}

  # All at once, the least alike first; and a page to look around in.
  - id: overview
    task: spectra.overview
    inputs: {comparisons: {from: compare, gather: done}}
    params: {order_by: correlation}
    outputs: {page: "{job}.html"}
"""


def make_demo(folder: Path, samples: int = 30, *, seed: int = 0, settings: Settings | None = None) -> Batch:
    """Write a set of spectra and the batch file over them, and load it.

    Parameters
    ----------
    folder
        The set is written to its folder ``data``, the batch file to ``batch.yaml``; results go to its folder ``out``.
    samples
        How many; of four or more, one is another substance, and one is a broken file, on purpose.
    seed
        Equal seeds give equal files.
    settings
        How the batch is run.
    """
    from batchlab.spectra._synthetic_batch import write_batch

    folder = Path(folder)
    write_batch(folder / "data", samples, seed)
    file = folder / "batch.yaml"
    file.write_text(_BATCH, encoding="utf-8", newline="\n")
    batch = load(file)
    return batch if settings is None else replace(batch, settings=settings)


def expected(view: BatchView) -> str | None:
    """What is not as it should be in the outcome of the demo; None if all is.

    Every layout is to be recognised, the broken file refused as cut off; area ratios and shifts to come out as they
    are known to be; the good samples to conform, and no others; the analysis to find the others, where they differ,
    and another substance first; and all that were compared to be in the pictures.
    """
    truths = truths_of(view)
    if truths is None:
        return "the table of what is true (truth.csv) is not beside the reference"
    found = findings(view, truths)
    problems = [f"no job compares {made.file}" for job, made in truths.items() if job not in found]
    problems += [f"{job}: {problem}" for job, each in found.items() for problem in missed(truths[job], each)]
    return "; ".join([*problems, *_of_the_whole(view)]) or None


def on_purpose(view: BatchView) -> str | None:
    """What failed because it was made to fail: ``1 file refused, as it should be: sample_003 (truncated)``."""
    from batchlab.spectra._synthetic_batch import Kind

    truths = truths_of(view) or {}
    refused = [
        f"{truths[job.name].file.partition('.')[0]} ({job.reason or job.category})"
        for job in view.jobs
        if job.state is Status.FAILED and job.name in truths and truths[job.name].kind is Kind.CUT_OFF
    ]
    if not refused:
        return None
    return f"{len(refused)} {'file' if len(refused) == 1 else 'files'} refused, as it should be: {', '.join(refused)}"


def _of_the_whole(view: BatchView) -> Iterable[str]:
    """What is amiss with the jobs over all samples."""
    from batchlab.spectra._synthetic_batch import Kind

    for task in (_LIMITS, ANALYTICS, OVERVIEW):
        jobs = jobs_of(view, task)
        if not jobs:
            yield f"there is no job of {task}"
        yield from (
            f"{job.name} should be done, and is {state_of(job)}" for job in jobs if job.state is not Status.DONE
        )
    truths = truths_of(view) or {}
    odd = {made.file.partition(".")[0] for made in truths.values() if made.kind is Kind.OTHER}
    compared = sum(job.state is Status.DONE for job in jobs_of(view, COMPARE))
    for job in jobs_of(view, ANALYTICS):
        if job.state is Status.DONE and odd and job.metrics.get("worst") not in odd:
            yield f"{job.name}: {job.metrics.get('worst')} stands out most, which {', '.join(odd)} should"
    for job in jobs_of(view, OVERVIEW):
        if job.state is not Status.DONE:
            continue
        missing = [name for name in _PICTURES if output_of(job, name) is None]
        if missing:
            yield f"{job.name}: without {', '.join(missing)}"
        if job.metrics.get("n") != compared:
            yield f"{job.name}: {job.metrics.get('n')} of {compared} compared samples are in it"
