"""What a job may leave behind in its process, and how the next one finds it as the first did."""

from __future__ import annotations

import io
import os
import signal
import sys

WORKER_MARK = "BATCHLAB_WORKER"  # in the environment of everything a worker starts: its process id


def open_streams() -> None:
    """Python's standard streams on descriptors 1 and 2, written through at once."""
    for name, number in (("stdout", 1), ("stderr", 2)):
        raw = open(number, "wb", buffering=0, closefd=False)
        stream = io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", write_through=True)
        setattr(sys, name, stream)


class Bench:
    """The state of this process that one job could change for the next."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._cwd = os.getcwd()
        self._umask = os.umask(0o022)
        os.umask(self._umask)
        self._environment = dict(os.environ)
        self._raw = dict(_raw_environment())
        self._streams = (sys.stdout, sys.stderr)

    def tidy(self) -> None:
        """Put back what the last job changed."""
        if (sys.stdout, sys.stderr) != self._streams or sys.stdout.closed or sys.stderr.closed:
            if any(stream.closed for stream in self._streams):
                open_streams()
                self._streams = (sys.stdout, sys.stderr)
            sys.stdout, sys.stderr = self._streams
        signal.setitimer(signal.ITIMER_REAL, 0)
        os.umask(self._umask)
        os.chdir(self._cwd)
        if _raw_environment() != self._raw:
            os.environ.clear()
            os.environ.update(self._environment)


def _raw_environment() -> dict[bytes, bytes]:
    """The environment undecoded: it is compared after every job."""
    raw: dict[bytes, bytes] = os.environ._data  # type: ignore[attr-defined]
    return raw
