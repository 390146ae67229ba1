"""The modes of FAST analysers: energies, angles and solid angles of each, and the pitch angles of each record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.particles._cdf import Cdf, Variable
from batchlab.particles._distribution import EnergyTable, energy_table
from batchlab.particles._model import MissingVariable

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Mode", "PitchAngles", "modes_of_records", "per_record", "read_mode"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mode:
    """The tables of a mode, cut to the angles and energies that it has."""

    table: EnergyTable
    theta_deg: NDArray[np.float32]  # (A, E) or (A, 1)
    solid_angle_sr: NDArray[np.float32]  # (A, E)
    shape: tuple[int, int]


def per_record(cdf: Cdf, name: str, records: int) -> NDArray[Any] | None:
    """(N,) values of a variable that has one for each record; None where the file does not have it."""
    found = cdf.get(name)
    if found is None:
        return None
    values = found.values()
    if values.shape != (records,):
        raise cdf.header.source.wrong(f"{name} of shape {values.shape} does not go with {records} records")
    return values


def modes_of_records(cdf: Cdf, records: int) -> NDArray[Any]:
    """(N,) the mode of each record; where the file does not say, records of one shape are of one mode."""
    told = per_record(cdf, "mode_ind", records)
    if told is not None:
        found: NDArray[np.int64] = told.astype(np.int64)
        return found
    energies, angles = per_record(cdf, "nenergy", records), per_record(cdf, "nbins", records)
    if energies is None or angles is None:
        return np.full(records, -1, np.int64)
    return np.asarray(-1 - (energies.astype(np.int64) * 256 + angles), np.int64)


def _table(cdf: Cdf, name: str, number: int) -> NDArray[np.float32] | None:
    """(A, E) of a mode, NaN for fill; None where the file has no such table or nothing in it."""
    found = cdf.get(name)
    if found is None or len(found.shape) != 4 or not 0 <= number < found.shape[1]:
        return None
    table = found.constant_values()[number].astype(np.float32)
    table[(table <= -9.9e30) | ~np.isfinite(table)] = np.nan
    return None if np.isnan(table).all() else table


def _record_table(cdf: Cdf, name: str, record: int) -> NDArray[np.float32] | None:
    found = cdf.get(name)
    if found is None or len(found.shape) != 3 or record >= found.records:
        return None
    table = np.array(found.record_values(record), np.float32)
    table[(table <= -9.9e30) | ~np.isfinite(table)] = np.nan
    return None if np.isnan(table).all() else table


_FEW = 0.1  # of all channels


def read_mode(cdf: Cdf, number: int, record: int, flux: Variable, notes: list[str]) -> Mode | None:
    """The tables of mode `number`, of which `record` is one; None where it has no energies.

    Tables that the file leaves as fill are taken from that record's own energies and solid angles.
    """
    energy, width = _table(cdf, "energy", number), _table(cdf, "denergy", number)
    if energy is None:
        energy, width = _record_table(cdf, "energy_full", record), _record_table(cdf, "denergy_full", record)
    if energy is None:
        return None
    used = np.isfinite(energy) & (energy > 0)
    if not used.any():
        return None
    angles = min(int(np.flatnonzero(used.any(axis=1))[-1]) + 1, flux.shape[1])
    energies = min(int(np.flatnonzero(used.any(axis=0))[-1]) + 1, flux.shape[2])
    energy, used = energy[:angles, :energies], used[:angles, :energies]
    first = int(np.flatnonzero(used.any(axis=1))[0])
    row = np.where(used[first], energy[first], np.nan).astype(np.float64)
    if np.any(np.abs(energy[used] / np.broadcast_to(row, energy.shape)[used] - 1) > 1e-3):
        notes.append(f"Energies of mode {number} differ between angles; those of angle {first} are shown.")
    half = np.full(energies, np.nan) if width is None else 0.5 * width[first, :energies].astype(np.float64)
    table, left_out = energy_table(row, lower_ev=row - half, upper_ev=row + half)
    # Some at the low end are usual in the longest sweep.
    if left_out > _FEW * energies:
        notes.append(f"Channels of mode {number} without a width of their own, left out: {left_out} of {energies}.")
    theta = _table(cdf, "theta", number)
    theta = None if theta is None else theta[:angles, :energies]
    if theta is None:
        theta = np.full((angles, energies), np.nan, np.float32)
    elif np.array_equal(theta, np.broadcast_to(theta[:, :1], theta.shape)):
        theta = theta[:, :1]
    weight = _solid_angle(cdf, number, record, (angles, energies))
    weight = np.where(used & np.isfinite(weight) & (weight > 0), weight, 0).astype(np.float32)
    return Mode(table=table, theta_deg=theta % np.float32(360), solid_angle_sr=weight, shape=(angles, energies))


def _solid_angle(cdf: Cdf, number: int, record: int, shape: tuple[int, int]) -> NDArray[np.float32]:
    """(A, E) as the file states it for a record of the mode; by the width of the angles where it does not."""
    stated = _record_table(cdf, "domega", record)
    if stated is None:
        stated = _table(cdf, "dtheta", number)
    weight = np.ones(shape, np.float32) if stated is None else stated[: shape[0], : shape[1]]
    usable = cdf.get("bins")
    if usable is not None:
        bins = usable.constant_values()
        if bins.ndim == 3:
            index = cdf.get("bins_ind")
            which = int(index.record_values(record)) if index is not None else 0
            bins = bins[min(max(which, 0), len(bins) - 1)]
        if bins.ndim == 2 and bins.shape[0] >= shape[0] and bins.shape[1] >= shape[1]:
            weight = np.where(bins[: shape[0], : shape[1]] == 1, weight, np.float32(0))
    return weight


class PitchAngles:
    """Pitch angles by record: from the tables and the shift of each record, else as the file states them."""

    def __init__(
        self, cdf: Cdf, modes: dict[int, Mode], mode_of: NDArray[Any], keep: NDArray[np.bool_], notes: list[str]
    ) -> None:
        self._modes = modes
        self._shift = self._stated = None
        shift, stated = cdf.get("theta_shift"), cdf.get("pitch_angle")
        if shift is not None and shift.records == len(mode_of):
            self._shift = shift.floats().values.astype(np.float32) % np.float32(360)
        tables = all(np.isfinite(mode.theta_deg).any() for mode in modes.values())
        if self._shift is None or not tables or not self._agrees(stated, mode_of, keep):
            if stated is None or stated.records != len(mode_of):
                raise MissingVariable(
                    f"{cdf.path} tells no pitch angles: neither theta and theta_shift nor pitch_angle"
                )
            if self._shift is not None and tables:
                notes.append("The file's pitch angles are not those of its tables; the file's are used.")
            self._stated = stated.floats().values

    def _agrees(self, stated: Variable | None, mode_of: NDArray[Any], keep: NDArray[np.bool_]) -> bool:
        """Whether a record of each mode has the pitch angles of the tables."""
        if stated is None or stated.records != len(mode_of):
            return True
        for number, mode in self._modes.items():
            record = int(np.flatnonzero(keep & (mode_of == number))[0])
            there = stated.record_values(record)[: mode.shape[0], : mode.shape[1]]
            ours = np.broadcast_to(self._from_tables(np.array([record]), number)[0], mode.shape)
            known = (there > -9.9e30) & np.isfinite(ours) & (mode.solid_angle_sr > 0)
            off = np.abs((there[known] - ours[known] + 180.0) % 360.0 - 180.0)
            if len(off) and float(off.max()) > 0.1:
                return False
        return True

    def of(self, records: NDArray[np.intp], number: int) -> NDArray[Any]:
        """(n, A, E) or (n, A, 1), from 0 to 360."""
        if self._stated is None:
            return self._from_tables(records, number)
        angles, energies = self._modes[number].shape
        return self._stated[records, :angles, :energies] % 360.0

    def _from_tables(self, records: NDArray[np.intp], number: int) -> NDArray[np.float32]:
        assert self._shift is not None
        full = np.float32(360)
        pitch = self._modes[number].theta_deg[None] + self._shift[records][:, None, None]
        pitch -= (pitch >= full) * full
        return pitch
