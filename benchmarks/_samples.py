"""Input for the spectra rows: a reference and samples of 3,600 points with 0.5 % of noise, as CSV or as a matrix."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

POINTS = 3_600
NOISE = 0.005
SPECTRA, FEW_SPECTRA = 1_000, 60  # in a matrix
_STEP = 3600.0 / POINTS
_DISTINCT = 10
_LONG = "long.csv"
_SMALL_ROWS, _LARGE_ROWS = 8_400, 336_000


def write_samples(n: int, folder: str) -> None:
    """Write ``reference.csv`` and `n` samples ``sample_00000.csv``, the same ones each time.

    Wavenumbers in cm-1, 400 to 4000. The samples' axis lies a third of a step beside the reference's, so each
    comparison has to interpolate.
    """
    axis, shape, samples = _drawn(n)
    _write(Path(folder, "reference.csv"), axis, shape)
    for number, sample in enumerate(samples):
        _write(Path(folder, f"sample_{number:05d}.csv"), axis + _STEP / 3, sample)


def link_samples(n: int, folder: str) -> None:
    """The same under `n` names, with ten files behind them: a large batch that takes no room."""
    write_samples(min(n, _DISTINCT), folder)
    for number in range(_DISTINCT, n):
        os.link(Path(folder, f"sample_{number % _DISTINCT:05d}.csv"), Path(folder, f"sample_{number:05d}.csv"))


def write_matrix(n: int, folder: str) -> None:
    """Write ``reference.npy`` and 1,000 such samples as ``samples.npy``, whatever the number of jobs."""
    _write_matrix(SPECTRA, folder)


def write_small_matrix(n: int, folder: str) -> None:
    """The same with 60 samples."""
    _write_matrix(FEW_SPECTRA, folder)


def write_small_file(n: int, folder: str) -> None:
    """Write one spectrum of 8,400 points, 200 kB."""
    _write_long(_SMALL_ROWS, folder)


def write_open_file(n: int, folder: str) -> None:
    """The same without an end of its last line, as many programs write it: cut off or not."""
    _write_long(_SMALL_ROWS, folder)
    os.truncate(Path(folder, _LONG), Path(folder, _LONG).stat().st_size - 1)


def write_large_file(n: int, folder: str) -> None:
    """Write one spectrum of 336,000 points, 8 MB."""
    _write_long(_LARGE_ROWS, folder)


def _write_matrix(count: int, folder: str) -> None:
    import numpy as np

    _, shape, samples = _drawn(count)
    np.save(Path(folder, "reference.npy"), shape)
    np.save(Path(folder, "samples.npy"), np.stack(list(samples)))


def _write_long(rows: int, folder: str) -> None:
    import numpy as np

    axis = np.linspace(400.0, 4000.0, rows)
    _write(Path(folder, _LONG), axis, np.random.default_rng(2026).uniform(0.0, 2.0, rows), digits=12)


def _drawn(n: int) -> tuple[NDArray[np.float64], NDArray[np.float64], Iterator[NDArray[np.float64]]]:
    """Axis, reference, and `n` samples."""
    import numpy as np

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

    def samples() -> Iterator[NDArray[np.float64]]:
        for _ in range(n):
            noise = NOISE * float(np.max(shape)) * random.standard_normal(POINTS)
            yield random.uniform(0.9, 1.1) * shape + noise

    return axis, shape, samples()


def _write(path: Path, axis: NDArray[np.float64], intensity: NDArray[np.float64], digits: int = 6) -> None:
    points = zip(axis.tolist(), intensity.tolist(), strict=True)
    text = "\n".join(f"{x:.3f},{y:.{digits}f}" for x, y in points)
    path.write_text(f"wavenumber,intensity\n{text}\n", encoding="ascii")
