"""Comparisons with a picture each, against the way a user writes it."""

from __future__ import annotations

from pathlib import Path

from benchmarks._row import AtMost, RatioTo, Row, Side
from benchmarks.numbers import metrics, on_common_axis


def row(quick: bool = False) -> Row:
    samples = 4 if quick else 1_000
    # At nearly a second each, a thousand by hand would take a quarter of an hour per round; the cost of one
    # further picture does not depend on how many there are.
    by_hand = 4 if quick else 40
    return Row(
        name="pictures",
        title=f"{samples:,} comparisons of 3,600 points, 3000x1800 PNG with difference panel, no CSV",
        basis="cpu",
        rounds=1 if quick else 3,
        sides=(
            Side(
                name="batchlab",
                case="benchmarks._ours:compare_pictures",
                jobs=samples,
                arguments={"workers": 2},
                startup_jobs=2,
                prepare="benchmarks._samples:write_samples",
                wants_folder=True,
            ),
            Side(
                name="by hand",
                case="benchmarks.pictures:by_hand",
                jobs=by_hand,
                startup_jobs=1,
                prepare="benchmarks._samples:write_samples",
                wants_folder=True,
            ),
        ),
        goals=(
            RatioTo(side="batchlab", against="by hand", factor=1 / 12),
            AtMost(side="batchlab", limit=0.055),
        ),
    )


def by_hand(n: int, folder: str, output: str) -> None:
    """Compare and draw as scripts in laboratories do: pandas, a fresh figure, tight_layout, savefig."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    import pandas as pd

    reference = pd.read_csv(Path(folder, "reference.csv"))
    paths = sorted(Path(folder).glob("sample_*.csv"))[:n]
    if len(paths) != n:
        raise RuntimeError(f"{len(paths)} samples found, {n} asked for")
    for path in paths:
        sample = pd.read_csv(path)
        axis, ours, theirs = on_common_axis(
            reference["wavenumber"].to_numpy(),
            reference["intensity"].to_numpy(),
            sample["wavenumber"].to_numpy(),
            sample["intensity"].to_numpy(),
        )
        found = metrics(axis, ours, theirs)
        figure, (top, bottom) = plt.subplots(2, 1, figsize=(10, 6), sharex=True)
        top.plot(axis, ours, label="reference")
        top.plot(axis, theirs, label=path.stem)
        top.set_ylabel("intensity")
        top.set_title(f"{path.stem}: r = {found['pearson_r']:.4f}, RMSE = {found['rmse']:.4g}")
        top.legend()
        top.grid(True)
        bottom.plot(axis, theirs - ours)
        bottom.axhline(0.0, color="black", linewidth=0.8)
        bottom.set_xlabel("wavenumber / cm$^{-1}$")
        bottom.set_ylabel("difference")
        bottom.grid(True)
        figure.tight_layout()
        figure.savefig(Path(output, f"{path.stem}.png"), dpi=300)
        plt.close(figure)
