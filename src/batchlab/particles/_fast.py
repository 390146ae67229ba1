"""FAST electrostatic analysers, level 2: energy flux by record, angle and energy, with the tables of each mode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.particles._cdf import Cdf, Variable
from batchlab.particles._distribution import Block, Distribution, EnergyTable, Tally, energy_table
from batchlab.particles._fast_counts import Counting
from batchlab.particles._model import EmptyFile, MissingVariable, Quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.particles._model import Float

__all__ = ["WORDS", "fast_distribution", "fast_name", "fast_times", "is_fast"]

WORDS = {
    Quantity.ENERGY_FLUX: ("Differential energy flux", "eV/(cm² s sr eV)"),
    Quantity.NUMBER_FLUX: ("Differential number flux", "1/(cm² s sr eV)"),
    Quantity.COUNTS: ("Counts", ""),
    Quantity.PHASE_SPACE_DENSITY: ("Phase space density", "s³/m⁶"),
}
_BLOCK_RECORDS = 64
_NAMES = {"eesasurvey": "ees", "eesaburst": "eeb", "iesasurvey": "ies", "iesaburst": "ieb"}
_PER_CM6_IN_M6 = 1e12
_KM_IN_CM = 1e5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Mode:
    """The tables of a mode, cut to the angles and energies that it has."""

    table: EnergyTable
    theta_deg: NDArray[np.float32]  # (A, E) or (A, 1)
    solid_angle_sr: NDArray[np.float32]  # (A, E)
    shape: tuple[int, int]


def is_fast(cdf: Cdf) -> bool:
    """Whether a file is of these instruments: by its variables, whatever its name."""
    return "eflux" in cdf and ("mode_ind" in cdf or "theta_shift" in cdf or "energy_full" in cdf)


def fast_times(cdf: Cdf) -> Float:
    """(N, 2) start and end of every record as it stands in the file, in seconds since 1970; NaN for fill."""
    if "time_start" in cdf and "time_end" in cdf:
        return np.stack([cdf["time_start"].floats().values, cdf["time_end"].floats().values], axis=1)
    if "time_unix" in cdf:
        centre: Float = cdf["time_unix"].floats().values
    elif "epoch" in cdf:
        centre = cdf["epoch"].times_s()
    else:
        raise MissingVariable(f"{cdf.path} has no time: none of time_start and time_end, time_unix, epoch")
    delta = cdf.get("time_delta")
    if delta is not None:
        half = 0.5 * delta.floats().values
    else:
        half = np.full(len(centre), 0.5 * float(np.nanmedian(np.diff(centre))) if len(centre) > 1 else 0.5)
    return np.stack([centre - half, centre + half], axis=1)


def fast_distribution(cdf: Cdf, *, quantity: Quantity = Quantity.ENERGY_FLUX, quality: str = "keep") -> Distribution:
    """Set out to read a FAST file.

    Parameters
    ----------
    cdf
        Open until the blocks are gone through.
    quantity
        Counts are those that the flux was made from: before the correction for dead time, undone with the file's own
        geometric factors and efficiencies.
    quality
        ``keep`` keeps records whose quality is flagged and says so; ``good`` leaves them out.

    Raises
    ------
    EmptyFile
        If there is no record, or no valid one.
    MissingVariable
        If there is no flux, time or energy, or what counts need is not there.
    """
    flux = cdf["eflux"]
    times = fast_times(cdf)
    if not flux.records or not len(times):
        raise EmptyFile(f"{cdf.path} holds no records")
    if len(times) != flux.records or len(flux.shape) != 3:
        raise cdf.header.source.wrong(f"eflux of shape {flux.shape} does not go with {len(times)} times")
    tally = Tally(records=len(times))
    notes: list[str] = []
    keep = _kept(cdf, times, quality, tally, notes)
    if not keep.any():
        raise EmptyFile(f"{cdf.path}: none of its {len(times)} records is valid")
    mode_of = _modes(cdf, len(times))
    modes: dict[int, _Mode] = {}
    for number in np.unique(mode_of[keep]):
        built = _mode(cdf, int(number), int(np.flatnonzero(keep & (mode_of == number))[0]), flux, notes)
        if built is None:
            lost = keep & (mode_of == number)
            tally.invalid += int(lost.sum())
            keep &= ~lost
            notes.append(f"{int(lost.sum())} records of mode {number} have no table of energies and are left out.")
        else:
            modes[int(number)] = built
    if not modes:
        raise MissingVariable(f"{cdf.path}: no mode of its records has a table of energies")
    places = _in_order(times, keep, tally)
    numbers = sorted(modes)
    quantity = Quantity(quantity)
    words = WORDS[quantity]
    counting = Counting(cdf) if quantity is Quantity.COUNTS else None
    pitch = _Pitch(cdf, modes, mode_of, keep, notes)
    return Distribution(
        name=fast_name(cdf),
        quantity=words[0],
        unit=words[1],
        times_s=times[_rows(places)],
        mode=np.searchsorted(numbers, mode_of[_rows(places)]).astype(np.uint8),
        tables=tuple(modes[number].table for number in numbers),
        blocks=_blocks(flux, places, mode_of, modes, numbers, pitch, counting, tally),
        scales=_scales(cdf, quantity, [modes[number].table for number in numbers]),
        tally=tally,
        notes=tuple(notes),
    )


def _blocks(
    flux: Variable,
    places: NDArray[np.intp],
    mode_of: NDArray[Any],
    modes: dict[int, _Mode],
    numbers: list[int],
    pitch: _Pitch,
    counting: Counting | None,
    tally: Tally,
) -> Iterator[Block]:
    low, high = flux.number("VALIDMIN"), flux.number("VALIDMAX")
    low, high = max(low, 0.0) if low is not None else 0.0, high if high is not None else np.inf
    fill = flux.number("FILLVAL")
    for start, values in flux.blocks(_BLOCK_RECORDS):
        inside = places[start : start + len(values)]
        for number in numbers:
            taken = np.flatnonzero((inside >= 0) & (mode_of[start : start + len(values)] == number))
            if not len(taken):
                continue
            mode = modes[number]
            angles, energies = mode.shape
            part = np.array(values[_span(taken), :angles, :energies], np.float32, order="C")
            usable = np.broadcast_to(mode.solid_angle_sr > 0, mode.shape)
            tally.cells += len(taken) * int(np.count_nonzero(usable))
            good: NDArray[np.bool_] | None = (part >= low) & (part <= high)
            if good.all():  # type: ignore[union-attr]
                good = None
            else:
                bad = ~good & usable  # type: ignore[operator]
                lost = part[bad]
                empty = np.count_nonzero(np.isnan(lost) | (lost <= -9.9e30) | (lost == fill))
                tally.fill += int(empty)
                tally.out_of_range += len(lost) - int(empty)
                part[~good] = 0.0  # type: ignore[operator]
            if counting is not None:
                counting.undo(part, start + taken, number)
            yield Block(
                rows=inside[taken],
                mode=numbers.index(number),
                values=part,
                good=good,
                pitch_deg=pitch.of(start + taken, number),
                solid_angle_sr=mode.solid_angle_sr,
            )


def _span(taken: NDArray[np.intp]) -> slice | NDArray[np.intp]:
    """A slice where the places follow each other: it needs no copy."""
    first, last = int(taken[0]), int(taken[-1])
    return slice(first, last + 1) if last - first + 1 == len(taken) else taken


def _rows(places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Record numbers in order of their place."""
    rows = np.flatnonzero(places >= 0)
    return rows[np.argsort(places[rows], kind="stable")]


def _in_order(times: Float, keep: NDArray[np.bool_], tally: Tally) -> NDArray[np.intp]:
    """(N,) the place of each record among the kept ones in order of time, -1 for those left out."""
    rows = np.flatnonzero(keep)
    order = np.argsort(times[rows, 0], kind="stable")
    tally.out_of_order = int(np.count_nonzero(np.diff(times[rows, 0]) < 0))
    places = np.full(len(times), -1, np.intp)
    places[rows[order]] = np.arange(len(rows))
    return places


def _kept(cdf: Cdf, times: Float, quality: str, tally: Tally, notes: list[str]) -> NDArray[np.bool_]:
    if quality not in ("keep", "good"):
        raise ValueError(f"quality is 'keep' or 'good', not {quality!r}")
    keep: NDArray[np.bool_] = np.isfinite(times).all(axis=1) & (times[:, 1] > times[:, 0])
    valid = _per_record(cdf, "valid", len(times))
    if valid is not None:
        keep &= valid == 1
    tally.invalid = int(np.count_nonzero(~keep))
    flags = _per_record(cdf, "data_quality", len(times))
    if flags is not None:
        poor = keep & (flags != 0)
        count = int(np.count_nonzero(poor))
        if quality == "good":
            tally.low_quality = count
            keep &= ~poor
        elif count:
            notes.append(f"{count} records of flagged quality are shown.")
    return keep


def _per_record(cdf: Cdf, name: str, records: int) -> NDArray[Any] | None:
    found = cdf.get(name)
    if found is None:
        return None
    values = found.values()
    if values.shape != (records,):
        raise cdf.header.source.wrong(f"{name} of shape {values.shape} does not go with {records} records")
    return values


def _modes(cdf: Cdf, records: int) -> NDArray[Any]:
    """(N,) the mode of each record; where the file does not say, records of one shape are of one mode."""
    told = _per_record(cdf, "mode_ind", records)
    if told is not None:
        found: NDArray[np.int64] = told.astype(np.int64)
        return found
    energies, angles = _per_record(cdf, "nenergy", records), _per_record(cdf, "nbins", records)
    if energies is None or angles is None:
        return np.full(records, -1, np.int64)
    return -1 - (energies.astype(np.int64) * 256 + angles)


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


def _mode(cdf: Cdf, number: int, record: int, flux: Variable, notes: list[str]) -> _Mode | None:
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
    if left_out:
        notes.append(f"{left_out} channels of mode {number} have no width of their own and are left out.")
    theta = _table(cdf, "theta", number)
    theta = None if theta is None else theta[:angles, :energies]
    if theta is None:
        theta = np.full((angles, energies), np.nan, np.float32)
    elif np.array_equal(theta, np.broadcast_to(theta[:, :1], theta.shape)):
        theta = theta[:, :1]
    weight = _solid_angle(cdf, number, record, (angles, energies))
    weight = np.where(used & np.isfinite(weight) & (weight > 0), weight, 0).astype(np.float32)
    return _Mode(table=table, theta_deg=theta % np.float32(360), solid_angle_sr=weight, shape=(angles, energies))


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


class _Pitch:
    """Pitch angles by record: from the tables and the shift of each record, else as the file states them."""

    def __init__(
        self, cdf: Cdf, modes: dict[int, _Mode], mode_of: NDArray[Any], keep: NDArray[np.bool_], notes: list[str]
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


def _scales(cdf: Cdf, quantity: Quantity, tables: list[EnergyTable]) -> tuple[Float, ...]:
    if quantity is Quantity.NUMBER_FLUX:
        return tuple(1.0 / table.energies_ev for table in tables)
    if quantity is Quantity.PHASE_SPACE_DENSITY:
        # f = m² j / (2 E) with j = energy flux / E; the file states the mass in eV/(km/s)².
        mass = float(cdf["mass"].constant_values()) / _KM_IN_CM**2
        return tuple(_PER_CM6_IN_M6 * mass**2 / (2.0 * table.energies_ev**2) for table in tables)
    return ()


def fast_name(cdf: Cdf) -> str:
    """``ees``, ``eeb``, ``ies`` or ``ieb``: by the file's own word, else by its name."""
    told = cdf.get("data_name")
    if told is not None and told.is_text:
        word = bytes(told.constant_values()).decode("latin-1").lower()
        word = "".join(word.split()).rstrip("\0")
        if word in _NAMES:
            return _NAMES[word]
    stem = f"_{cdf.path.name.lower()}_"
    return next((name for name in _NAMES.values() if f"_{name}_" in stem), "eflux")
