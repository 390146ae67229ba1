"""Files of FAST's analysers, level 2: the variables of the archive, with records that no spacecraft took."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.particles._synthetic._cdf_file import Column, write_cdf
from batchlab.particles._synthetic._plasma import counts_of_mode, pitch_of_mode
from batchlab.particles._synthetic._tables import ANGLES, DEAD_S, ENERGIES, FILL, SHAPES, Tables, decode, flight_tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.particles._synthetic._plan import Plan

__all__ = ["Records", "columns_of", "make_records", "write_fast"]

_GEOMETRIC = 0.0047  # cm² sr for a full turn
_MASS = {"e": 5.68566e-6, "i": 0.0104389}  # eV/(km/s)²
_NAMES = {"ees": "Eesa Survey", "eeb": "Eesa Burst", "ies": "Iesa Survey", "ieb": "Iesa Burst"}
_DEAD_FLOOR = 0.1
_TIME_RANGE = (np.float64(840_586_000.0), np.float64(1_241_140_000.0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Records:
    """What a file holds by record, padded to 64 angles and 96 energies.

    Attributes
    ----------
    codes
        (N, 64, 96) bytes of telemetry, 0 in padding.
    eflux, pitch, energy, width, solid_angle
        (N, 64, 96), fill in padding.
    counts_by_energy
        (N, 96) counts of all angles together.
    valid, quality
        (N,) flags.
    """

    codes: NDArray[np.uint8]
    eflux: NDArray[np.float32]
    pitch: NDArray[np.float32]
    energy: NDArray[np.float32]
    width: NDArray[np.float32]
    solid_angle: NDArray[np.float32]
    counts_by_energy: NDArray[np.int64]
    valid: NDArray[np.int16]
    quality: NDArray[np.uint8]


def make_records(
    instrument: str,
    plan: Plan,
    tables: Tables,
    rng: np.random.Generator,
    *,
    cusp_s: tuple[float, float] | None = None,
    south: bool = False,
    codes: NDArray[np.uint8] | None = None,
) -> Records:
    """Fill records with what the analyser meets, or with `codes` of telemetry."""
    count = len(plan.mode)
    padded = (count, ANGLES, ENERGIES)
    eflux, pitch, energy, width, solid = (np.full(padded, FILL, np.float32) for _ in range(5))
    given = codes
    codes = np.zeros(padded, np.uint8)
    by_energy = np.zeros((count, ENERGIES), np.int64)
    quality = np.zeros(count, np.uint8)
    centres = plan.times_s.mean(axis=1)
    for mode in np.unique(plan.mode):
        angles, energies = SHAPES[int(mode)]
        rows = np.flatnonzero(plan.mode == mode)
        cells = np.s_[rows[0] : rows[-1] + 1, :angles, :energies]  # records of a mode follow each other
        table = np.s_[mode, :angles, :energies]
        turned = pitch_of_mode(tables, plan, int(mode))
        cosines = np.cos(np.deg2rad(turned))
        integration = (plan.times_s[rows[0], 1] - plan.times_s[rows[0], 0]) / energies
        if given is None:
            codes[cells] = counts_of_mode(
                instrument, cosines, tables, int(mode), centres[rows], float(integration), cusp_s, south, rng
            )
        else:
            codes[cells] = given[cells]
        counts = decode(codes[cells])
        by_energy[rows, :energies] = counts.sum(axis=1)
        alive = 1.0 - (DEAD_S / integration) * counts
        quality[rows[(alive < _DEAD_FLOOR).any(axis=(1, 2))]] += 4
        gf = tables.gf[(mode, *table[1:])] if tables.gf.ndim == 3 else tables.gf[table[1:]]
        factor = geometric_factor(int(mode)) * integration * gf * tables.eff[table]
        eflux[cells] = counts / (np.maximum(alive, _DEAD_FLOOR) * factor)
        pitch[cells] = turned
        energy[cells], width[cells] = tables.energy[table], tables.denergy[table]
        solid[cells] = _solid_angle(cosines, 360.0 / angles)
    valid = np.ones(count, np.int16)
    return Records(
        codes=codes,
        eflux=eflux,
        pitch=pitch,
        energy=energy,
        width=width,
        solid_angle=solid,
        counts_by_energy=by_energy,
        valid=valid,
        quality=quality,
    )


def geometric_factor(mode: int) -> float:
    """Of one angle of a mode, in cm² sr."""
    return float(np.float32(_GEOMETRIC / SHAPES[mode][0]))


def write_fast(
    path: Path, instrument: str, orbit: int, plan: Plan, records: Records, *, without: Collection[str] = ()
) -> None:
    """Write a file with the archive's variables, but for those named in `without`."""
    tables = flight_tables(burst=instrument.endswith("b"))
    columns = [column for column in columns_of(instrument, orbit, plan, records, tables) if column.name not in without]
    write_cdf(path, columns, _about(path, instrument))


def columns_of(instrument: str, orbit: int, plan: Plan, records: Records, tables: Tables) -> list[Column]:
    """All variables of a file."""
    count = len(plan.mode)
    centres, lasts = plan.times_s.mean(axis=1), np.diff(plan.times_s, axis=1)[:, 0]
    shapes = np.array([SHAPES[int(mode)] for mode in plan.mode], np.uint8).reshape(count, 2)
    geometric = np.array([geometric_factor(int(mode)) for mode in plan.mode], np.float32)
    survey = tables.gf.ndim == 3
    zeros = np.zeros(count, np.float32)
    index = plan.mode.astype(np.int16) if survey else np.zeros(count, np.int16)
    by_time: dict[str, tuple[Any, str, str]] = {
        "time_unix": (centres, "sec", "Time in the middle, in seconds since 1970 without leap seconds"),
        "time_start": (plan.times_s[:, 0], "sec", "Start of data collection"),
        "time_end": (plan.times_s[:, 1], "sec", "End of data collection"),
        "time_delta": (lasts, "sec", "From start to end"),
        "time_integ": (lasts / np.maximum(shapes[:, 1], 1), "sec", "Time for one energy"),
        "header_bytes": (np.zeros((count, 44), np.uint8), "None", "Head of the packet"),
        "valid": (records.valid, "None", "1 is good, 0 is bad"),
        "data_quality": (records.quality, "None", "0 is good; 2: a counter overflowed; 4: dead time above 0.90"),
        "nbins": (shapes[:, 0], "None", "Number of angles"),
        "nenergy": (shapes[:, 1], "None", "Number of energies"),
        "geom_factor": (geometric, "None", "Geometric factor of one angle"),
        "gf_ind": (index, "None", "Index into gf"),
        "bins_ind": ((index == 1).astype(np.int16), "None", "Index into bins"),
        "mode_ind": (plan.mode, "None", "Mode"),
        "theta_shift": (plan.theta_shift_deg, "degrees", "What turns theta into pitch angle"),
        "theta_max": (plan.theta_shift_deg + np.float32(180), "degrees", "Largest angle"),
        "theta_min": (plan.theta_shift_deg - np.float32(180), "degrees", "Smallest angle"),
        "bkg": (zeros, "None", "Background counts"),
        "sc_pot": (zeros, "volts", "Spacecraft potential"),
    }
    by_cell: dict[str, tuple[Any, str, str]] = {
        "data": (records.codes, "Counts", "Bytes of telemetry"),
        "eflux": (records.eflux, "eV/cm^2-sec-sr-eV", "Differential energy flux"),
        "energy_full": (records.energy, "eV", "Energy"),
        "denergy_full": (records.width, "eV", "Width of the energy channel"),
        "pitch_angle": (records.pitch, "degrees", "Pitch angle"),
        "domega": (records.solid_angle, "ster", "Solid angle"),
    }
    ranges = {"eflux": (0.0, 1e10), "pitch_angle": (0.0, 360.0), "theta_shift": (-400.0, 400.0)}
    columns = [Column(name="epoch", values=centres, is_epoch=True, attributes=_words("epoch", centres, "ms", "Time"))]
    for name, (values, unit, words) in (by_time | by_cell).items():
        attributes = _words(name, values, unit, words) | {"DEPEND_0": "epoch", "DEPEND_TIME": "time_unix"}
        if name in by_cell:
            attributes |= {"DEPEND_1": "pitch_angle_bin", "DEPEND_2": "energy_channel"}
        if name in ranges:
            attributes |= {"VALIDMIN": np.float32(ranges[name][0]), "VALIDMAX": np.float32(ranges[name][1])}
        columns.append(Column(name=name, values=values, attributes=attributes))
    background = np.zeros(tables.gf.shape[-2:], np.float32)
    # The archive's two axes are made of zeros: whoever takes them for axes shall see it here.
    constants: dict[str, Any] = {
        "energy_channel": np.zeros(ENERGIES, np.int32),
        "pitch_angle_bin": np.zeros(ANGLES, np.int32),
        "num_dists": np.array(count, np.int32),
        "bins": tables.bins,
        "energy": tables.energy,
        "denergy": tables.denergy,
        "theta": tables.theta,
        "dtheta": tables.dtheta,
        "gf": tables.gf,
        "eff": tables.eff,
        "dead": np.array(DEAD_S, np.float32),
        "mass": np.array(_MASS[instrument[0]], np.float32),
        "charge": np.array(-1 if instrument[0] == "e" else 1, np.int16),
        "bkg_arr": background,
        "orbit_start": np.array(orbit, np.int32),
        "orbit_end": np.array(orbit, np.int32),
    }
    for name, values in constants.items():
        columns.append(Column(name=name, values=values, constant=True, attributes=_words(name, values, "NA", name)))
    texts = {
        "project_name": "FAST",
        "data_name": _NAMES[instrument],
        "data_level": "Level 2",
        "units_name": "eflux",
        "units_procedure": "fa_esa_convert_esa_units",
    }
    columns += [Column(name=name, values=text, attributes={"CATDESC": text}) for name, text in texts.items()]
    ends = centres[[0, -1]] if count else np.empty(0)
    columns += [
        Column(name="orbit_number", values=np.full(len(ends), orbit, np.int32)),
        Column(name="orbit_number_time", values=ends),
        Column(name="orbit_number_epoch", values=ends, is_epoch=True),
    ]
    return columns


def _solid_angle(cosines: NDArray[np.float32], spacing: float) -> NDArray[np.float32]:
    """Of the ring that an angle sweeps about the field, half of it, since a full turn meets every ring twice."""
    half = np.deg2rad(0.5 * spacing)
    sines = np.sqrt(np.maximum(np.float32(1) - cosines * cosines, 0))
    solid: NDArray[np.float32] = np.float32(2.0 * np.pi * np.sin(half)) * sines
    across = np.abs(cosines) > np.float32(np.cos(half))  # the field itself is within the angle
    solid[across] = np.float32(2.0 * np.pi) * (np.float32(1) - np.abs(cosines[across]) * np.float32(np.cos(half)))
    return solid


def _words(name: str, values: NDArray[Any], unit: str, words: str) -> dict[str, Any]:
    fills: dict[str, Any] = {
        "f4": FILL, "f8": np.float64(-1e31), "u1": np.uint8(255), "i2": np.int16(-32_768), "i4": np.int32(-(2**31)),
    }  # fmt: skip
    found = {"CATDESC": words, "FIELDNAM": name, "UNITS": unit, "LABLAXIS": words}
    found["VAR_TYPE"] = "support_data" if unit in ("sec", "ms", "NA") else "data"
    attributes: dict[str, Any] = {**found, "FILLVAL": fills[values.dtype.str[1:]]}
    if unit == "sec" and name not in ("time_delta", "time_integ"):
        attributes |= {"VALIDMIN": _TIME_RANGE[0], "VALIDMAX": _TIME_RANGE[1]}
    return attributes


def _about(path: Path, instrument: str) -> dict[str, str]:
    return {
        "TITLE": f"FAST ESA {_NAMES[instrument]} Distributions (synthetic)",
        "Project": "FAST",
        "Source_name": "FAST>Fast Auroral SnapshoT Explorer",
        "Discipline": "Space Physics>Magnetospheric Science",
        "Data_type": f"l2_{instrument}>Level 2 data: {_NAMES[instrument]}",
        "Descriptor": "ESA>Electrostatic Analyzer",
        "Data_version": "2",
        "Logical_file_id": path.stem,
        "Logical_source": f"fa_esa_l2_{instrument}",
        "Mission_group": "FAST",
        "TEXT": "Synthetic: measured by no spacecraft.",
    }
