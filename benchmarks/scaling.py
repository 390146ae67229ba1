"""Two workers against one: wall time of the same comparisons with pictures."""

from __future__ import annotations

from benchmarks._row import RatioTo, Row, Side


def row(quick: bool = False) -> Row:
    samples = 8 if quick else 400
    return Row(
        name="scaling",
        title=f"{samples:,} comparisons with pictures: 2 workers against 1",
        basis="wall",
        rounds=1 if quick else 3,
        sides=tuple(
            Side(
                name=f"batchlab, {workers} worker{'s' if workers > 1 else ''}",
                case="benchmarks._ours:compare_pictures",
                jobs=samples,
                arguments={"workers": workers},
                startup_jobs=2,
                prepare="benchmarks._samples:write_samples",
                wants_folder=True,
            )
            for workers in (2, 1)
        ),
        goals=(RatioTo(side="batchlab, 2 workers", against="batchlab, 1 worker", factor=1 / 1.8),),
    )
