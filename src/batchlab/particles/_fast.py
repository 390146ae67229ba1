"""FAST electrostatic analysers, level 2: energy flux by record, angle and energy, with the tables of each mode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.particles._cdf import Cdf, Variable
from batchlab.particles._distribution import Block, Distribution, EnergyTable, Tally, in_order
from batchlab.particles._fast_counts import Counting
from batchlab.particles._fast_modes import Mode, PitchAngles, modes_of_records, per_record, read_mode
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


def is_fast(cdf: Cdf) -> bool:
    """Whether a file is of these instruments: by its variables, whatever its name."""
    marks = [name in cdf for name in ("eflux", "mode_ind", "theta_shift", "energy_full")]
    return sum(marks) >= 2


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
    mode_of = modes_of_records(cdf, len(times))
    modes: dict[int, Mode] = {}
    for number in np.unique(mode_of[keep]):
        built = read_mode(cdf, int(number), int(np.flatnonzero(keep & (mode_of == number))[0]), flux, notes)
        if built is None:
            lost = keep & (mode_of == number)
            tally.invalid += int(lost.sum())
            keep &= ~lost
            notes.append(f"Records of mode {number}, which has no table of energies, left out: {int(lost.sum())}.")
        else:
            modes[int(number)] = built
    if not modes:
        raise MissingVariable(f"{cdf.path}: no mode of its records has a table of energies")
    places = in_order(times, keep, tally)
    numbers = sorted(modes)
    quantity = Quantity(quantity)
    words = WORDS[quantity]
    counting = Counting(cdf) if quantity is Quantity.COUNTS else None
    pitch = PitchAngles(cdf, modes, mode_of, keep, notes)
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
    modes: dict[int, Mode],
    numbers: list[int],
    pitch: PitchAngles,
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


_FEW = 0.01  # of all records: fewer of flagged quality are usual, and no file is worth a word for them


def _kept(cdf: Cdf, times: Float, quality: str, tally: Tally, notes: list[str]) -> NDArray[np.bool_]:
    if quality not in ("keep", "good"):
        raise ValueError(f"quality is 'keep' or 'good', not {quality!r}")
    keep: NDArray[np.bool_] = np.isfinite(times).all(axis=1) & (times[:, 1] > times[:, 0])
    valid = per_record(cdf, "valid", len(times))
    if valid is not None:
        keep &= valid == 1
    tally.invalid = int(np.count_nonzero(~keep))
    flags = per_record(cdf, "data_quality", len(times))
    if flags is not None:
        poor = keep & (flags != 0)
        count = int(np.count_nonzero(poor))
        if quality == "good":
            tally.low_quality = count
            keep &= ~poor
        elif count > _FEW * len(times):
            notes.append(f"Records of flagged quality that are shown: {count}.")
    return keep


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
