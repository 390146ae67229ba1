"""The JSON files of an older program: how far a run is, and the limits of all orbits, in that program's keys.

They are exports: the ledger knows what is done, and nothing reads them unless that is asked for.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from batchlab.errors import Category
from batchlab.particles._model import Limits, Scale, Scales

__all__ = [
    "GRID",
    "LIMIT_NAMES",
    "TIMEOUT",
    "OrbitState",
    "Trouble",
    "done_orbits",
    "extrema_entries",
    "last_orbit",
    "limits_from_extrema",
    "read_object",
    "reason_of",
    "with_progress",
    "write_object",
]

log = logging.getLogger(__name__)

GRID = "instrument_grid"
TIMEOUT = "timeout"
LIMIT_NAMES = ("y_min", "y_max", "z_min", "z_max")
_OWN_REASONS = ("invalid-cdf", "missing-variable", "empty")
_REASONS = {
    Category.TIMEOUT: TIMEOUT,
    Category.INVALID_INPUT: "invalid-cdf",
    Category.NUMERICAL: "divide-by-zero",
    Category.PLOTTING: "plotting",
    Category.MEMORY: "out-of-memory",
    Category.CRASH: "crash",
    Category.MISSING_INPUT: "missing-input",
    Category.DISK: "io",
    Category.OUTPUT: "io",
}
_MOST_DECADES = 38  # of a value that fits the data: what is said to be the logarithm of more is no logarithm


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What went wrong with a part of an orbit.

    Attributes
    ----------
    instrument
        Or `GRID`, for the picture of all instruments.
    reason
        Of `reason_of`.
    message
        What the job said.
    of_orbit
        Whether it was the time of the whole orbit that was used up.
    """

    instrument: str
    reason: str
    message: str
    of_orbit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrbitState:
    """Where an orbit stands.

    Attributes
    ----------
    over
        Whether each of its pictures is drawn or has failed.
    """

    orbit: int
    over: bool
    troubles: tuple[Trouble, ...] = ()

    @property
    def status(self) -> str:
        """``ok``, ``timeout`` or ``error``: what can be tried again comes before what cannot."""
        if any(each.reason == TIMEOUT for each in self.troubles):
            return TIMEOUT
        return "error" if self.troubles else "ok"


def reason_of(category: str | None, reason: str | None) -> str:
    """A failure in the field's words, by what it is and not by what its message says."""
    if reason in _OWN_REASONS:
        return reason
    try:
        return _REASONS.get(Category(category or ""), "generic")
    except ValueError:
        return "generic"


def last_orbit(states: Iterable[OrbitState]) -> int | None:
    """The last orbit up to which all are over; None where the first is not."""
    over = list(takewhile(lambda state: state.over, sorted(states, key=lambda state: state.orbit)))
    return over[-1].orbit if over else None


def with_progress(content: Mapping[str, Any], states: Collection[OrbitState], scales: Scales) -> dict[str, Any]:
    """What a progress file is to say.

    Parameters
    ----------
    content
        What it says now; entries of other scales, and of orbits that are not over, stay.
    states
        Of all orbits of the run.
    scales
        Of energy and of colour.
    """
    over = {state.orbit: state for state in states if state.over}
    ours = re.compile(rf"(?:.+_)?{re.escape('_'.join(scales))}_(?:error_plotting|error-.+|timed_out)")
    orbits: dict[str, set[int]] = {}
    said: dict[str, Any] = {}
    for key, value in content.items():
        if ours.fullmatch(key) and isinstance(value, list):
            orbits[key] = {each for each in value if isinstance(each, int)} - over.keys()
        else:
            said[key] = value
    for state in over.values():
        for key in _keys(state, scales):
            orbits.setdefault(key, set()).add(state.orbit)
    said |= {key: sorted(each) for key, each in orbits.items() if each}
    key = "_".join((*scales, "last_orbit"))
    last, before = last_orbit(states), content.get(key)
    # What a run leaves out, since it was done before, stays done.
    if last is not None and isinstance(before, int):
        last = max(last, before) if all(state.over for state in states if state.orbit <= before) else last
    if last is not None:
        said[key] = last
    return said


def _keys(state: OrbitState, scales: Scales) -> list[str]:
    """In which lists an orbit stands."""
    pair = "_".join(scales)
    keys = []
    for each in state.troubles:
        keys += [f"{each.instrument}_{pair}_error-{each.reason}", f"{pair}_error-{each.reason}"]
        if each.reason == TIMEOUT:
            keys.append(f"{'orbit' if each.of_orbit else each.instrument}_{pair}_timed_out")
        else:
            keys.append(f"{pair}_error_plotting")
    return keys


def done_orbits(content: Mapping[str, Any], orbits: Iterable[int], scales: Scales) -> frozenset[int]:
    """Of some orbits those that a progress file says are done: neither in error nor over time, nor still to come."""
    last = content.get("_".join((*scales, "last_orbit")))
    if not isinstance(last, int):
        return frozenset()
    troubled = re.compile(rf"(?:.+_)?{re.escape('_'.join(scales))}_(?:error_plotting|error-.+|timed_out)")
    again = {
        orbit
        for key, value in content.items()
        if troubled.fullmatch(key) and isinstance(value, list)
        for orbit in value
        if isinstance(orbit, int)
    }
    return frozenset(orbit for orbit in orbits if orbit <= last) - again


def extrema_entries(
    instrument: str,
    limits: Limits | None,
    scales: Scales,
    *,
    processed: int,
    total: int,
    key: str,
    log_floor_cutoff: float = 0.1,
    log_floor_value: float = -1.0,
) -> dict[str, Any]:
    """What a file of extrema says of one instrument.

    Parameters
    ----------
    limits
        In the units of the data; None, and what in it is None, is not said.
    processed, total
        Files.
    key
        Of the files and rules that the limits come from.
    log_floor_cutoff, log_floor_value
        Of a logarithmic scale the decadic logarithms are told; those that are not above the first are the second.
    """
    pair = f"{instrument}_{'_'.join(scales)}"
    told: dict[str, Any] = {}
    if limits is not None and limits.y_max is not None:
        values = {
            "y_min": (limits.y_min or 0.0, scales[0]),
            "y_max": (limits.y_max, scales[0]),
            "z_min": (limits.z_min or 0.0, scales[1]),
            "z_max": (limits.z_max or 0.0, scales[1]),
        }
        for name, (value, scale) in values.items():
            if scale is Scale.LOG:
                value = math.log10(value) if value > 0 else -math.inf
                value = value if value > log_floor_cutoff else log_floor_value
            told[f"{pair}_{name}"] = int(value) if value.is_integer() else value
    complete = processed == total
    told[f"{pair}_extrema_progress"] = {
        "processed_index": processed,
        "total": total,
        "complete": complete,
        "key": key,
    }
    return told


def limits_from_extrema(content: Mapping[str, Any], instrument: str, scales: Scales) -> Limits | None:
    """Limits of an instrument in the units of the data, out of a file of extrema; None if it has none.

    An older program wrote logarithms or plain values under the same keys, by which pass ran first; what cannot be a
    logarithm is taken as it is. Its floors say nothing, and neither do zeros.
    """
    pair = f"{instrument}_{'_'.join(scales)}"
    found: dict[str, float | None] = {}
    for name, scale in zip(LIMIT_NAMES, (scales[0], scales[0], scales[1], scales[1]), strict=True):
        value = content.get(f"{pair}_{name}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            found[name] = None
        elif scale is Scale.LOG and value <= _MOST_DECADES:
            found[name] = 10.0**value if value > 0 else None
        else:
            found[name] = float(value)
    if not found["y_max"] or not found["z_max"]:
        return None
    return Limits(**found)


def read_object(path: Path) -> dict[str, Any]:
    """What a JSON file says; nothing where there is none, or what it says cannot be understood."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read (%s); it is written anew", path, error)
        return {}
    if not isinstance(content, dict):
        log.warning("%s holds no JSON object; it is written anew", path)
        return {}
    return content


def write_object(path: Path, content: Mapping[str, Any], first: Sequence[str] = ()) -> None:
    """Write a JSON file whole or not at all: its keys in order, after those that come first."""
    ordered = {key: content[key] for key in (*(k for k in first if k in content), *sorted(content))}
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(json.dumps(ordered, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
