"""All pictures of orbits, limits and all, at two sizes, against the way a user writes it."""

from __future__ import annotations

from benchmarks._row import AtMost, Goal, RatioTo, Row, Side

WORKERS = 2
LIMIT_S = {"4800x2400": 20.0, "2400x1200": 9.0}
MEMORY_MB, FACTOR = 250.0, 5.0
PICTURES = 10  # of an orbit


def row(quick: bool = False) -> Row:
    sizes = ("700x500",) if quick else tuple(LIMIT_S)
    prepare = f"benchmarks._ours_particles:{'write_small_orbits' if quick else 'write_orbits'}"
    sides, goals = [], list[Goal]()
    for size in sizes:
        ours, theirs = f"batchlab, {size}", f"by hand, {size}"
        for name, case in ((ours, "benchmarks._ours_particles:draw"), (theirs, "benchmarks.orbits:by_hand")):
            sides.append(
                Side(
                    name=name,
                    case=case,
                    jobs=2 if quick else 3,
                    arguments={"size": size, "workers": WORKERS},
                    startup_jobs=1,
                    prepare=prepare,
                    wants_folder=True,
                )
            )
        if not quick:
            goals += [
                AtMost(side=ours, limit=LIMIT_S[size]),
                AtMost(side=ours, limit=MEMORY_MB, figure="peak_rss_mb"),
            ]
        goals.append(RatioTo(side=ours, against=theirs, factor=1 / FACTOR))
    return Row(
        name="orbits",
        title=f"orbits of 4 instruments, {PICTURES} pictures each with a zoom, limits computed, {WORKERS} workers",
        basis="cpu",
        rounds=1 if quick else 3,
        sides=tuple(sides),
        goals=tuple(goals),
        asks="benchmarks._particles_alike:results",
        quick=quick,
    )


def by_hand(n: int, folder: str, output: str, size: str, workers: int) -> None:
    """The script of a user: cdflib, nansum, pcolormesh, tight_layout, savefig; a pool over the orbits."""
    from benchmarks._ours_particles import orbits_there
    from benchmarks._particles_by_hand import plots

    width, _, height = size.partition("x")
    drawn = plots(
        folder, output, orbits_there(folder)[:n], (int(width), int(height)), (("log", "log"),), workers=workers
    )
    if len(drawn) != PICTURES * n:
        raise SystemExit(f"{len(drawn)} pictures of {n} orbits")
