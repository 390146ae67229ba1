"""Input for the comparisons: a reference and samples of 3,600 points with 0.5 % of noise, as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

POINTS = 3_600
NOISE = 0.005


def write_samples(n: int, folder: str) -> None:
    """Write ``reference.csv`` and `n` samples ``sample_00000.csv``, the same ones each time.

    Wavenumbers in cm-1, 400 to 4000. The samples' axis lies a third of a step beside the reference's, so each
    comparison has to interpolate.
    """
    import numpy as np

    step = 3600.0 / POINTS
    axis = np.linspace(400.0, 4000.0, POINTS, endpoint=False)
    random = np.random.default_rng(2026)
    centres, widths, heights = (
        random.uniform(500, 3900, 24),
        random.uniform(8, 60, 24),
        random.uniform(0.1, 1.0, 24),
    )
    shape: NDArray[np.float64] = np.full(POINTS, 0.05)
    shape += sum(
        height * np.exp(-0.5 * ((axis - centre) / width) ** 2)
        for centre, width, height in zip(centres, widths, heights, strict=True)
    )
    _write(Path(folder, "reference.csv"), axis, shape)
    for number in range(n):
        noise = NOISE * float(np.max(shape)) * random.standard_normal(POINTS)
        scale = random.uniform(0.9, 1.1)
        _write(Path(folder, f"sample_{number:05d}.csv"), axis + step / 3, scale * shape + noise)


def _write(path: Path, axis: NDArray[np.float64], intensity: NDArray[np.float64]) -> None:
    points = zip(axis.tolist(), intensity.tolist(), strict=True)
    text = "\n".join(f"{x:.3f},{y:.6f}" for x, y in points)
    path.write_text(f"wavenumber,intensity\n{text}\n", encoding="ascii")
