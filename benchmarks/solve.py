"""One more solve of a body in a process that has solved before: 10,000 frames of 8 markers, poses and geometry."""

from __future__ import annotations

from benchmarks._row import AtMost, Row, Side

JOINT_S, POSES_S = 0.30, 0.10
HOWS = {
    "batchlab": "joint",
    "batchlab, poses alone": "poses",
    "batchlab, Huber's loss": "robust",
    "batchlab, standard errors": "errors",
}


def row(quick: bool = False) -> Row:
    joint, poses, *_ = HOWS
    return Row(
        name="solve",
        title=f"one more solve of {200 if quick else 10_000:,} frames of 8 markers, smooth, one thread",
        basis="cpu",
        rounds=1 if quick else 5,
        sides=tuple(
            Side(
                name=name,
                case="benchmarks._ours_motion:solve",
                jobs=3 if quick else 21,
                arguments={"how": how},
                startup_jobs=1,
                prepare=f"benchmarks._ours_motion:{'write_few' if quick else 'write_ten_thousand'}",
            )
            for name, how in HOWS.items()
        ),
        goals=() if quick else (AtMost(side=joint, limit=JOINT_S), AtMost(side=poses, limit=POSES_S)),
    )
