"""What the pages tell of: chips with their runs, and of each run the values that were derived from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from batchlab.devices._model import DOUBTFUL
from batchlab.devices._panel._names import INDEX

if TYPE_CHECKING:
    import polars as pl

    from batchlab.devices._store import Store

__all__ = ["ChipFacts", "Flagged", "RunFacts", "Value", "chips_of", "flagged"]

DATA = "the data"  # what a flag of a run is of
_NO_FAULTS = frozenset({"RISING", "FALLING"})  # say which way a drift goes


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A row of the table of metrics."""

    name: str
    value: float | None
    text: str | None
    error: float | None
    unit: str
    method: str
    version: str
    confidence: float
    flags: tuple[str, ...]

    @property
    def doubtful(self) -> bool:
        """Whether more speaks against it than for it."""
        return self.confidence < DOUBTFUL


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """A run of a history with all its values.

    Attributes
    ----------
    began
        In the time zone of the laboratory; None where it is not known.
    first
        Of each metric the value of the preferred method: what a wide table shows.
    values
        All, each metric by each method.
    """

    run_id: str
    seq: int
    procedure: str
    began: datetime | None
    summary: str
    has_light: bool | None
    wavelength_nm: float | None
    source_file: str
    flags: tuple[str, ...]
    first: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    values: tuple[Value, ...] = ()

    @property
    def light(self) -> str:
        """``dark``, ``light``, or nothing where it is not known."""
        return "" if self.has_light is None else "light" if self.has_light else "dark"

    @property
    def day(self) -> str:
        """The local day it began on."""
        return "" if self.began is None else f"{self.began:%Y-%m-%d}"

    @property
    def moment(self) -> str:
        """Local date and time."""
        return "" if self.began is None else f"{self.began:%Y-%m-%d %H:%M:%S}"

    def number(self, name: str) -> float | None:
        """A metric as a number, by the preferred method."""
        found = self.first.get(name)
        return None if found is None else found.value


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipFacts:
    """A chip with its runs in the order of time; where its page lies beside the others."""

    name: str
    page: str
    runs: tuple[RunFacts, ...]

    def having(self, name: str) -> list[tuple[RunFacts, Value]]:
        """The runs with a number for a metric, by the preferred method."""
        return [(run, run.first[name]) for run in self.runs if run.number(name) is not None]

    def trusted(self, name: str) -> list[tuple[RunFacts, Value]]:
        """Those of `having` that a chip is judged by: of sound data and fair confidence, and dark if any is dark."""
        sound = [(run, value) for run, value in self.having(name) if not run.flags and not value.doubtful]
        return [point for point in sound if point[0].has_light is False] or sound

    @property
    def counts(self) -> dict[str, int]:
        """Runs of each procedure, the most frequent first."""
        counts: dict[str, int] = {}
        for run in self.runs:
            counts[run.procedure] = counts.get(run.procedure, 0) + 1
        return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))

    @property
    def suspect(self) -> list[RunFacts]:
        """The runs whose data are flagged."""
        return [run for run in self.runs if run.flags]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """A flag with what it is of, and the runs that have it."""

    flag: str
    of: str
    runs: tuple[RunFacts, ...]


def flagged(runs: Iterable[RunFacts]) -> list[Flagged]:
    """Flags of data first, then those of metrics, the most frequent first."""
    of_data: dict[str, dict[str, RunFacts]] = {}
    of_values: dict[str, dict[str, RunFacts]] = {}
    names: dict[str, set[str]] = {}
    for run in runs:
        for flag in run.flags:
            of_data.setdefault(flag, {})[run.run_id] = run
        for value in run.values:
            for flag in set(value.flags) - _NO_FAULTS:
                of_values.setdefault(flag, {})[run.run_id] = run
                names.setdefault(flag, set()).add(value.name)
    data = [Flagged(flag=flag, of=DATA, runs=tuple(those.values())) for flag, those in sorted(of_data.items())]
    rest = [
        Flagged(flag=flag, of=", ".join(sorted(names[flag])), runs=tuple(those.values()))
        for flag, those in of_values.items()
    ]
    return [*data, *sorted(rest, key=lambda each: (-len(each.runs), each.flag))]


def chips_of(store: Store, metrics: pl.DataFrame | None, names: Sequence[str] | None = None) -> list[ChipFacts]:
    """All chips of a store with what is known of them.

    Parameters
    ----------
    store
        Of staged runs.
    metrics
        The table of metrics; None where none were derived.
    names
        Of the chips; all unless given.
    """
    from batchlab.devices._history import histories

    known = _values(metrics)
    found: list[ChipFacts] = []
    pages: set[str] = {INDEX}
    for name, history in sorted(histories(store.table, timezone=store.timezone).items(), key=lambda each: _by(each[0])):
        if names is not None and name not in names:
            continue
        page = _page(name, pages)
        runs = tuple(_run(row, known.get(row["run_id"], ())) for row in history.select(_COLUMNS).to_dicts())
        found.append(ChipFacts(name=name, page=page, runs=runs))
    return found


_COLUMNS = (
    "run_id", "seq", "proc", "datetime_local", "summary", "has_light", "wavelength_nm", "source_file", "quality_flags",
)  # fmt: skip


def _by(name: str) -> tuple[object, ...]:
    """Chips in the order of their numbers."""
    return tuple((not part.isdigit(), int(part) if part.isdigit() else part) for part in re.split(r"(\d+)", name))


def _page(name: str, taken: set[str]) -> str:
    """A file name that no other page has, on any file system."""
    stem = re.sub(r"[^\w.+-]", "_", name).lstrip(".") or "chip"
    page, number = f"{stem}.html", 2
    while page.lower() in taken:
        page, number = f"{stem}_{number}.html", number + 1
    taken.add(page.lower())
    return page


def _values(metrics: pl.DataFrame | None) -> dict[str, list[Value]]:
    """By run: each metric by each method, the preferred method first, as in a wide table."""
    from batchlab.devices.metrics._dirac_point import METHODS

    if metrics is None:
        return {}
    rank = {method: place for place, method in enumerate(METHODS)}
    columns = (
        "run_id", "metric_name", "value_float", "value_str", "value_json", "standard_error", "unit",
        "extraction_method", "extraction_version", "confidence", "flags",
    )  # fmt: skip
    found: dict[str, list[Value]] = {}
    for row in metrics.select(columns).iter_rows():
        run_id, name, value, text, as_json, error, unit, method, version, confidence, flags = row
        found.setdefault(run_id, []).append(
            Value(
                name=name,
                value=value,
                text=text if text is not None or value is not None else as_json,
                error=error,
                unit=unit,
                method=method,
                version=version,
                confidence=confidence,
                flags=tuple(flags.split(",")) if flags else (),
            )
        )
    for values in found.values():
        values.sort(key=lambda each: (each.name, rank.get(each.method, len(rank)), each.method))
    return found


def _run(row: Mapping[str, Any], values: Sequence[Value]) -> RunFacts:
    first: dict[str, Value] = {}
    for value in values:
        first.setdefault(value.name, value)
    return RunFacts(
        run_id=row["run_id"],
        seq=row["seq"],
        procedure=row["proc"],
        began=row["datetime_local"],
        summary=row["summary"],
        has_light=row["has_light"],
        wavelength_nm=row["wavelength_nm"],
        source_file=row["source_file"],
        flags=tuple(row["quality_flags"].split(",")) if row["quality_flags"] else (),
        first=MappingProxyType(first),
        values=tuple(values),
    )
