"""``batchlab estimate``: what a run should take, from what earlier jobs of the same tasks took."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click

from batchlab.cli._errors import DONE
from batchlab.cli._options import batch_file, json_option, load_file, with_workers, workers_option
from batchlab.cli._words import counted, duration_range, number, one_line, size, task_word
from batchlab.engine import BatchView, Eta, Place, Plan, Progress, Status, Verdict, plan, read_history, read_view


@dataclass(slots=True)
class _Work:
    """What is to run of one task."""

    jobs: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The prediction; what has no earlier run is named and left out of it."""

    batch: str
    jobs: int  # to run
    workers: int
    sequential: Eta | None  # None where nothing is known
    parallel: Eta | None
    peak_memory_bytes: int | None  # of the workers together
    output_bytes: int | None
    unknown: Mapping[str, int] = field(default_factory=dict)  # task -> jobs to run


@click.command()
@batch_file
@workers_option
@json_option
def estimate(
    file: Path, output: Path | None, settings: tuple[tuple[str, str], ...], workers: int | str | None, as_json: bool
) -> int:
    """Say how long the batch file FILE should run, and what memory it should need.

    From what earlier jobs of the same tasks took on this machine, by the size of their inputs. Nothing is run.
    """
    made = plan(with_workers(load_file(file, output, settings), workers))
    found = predict(made)
    if as_json:
        from batchlab.cli._running import print_json

        print_json(_as_json(found, made.batch.output))
        return DONE
    _show(found)
    return DONE


def predict(made: Plan) -> Estimate:
    """What running a plan should take."""
    past = read_history()
    work: dict[str, _Work] = {}
    for each in made.jobs:
        if each.verdict in (Verdict.RUN, Verdict.STALE):
            share = work.setdefault(each.job.task, _Work())
            share.jobs += 1
            share.bytes += each.bytes
    jobs = sum(share.jobs for share in work.values())
    known = {task: share for task, share in work.items() if task in past}
    workers = max(1, min(made.batch.settings.workers or _cores(), jobs))
    peaks = [past[task].peak_bytes for task in known if past[task].peak_bytes]

    def eta(n: int) -> Eta | None:
        progress = Progress(
            total=jobs,
            workers=n,
            pending={task: (share.jobs, share.bytes) for task, share in known.items()},
            observed={task: past[task].observed for task in known},
        )
        return progress.eta if known else None

    return Estimate(
        batch=made.batch.name,
        jobs=jobs,
        workers=workers,
        sequential=eta(1),
        parallel=eta(workers),
        peak_memory_bytes=max(peaks) * workers if peaks else None,
        output_bytes=_output_bytes(made, work),
        unknown={task: share.jobs for task, share in work.items() if task not in past},
    )


def _cores() -> int:
    """Those that this process may use, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _output_bytes(made: Plan, work: Mapping[str, _Work]) -> int | None:
    """By the mean of what done jobs of the same task wrote in this output root; None if one task has none."""
    if not Place(made.batch.output).ledger.is_file():
        return None
    view: BatchView = read_view(made.batch.output)
    sums: dict[str, list[int]] = {}
    tasks = {each.job.name: each.job.task for each in made.jobs}
    for job in view.jobs:
        if job.state is Status.DONE and job.name in tasks:
            sums.setdefault(tasks[job.name], []).append(sum(output.bytes for output in job.outputs))
    if any(task not in sums for task in work):
        return None
    return round(sum(share.jobs * sum(sums[task]) / len(sums[task]) for task, share in work.items()))


def _as_json(found: Estimate, root: Path) -> dict[str, object]:
    from batchlab.cli._progress_lines import relative_task

    told = asdict(found)
    told["unknown"] = {relative_task(task, root): jobs for task, jobs in found.unknown.items()}
    for name in ("sequential", "parallel"):
        eta: Eta | None = getattr(found, name)
        told[name] = None if eta is None else {"low_s": eta.low_s, "likely_s": eta.likely_s, "high_s": eta.high_s}
    return told


def _show(found: Estimate) -> None:
    click.echo(f"{one_line(found.batch)}: {counted(found.jobs, 'job')} to run")
    if not found.jobs:
        return
    rest = " (of the tasks known)" if found.unknown else ""
    if found.sequential is not None and found.parallel is not None:
        alone = duration_range(found.sequential.low_s, found.sequential.high_s)
        click.echo(f"  one after the other  {alone}{rest}")
        together = duration_range(found.parallel.low_s, found.parallel.high_s)
        click.echo(f"  with {counted(found.workers, 'worker'):<15} {together}{rest}")
        click.echo(f"  memory at most       {size(found.peak_memory_bytes)}")
        written = size(found.output_bytes) if found.output_bytes is not None else "not known"
        click.echo(f"  outputs              {written}")
    for task, jobs in found.unknown.items():
        click.echo(f"  no earlier runs of {task_word(task)} ({number(jobs)} to run): cannot tell")
