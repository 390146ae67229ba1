"""One command for each kind of plot, made from the kind: ``batchlab devices plot-its 67 --seq 52-58``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batchlab.devices.cli._data_options import command_line
from batchlab.devices.cli._plot_lines import Ticks, Voice, left_out_of, warnings_of
from batchlab.devices.cli._plot_options import DURATION, options_of, style_of, told_of
from batchlab.errors import DataError

if TYPE_CHECKING:
    from batchlab.devices._batch_plots import PlotSpec
    from batchlab.devices._model import Chip
    from batchlab.devices._plot_batch import PlotBatch, PlotJob
    from batchlab.devices._selection import Selection
    from batchlab.devices.plots import PlotType

__all__ = ["command_of"]

_STYLE = ("theme", "palette", "format", "dpi")
_MORE_STYLE = (
    *("font", "font_weight", "size_in", "line_pt", "legend_place", "legend_scale", "legend_alpha", "grid", "title"),
)


@cache
def command_of(name: str) -> click.Command:
    """The command that draws a kind of plot.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    from batchlab.devices._batch_plots import on_chips
    from batchlab.devices.plots import plot_type

    kind = plot_type(name)
    on_chip = on_chips(kind)
    common = _common(kind, on_chip=on_chip)
    taken = {word for each in common for word in (*each.opts, *each.secondary_opts)}
    own = options_of(kind.options, taken)
    arguments: list[click.Parameter] = [click.Argument(["chip"], metavar="CHIP")] if on_chip else []

    @click.pass_context
    def draw(ctx: click.Context, /, **given: Any) -> None:
        ctx.exit(_draw(kind, given))

    needs = f"\n\nShows derived values: {', '.join(kind.needs)}." if kind.needs else ""
    shown = f"{kind.summary}\n\nOf procedure {' or '.join(kind.procedures)}.{needs}"
    chips = "\n\nCHIP is a number, such as 67, or a name, such as Alisson67; several with commas." if on_chip else ""
    return click.Command(name, callback=draw, params=[*arguments, *own, *common], help=shown + chips)


def _common(kind: PlotType, *, on_chip: bool) -> list[click.Option]:
    """The options that all plots have."""
    from batchlab.devices.plots import Palette, Theme

    which = "the history of the chip" if on_chip else "the order of time"
    made = [
        click.Option(
            ["--seq"],
            multiple=True,
            metavar="52,57-60",
            help=f"Runs by their numbers in {which}; also ids, and 2025-09-04#3.",
        ),
        click.Option(["--auto"], is_flag=True, help="All runs of the procedure that pass the filters."),
        click.Option(["--run", "runs"], multiple=True, metavar="ID", help="A run by its id, or as 2025-09-04#3."),
        click.Option(["--vg"], multiple=True, metavar="V", help="Only runs with the gate held at it, in V."),
        click.Option(["--vds"], multiple=True, metavar="V", help="Only runs at this drain voltage, in V."),
        click.Option(["--wavelength"], multiple=True, metavar="NM", help="Only runs of this light, in nm."),
        click.Option(["--date"], multiple=True, metavar="DAY", help="Only runs of 2025-09-04, or of DAY..DAY."),
        click.Option(["--light"], type=click.Choice(["light", "dark", "any"]), help="Only lit runs, or dark ones."),
        click.Option(["--sample"], multiple=True, metavar="NAME", help="Only runs of this part of the chip."),
        click.Option(["--each"], is_flag=True, help="A picture of every run."),
        click.Option(["--tag"], help="Part of the file's name; by default says which runs."),
        click.Option(["-o", "--output"], default="figs", show_default=True, help="The folder of figures."),
        click.Option(["--base-dir"], default="data", show_default=True, metavar="DIR", help="The data folder."),
        click.Option(["-s", "--stage-root"], metavar="DIR", help="Staged runs.  [default: BASE/02_stage]"),
        click.Option(["--derived-root"], metavar="DIR", help="Enriched histories.  [default: BASE/03_derived]"),
        click.Option(["--theme"], type=click.Choice([each.value for each in Theme]), help="A whole design."),
        click.Option(["--palette"], type=click.Choice([each.value for each in Palette]), help="Colours of curves."),
        click.Option(
            ["--format"], type=click.Choice(["pdf", "png", "svg", "jpg"]), help="Of the picture; default pdf."
        ),
        click.Option(["--dpi"], type=int, help="Pixels per inch of png and jpg; default 300."),
        click.Option(
            ["--style"], multiple=True, metavar="NAME=VALUE", help=f"More of the look: {', '.join(_MORE_STYLE)}."
        ),
        click.Option(["--data"], is_flag=True, help="Write the numbers beside the picture, as CSV."),
        click.Option(["--preview"], is_flag=True, help="List the runs that would be shown, and draw nothing."),
        click.Option(["-n", "--dry-run"], is_flag=True, help="Say what would be made and why, and draw nothing."),
        click.Option(["--fresh"], is_flag=True, help="Draw anew, even if nothing changed."),
        click.Option(["--timeout"], type=DURATION, help="What one plot may take; by default there is no limit."),
        click.Option(
            ["--retries"], type=click.IntRange(0), default=2, show_default=True, help="After failures that may pass."
        ),
        click.Option(["--overwrite"], is_flag=True, help="Replace a file of that name that something else made."),
        click.Option(["-v", "--verbose"], is_flag=True, help="Tell more."),
    ]
    if on_chip:
        if not kind.unbroken and not kind.together:
            made.insert(5, click.Option(["--together"], is_flag=True, help="All chips in one picture."))
        made.insert(0, click.Option(["-g", "--group"], default="Alisson", show_default=True, help="Of the chip."))
    if len(kind.procedures) > 1:
        shown = click.Choice(kind.procedures)
        made.append(click.Option(["--procedure"], type=shown, multiple=True, help="Only runs of it."))
    return made


def _draw(kind: PlotType, given: Mapping[str, Any]) -> int:
    """Draw what was asked for; the exit code."""
    from batchlab.devices._plot_batch import plot_batch
    from batchlab.devices.cli._plot_run import plan_all, workers_for
    from batchlab.engine import Conflict, Settings, Status, inline, read_view, run

    voice = Voice(verbose=given["verbose"])
    plots = plot_batch(
        _specs(kind, given),
        base_dir=given["base_dir"],
        stage_root=given["stage_root"],
        derived_root=given["derived_root"],
        output=given["output"],
        settings=Settings(
            retries=given["retries"],
            conflict=Conflict.OVERWRITE if given["overwrite"] else Conflict.FAIL,
        ),
        timeout_s=given["timeout"],
        source=command_line(),
    )
    refused = next((each.refused for each in plots.plots if each.refused), None)
    if refused is not None:
        raise DataError(refused)
    # Plots that are drawn warn of what is left out themselves.
    only_told = given["preview"] or given["dry_run"]
    for line in (*warnings_of(plots), *(left_out_of(plots) if only_told else ())):
        voice.trouble(line)
    if given["preview"]:
        for each in plots.plots:
            voice.say(_preview(plots, each))
        return 0
    if given["dry_run"]:
        planned = plan_all(plots, fresh=given["fresh"])
        for at, each in enumerate(plots.plots):
            why = "run: new" if planned is None else f"{planned.jobs[at].verdict}: {planned.jobs[at].reason}"
            voice.say("\n".join(f"{_shown(plots, path)}  [{why}]" for path in each.pictures))
        return 0
    plots.settle()
    ticks = Ticks(plots.plots, voice)
    # What may have to be stopped runs in a process of its own; starting one takes longer than a plot.
    workers = workers_for(len(plots.plots))
    executor = inline if given["timeout"] is None and workers == 1 else None
    batch = replace(plots.batch, settings=replace(plots.batch.settings, workers=workers))
    result = run(batch, executor=executor, listeners=[ticks], fresh=given["fresh"], verbose=voice.verbose)
    for job in read_view(result.root).jobs:
        for text in () if voice.verbose else job.warnings:
            voice.trouble(f"warning: {text}")
        for made in job.outputs if job.state is Status.DONE else ():
            voice.say(_shown(plots, made.path))
    if result.found_done and not sum(result.counts.values()):
        voice.say("drawn before, and nothing has changed; --fresh draws it anew")
    return result.exit_code


def _specs(kind: PlotType, given: Mapping[str, Any]) -> list[PlotSpec]:
    """What was asked for, one plot for each chip, or for all.

    Raises
    ------
    UsageError
        With everything that is wrong about the options.
    """
    from batchlab.devices._batch_plots import PlotSpec, checked
    from batchlab.devices._plot_words import safe, tag_of
    from batchlab.devices.plots import Look

    selection, chips = _selection(given), _chips(given)
    style = {**style_of(given["style"]), **{name: given[name] for name in _STYLE if given[name] is not None}}
    told = told_of(kind.options, given)
    options, wrong = checked(kind.name, kind.options, told)
    shown, more = checked("style", Look, style)
    if options is None or shown is None:
        raise click.UsageError("; ".join(message for _, message, _ in (*wrong, *more)))
    return [
        PlotSpec(
            type=kind.name,
            chip=chip,
            selection=selection,
            tag=safe(given["tag"] or tag_of(selection)),
            options=options,
            given=told,
            style=shown,
            data=given["data"],
            names=kind.names(kind.options.model_validate(options)),
            line=0,
            each=given["each"] or kind.each,
            others=tuple(other for other in others if other is not None),
        )
        for chip, *others in ([chips] if kind.together or given.get("together") else [(chip,) for chip in chips])
    ]


def _chips(given: Mapping[str, Any]) -> Sequence[Chip | None]:
    from batchlab.devices._model import Chip

    if "chip" not in given:
        return (None,)
    try:
        return tuple(dict.fromkeys(Chip.named(each.strip(), group=given["group"]) for each in given["chip"].split(",")))
    except ValueError as error:
        raise click.UsageError(f"CHIP: {error}") from error


def _selection(given: Mapping[str, Any]) -> Selection:
    """Which runs are meant."""
    from batchlab.devices._plot_words import (
        read_dates,
        read_light,
        read_references,
        read_samples,
        read_seq_or_names,
        read_volts,
        read_wavelengths,
    )
    from batchlab.devices._selection import Selection

    words = [word.strip() for each in given["seq"] for word in each.split(",")]
    all_of_them = given["auto"] or words == ["all"]
    if given["auto"] and given["seq"]:
        raise click.UsageError("--seq and --auto both say which runs are meant; give one")
    filters = ("runs", "wavelength", "date", "light", "vg", "vds", "sample")
    if not all_of_them and not given["seq"] and not any(given[name] not in (None, ()) for name in filters):
        raise click.UsageError("which runs? --seq 52-58, --auto, or a filter such as --wavelength 455")
    try:
        seqs, named = read_seq_or_names(words) if words and not all_of_them else ((), ())
        return Selection(
            seqs=seqs,
            runs=read_references([*given["runs"], *named]),
            procedures=tuple(given.get("procedure") or ()),
            light=None if given["light"] is None else read_light(given["light"]),
            wavelengths_nm=read_wavelengths(list(given["wavelength"])),
            dates=read_dates(list(given["date"])),
            vg_v=read_volts(list(given["vg"])),
            vds_v=read_volts(list(given["vds"])),
            samples=read_samples(list(given["sample"])),
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _preview(plots: PlotBatch, plot: PlotJob) -> str:
    """The runs of a plot, and where it would be."""
    lines = [
        f"{row['seq']:>5}  {row['run_id']}  {row['proc']:<4} {row['date_local']}  "
        f"{ {True: 'light', False: 'dark', None: ''}[row['has_light']] }".rstrip()
        for row in plot.rows
    ]
    return "\n".join([f"{len(plot.rows)} runs:", *lines, *(_shown(plots, path) for path in plot.pictures)])


def _shown(plots: PlotBatch, path: str) -> str:
    return os.path.relpath(Path(plots.batch.output) / path)
