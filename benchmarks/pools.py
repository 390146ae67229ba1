"""Consecutive sweeps of ten chips compared in one pool of processes, against a pool for each chip."""

from __future__ import annotations

from benchmarks._row import RatioTo, Row, Side

WORKERS = 2
FACTOR = 2.7


def row(quick: bool = False) -> Row:
    prepare = f"benchmarks._ours_devices:{'write_small_lab' if quick else 'write_lab'}"
    cases = {"one pool": "one_pool", "a pool per chip": "pool_per_chip"}
    return Row(
        name="pools",
        title=f"consecutive sweeps of {2 if quick else 10} chips, {WORKERS} workers: one pool against a pool per chip",
        basis="cpu",
        rounds=1 if quick else 3,
        sides=tuple(
            Side(
                name=name,
                case=f"benchmarks._ours_devices:{case}",
                jobs=1,
                arguments={"workers": WORKERS},
                prepare=prepare,
            )
            for name, case in cases.items()
        ),
        goals=(RatioTo(side="one pool", against="a pool per chip", factor=1 / FACTOR),),
    )
