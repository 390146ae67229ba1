"""Events to mark in pictures: the table of cusps by numbers of records, or any list of times."""

from __future__ import annotations

import csv
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from batchlab.errors import DataError
from batchlab.particles._model import INSTRUMENTS, Mark

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.particles._model import Float

__all__ = ["Event", "Events", "marks_of_records", "read_events", "write_events"]

_CUSP_HEAD = "orbit number"
_DAY = re.compile(r"(19|20)\d{6}")
_TRUE = ("true", "1", "yes")
_NAMES = {
    "start": ("start", "start_time", "starttime", "begin", "from", "time", "start_utc", "start_s"),
    "end": ("end", "end_time", "endtime", "stop", "stop_time", "to", "end_utc", "end_s"),
    "label": ("label", "name", "event", "type", "comment"),
    "orbit": ("orbit", "orbit_number"),
    "instrument": ("instrument",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A mark, and where it belongs.

    Attributes
    ----------
    mark
        The time.
    orbit, instrument
        None is any whose time it falls in.
    """

    mark: Mark
    orbit: int | None = None
    instrument: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Events by time, and events by records of files.

    Attributes
    ----------
    timed
        In order of time.
    records
        By orbit and instrument (or ``orb`` for the orbit file): first and last record, from 0, both inclusive.
    label
        Of marks that come from records.
    path
        The file they are from.
    notes
        Sentences about what was passed over.
    """

    timed: tuple[Event, ...] = ()
    records: Mapping[tuple[int, str], tuple[int, int]] = field(default_factory=dict)
    label: str = "cusp"
    path: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def orbits(self) -> tuple[int, ...]:
        """Orbits that events are known for by number, ascending."""
        timed = {each.orbit for each in self.timed if each.orbit is not None}
        return tuple(sorted(timed | {orbit for orbit, _ in self.records}))

    def marks(self, orbit: int | None, instrument: str, times_s: Float) -> tuple[Mark, ...]:
        """Marks within a file's time, each once, in order.

        Parameters
        ----------
        orbit, instrument
            Of the file.
        times_s
            (N, 2) start and end of its records as they stand in the file, none left out: numbers of records count
            them all. See `read_times`.

        Returns
        -------
        tuple of Mark
            Empty where there is no event. Numbers of records beyond the file's stand for its last.
        """
        import numpy as np  # reading events, for a plan, does without

        found: set[Mark] = set()
        place = self.records.get((orbit, instrument)) if orbit is not None else None
        if place is not None:
            mark = marks_of_records(times_s, *place, label=self.label)
            if mark is not None:
                found.add(mark)
        known = times_s[np.isfinite(times_s).all(axis=1)]
        if len(known):
            first, last = float(known[:, 0].min()), float(known[:, 1].max())
            for each in self.timed:
                if each.orbit not in (None, orbit) or each.instrument not in (None, instrument):
                    continue
                if each.mark.end_s >= first and each.mark.start_s <= last:
                    found.add(each.mark)
        return tuple(sorted(found))


def marks_of_records(times_s: Float, first: int, last: int, *, label: str = "cusp") -> Mark | None:
    """The time from the middle of one record to the middle of another.

    Parameters
    ----------
    times_s
        (N, 2) start and end of a file's records; NaN where it is unknown.
    first, last
        Numbers from 0, both inclusive; beyond the file they stand for its ends.
    label
        Of the mark.

    Returns
    -------
    Mark or None
        None without a record of known time between them; one record is a single moment.
    """
    import numpy as np

    if not len(times_s):
        return None
    lowest, highest = sorted(int(np.clip(each, 0, len(times_s) - 1)) for each in (first, last))
    middles: NDArray[np.float64] = times_s[lowest : highest + 1].mean(axis=1)
    middles = middles[np.isfinite(middles)]
    if not len(middles):
        return None
    return Mark(start_s=float(middles.min()), end_s=float(middles.max()), label=label)


def read_events(path: str | os.PathLike[str], *, label: str | None = None) -> Events:
    """Read events, whichever form the file has.

    Parameters
    ----------
    path
        Either the table of cusps, known by its column ``Orbit Number``: tab-separated, with ``<instrument> min Index``
        and ``<instrument> Max Index``. Or a list with a column ``start`` and, on wish, ``end``, ``label``, ``orbit``
        and ``instrument``, separated by commas, semicolons or tabs. Times are seconds since 1970, or ISO 8601 in UTC
        where they do not tell their zone. A line that begins with # is a comment.
    label
        For events that have none of their own; by default ``cusp`` for the table and nothing for a list.

    Raises
    ------
    DataError
        If the file cannot be read, or a line of it cannot be understood.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as a list of events: {error}") from error
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    lines = [each for each in lines if not each[1].lstrip().startswith("#")]
    if not lines:
        raise DataError(f"{path} holds no events, not even a line of column names such as start,end,label")
    separator = max("\t,;", key=lines[0][1].count)
    reader = csv.reader((line for _, line in lines), delimiter=separator)
    # A quoted cell may run over several lines, so that rows are told by the line that they end in.
    (_, first), *numbered = [(lines[reader.line_num - 1][0], row) for row in reader]
    heads = [head.strip().lower() for head in first]
    if _CUSP_HEAD in heads:
        return _cusps(path, heads, numbered, label)
    return _list(path, heads, numbered, label)


def write_events(path: str | os.PathLike[str], events: Iterable[Event]) -> None:
    """Write events as a list of times that `read_events` reads: times last where numbers of records do not.

    Parameters
    ----------
    path
        Of the list; its folder must be there.
    events
        In any order.
    """
    with Path(path).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["start", "end", "label", "orbit", "instrument"])
        for each in sorted(events, key=lambda event: (event.mark, event.orbit or 0, event.instrument or "")):
            orbit = "" if each.orbit is None else each.orbit
            mark = each.mark
            writer.writerow([_iso(mark.start_s), _iso(mark.end_s), mark.label, orbit, each.instrument or ""])


def _cusps(path: Path, heads: list[str], rows: list[tuple[int, list[str]]], label: str | None) -> Events:
    column = {head: place for place, head in enumerate(heads)}
    names = [name for name in ("orb", *INSTRUMENTS) if f"{name} min index" in column and f"{name} max index" in column]
    if not names:
        raise DataError(f"{path} has Orbit Number but no pair of columns such as 'ees min Index' and 'ees Max Index'")
    records: dict[tuple[int, str], tuple[int, int]] = {}
    notes: list[str] = []
    for number, row in rows:
        orbit = _whole(path, number, "Orbit Number", _cell(row, column[_CUSP_HEAD]))
        if orbit is None:
            raise DataError(f"{path}, line {number}: no orbit number")
        for name in names:
            flag = _cell(row, column[name]).lower() if name in column else "true"
            if flag and flag not in _TRUE:
                continue
            ends = [
                _whole(path, number, f"{name} {which} index", _cell(row, column[f"{name} {which} index"]))
                for which in ("min", "max")
            ]
            first, last = (ends[0], ends[1]) if ends[0] is not None else (ends[1], ends[1])
            last = first if last is None else last
            if first is None or last is None:
                continue
            if first < 0 or last < first:
                raise DataError(
                    f"{path}, line {number}: {name} runs from record {first} to {last}; it must run upwards from 0"
                )
            if (orbit, name) in records and records[orbit, name] != (first, last):
                notes.append(f"{path.name}, line {number}: orbit {orbit} is there again; its last line counts")
            records[orbit, name] = (first, last)
    return Events(records=records, label="cusp" if label is None else label, path=path, notes=tuple(notes))


def _list(path: Path, heads: list[str], rows: list[tuple[int, list[str]]], label: str | None) -> Events:
    column = {
        name: next((heads.index(word) for word in words if word in heads), None) for name, words in _NAMES.items()
    }
    if column["start"] is None:
        raise DataError(f"{path} has no column start among {', '.join(heads)}; name one so, or use a table of cusps")
    events = []
    for number, row in rows:
        told = {name: "" if place is None else _cell(row, place) for name, place in column.items()}
        start = _seconds(path, number, told["start"])
        end = _seconds(path, number, told["end"]) if told["end"] else start
        if end < start:
            raise DataError(f"{path}, line {number}: the event ends before it starts; exchange its times")
        instrument = told["instrument"].lower()
        mark = Mark(start_s=start, end_s=end, label=told["label"] or label or "")
        orbit = _whole(path, number, "orbit", told["orbit"])
        events.append(Event(mark=mark, orbit=orbit, instrument=instrument or None))
    events.sort(key=lambda event: event.mark)
    return Events(timed=tuple(events), label="" if label is None else label, path=path)


def _cell(row: Sequence[str], place: int) -> str:
    return row[place].strip() if place < len(row) else ""


def _whole(path: Path, line: int, name: str, text: str) -> int | None:
    if not text:
        return None
    # Tables that went through a spreadsheet or pandas write whole numbers as 84.0.
    if not re.fullmatch(r"-?\d+(\.0*)?", text):
        raise DataError(f"{path}, line {line}: {name} is {text!r}, which is no whole number")
    return int(text.split(".")[0])


def _seconds(path: Path, line: int, text: str) -> float:
    try:
        seconds = float("day" if _DAY.fullmatch(text) else text)
    except ValueError:
        try:
            when = datetime.fromisoformat(text.replace("/", "T") if text.count("/") == 1 else text)
        except ValueError as error:
            raise DataError(
                f"{path}, line {line}: {text!r} is no time; write 2000-01-20T00:31:07 (UTC) or seconds since 1970"
            ) from error
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(seconds):
        raise DataError(f"{path}, line {line}: {text!r} is no time")
    return seconds


def _iso(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
