"""The plots of a batch file, against a script with pandas and pyplot."""

from __future__ import annotations

from benchmarks._row import AtMost, RatioTo, Row, Side

WORKERS = 2
CPU_S, WALL_S, MEMORY_MB, FACTOR = 8.0, 5.0, 400.0, 4.0
WATCH_S = 0.1
_CASES = {"batchlab": "benchmarks._ours_devices:draw", "by hand": "benchmarks.plots:by_hand"}


def row(quick: bool = False) -> Row:
    plots = 4 if quick else 30
    prepare = f"benchmarks._ours_devices:{'write_small_plots' if quick else 'write_plots'}"

    def side(name: str, format: str, watch_s: float = 0.0, **more: object) -> Side:
        return Side(
            name=name,
            case=_CASES[name.partition(",")[0]],
            jobs=plots,
            arguments={"workers": WORKERS, "format": format, **more},
            startup_jobs=2,
            prepare=prepare,
            wants_folder=True,
            watch_s=watch_s,
        )

    return Row(
        name="plots",
        title=f"{plots} plots of six types from a batch file, 7.2x4.4 inch, {WORKERS} workers",
        basis="cpu",
        rounds=1 if quick else 3,
        sides=(
            side("batchlab", "pdf"),
            side("by hand", "pdf"),
            side("by hand, a process per plot", "pdf", fresh=True),
            side("batchlab, PNG", "png"),
            side("by hand, PNG", "png"),
            # Adding memory up takes a share of a core, which the wall time above is to be spared.
            side("batchlab, memory watched", "pdf", WATCH_S),
        ),
        goals=(
            AtMost(side="batchlab", limit=CPU_S, figure="cpu_s"),
            AtMost(side="batchlab", limit=WALL_S, figure="wall_s"),
            AtMost(side="batchlab, memory watched", limit=MEMORY_MB, figure="peak_tree_mb"),
            RatioTo(side="batchlab", against="by hand, a process per plot", factor=1 / FACTOR),
            RatioTo(side="batchlab", against="by hand", factor=1 / FACTOR),
            RatioTo(side="batchlab, PNG", against="by hand, PNG", factor=1 / FACTOR),
        ),
    )


def by_hand(n: int, folder: str, output: str, workers: int, format: str, fresh: bool = False) -> None:
    """The script of a laboratory: pandas, a fresh figure of pyplot, tight_layout, savefig; a pool over the plots."""
    from benchmarks._devices_by_hand.plots import plots

    if len(plots(f"{folder}/{format}-{n}.yaml", f"{folder}/by_hand", output, workers, fresh=fresh)) != n:
        raise SystemExit("not all plots were drawn")
