"""Files with a fault: what an archive, a download or a generator of files can do to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from batchlab.particles._synthetic import _orbit_data
from batchlab.particles._synthetic._fast_file import make_records, write_fast
from batchlab.particles._synthetic._plan import Plan, plan_records
from batchlab.particles._synthetic._tables import ANGLES, ENERGIES, flight_tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["write_broken"]


def write_broken(data: Path, first_orbit: int, *, seed: int = 0, records: int = 60) -> Mapping[Path, str]:
    """Write two orbits of faulty files below `data`.

    Parameters
    ----------
    data
        As of a mission.
    first_orbit
        Its ees is cut short, its eeb a page of text, its ies without a pitch angle variable, its ieb without flux. Of
        the next orbit ees has no records, eeb nothing but zeros, ies is out of the order of time, and ieb is there in
        two versions, the older one with other data.
    seed, records
        As of a mission.

    Returns
    -------
    mapping
        File to its fault: ``truncated``, ``text``, ``no-pitch-angle``, ``no-flux``, ``empty``, ``zeros``,
        ``out-of-order`` and ``old-version``.
    """
    faults: dict[Path, str] = {}
    second = first_orbit + 1

    whole = _orbit_data.write_file(data, first_orbit, "ees", seed=seed, records=records).path
    content = whole.read_bytes()
    whole.write_bytes(content[: len(content) * 3 // 5])
    faults[whole] = "truncated"

    page = _orbit_data.write_file(data, first_orbit, "eeb", seed=seed, records=1).path
    page.write_text("<html><body><h1>503 Service Unavailable</h1></body></html>\n", encoding="utf-8")
    faults[page] = "text"

    faults[_write(data, first_orbit, "ies", seed, records, without="pitch_angle")] = "no-pitch-angle"
    faults[_write(data, first_orbit, "ieb", seed, records, without="eflux")] = "no-flux"
    faults[_write(data, second, "ees", seed, 0)] = "empty"
    zeros = np.zeros((records, ANGLES, ENERGIES), np.uint8)
    faults[_write(data, second, "eeb", seed, records, codes=zeros)] = "zeros"
    faults[_write(data, second, "ies", seed, records, turned=True)] = "out-of-order"
    faults[_write(data, second, "ieb", seed + 1, records, version=1)] = "old-version"
    _write(data, second, "ieb", seed, records)
    return faults


def _write(
    data: Path,
    orbit: int,
    instrument: str,
    seed: int,
    records: int,
    *,
    without: str = "",
    codes: NDArray[np.uint8] | None = None,
    turned: bool = False,
    version: int = 2,
) -> Path:
    rng = _orbit_data.seeded(seed, orbit, instrument)
    plan = plan_records(instrument, _orbit_data.orbit_start(orbit), records, rng)
    made = make_records(instrument, plan, flight_tables(burst=instrument.endswith("b")), rng, codes=codes)
    name = _orbit_data.file_name(orbit, instrument, plan, version)
    if turned:
        plan = _swapped(plan)
    path = _orbit_data.month_folder(data, orbit) / name
    write_fast(path, instrument, orbit, plan, made, without=(without,))
    return path


def _swapped(plan: Plan) -> Plan:
    """Two stretches of records in each other's place, in times alone."""
    times = plan.times_s.copy()
    half = len(times) // 4
    times[: 2 * half] = np.concatenate([times[half : 2 * half], times[:half]])
    return replace(plan, times_s=times)
