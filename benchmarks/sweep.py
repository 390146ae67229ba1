"""A sweep over weights and losses with held-out scores: the whole command, from a cold process to its report."""

from __future__ import annotations

from benchmarks._row import AtMost, Row, Side

LIMIT_S = 15.0


def row(quick: bool = False) -> Row:
    frames = 200 if quick else 2_000
    return Row(
        name="sweep",
        title=f"27 combinations on {frames:,} frames of 8 markers, each scored by five folds, 2 workers",
        basis="wall",
        rounds=1 if quick else 3,
        sides=(
            Side(
                name="batchlab",
                case="benchmarks._ours_motion:sweep",
                jobs=27,
                prepare=f"benchmarks._ours_motion:{'write_small_table' if quick else 'write_table'}",
                wants_folder=True,
            ),
        ),
        goals=() if quick else (AtMost(side="batchlab", limit=LIMIT_S, figure="wall_s"),),
    )
