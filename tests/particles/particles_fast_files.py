"""Small FAST files with known contents, written by another library than the one that reads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cdflib.cdfwrite
import numpy as np

FILL = np.float32(-1e31)
DEAD_S = 1.1e-7
SHAPES = {0: (32, 48), 1: (64, 48), 2: (32, 96)}


@dataclass(frozen=True)
class Written:
    """What a file was made from: counts before dead time, the shift of each record, the tables, all in file order."""

    path: Path
    start_s: np.ndarray
    end_s: np.ndarray
    mode: np.ndarray
    shift_deg: np.ndarray
    counts: np.ndarray
    eflux: np.ndarray
    energy_ev: np.ndarray
    denergy_ev: np.ndarray
    theta_deg: np.ndarray
    domega_sr: np.ndarray

    def pitch_deg(self, record: int) -> np.ndarray:
        angles, energies = SHAPES[int(self.mode[record])]
        theta = self.theta_deg[self.mode[record], :angles, :energies]
        return (theta + np.float32(self.shift_deg[record])) % np.float32(360)


def tables(angle_limit: int) -> tuple[np.ndarray, ...]:
    energy, denergy, theta, dtheta, domega = (np.full((3, angle_limit, 96), FILL, np.float32) for _ in range(5))
    for mode, (angles, energies) in SHAPES.items():
        if angles > angle_limit:
            continue
        edges = np.geomspace(36_000.0, 4.0, energies + 1)
        energy[mode, :angles, :energies] = 0.5 * (edges[1:] + edges[:-1])
        denergy[mode, :angles, :energies] = edges[:-1] - edges[1:]
        denergy[mode, :angles, 0] = 0.0
        step = 360.0 / angles
        lean = np.linspace(0, 0.5 * step, energies)
        theta[mode, :angles, :energies] = (112.5 - step * np.arange(angles)[:, None] + lean) % 360
        dtheta[mode, :angles, :energies] = step
        domega[mode, :angles, :energies] = 0.02 + 0.1 * np.abs(np.sin(np.radians(theta[mode, :angles, :energies])))
    return energy, denergy, theta, dtheta, domega


def write_fast(
    folder: Path,
    *,
    name: str = "fa_esa_l2_ees_20000101000000_13500_v01.cdf",
    records: int = 24,
    survey: bool = True,
    switch_at: int | None = None,
    first_mode: int = 0,
    second_mode: int = 2,
    seed: int = 0,
    counts: np.ndarray | None = None,
    shift_deg: np.ndarray | None = None,
    start_s: np.ndarray | None = None,
    valid: np.ndarray | None = None,
    quality: np.ndarray | None = None,
    leave_out: tuple[str, ...] = (),
    mode_tables: bool = True,
    geometric_factor: float = 7e-4,
    flux_fill: tuple[tuple[int, int, int], ...] = (),
) -> Written:
    random = np.random.default_rng(seed)
    limit = 64 if survey else 32
    energy, denergy, theta, dtheta, domega = tables(limit)
    mode = np.full(records, first_mode)
    if switch_at is not None:
        mode[switch_at:] = second_mode
    start = 946_684_800.0 + 2.5 * np.arange(records) if start_s is None else start_s
    delta = 2.5
    dt = delta / np.array([SHAPES[int(m)][1] for m in mode])
    shift = random.uniform(-8, 8, records).astype(np.float32) if shift_deg is None else shift_deg.astype(np.float32)
    if counts is None:
        counts = random.poisson(40, (records, 64, 96))
    geometric = np.full(records, geometric_factor, np.float32)
    gf = random.uniform(0.8, 1.0, (10, 64, 96)).astype(np.float32)
    gf_ind = np.arange(records) % 10
    eff = random.uniform(0.4, 0.5, (3, limit, 96)).astype(np.float32)
    eflux = np.full((records, 64, 96), FILL, np.float32)
    full = {key: np.full((records, 64, 96), FILL, np.float32) for key in ("pitch", "energy", "denergy", "domega")}
    for k in range(records):
        angles, energies = SHAPES[int(mode[k])]
        cut = np.s_[:angles, :energies]
        c = counts[k][cut].astype(np.float64)
        corrected = c / np.maximum(1 - DEAD_S * c / dt[k], 0.1)
        eflux[k][cut] = corrected / (float(geometric[k]) * gf[gf_ind[k]][cut] * eff[mode[k]][cut] * dt[k])
        full["pitch"][k][cut] = (theta[mode[k]][cut] + shift[k]) % np.float32(360)
        full["energy"][k][cut] = energy[mode[k]][cut]
        full["denergy"][k][cut] = denergy[mode[k]][cut]
        full["domega"][k][cut] = domega[mode[k]][cut]
    for cell in flux_fill:
        eflux[cell] = FILL
    if not mode_tables:
        energy, denergy, theta, dtheta = (np.full_like(t, FILL) for t in (energy, denergy, theta, dtheta))
    path = folder / name
    file = cdflib.cdfwrite.CDF(path, cdf_spec={"Majority": "row_major", "Compressed": 0}, delete=True)
    shapes = np.array([SHAPES[int(m)] for m in mode])
    by_record: dict[str, tuple[int, np.ndarray]] = {
        "time_unix": (45, start + delta / 2),
        "time_start": (45, start),
        "time_end": (45, start + delta),
        "time_delta": (45, np.full(records, delta)),
        "time_integ": (45, dt),
        "valid": (2, np.ones(records, np.int16) if valid is None else valid.astype(np.int16)),
        "data_quality": (11, np.zeros(records, np.uint8) if quality is None else quality.astype(np.uint8)),
        "nbins": (11, shapes[:, 0].astype(np.uint8)),
        "nenergy": (11, shapes[:, 1].astype(np.uint8)),
        "mode_ind": (11, mode.astype(np.uint8)),
        "geom_factor": (44, geometric),
        "gf_ind": (2, gf_ind.astype(np.int16)),
        "theta_shift": (44, shift),
        "eflux": (44, eflux),
        "pitch_angle": (44, full["pitch"]),
        "energy_full": (44, full["energy"]),
        "denergy_full": (44, full["denergy"]),
        "domega": (44, full["domega"]),
    }
    constant: dict[str, tuple[int, np.ndarray]] = {
        "energy": (44, energy),
        "denergy": (44, denergy),
        "theta": (44, theta),
        "dtheta": (44, dtheta),
        "eff": (44, eff),
        "gf": (44, gf),
        "dead": (44, np.float32(DEAD_S)),
        "mass": (44, np.float32(5.68566e-6)),
    }
    for key, (kind, values) in by_record.items():
        if key not in leave_out:
            extra = {"VALIDMIN": np.float32(0), "VALIDMAX": np.float32(1e10), "UNITS": "eV/sr/sec"}
            attributes = {"FILLVAL": FILL if kind == 44 else np.float64(-1e31), **(extra if key == "eflux" else {})}
            _write(file, key, kind, values, varies=True, attributes=attributes if kind in (44, 45) else {})
    for key, (kind, values) in constant.items():
        if key not in leave_out:
            _write(file, key, kind, values, varies=False, attributes={"FILLVAL": FILL})
    file.close()
    return Written(path, start, start + delta, mode, shift, counts, eflux, energy, denergy, theta, domega)


def _write(file, name, kind, values, *, varies, attributes) -> None:
    sizes = list(values.shape[1:] if varies else values.shape)
    spec = {
        "Variable": name,
        "Data_Type": kind,
        "Num_Elements": 1,
        "Rec_Vary": varies,
        "Dim_Sizes": sizes,
        "Compress": 6 if sizes else 0,
        "Block_Factor": 16 if len(sizes) > 1 else 0,
    }
    file.write_var(spec, var_attrs=attributes, var_data=values)
