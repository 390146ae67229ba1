"""What the operating system knows of processes: identity, memory, kinship, death."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import uuid
from functools import cache
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PROC = Path("/proc")

THREAD_CAPS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "NUMBA_NUM_THREADS",
)


@cache
def boot_id() -> str:
    """An identity of this boot of this machine: pids mean nothing beyond it."""
    file = _PROC / "sys/kernel/random/boot_id"
    if file.exists():
        return file.read_text().strip()
    return f"{uuid.getnode():x}-{int(psutil.boot_time())}"


def start_time(pid: int) -> str | None:
    """When the process began, in the system's own ticks; None if there is none of this pid."""
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes()
        return stat[stat.rindex(b")") + 2 :].split()[19].decode()
    except FileNotFoundError:
        if sys.platform.startswith("linux"):
            return None
    except OSError:
        return None
    try:
        return repr(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def die_with_parent(parent: int) -> None:
    """End this process by SIGKILL as soon as its parent ends (Linux; elsewhere the parent's keeper does it)."""
    if sys.platform.startswith("linux"):
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the call
            os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends (Linux)."""
    if sys.platform.startswith("linux"):
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def children(pid: int) -> list[int]:
    """Direct children of a process; none if it is gone."""
    tasks = _PROC / str(pid) / "task"
    found: list[int] = []
    try:
        for thread in os.listdir(tasks):
            with open(f"{tasks}/{thread}/children", "rb") as file:
                found += map(int, file.read().split())
    except OSError:
        if sys.platform.startswith("linux"):
            return found
        try:
            return [child.pid for child in psutil.Process(pid).children()]
        except psutil.Error:
            return []
    return found


def tree(pid: int) -> list[int]:
    """The process and all its descendants, itself first."""
    found = [pid]
    for member in found:
        found += [child for child in children(member) if child not in found]
    return found


def kill_tree(pid: int) -> None:
    """SIGKILL a group leader, its group and every descendant, also those that left the group."""
    members = tree(pid)
    for send, target in ((os.killpg, pid), *((os.kill, member) for member in members)):
        try:
            send(target, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def kill_marked(mark: str) -> None:
    """SIGKILL the children of this process whose environment has this entry, and all below them.

    They are daemons: started by a worker, given away by their parent, adopted here.
    """
    wanted = mark.encode()
    for child in children(os.getpid()):
        try:
            entries = (_PROC / str(child) / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted in entries:
            for member in tree(child):
                _kill(member)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def tree_rss_bytes(pid: int) -> int:
    """Resident memory of a process and all its descendants, pages shared between them counted for each."""
    return sum(map(rss_bytes, tree(pid)))


def rss_bytes(pid: int) -> int:
    """Resident memory of one process; 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * _page_bytes()
    except OSError:
        if sys.platform.startswith("linux"):
            return 0
        try:
            return int(psutil.Process(pid).memory_info().rss)
        except psutil.Error:
            return 0


@cache
def _page_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE")


def oom_kills() -> int:
    """How many processes this machine's kernel has killed for want of memory; 0 where it does not tell."""
    try:
        for line in (_PROC / "vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    except OSError:
        return 0
    return 0


def signal_name(number: int) -> str:
    """SIGSEGV for 11."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class PeakMemory:
    """The peak resident memory of this process since the last `reset`."""

    def __init__(self) -> None:
        try:
            self._reset: int | None = os.open("/proc/self/clear_refs", os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            self._reset = None

    def reset(self) -> None:
        """Forget the peak so far."""
        if self._reset is not None:
            os.write(self._reset, b"5")  # 5: reset the peak resident set size

    def bytes(self) -> int:
        """The peak since the reset; since the process began where the system cannot reset it."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
