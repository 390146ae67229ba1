"""The local pool: one warm process per worker, one private socket each, no lock shared by any two.

A job that hangs, also in C code that holds the interpreter, is killed with its children; a job that crashes takes
nothing with it but its own worker; whatever happens, each attempt ends in exactly one terminal event.
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import socket
import subprocess
import sys
import time
from array import array
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from batchlab.engine import _procs
from batchlab.engine._events import (
    Attempt,
    Event,
    Failed,
    ItemEntered,
    Lost,
    Result,
    StageEntered,
    Started,
    Warned,
)
from batchlab.engine._model import Failure
from batchlab.engine._wire import Torn, Wire
from batchlab.engine._worker import pack, read_log, unpack_event
from batchlab.errors import Category, StartError

log = logging.getLogger(__name__)

LOAD_LIMIT_S = 120.0  # for importing a task's libraries, which is not the job's own time
MEMORY_POLL_S = 0.1
PEAK_POLL_S = 0.5
UNKILLABLE_S = 5.0
LOG_LIMIT_BYTES = 64_000_000
WARM_TAGS = 8
JUMP_S = 5.0  # a wait that took this much longer than asked: the machine slept


@dataclass(slots=True, eq=False)
class _Worker:
    """One worker process, as the pool knows it."""

    number: int
    wire: Wire
    log_path: str
    pid: int | None = None  # until the keeper has told it
    attempt: Attempt | None = None
    began: float = 0.0  # when the attempt's time began to count
    loading: bool = False  # its task's libraries are not imported yet
    stage: str = ""
    stage_began: float = 0.0
    item: str | None = None
    peak_bytes: int = 0
    next_poll: float = 0.0
    oom_kills: int = 0
    verdict: Failure | None = None  # why it is being killed
    give_up_at: float = float("inf")  # when to stop waiting for its end
    torn: bool = False
    jobs: int = 0
    first_bytes: int | None = None  # resident after its first job
    tasks: set[str] = field(default_factory=set)
    tags: OrderedDict[str, None] = field(default_factory=OrderedDict)


def default_start_method() -> str:
    """``forkserver`` on Linux; ``spawn`` where forking a warm process is not safe."""
    return "forkserver" if sys.platform.startswith("linux") else "spawn"


class LocalPool:
    """Executor on this machine's cores.

    Parameters
    ----------
    workers
        How many attempts run at once.
    logs
        Folder for the workers' raw output while they live.
    preload
        Modules imported once, before the first worker starts.
    start_method
        ``forkserver`` or ``spawn``; by default what is safe on this system.
    max_jobs
        A worker is replaced after this many jobs.
    max_growth_bytes
        ... or when it has grown by this much since its first job.
    clock
        Monotonic, in seconds; handed in by tests.
    """

    def __init__(
        self,
        workers: int,
        *,
        logs: Path,
        preload: Sequence[str] = (),
        start_method: str | None = None,
        max_jobs: int = 2000,
        max_growth_bytes: int = 1_000_000_000,
        verbose: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.workers = workers
        self._logs = logs
        self._preload = tuple(preload)
        self._method = start_method or default_start_method()
        self._max_jobs = max_jobs
        self._max_growth_bytes = max_growth_bytes
        self._verbose = verbose
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._control: Wire | None = None
        self._live: dict[int, _Worker] = {}  # by number
        self._by_pid: dict[int, _Worker] = {}
        self._by_attempt: dict[int, _Worker] = {}
        self._idle: dict[_Worker, None] = {}
        self._count = 0
        self._pending: list[Event] = []
        self._keeper_failures = 0

    # the seam

    def start(self) -> None:
        """Start the keeper; workers come with their first attempts."""
        self._logs.mkdir(parents=True, exist_ok=True)
        self._start_keeper()

    def free(self) -> int:
        """How many attempts it would take up at once."""
        return self.workers - len(self._by_attempt)

    def warm(self) -> frozenset[str]:
        """Affinities that idle workers have in their caches."""
        return frozenset(tag for worker in self._idle for tag in worker.tags)

    def submit(self, attempt: Attempt) -> None:
        """Give the attempt to the idle worker that suits it best, or to a new one."""
        worker = self._choose(attempt)
        now = self._clock()
        worker.attempt = attempt
        worker.began = worker.stage_began = now
        worker.loading = attempt.task not in worker.tasks
        worker.stage, worker.item, worker.peak_bytes = "", None, 0
        worker.next_poll = now + (MEMORY_POLL_S if attempt.limits.memory_bytes else PEAK_POLL_S)
        worker.oom_kills = -1
        if attempt.affinity is not None:
            worker.tags[attempt.affinity] = None
            worker.tags.move_to_end(attempt.affinity)
            if len(worker.tags) > WARM_TAGS:
                worker.tags.popitem(last=False)
        self._by_attempt[attempt.id] = worker
        if not worker.wire.offer(("run", pack(attempt))):
            self._watch(worker, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def events(self, timeout_s: float | None) -> list[Event]:
        """Everything that has happened; waits at most `timeout_s` for the first."""
        if not self._pending:
            self._wait(timeout_s)
        self._enforce()
        found, self._pending = self._pending, []
        return found

    def cancel(self, attempt: int, *, hard: bool) -> None:
        """Set the attempt's `cancelled`, or kill it."""
        worker = self._by_attempt.get(attempt)
        if worker is None:
            return
        if hard:
            self._kill(worker, Failure(category=Category.CANCELLED, message="cancelled while it ran"))
        else:
            worker.wire.offer(("cancel", attempt))

    def close(self, grace_s: float = 1.0) -> None:
        """Send the workers home, kill those that stay, and the keeper last."""
        for worker in self._live.values():
            if worker.attempt is None:
                worker.wire.offer(("stop",))
        if self._control is not None:
            deadline = time.monotonic() + grace_s
            while self._idle and time.monotonic() < deadline and self._control is not None:
                self._wait(0.05)
            if self._control is not None:
                self._control.close()  # the keeper takes it as the end, and kills what is left
        for worker in list(self._live.values()):
            self._forget(worker)
        if self._keeper is not None:
            try:
                self._keeper.wait(timeout=UNKILLABLE_S)
            except subprocess.TimeoutExpired:
                _procs.kill_tree(self._keeper.pid)
                self._keeper.wait(timeout=UNKILLABLE_S)
        self._keeper = self._control = None
        self._selector.close()

    def pids(self) -> list[int]:
        """Process ids of the workers that live and are known."""
        return list(self._by_pid)

    # starting

    def _start_keeper(self) -> None:
        ours, theirs = socket.socketpair()
        environment = {**os.environ, **{name: "1" for name in _procs.THREAD_CAPS if name not in os.environ}}
        words = {
            "fd": theirs.fileno(),
            "runner": os.getpid(),
            "method": self._method,
            "preload": self._preload,
            "logs": str(self._logs),
            "verbose": self._verbose,
        }
        try:
            self._keeper = subprocess.Popen(
                [sys.executable, "-m", "batchlab.engine._zygote", json.dumps(words)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=environment,
                process_group=0,  # out of reach of the terminal's Ctrl-C
            )
        except OSError as error:
            raise StartError(f"cannot start worker processes: {error}") from error
        finally:
            theirs.close()
        self._control = Wire(ours)
        self._selector.register(ours, selectors.EVENT_READ, None)

    def _choose(self, attempt: Attempt) -> _Worker:
        if not self._idle:
            return self._start_worker()
        best = next((w for w in self._idle if attempt.affinity in w.tags), None)
        if best is None:
            best = min(self._idle, key=lambda w: len(w.tags))
        del self._idle[best]
        return best

    def _start_worker(self) -> _Worker:
        if self._control is None:
            self._start_keeper()
        assert self._control is not None
        self._count += 1
        number = self._count
        ours, theirs = socket.socketpair()
        worker = _Worker(
            number=number,
            wire=Wire(ours),
            log_path=str(self._logs / f"worker-{os.getpid()}-{number}.out"),
        )
        request = b"F" + number.to_bytes(7, "big")
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [theirs.fileno()]))]
        try:
            self._control.socket.sendmsg([request], rights)
        except OSError:
            log.debug("the keeper is gone; it is noticed when its socket is read")
        theirs.close()
        self._live[number] = worker
        self._watch(worker, selectors.EVENT_READ)
        return worker

    def _watch(self, worker: _Worker, what: int) -> None:
        try:
            self._selector.modify(worker.wire.socket, what, worker)
        except KeyError:
            self._selector.register(worker.wire.socket, what, worker)

    # waiting and reading

    def _wait(self, timeout_s: float | None) -> None:
        now = self._clock()
        due = min((self._due(w) for w in self._by_attempt.values()), default=None)
        wait = timeout_s
        if due is not None:
            wait = max(0.0, due - now) if wait is None else max(0.0, min(wait, due - now))
        ready = self._selector.select(wait)
        slept = self._clock() - now - (wait if wait is not None else float("inf"))
        if slept > JUMP_S:  # a suspended machine has used up nobody's time
            for worker in self._by_attempt.values():
                worker.began += slept
                worker.stage_began += slept
        for key, mask in ready:
            if key.data is None:
                self._read_control()
                continue
            if mask & selectors.EVENT_WRITE and key.data.wire.flush():
                self._watch(key.data, selectors.EVENT_READ)
            if mask & selectors.EVENT_READ:
                self._read(key.data)

    def _read(self, worker: _Worker) -> None:
        """Take in whatever the worker has sent."""
        if worker.torn:
            return
        try:
            for message in worker.wire.drain():
                self._take(worker, message)
        except Torn:
            worker.torn = True
            self._selector.unregister(worker.wire.socket)
            worker.give_up_at = self._clock() + UNKILLABLE_S
            if worker.pid is not None and worker.attempt is not None and worker.verdict is None:
                self._request_kill(worker)  # it may have closed its socket and live on
        except Exception as error:  # noqa: BLE001 - a frame that cannot be read: the worker is not to be trusted
            message = f"the worker's answer cannot be read ({type(error).__name__}: {error})"
            self._kill(worker, Failure(category=Category.CRASH, reason="unreadable-answer", message=message))

    def _take(self, worker: _Worker, message: tuple[Any, ...]) -> None:
        kind = message[0]
        attempt = worker.attempt
        if attempt is None or message[1] != attempt.id:
            return  # the last words of an attempt that was given up
        if kind == "file":
            path = Path(message[2])
            self._take(worker, _decode_file(path))
        elif kind in ("done", "failed"):
            event = unpack_event(message)
            if worker.verdict is not None and kind == "failed":
                return  # it is being killed for a reason already known; the exit tells it
            peak = max(event.result.peak_memory_bytes or 0, worker.peak_bytes)
            event = replace(event, result=replace(event.result, peak_memory_bytes=peak or None))
            self._pending.append(event)
            self._release(worker)
        elif kind == "start":
            worker.began = worker.stage_began = self._clock()
            worker.loading = False
            worker.tasks.add(attempt.task)
            self._pending.append(Started(attempt=attempt.id))
        elif kind == "stage":
            worker.stage, worker.stage_began = message[2], self._clock()
            self._pending.append(StageEntered(attempt=attempt.id, stage=message[2]))
        elif kind == "item":
            worker.item = message[2]
            self._pending.append(ItemEntered(attempt=attempt.id, item=message[2]))
        elif kind == "warn":
            self._pending.append(Warned(attempt=attempt.id, text=message[2]))

    def _release(self, worker: _Worker) -> None:
        """The worker's attempt is over; keep the worker, or replace it."""
        assert worker.attempt is not None
        del self._by_attempt[worker.attempt.id]
        worker.attempt = None
        worker.jobs += 1
        if worker.verdict is not None:
            return  # finished on the very deadline: the result counts, the worker dies all the same
        if worker.jobs >= self._max_jobs or self._has_grown(worker):
            worker.wire.offer(("stop",))
            self._live.pop(worker.number, None)  # its place is free before it has gone
            return
        self._idle[worker] = None

    def _has_grown(self, worker: _Worker) -> bool:
        if worker.pid is None or worker.jobs % 25 != 1:
            return False
        resident = _procs.rss_bytes(worker.pid)
        if worker.first_bytes is None:
            worker.first_bytes = resident
        return resident - worker.first_bytes > self._max_growth_bytes

    # the keeper's messages

    def _read_control(self) -> None:
        assert self._control is not None
        try:
            for message in self._control.drain():
                if message[0] == "worker":
                    worker = self._live.get(message[1])
                    if worker is not None:
                        worker.pid = message[2]
                        self._by_pid[message[2]] = worker
                        if worker.verdict is not None:
                            self._request_kill(worker)
                elif message[0] == "exit":
                    self._buried(message[1], message[2])
        except Torn:
            self._keeper_lost()

    def _buried(self, pid: int, code: int) -> None:
        """A worker has ended and left nothing behind."""
        worker = self._by_pid.pop(pid, None)
        if worker is None:
            return
        self._read(worker)  # an answer may have been sent before the end
        if worker.attempt is not None:
            self._pending.append(self._death(worker, code))
            del self._by_attempt[worker.attempt.id]
        self._forget(worker)

    def _death(self, worker: _Worker, code: int) -> Failed:
        assert worker.attempt is not None
        elapsed = self._clock() - worker.began
        signal = _procs.signal_name(-code) if code < 0 else None
        failure = worker.verdict
        if failure is None:
            how = f"was killed by {signal}" if signal else f"ended with exit code {code}"
            failure = Failure(
                category=Category.CRASH,
                message=f"the process that ran it {how}",
                signal=signal,
                reason=signal or f"exit-{code}",
                stage=worker.stage or None,
            )
            if signal == "SIGKILL" and 0 <= worker.oom_kills < _procs.oom_kills():
                message = "the system killed it for want of memory; give it fewer neighbours or a smaller input"
                failure = replace(failure, category=Category.MEMORY, reason="out-of-memory", message=message)
        peak = worker.peak_bytes or None
        result = Result(elapsed_s=elapsed, peak_memory_bytes=peak, log=_last_words(worker.log_path))
        return Failed(attempt=worker.attempt.id, failure=failure, item=worker.item, result=result)

    def _forget(self, worker: _Worker) -> None:
        if not worker.torn:
            try:
                self._selector.unregister(worker.wire.socket)
            except KeyError:
                log.debug("worker %d was not watched", worker.number)
        worker.wire.close()
        self._live.pop(worker.number, None)
        self._idle.pop(worker, None)
        if worker.pid is not None:
            self._by_pid.pop(worker.pid, None)
        Path(worker.log_path).unlink(missing_ok=True)

    def _keeper_lost(self) -> None:
        """The keeper was killed, and its workers with it: nobody's fault that is known."""
        assert self._control is not None and self._keeper is not None
        self._selector.unregister(self._control.socket)
        self._control.close()
        self._control = None
        for worker in list(self._live.values()) + list(self._by_pid.values()):
            if worker.pid is not None:
                _procs.kill_tree(worker.pid)
            self._read(worker)
            if worker.attempt is not None:
                detail = "the keeper of the workers was killed"
                self._pending.append(Lost(attempt=worker.attempt.id, detail=detail))
                del self._by_attempt[worker.attempt.id]
                worker.attempt = None
            self._forget(worker)
        self._keeper.wait()
        self._keeper_failures += 1
        if self._keeper_failures > 3:
            raise StartError("worker processes cannot be kept alive: their keeper was killed again and again")

    # limits

    def _due(self, worker: _Worker) -> float:
        """When this worker must be looked at again."""
        if worker.verdict is not None or worker.torn:
            return worker.give_up_at
        return min(self._deadline(worker)[0], worker.next_poll)

    def _deadline(self, worker: _Worker) -> tuple[float, Failure | None]:
        assert worker.attempt is not None
        limits = worker.attempt.limits
        if worker.loading:
            message = f"importing the task's libraries took longer than {LOAD_LIMIT_S:g} s"
            return worker.began + LOAD_LIMIT_S, _timeout(message, "import", None)
        nearest, failure = float("inf"), None
        if limits.timeout_s is not None:
            nearest = worker.began + limits.timeout_s
            message = f"took longer than its limit of {limits.timeout_s:g} s"
            if worker.stage:
                message += f" (in stage {worker.stage})"
            failure = _timeout(message, worker.stage or None, worker.stage or None)
        stage_s = limits.stages.get(worker.stage)
        if stage_s is not None and worker.stage_began + stage_s < nearest:
            nearest = worker.stage_began + stage_s
            message = f"stage {worker.stage} took longer than its limit of {stage_s:g} s"
            failure = _timeout(message, worker.stage, worker.stage)
        return nearest, failure

    def _enforce(self) -> None:
        now = self._clock()
        for worker in list(self._by_attempt.values()):
            if worker.verdict is not None or worker.torn:
                if now >= worker.give_up_at:
                    self._give_up(worker)
                continue
            deadline, failure = self._deadline(worker)
            if now >= deadline and failure is not None:
                self._read(worker)  # it may have finished on the very deadline
                if worker.attempt is not None and self._deadline(worker)[0] <= now:
                    self._kill(worker, failure)
            elif now >= worker.next_poll:
                self._poll(worker, now)

    def _poll(self, worker: _Worker, now: float) -> None:
        """Look at the memory of the worker and its children, and at how much it prints."""
        assert worker.attempt is not None
        limit = worker.attempt.limits.memory_bytes
        worker.next_poll = now + (MEMORY_POLL_S if limit else PEAK_POLL_S)
        if worker.oom_kills < 0:
            worker.oom_kills = _procs.oom_kills()
        if worker.pid is None:
            return
        resident = _procs.tree_rss_bytes(worker.pid)
        worker.peak_bytes = max(worker.peak_bytes, resident)
        if limit is not None and resident > limit:
            message = f"used {resident / 1e6:.0f} MB, more than its limit of {limit / 1e6:.0f} MB"
            failure = Failure(category=Category.MEMORY, reason="limit", message=message, stage=worker.stage or None)
            self._kill(worker, failure)
        _bound_log(worker.log_path)

    def _kill(self, worker: _Worker, failure: Failure) -> None:
        worker.verdict = failure
        worker.give_up_at = self._clock() + UNKILLABLE_S
        self._idle.pop(worker, None)
        if worker.pid is not None:
            self._request_kill(worker)

    def _request_kill(self, worker: _Worker) -> None:
        assert worker.pid is not None
        if self._control is None:
            return
        try:
            self._control.socket.sendall(b"K" + worker.pid.to_bytes(7, "big"))
        except OSError:
            log.debug("the keeper is gone, and with it worker %d", worker.number)

    def _give_up(self, worker: _Worker) -> None:
        """Killed, yet not gone: stuck in the kernel, on a dead network disk say. Go on without it."""
        assert worker.attempt is not None
        log.warning("worker process %s does not end; going on without it", worker.pid)
        self._pending.append(self._death(worker, -9))
        del self._by_attempt[worker.attempt.id]
        worker.attempt = None
        self._forget(worker)


def _timeout(message: str, reason: str | None, stage: str | None) -> Failure:
    return Failure(category=Category.TIMEOUT, message=message, reason=reason, stage=stage)


def _decode_file(path: Path) -> tuple[Any, ...]:
    import pickle

    frame = path.read_bytes()
    path.unlink()
    decoded: tuple[Any, ...] = pickle.loads(frame[4:])
    return decoded


def _last_words(path: str) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return read_log(descriptor)
    finally:
        os.close(descriptor)


def _bound_log(path: str) -> None:
    """A job that prints without end must not fill the disk: drop what is beyond the bound."""
    try:
        if os.path.getsize(path) > LOG_LIMIT_BYTES:
            os.truncate(path, 16_384)
    except OSError:
        log.debug("%s cannot be bounded", path)
