"""All metrics of a laboratory with exact fits and pairs, against a script with pandas and lmfit."""

from __future__ import annotations

from benchmarks._row import AtMost, RatioTo, Row, Side

WORKERS = 2
ALL_S, PAIRS_S, FACTOR = 4.0, 0.3, 10.0


def row(quick: bool = False) -> Row:
    # A job is a whole laboratory; of pairs alone the first pass, which imports libraries, too, is taken off.
    prepare = f"benchmarks._ours_devices:{'write_small_lab' if quick else 'write_lab'}"
    ours = "benchmarks._ours_devices"
    return Row(
        name="metrics",
        title="all metrics of a few runs" if quick else "all metrics of 600 runs with fits and pairs, cold process",
        basis="cpu",
        rounds=1 if quick else 3,
        sides=(
            Side(name="batchlab", case=f"{ours}:derive", jobs=1, prepare=prepare, wants_folder=True),
            *(
                Side(
                    name=name,
                    case="benchmarks.metrics:by_hand",
                    jobs=1,
                    arguments={"workers": WORKERS, "fresh": fresh},
                    prepare=prepare,
                    wants_folder=True,
                )
                for name, fresh in (("by hand", False), ("by hand, a process per file", True))
            ),
            Side(name="batchlab, all pairs", case=f"{ours}:pairs", jobs=4, startup_jobs=1, prepare=prepare),
            Side(
                name="batchlab, pairs by command",
                case=f"{ours}:derive_pairs",
                jobs=1,
                prepare=prepare,
                wants_folder=True,
            ),
        ),
        goals=(
            AtMost(side="batchlab", limit=ALL_S, figure="cpu_s"),
            RatioTo(side="batchlab", against="by hand, a process per file", factor=1 / FACTOR),
            RatioTo(side="batchlab", against="by hand", factor=1 / FACTOR),
            AtMost(side="batchlab, all pairs", limit=PAIRS_S),
        ),
        asks="benchmarks._devices_alike:results",
        quick=quick,
    )


def by_hand(n: int, folder: str, output: str, workers: int, fresh: bool) -> None:
    """The script of a laboratory: pandas, lmfit, a pool of processes over the runs, then over the pairs."""
    from benchmarks._devices_by_hand.metrics import metrics

    if metrics(f"{folder}/by_hand", output, workers, fresh=fresh).empty:
        raise SystemExit("no metrics")
