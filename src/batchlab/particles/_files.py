"""Which files there are: names that tell instrument, orbit and version, and what of a folder is wanted."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from batchlab.errors import ConfigError
from batchlab.particles._model import INSTRUMENTS, DataFile

__all__ = ["Found", "data_file", "find_files", "orbit_of_day", "parse_orbits"]

_FAST = re.compile(
    r"fa_esa_l2_(?P<instrument>ees|eeb|ies|ieb)_(?P<start>\d{14}|\d{8})_(?P<orbit>\d+)(?:_v(?P<version>\d+))?",
    re.IGNORECASE,
)
_ORBIT = re.compile(r"fa_k0_orb_(?P<orbit>\d+)(?:_v(?P<version>\d+))?", re.IGNORECASE)
_VERSION = re.compile(r"_v(?P<version>\d+(?:\.\d+)*)$", re.IGNORECASE)
_DAY = re.compile(r"(?<!\d)(?P<day>(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]))(?P<time>\d{6})?(?!\d)")
_RANGE = re.compile(r"(?P<first>\d+)(?:-(?P<last>\d+))?")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Found:
    """What a folder holds.

    Attributes
    ----------
    files
        Of instruments, by orbit, instrument and start; each once, in its highest version.
    orbit_files
        Ephemeris files, by orbit.
    notes
        Sentences about what was passed over: older versions, copies, names that tell no orbit.
    """

    files: tuple[DataFile, ...]
    orbit_files: Mapping[int, Path]
    notes: tuple[str, ...] = ()

    @property
    def orbits(self) -> tuple[int, ...]:
        """Numbers of orbits with files of instruments, ascending."""
        return tuple(sorted({each.orbit for each in self.files if each.orbit is not None}))

    def __repr__(self) -> str:
        return f"<Found: {self._counted}>"

    def _repr_html_(self) -> str:
        """A row for each orbit, and what was passed over, as a notebook shows them."""
        from batchlab.particles._notebook import page_of, table_of

        rows: dict[object, list[DataFile]] = {}
        for each in self.files:
            rows.setdefault(each.orbit if each.orbit is not None else each.path.stem, []).append(each)
        table = table_of(
            (
                (
                    orbit,
                    ", ".join(each.instrument for each in files),
                    min((f"{each.start:%Y-%m-%d %H:%M:%S}" for each in files if each.start), default=None),
                    "yes" if orbit in self.orbit_files else "no",
                )
                for orbit, files in rows.items()
            ),
            ("orbit", "instruments", "first start (UTC)", "orbit file"),
        )
        return page_of(self._counted, table, notes=self.notes)

    @property
    def _counted(self) -> str:
        return f"{len(self.files)} files of {len(self.orbits)} orbits, {len(self.orbit_files)} with an orbit file"


def data_file(path: str | os.PathLike[str]) -> DataFile:
    """What the name of a file tells of it; of another mission, the instrument is the name without date and version."""
    path = Path(path)
    named = _FAST.fullmatch(path.stem)
    if named:
        return DataFile(
            orbit=int(named["orbit"]),
            instrument=named["instrument"].lower(),
            path=path,
            start=_start(named["start"]),
            version=int(named["version"] or 0),
        )
    tail = _VERSION.search(path.stem)
    day = _DAY.search(path.stem)
    name = path.stem[: tail.start()] if tail else path.stem
    if day:
        name = "_".join(part for part in (name[: day.start()].rstrip("_-"), name[day.end() :].strip("_-")) if part)
    return DataFile(
        orbit=None,
        instrument=name or path.stem,
        path=path,
        start=_start(day["day"] + (day["time"] or "")) if day else None,
        version=_version(tail["version"]) if tail else 0,
    )


def find_files(
    places: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    instruments: Collection[str] = INSTRUMENTS,
    orbits: Collection[int] | None = None,
    first_day: date | None = None,
    last_day: date | None = None,
    others: bool = False,
) -> Found:
    """Files of particle instruments in folders, and in all folders below.

    Parameters
    ----------
    places
        Folders, or files.
    instruments
        Those that are wanted.
    orbits
        Those that are wanted; all if None.
    first_day, last_day
        UTC days between which a file starts, both inclusive. A file whose name tells no start is kept.
    others
        Whether CDF files of other missions are wanted too; files that are named one by one always are.

    Raises
    ------
    ConfigError
        If a place is not there, or an instrument is unknown.
    """
    strange = [each for each in instruments if each not in INSTRUMENTS]
    if strange:
        raise ConfigError(f"unknown instrument {strange[0]!r}; choose from {', '.join(INSTRUMENTS)}")
    if isinstance(places, (str, os.PathLike)):
        places = (places,)
    best: dict[tuple[object, ...], DataFile] = {}
    tracks: dict[int, tuple[int, Path]] = {}
    notes: list[str] = []
    for path, named in _candidates(places):
        track = _ORBIT.fullmatch(path.stem)
        if track:
            _keep_track(tracks, notes, int(track["orbit"]), int(track["version"] or 0), path)
            continue
        if "_orb_" in path.name:
            continue
        each = data_file(path)
        if each.orbit is None:
            if not (others or named):
                notes.append(f"{path.name}: its name tells no FAST instrument and orbit, so it is passed over")
                continue
        elif each.instrument not in instruments or (orbits is not None and each.orbit not in orbits):
            continue
        if not _within(each.start, first_day, last_day):
            continue
        _keep_best(best, notes, each)
    files = sorted(best.values(), key=lambda each: (each.orbit is None, each.orbit or 0, _rank(each), str(each.path)))
    wanted = {each.orbit for each in files}
    return Found(
        files=tuple(files),
        orbit_files={orbit: path for orbit, (_, path) in sorted(tracks.items()) if orbit in wanted},
        notes=tuple(notes),
    )


def orbit_of_day(files: Iterable[DataFile], day: date) -> int | None:
    """The orbit that most instruments share on a UTC day, the lowest on a tie; None without any."""
    shared: defaultdict[int, set[str]] = defaultdict(set)
    for each in files:
        if each.orbit is not None and each.start is not None and each.start.date() == day:
            shared[each.orbit].add(each.instrument)
    return min(shared, key=lambda orbit: (-len(shared[orbit]), orbit), default=None)


def parse_orbits(text: str) -> tuple[int, ...]:
    """Orbits of ``13519,13521-13523``, ascending and each once.

    Raises
    ------
    ConfigError
        If a part is neither a number nor a range that runs upwards.
    """
    orbits: set[int] = set()
    for part in text.split(","):
        found = _RANGE.fullmatch(part.strip())
        if found is None or (found["last"] and int(found["last"]) < int(found["first"])):
            raise ConfigError(f"{part.strip()!r} names no orbits; write numbers and ranges, as in 13519,13521-13523")
        orbits.update(range(int(found["first"]), int(found["last"] or found["first"]) + 1))
    return tuple(sorted(orbits))


def _candidates(places: Sequence[str | os.PathLike[str]]) -> Iterator[tuple[Path, bool]]:
    """CDF files in a settled order, each with whether it was named itself."""
    for place in places:
        path = Path(place)
        if path.is_file():
            yield path, True
        elif path.is_dir():
            for folder, below, names in os.walk(path):
                below[:] = sorted(name for name in below if not name.startswith("."))
                for name in sorted(names):
                    if name.lower().endswith(".cdf") and not name.startswith("."):
                        yield Path(folder, name), False
        else:
            raise ConfigError(f"{path}: no such folder or file; name the folder that holds the CDF files")


def _keep_best(best: dict[tuple[object, ...], DataFile], notes: list[str], each: DataFile) -> None:
    """Of files about the same, keep the highest version, and tell of the others."""
    about = (
        (each.orbit, each.instrument)
        if each.orbit is not None
        else (str(each.path.parent), each.instrument, each.start)
    )
    other = best.get(about)
    if other is None:
        best[about] = each
        return
    # Of equal versions the later start, then the name, decides, so that no order of folders does.
    loser, winner = sorted((each, other), key=_merit)
    best[about] = winner
    why = "an older version of" if loser.version < winner.version else "a second file beside"
    notes.append(f"{loser.path.name} is {why} {winner.path.name} and is passed over")


def _keep_track(tracks: dict[int, tuple[int, Path]], notes: list[str], orbit: int, version: int, path: Path) -> None:
    other = tracks.get(orbit)
    if other is not None:
        loser, winner = sorted(((version, path), other))
        notes.append(f"{loser[1].name} is passed over for {winner[1].name}")
        tracks[orbit] = winner
    else:
        tracks[orbit] = (version, path)


def _merit(each: DataFile) -> tuple[int, datetime, str, str]:
    return each.version, each.start or datetime.min.replace(tzinfo=UTC), each.path.name, str(each.path)


def _rank(each: DataFile) -> int:
    return INSTRUMENTS.index(each.instrument) if each.instrument in INSTRUMENTS else len(INSTRUMENTS)


def _within(start: datetime | None, first: date | None, last: date | None) -> bool:
    if start is None:
        return True
    return (first is None or start.date() >= first) and (last is None or start.date() <= last)


def _start(digits: str) -> datetime | None:
    """A UTC time of 8 or 14 digits; None where they are no date, as in a master file."""
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S" if len(digits) == 14 else "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return None


def _version(text: str) -> int:
    """Versions such as 0.0.0 and 02 as numbers that order them."""
    number = 0
    for part in [*text.split("."), "0", "0"][:3]:
        number = number * 1000 + min(int(part), 999)
    return number
