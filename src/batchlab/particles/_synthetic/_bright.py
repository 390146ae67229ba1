"""A file with one bright cell: whatever is drawn of it must lie within that cell's edges."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from batchlab.errors import ConfigError
from batchlab.particles._synthetic._fast_file import make_records, write_fast
from batchlab.particles._synthetic._orbit_data import FIRST_ORBIT, file_name, orbit_start, seeded
from batchlab.particles._synthetic._plan import plan_records
from batchlab.particles._synthetic._tables import ANGLES, ENERGIES, SHAPES, decode, encode, flight_tables

__all__ = ["BrightCell", "one_bright_cell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrightCell:
    """Where the only brightness of a file is.

    Attributes
    ----------
    path
        The file.
    start_s, end_s
        Of its record, in seconds since 1970.
    low_ev, high_ev
        Edges of its channel.
    mode
        Of its record.
    pitch_deg
        From 0 to 360 of its angle; None if all angles are bright.
    counts
        In each bright angle; elsewhere there are as many as the file was made with.
    """

    path: Path
    start_s: float
    end_s: float
    low_ev: float
    high_ev: float
    mode: int
    pitch_deg: float | None
    counts: int


def one_bright_cell(
    folder: Path | str,
    *,
    instrument: str = "ees",
    orbit: int = FIRST_ORBIT,
    records: int = 40,
    record: int = 10,
    channel: int = 20,
    angle: int | None = None,
    counts: int = 4_000,
    elsewhere: int = 0,
    seed: int = 0,
) -> BrightCell:
    """Write a file of even counts with one cell that stands out.

    Parameters
    ----------
    folder
        Of the file; made where it is not there.
    instrument, orbit, records, seed
        As of a mission; 40 % into a file of survey there is a gap of 260 s, and at 70 % the mode changes.
    record, channel, angle
        The cell, as numbers from 0 in the order of the file: channel 1 has the highest energy of all that are used,
        since the voltage flies back in channel 0. None is all angles.
    counts, elsewhere
        In the cell, and in all others; rounded down to what a byte of telemetry can say.

    Raises
    ------
    ConfigError
        If the cell is not in the file.
    """
    rng = seeded(seed, orbit, instrument)
    plan = plan_records(instrument, orbit_start(orbit), records, rng)
    tables = flight_tables(burst=instrument.endswith("b"))
    if not 0 <= record < records:
        raise ConfigError(f"record {record} is not among the {records} of the file; choose one below {records}")
    mode = int(plan.mode[record])
    angles, energies = SHAPES[mode]
    centre, width = (float(table[mode, 0, channel % ENERGIES]) for table in (tables.energy, tables.denergy))
    if not 0 <= channel < energies or width <= 0.0 or not 0 <= (angle or 0) < angles:
        raise ConfigError(
            f"mode {mode} of record {record} has no cell of channel {channel} and angle {angle}; "
            f"it has {angles} angles from 0 and channels of a width from 1 to below {energies}"
        )
    codes = np.full((records, ANGLES, ENERGIES), encode(np.array([elsewhere]))[0], np.uint8)
    bright = encode(np.array([counts]))
    codes[record, slice(None) if angle is None else angle, channel] = bright[0]
    made = make_records(instrument, plan, tables, rng, codes=codes)
    path = Path(folder) / file_name(orbit, instrument, plan)
    write_fast(path, instrument, orbit, plan, made)
    return BrightCell(
        path=path,
        start_s=float(plan.times_s[record, 0]),
        end_s=float(plan.times_s[record, 1]),
        low_ev=centre - 0.5 * width,
        high_ev=centre + 0.5 * width,
        mode=mode,
        pitch_deg=None if angle is None else float(made.pitch[record, angle, channel]),
        counts=int(decode(bright)[0]),
    )
