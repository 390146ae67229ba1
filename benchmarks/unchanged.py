"""A mission asked for again where nothing has changed: the whole command, from a cold process to its end."""

from __future__ import annotations

from benchmarks._row import AtMost, Row, Side

LIMIT_S = 1.0


def row(quick: bool = False) -> Row:
    orbits = 3 if quick else 300
    return Row(
        name="unchanged",
        title=f"{orbits} orbits of 4 files and 10 pictures again, nothing new, a job for all",
        basis="cpu",
        rounds=1 if quick else 5,
        sides=(
            Side(
                name="batchlab",
                case="benchmarks._ours_particles:draw_again",
                jobs=orbits,
                prepare="benchmarks._ours_particles:write_drawn",
            ),
            Side(name="batchlab, start", case="benchmarks._ours_particles:show_help", jobs=1),
        ),
        goals=() if quick else (AtMost(side="batchlab", limit=LIMIT_S, figure="cpu_s"),),
    )
