"""All four pairs of scales against one: files are read once, whatever is drawn of them."""

from __future__ import annotations

from benchmarks._row import RatioTo, Row, Side

WORKERS, PAIRS = 2, 4
SIZE, QUICK_SIZE = "2400x1200", "700x500"


def row(quick: bool = False) -> Row:
    prepare = f"benchmarks._ours_particles:{'write_small_orbits' if quick else 'write_orbits'}"
    cases = {"one pair": "draw", "four pairs": "draw_all_scales"}
    return Row(
        name="scale_pairs",
        title="pictures of orbits by one and by all four pairs of scales",
        basis="cpu",
        rounds=1 if quick else 3,
        sides=tuple(
            Side(
                name=name,
                case=f"benchmarks._ours_particles:{case}",
                jobs=2,
                arguments={"size": QUICK_SIZE if quick else SIZE, "workers": WORKERS},
                startup_jobs=1,
                prepare=prepare,
                wants_folder=True,
            )
            for name, case in cases.items()
        ),
        goals=(RatioTo(side="four pairs", against="one pair", factor=PAIRS),),
        asks="benchmarks._particles_opened:once",
        quick=quick,
    )
