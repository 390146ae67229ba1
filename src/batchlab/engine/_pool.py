"""The local pool: one warm process per worker, one private socket each, no lock shared by any two.

A job that hangs, also in C code that holds the interpreter, is killed with its children; a job that crashes takes
nothing with it but its own worker; whatever happens, each attempt ends in exactly one terminal event.

Very short jobs are queued ahead in their workers, so that these never wait for the pool. What is queued behind a job
that turns out long is taken back and given to a worker that has nothing to do.
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
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from batchlab.engine import _procs
from batchlab.engine._events import Attempt, Event, Failed, ItemEntered, Lost, Result, StageEntered, Started, Warned
from batchlab.engine._hand import Hand, Place
from batchlab.engine._model import Failure
from batchlab.engine._slate import Slate
from batchlab.engine._wire import Torn, Wire
from batchlab.engine._worker import DIGESTS, pack, slate_path_of, unpack_event
from batchlab.errors import Category, StartError

log = logging.getLogger(__name__)

UNKILLABLE_S = 5.0
KEEPER_FAILURES = 3
STILLBORN = 3  # workers that may die one after the other before an attempt has begun
JUMP_S = 5.0  # a wait that took this much longer than asked: the machine slept
AHEAD = (
    (0.0003, 24),
    (0.001, 12),
    (0.003, 6),
    (0.010, 3),
)  # jobs shorter than this on average: so many in a worker at once
SENT_AT_ONCE = 4  # attempts in a worker's queue; those beyond are sent with the next call of `events`
LONG_S = 0.05  # a job that runs this long holds up what is queued behind it


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
    tasks
        Tasks whose own modules are imported then, too.
    start_method
        ``forkserver`` or ``spawn``; by default what is safe on this system.
    max_jobs
        A worker is replaced after this many jobs.
    max_growth_bytes
        ... or when it has grown by this much since its first job.
    verbose
        Workers log debug lines, too.
    cwd
        The workers' current folder: a task that writes to a relative path writes there.
    clock
        Monotonic, in seconds; handed in by tests.
    """

    def __init__(
        self,
        workers: int,
        *,
        logs: Path,
        preload: Sequence[str] = (),
        tasks: Sequence[str] = (),
        start_method: str | None = None,
        max_jobs: int = 5000,
        max_growth_bytes: int = 1_000_000_000,
        verbose: bool = False,
        cwd: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cwd = cwd
        self.workers = workers
        self._logs = logs
        self._preload = tuple(preload)
        self._tasks = tuple(tasks)
        self._method = start_method or default_start_method()
        self._max_jobs = max_jobs
        self._max_growth_bytes = max_growth_bytes
        self._verbose = verbose
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._control: Wire | None = None
        self._hands: dict[int, Hand] = {}  # those that take attempts, by number
        self._by_pid: dict[int, Hand] = {}  # those that live, the leaving ones among them
        self._leaving: set[Hand] = set()
        self._where: dict[int, Hand] = {}  # attempt -> its worker
        self._unsent: set[Hand] = set()
        self._backlog: deque[Attempt] = deque()  # taken back from a worker, not yet given to another
        self._count = 0
        self._mean_s: float | None = None  # of recent jobs
        self._pending: list[Event] = []
        self._keeper_failures = 0
        self._stillborn = 0
        self._oom_kills = _procs.oom_kills()  # of this machine, when last looked at

    # the seam

    def start(self) -> None:
        """Start the keeper; workers come with their first attempts."""
        self._logs.mkdir(parents=True, exist_ok=True)
        self._start_keeper()

    def free(self) -> int:
        """How many attempts it would take up at once: a few per worker while jobs are very short."""
        return max(0, self.workers * self._depth() - len(self._where) - len(self._backlog))

    def warm(self) -> frozenset[str]:
        """Affinities that workers with a free place have in their caches."""
        depth = self._depth()
        return frozenset(tag for hand in self._hands.values() if len(hand.queue) < depth for tag in hand.tags)

    def submit(self, attempt: Attempt) -> None:
        """Give the attempt to the worker that suits it best, or to a new one."""
        hand = self._choose(attempt)
        if hand is None:  # all workers are about to go: it waits for the next one
            self._backlog.append(attempt)
            return
        hand.places += 1
        hand.queue.append(Place(attempt, hand.places))
        hand.retiring = hand.jobs + len(hand.queue) >= self._max_jobs
        hand.tag(attempt.affinity)
        self._where[attempt.id] = hand
        if len(hand.queue) == 1:
            hand.begin(self._clock())
        hand.wire.put((hand.places, pack(attempt)))
        self._unsent.add(hand)
        if len(hand.queue) <= SENT_AT_ONCE:  # a worker with enough to do gets the rest together
            self._send(hand)

    def events(self, timeout_s: float | None) -> list[Event]:
        """Everything that has happened; waits at most `timeout_s` for the first."""
        self._level()
        for hand in list(self._unsent):
            self._send(hand)
        if not self._pending:
            self._wait(timeout_s)
        self._enforce()
        found, self._pending = self._pending, []
        return found

    def cancel(self, attempt: int, *, hard: bool) -> None:
        """Set the attempt's `cancelled`, or kill it."""
        failure = Failure(category=Category.CANCELLED, message="cancelled while it ran")
        waiting = next((each for each in self._backlog if each.id == attempt), None)
        hand = self._where.get(attempt)
        if waiting is not None:
            self._backlog.remove(waiting)
            self._pending.append(Failed(attempt=attempt, failure=failure, result=Result()))
        if hand is not None:
            self._read(hand)  # it may be over by now
            hand = self._where.get(attempt)
        if hand is None:
            return
        if hand.queue[0].attempt.id == attempt:
            if hard:
                self._kill(hand, failure)
            else:
                hand.slate.cancel(attempt)
        else:
            place = next(p for p in hand.queue if p.attempt.id == attempt)
            if self._take_back(hand, place):
                self._pending.append(Failed(attempt=attempt, failure=failure, result=Result()))
            elif hard:
                self._kill(hand, failure)

    def close(self, grace_s: float = 1.0) -> None:
        """Send the workers home, kill those that stay, and the keeper last."""
        for hand in list(self._hands.values()):
            if not hand.queue:
                self._dismiss(hand)
        deadline = time.monotonic() + grace_s
        while self._leaving and self._control is not None and time.monotonic() < deadline:
            self._wait(0.05)
        if self._control is not None:
            self._selector.unregister(self._control.socket)
            self._control.close()  # the keeper takes it as the end, and kills what is left
            self._control = None
        for hand in {*self._hands.values(), *self._leaving, *self._by_pid.values()}:
            self._forget(hand)
        if self._keeper is not None:
            try:
                self._keeper.wait(timeout=UNKILLABLE_S)
            except subprocess.TimeoutExpired:
                _procs.kill_tree(self._keeper.pid)
                self._keeper.wait(timeout=UNKILLABLE_S)
            self._keeper = None
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
            "tasks": self._tasks,
            "logs": str(self._logs),
            "verbose": self._verbose,
            "cwd": None if self._cwd is None else str(self._cwd),
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
            ours.close()
            raise StartError(f"cannot start worker processes: {error}") from error
        finally:
            theirs.close()
        self._control = Wire(ours)
        self._selector.register(ours, selectors.EVENT_READ, None)

    def _send(self, hand: Hand) -> None:
        self._unsent.discard(hand)
        if not hand.torn and not hand.wire.flush():
            self._watch(hand, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def _choose(self, attempt: Attempt) -> Hand | None:
        """An idle worker that knows the attempt's affinity, any idle one, a new one, the one with least to do."""
        depth = self._depth()
        idle = [hand for hand in self._hands.values() if not hand.queue and hand.usable]
        if idle:
            return next((h for h in idle if attempt.affinity in h.tags), None) or min(idle, key=lambda h: len(h.tags))
        if len(self._hands) < self.workers:
            return self._start_worker()
        usable = [hand for hand in self._hands.values() if hand.usable]
        if not usable:
            return None
        knowing = [hand for hand in usable if attempt.affinity in hand.tags and len(hand.queue) < depth]
        return min(knowing or usable, key=lambda h: len(h.queue))

    def _start_worker(self) -> Hand:
        if self._control is None:
            self._start_keeper()
        assert self._control is not None
        self._count += 1
        number = self._count
        log_path = str(self._logs / f"worker-{os.getpid()}-{number}.out")
        slate = Slate(slate_path_of(log_path), make=True)
        ours, theirs = socket.socketpair()
        hand = Hand(number=number, wire=Wire(ours), slate=slate, log_path=log_path)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [theirs.fileno()]))]
        try:
            self._control.socket.sendmsg([b"F" + number.to_bytes(7, "big")], rights)
        except OSError:
            log.debug("the keeper is gone; it is noticed when its socket is read")
        theirs.close()
        self._hands[number] = hand
        self._watch(hand, selectors.EVENT_READ)
        return hand

    def _watch(self, hand: Hand, what: int) -> None:
        try:
            self._selector.modify(hand.wire.socket, what, hand)
        except KeyError:
            self._selector.register(hand.wire.socket, what, hand)

    # queueing ahead

    def _depth(self) -> int:
        """How many attempts a worker may hold at once."""
        if self._mean_s is not None:
            for bound_s, depth in AHEAD:
                if self._mean_s < bound_s:
                    return depth
        return 1

    def _level(self) -> None:
        """Give what waits behind a long job to a worker that has nothing to do."""
        now = self._clock()
        for hand in list(self._hands.values()):
            if len(hand.queue) > 1 and (now - hand.began > LONG_S or hand.doomed):
                self._clear(hand)
        while self._backlog and self._has_room():
            self.submit(self._backlog.popleft())

    def _clear(self, hand: Hand) -> None:
        """Take back what is queued in a worker and not begun."""
        for place in hand.queue:
            if not place.taken_back and self._take_back(hand, place):
                self._backlog.append(place.attempt)

    def _has_room(self) -> bool:
        usable = [hand for hand in self._hands.values() if hand.usable]
        return len(self._hands) < self.workers or any(not hand.queue for hand in usable)

    def _take_back(self, hand: Hand, place: Place) -> bool:
        """Take a queued attempt from a worker; False if the worker may have begun it."""
        if not hand.slate.take_back(place.number):
            return False
        place.taken_back = True
        del self._where[place.attempt.id]
        return True

    # waiting and reading

    def _wait(self, timeout_s: float | None) -> None:
        now = self._clock()
        due = min((hand.due() for hand in self._hands.values() if hand.queue), default=float("inf"))
        if any(len(hand.queue) > 1 for hand in self._hands.values()):
            due = min(due, now + LONG_S)
        wait = timeout_s
        if due != float("inf"):
            wait = max(0.0, due - now) if wait is None else max(0.0, min(wait, due - now))
        ready = self._selector.select(wait)
        slept = self._clock() - now - (wait if wait is not None else float("inf"))
        if slept > JUMP_S:  # a suspended machine has used up nobody's time
            for hand in self._hands.values():
                hand.began += slept
                hand.stage_began += slept
        for key, mask in ready:
            if key.data is None:
                self._read_control()
                continue
            if mask & selectors.EVENT_WRITE and key.data.wire.flush():
                self._watch(key.data, selectors.EVENT_READ)
            if mask & selectors.EVENT_READ:
                self._read(key.data)

    def _read(self, hand: Hand) -> None:
        """Take in whatever the worker has sent."""
        if hand.torn:
            return
        try:
            for message in hand.wire.drain():
                self._take(hand, message)
        except Torn:
            hand.torn = True
            self._selector.unregister(hand.wire.socket)
            hand.give_up_at = self._clock() + UNKILLABLE_S
            if hand.queue and hand.verdict is None:
                self._request_kill(hand)  # it may have closed its socket and live on
        except Exception as error:  # noqa: BLE001 - a frame that cannot be read: the worker is not to be trusted
            message = f"the worker's answer cannot be read ({type(error).__name__}: {error})"
            self._kill(hand, Failure(category=Category.CRASH, reason="unreadable-answer", message=message))

    def _take(self, hand: Hand, message: tuple[Any, ...]) -> None:
        kind, attempt = message[0], message[1]
        if kind == "back":
            self._returned(hand)
            return
        if not hand.queue or hand.queue[0].attempt.id != attempt or hand.queue[0].taken_back:
            return  # the last words of an attempt that was given up
        if kind == "file":
            self._take(hand, _read_answer(Path(message[2])))
        elif kind in ("done", "failed"):
            if hand.verdict is not None and kind == "failed":
                return  # it is being killed for a reason already known; its end tells it
            event = unpack_event(message, hand.peak_bytes)
            self._pending.append(event)
            elapsed = event.result.elapsed_s
            mean_s = self._mean_s
            self._mean_s = elapsed if mean_s is None else max(0.8 * mean_s + 0.2 * elapsed, elapsed / 20)
            self._release(hand)
        elif kind == "start":
            hand.began = hand.stage_began = self._clock()
            hand.loading = False
            hand.tasks.add(hand.queue[0].attempt.task)
            self._pending.append(Started(attempt=attempt))
        elif kind == "stage":
            hand.stage, hand.stage_began = message[2], self._clock()
            self._pending.append(StageEntered(attempt=attempt, stage=message[2]))
        elif kind == "item":
            hand.item = message[2]
            self._pending.append(ItemEntered(attempt=attempt, item=message[2]))
        elif kind == "warn":
            self._pending.append(Warned(attempt=attempt, text=message[2]))

    def _returned(self, hand: Hand) -> None:
        """The worker has passed over the first place of its queue, which was taken back, or all but."""
        place = hand.queue.popleft()
        hand.slate.forget(place.number)
        if not place.taken_back:  # it was asked for too late, and given up all the same
            del self._where[place.attempt.id]
            self._backlog.append(place.attempt)
        self._next(hand)
        if hand.retiring and not hand.queue:
            self._dismiss(hand)

    def _release(self, hand: Hand) -> None:
        """The running attempt is over; go on to the next, or replace the worker."""
        place = hand.queue.popleft()
        hand.slate.forget(place.number)
        del self._where[place.attempt.id]
        hand.jobs += 1
        if hand.verdict is not None:
            return  # finished on the very deadline: the result counts, the worker dies all the same
        if hand.has_grown(self._max_growth_bytes):
            hand.retiring = True
            self._clear(hand)
        self._next(hand)
        if hand.retiring and not hand.queue:
            self._dismiss(hand)

    def _next(self, hand: Hand) -> None:
        if hand.queue and not hand.doomed:
            hand.begin(self._clock())

    def _dismiss(self, hand: Hand) -> None:
        """Send a worker home; its place is free before it has gone."""
        hand.wire.put(("stop",))
        self._send(hand)
        self._hands.pop(hand.number, None)
        self._leaving.add(hand)

    # the keeper's messages

    def _read_control(self) -> None:
        assert self._control is not None
        try:
            for message in self._control.drain():
                if message[0] == "worker":
                    self._born(message[1], message[2])
                elif message[0] == "exit":
                    self._buried(message[1], message[2])
        except Torn:
            self._keeper_lost()

    def _born(self, number: int, pid: int) -> None:
        hand = self._hands.get(number) or next((h for h in self._leaving if h.number == number), None)
        if hand is not None:
            hand.pid = pid
            self._by_pid[pid] = hand
            if hand.verdict is not None:
                self._request_kill(hand)

    def _buried(self, pid: int, code: int) -> None:
        """A worker has ended and left nothing behind."""
        hand = self._by_pid.pop(pid, None)
        if hand is None:
            return
        self._read(hand)  # answers may have been sent before the end
        self._bury(hand, code)

    def _bury(self, hand: Hand, code: int) -> None:
        """Blame the attempt that ran, and give those behind it to others."""
        head = hand.queue[0] if hand.queue else None
        if head is not None and not head.taken_back:
            began = hand.slate.started() >= head.number
            self._stillborn = 0 if began else self._stillborn + 1
            if began or hand.verdict is not None or self._stillborn > STILLBORN:
                kills, self._oom_kills = self._oom_kills, _procs.oom_kills()
                self._pending.append(hand.death(code, self._clock(), starved=self._oom_kills > kills))
                del self._where[hand.queue.popleft().attempt.id]
        for place in hand.queue:
            if not place.taken_back:
                del self._where[place.attempt.id]
                self._backlog.append(place.attempt)
        hand.queue.clear()
        self._forget(hand)

    def _forget(self, hand: Hand) -> None:
        if not hand.torn:
            self._selector.unregister(hand.wire.socket)
            hand.torn = True
        hand.close()
        self._hands.pop(hand.number, None)
        self._leaving.discard(hand)
        self._unsent.discard(hand)
        if hand.pid is not None:
            self._by_pid.pop(hand.pid, None)

    def _keeper_lost(self) -> None:
        """The keeper was killed, and its workers with it: nobody's fault that is known."""
        assert self._control is not None and self._keeper is not None
        self._selector.unregister(self._control.socket)
        self._control.close()
        self._control = None
        for hand in {*self._hands.values(), *self._leaving, *self._by_pid.values()}:
            if hand.pid is not None:
                _procs.kill_tree(hand.pid)
            self._read(hand)
            for place in hand.queue:
                if not place.taken_back:
                    del self._where[place.attempt.id]
                    detail = "the keeper of the workers was killed"
                    self._pending.append(Lost(attempt=place.attempt.id, detail=detail))
            hand.queue.clear()
            self._forget(hand)
        self._keeper.wait()
        self._keeper_failures += 1
        if self._keeper_failures > KEEPER_FAILURES:
            raise StartError("worker processes cannot be kept alive: their keeper was killed again and again")

    # limits

    def _enforce(self) -> None:
        now = self._clock()
        for hand in list(self._hands.values()):
            if not hand.queue:
                continue
            if hand.doomed:
                if now >= hand.give_up_at:
                    log.warning("worker process %s does not end; going on without it", hand.pid)
                    self._bury(hand, -9)
                continue
            deadline, failure = hand.deadline()
            if now >= deadline and failure is not None:
                self._read(hand)  # it may have finished on the very deadline
                if hand.queue and not hand.doomed and hand.deadline()[0] <= now:
                    self._kill(hand, failure)
            elif now >= hand.next_poll:
                place = hand.queue[0]
                excess = hand.poll(now)
                if excess is not None:
                    self._read(hand)  # it may be over by now, and another one running
                    if hand.queue and hand.queue[0] is place and not hand.doomed:
                        self._kill(hand, excess)

    def _kill(self, hand: Hand, failure: Failure) -> None:
        hand.verdict = failure
        hand.give_up_at = self._clock() + UNKILLABLE_S
        self._request_kill(hand)

    def _request_kill(self, hand: Hand) -> None:
        if self._control is None or hand.pid is None:
            return
        try:
            self._control.socket.sendall(b"K" + hand.pid.to_bytes(7, "big"))
        except OSError:
            log.debug("the keeper is gone, and with it worker %d", hand.number)


def _read_answer(path: Path) -> tuple[Any, ...]:
    """An answer that was too large for the socket."""
    answer = json.loads(path.read_text(encoding="utf-8", errors="surrogatepass"))
    path.unlink()
    digests = answer[-1][DIGESTS]
    answer[-1][DIGESTS] = {name: (tuple(stat), digest) for name, (stat, digest) in digests.items()}
    answer[-1][-1] = True  # the file itself lay in the scratch folder
    return tuple(answer)
