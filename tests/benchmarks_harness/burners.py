"""Functions whose cost is known: what the accounting is tried on. Each runs in a process of its own."""

from __future__ import annotations

import os
import signal
import sys
import time


def idle() -> None:
    """Do nothing."""


def burn(cpu_s: float) -> None:
    """Use exactly that much CPU, however long it takes."""
    until = time.process_time() + cpu_s
    while time.process_time() < until:
        pass


def burn_in_orphan(cpu_s: float) -> None:
    """Leave the burning to a grandchild whose parent ends at once, in a session of its own."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            burn(cpu_s)
        os._exit(0)
    os.wait()


def burn_in_pool(cpu_s: float) -> None:
    """Burn in a worker that is the child of a fork server, not of this process."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("forkserver")) as pool:
        pool.submit(burn, cpu_s).result()


def take_memory(megabytes: int) -> None:
    """Hold that much at once."""
    held = bytearray(megabytes * 10**6)
    held[::4096] = b"x" * len(held[::4096])


def hold_memory(n: int) -> None:
    """Hold `n` MB for as long as it takes to look at them often."""
    held = bytearray(n * 10**6)
    held[::4096] = b"x" * len(held[::4096])
    burn(0.3)


def leave_a_sleeper(pid_file: str) -> None:
    """End while a child that ignores SIGTERM waits for ever."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            signal.pause()
    with open(pid_file, "w", encoding="ascii") as file:
        file.write(str(child))


def hang() -> None:
    """Never end."""
    while True:
        signal.pause()


def fail() -> None:
    """Say something and fail."""
    print("before the end", file=sys.stderr)
    raise ValueError("the reason")


def write_and_count(n: int, folder: str) -> None:
    """Leave a file: a second run in the same folder would fail."""
    with open(os.path.join(folder, "made"), "x", encoding="ascii") as file:
        file.write(str(n))


def read_prepared(n: int, folder: str) -> None:
    """Fail unless `write_and_count` prepared the folder for that many jobs."""
    with open(os.path.join(folder, "made"), encoding="ascii") as file:
        if int(file.read()) != n:
            raise ValueError("prepared for another number of jobs")


def burn_per_job(n: int, per_job_s: float, start_s: float) -> None:
    """Cost a start and something per job."""
    burn(start_s + n * per_job_s)
