"""Principal components of many spectra, against the full decomposition."""

from __future__ import annotations

from pathlib import Path

from benchmarks._row import AtMost, RatioTo, Row, Side

LIMIT_S = 2.0
COMPONENTS = 10


def row(quick: bool = False) -> Row:
    # A job is one model of all spectra. The first of ours, which loads scipy too, is taken off; a decomposition in full
    # takes too long for that, and loads nothing.
    prepare = "benchmarks._samples:write_small_matrix" if quick else "benchmarks._samples:write_matrix"
    arguments = {"count": COMPONENTS}
    return Row(
        name="pca",
        title=f"{COMPONENTS} principal components of 1,000 spectra of 3,600 points",
        basis="cpu",
        rounds=1 if quick else 3,
        sides=(
            Side(
                name="batchlab",
                case="benchmarks._ours:components",
                jobs=2 if quick else 6,
                arguments=arguments,
                startup_jobs=1,
                prepare=prepare,
            ),
            Side(
                name="numpy, full SVD",
                case="benchmarks.pca:decomposed",
                jobs=1,
                arguments=arguments,
                startup_jobs=0,
                prepare=prepare,
            ),
        ),
        goals=(
            AtMost(side="batchlab", limit=LIMIT_S),
            RatioTo(side="batchlab", against="numpy, full SVD", factor=0.5),
        ),
    )


def decomposed(n: int, folder: str, count: int) -> None:
    """Centre, decompose in full, keep the first components."""
    import numpy as np

    samples = np.load(Path(folder, "samples.npy"))
    for _ in range(n):
        _, values, directions = np.linalg.svd(samples - samples.mean(axis=0), full_matrices=False)
        variances, loadings = values[:count] ** 2 / (len(samples) - 1), directions[:count]
        if not (np.isfinite(variances).all() and np.isfinite(loadings).all()):
            raise RuntimeError("a number is none")
