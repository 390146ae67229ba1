"""Jobs with one output of 1 kB each, against a loop that writes and syncs each file."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks._row import RatioTo, Row, Side

WORKERS = 2


def row(quick: bool = False) -> Row:
    jobs = 100 if quick else 10_000
    return Row(
        name="outputs",
        title=f"{jobs:,} jobs with one output of 1 kB each, {WORKERS} workers, full durability",
        basis="wall",
        rounds=1 if quick else 3,
        sides=(
            Side(
                name="batchlab",
                case="benchmarks._ours:run_outputs",
                jobs=jobs,
                arguments={"workers": WORKERS},
                startup_jobs=WORKERS,
                wants_folder=True,
            ),
            Side(
                name="bare loop",
                case="benchmarks.outputs:loop",
                jobs=jobs,
                startup_jobs=1,
                wants_folder=True,
            ),
        ),
        goals=(RatioTo(side="batchlab", against="bare loop", factor=2.0),),
    )


def loop(n: int, folder: str) -> None:
    """Write `n` files of 1,000 bytes, each on the disk before the next begins."""
    for number in range(n):
        content = f"{number:<999}\n".encode()
        with Path(folder, f"job-{number}.txt").open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
