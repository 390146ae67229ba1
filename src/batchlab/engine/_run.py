"""`run`, `retry` and `debug`: a batch from its plan to its end."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import logging
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from batchlab import __version__
from batchlab.engine._cases import Tally
from batchlab.engine._commands import take_commands
from batchlab.engine._events import Executor
from batchlab.engine._history import Past, add_history, read_history
from batchlab.engine._inline import InlineExecutor
from batchlab.engine._lease import Lease
from batchlab.engine._ledger import SCHEMA_VERSION, Ledger, check_version, ledger_version, open_reader
from batchlab.engine._memory import recall
from batchlab.engine._model import Batch, BatchState, Durability, Status
from batchlab.engine._notice import Board, Listener
from batchlab.engine._place import Place
from batchlab.engine._plan import Plan, Verdict, check, plan
from batchlab.engine._pool import LocalPool
from batchlab.engine._promote import Mover
from batchlab.engine._records import Records, job_of
from batchlab.engine._redact import Redactor, secrets_of
from batchlab.engine._run_log import run_log
from batchlab.engine._runner import Runner, Surroundings
from batchlab.engine._signals import Interrupts
from batchlab.engine._status import settings_of
from batchlab.errors import BatchlabError, StartError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run came to."""

    batch: str
    root: Path
    state: BatchState
    counts: Mapping[Status, int]  # of the jobs of this run
    found_done: int  # jobs whose earlier results stand
    items_failed: int
    reason: str | None  # why it stopped before its end
    elapsed_s: float

    @property
    def exit_code(self) -> int:
        """0 all done; 1 some jobs or items failed; 130 cancelled."""
        if self.state is BatchState.CANCELLED:
            return 130
        return 0 if self.state is BatchState.DONE else 1


def run(
    batch: Batch,
    *,
    listeners: Sequence[Listener] = (),
    executor: Callable[[Plan, Place, int], Executor] | None = None,
    fresh: bool = False,
    only: str | None = None,
    install_signal_handlers: bool = True,
    verbose: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> RunResult:
    """Run what a batch has left to do.

    Parameters
    ----------
    batch
        From a builder or a batch file.
    listeners
        Called with a `Notice` for what happens, each in its own thread.
    executor
        Makes where attempts run, from plan, place and the number of workers; by default the local pool.
    fresh
        Do everything anew.
    only
        Run only jobs whose names match this pattern, and what they need.
    install_signal_handlers
        Ctrl-C once stops in good order, twice at once; False leaves the process's handlers alone.
    verbose
        Keep debug lines in the logs.
    clock
        Monotonic, in seconds.

    Raises
    ------
    ConfigError
        If the batch is wrong; nothing was started.
    StartError
        If the folder is held by another run or another batch, is full, or may not be written.
    """
    root = batch.output.resolve()
    batch = replace(batch, output=root)
    place = Place(root)
    _refuse_foreign(place, batch.name)
    checked = check(batch)  # all that is wrong with it is told before anything is made
    place.make()
    _keep_reserve(place)
    settings = batch.settings
    durable = settings.durability is Durability.FULL
    ledger = Ledger(place.ledger, durable=durable)
    with contextlib.ExitStack() as closing:
        closing.callback(ledger.close)
        lease = Lease(ledger, clock=clock)
        before = lease.acquire()
        closing.callback(lease.release)
        _upgrade(ledger)
        _refuse_foreign(place, batch.name)
        closing.enter_context(run_log(place.logs / "run.log", verbose))
        mover = Mover(str(root), settings.conflict, durable=durable)
        records = Records(ledger, str(root))
        finished, interrupted = records.recover(mover)
        if before is not None:
            log.info("the run before ended without warning: %d jobs finished now, %d run again", finished, interrupted)
        _empty(place.scratch)
        _drop_leftovers(place)
        memory = recall(str(root), ledger.execute)
        made = plan(checked, fresh=fresh, only=only, memory=memory)
        workers = settings.workers or _cores()
        to_run = [each for each in made.jobs if each.verdict is not Verdict.SKIP or each.skipped]
        workers = max(1, min(workers, len(to_run)))
        redactor = Redactor(secrets_of(job.params for job in {id(j.params): j for j in made.batch.jobs}.values()))
        ids = records.begin(
            made.batch,
            to_run=[each.job.name for each in to_run],
            found_done=[each.job.name for each in made.jobs if each.verdict is Verdict.SKIP and not each.skipped],
            files=memory.learned,
            workers=workers,
            environment=environment(made),
            source=redactor.maybe(batch.source),
        )
        board = Board(listeners)
        closing.callback(board.close)
        interrupts = closing.enter_context(Interrupts(install_signal_handlers))
        make = executor or (lambda p, at, n: _local_pool(p, at, n, verbose=verbose))
        where = make(made, place, workers)
        if to_run:
            where.start()
        closing.callback(where.close, settings.grace_s if interrupts.stops < 2 else 0.0)
        past = read_history()
        runner = Runner(
            made,
            ids,
            Surroundings(
                place=place,
                records=records,
                lease=lease,
                memory=memory,
                mover=mover,
                executor=where,
                board=board,
                redactor=redactor,
                interrupts=interrupts,
                predicted={task: each.peak_bytes for task, each in past.items() if each.peak_bytes},
                clock=clock,
            ),
        )
        tasks = {each.job.task for each in to_run}
        runner.tally.priors = {task: _prior(past[task]) for task in tasks if task in past}
        tally = _run_recorded(runner, records)
        add_history(tally.seen)
    return RunResult(
        batch=batch.name,
        root=root,
        state=tally.state,
        counts=tally.counts,
        found_done=tally.found_done,
        items_failed=tally.items_failed,
        reason=tally.reason,
        elapsed_s=tally.elapsed_s,
    )


def _run_recorded(runner: Runner, records: Records) -> Tally:
    """Run; if batchlab itself fails, say so in the ledger before the error goes on."""
    try:
        return runner.run()
    except BaseException as error:
        reason = str(error) if isinstance(error, BatchlabError) else f"{type(error).__name__}: {error}"
        with contextlib.suppress(Exception):
            records.end(BatchState.INTERRUPTED, runner.elapsed_s, reason, {})
        raise


def _prior(past: Past) -> dict[str, float]:
    o = past.observed
    return {"n": o.n, "x": o.x, "y": o.y, "xx": o.xx, "xy": o.xy, "yy": o.yy}


def load_batch(root: Path, *, earlier: bool = False) -> Batch:
    """The batch that was run last in a folder, from its ledger alone.

    Parameters
    ----------
    earlier
        Take in jobs that earlier batches ran there, and that the last one does not have.

    Raises
    ------
    StartError
        If there is no ledger there.
    """
    root = root.resolve()
    reader = open_reader(Place(root).ledger)
    try:
        name = reader.db.execute("SELECT value FROM meta WHERE name = 'batch'").fetchone()
        settings = reader.db.execute("SELECT settings, source FROM run ORDER BY number DESC LIMIT 1").fetchone()
        sql = "SELECT name, task, spec FROM job WHERE current >= ? ORDER BY current DESC, position"
        rows = reader.db.execute(sql, (0 if earlier else 1,))
        jobs = tuple(job_of(job, task, json.loads(spec), str(root)) for job, task, spec in rows)
    finally:
        reader.close()
    if name is None or settings is None:
        raise StartError(f"{root}: no batch was run there yet")
    return Batch(
        name=name[0], output=root, jobs=jobs, settings=settings_of(json.loads(settings[0])), source=settings[1]
    )


def inline(_plan: Plan, _place: Place, _workers: int) -> Executor:
    """Run attempts in this process, one after the other: for a debugger."""
    return InlineExecutor()


def _local_pool(made: Plan, place: Place, workers: int, *, verbose: bool) -> Executor:
    preload = dict.fromkeys(module for card in made.cards.values() for module in card.preload)
    if any(not card.any_io and ":" not in name for name, card in made.cards.items()):
        preload = {**dict.fromkeys(["pydantic.main"]), **preload}
    # A task that names what it may load ahead may be loaded ahead itself.
    tasks = tuple(name for name, card in made.cards.items() if card.preload)
    return LocalPool(workers, logs=place.logs, preload=tuple(preload), tasks=tasks, verbose=verbose, cwd=place.scratch)


def _refuse_foreign(place: Place, batch: str) -> None:
    """An output root belongs to one batch name."""
    version = ledger_version(place.ledger)
    if not version:
        return
    check_version(version, place.ledger)
    if version < SCHEMA_VERSION:
        return  # looked at again when it has been brought up to date
    reader = open_reader(place.ledger)
    try:
        row = reader.db.execute("SELECT value FROM meta WHERE name = 'batch'").fetchone()
    finally:
        reader.close()
    if row is not None and row[0] != batch:
        raise StartError(
            f"{place.root} belongs to the batch {row[0]!r}; choose another --output for {batch!r}, or give it that name"
        )


def _upgrade(ledger: Ledger) -> None:
    backup = ledger.upgrade()
    if backup is not None:
        log.warning("%s was of an older batchlab and is up to date now; as it was it lies in %s", ledger.path, backup)


def _drop_leftovers(place: Place) -> None:
    """What was asked of an earlier run is not asked of this one; raw output of killed workers may hold secrets."""
    for command in take_commands(place.commands):
        log.info("%s was asked of an earlier run; not heeded", command.ask)
    for file in place.logs.glob("worker-*"):
        file.unlink(missing_ok=True)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _keep_reserve(place: Place) -> None:
    try:
        place.keep_reserve()
    except OSError as error:
        raise StartError(f"{place.root}: no room to work in ({error.strerror}); make room or choose another") from error


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink()


def environment(made: Plan) -> dict[str, str]:
    """What the results may depend on beside the batch itself."""
    found = {
        "batchlab": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "host": platform.node(),
        "executable": Path(sys.executable).name,
    }
    for name in sorted({library for card in made.cards.values() for library in card.libraries}):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "absent"
    return found
