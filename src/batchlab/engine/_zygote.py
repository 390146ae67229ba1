"""The keeper of the workers: forks them warm, reaps them, and ends them when the runner ends.

One single-threaded process between the runner and its workers. It imports the heavy modules once, so a
worker starts within milliseconds; it kills what a dead worker leaves behind before the worker's process id can be
given to anybody else; and when the runner is gone, by whatever death, it takes all workers and their children along.
Where forking after imports is not safe (macOS), it starts every worker afresh instead.
"""

from __future__ import annotations

import array
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from batchlab.engine import _procs
from batchlab.engine._bench import WORKER_MARK
from batchlab.engine._task import find_task
from batchlab.engine._wire import Torn, Wire

_PARENT_CHECK_S = 1.0


def main(control_fd: int, options: dict[str, Any]) -> None:
    """Serve the runner's requests until its socket closes."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _procs.adopt_orphans()  # no die-with-parent here: the keeper must outlive the runner by its last kill
    control = socket.socket(fileno=control_fd)
    wire = Wire(control)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    os.set_blocking(wake_read, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    if options["method"] == "forkserver":
        gc.disable()  # libraries stay for good: nothing of them is garbage
        for module in ("batchlab.engine._worker", *options["preload"]):
            _ahead(importlib.import_module, module)
        for task in options["tasks"]:
            _ahead(find_task, task)
        gc.freeze()
        gc.enable()
    keeper = _Keeper(wire, options, closed_in_workers=(control_fd, wake_read, wake_write))
    try:
        wire.send(("ready", os.getpid()))
        while True:
            readable, _, _ = select.select([control_fd, wake_read], [], [], _PARENT_CHECK_S)
            if os.getppid() != options["runner"]:  # its socket may live on in a process it forked
                raise Torn
            if wake_read in readable:
                os.read(wake_read, 4096)
                keeper.reap()
            if control_fd in readable:
                keeper.serve_requests()
    except (Torn, ConnectionError):
        keeper.end_all()


def _ahead(load: Callable[[str], object], name: str) -> None:
    try:
        load(name)
    except Exception as error:  # noqa: BLE001 - the job that needs it tells the error
        print(f"batchlab: could not preload {name}: {error}", file=sys.stderr)


class _Keeper:
    """The workers that live."""

    def __init__(self, wire: Wire, options: dict[str, Any], closed_in_workers: tuple[int, ...]) -> None:
        self._wire = wire
        self._options = options
        self._closed_in_workers = closed_in_workers
        self._workers: set[int] = set()

    def serve_requests(self) -> None:
        """Do what the runner asks: a byte says what, a worker's socket comes along with it."""
        data, ancillary, _, _ = self._wire.socket.recvmsg(8, socket.CMSG_SPACE(4))
        if not data:
            raise Torn
        fds = array.array("i")
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(content[: len(content) - (len(content) % fds.itemsize)])
        number = int.from_bytes(data[1:8], "big")
        if data[:1] == b"F":
            pid = self._start(fds[0], number)
            os.close(fds[0])
            self._wire.send(("worker", number, pid))
        elif data[:1] == b"K" and number in self._workers:
            _procs.kill_tree(number)

    def _start(self, fd: int, number: int) -> int:
        log_path = os.path.join(self._options["logs"], f"worker-{self._options['runner']}-{number}.out")
        keeper = os.getpid()
        pid = os.fork()
        if pid == 0:
            for descriptor in self._closed_in_workers:
                os.close(descriptor)
            _become_worker(fd, log_path, keeper, self._options)
        self._workers.add(pid)
        return pid

    def reap(self) -> None:
        """Report every worker that ended, after ending what it left behind."""
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            pid = ended.si_pid
            if pid in self._workers:
                self._workers.discard(pid)
                _procs.kill_tree(pid)  # while its id cannot be another's yet
                _procs.kill_marked(f"{WORKER_MARK}={pid}")
                _, status = os.waitpid(pid, 0)
                self._wire.send(("exit", pid, os.waitstatus_to_exitcode(status)))
            else:
                os.waitpid(pid, 0)  # an orphan of a worker's child

    def end_all(self) -> None:
        """Kill every descendant; called when the runner is gone or has closed the pool."""
        for pid in list(self._workers):
            _procs.kill_tree(pid)
        for pid in _procs.tree(os.getpid())[1:]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def _become_worker(fd: int, log_path: str, keeper: int, options: dict[str, Any]) -> NoReturn:
    status = 1
    try:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if options["method"] == "spawn":
            os.set_inheritable(fd, True)
            told = {name: options[name] for name in ("verbose", "cwd")}
            words = json.dumps({"fd": fd, "log": log_path, "keeper": keeper, **told})
            os.execv(sys.executable, [sys.executable, "-m", "batchlab.engine._spawned", words])
        _procs.die_with_parent(keeper)
        from batchlab.engine._worker import serve

        serve(socket.socket(fileno=fd), log_path, verbose=options["verbose"], cwd=options["cwd"])
        status = 0
    except BaseException:  # noqa: BLE001 - nothing may run on into the keeper's loop
        import traceback

        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    words = json.loads(sys.argv[1])
    main(words["fd"], words)
