"""Limits of more and more orbits: memory is not to grow with them."""

from __future__ import annotations

from benchmarks._row import Goal, RatioTo, Row, Side

WORKERS = 2
FLAT = 1.1
WATCH_S = 0.05


def row(quick: bool = False) -> Row:
    sizes = (2, 4) if quick else (10, 40, 160)
    names = {size: f"batchlab, {size} orbits" for size in sizes}
    prepare = f"benchmarks._ours_particles:{'write_small_orbits' if quick else 'write_middling_orbits'}"
    goals: list[Goal] = []
    for size in sizes[1:]:
        for figure in ("peak_rss_mb", "peak_tree_mb"):
            goals.append(RatioTo(side=names[size], against=names[sizes[0]], factor=FLAT, figure=figure))
    return Row(
        name="extrema_memory",
        title=f"limits of {', '.join(map(str, sizes))} orbits, 4 files each, {WORKERS} workers",
        basis="cpu",
        rounds=1 if quick else 2,
        sides=tuple(
            Side(
                name=name,
                case="benchmarks._ours_particles:settle",
                jobs=size,
                arguments={"workers": WORKERS},
                startup_jobs=1,
                prepare=prepare,
                wants_folder=True,
                watch_s=WATCH_S,
            )
            for size, name in names.items()
        ),
        goals=tuple(goals),
    )
