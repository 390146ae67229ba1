"""Many plots by the calls of an earlier program, each a job of the engine."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from batchlab.compat.devices import data_cache
from batchlab.devices._batch_plots import PlotSpec as WantedPlot
from batchlab.devices._batch_plots import checked, load_batch_plots
from batchlab.devices._layout import Layout
from batchlab.devices._model import Chip
from batchlab.devices._selection import Selection
from batchlab.devices._seq import read_seq, write_seq
from batchlab.errors import BatchlabError, ConfigError, Problem

if TYPE_CHECKING:
    from batchlab.engine import Notice

__all__ = [
    "CACHE_AVAILABLE",
    "PlotConfig",
    "PlotResult",
    "PlotSpec",
    "display_summary",
    "execute_parallel",
    "execute_plot",
    "execute_sequential",
    "get_chip_history",
    "load_batch_config",
    "print_cache_stats",
]

CACHE_AVAILABLE = True
_POWER = "irradiated_power"
_STYLE, _DATA = "style", "data"


@dataclass
class PlotSpec:
    """Specification for a single plot.

    Attributes
    ----------
    type
        ``plot-its``, ``plot-ivg``, ...
    chip
        Its number.
    seq
        Numbers of runs in the history of the chip: ``52``, ``"52-58"``, ``[52, 57]``, ``"52,57,58"``, ``"all"``.
    tag
        Part of the picture's name; None says which runs.
    legend_by
        What tells the runs apart, for plots that have a legend.
    extra_args
        Options of the plot; ``style`` and ``data`` are as in a batch file.
    """

    type: str
    chip: int
    seq: str | list[int]
    tag: str | None = None
    legend_by: str = _POWER
    extra_args: dict[str, Any] = field(default_factory=dict)


@dataclass
class PlotResult:
    """Result of executing a plot.

    Attributes
    ----------
    elapsed
        In s; 0 for a plot that was there and has not changed.
    error
        Why it failed.
    files
        The pictures, and the tables beside them.
    """

    spec: PlotSpec
    success: bool
    elapsed: float
    error: str | None = None
    files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotConfig:
    """Where plots find runs and where pictures go; assign one to ``_plot_config`` for others than usual."""

    base_dir: str | Path = "data"
    output: str | Path = "figs"
    timeout_s: float | None = 120.0


_plot_config: PlotConfig | None = None
# By the number of the chip. A history is read anew where its chip is of another group, or the store has changed.
_cached_histories: dict[int, pl.DataFrame] = {}
_states: dict[int, tuple[Path, str, int]] = {}


def load_batch_config(config_path: str | Path) -> tuple[int, str, list[PlotSpec]]:
    """Read a batch file of one chip: its number, its group, and the plots.

    Raises
    ------
    ConfigError
        With everything that is wrong; also for several chips, and for runs chosen otherwise than by ``seq``, which
        these calls have no words for.
    """
    found = load_batch_plots(config_path)
    problems = [
        Problem(message=_beyond(spec), file=str(config_path), line=spec.line)
        for spec in found.specs
        if spec.chip is None or spec.each or spec.selection != Selection(seqs=spec.selection.seqs)
    ]
    if len(found.chips) != 1 or found.plugins:
        what = f"it has {len(found.chips)} chips" if len(found.chips) != 1 else "it declares plugins"
        problems.append(Problem(message=f"{what}; draw it by `batchlab devices batch-plot`", file=str(config_path)))
    if problems:
        raise ConfigError.of(problems)
    (chip,) = found.chips
    return chip.number, chip.group, [_plain(spec, chip) for spec in found.specs]


def get_chip_history(chip: int, chip_group: str = "Alisson") -> pl.DataFrame:
    """The runs of a chip in the order of time, with ``seq``; read once as long as the store does not change.

    Raises
    ------
    DataError
        If there is no store, or no such chip in it.
    """
    from batchlab.devices._history import history_of
    from batchlab.devices._manifest import MANIFEST
    from batchlab.devices._store import Store

    root = Layout.below(_settings().base_dir).store
    manifest = root / MANIFEST
    state = (root, chip_group, manifest.stat().st_mtime_ns if manifest.is_file() else 0)
    if chip not in _cached_histories or _states.get(chip) != state:
        store = Store(root)
        _cached_histories[chip] = history_of(store.table, Chip(chip_group, chip), timezone=store.timezone)
        _states[chip] = state
    return _cached_histories[chip]


def execute_plot(spec: PlotSpec, chip_group: str = "Alisson") -> PlotResult:
    """Draw one plot in this process; what goes wrong is told in the result."""
    (result,) = _execute([spec], chip_group, workers=None, told=False)
    return result


def execute_sequential(plot_specs: Sequence[PlotSpec], chip_group: str = "Alisson") -> list[PlotResult]:
    """Draw plots one after the other in this process, with a line for each."""
    return _execute(plot_specs, chip_group, workers=None, told=True)


def execute_parallel(plot_specs: Sequence[PlotSpec], chip_group: str = "Alisson", workers: int = 4) -> list[PlotResult]:
    """Draw plots in as many processes as told, with progress; results come in the order of the plots."""
    return _execute(plot_specs, chip_group, workers=max(1, workers), told=True)


def display_summary(results: Sequence[PlotResult], total_time: float, parallel_workers: int | None = None) -> None:
    """Print what came of plots as tables, and the total in a line.

    Parameters
    ----------
    total_time
        What all took together, in s.
    parallel_workers
        How many processes there were; None for one.
    """
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    failed = [each for each in results if not each.success]
    drawn_s = sum(each.elapsed for each in results)
    faster = drawn_s / total_time if total_time > 0 else 0.0
    table = Table(title="Batch summary", show_header=False)
    rows = (
        ("entries", f"{len(results)}"),
        ("files", f"{sum(len(each.files) for each in results)}"),
        ("successes", f"{len(results) - len(failed)}"),
        ("failures", f"{len(failed)}"),
        ("workers", f"{parallel_workers or 1}"),
        ("average", f"{drawn_s / len(results):.2f}s" if results else "-"),
        ("speed-up", f"{faster:.1f}x"),
    )
    for row in rows:
        table.add_row(*row)
    console.print(table)
    if failed:
        wrong = Table("plot", "seq", "error", title="Failed")
        for each in failed:
            wrong.add_row(each.spec.type, str(each.spec.seq), each.error or "")
        console.print(wrong)
    gain = f" ({faster:.1f}x speedup)" if (parallel_workers or 1) > 1 else ""
    console.print(f"Total: {len(results)} plots, {total_time:.1f}s{gain}", soft_wrap=True)


def print_cache_stats() -> None:
    """Print what `enable_parquet_caching` was good for."""
    data_cache.print_cache_stats()


def _settings() -> PlotConfig:
    """The configuration; the usual one is kept for others to see."""
    global _plot_config
    if _plot_config is None:
        _plot_config = PlotConfig()
    return _plot_config


def _beyond(spec: WantedPlot) -> str:
    what = "shows runs without a chip" if spec.chip is None else f"chooses runs by {spec.selection}"
    what = "is one of every run" if spec.each else what
    return f"{spec.type} {what}; draw this file by `batchlab devices batch-plot`"


def _plain(spec: WantedPlot, chip: Chip) -> PlotSpec:
    """A checked plot in the older words."""
    from batchlab.devices.plots import Look

    extra: dict[str, Any] = {name: value for name, value in spec.given.items() if name != "legend_by"}
    style = {name: value for name, value in spec.style.items() if value != Look().model_dump(mode="json").get(name)}
    extra |= ({_STYLE: style} if style else {}) | ({_DATA: True} if spec.data else {})
    legend_by = str(spec.options.get("legend_by", "power"))
    return PlotSpec(
        type=spec.type,
        chip=chip.number,
        seq=write_seq(spec.selection.seqs) or "all",
        tag=spec.tag,
        legend_by=_POWER if legend_by == "power" else legend_by,
        extra_args=extra,
    )


def _wanted(spec: PlotSpec, chip_group: str) -> WantedPlot:
    """A plot in older words, checked.

    Raises
    ------
    ConfigError
        With everything that is wrong with it.
    """
    from batchlab.devices._plot_words import safe, tag_of
    from batchlab.devices.plots import Look, plot_type
    from batchlab.devices.plots._options import preset_values

    kind = plot_type(spec.type)
    try:
        selection = Selection(seqs=() if spec.seq == "all" else read_seq(spec.seq))
    except ValueError as error:
        raise ConfigError(f"{spec.type}: seq: {error}") from error
    given = {name: value for name, value in spec.extra_args.items() if name not in (_STYLE, _DATA)}
    told: dict[str, Any] = dict(given)
    if isinstance(given.get("preset"), str):
        told = {**preset_values(given["preset"]), **given}
    if "legend_by" in kind.options.model_fields:
        told["legend_by"] = spec.legend_by
    options, wrong = checked(kind.name, kind.options, told)
    style, more = checked("style", Look, spec.extra_args.get(_STYLE, {}))
    if options is None or style is None:
        raise ConfigError("; ".join(message for _, message, _ in (*wrong, *more)))
    return WantedPlot(
        type=kind.name,
        chip=Chip(chip_group, spec.chip),
        selection=selection,
        tag=safe(spec.tag or tag_of(selection)),
        options=options,
        given=told,
        style=style,
        data=bool(spec.extra_args.get(_DATA, False)),
        names=kind.names(kind.options.model_validate(options)),
        line=0,
    )


def _execute(specs: Sequence[PlotSpec], chip_group: str, *, workers: int | None, told: bool) -> list[PlotResult]:
    """Results in the order of the plots; without workers they are drawn in this process."""
    from batchlab.devices._plot_batch import plot_batch
    from batchlab.devices.cli._plot_lines import Ticks, Voice
    from batchlab.engine import Conflict, Settings, Status, inline, read_view, run

    results: dict[int, PlotResult] = {}
    good: dict[int, WantedPlot] = {}
    for at, spec in enumerate(specs):
        try:
            good[at] = _wanted(spec, chip_group)
        except BatchlabError as error:
            results[at] = PlotResult(spec, False, 0.0, str(error))
    began = time.perf_counter()
    try:
        config = _settings()
        plots = plot_batch(
            list(good.values()),
            base_dir=config.base_dir,
            output=config.output,
            settings=Settings(workers=workers or 1, conflict=Conflict.OVERWRITE),
            timeout_s=config.timeout_s,
        )
        ended = _Ended()
        if good:
            plots.settle()
            ticks = Ticks(plots.plots, Voice(quiet=not told), bar=told and (workers or 1) > 1 and _is_lively())
            try:
                run(plots.batch, executor=None if workers else inline, listeners=[ticks, ended])
            finally:
                ticks.close()
    except BatchlabError as error:
        took_s = time.perf_counter() - began
        results |= {at: PlotResult(specs[at], False, took_s, str(error)) for at in good}
        return [results[at] for at in range(len(specs))]
    states = {job.name: job for job in read_view(plots.batch.output).jobs} if good else {}
    for at, plot in zip(good, plots.plots, strict=True):
        facts = ended.facts.get(plot.job.name, {})
        job = states[plot.job.name]
        done = job.state is Status.DONE
        results[at] = PlotResult(
            specs[at],
            done,
            float(facts.get("elapsed_s") or 0.0),
            None if done else str(facts.get("message") or facts.get("reason") or job.state),
            tuple(Path(plots.batch.output) / path for path in plot.job.outputs.values()) if done else (),
        )
    return [results[at] for at in range(len(specs))]


class _Ended:
    """A listener: the facts of each job that ended."""

    def __init__(self) -> None:
        self.facts: dict[str, Mapping[str, Any]] = {}

    def __call__(self, notice: Notice) -> None:
        if notice.kind == "job-ended" and notice.job is not None:
            self.facts[notice.job] = notice.facts


def _is_lively() -> bool:
    import sys

    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown", "")
