"""Motions with known truth, for tests of the solver."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from batchlab.motion._model import Body, Recording
from batchlab.motion._solve import exponentials

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.motion._model import Fit


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A recording, its body, and what made it."""

    recording: Recording
    body: Body
    geometry: NDArray[np.float64]
    rotations: NDArray[np.float64]
    translations: NDArray[np.float64]
    clean: NDArray[np.float64]

    def with_positions(self, positions: NDArray[np.float64]) -> Truth:
        return replace(self, recording=replace(self.recording, positions=positions))


def motion(
    frames: int = 200,
    *,
    geometry: NDArray[np.float64] | None = None,
    noise_m: float = 2e-3,
    missing: float = 0.06,
    seed: int = 0,
    rate_hz: float = 100.0,
    name: str = "made",
) -> Truth:
    """Big smooth turns and moves of a body of about 10 cm; markers missing in bursts of 10 frames."""
    random = np.random.default_rng(seed)
    shape = random.normal(size=(8, 3)) * 0.06 if geometry is None else geometry
    times = np.arange(frames) / rate_hz

    def waves(size: float, slowest_hz: float) -> NDArray[np.float64]:
        return sum(  # type: ignore[return-value]
            random.normal(size=(1, 3))
            * size
            / k
            * np.sin(2 * np.pi * k * slowest_hz * times[:, None] + random.uniform(0, 6, (1, 3)))
            for k in (1, 2, 3)
        )

    rotations, translations = exponentials(waves(1.2, 0.3)), waves(0.4, 0.23)
    clean = np.einsum("fij,mj->fmi", rotations, shape) + translations[:, None]
    positions = clean + random.normal(size=clean.shape) * noise_m
    burst = 10
    begins = random.random((frames, len(shape))) < missing / burst
    for lag in range(min(burst, frames)):
        positions[lag:][begins[: frames - lag]] = np.nan
    names = tuple(f"m{number}" for number in range(len(shape)))
    return Truth(
        recording=Recording(name=name, markers=names, times_s=times, positions=positions, unit="m", rate_hz=rate_hz),
        body=Body(name="body", markers=names),
        geometry=shape,
        rotations=rotations,
        translations=translations,
        clean=clean,
    )


def fitted(fit: Fit) -> NDArray[np.float64]:
    """Markers (F, M, 3) that a fit puts into the laboratory."""
    return np.einsum("fij,mj->fmi", fit.rotations, fit.geometry_m) + fit.translations_m[:, None]


def rms(errors: NDArray[np.float64]) -> float:
    """Root of the mean squared length of (..., 3)."""
    return float(np.sqrt(np.nanmean(np.sum(errors**2, axis=-1))))
