"""The staged store, opened for reading: runs by their ids, or one after the other in one pass."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from batchlab.devices._manifest import Manifest, Status, names_of, read_manifest
from batchlab.devices._model import Chip, Run, Value
from batchlab.errors import Category, DataError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["RUN_FIELDS", "Store"]

# Rows read at once: bounds the memory of a pass.
SPAN = 500_000
# Rows between two wanted runs that are rather read than skipped.
GAP = 50_000
_TRIES = 5
_LEAST_PREFIX = 4


class Store:
    """A store as it is when it is opened.

    Parameters
    ----------
    root
        Its folder, usually ``data/02_stage``.

    Raises
    ------
    DataError
        If there is none, or it cannot be read.

    Notes
    -----
    It goes on to tell what it told when it was opened. When the store on disk is replaced meanwhile, rows of a run are
    read from their new place: equal ids are equal data. Only what has left it cannot be read any more.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        import polars as pl

        self.root = Path(root)
        self._manifest: Manifest = read_manifest(self.root)
        self._runs = self._manifest.table.filter(pl.col("status") == Status.OK).sort("proc", "offset")
        self._place: dict[str, int] = {name: k for k, name in enumerate(self._runs["run_id"])}
        self._columns = self._runs.select(_NEEDED).to_dict(as_series=False)

    def __repr__(self) -> str:
        counts = self.table["proc"].drop_nulls().value_counts(sort=True).rows()
        return f"Store({str(self.root)!r}: {', '.join(f'{count} {name}' for name, count in counts) or 'empty'})"

    def _repr_html_(self) -> str:
        """Runs of each chip and procedure, as a notebook shows them."""
        import polars as pl

        from batchlab.devices._notebook import counted, page_of, table_of

        rows = []
        for (chip,), part in self.table.sort("chip_group", "chip_number", nulls_last=True).group_by(
            ["chip_name"], maintain_order=True
        ):
            counts = dict(part["proc"].value_counts(sort=True).sort("count", "proc", descending=[True, False]).rows())
            days = part["date_local"].drop_nulls()
            rows.append((chip or "without a chip", part.height, counted(counts), days.min(), days.max()))
        head = ("chip", "runs", "of", "first", "last")
        bad = self.manifest().filter(pl.col("status") == Status.REJECT).height
        notes = [f"{bad} raw {'file is no run' if bad == 1 else 'files are no runs'}: see rejects()"] if bad else []
        flagged = self.table["quality_flags"].drop_nulls().len()
        notes += [f"the data of {flagged} {'run is' if flagged == 1 else 'runs are'} flagged"] if flagged else []
        return page_of(f"{len(self)} runs in {self.root}", table_of(rows, head), notes=notes)

    def __len__(self) -> int:
        return len(self._place)

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._place

    @property
    def timezone(self) -> str:
        """Of the laboratory."""
        return self._manifest.timezone

    @property
    def table(self) -> pl.DataFrame:
        """The rows of the manifest that are runs: one for each."""
        return self._runs

    def manifest(self) -> pl.DataFrame:
        """One row for each raw file, rejects and copies among them; columns as `columns_of` tells."""
        return self._manifest.table

    def rejects(self) -> pl.DataFrame:
        """The raw files that are no runs, with reason and mend."""
        import polars as pl

        columns = ("source_file", "category", "reason", "message", "size", "mtime_ns")
        return self._manifest.table.filter(pl.col("status") == Status.REJECT).select(columns)

    def scan(self, procedure: str) -> pl.LazyFrame:
        """All rows of a procedure: ``run_id``, ``row`` and the recorded columns, a run after the other.

        Raises
        ------
        DataError
            If the store has no run of it.
        """
        import polars as pl

        names = self._runs.filter(pl.col("proc") == procedure)["data_file"]
        if names.is_empty():
            there = ", ".join(sorted(self._runs["proc"].unique())) or "none"
            raise DataError(f"{self.root}: no {procedure} is staged, only {there}", reason="no-runs")
        return pl.scan_parquet(self.root / names[0], glob=False)

    def find(self, prefix: str) -> str:
        """The run_id that begins so.

        Raises
        ------
        DataError
            If there is none, or more than one.
        """
        if prefix in self._place:
            return prefix
        found = sorted(name for name in self._place if name.startswith(prefix)) if len(prefix) >= _LEAST_PREFIX else []
        if len(found) == 1:
            return found[0]
        if found:
            raise DataError(
                f"{self.root}: {len(found)} runs begin with {prefix!r}: {', '.join(found[:4])}; write more of it",
                reason="ambiguous-run",
            )
        raise DataError(
            f"{self.root}: no run {prefix!r}; show-history lists the runs of a chip with their ids",
            category=Category.MISSING_INPUT,
            reason="no-such-run",
        )

    def read_run(self, run_id: str) -> Run:
        """One run.

        Parameters
        ----------
        run_id
            Or its beginning, if no other begins so.

        Raises
        ------
        DataError
            If the store has no such run.
        """
        (run,) = self.read_runs([run_id])
        return run

    def read_runs(self, run_ids: Iterable[str]) -> list[Run]:
        """Runs in the order of their ids as given."""
        names = [self.find(name) for name in run_ids]
        found = {run.run_id: run for run in self._read(dict.fromkeys(names), None)}
        return [found[name] for name in names]

    def runs(
        self,
        procedure: str | Collection[str] | None = None,
        *,
        chips: Chip | Collection[Chip] | None = None,
        light: bool | None = None,
        wavelength_nm: float | None = None,
        flagged: bool | None = None,
        run_ids: Collection[str] | None = None,
        where: pl.Expr | None = None,
        columns: Sequence[str] | None = None,
    ) -> Iterator[Run]:
        """Runs one after the other, each procedure in one pass; memory does not grow with their number.

        Parameters
        ----------
        procedure
            One or several.
        chips
            One or several.
        light
            True for lit runs, False for dark ones.
        wavelength_nm
            Of the light.
        flagged
            Whether the data are flagged as bad.
        run_ids
            Full ids.
        where
            A condition on columns of the manifest.
        columns
            Recorded columns to read; all unless given. With none, runs come without data, and no file is opened.

        Yields
        ------
        Run
            In the order of procedure, chip and run_id: that of the store.
        """
        import polars as pl

        conditions: list[pl.Expr] = []
        if procedure is not None:
            wanted = [procedure] if isinstance(procedure, str) else sorted(procedure)
            conditions.append(pl.col("proc").is_in(wanted))
        if chips is not None:
            some = [chips] if isinstance(chips, Chip) else sorted(chips)
            same = [(pl.col("chip_group") == c.group) & (pl.col("chip_number") == c.number) for c in some]
            conditions.append(pl.any_horizontal(same) if same else pl.lit(False))
        if light is not None:
            conditions.append(pl.col("has_light") == light)
        if wavelength_nm is not None:
            conditions.append((pl.col("wavelength_nm") - wavelength_nm).abs() < 1e-6)
        if flagged is not None:
            conditions.append(pl.col("quality_flags").is_not_null() == flagged)
        if run_ids is not None:
            conditions.append(pl.col("run_id").is_in(sorted(run_ids)))
        if where is not None:
            conditions.append(where)
        chosen = self._runs.filter(conditions) if conditions else self._runs
        return self._read(dict.fromkeys(chosen["run_id"]), columns)

    def with_columns(self, runs: Iterable[Run], columns: Sequence[str]) -> dict[str, Run]:
        """Runs of it, with these of their recorded columns, by run_id."""
        known = {run.run_id: run for run in runs}
        read = self._rows(known, columns)
        return {
            row["run_id"]: replace(known[row["run_id"]], columns=MappingProxyType(dict(data))) for row, data in read
        }

    def _row(self, run_id: str) -> dict[str, Any]:
        k = self._place[run_id]
        return {name: column[k] for name, column in self._columns.items()}

    def _find_again(self, run_ids: Iterable[str]) -> None:
        """Where the rows of runs lie now."""
        now = read_manifest(self.root).table.select("run_id", "status", "data_file", "offset")
        places = {row[0]: row[2:] for row in now.iter_rows() if row[1] == Status.OK}
        for run_id in run_ids:
            if run_id not in places:
                raise DataError(
                    f"{self.root}: run {run_id} has left the store since it was opened; open it again",
                    category=Category.MISSING_INPUT,
                    reason="no-such-run",
                )
            k = self._place[run_id]
            self._columns["data_file"][k], self._columns["offset"][k] = places[run_id]

    def _read(self, run_ids: Collection[str], columns: Sequence[str] | None) -> Iterator[Run]:
        """Runs in the order of the store; `run_ids` need not be sorted."""
        return (_run(row, data) for row, data in self._rows(run_ids, columns))

    def _rows(
        self, run_ids: Collection[str], columns: Sequence[str] | None
    ) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """Of runs in that order what the manifest has of each, and its recorded columns."""
        left = sorted(run_ids, key=self._place.__getitem__)
        if columns is not None and not columns:
            yield from ((self._row(name), {}) for name in left)
            return
        tries = 0
        while left:
            span = self._span(left)
            try:
                yield from self._read_span(span, columns)
            except FileNotFoundError as error:
                # The store was replaced since: equal runs lie elsewhere now.
                tries += 1
                if tries > _TRIES:
                    raise DataError(
                        f"{self.root}: {error.filename or error} is not there; stage again with force",
                        reason="broken-store",
                    ) from error
                self._find_again(left)
                left.sort(key=lambda name: (self._row(name)["data_file"], self._row(name)["offset"]))
            else:
                tries = 0
                del left[: len(span)]

    def _span(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """The rows of the first runs that are better read together."""
        first = self._row(names[0])
        span = [first]
        end = first["offset"] + first["rows"]
        for name in names[1:]:
            row = self._row(name)
            stop = row["offset"] + row["rows"]
            near = row["offset"] - end <= GAP and stop - first["offset"] <= SPAN
            if row["data_file"] != first["data_file"] or not near:
                break
            span.append(row)
            end = stop
        return span

    def _read_span(
        self, span: Sequence[Mapping[str, Any]], columns: Sequence[str] | None
    ) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        import polars as pl

        path = self.root / span[0]["data_file"]
        begin = span[0]["offset"]
        length = span[-1]["offset"] + span[-1]["rows"] - begin
        recorded = [names_of(row["data_columns"]) for row in span]
        taken = [tuple(name for name in names if columns is None or name in columns) for names in recorded]
        wanted = dict.fromkeys(name for names in taken for name in names)
        try:
            data = pl.scan_parquet(path, glob=False).slice(begin, length).select(*wanted).collect()
        except FileNotFoundError:
            raise
        except (OSError, pl.exceptions.PolarsError) as error:
            raise DataError(
                f"{path}: cannot be read ({error}); stage again with force", reason="broken-store"
            ) from error
        if wanted and data.height != length:
            raise DataError(f"{path}: ends too early; stage again with force", reason="broken-store")
        arrays = {name: data[name].to_numpy() for name in wanted}
        for row, names in zip(span, taken, strict=True):
            at = row["offset"] - begin
            # Copies: a run that is kept must not keep the whole span.
            yield row, {name: arrays[name][at : at + row["rows"]].copy() for name in names}


# Of the manifest: all that a run is made of, its data by its id.
RUN_FIELDS = (
    "run_id",
    "proc",
    "chip_group",
    "chip_number",
    "start_time_utc",
    "date_origin",
    "has_light",
    "quality_flags",
    "data_columns",
    "settings",
)
_NEEDED = (*RUN_FIELDS, "data_file", "offset", "rows")


def _run(row: Mapping[str, Any], columns: Mapping[str, Any]) -> Run:
    settings: dict[str, Value] = json.loads(row["settings"])
    return Run(
        run_id=row["run_id"],
        procedure=row["proc"],
        chip=None if row["chip_number"] is None else Chip(row["chip_group"], row["chip_number"]),
        start_utc=None if row["date_origin"] == "mtime" else row["start_time_utc"],
        has_light=row["has_light"],
        settings=MappingProxyType(settings),
        columns=MappingProxyType(dict(columns)),
        flags=tuple(row["quality_flags"].split(",")) if row["quality_flags"] else (),
    )
