"""Which column of a file is which of its procedure, and in which unit it stands there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from batchlab.devices._procedures import Procedure, Schema, nearest, plain_name
from batchlab.devices._read._values import scale
from batchlab.errors import DataError

__all__ = ["Taken", "bare", "match_columns", "recognize"]

_WITH_UNIT = re.compile(r"(?P<name>.*?)\s*(?:[(\[](?P<unit>[^()\[\]]*)[)\]]|/\s*(?P<other>\S+))\s*")
# What a file without header may be; of equals the first.
_GUESSES = ("LaserCalibration", "It", "Vt", "IVg", "VVg", "IV", "Pwl", "Pt", "Tt")


@dataclass(frozen=True, slots=True)
class Taken:
    """A column of a file: its place there, its name in the procedure, and the factor to that name's unit."""

    place: int
    name: str
    factor: float = 1.0


def bare(column: str) -> tuple[str, str]:
    """Name and unit of ``Vg (V)``, ``Vg [V]`` or ``Vg/V``; the unit is empty where there is none."""
    found = _WITH_UNIT.fullmatch(column)
    if found is None or not found["name"]:
        return column.strip(), ""
    return found["name"], (found["unit"] or found["other"] or "").strip()


def match_columns(written: Sequence[str], procedure: Procedure, schema: Schema, where: str) -> tuple[Taken, ...]:
    """Find a procedure's columns among those of a file.

    The same name comes first, then a synonym; columns that nobody knows keep their names. Of two equal names
    the first is taken.

    Raises
    ------
    DataError
        If a required column is missing.
    """
    found = _found(written, procedure, schema)
    missing = [name for name in procedure.required if name not in {taken.name for taken in found.values()}]
    if missing:
        named = " and ".join(repr(name) for name in missing)
        raise DataError(
            f"{where}: {procedure.name} needs the column {named}, the file has {', '.join(map(repr, written))}"
            f"{nearest(missing[0], written)}; name it so, or add a synonym to a YAML file of procedures",
            reason="missing-column",
        )
    names = {taken.name for taken in found.values()}
    for place, name in enumerate(written):
        if place not in found and name and name not in names:
            found[place] = Taken(place, name)
            names.add(name)
    return tuple(found[place] for place in sorted(found))


def recognize(written: Sequence[str], schema: Schema) -> Procedure | None:
    """The procedure whose required columns are all here, its first one earliest; None if there is none."""
    rest = [name for name in schema.procedures if name not in _GUESSES]
    best: tuple[int, Procedure] | None = None
    for name in (*_GUESSES, *rest):
        procedure = schema.procedures.get(name)
        if procedure is None or not procedure.required:
            continue
        places = {taken.name: taken.place for taken in _found(written, procedure, schema).values()}
        if places.keys() >= set(procedure.required):
            place = places[procedure.required[0]]
            if best is None or place < best[0]:
                best = (place, procedure)
    return best[1] if best else None


def _found(written: Sequence[str], procedure: Procedure, schema: Schema) -> dict[int, Taken]:
    found: dict[int, Taken] = {}
    plain = [plain_name(name) for name in written]
    parts = [bare(name) for name in written]
    left: list[str] = []
    for column in procedure.columns:
        wanted = plain_name(column.name)
        place = next((k for k, name in enumerate(plain) if name == wanted and k not in found), None)
        if place is None:
            left.append(column.name)
        else:
            found[place] = Taken(place, column.name)
    for name in left:
        taken = _by_synonym(name, parts, found, schema.synonyms)
        if taken is not None:
            found[taken.place] = taken
    return found


def _by_synonym(
    name: str, parts: Sequence[tuple[str, str]], found: Mapping[int, Taken], synonyms: Mapping[str, Sequence[str]]
) -> Taken | None:
    base, unit = bare(name)
    for word in (base, *synonyms.get(name, ())):
        wanted, of = bare(word)
        for place, (written, its_unit) in enumerate(parts):
            if place in found or plain_name(written) != plain_name(wanted):
                continue
            factor = scale(its_unit or of or unit, unit)
            if factor is not None:
                return Taken(place, name, factor)
    return None
