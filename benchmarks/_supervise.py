"""Start a command in its own session and count the CPU of everything that descends from it.

``python -m benchmarks._supervise RESULT TIMEOUT_S GRACE_S WATCH_S COMMAND...``. On Linux this process becomes the
reaper of all its descendants, so a worker whose parent ended first is still waited for, and its CPU counted.
Its own CPU is no part of the measurement. Every WATCH_S seconds, unless that is 0, it adds up the memory of them all.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

PR_SET_CHILD_SUBREAPER = 36
POLL_S = 0.005


class Account(TypedDict):
    """What the supervisor writes into RESULT."""

    cpu_s: float
    peak_rss_mb: float
    peak_tree_mb: float
    processes_reaped: int
    left_behind: int
    orphans_counted: bool
    timed_out: bool
    exit_code: int


def become_subreaper() -> bool:
    """Adopt orphaned descendants; false where the system has no such thing."""
    if not sys.platform.startswith("linux"):
        return False
    return int(ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)) == 0


def supervise(command: Sequence[str], *, timeout_s: float, grace_s: float, watch_s: float) -> Account:
    """Run `command` to its end and wait for all that it leaves.

    Processes still there `grace_s` after the command ended are killed and told as left behind; so is
    everything after `timeout_s`. A peak of all together that lasts less than `watch_s` may be missed.
    """
    account = Account(
        cpu_s=0.0,
        peak_rss_mb=0.0,
        peak_tree_mb=0.0,
        processes_reaped=0,
        left_behind=0,
        orphans_counted=become_subreaper(),
        timed_out=False,
        exit_code=0,
    )
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + timeout_s
    running = True
    watch_at = time.monotonic() if watch_s else math.inf
    try:
        while True:
            if time.monotonic() >= watch_at:
                account["peak_tree_mb"] = max(account["peak_tree_mb"], _tree_mb())
                watch_at = time.monotonic() + watch_s
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return account
            if pid:
                account["cpu_s"] += usage.ru_utime + usage.ru_stime
                peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
                account["peak_rss_mb"] = max(account["peak_rss_mb"], peak)
                account["processes_reaped"] += 1
                if pid == child.pid:
                    running = False
                    child.returncode = account["exit_code"] = os.waitstatus_to_exitcode(status)
                    deadline = time.monotonic() + grace_s
            elif time.monotonic() > deadline:
                account["timed_out"] |= running
                account["left_behind"] += _kill_descendants()
                deadline = time.monotonic() + grace_s
            else:
                time.sleep(POLL_S)
    finally:
        _kill_descendants()


def _tree_mb() -> float:
    """Memory of all that descends from this process; a page that several share counts once, where that is known."""
    import psutil

    total = 0
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            full = process.memory_full_info()
            total += getattr(full, "pss", full.rss)
    return total / 1e6


def _kill_descendants() -> int:
    """Kill what still lives below this process and say how many those were."""
    import psutil

    killed = 0
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                process.send_signal(signal.SIGKILL)
                killed += 1
    return killed


def main() -> None:
    result, timeout_s, grace_s, watch_s, *command = sys.argv[1:]
    account = supervise(command, timeout_s=float(timeout_s), grace_s=float(grace_s), watch_s=float(watch_s))
    Path(result).write_text(json.dumps(account), encoding="utf-8")


if __name__ == "__main__":
    main()
