"""All metrics of more and more chips: time is to grow as they do, and memory not at all."""

from __future__ import annotations

from benchmarks._row import Goal, RatioTo, Row, Side

WORKERS = 2
LINEAR, FLAT = 1.2, 1.1
WATCH_S = 0.1


def row(quick: bool = False) -> Row:
    sizes = (2, 4) if quick else (5, 10, 20)
    names = {size: f"batchlab, {size} chips" for size in sizes}
    prepare = f"benchmarks._ours_devices:{'write_small_chips' if quick else 'write_chips'}"
    smallest = names[sizes[0]]
    goals: list[Goal] = []
    for size in sizes[1:]:
        goals += [
            RatioTo(side=names[size], against=smallest, factor=LINEAR),
            RatioTo(side=names[size], against=smallest, factor=FLAT, figure="peak_rss_mb"),
            RatioTo(side=names[size], against=smallest, factor=FLAT, figure="peak_tree_mb"),
        ]
    return Row(
        name="growth",
        title=f"all metrics of {', '.join(map(str, sizes))} chips, {12 if quick else 60} runs each, {WORKERS} workers",
        basis="cpu",
        rounds=1 if quick else 2,
        sides=tuple(
            Side(
                name=name,
                case="benchmarks._ours_devices:derive_chips",
                jobs=size,
                arguments={"of": size, "workers": WORKERS},
                startup_jobs=1,
                prepare=prepare,
                wants_folder=True,
                watch_s=WATCH_S,
            )
            for size, name in names.items()
        ),
        goals=tuple(goals),
    )
