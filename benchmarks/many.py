"""Correlation, RMSE and angle of many spectra with one, against a loop over them."""

from __future__ import annotations

from pathlib import Path

from benchmarks._row import AtMost, RatioTo, Row, Side

LIMIT_S = 0.3


def row(quick: bool = False) -> Row:
    # A job is a pass over all spectra; the first, which loads them and the libraries too, is taken off.
    prepare = "benchmarks._samples:write_small_matrix" if quick else "benchmarks._samples:write_matrix"
    passes = {"batchlab": 11, "bare loop": 4}
    cases = {"batchlab": "benchmarks._ours:similarity_passes", "bare loop": "benchmarks.many:loop"}
    return Row(
        name="many",
        title="correlation, RMSE and angle of 1,000 spectra of 3,600 points with one reference, a job for all",
        basis="cpu",
        rounds=1 if quick else 5,
        sides=tuple(
            Side(name=name, case=case, jobs=2 if quick else passes[name], startup_jobs=1, prepare=prepare)
            for name, case in cases.items()
        ),
        goals=(
            AtMost(side="batchlab", limit=LIMIT_S),
            RatioTo(side="batchlab", against="bare loop", factor=1.0),
        ),
    )


def loop(n: int, folder: str) -> None:
    """Take one spectrum after the other, with what numpy and scipy offer for two."""
    import numpy as np
    from scipy.spatial.distance import cosine
    from scipy.stats import pearsonr

    reference, samples = np.load(Path(folder, "reference.npy")), np.load(Path(folder, "samples.npy"))
    for _ in range(n):
        rows = [
            (
                pearsonr(reference, sample).statistic,
                np.sqrt(np.mean((sample - reference) ** 2)),
                np.degrees(np.arccos(np.clip(1.0 - cosine(reference, sample), -1.0, 1.0))),
            )
            for sample in samples
        ]
        if not np.isfinite(rows).all():
            raise RuntimeError("a number is none")
