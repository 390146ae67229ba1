"""Any CDF in ISTP conventions that tells intensity by energy, with or without pitch angles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.errors import DataError
from batchlab.particles._cdf import Cdf, Variable
from batchlab.particles._distribution import Block, Distribution, EnergyTable, Tally, energy_table, in_order
from batchlab.particles._istp import Layout, energy_factor_ev, label_of, layout_of, tidy_unit, times_of
from batchlab.particles._model import EmptyFile, MissingVariable, Quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.particles._model import Float

__all__ = ["candidates", "generic_distribution", "generic_times", "solid_angles"]

_BLOCK_CELLS = 1 << 18
_MODES_LIMIT = 255
_ALIKE = (0.0, 1e-4, 1e-3, 1e-2)  # energies this near each other, by ratio, are of one table
_POOR_NAMES = ("uncert", "sigma", "error", "rate", "count", "delta", "quality", "background")


def candidates(cdf: Cdf) -> list[Layout]:
    """Variables of intensity by energy, the likeliest first: flux before counts, with pitch angles before without."""
    found = [layout for layout in map(layout_of, cdf.variables.values()) if layout is not None]
    return sorted(found, key=lambda layout: -_merit(layout))


def _merit(layout: Layout) -> int:
    words = f"{layout.variable.name} {layout.variable.text('LABLAXIS')} {layout.variable.text('FIELDNAM')}".lower()
    merit = 4 * (layout.pitch is not None) + 2 * (layout.flux_per_ev is not None) + 2 * ("flux" in words)
    merit += 2 * (layout.variable.text("VAR_TYPE").lower() == "data")
    return merit - 8 * any(word in words for word in _POOR_NAMES)


def _chosen(cdf: Cdf, variable: str | None) -> Layout:
    if variable is not None:
        layout = layout_of(cdf[variable])
        if layout is None:
            raise MissingVariable(f"{cdf.path}: {variable!r} has no axis of energy (a DEPEND with a unit such as eV)")
        return layout
    found = candidates(cdf)
    if not found:
        raise MissingVariable(f"{cdf.path} has no variable by time and energy; name one if its attributes are at fault")
    return found[0]


def generic_times(cdf: Cdf, *, variable: str | None = None) -> Float:
    """(N, 2) start and end of every record as it stands in the file; seconds since 1970, NaN for fill."""
    return times_of(_chosen(cdf, variable))


def generic_distribution(cdf: Cdf, *, variable: str | None = None, quantity: Quantity | None = None) -> Distribution:
    """Set out to read a variable by time and energy.

    Parameters
    ----------
    cdf
        Open until the blocks are gone through.
    variable
        Its name; None is the first of `candidates`.
    quantity
        None for what the file holds. Flux by energy is turned into energy flux or number flux; what is not flux is not
        turned into anything.

    Raises
    ------
    MissingVariable
        If there is no such variable.
    EmptyFile
        If it has no record with a time and energies.
    DataError
        If the quantity cannot be made from it.
    """
    layout = _chosen(cdf, variable)
    values = layout.variable
    times = times_of(layout)
    if not values.records or not len(times):
        raise EmptyFile(f"{cdf.path}: {values.name!r} holds no records")
    if len(times) != values.records:
        raise cdf.header.source.wrong(f"{values.name!r} has {values.records} records and {len(times)} times")
    tables, mode, notes = _tables(layout, values.records)
    if any(table.repeats for table in tables):
        notes.append("Some energies are measured by several channels of a record; their mean is shown.")
    tally = Tally(records=len(times))
    keep = np.isfinite(times).all(axis=1) & (times[:, 1] > times[:, 0]) & (mode >= 0)
    tally.invalid = int(np.count_nonzero(~keep))
    if not keep.any():
        raise EmptyFile(f"{cdf.path}: no record of {values.name!r} has a time and energies")
    places = in_order(times, keep, tally)
    rows = np.flatnonzero(keep)
    rows = rows[np.argsort(places[rows])]
    words, unit, scales = _converted(layout, tables, quantity)
    pitch = None if layout.pitch is None else _pitch(layout.pitch, values.records)
    if pitch is not None and len(pitch) > 1:
        notes.append("Pitch angles differ by record, so that the mean is the plain one.")
    return Distribution(
        name=values.name,
        quantity=words,
        unit=unit,
        times_s=times[rows],
        mode=mode[rows].astype(np.uint8),
        tables=tuple(tables),
        blocks=_blocks(layout, places, mode, pitch, tally),
        scales=scales,
        full_circle=pitch is not None and bool(np.nanmax(pitch, initial=0.0) > 180.0),
        has_pitch=pitch is not None,
        pitch_edges_deg=None if pitch is None or len(pitch) > 1 else _pitch_edges(pitch[0])[1],
        tally=tally,
        notes=tuple(notes),
    )


def _blocks(
    layout: Layout, places: NDArray[np.intp], mode: NDArray[Any], pitch: NDArray[Any] | None, tally: Tally
) -> Iterator[Block]:
    values = layout.variable
    cells = int(np.prod(values.shape[1:], dtype=np.int64))
    weight = None if pitch is None or len(pitch) > 1 else solid_angles(pitch[0])
    for start, raw in values.blocks(max(_BLOCK_CELLS // max(cells, 1), 1)):
        numbers = values.floats(raw)
        cube = layout.arranged(numbers.values).astype(np.float32)
        inside = places[start : start + len(cube)]
        for number in np.unique(mode[start : start + len(cube)][inside >= 0]):
            taken = np.flatnonzero((inside >= 0) & (mode[start : start + len(cube)] == number))
            part = cube[taken]
            good: NDArray[np.bool_] | None = np.isfinite(part)
            if good.all():  # type: ignore[union-attr]
                good = None
            else:
                part[~good] = 0.0  # type: ignore[operator]
            yield Block(
                rows=inside[taken],
                mode=int(number),
                values=part,
                good=good,
                pitch_deg=None if pitch is None else (pitch if len(pitch) == 1 else pitch[start + taken])[:, :, None],
                solid_angle_sr=(np.ones(part.shape[1]) if weight is None else weight)[:, None],
            )
        if (inside < 0).any():
            numbers = values.floats(raw[inside >= 0])
        tally.cells += int(numbers.values.size)
        tally.fill += numbers.fill
        tally.out_of_range += numbers.out_of_range


def _tables(layout: Layout, records: int) -> tuple[list[EnergyTable], NDArray[np.int64], list[str]]:
    """The distinct tables of energies, and (N,) which one each record has; -1 where it has none."""
    lower, centre, upper = _energies(layout)
    if len(centre) == 1:
        return [_table(lower[0], centre[0], upper[0])], np.zeros(records, np.int64), []
    if len(centre) != records:
        raise DataError(f"energies of {layout.variable.name!r} have {len(centre)} records where it has {records}")
    notes: list[str] = []
    for alike in _ALIKE:
        key = np.stack([lower, centre, upper], axis=1).reshape(records, -1)
        if alike:
            with np.errstate(divide="ignore", invalid="ignore"):
                key = np.rint(np.log(key) / alike)
        _, first, inverse = np.unique(np.nan_to_num(key, nan=-1.0), axis=0, return_index=True, return_inverse=True)
        if len(first) <= _MODES_LIMIT:
            break
    else:
        raise DataError(f"energies of {layout.variable.name!r} drift: over {_MODES_LIMIT} tables; they cannot be drawn")
    if alike:
        notes.append(f"Energies within {alike:.2%} of each other are taken as one table.")
    order = np.argsort(first)  # tables are numbered as they come in the file
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    mode = rank[inverse.ravel()]
    tables = [_table(lower[k], centre[k], upper[k]) for k in first[order]]
    full = np.array([len(table.channels) > 0 for table in tables])
    return tables, np.where(full[mode], mode, -1), notes


def _table(lower: Float, centre: Float, upper: Float) -> EnergyTable:
    return energy_table(centre, lower_ev=lower, upper_ev=upper)[0]


def _energies(layout: Layout) -> tuple[Float, Float, Float]:
    """Three (1, E) or (N, E) in eV: lower edge, energy, upper edge; edges equal to the energy where none are stated."""
    variable = layout.energy
    factor = energy_factor_ev(variable)
    centre = layout.energy_rows(variable) * factor
    minus, plus = variable.linked("DELTA_MINUS_VAR"), variable.linked("DELTA_PLUS_VAR")
    below = np.zeros_like(centre) if minus is None else layout.energy_rows(minus) * energy_factor_ev(minus, factor)
    above = np.zeros_like(centre) if plus is None else layout.energy_rows(plus) * energy_factor_ev(plus, factor)
    lower, upper = np.broadcast_arrays(centre - below, centre + above)
    if minus is None and plus is not None:
        # A low energy and a width: the energy of the channel lies between its edges.
        with np.errstate(invalid="ignore"):
            centre = np.where((lower > 0) & (upper > lower), np.sqrt(np.abs(lower * upper)), centre)
    return lower, np.broadcast_to(centre, lower.shape), upper


def _pitch(variable: Variable, records: int) -> NDArray[np.float64]:
    """(1, A) or (N, A) degrees."""
    values = variable.floats().values.astype(np.float64)
    values = values.reshape(len(values), -1)
    if variable.text("UNITS").lower().startswith("rad"):
        values = np.degrees(values)
    if variable.constant or len(values) == 1:
        return values[:1]
    if len(values) != records:
        raise DataError(f"pitch angles {variable.name!r} have {len(values)} records where {records} are needed")
    return values[:1] if np.array_equal(values, np.broadcast_to(values[:1], values.shape), equal_nan=True) else values


def solid_angles(pitch_deg: NDArray[Any]) -> NDArray[np.float64]:
    """The share of the sphere that belongs to each pitch angle, whose bins meet half-way.

    Parameters
    ----------
    pitch_deg
        (A,) degrees, up to 180 or up to 360; NaN where unknown.

    Returns
    -------
    (A,) array
        Steradians, 4π together; 0 where unknown.
    """
    shares = np.zeros(len(pitch_deg))
    order, edges = _pitch_edges(pitch_deg)
    if len(order):
        below = np.floor(edges / 180.0)
        area = 2.0 * below + 1.0 - np.cos(np.radians(edges - 180.0 * below))
        shares[order] = 2.0 * np.pi * np.diff(area) * (180.0 / (edges[-1] - edges[0]))
    return shares


def _pitch_edges(pitch_deg: NDArray[Any]) -> tuple[NDArray[np.intp], Float]:
    """Places of the known angles in ascending order, and the edges of their bins, which meet half-way."""
    known = np.flatnonzero(np.isfinite(pitch_deg))
    order = known[np.argsort(pitch_deg[known], kind="stable")]
    angles = np.asarray(pitch_deg, np.float64)[order]
    if not len(angles):
        return order, np.empty(0)
    middle = 0.5 * (angles[1:] + angles[:-1])
    if angles[-1] <= 180.0:
        return order, np.concatenate([[0.0], middle, [180.0]])
    seam = 0.5 * (angles[0] + angles[-1] - 360.0)
    return order, np.concatenate([[seam], middle, [seam + 360.0]])


def _converted(
    layout: Layout, tables: list[EnergyTable], quantity: Quantity | None
) -> tuple[str, str, tuple[Float, ...]]:
    """Words, unit and factors by table for a quantity."""
    if quantity is None:
        return label_of(layout.variable), tidy_unit(layout.variable.text("UNITS")), ()
    words = {Quantity.ENERGY_FLUX: "Differential energy flux", Quantity.NUMBER_FLUX: "Differential number flux"}
    quantity = Quantity(quantity)
    if quantity is Quantity.COUNTS and "count" in f"{layout.variable.name} {label_of(layout.variable)}".lower():
        return "Counts", "", ()
    if layout.flux_per_ev is None or quantity not in words:
        unit = layout.variable.text("UNITS") or "none"
        raise DataError(
            f"{layout.variable.name!r} (unit {unit}) cannot be turned into {quantity.value.replace('_', ' ')}; "
            "leave the quantity open, or name another variable"
        )
    scales: list[Float] = []
    for table in tables:
        factor = np.full(len(table.channels), layout.flux_per_ev)
        if quantity is Quantity.ENERGY_FLUX and not layout.is_energy_flux:
            factor = factor * table.energies_ev
        elif quantity is Quantity.NUMBER_FLUX and layout.is_energy_flux:
            factor = factor / table.energies_ev
        scales.append(factor)
    unit = "eV/(cm² s sr eV)" if quantity is Quantity.ENERGY_FLUX else "1/(cm² s sr eV)"
    return words[quantity], unit, tuple(scales)
