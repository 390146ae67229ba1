"""The process that runs attempts: one after the other, warm, and nothing else.

Standard output and error of the job go to a file of the worker's own: a job may print as much as it likes, also
from C, without ever waiting for a reader, and after a crash its last lines are there to be read.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import logging
import os
import socket
import sys
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from batchlab.engine._bench import WORKER_MARK, Bench, open_streams
from batchlab.engine._events import Attempt, Done, Failed, Member, ResolvedInput, Result
from batchlab.engine._execute import Ear, execute
from batchlab.engine._model import Failure, Limits
from batchlab.engine._procs import PeakMemory
from batchlab.engine._slate import Slate
from batchlab.engine._task import find_task
from batchlab.engine._wire import Torn, Wire, encode
from batchlab.errors import Category

log = logging.getLogger(__name__)

HEAD_BYTES = 16_384
TAIL_BYTES = 48_000
LARGE_FRAME_BYTES = 1 << 20


def serve(end: socket.socket, log_path: str, *, verbose: bool, cwd: str | None = None) -> None:
    """Run attempts from this socket until it closes."""
    _redirect(log_path)
    os.environ[WORKER_MARK] = str(os.getpid())
    if cwd is not None:
        os.chdir(cwd)
    open_streams()
    faulthandler.enable(2)  # a crash in C leaves the Python lines that led there as its last words
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(levelname)s %(name)s: %(message)s",
        force=True,
    )
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
    wire = Wire(end)
    desk = _Desk(wire=wire, slate=Slate(slate_path_of(log_path)))
    try:
        while True:
            message = wire.receive()
            if message[0] == "stop":
                break
            desk.run(*message)
    except (Torn, BrokenPipeError):
        os._exit(1)  # the runner is gone: nobody is left to tell


@dataclass(slots=True)
class _Desk:
    """What a worker keeps from one attempt to the next."""

    wire: Wire
    slate: Slate
    cache: dict[str, Any] = field(default_factory=dict)
    loaded: set[str] = field(default_factory=set)
    peak: PeakMemory = field(default_factory=PeakMemory)
    ear: Ear = field(default_factory=Ear)
    bench: Bench = field(default_factory=Bench)
    counted: dict[str, int] = field(default_factory=dict)  # of the caches, told so far

    def run(self, place: int, packed: tuple[Any, ...]) -> None:
        """Run one attempt, unless it was taken back, and answer for it."""
        attempt = unpack(packed)
        if not self.slate.begin(place):
            self.wire.send(("back", attempt.id))
            return
        if attempt.task not in self.loaded:
            self.loaded.add(attempt.task)
            try:
                find_task(attempt.task)
            except BaseException:  # noqa: BLE001 - told by execute, which meets the same error
                log.debug("task %s cannot be loaded", attempt.task)
            gc.freeze()  # libraries stay for good: looking through them for garbage costs more than many a job
            self.wire.send(("start", attempt.id))  # its time counts from here, not from the imports
        event = execute(
            attempt,
            cache=self.cache,
            tell=self.wire.send,
            cancelled=partial(self.slate.is_cancelled, attempt.id),
            peak=self.peak,
            hear=self.ear,
        )
        if os.getpid() != self.bench.pid:
            os._exit(0)  # a fork that the task let return: only the worker itself answers
        self.bench.tidy()
        printed = read_log(1)  # streams write through: nothing is left in buffers of Python's own
        if printed is not None:
            os.ftruncate(1, 0)
        answer = pack_event(event, printed, self._cache_news())
        frame = encode(answer)
        if len(frame) > LARGE_FRAME_BYTES:
            frame = _by_file(attempt, answer)
        self.wire.socket.sendall(frame)

    def _cache_news(self) -> dict[str, int]:
        """Hits and misses of the caches that tasks keep here, since the last job."""
        news: dict[str, int] = {}
        for value in self.cache.values():
            stats = getattr(value, "stats", None)
            if callable(stats):
                told = stats()
                for name in ("hits", "misses"):
                    news[name] = news.get(name, 0) + int(getattr(told, name, 0))
        before, self.counted = self.counted, dict(news)
        return {name: count - before.get(name, 0) for name, count in news.items()}


def slate_path_of(log_path: str) -> str:
    """The worker's shared page lies beside its log."""
    return log_path.removesuffix(".out") + ".slate"


def _by_file(attempt: Attempt, answer: tuple[Any, ...]) -> bytes:
    """Leave a large answer in the scratch folder, as JSON, and send its path alone."""
    os.makedirs(attempt.scratch, exist_ok=True)
    path = os.path.join(attempt.scratch, ".answer.json")
    with open(path, "w", encoding="utf-8", errors="surrogatepass") as file:
        json.dump(answer, file)
    return encode(("file", attempt.id, path))


def _redirect(log_path: str) -> None:
    descriptor = os.open(log_path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def read_log(descriptor: int) -> str | None:
    """Head and tail of what was printed; None if nothing was."""
    size = os.fstat(descriptor).st_size
    if size == 0:
        return None
    if size <= HEAD_BYTES + TAIL_BYTES:
        return os.pread(descriptor, size, 0).decode("utf-8", "replace")
    head = os.pread(descriptor, HEAD_BYTES, 0).decode("utf-8", "replace")
    tail = os.pread(descriptor, TAIL_BYTES, size - TAIL_BYTES).decode("utf-8", "replace")
    return f"{head}\n[... {size - HEAD_BYTES - TAIL_BYTES} bytes left out ...]\n{tail}"


# Attempts and events as builtin types, the one form that crosses the socket.


def pack(attempt: Attempt) -> tuple[Any, ...]:
    """An attempt as builtin types."""
    inputs = {
        name: value
        if isinstance(value, str)
        else tuple(v if isinstance(v, str) else (v.job, dict(v.outputs), dict(v.metrics)) for v in value)
        for name, value in attempt.inputs.items()
    }
    limits = (attempt.limits.timeout_s, attempt.limits.memory_bytes, dict(attempt.limits.stages))
    return (
        attempt.id,
        attempt.job,
        attempt.number,
        attempt.task,
        dict(attempt.params),
        inputs,
        dict(attempt.outputs),
        attempt.scratch,
        attempt.thumbnail,
        limits,
        dict(attempt.digests),
        tuple(attempt.skip_items),
        attempt.durable,
        dict(attempt.provenance),
    )


def unpack(packed: tuple[Any, ...]) -> Attempt:
    """The attempt that `pack` took apart."""
    (id_, job, number, task, params, inputs, outputs, scratch, thumbnail, limits, *rest) = packed
    digests, skip_items, durable, provenance = rest
    return Attempt(
        id=id_,
        job=job,
        number=number,
        task=task,
        params=params,
        inputs={name: _unpack_input(value) for name, value in inputs.items()},
        outputs=outputs,
        scratch=scratch,
        thumbnail=thumbnail,
        limits=Limits(timeout_s=limits[0], memory_bytes=limits[1], stages=limits[2]),
        digests=digests,
        skip_items=frozenset(skip_items),
        durable=durable,
        provenance=provenance,
    )


def _unpack_input(value: Any) -> ResolvedInput:
    if isinstance(value, str):
        return value
    members: Any = tuple(v if isinstance(v, str) else Member(job=v[0], outputs=v[1], metrics=v[2]) for v in value)
    return members  # type: ignore[no-any-return]


DIGESTS = 7  # where they stand in the last part of a packed event


def pack_event(event: Done | Failed, log: str | None, cache: dict[str, int]) -> tuple[Any, ...]:
    """A terminal event as builtin types."""
    r = event.result
    result = (
        [(i.name, str(i.status), i.category and str(i.category), i.reason, i.message) for i in r.items],
        r.warnings,
        dict(r.stages),
        r.elapsed_s,
        r.cpu_s,
        r.peak_memory_bytes,
        log,
        dict(r.digests),
        cache,
        r.scratch,
    )
    if isinstance(event, Done):
        outputs = [(o.name, o.path, o.digest, o.bytes) for o in event.outputs]
        return ("done", event.attempt, dict(event.metrics), outputs, dict(event.left), event.thumbnail, result)
    f = event.failure
    failure = (str(f.category), f.message, f.reason, f.signal, f.stage, f.traceback)
    return ("failed", event.attempt, failure, event.item, result)


def unpack_event(packed: tuple[Any, ...], seen_bytes: int = 0) -> Done | Failed:
    """The event that `pack_event` took apart; the peak memory is at least what was seen from outside."""
    from batchlab.engine._model import Item, Output, Status

    items, warnings, stages, elapsed_s, cpu_s, peak, log, digests, cache, scratch = packed[-1]
    result = Result(
        items=tuple(
            Item(name=n, status=Status(s), category=Category(c) if c else None, reason=r, message=m)
            for n, s, c, r, m in items
        ),
        warnings=tuple(warnings),
        stages=stages,
        elapsed_s=elapsed_s,
        cpu_s=cpu_s,
        peak_memory_bytes=max(peak or 0, seen_bytes) or None,
        log=log,
        digests=digests,
        cache=cache,
        scratch=scratch,
    )
    if packed[0] == "done":
        _, attempt, metrics, outputs, left, thumbnail, _ = packed
        return Done(
            attempt=attempt,
            metrics=metrics,
            outputs=tuple(Output(name=n, path=p, digest=d, bytes=b) for n, p, d, b in outputs),
            left=left,
            thumbnail=thumbnail,
            result=result,
        )
    _, attempt, (category, message, reason, signal, stage, traceback), item, _ = packed
    return Failed(
        attempt=attempt,
        failure=Failure(
            category=Category(category),
            message=message,
            reason=reason,
            signal=signal,
            stage=stage,
            traceback=traceback,
        ),
        item=item,
        result=result,
    )
