"""Planning a batch that is done: what a scientist waits for when nothing has changed."""

from __future__ import annotations

from benchmarks._row import AtMost, Goal, RatioTo, Row, Side

LIMIT_S = 12.0
LIMIT_MB = 500.0
# A cost per job that does not grow: from the smallest size to the largest it may rise by half, no more.
LINEAR = 1.5


def row(quick: bool = False) -> Row:
    sizes = (10, 100) if quick else (1_000, 10_000, 100_000)
    names = {size: f"batchlab, {size:,} jobs" for size in sizes}
    largest = names[sizes[-1]]
    goals: list[Goal] = [RatioTo(side=largest, against=names[sizes[0]], factor=LINEAR)]
    if not quick:
        goals += [
            AtMost(side=largest, limit=LIMIT_S, figure="wall_s"),
            AtMost(side=largest, limit=LIMIT_MB, figure="peak_rss_mb"),
        ]
    return Row(
        name="plan",
        title=f"plan of a finished batch of {sizes[-1]:,} jobs (2 inputs, 1 output on disk)",
        basis="cpu",
        rounds=1 if quick else 3,
        sides=tuple(
            Side(
                name=name,
                case="benchmarks._ours:plan_finished",
                jobs=size,
                prepare="benchmarks._ours:prepare_finished",
            )
            for size, name in names.items()
        ),
        goals=tuple(goals),
    )
