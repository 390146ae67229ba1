"""What the analysers meet: a drifting beam along the field, cold plasma, trapped plasma, and the cusp."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from batchlab.particles._synthetic._tables import SHAPES, encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.particles._model import Float
    from batchlab.particles._synthetic._plan import Plan
    from batchlab.particles._synthetic._tables import Tables

__all__ = ["CUSP_EV", "beam_energy", "counts_of_mode", "pitch_of_mode"]

CUSP_EV = {"e": 90.0, "i": 900.0}
_BEAM_EV = {"e": (600.0, 6_000.0), "i": (150.0, 2_500.0)}
_BEAM_COUNTS, _COLD_COUNTS, _TRAPPED_COUNTS, _CUSP_COUNTS = 220.0, 18.0, 2.5, 60.0
_BEAM_DECADES, _CUSP_DECADES = 0.09, 0.22
_BEAM_NARROW = 3.0


def beam_energy(instrument: str, times_s: Float) -> Float:
    """(N,) energy in eV at which the beam peaks: it drifts up and down within ten minutes."""
    low, high = _BEAM_EV[instrument[0]]
    along = 0.5 - 0.5 * np.cos(2.0 * np.pi * times_s / 600.0)
    return low * (high / low) ** along


def pitch_of_mode(tables: Tables, plan: Plan, mode: int) -> NDArray[np.float32]:
    """(n, A, E) pitch angles of the records of a mode, from 0 to 360."""
    angles, energies = SHAPES[mode]
    theta = tables.theta[mode, :angles, :energies]
    pitch: NDArray[np.float32] = theta + plan.theta_shift_deg[plan.mode == mode][:, None, None]
    full = np.float32(360)
    pitch += full * (pitch < 0)
    pitch -= full * (pitch >= full)
    return pitch


def counts_of_mode(
    instrument: str,
    cosines: NDArray[np.float32],
    tables: Tables,
    mode: int,
    centres_s: Float,
    cusp_s: tuple[float, float] | None,
    south: bool,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Bytes of telemetry: counts of the model with Poisson's noise, as coarse as telemetry is.

    Parameters
    ----------
    instrument
        Electrons' beams come down, ions' go up.
    cosines
        (n, A, E) of the pitch angles.
    tables, mode
        Of the file and of these records.
    centres_s
        (n,) times in the middle of records.
    cusp_s
        First and last time of the cusp.
    south
        Whether down is against the field.
    rng
        For the noise.

    Returns
    -------
    (n, A, E) array
        See `decode`.
    """
    energies = SHAPES[mode][1]
    energy = np.maximum(tables.energy[mode, 0, :energies].astype(np.float64), 1.0)
    decades = np.log10(energy)
    beam = np.log10(beam_energy(instrument, centres_s))[:, None]
    beam_by_energy = _BEAM_COUNTS * np.exp(-0.5 * ((decades - beam) / _BEAM_DECADES) ** 2)
    cold = _COLD_COUNTS * np.exp(-energy / 60.0) + _TRAPPED_COUNTS * 0.2
    trapped = _TRAPPED_COUNTS * np.exp(-0.5 * ((decades - 3.9) / 0.3) ** 2)
    steady = np.broadcast_to(cold, beam_by_energy.shape).copy()
    if cusp_s is not None:
        inside = (centres_s >= cusp_s[0]) & (centres_s <= cusp_s[1])
        steady[inside] += _CUSP_COUNTS * np.exp(
            -0.5 * ((decades - np.log10(CUSP_EV[instrument[0]])) / _CUSP_DECADES) ** 2
        )
    down = -1.0 if south else 1.0
    toward = np.float32(_BEAM_NARROW * (down if instrument[0] == "e" else -down))
    expected = np.exp(toward * cosines - np.float32(_BEAM_NARROW))
    expected *= beam_by_energy.astype(np.float32)[:, None, :]
    expected += steady.astype(np.float32)[:, None, :]
    across = np.float32(1) - cosines * cosines
    across *= trapped.astype(np.float32)
    expected += across
    if mode == 1:
        expected *= np.float32(0.5)  # half as wide an angle
    return encode(rng.poisson(expected))
