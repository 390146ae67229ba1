"""One file of the mission, and what is true of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from batchlab.particles._model import INSTRUMENTS, Mark
from batchlab.particles._synthetic._fast_file import make_records, write_fast
from batchlab.particles._synthetic._orbit_file import PERIOD_S
from batchlab.particles._synthetic._plan import PASS_S, RECORDS, Plan, plan_records
from batchlab.particles._synthetic._plasma import beam_energy
from batchlab.particles._synthetic._tables import flight_tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.particles._model import Float

__all__ = [
    "FIRST_ORBIT",
    "Truth",
    "file_name",
    "is_south",
    "month_folder",
    "orbit_start",
    "seeded",
    "write_file",
]

FIRST_ORBIT = 20_541
_FIRST_START_S = datetime(2001, 10, 31, 19, 30, tzinfo=UTC).timestamp()
_SOUTH_EVERY = 3  # orbits
_BAD_RECORDS = (7, 8)  # of 400


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """What is true of one file, without noise where noise is in it.

    Attributes
    ----------
    orbit, instrument, path
        Which it is.
    times_s
        (N, 2) start and end of records, in seconds since 1970, UTC without leap seconds.
    mode
        (N,): 0 has 48 energies and 32 angles, 1 48 and 64, 2 96 and 32.
    theta_shift_deg
        (N,) by which angles are turned against the field.
    beam_ev
        (N,) energy at which the beam along the field peaks.
    counts_by_energy
        (N, 96) counts of all angles together in the order of the file, energies falling; 0 beyond those of the mode.
    valid
        (N,) whether a record is marked as good.
    flagged
        (N,) whether its quality is flagged.
    gaps_s
        (G, 2) stretches without records.
    south
        Whether down is against the field.
    cusp
        The time of the cusp by the middles of records, None where the file has none.
    cusp_records
        First and last record of it.
    """

    orbit: int
    instrument: str
    path: Path
    times_s: Float
    mode: NDArray[np.uint8]
    theta_shift_deg: NDArray[np.float32]
    beam_ev: Float
    counts_by_energy: NDArray[np.int64]
    valid: NDArray[np.bool_]
    flagged: NDArray[np.bool_]
    gaps_s: Float
    south: bool
    cusp: Mark | None = None
    cusp_records: tuple[int, int] | None = None


def write_file(data: Path, orbit: int, instrument: str, *, seed: int, records: int | None = None) -> Truth:
    """Write one file of a mission below `data`."""
    rng = seeded(seed, orbit, instrument)
    start = orbit_start(orbit)
    south = is_south(orbit)
    count = RECORDS[instrument] if records is None else records
    plan = plan_records(instrument, start, count, rng)
    cusp_s = _cusp_time(orbit, start, RECORDS["ees"] if records is None else records)
    made = make_records(
        instrument, plan, flight_tables(burst=instrument.endswith("b")), rng, cusp_s=cusp_s, south=south
    )
    made.valid[[place for place in (count * each // 400 for each in _BAD_RECORDS) if 0 < place < count]] = 0
    if count > 1:
        made.quality[count // 3] |= 2
    path = month_folder(data, orbit) / file_name(orbit, instrument, plan)
    write_fast(path, instrument, orbit, plan, made)
    centres = plan.times_s.mean(axis=1)
    inside = np.empty(0, int) if cusp_s is None else np.flatnonzero((centres >= cusp_s[0]) & (centres <= cusp_s[1]))
    found = (int(inside[0]), int(inside[-1])) if len(inside) else None
    return Truth(
        orbit=orbit,
        instrument=instrument,
        path=path,
        times_s=plan.times_s,
        mode=plan.mode,
        theta_shift_deg=plan.theta_shift_deg,
        beam_ev=beam_energy(instrument, centres),
        counts_by_energy=made.counts_by_energy,
        valid=made.valid == 1,
        flagged=made.quality != 0,
        gaps_s=plan.gaps_s,
        south=south,
        cusp=Mark(start_s=float(centres[found[0]]), end_s=float(centres[found[1]]), label="cusp") if found else None,
        cusp_records=found,
    )


def seeded(seed: int, orbit: int, instrument: str) -> np.random.Generator:
    """The noise of one file."""
    return np.random.default_rng([seed, orbit, INSTRUMENTS.index(instrument)])


def orbit_start(orbit: int) -> float:
    """When an orbit begins, in seconds since 1970."""
    return _FIRST_START_S + (orbit - FIRST_ORBIT) * PERIOD_S


def is_south(orbit: int) -> bool:
    """Whether an orbit's records are from over the south."""
    return (orbit - FIRST_ORBIT) % _SOUTH_EVERY == _SOUTH_EVERY - 1


def file_name(orbit: int, instrument: str, plan: Plan, version: int = 2) -> str:
    """As the archive names a file: by its first record's middle."""
    first = plan.times_s.mean(axis=1)[0] if len(plan.mode) else orbit_start(orbit) + PASS_S
    stamp = datetime.fromtimestamp(float(first), UTC).strftime("%Y%m%d%H%M%S")
    return f"fa_esa_l2_{instrument}_{stamp}_{orbit}_v{version:02}.cdf"


def month_folder(data: Path, orbit: int) -> Path:
    """Where the files of an orbit lie."""
    return data / datetime.fromtimestamp(orbit_start(orbit), UTC).strftime("%Y/%m")


def _cusp_time(orbit: int, start_s: float, survey_records: int) -> tuple[float, float] | None:
    """First and last moment of an orbit's cusp: within the records before the gap, so that none is cut in two."""
    which = (orbit - FIRST_ORBIT) % 6
    if which == 5:
        return None
    lasts = 2.5 * survey_records
    first = start_s + PASS_S + 1.0 + (0.15 + 0.02 * which) * lasts
    return (first, first + 2.4) if which == 4 else (first, first + 0.1 * lasts)
