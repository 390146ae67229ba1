"""1,000 frames solved to the same cost: by batchlab, by scipy, by Ceres with residuals in Python."""

from __future__ import annotations

from benchmarks._row import RatioTo, Row, Side

SCIPY, CERES = 40, 200


def row(quick: bool = False) -> Row:
    prepare = f"benchmarks._ours_motion:{'write_few' if quick else 'write_thousand'}"
    side = {"jobs": 2, "startup_jobs": 1, "prepare": prepare}
    ceres = "benchmarks._motion_by_ceres:solve"
    return Row(
        name="solvers",
        title=f"one more solve of {200 if quick else 1_000:,} frames of 8 markers, second order, to 1e-6 of the cost",
        basis="cpu",
        rounds=1 if quick else 3,
        sides=(
            Side(
                name="batchlab",
                case="benchmarks._ours_motion:solve",
                jobs=3 if quick else 101,
                arguments={"how": "joint, to 1e-6"},
                startup_jobs=1,
                prepare=prepare,
            ),
            Side(name="scipy", case="benchmarks._motion_by_hand:solve", **side),  # type: ignore[arg-type]
            Side(name="pyceres", case=ceres, arguments={"together": False}, **side),  # type: ignore[arg-type]
            Side(name="pyceres, a residual for a frame", case=ceres, arguments={"together": True}, **side),  # type: ignore[arg-type]
        ),
        goals=()
        if quick
        else (
            RatioTo(side="batchlab", against="scipy", factor=1 / SCIPY),
            RatioTo(side="batchlab", against="pyceres", factor=1 / CERES),
        ),
        asks="benchmarks._motion_alike:results",
        quick=quick,
    )
