"""Raw files into the staged store, against a script that takes file after file; and once more with nothing new."""

from __future__ import annotations

from benchmarks._row import AtMost, Beyond, RatioTo, Row, Side

WORKERS = 2
COLD_S, BEYOND_START_S, FACTOR = 1.5, 0.2, 8.0


def row(quick: bool = False) -> Row:
    # A job is a whole laboratory: all its files are read in one pass, and a cold process is what a user waits for.
    prepare = f"benchmarks._ours_devices:{'write_small_lab' if quick else 'write_lab'}"
    return Row(
        name="staging",
        title="a few raw files"
        if quick
        else "604 raw files of 25 MB into the staged store, a job for all, cold process",
        basis="cpu",
        rounds=1 if quick else 5,
        sides=(
            Side(name="batchlab", case="benchmarks._ours_devices:stage", jobs=1, prepare=prepare, wants_folder=True),
            *(
                Side(
                    name=name,
                    case="benchmarks.staging:by_hand",
                    jobs=1,
                    arguments={"workers": WORKERS, "fresh": fresh},
                    prepare=prepare,
                    wants_folder=True,
                )
                for name, fresh in (("by hand", False), ("by hand, a process per file", True))
            ),
            Side(name="batchlab, nothing new", case="benchmarks._ours_devices:stage_again", jobs=1, prepare=prepare),
            Side(name="batchlab, start", case="benchmarks._ours_devices:show_help", jobs=1),
        ),
        goals=(
            AtMost(side="batchlab", limit=COLD_S, figure="cpu_s"),
            RatioTo(side="batchlab", against="by hand, a process per file", factor=1 / FACTOR),
            RatioTo(side="batchlab", against="by hand", factor=1 / FACTOR),
            Beyond(side="batchlab, nothing new", against="batchlab, start", seconds=BEYOND_START_S),
        ),
    )


def by_hand(n: int, folder: str, output: str, workers: int, fresh: bool) -> None:
    """The script of a laboratory: pandas, a table for each file, a pool of processes over the files."""
    from benchmarks._devices_by_hand.stage import stage

    rows = stage(f"{folder}/data/01_raw", output, workers, fresh=fresh)
    if any(row["status"] != "ok" for row in rows):
        raise SystemExit("not all files were read")
