"""Another percentile for orbits that are drawn: limits and half of the pictures anew, out of the cache."""

from __future__ import annotations

from benchmarks._row import RatioTo, Row, Side

WORKERS = 2
SHARE = 0.7  # half of the pictures, and the start of the command


def row(quick: bool = False) -> Row:
    ours, orbits = "benchmarks._ours_particles", 2 if quick else 3
    arguments = {"size": "300x200" if quick else "2400x1200", "workers": WORKERS}
    written = f"{ours}:{'write_small_orbits' if quick else 'write_orbits'}"
    drawn = f"{ours}:{'write_small_drawn' if quick else 'write_large_drawn'}"
    new, again = "batchlab, all new", "batchlab, new limits"
    return Row(
        name="new_limits",
        title=f"pictures of {orbits} orbits, all new, and those that another percentile changes",
        basis="cpu",
        rounds=1 if quick else 3,
        sides=(
            Side(
                name=new,
                case=f"{ours}:draw",
                jobs=orbits,
                arguments=arguments,
                prepare=written,
                wants_folder=True,
            ),
            Side(name=again, case=f"{ours}:draw_with_new_limits", jobs=orbits, arguments=arguments, prepare=drawn),
        ),
        goals=() if quick else (RatioTo(side=again, against=new, factor=SHARE),),
        asks="benchmarks._particles_opened:never",
        quick=quick,
    )
