"""What it costs to tell how a file is laid out, and how often that is right."""

from __future__ import annotations

from benchmarks._row import AtMost, Row, Side

SMALL_LIMIT_S, LARGE_LIMIT_S = 5e-3, 60e-3


def row(quick: bool = False) -> Row:
    small, left_open, large = "batchlab, 200 kB", "batchlab, 200 kB, last line open", "batchlab, 8 MB"
    files = {small: ("write_small_file", 200), left_open: ("write_open_file", 200), large: ("write_large_file", 40)}
    return Row(
        name="recogniser",
        title="planning how a file is read: a spectrum in two columns, 200 kB and 8 MB",
        basis="cpu",
        rounds=1 if quick else 5,
        sides=tuple(
            Side(
                name=name,
                case="benchmarks._recognition:plan_files",
                jobs=3 if quick else times,
                startup_jobs=1,
                prepare=f"benchmarks._samples:{prepare}",
            )
            for name, (prepare, times) in files.items()
        ),
        goals=(
            AtMost(side=small, limit=SMALL_LIMIT_S),
            AtMost(side=left_open, limit=SMALL_LIMIT_S),
            AtMost(side=large, limit=LARGE_LIMIT_S),
        ),
        asks="benchmarks._recognition:results",
        quick=quick,
    )
