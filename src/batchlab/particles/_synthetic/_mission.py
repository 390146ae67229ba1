"""A mission that never was: orbits of four analysers on disk, and what is true of them."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from batchlab.particles._model import INSTRUMENTS
from batchlab.particles._synthetic._broken import write_broken
from batchlab.particles._synthetic._orbit_data import (
    FIRST_ORBIT,
    Truth,
    is_south,
    month_folder,
    orbit_start,
    write_file,
)
from batchlab.particles._synthetic._orbit_file import PERIOD_S, orbit_track, write_orbit

__all__ = ["Mission", "write_mission"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mission:
    """A mission on disk and what is true of it.

    Attributes
    ----------
    folder
        Of the whole.
    data
        The CDF files: ``FAST_data/<year>/<month>`` in it.
    truths
        One for each good file, by orbit and instrument.
    cusp_table
        Times of the cusp by numbers of records, ``FAST_Cusp_Indices.csv``.
    events
        The same as times: ``events.csv`` with start, end, label and orbit.
    broken
        Files with a fault, and what the fault is; empty unless asked for.
    """

    folder: Path
    data: Path
    truths: tuple[Truth, ...]
    cusp_table: Path
    events: Path
    broken: Mapping[Path, str] = field(default_factory=dict)

    def truth(self, orbit: int, instrument: str) -> Truth:
        """What is true of a file; KeyError where there is none."""
        for each in self.truths:
            if (each.orbit, each.instrument) == (orbit, instrument):
                return each
        raise KeyError((orbit, instrument))

    @property
    def orbits(self) -> tuple[int, ...]:
        """Numbers of orbits with good files, ascending."""
        return tuple(sorted({each.orbit for each in self.truths}))


def write_mission(
    folder: Path | str,
    *,
    orbits: int = 6,
    seed: int = 0,
    records: int | None = None,
    instruments: Sequence[str] = INSTRUMENTS,
    first_orbit: int = FIRST_ORBIT,
    missing: Collection[tuple[int, str]] = (),
    orbit_files: bool = True,
    broken: bool = False,
) -> Mission:
    """Write orbits as the mission's archive lays them out, with the table of cusps and a list of events.

    The same parameters give the same mission; an orbit's data do not depend on which others are written.

    Parameters
    ----------
    folder
        Made where it is not there.
    orbits
        How many. Every third is over the south; the fifth of six has a cusp of one record, the sixth none.
    seed
        Of the noise and of the times of gaps.
    records
        In each file; None is 800 for survey and 903 for burst.
    instruments
        Of ``ees``, ``eeb``, ``ies`` and ``ieb``.
    first_orbit
        Its number; orbits follow each other.
    missing
        Orbits and instruments without a file.
    orbit_files
        Whether K0 orbit files are written too.
    broken
        Whether more orbits with faulty files follow; see `write_broken`.

    Returns
    -------
    Mission
        Where all is, and what is true.
    """
    folder = Path(folder)
    data = folder / "FAST_data"
    truths: list[Truth] = []
    for number in range(first_orbit, first_orbit + orbits):
        if orbit_files:
            track = orbit_track(orbit_start(number), south=is_south(number))
            write_orbit(month_folder(data, number) / f"fa_k0_orb_{number}_v01.cdf", number, track)
        for instrument in instruments:
            if (number, instrument) not in missing:
                truths.append(write_file(data, number, instrument, seed=seed, records=records))
    cusp_table, events = folder / "FAST_Cusp_Indices.csv", folder / "events.csv"
    _write_cusp_table(cusp_table, truths)
    _write_events(events, truths)
    faults = write_broken(data, first_orbit + orbits, seed=seed, records=records or 60) if broken else {}
    return Mission(folder=folder, data=data, truths=tuple(truths), cusp_table=cusp_table, events=events, broken=faults)


def _write_cusp_table(path: Path, truths: Sequence[Truth]) -> None:
    """The table of cusps in its usual form: tab-separated, records counted from 0, both ends inclusive."""
    heads = ["Orbit Number", "Folder Path", "orb File", "orb min Index", "orb Max Index"]
    order = ("eeb", "ees", "ieb", "ies")
    for instrument in order:
        heads += [instrument, f"{instrument} File", f"{instrument} min Index", f"{instrument} Max Index"]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerow(heads)
        for orbit in sorted({each.orbit for each in truths}):
            files = {each.instrument: each for each in truths if each.orbit == orbit}
            row: list[object] = [
                orbit,
                f"./FAST_data/{month_folder(Path(), orbit).as_posix()}",
                f"fa_k0_orb_{orbit}_v01.cdf",
            ]
            cusp = next((each.cusp for each in files.values() if each.cusp and each.instrument.endswith("s")), None)
            step = PERIOD_S / 396
            row += (
                ["", ""]
                if cusp is None
                else [int((at - orbit_start(orbit)) / step) for at in (cusp.start_s, cusp.end_s)]
            )
            for instrument in order:
                each = files.get(instrument)
                row += [each is not None, each.path.name if each else ""]
                row += each.cusp_records if each is not None and each.cusp_records else ["", ""]
            writer.writerow(row)


def _write_events(path: Path, truths: Sequence[Truth]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["start", "end", "label", "orbit"])
        seen: set[int] = set()
        for each in truths:
            if each.cusp is not None and each.instrument.endswith("s") and each.orbit not in seen:
                seen.add(each.orbit)
                writer.writerow([_iso(each.cusp.start_s), _iso(each.cusp.end_s), "cusp", each.orbit])


def _iso(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
