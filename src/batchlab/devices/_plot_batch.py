"""From plots that are wanted to a batch: which runs each shows, what is known of them, where its pictures go."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from batchlab.devices._batch_plots import PlotSpec
from batchlab.devices._durable import write_whole, writing_into
from batchlab.devices._history import history_of, names_of
from batchlab.devices._layout import Layout
from batchlab.devices._model import DOUBTFUL, Chip
from batchlab.devices._plot_words import safe, tag_of
from batchlab.devices._references import Drift, drift, read_pins, resolve, write_pins
from batchlab.devices._selection import Selection
from batchlab.devices._seq import write_seq
from batchlab.engine import Batch, Job, Json, Limits, Place, Settings
from batchlab.errors import Category, DataError

if TYPE_CHECKING:
    import polars as pl

    from batchlab.devices._store import Store
    from batchlab.devices.plots import PlotType

__all__ = ["BATCH_NAME", "FIGURES", "PlotBatch", "PlotJob", "name_of", "plot_batch"]

BATCH_NAME = "devices-figures"
FIGURES = "figs"
_NEEDED = (
    *("seq", "run_id", "proc", "has_light", "wavelength_nm", "date_local", "file_idx"),
    *("vg_fixed_v", "vds_v", "sample"),
)
_POWER = "irradiated_power_w"
_SEQ = "seq"  # among what a plot uses: it shows the number in the history


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotJob:
    """A plot and the job that draws it.

    Attributes
    ----------
    spec
        As it was asked for.
    job
        Its first outputs are the pictures.
    rows
        Of the history, of the runs that it shows, in their order.
    refused
        Why there is nothing to draw; the job then fails, saying so.
    """

    spec: PlotSpec
    job: Job
    rows: tuple[Mapping[str, Any], ...]
    refused: str | None = None

    @property
    def pictures(self) -> tuple[str, ...]:
        """Their paths below the folder of figures."""
        return tuple(path for name, path in self.job.outputs.items() if name.startswith("figure"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotBatch:
    """A batch of plots, and what there is to know before it is run.

    Attributes
    ----------
    batch
        One job for each plot. `settle` it before it is planned or run.
    plots
        The same jobs with what was asked for.
    drifts
        Numbers in the batch file that meant other runs when it was last run.
    without_power
        Chips of plots that tell runs apart by power, which no enriched history knows.
    left_out
        Runs that were asked for by number or name, and that are of procedures which the plot does not show.
    """

    batch: Batch
    plots: tuple[PlotJob, ...]
    store: Path
    drifts: tuple[Drift, ...] = ()
    without_power: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    pins: Mapping[str, Mapping[str, str]]
    pins_file: Path | None = None

    @property
    def settled(self) -> bool:
        """Whether the file that names the store is there."""
        return _pointer(self.batch.output, self.store).is_file()

    def settle(self) -> None:
        """Write which store the jobs read, beside the ledger.

        Raises
        ------
        StartError
            If the folder of figures cannot be written into.
        """
        from batchlab.devices.tasks._plot import point_to_store

        pointer = _pointer(self.batch.output, self.store)
        text = point_to_store(self.store, pointer.parent).encode()
        with writing_into(Path(self.batch.output)):
            pointer.parent.mkdir(parents=True, exist_ok=True)
            if not pointer.is_file() or pointer.read_bytes() != text:
                write_whole(pointer, text)

    def keep_pins(self) -> None:
        """Keep what the numbers of the batch file mean now, to tell of a drift next time.

        Raises
        ------
        StartError
            If the folder of figures cannot be written into.
        """
        if self.pins_file is not None:
            with writing_into(Path(self.batch.output)):
                self.pins_file.parent.mkdir(parents=True, exist_ok=True)
                write_pins(self.pins_file, self.pins)


def plot_batch(
    specs: Sequence[PlotSpec],
    *,
    base_dir: str | Path = "data",
    stage_root: str | Path | None = None,
    derived_root: str | Path | None = None,
    output: str | os.PathLike[str] = FIGURES,
    plugins: Iterable[str] = (),
    settings: Settings | None = None,
    timeout_s: float | None = None,
    source: str | None = None,
    file: str | os.PathLike[str] | None = None,
) -> PlotBatch:
    """A batch that draws plots, one job each; of a plot that every run has for itself, one for each run.

    Parameters
    ----------
    specs
        Of `load_batch_plots`, or made otherwise.
    base_dir, stage_root, derived_root
        The data folder, and where the staged store and enriched histories lie if not below it as usual.
    output
        The folder of figures: the output root.
    plugins
        Modules, or ``.py`` files, that register plots.
    settings
        How the batch is run.
    timeout_s
        What one plot may take.
    source
        What the report shows as the batch's origin.
    file
        The batch file, whose numbers are kept to tell of a drift.

    Raises
    ------
    DataError
        If there is no store.
    """
    from batchlab.devices._store import Store

    layout = Layout.below(base_dir, stage=stage_root, derived=derived_root)
    store = Store(layout.store)
    root = Path(output).resolve()
    known = _Known(store, layout, root, tuple(plugins), timeout_s)
    made = [known.job(each) for spec in specs for each in known.parts(spec)]
    plots = _named(made, known.called)
    pins = _pins(plots, known)
    pins_file = None if file is None else _pins_file(root, Path(file))
    before = {} if pins_file is None else read_pins(pins_file)
    return PlotBatch(
        batch=Batch(
            name=BATCH_NAME,
            output=root,
            jobs=tuple(each.job for each in plots),
            settings=settings or Settings(),
            source=source,
        ),
        plots=plots,
        store=store.root,
        drifts=tuple(drift(before, pins)),
        without_power=tuple(sorted(known.without_power)),
        left_out=tuple(known.left_out),
        pins={chip: {k: v for k, v in each.items() if v is not None} for chip, each in pins.items()},
        pins_file=pins_file,
    )


class _Known:
    """What the store and the enriched histories know, each read once."""

    def __init__(
        self, store: Store, layout: Layout, root: Path, plugins: tuple[str, ...], timeout_s: float | None
    ) -> None:
        self.store = store
        self.layout = layout
        self.root = root
        self.files = tuple(each for each in plugins if each.endswith(".py"))
        self.modules = tuple(each for each in plugins if not each.endswith(".py"))
        self.limits = Limits(timeout_s=timeout_s)
        self.without_power: set[str] = set()
        self.left_out: dict[str, None] = {}
        self._histories: dict[Chip | tuple[str, ...], tuple[pl.DataFrame, list[dict[str, Any]]]] = {}
        self._enriched: dict[Chip, Mapping[str, Mapping[str, Any]] | None] = {}
        there = store.table.select("chip_group", "chip_number").drop_nulls().unique().iter_rows()
        # Chips that are called alike have files of their own, as those of histories and metrics are.
        self.called = names_of(Chip(group, number) for group, number in there)

    def history(self, spec: PlotSpec, kind: PlotType) -> tuple[pl.DataFrame, list[dict[str, Any]]]:
        """The history of a plot's chip, or of all runs of procedures that have none; also as rows."""
        key = spec.chip if spec.chip is not None else kind.procedures
        if key not in self._histories:
            if isinstance(key, Chip):
                table = history_of(self.store.table, key, timezone=self.store.timezone)
            else:
                table = _without_chip(self.store, key)
            self._histories[key] = table, table.select(n for n in _NEEDED if n in table.columns).to_dicts()
        return self._histories[key]

    def enriched(self, chip: Chip) -> Mapping[str, Mapping[str, Any]] | None:
        """Rows of the enriched history of a chip by run_id; None where there is none."""
        if chip not in self._enriched:
            self._enriched[chip] = _enriched_rows(self.layout.enriched, self.called.get(chip, chip.name))
        return self._enriched[chip]

    @cached_property
    def doubts(self) -> Mapping[tuple[str, str], list[tuple[float, str]]]:
        """Derived values of little confidence with their flags, by run_id and name."""
        return _doubtful_values(self.layout.metrics)

    def parts(self, spec: PlotSpec) -> list[PlotSpec]:
        """The plot itself, or where every run has its own, one for each."""
        from batchlab.devices.plots import default_tag, plot_type

        if not spec.each:
            return [spec]
        kind = plot_type(spec.type)
        chips = [replace(spec, chip=chip, others=()) for chip in spec.chips] or [spec]
        if len(chips) > 1:
            return [part for chip in chips for part in self.parts(chip)]
        try:
            rows, _ = self.all_rows(spec, kind)
        except DataError:  # told by the plot itself
            return [spec]
        tag = "" if spec.tag == safe(tag_of(spec.selection)) else f"{spec.tag}_"
        return [
            replace(
                spec, selection=Selection(seqs=(row["seq"],)), tag=safe(f"{tag}{default_tag([row['seq']])}"), each=False
            )
            for row in rows
        ]

    def job(self, spec: PlotSpec) -> PlotJob:
        """The job of a plot; it fails, saying why, where nothing can be drawn."""
        from batchlab.devices.plots import plot_type

        kind = plot_type(spec.type)
        rows: list[dict[str, Any]] = []
        between: dict[int, str] = {}
        notes: list[str] = []
        refused = None
        try:
            rows, notes = self.all_rows(spec, kind)
            if kind.unbroken:
                _, history = self.history(spec, kind)
                span = range(rows[0]["seq"], rows[-1]["seq"] + 1)
                between = {
                    row["seq"]: row["proc"]
                    for row in history
                    if row["seq"] in span and row["proc"] not in kind.procedures
                }
        except DataError as error:
            refused = str(error)
        tables = {chip: self.enriched(chip) for chip in spec.chips}
        without = next((chip for chip, table in tables.items() if table is None), None)
        if refused is None and without is not None and kind.needs:
            refused = (
                f"{spec.type} shows derived values ({', '.join(kind.needs)}), and {without.name} has no enriched "
                f"history: run `batchlab devices derive-all-metrics --chip {without.number}`, then "
                f"`batchlab devices enrich-history {without.number}`"
            )
        if refused is not None and spec.line:
            refused = f"{refused} (line {spec.line})"
        known = {run_id: row for table in tables.values() if table is not None for run_id, row in table.items()}
        used = kind.uses(kind.options.model_validate(spec.options)) if kind.uses is not None else None
        # A plot by the runs' names stays as it is when only their numbers moved, unless it shows these.
        named = bool(spec.selection.runs) and not spec.selection.seqs
        numbered = not named or used is None or _SEQ in used or spec.data or bool(between)
        told = [_run_param(row, known.get(row["run_id"], {}), used, numbered=numbered) for row in rows]
        for each in told:
            doubts = self.doubts_of(each)
            if doubts:
                each["doubts"] = doubts
        by_power = used is not None and _POWER in used and any(row["has_light"] for row in rows)
        if by_power and spec.chip is not None and not any("power_w" in each for each in told):
            self.without_power.update(chip.name for chip in spec.chips)
        params: dict[str, Json] = {
            "type": spec.type,
            "runs": told,
            "options": dict(spec.options),
            "style": {name: value for name, value in spec.style.items() if name != "format"},
            "between": {str(seq): procedure for seq, procedure in between.items()},
            "time_zone": self.store.timezone,
            "plugins": [*self.modules, *(os.path.basename(each) for each in self.files)],
            "notes": notes,
            "refused": refused,
        }
        job = Job(
            name=spec.type,
            task="devices.plot",
            params=params,
            inputs={
                "store": str(_pointer(self.root, self.store.root)),
                **({"plugins": self.files} if self.files else {}),
            },
            outputs=_outputs(spec, rows, self.called),
            limits=self.limits,
            metadata={
                "chip": ", ".join(chip.name for chip in spec.chips) or None,
                "chosen": str(spec.selection),
                "tag": spec.tag,
            },
        )
        return PlotJob(spec=spec, job=job, rows=tuple(rows), refused=refused)

    def doubts_of(self, run: Mapping[str, Any]) -> dict[str, Json]:
        """Flags of those values that a plot is told of a run and that its metrics doubt.

        By the value, too: the table may hold others by now than the history that was enriched with it.
        """
        values = run.get("metrics", {})
        return {
            name: flags.split(",") if flags else []
            for name, value in values.items()
            for doubted, flags in self.doubts.get((run["run_id"], name), ())
            if doubted == value
        }

    def all_rows(self, spec: PlotSpec, kind: PlotType) -> tuple[list[dict[str, Any]], list[str]]:
        """The runs of all chips of a plot, chip by chip, and what to warn of: a chip among others may have none."""
        found: list[dict[str, Any]] = []
        notes: list[str] = []
        for chip in spec.chips or (None,):
            alone = replace(spec, chip=chip, others=())
            try:
                rows, told = self.rows(alone, kind, *self.history(alone, kind))
            except DataError as error:
                if not spec.others:
                    raise
                notes.append(str(error))
                continue
            found += rows
            notes += told
        if not found:
            raise DataError("; ".join(notes), category=Category.MISSING_INPUT, reason="no-runs")
        return found, notes

    def rows(
        self, spec: PlotSpec, kind: PlotType, table: pl.DataFrame, history: Sequence[dict[str, Any]]
    ) -> tuple[list[dict[str, Any]], list[str]]:
        """The runs of a plot, and what to warn of."""
        chip = spec.chip.name if spec.chip is not None else "the store"
        chosen = spec.selection
        run_ids = set(resolve(table, list(chosen.runs)).values()) if chosen.runs else set()
        taken = [row for row in history if chosen.takes(row, run_ids)]
        rows = [row for row in taken if row["proc"] in kind.procedures]
        missing = chosen.missing(history)
        if rows:
            notes = []
            if missing:
                notes.append(f"{chip} has no run with seq {write_seq(missing)}; its history ends with {len(history)}")
            if (chosen.seqs or chosen.runs) and len(rows) < len(taken):
                others = [row for row in taken if row["proc"] not in kind.procedures]
                notes.append(f"{chip}: {_listed(others)} left out: {spec.type} shows {' and '.join(kind.procedures)}")
                self.left_out[f"{spec.type} ({spec.tag}) of {notes[-1]}"] = None
            return rows, notes
        if taken:
            found = ", ".join(sorted({row["proc"] for row in taken}))
            why = f"it needs {' or '.join(kind.procedures)}, seq {write_seq(r['seq'] for r in taken)} is {found}"
        elif missing:
            why = f"{chip} has no run with seq {write_seq(missing)}, its history has 1 to {len(history)}"
        else:
            why = f"{chip} has none of {chosen}"
        raise DataError(
            f"no experiments found for {spec.type}: {why}; show-history lists the runs",
            category=Category.MISSING_INPUT,
            reason="no-runs",
        )


def _without_chip(store: Store, procedures: Sequence[str]) -> pl.DataFrame:
    """All runs of procedures without a chip, numbered as a history is."""
    import polars as pl

    runs = store.table.filter(pl.col("proc").is_in(list(procedures)), pl.col("chip_number").is_null())
    if runs.is_empty():
        raise DataError(
            f"{store.root}: no {' or '.join(procedures)} is staged", category=Category.MISSING_INPUT, reason="no-runs"
        )
    ordered = runs.sort("start_time_utc", "proc", "file_idx", "run_id", nulls_last=True)
    return ordered.with_row_index("seq", offset=1).with_columns(chip_name=pl.lit("the store"))


def _enriched_rows(folder: Path, chip: str) -> Mapping[str, Mapping[str, Any]] | None:
    """Numbers of each run, by run_id and column; None where the chip has no enriched history."""
    from batchlab.devices._enrich import read_enriched
    from batchlab.devices._history import file_of

    if not (folder / file_of(chip)).is_file():
        return None
    table = read_enriched(folder, chip).table
    numbers = [name for name, kind in table.schema.items() if kind.is_float()]
    return {row.pop("run_id"): row for row in table.select("run_id", *numbers).to_dicts()}


def _doubtful_values(metrics: Path) -> dict[tuple[str, str], list[tuple[float, str]]]:
    """Values in the table of metrics whose confidence is small, with their flags, by run_id and name."""
    import polars as pl

    if not metrics.is_file():
        return {}
    columns = ("run_id", "metric_name", "value_float", "flags")
    doubtful = pl.scan_parquet(metrics, glob=False).filter(
        pl.col("confidence") < DOUBTFUL, pl.col("value_float").is_not_null()
    )
    found: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for run_id, name, value, flags in doubtful.select(columns).collect().iter_rows():
        found.setdefault((run_id, name), []).append((value, flags or ""))
    return found


def _listed(rows: Sequence[Mapping[str, Any]]) -> str:
    """``seq 5,7 (IVg), 8 (VVg)``."""
    procedures = dict.fromkeys(row["proc"] for row in rows)
    named = (f"{write_seq(row['seq'] for row in rows if row['proc'] == proc)} ({proc})" for proc in procedures)
    return f"seq {', '.join(named)}"


def _run_param(
    row: Mapping[str, Any], known: Mapping[str, Any], used: Collection[str] | None, *, numbered: bool
) -> dict[str, Json]:
    """A run as its job is told of it: of derived values those that the plot looks at, or all.

    Parameters
    ----------
    numbered
        Whether the plot shows numbers of the history; one that does not shows them for want of a file's number.
    """
    finite = {name: value for name, value in known.items() if value is not None and math.isfinite(value)}
    # A metric that is called as a column of the history has another name there.
    named = {name.removeprefix("metric_"): value for name, value in finite.items()}
    taken = named if used is None else {name: named[name] for name in used if name in named}
    power = finite.get(_POWER) if used is None or _POWER in used else None
    seq = row["seq"] if numbered or row["file_idx"] is None else None
    told = {"seq": seq, "file_number": row["file_idx"], "power_w": power}
    metrics = {name: value for name, value in taken.items() if name not in (_POWER, _SEQ)}
    return {
        "run_id": row["run_id"],
        **{name: value for name, value in told.items() if value is not None},
        **({"metrics": metrics} if metrics else {}),
    }


def _outputs(spec: PlotSpec, rows: Sequence[Mapping[str, Any]], called: Mapping[Chip, str]) -> dict[str, str]:
    from batchlab.devices.plots import light_of, picture_path
    from batchlab.devices.tasks._plot import outputs_of

    format = str(spec.style["format"])
    lit = light_of(row["has_light"] for row in rows)
    paths = [picture_path(name, spec.chips, spec.tag, lit, format, called) for name in spec.names]
    if spec.data:
        paths += [path.removesuffix(format) + "csv" for path in paths]
    return dict(zip(outputs_of(len(spec.names), data=spec.data), paths, strict=True))


def name_of(spec: PlotSpec, called: Mapping[Chip, str] = MappingProxyType({})) -> str:
    """What the job of a plot is called, unless another is called so: ``plot-its/Alisson67_It_photoresponse``.

    Parameters
    ----------
    called
        What chips are called that share their names with others.
    """
    from batchlab.devices.plots import picture_path

    path = picture_path(spec.names[0], spec.chips, spec.tag, None, str(spec.style["format"]), called)
    return f"{spec.type}/{Path(path).stem}"


def _named(made: Sequence[PlotJob], called: Mapping[Chip, str]) -> tuple[PlotJob, ...]:
    """Jobs called after what they draw, each otherwise."""
    stems = [Path(each.pictures[0]) for each in made]
    plain = [name_of(each.spec, called) for each in made]
    count = Counter(plain)
    return tuple(
        replace(each, job=replace(each.job, name=name if count[name] == 1 else f"{name}{path.suffix}"))
        for each, name, path in zip(made, plain, stems, strict=True)
    )


def _pins(plots: Iterable[PlotJob], known: _Known) -> dict[str, dict[str, str | None]]:
    """What each number in the file means now, by chip."""
    from batchlab.devices.plots import plot_type

    found: dict[str, dict[str, str | None]] = {}
    for each in plots:
        for chip in each.spec.chips if each.spec.selection.seqs else ():
            try:
                _, history = known.history(replace(each.spec, chip=chip, others=()), plot_type(each.spec.type))
            except DataError:  # told by the plot itself
                history = []
            run_ids = {row["seq"]: row["run_id"] for row in history}
            pins = found.setdefault(known.called.get(chip, chip.name), {})
            pins.update({str(seq): run_ids.get(seq) for seq in each.spec.selection.seqs})
    return found


def _pointer(root: Path, store: Path) -> Path:
    """The file that names the store; each store has its own, so that none is changed while jobs read it."""
    return Place(root).own / "plots" / f"store-{_seen(store, root)}.json"


def _seen(path: Path, root: Path) -> str:
    """A digest of a path as seen from the figures: the same where both have been moved."""
    return blake2b(Path(os.path.relpath(path, root)).as_posix().encode(), digest_size=4).hexdigest()


def _pins_file(root: Path, file: Path) -> Path:
    """By the file's place: files of one name in two folders are two."""
    return Place(root).own / "plots" / f"{safe(file.stem)}-{_seen(file.resolve(), root)}.pins.json"
