"""One solve of more and more frames: time is to grow as they do, up to an hour at 120 Hz."""

from __future__ import annotations

from benchmarks._row import AtMost, Goal, RatioTo, Row, Side

LINEAR = 2.0  # per frame: beyond the caches each costs more, for reasons of memory
LIMIT_S, LIMIT_MB = 20.0, 2_000.0


def row(quick: bool = False) -> Row:
    sizes = (2, 4) if quick else (10, 100, 432)
    names = {size: f"batchlab, {size},000 frames" for size in sizes}
    smallest, largest = names[sizes[0]], names[sizes[-1]]
    goals: list[Goal] = [RatioTo(side=names[size], against=smallest, factor=LINEAR) for size in sizes[1:]]
    if not quick:
        goals += [
            AtMost(side=largest, limit=LIMIT_S, figure="cpu_s"),
            AtMost(side=largest, limit=LIMIT_MB, figure="peak_rss_mb"),
        ]
    return Row(
        name="frames",
        title=f"one solve of {', '.join(f'{size},000' for size in sizes)} frames of 8 markers, poses and geometry",
        basis="cpu",
        rounds=1 if quick else 2,
        sides=tuple(
            Side(
                name=name,
                case="benchmarks._ours_motion:solve_thousands",
                jobs=size,
                startup_jobs=1,
                prepare="benchmarks._ours_motion:write_thousands",
            )
            for size, name in names.items()
        ),
        goals=tuple(goals),
    )
