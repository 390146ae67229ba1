"""Measure one function in a fresh process: wall time, CPU of all its descendants, largest process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["MeasureError", "Usage", "ask", "measure"]

ROOT = Path(__file__).resolve().parent.parent

# One thread per process for every side alike: the table compares work, not how many threads a BLAS takes.
_THREAD_CAPS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")


class MeasureError(Exception):
    """A measured function failed; the message ends with what it last said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one run took."""

    wall_s: float  # inside the process: imports, start of workers, jobs, end of workers
    cpu_s: float  # user and system, of the process and all its descendants
    peak_rss_mb: float  # of the largest single process, MB of 10^6 bytes
    left_behind: int  # processes that outlived the run and were killed
    orphans_counted: bool  # false where the system can't adopt orphans: then cpu_s is a lower bound
    peak_tree_mb: float | None = None  # of all processes together, where that was watched


def measure(
    case: str,
    arguments: Mapping[str, object],
    *,
    timeout_s: float = 1800.0,
    grace_s: float = 20.0,
    watch_s: float = 0.0,
) -> Usage:
    """Run `case` in a fresh process and account for it.

    Parameters
    ----------
    case
        ``module:function``.
    arguments
        Its keyword arguments; they travel as JSON.
    timeout_s, grace_s
        How long the run may take, and how long what it leaves may linger.
    watch_s
        How often the memory of all its processes is added up; 0 never does.

    Raises
    ------
    MeasureError
        If the function fails or takes too long.
    """
    account, said = _supervised(case, arguments, timeout_s, grace_s, watch_s)
    return Usage(
        wall_s=said["wall_s"],
        cpu_s=account["cpu_s"],
        peak_rss_mb=account["peak_rss_mb"],
        left_behind=account["left_behind"],
        orphans_counted=account["orphans_counted"],
        peak_tree_mb=account["peak_tree_mb"] if watch_s else None,
    )


def ask(case: str, arguments: Mapping[str, object]) -> Any:
    """Run `case` in a fresh process and give what it returns, as JSON hands it over; raises as `measure` does."""
    return _supervised(case, arguments, 1800.0, 20.0, 0.0)[1]["returned"]


def _supervised(
    case: str, arguments: Mapping[str, object], timeout_s: float, grace_s: float, watch_s: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The account of a run, and what the run said of itself."""
    with tempfile.TemporaryDirectory(prefix="batchlab-bench-") as scratch:
        account_file, wall_file = Path(scratch, "account.json"), Path(scratch, "wall.json")
        run = [sys.executable, "-m", "benchmarks._case", case, json.dumps(arguments), str(wall_file)]
        supervised = [
            sys.executable,
            "-m",
            "benchmarks._supervise",
            str(account_file),
            str(timeout_s),
            str(grace_s),
            str(watch_s),
        ]
        done = subprocess.run(
            [*supervised, *run],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(),
            cwd=ROOT,
            check=False,
        )
        said = done.stdout.decode(errors="replace").strip()
        if done.returncode != 0 or not account_file.exists():
            raise MeasureError(f"{case}: the accounting failed ({done.returncode}): {_last_line(said)}")
        account = json.loads(account_file.read_text(encoding="utf-8"))
        if account["timed_out"]:
            raise MeasureError(f"{case}: not done after {timeout_s:g} s")
        if account["exit_code"] != 0 or not wall_file.exists():
            raise MeasureError(f"{case}: {_last_line(said)}")
        return account, json.loads(wall_file.read_text(encoding="utf-8"))


def _environment() -> dict[str, str]:
    environment = {**os.environ, **_THREAD_CAPS}
    # Without bytecode each worker compiles its imports anew, which would drown what is measured.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    path = [str(ROOT), str(ROOT / "src"), environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(part for part in path if part)
    return environment


def _last_line(text: str) -> str:
    return text.splitlines()[-1] if text else "it said nothing"
