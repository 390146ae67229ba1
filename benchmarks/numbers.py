"""Comparisons without pictures, against a bare loop with pandas and numpy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks._row import AtMost, Row, Side

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def row(quick: bool = False) -> Row:
    samples = 10 if quick else 1_000
    return Row(
        name="numbers",
        title=f"{samples:,} comparisons of 3,600 points without pictures",
        basis="cpu",
        rounds=1 if quick else 5,
        sides=(
            Side(
                name="batchlab",
                case="benchmarks._ours:compare_numbers",
                jobs=samples,
                arguments={"workers": 2},
                startup_jobs=2,
                prepare="benchmarks._samples:write_samples",
                wants_folder=True,
            ),
            Side(
                name="bare loop",
                case="benchmarks.numbers:loop",
                jobs=samples,
                startup_jobs=1,
                prepare="benchmarks._samples:write_samples",
            ),
        ),
        goals=(AtMost(side="batchlab", limit=6e-3),),
    )


def loop(n: int, folder: str) -> None:
    """Read, interpolate, compute the metrics: nothing is kept but the numbers."""
    import pandas as pd

    reference = pd.read_csv(Path(folder, "reference.csv"))
    rows = []
    for path in sorted(Path(folder).glob("sample_*.csv"))[:n]:
        sample = pd.read_csv(path)
        axis, ours, theirs = on_common_axis(
            reference["wavenumber"].to_numpy(),
            reference["intensity"].to_numpy(),
            sample["wavenumber"].to_numpy(),
            sample["intensity"].to_numpy(),
        )
        rows.append(metrics(axis, ours, theirs))
    if len(rows) != n:
        raise RuntimeError(f"{len(rows)} samples compared, {n} asked for")


def on_common_axis(axis: Array, reference: Array, sample_axis: Array, sample: Array) -> tuple[Array, Array, Array]:
    """Bring the sample onto the reference's axis where both are known."""
    import numpy as np

    inside = (axis >= sample_axis[0]) & (axis <= sample_axis[-1])
    common = axis[inside]
    return common, reference[inside], np.interp(common, sample_axis, sample)


def metrics(axis: Array, reference: Array, sample: Array) -> dict[str, float]:
    """The figures of a comparison, as a user's script has them."""
    import numpy as np

    difference = sample - reference
    cosine = reference @ sample / (np.linalg.norm(reference) * np.linalg.norm(sample))
    return {
        "pearson_r": float(np.corrcoef(reference, sample)[0, 1]),
        "rmse": float(np.sqrt(np.mean(difference**2))),
        "max_deviation": float(np.max(np.abs(difference))),
        "spectral_angle_deg": float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))),
        "area_ratio": float(np.trapezoid(sample, axis) / np.trapezoid(reference, axis)),
    }
