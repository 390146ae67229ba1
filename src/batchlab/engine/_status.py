"""The ledger, read: views for reports, JSON for machines, and answers to 'why'."""

from __future__ import annotations

import json
import math
import os
import sqlite3
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from batchlab.engine._lease import Holder, is_dead, this_process
from batchlab.engine._ledger import Reader, open_reader
from batchlab.engine._model import EMPTY, BatchState, Conflict, Durability, Item, Json, Output, Settings, Status
from batchlab.engine._place import Place
from batchlab.engine._records import item_of
from batchlab.engine._task import suggestion
from batchlab.engine._view import AttemptView, BatchView, JobView, RunView
from batchlab.errors import ConfigError, StartError

MB = 1e6

_JOBS = """SELECT id, name, task, spec, state, key, category, reason, message, detail, metrics, warnings, stages,
attempts, elapsed_s, peak_bytes, thumbnail, log FROM job WHERE current >= ? ORDER BY current DESC, position"""


def read_view(root: str | os.PathLike[str], *, earlier: bool = False) -> BatchView:
    """Everything a ledger tells of its batch, as of now; works while it runs, after a crash, and read-only.

    Parameters
    ----------
    earlier
        Take in jobs that earlier batches ran in this folder, and that the last one does not have.

    Raises
    ------
    StartError
        If no batch was run there, or the ledger cannot be read.
    """
    root = Path(root).resolve()
    reader = open_reader(Place(root).ledger)
    try:
        reader.db.execute("BEGIN")
        return _view(root, reader, earlier)
    except sqlite3.Error as error:
        raise StartError(f"{Place(root).ledger}: the ledger cannot be read ({error})") from error
    finally:
        reader.close()


def _view(root: Path, reader: Reader, earlier: bool) -> BatchView:
    db = reader.db
    name = db.execute("SELECT value FROM meta WHERE name = 'batch'").fetchone()
    if name is None:
        raise StartError(f"{root}: no batch was run there yet")
    outputs: dict[int, list[Output]] = {}
    sql = "SELECT job, name, path, digest, bytes FROM output WHERE scratch IS NULL AND digest != '' ORDER BY job, name"
    for job, output, path, digest, size in db.execute(sql):
        outputs.setdefault(job, []).append(Output(name=output, path=path, digest=digest, bytes=size))
    items: dict[int, list[Item]] = {}
    for job, *row in db.execute("SELECT job, name, status, category, reason, message FROM item ORDER BY job, name"):
        items.setdefault(job, []).append(item_of(row))
    history: dict[int, list[AttemptView]] = {}
    sql = (
        "SELECT job, number, status, started_at, elapsed_s, category, reason, signal, message, peak_bytes FROM attempt "
        "ORDER BY job, number"
    )
    for job, number, status, started, elapsed, category, reason, signal, message, peak in db.execute(sql):
        history.setdefault(job, []).append(
            AttemptView(
                number=number,
                status=Status(status),
                started_at=started,
                elapsed_s=elapsed,
                category=category,
                reason=reason,
                signal=signal,
                message=message,
                peak_memory_mb=_mb(peak),
            )
        )
    alive = _runner_lives(reader)
    jobs = tuple(_job(row, outputs, items, history, alive) for row in db.execute(_JOBS, (0 if earlier else 1,)))
    runs = tuple(_run(row, alive) for row in db.execute(_RUNS))
    shared = bool(runs and runs[-1].settings.get("shared_output"))
    counts = Counter(str(job.state) for job in jobs)
    return BatchView(
        batch=name[0],
        root=str(root),
        state=runs[-1].state if runs else BatchState.INTERRUPTED,
        counts={str(status): counts[str(status)] for status in Status},
        jobs=jobs,
        runs=runs,
        left=() if shared else tuple(path for (path,) in db.execute(_LEFT) if os.path.lexists(root / path)),
    )


_LEFT = """SELECT path FROM output JOIN job ON job.id = output.job
WHERE current = 0 AND scratch IS NULL AND digest != ''
AND path NOT IN (SELECT path FROM output JOIN job ON job.id = output.job WHERE current = 1)
ORDER BY position, path"""


def outputs_in(root: Path) -> frozenset[str]:
    """Absolute paths of all that the batch of a folder has made there, earlier runs included; none without a batch.

    Raises
    ------
    StartError
        If there is a ledger that cannot be read.
    """
    root = root.resolve()
    place = Place(root)
    if not place.ledger.exists():
        return frozenset()
    reader = open_reader(place.ledger)
    try:
        rows = reader.db.execute("SELECT path FROM output WHERE scratch IS NULL").fetchall()
    except sqlite3.Error as error:
        raise StartError(f"{place.ledger}: the ledger cannot be read ({error})") from error
    finally:
        reader.close()
    return frozenset(f"{root}/{path}" for (path,) in rows)


def _job(
    row: tuple[Any, ...],
    outputs: Mapping[int, list[Output]],
    items: Mapping[int, list[Item]],
    history: Mapping[int, list[AttemptView]],
    alive: bool,
) -> JobView:
    (id_, name, task, spec_text, state_text, key, category, reason, message, _detail, metrics, *rest) = row
    warnings, stages, attempts, elapsed_s, peak, thumbnail, log = rest
    spec = json.loads(spec_text)
    state = Status(state_text)
    if state is Status.RUNNING and not alive:
        state = Status.INTERRUPTED
    done = state is Status.DONE
    over = state not in (Status.PENDING, Status.RUNNING)
    return JobView(
        name=name,
        task=task,
        state=state,
        attempts=attempts if over else len(history.get(id_, ())),
        category=category if over else None,
        reason=reason if over else None,
        message=message if over else None,
        metrics=json.loads(metrics) if metrics and done else EMPTY,
        outputs=tuple(outputs.get(id_, ())) if done else (),
        items=tuple(items.get(id_, ())),
        warnings=tuple(json.loads(warnings)) if warnings else (),
        elapsed_s=elapsed_s,
        peak_memory_mb=_mb(peak),
        stages=json.loads(stages) if stages else EMPTY,
        params=spec["params"],
        inputs=spec["inputs"],
        group=spec.get("group"),
        metadata=spec.get("metadata", EMPTY),
        key=key,
        thumbnail=thumbnail if done else None,
        log=log,
        history=tuple(history.get(id_, ())),
    )


_RUNS = """SELECT number, state, started_at, ended_at, elapsed_s, workers, reason, environment, settings, source, cache
FROM run ORDER BY number"""


def _run(row: tuple[Any, ...], alive: bool) -> RunView:
    number, state, started, ended, elapsed, workers, reason, environment, settings, source, cache = row
    state = BatchState(state)
    if state is BatchState.RUNNING and not alive:
        state, reason = BatchState.INTERRUPTED, "the process that ran it ended without a word"
    return RunView(
        number=number,
        state=state,
        started_at=started,
        ended_at=ended,
        elapsed_s=elapsed,
        workers=workers,
        reason=reason,
        environment=json.loads(environment),
        settings=json.loads(settings),
        source=source,
        cache=json.loads(cache) if cache else EMPTY,
    )


def _runner_lives(reader: Reader) -> bool:
    """Whether somebody holds the lease and is not known to be dead."""
    row = reader.db.execute("SELECT host, pid, start_time, boot_id, beats, token FROM lease").fetchone()
    if row is None:
        return False
    host, pid, start_time, boot_id, beats, token = row
    holder = Holder(host=host, pid=pid, start_time=start_time, boot_id=boot_id, beats=beats, token=token)
    return is_dead(holder, this_process()) is not True


def _mb(size: int | None) -> float | None:
    return None if size is None else round(size / MB, 1)


def status_json(view: BatchView) -> dict[str, Json]:
    """The shape that `status --json` prints; NaN and infinities are null."""
    return {
        "batch": view.batch,
        "state": str(view.state),
        "counts": dict(view.counts),
        "jobs": [
            {
                "name": job.name,
                "task": job.task,
                "state": str(job.state),
                "attempts": job.attempts,
                "category": job.category,
                "reason": job.reason,
                "metrics": {name: finite(value) for name, value in job.metrics.items()},
                "outputs": {o.name: {"path": o.path, "digest": o.digest, "bytes": o.bytes} for o in job.outputs},
                "items": [
                    {
                        "name": item.name,
                        "state": str(item.status),
                        "category": item.category and str(item.category),
                        "reason": item.reason,
                        "message": item.message,
                    }
                    for item in job.items
                ],
                "warnings": list(job.warnings),
                "elapsed_s": job.elapsed_s,
                "peak_memory_mb": job.peak_memory_mb,
            }
            for job in view.jobs
        ],
    }


def finite(value: Json) -> Json:
    """None for what JSON has no word for."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def find_job(view: BatchView, name: str) -> JobView:
    """The job of this name, or of this ending if only one has it.

    Raises
    ------
    ConfigError
        If there is none, naming the nearest, or several.
    """
    exact = [job for job in view.jobs if job.name == name]
    found = exact or [job for job in view.jobs if job.name.endswith(f"/{name}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(f"{name!r} may be {', '.join(job.name for job in found[:5])}; give the whole name")
    raise ConfigError(f"no job is called {name!r}{suggestion(name, [job.name for job in view.jobs])}")


def recorded_job(root: Path, name: str) -> tuple[BatchView, JobView]:
    """A job of a folder by its name, and the view that has it: also of an earlier batch, where batches share a folder.

    Raises
    ------
    ConfigError
        If there is none, naming the nearest, or several.
    """
    view = read_view(root)
    try:
        return view, find_job(view, name)
    except ConfigError:
        if not view.runs or not view.runs[-1].settings.get("shared_output"):
            raise
        every = read_view(root, earlier=True)
        return every, find_job(every, name)


def traceback_of(root: Path, job: str) -> str | None:
    """The traceback of a failed job, for those who ask for it."""
    reader = open_reader(Place(root.resolve()).ledger)
    try:
        row = reader.db.execute("SELECT detail FROM job WHERE name = ?", (job,)).fetchone()
    finally:
        reader.close()
    detail = json.loads(row[0]) if row is not None and row[0] else {}
    text: str | None = detail.get("traceback")
    return text


def settings_of(words: Mapping[str, Json]) -> Settings:
    """Settings as a ledger keeps them."""
    known = {name: words[name] for name in Settings.__dataclass_fields__ if name in words}
    return Settings(
        **{
            **known,
            "conflict": Conflict(known.get("conflict", "fail")),
            "durability": Durability(known.get("durability", "full")),
        }
    )
