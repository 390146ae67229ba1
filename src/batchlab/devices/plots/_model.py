"""What goes into a plot beside its runs, and what comes out."""

from __future__ import annotations

import base64
import csv
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from batchlab.devices._model import Run
from batchlab.errors import DataError

if TYPE_CHECKING:
    from batchlab.devices._model import Array
    from batchlab.figures import Sheet

__all__ = ["Drawn", "Facts", "RunFacts", "Table", "column", "only"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What the store knows of a run beside its file.

    Attributes
    ----------
    seq
        Its place in the history of its chip.
    file_number
        The number at the end of its file's name.
    power_w
        Irradiated power by the calibration.
    metrics
        Derived values by name, in their units (V, A, s).
    details
        Arrays and parts of derived values, by name.
    doubts
        What speaks against derived values of little confidence, by name: the flags of checks that failed.
    """

    seq: int | None = None
    file_number: int | None = None
    power_w: float | None = None
    metrics: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    details: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    doubts: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))


_NOTHING = RunFacts()
_NOTEBOOK_DPI = 96.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the store knows: of each run, and of all.

    Attributes
    ----------
    runs
        By run_id; of a run that is not there nothing is known.
    history
        Procedure of each seq of the chip, as far as it matters who lies between.
    time_zone
        Of dates in pictures.
    """

    runs: Mapping[str, RunFacts] = field(default_factory=lambda: MappingProxyType({}))
    history: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    time_zone: str = "America/Santiago"

    def of(self, run: Run) -> RunFacts:
        """What is known of a run."""
        return self.runs.get(run.run_id, _NOTHING)

    def name(self, run: Run) -> str:
        """``#12``: the number of its file, else its seq, else the start of its id."""
        known = self.of(run)
        number = known.file_number if known.file_number is not None else known.seq
        return f"#{number}" if number is not None else f"#{run.run_id[:6]}"

    def local(self, run: Run) -> datetime | None:
        """When a run began, in the time zone of the lab."""
        return None if run.start_utc is None else run.start_utc.astimezone(ZoneInfo(self.time_zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The numbers behind a picture: columns of one length, by name with unit."""

    columns: Mapping[str, Sequence[Any]]

    def __post_init__(self) -> None:
        lengths = {name: len(values) for name, values in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns differ in length: {lengths}")

    @property
    def rows(self) -> int:
        """Number of rows."""
        return next((len(values) for values in self.columns.values()), 0)

    def csv(self) -> str:
        """As a file: numbers read back to the bit, what is missing is empty."""
        text = io.StringIO()
        write = csv.writer(text, lineterminator="\n")
        write.writerow(self.columns)
        write.writerows(zip(*([_cell(value) for value in values] for values in self.columns.values()), strict=True))
        return text.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """What a plot came to.

    Attributes
    ----------
    sheets
        One for each of the plot's names, in their order.
    tables
        The numbers behind each sheet.
    warnings
        What a reader of the pictures should know.
    """

    sheets: tuple[Sheet, ...]
    tables: tuple[Table, ...]
    warnings: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        """The pictures, for a notebook, and what to know of them."""
        from batchlab.figures import Picture

        pictures = (
            base64.b64encode(Picture(replace(sheet, dpi=_NOTEBOOK_DPI)).png()).decode() for sheet in self.sheets
        )
        shown = "".join(f'<img alt="plot" src="data:image/png;base64,{each}"/>' for each in pictures)
        return shown + "".join(f"<p>{html.escape(text)}</p>" for text in self.warnings)


def column(run: Run, name: str, *others: str) -> Array:
    """A recorded column.

    Raises
    ------
    DataError
        Reason ``missing-column``: the run has none of that name.
    """
    for each in (name, *others):
        if each in run.columns:
            return run.columns[each]
    raise DataError(
        f"{run.procedure} run {run.run_id} has no column {name!r}, only {', '.join(run.columns) or 'none'}; "
        "leave it out of the plot",
        reason="missing-column",
    )


def only(runs: Sequence[Run], procedures: Sequence[str], plot: str) -> tuple[Run, ...]:
    """The runs of the plot's procedures, that hold data.

    Raises
    ------
    DataError
        Reason ``no-runs``: there is none.
    """
    chosen = tuple(run for run in runs if run.procedure in procedures and run.rows > 1)
    if not chosen:
        found = ", ".join(sorted({run.procedure for run in runs})) or "none"
        raise DataError(
            f"no experiments found for {plot}: it needs {' or '.join(procedures)}, the selection holds {found}; "
            "choose other runs",
            reason="no-runs",
        )
    return chosen


def _cell(value: Any) -> Any:
    if value is None or value != value:
        return ""
    return repr(float(value)) if isinstance(value, float) else value
