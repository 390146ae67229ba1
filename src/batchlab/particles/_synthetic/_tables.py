"""Energies, angles and sensitivities of FAST's electrostatic analysers, by the rules that their sweeps follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Table = NDArray[np.float32]

__all__ = ["ANGLES", "DEAD_S", "ENERGIES", "FILL", "SHAPES", "Tables", "decode", "encode", "flight_tables"]

FILL = np.float32(-1e31)
ANGLES, ENERGIES = 64, 96
SHAPES = {0: (32, 48), 1: (64, 48), 2: (32, 96)}  # angles and energies of each mode
DEAD_S = 1.1e-7

_STEP_EV = 3.92  # of the sweep's supply, in the energy that it lets pass
# Widths of channels from the highest energy down, as powers of two of the step: the sweep halves its steps as it falls.
_WIDTHS = {
    48: [10] * 5 + [power for power in range(9, 0, -1) for _ in range(4)] + [0] * 7,
    96: [9] * 9 + [power for power in range(8, -2, -1) for _ in range(8)] + [0] * 3,
}
_IDLE = {48: 0, 96: 4}  # last steps of a sweep, in which its voltage no longer falls
_FIRST_THETA_DEG = {0: 112.5, 1: 112.5, 2: 337.5}
_SWEEP_DEG = 11.25  # by which the spacecraft turns in 96 steps


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tables:
    """What holds for all records of a file.

    Attributes
    ----------
    energy, denergy
        (3, A, 96) in eV by mode, angle and step, energies falling; fill where a mode has no cell. The width of the
        first step, in which the voltage flies back, is 0.
    theta, dtheta
        (3, A, 96) in degrees.
    eff
        (3, A, 96) efficiency of the detector, 0 where a mode has no cell.
    gf
        (10, 64, 96) for survey and (64, 96) for burst: sensitivity of each angle.
    bins
        (2, 64, 96) for survey and (32, 96) for burst: 1 where a cell may be used.
    """

    energy: Table
    denergy: Table
    theta: Table
    dtheta: Table
    eff: Table
    gf: Table
    bins: NDArray[np.uint8]


def flight_tables(*, burst: bool) -> Tables:
    """Tables of a product; burst has 32 angles and leaves mode 1 out."""
    angles = 32 if burst else ANGLES
    energy, denergy, theta, dtheta = (np.full((3, angles, ENERGIES), FILL, np.float32) for _ in range(4))
    eff = np.zeros((3, angles, ENERGIES), np.float32)
    gf = np.zeros((10, ANGLES, ENERGIES), np.float32)
    bins = np.zeros((2, ANGLES, ENERGIES), np.uint8)
    for mode, (rows, columns) in SHAPES.items():
        gf[mode, :rows, :columns] = _sensitivity(rows)[:, None]
        if mode == 1 and burst:
            continue
        cells = np.s_[mode, :rows, :columns]
        centres, widths = _sweep(columns)
        spacing = 360.0 / rows
        energy[cells], denergy[cells], dtheta[cells] = centres, widths, spacing
        turn = np.arange(columns) * (_SWEEP_DEG / ENERGIES)
        theta[cells] = (_FIRST_THETA_DEG[mode] - spacing * np.arange(rows)[:, None] + turn) % 360.0
        eff[cells] = 0.99 / (1.0 + centres / 5_500.0 / np.sqrt(1.0 + centres / 1_630.0))
    bins[0, :32, 1:] = 1
    bins[1, :, 1:48] = 1
    if not burst:
        return Tables(energy=energy, denergy=denergy, theta=theta, dtheta=dtheta, eff=eff, gf=gf, bins=bins)
    both = np.maximum(gf[0], gf[2])
    return Tables(energy=energy, denergy=denergy, theta=theta, dtheta=dtheta, eff=eff, gf=both, bins=bins[0, :32])


def encode(counts: NDArray[np.integer]) -> NDArray[np.uint8]:
    """The byte of telemetry for counts: four bits of exponent, four of mantissa, rounded down."""
    above: NDArray[np.intp] = np.searchsorted(_CODE, np.minimum(counts, _CODE[-1]), side="right")
    return (above - 1).astype(np.uint8)


def decode(codes: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Counts that a byte of telemetry stands for."""
    return _CODE[codes]


def _sweep(columns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres and widths of channels in eV, falling; they abut from one step above nothing."""
    widths = _STEP_EV * 2.0 ** np.array(_WIDTHS[columns])
    upper = _STEP_EV + np.cumsum(widths[::-1])[::-1]
    centres = upper - 0.5 * widths
    widths[0] = 0.0
    idle = _IDLE[columns]
    return np.append(centres, np.full(idle, _STEP_EV)), np.append(widths, np.zeros(idle))


def _sensitivity(rows: int) -> NDArray[np.float64]:
    """By angle: eight heads of detectors, each weaker at its rim."""
    place = np.arange(rows) * (32.0 / rows)
    found: NDArray[np.float64] = 0.9 + 0.08 * np.sin(place * 0.39) - 0.02 * np.cos(place * 2.4)
    return found


_MANTISSA, _EXPONENT = np.arange(256) & 15, np.arange(256) >> 4
_CODE = np.where(_EXPONENT == 0, _MANTISSA, (16 + _MANTISSA) << np.maximum(_EXPONENT - 1, 0)).astype(np.int32)
