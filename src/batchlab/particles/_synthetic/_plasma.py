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

__all__ = ["beam_energy", "counts_of_mode", "pitch_of_mode"]

_BEAM_EV = {"e": (600.0, 6_000.0), "i": (150.0, 2_500.0)}
# Ions of the cusp that come from farther off arrive the later the slower they are.
_CUSP_EV = {"e": (90.0, 90.0), "i": (2_500.0, 250.0)}
# Counts per second in one of 32 angles, so that survey and burst see the same flux.
_BEAM_HZ, _COLD_HZ, _TRAPPED_HZ, _CUSP_HZ, _STRAY_HZ = 30_000.0, 2_500.0, 350.0, 8_000.0, 40.0
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
    integration_s: float,
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
    integration_s
        For each energy.
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
    beam_by_energy = _BEAM_HZ * np.exp(-0.5 * ((decades - beam) / _BEAM_DECADES) ** 2)
    steady = np.broadcast_to(_COLD_HZ * np.exp(-energy / 60.0) + _STRAY_HZ, beam_by_energy.shape).copy()
    trapped = _TRAPPED_HZ * np.exp(-0.5 * ((decades - 3.9) / 0.3) ** 2)
    if cusp_s is not None:
        inside = (centres_s >= cusp_s[0]) & (centres_s <= cusp_s[1])
        first, last = _CUSP_EV[instrument[0]]
        along = (centres_s[inside] - cusp_s[0]) / (cusp_s[1] - cusp_s[0])
        peak = np.log10(first * (last / first) ** along)[:, None]
        steady[inside] += _CUSP_HZ * np.exp(-0.5 * ((decades - peak) / _CUSP_DECADES) ** 2)
    down = -1.0 if south else 1.0
    toward = np.float32(_BEAM_NARROW * (down if instrument[0] == "e" else -down))
    expected = np.exp(toward * cosines - np.float32(_BEAM_NARROW))
    expected *= beam_by_energy.astype(np.float32)[:, None, :]
    expected += steady.astype(np.float32)[:, None, :]
    across = np.float32(1) - cosines * cosines
    across *= trapped.astype(np.float32)
    expected += across
    expected *= np.float32(integration_s * 32 / SHAPES[mode][0])
    return encode(rng.poisson(expected))
