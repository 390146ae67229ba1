"""What one raw file says besides its rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from batchlab.devices._model import Chip, Value
from batchlab.devices._procedures import Kind, Light, Procedure, Schema, nearest
from batchlab.devices._raw_files import ZONE
from batchlab.devices._read._header import Header
from batchlab.devices._read._note import Note
from batchlab.devices._read._values import read_start, read_value
from batchlab.errors import ConfigError, DataError

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["DateOrigin", "Facts", "Record", "facts_of", "light_of", "procedure_of", "start_of", "zone"]

LIGHT_ON_V = 0.1

_GROUP, _NUMBER, _START = "Chip group name", "Chip number", "Start time"
_NO_GROUP = "Chip"
_DATE = re.compile(r"(?<!\d)(20\d\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])(?!\d)")
_INDEX = re.compile(r"_(\d+)$")


class DateOrigin(StrEnum):
    """Whence the start of a run is known."""

    META = "meta"
    PATH = "path"
    MTIME = "mtime"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a header says, by the schema."""

    chip: Chip | None
    start_utc: datetime | None
    has_light: bool | None
    settings: Mapping[str, Value]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One raw file that could be read: everything but its rows.

    Attributes
    ----------
    path
        As it was given.
    size, mtime_ns, digest
        Of the file: bytes, time of change, and blake2b (128 bit) of its content.
    run_id
        Of the raw data; equal for copies of a file.
    procedure, chip, has_light, settings, flags
        As of `Run`.
    start_utc, date_origin, date_local
        When it began, in UTC; how that is known; the day in the laboratory's zone.
    file_index
        The number that ends the file's name (``It2025-09-04_3.csv``): per procedure and day.
    columns
        Names of the recorded columns.
    rows
        How many there are.
    duration_s
        The largest ``t (s)``; None without one.
    notes
        What was amiss.
    """

    path: Path
    size: int
    mtime_ns: int
    digest: str
    run_id: str
    procedure: str
    chip: Chip | None = None
    start_utc: datetime
    date_origin: DateOrigin
    date_local: date
    has_light: bool | None = None
    settings: Mapping[str, Value] = field(default_factory=dict)
    file_index: int | None = None
    columns: tuple[str, ...] = ()
    rows: int = 0
    duration_s: float | None = None
    flags: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


@cache
def zone(name: str) -> ZoneInfo:
    """A time zone by its name.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"there is no time zone {name!r}; write one such as {ZONE} or UTC"
            " (where the system has none, install the package tzdata)"
        ) from error


def procedure_of(header: Header, schema: Schema, where: str) -> Procedure:
    """The procedure a header names.

    Raises
    ------
    DataError
        If the schema has none of that name.
    """
    found = schema.procedures.get(header.procedure)
    if found is None:
        raise DataError(
            f"{where}, line 1: no procedure {header.procedure!r} is described"
            f"{nearest(header.procedure, schema.procedures)}; describe it in a YAML file of procedures",
            reason="unknown-procedure",
        )
    return found


def facts_of(header: Header, procedure: Procedure, schema: Schema) -> Facts:
    """Read the values of a header: chip, start, light and settings, the latter by the manifest's names."""
    settings: dict[str, Value] = {}
    unread: list[str] = []
    for texts, kinds in ((header.metadata, procedure.metadata), (header.parameters, procedure.parameters)):
        for name, text in texts.items():
            if name in (_GROUP, _NUMBER, _START):
                continue
            setting = schema.setting(name)
            value, fits = read_value(text, kinds.get(name), setting)
            settings[setting] = value
            if not fits:
                unread.append(name)
    notes = [Note("unread-setting", count=len(unread), about=unread[0])] if unread else []
    chip = _chip(header.parameters)
    if chip is None and procedure.requires_chip:
        notes.append(Note("no-chip"))
    start = read_start(header.metadata.get(_START, ""))
    if start is None:
        notes.append(Note("no-start-time"))
    return Facts(chip, start, light_of(procedure, settings), settings, tuple(notes))


def light_of(procedure: Procedure, settings: Mapping[str, Value], voltage: Array | None = None) -> bool | None:
    """Whether the settings say that a run saw light, or else the recorded laser voltage; None if neither does."""
    wavelength, level = settings.get("wavelength_nm"), settings.get("laser_voltage_v")
    if procedure.light is Light.NONE:
        return False
    if procedure.light is Light.LASER_CALIBRATION:
        ends = (settings.get("laser_voltage_start_v"), settings.get("laser_voltage_end_v"))
        return wavelength is not None and any(end is not None for end in ends)
    if isinstance(level, int | float):
        if level == 0:
            return False
        if wavelength is not None:
            return True
    if voltage is not None and voltage.size:
        return bool((voltage > LIGHT_ON_V).any())
    return None


def start_of(start: datetime | None, path: Path, mtime_ns: int, local: ZoneInfo) -> tuple[datetime, DateOrigin]:
    """When a run began: as the file says, else midnight of the date in its path, else the file's time."""
    if start is not None:
        return start, DateOrigin.META
    for part in reversed(path.parts):
        for found in _DATE.finditer(part):
            try:
                day = datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=local)
            except ValueError:
                continue
            return day.astimezone(UTC), DateOrigin.PATH
    return datetime.fromtimestamp(mtime_ns / 1e9, UTC), DateOrigin.MTIME


def file_index(path: Path) -> int | None:
    """The number that ends a file's name."""
    found = _INDEX.search(path.stem)
    return int(found[1]) if found else None


def refuse_slips(notes: Sequence[Note], where: str) -> None:
    """Raise the first note that goes against the schema."""
    for note in notes:
        if note.against_schema:
            raise DataError(f"{where}: {note}; mend the file, or read it without 'strict'", reason=note.kind)


def _chip(parameters: Mapping[str, str]) -> Chip | None:
    number, _ = read_value(parameters.get(_NUMBER, ""), Kind.INT)
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        return None
    # Blanks are slips of the keyboard; capitals are not touched, since MoS2 and hBN are names, too.
    group = " ".join(parameters.get(_GROUP, "").split())
    return Chip(group if group not in ("", "None") else _NO_GROUP, number)
