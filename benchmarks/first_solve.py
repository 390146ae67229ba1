"""The first solve of a process against one more: what it takes to get going."""

from __future__ import annotations

from benchmarks._row import Beyond, Row, Side

LATER_S = 1.5


def row(quick: bool = False) -> Row:
    prepare = f"benchmarks._ours_motion:{'write_few' if quick else 'write_thousand'}"
    case, arguments = "benchmarks._ours_motion:solve", {"how": "joint"}
    fresh, warm = "batchlab, first", "batchlab, one more"
    return Row(
        name="first_solve",
        title=f"the first solve of a process, imports and all: {200 if quick else 1_000:,} frames of 8 markers",
        basis="wall",
        rounds=1 if quick else 5,
        sides=(
            Side(name=fresh, case=case, jobs=1, arguments=arguments, prepare=prepare),
            Side(name=warm, case=case, jobs=5, arguments=arguments, startup_jobs=1, prepare=prepare),
        ),
        goals=() if quick else (Beyond(side=fresh, against=warm, seconds=LATER_S),),
    )
