"""One job, called in this very process with nothing around it, so that a debugger sees its errors as they are."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from batchlab.engine._cases import resolve_inputs
from batchlab.engine._context import JobContext
from batchlab.engine._events import Attempt
from batchlab.engine._execute import _digest_inputs, _provenance, check_metrics
from batchlab.engine._ledger import open_reader
from batchlab.engine._memory import recall
from batchlab.engine._model import Scalar
from batchlab.engine._params import load_params
from batchlab.engine._place import Place
from batchlab.engine._run import load_batch
from batchlab.engine._status import recorded_job
from batchlab.engine._task import find_task
from batchlab.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What a job came to when it was called for a look; nothing of it is recorded."""

    job: str
    metrics: Mapping[str, Scalar]
    outputs: Mapping[str, Path]  # where each lies, in the rehearsal's own folder
    missing: tuple[str, ...]  # outputs that it should have written and did not


def rehearse(root: Path, name: str, folder: Path, *, tell: Callable[[str, str], None]) -> Rehearsal:
    """Call one job's task here, with the inputs and params that the ledger knows; its errors go through as they are.

    Parameters
    ----------
    root
        The output root. Nothing is written there.
    name
        The job's.
    folder
        Where its outputs go.
    tell
        Takes the kind (``stage``, ``item``, ``warn``) and the text of what the job says.

    Raises
    ------
    ConfigError
        If there is no such job, or a job it needs is not done.
    """
    root = root.resolve()
    job_name = recorded_job(root, name)[1].name
    job = next(each for each in load_batch(root, earlier=True).jobs if each.name == job_name)
    reader = open_reader(Place(root).ledger)
    try:
        memory = recall(str(root), reader.db.execute)
        for other in job.upstream:
            if other not in memory.jobs or not memory.jobs[other].done:
                raise ConfigError(f"{job_name} needs {other}, which is not done; debug that one first")
        inputs = resolve_inputs(job, memory)
    finally:
        reader.close()
    attempt = Attempt(
        id=1,
        job=job.name,
        number=1,
        task=job.task,
        params=job.params,
        inputs=inputs,
        outputs=job.outputs,
        scratch=str(folder),
        durable=False,
    )
    task = find_task(job.task)
    context = JobContext(
        attempt,
        cache={},
        tell=lambda message: tell(str(message[0]), str(message[2])),
        cancelled=lambda: False,
        provenance=partial(_provenance, attempt, task, _digest_inputs(attempt)),
    )
    params: Any = load_params(task, job.params)
    returned = task.function(context) if params is None else task.function(context, params)
    made = {name: context._made[name] for name in job.outputs if name in context._made}
    there = {name: path for name, path in made.items() if os.path.exists(path)}
    return Rehearsal(
        job=job.name,
        metrics=check_metrics(returned),
        outputs=there,
        missing=tuple(name for name in job.outputs if name not in there),
    )
