"""The params sets of an entry: one for each combination of its swept values."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from batchlab.builders._entry import Entry, Finding, Path
from batchlab.builders._labels import sweep_labels, with_param
from batchlab.engine import Json, ParamProblem
from batchlab.engine._model import EMPTY
from batchlab.engine._task import suggestion

MAX_JOBS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One combination of swept values and the params it makes."""

    params: Mapping[str, Json]
    swept: Mapping[str, Json] = field(default_factory=lambda: EMPTY)  # label -> value
    places: Mapping[str, int] = field(default_factory=lambda: EMPTY)  # dotted path -> index of its value


def variants(entry: Entry, findings: list[Finding]) -> list[Variant]:
    """The product over an entry's swept lists; the entry's own params alone where the sweep itself is wrong."""
    alone = [Variant(params=entry.params)]
    if not entry.sweep:
        return alone
    before = len(findings)
    for key, values in entry.sweep.items():
        at = (*entry.path, "sweep", key)
        if not key.startswith("params.") or not all(key.split(".")):
            near = suggestion(key, [f"params.{name}" for name in (*entry.params, key)])
            findings.append(
                Finding(path=at, message=f"sweep: {key!r} is no path to a param; write params.NAME{near}", key=True)
            )
        elif isinstance(values, str | Mapping) or not hasattr(values, "__len__"):
            findings.append(Finding(path=at, message=f"sweep: {key} needs a list of values, as in [5, 11]"))
        elif not len(values):
            findings.append(Finding(path=at, message=f"sweep: {key} has no values"))
    if len(findings) > before:
        return alone
    count = math.prod(len(values) for values in entry.sweep.values())
    if count > MAX_JOBS:
        at = (*entry.path, "sweep")
        findings.append(Finding(path=at, message=f"sweep: {count:,} combinations; at most {MAX_JOBS:,} jobs"))
        return alone
    names = sweep_labels(tuple(entry.sweep))
    made = []
    for combination in itertools.product(*(enumerate(values) for values in entry.sweep.values())):
        params: Mapping[str, Json] = entry.params
        for key, (_, value) in zip(entry.sweep, combination, strict=True):
            try:
                params = with_param(params, key, value)
            except KeyError as error:
                at = (*entry.path, "sweep", key)
                message = f"sweep: {key} leads through {error.args[0]!r}, which holds a value and no keys"
                findings.append(Finding(path=at, message=message, key=True))
                return alone
        chosen = dict(zip(entry.sweep, combination, strict=True))
        made.append(
            Variant(
                params=params,
                swept={names[key]: value for key, (_, value) in chosen.items()},
                places={key: place for key, (place, _) in chosen.items()},
            )
        )
    return made


def param_finding(entry: Entry, variant: Variant, problem: ParamProblem) -> Finding:
    """Where a problem of a params set was written: in the sweep, or in the params."""
    dotted = ".".join(("params", *map(str, problem.path)))
    for key, place in variant.places.items():
        if problem.key and key.startswith(f"{dotted}.") and not _written(entry.params, problem.path):
            return Finding(path=(*entry.path, "sweep", key), message=problem.message, key=True)
        if dotted == key or dotted.startswith(f"{key}."):
            at: Path = (*entry.path, "sweep", key) if problem.key else (*entry.path, "sweep", key, place)
            return Finding(path=at, message=problem.message, key=problem.key)
    return Finding(path=(*entry.path, "params", *problem.path), message=problem.message, key=problem.key)


def _written(params: Mapping[str, Json], path: tuple[str | int, ...]) -> bool:
    """Whether the params themselves hold a key at `path`."""
    here: Json = params
    for part in path:
        if not isinstance(here, Mapping) or part not in here:
            return False
        here = here[str(part)]
    return True
