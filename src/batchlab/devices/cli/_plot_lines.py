"""What the commands that draw say while they do, and at their end."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from batchlab.devices._plot_batch import PlotBatch, PlotJob
    from batchlab.engine import BatchView, Notice, Plan, RunResult

__all__ = [
    "Ticks",
    "Voice",
    "dry_run_lines",
    "left_out_of",
    "loaded_line",
    "matching",
    "reasons_of",
    "summary_lines",
    "warnings_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """What is said, and what is kept back."""

    quiet: bool = False
    verbose: bool = False

    def say(self, text: str) -> None:
        """On stdout, unless told to be quiet."""
        if not self.quiet:
            click.echo(text)

    def trouble(self, text: str) -> None:
        """On stderr, always."""
        click.echo(text, err=True)


def loaded_line(plots: Sequence[Any], chips: Sequence[Any]) -> str:
    """``✓ Loaded 5 plot specifications for Alisson67``."""
    named = ", ".join(chip.name for chip in chips) or "runs without a chip"
    return f"✓ Loaded {len(plots)} plot specification{'' if len(plots) == 1 else 's'} for {named}"


def dry_run_lines(specs: Sequence[Any], reasons: Mapping[int, str], *, groups: bool) -> list[str]:
    """The numbered list of plots that would be made.

    Parameters
    ----------
    specs
        As of `load_batch_plots`.
    reasons
        By position in the list, what is told besides.
    groups
        Whether chips are told with their group.
    """
    from batchlab.devices._plot_words import safe, tag_of
    from batchlab.devices._selection import Selection

    lines = ["DRY RUN - Plots that would be generated:", ""]
    for at, spec in enumerate(specs):
        named = "+".join(chip.name if groups else str(chip.number) for chip in spec.chips)
        chip = f"chip={named} " if named else ""
        alone = spec.selection == Selection(seqs=spec.selection.seqs)
        chosen = f"{'seq' if alone else 'runs'}={spec.selection}"
        tag = f"({spec.tag})" if spec.tag != safe(tag_of(spec.selection)) else ""
        line = f"{at + 1:>3}. {spec.type:<23} {chip}{chosen:<13} {tag}".rstrip()
        lines.append(f"{line}  [{reasons[at]}]" if at in reasons else line)
    return [*lines, "", f"Total: {len(specs)} plots"]


def matching(names: Sequence[str], only: str | None) -> list[int]:
    """Positions of the plots whose names a pattern matches, as a run chooses them.

    Raises
    ------
    ConfigError
        If there is none.
    """
    from fnmatch import fnmatchcase

    from batchlab.devices._procedures import nearest
    from batchlab.errors import ConfigError

    chosen = [at for at, name in enumerate(names) if only is None or fnmatchcase(name, only)]
    if only is not None and not chosen:
        raise ConfigError(f"--only {only}: no plot's name matches{nearest(only, names)}")
    return chosen


def reasons_of(plots: PlotBatch, plan: Plan | None) -> dict[int, str]:
    """What would come of each plot and why, by its position; without a plan all are new."""
    verdicts = ["run: new"] * len(plots.plots) if plan is None else [f"{j.verdict}: {j.reason}" for j in plan.jobs]
    return {
        at: f"refused: {each.refused}" if each.refused else verdict
        for at, (each, verdict) in enumerate(zip(plots.plots, verdicts, strict=True))
    }


def warnings_of(plots: PlotBatch) -> list[str]:
    """What there is to know before plots are drawn."""
    told = [f"warning: {each}" for each in plots.drifts]
    told += [
        f"note: irradiated powers of {chip} are not known, LED volts tell its runs apart; "
        f"run `batchlab devices enrich-history {chip}` for powers"
        for chip in plots.without_power
    ]
    return told


def left_out_of(plots: PlotBatch) -> list[str]:
    """Runs that were asked for and that no plot shows."""
    return [f"note: {each}" for each in plots.left_out]


class Ticks:
    """A listener: a line for each plot; with a bar, lines for those alone that failed.

    Parameters
    ----------
    plots
        Those that may be drawn.
    voice
        Takes the lines.
    bar
        Whether a bar on stderr shows how many are done.

    Attributes
    ----------
    took_s
        Of each plot that ended.
    """

    def __init__(self, plots: Sequence[PlotJob], voice: Voice, *, bar: bool = False) -> None:
        self._plots = {each.job.name: each for each in plots}
        self._voice = voice
        self._with_bar = bar
        self._bar: Any = None
        self.took_s: list[float] = []

    def __call__(self, notice: Notice) -> None:
        """Take in what happened."""
        if notice.kind == "batch-started" and self._with_bar:
            total = int(notice.facts["total"])
            self._bar = click.progressbar(length=total, label="plots", file=sys.stderr, show_pos=True)
            self._bar.render_progress()
        plot = self._plots.get(notice.job or "")
        if plot is None:
            return
        if notice.kind == "warning" and self._voice.verbose:
            self._voice.say(f"  {plot.spec.type}  {plot.spec.tag}: {notice.facts['text']}")
        elif notice.kind == "job-ended":
            if self._bar is not None:
                self._bar.update(1)
            self._ended(plot, notice.facts)

    def close(self) -> None:
        """End the bar's line."""
        if self._bar is not None:
            self._bar.render_finish()
            self._bar = None

    def _ended(self, plot: PlotJob, facts: Mapping[str, Any]) -> None:
        took_s = float(facts.get("elapsed_s") or 0.0)
        self.took_s.append(took_s)
        took = f"({took_s:.1f}s)"
        if facts["state"] != "done":
            why = facts.get("message") or facts.get("reason") or facts.get("category") or facts["state"]
            start = "\n" if self._bar is not None else ""
            mark = click.style("✗", fg="red")
            self._voice.trouble(f"{start}{mark} {plot.spec.type} {took}  {plot.spec.tag}: {why}")
        elif self._bar is None:
            line = f"{click.style('✓', fg='green')} {plot.spec.type} {took}  {plot.spec.tag}"
            self._voice.say(f"{line}: {', '.join(plot.pictures)}" if self._voice.verbose else line)


def summary_lines(result: RunResult, view: BatchView, took_s: Sequence[float], workers: int) -> list[str]:
    """The table at the end, and the total in a line; figures are measured.

    Parameters
    ----------
    took_s
        What each plot took that ended in this run.
    """
    from batchlab.engine import Status

    ran = sum(result.counts.values())
    done = result.counts.get(Status.DONE, 0)
    speed_up = sum(took_s) / max(result.elapsed_s, 1e-9)
    cache = view.runs[-1].cache if view.runs else {}
    asked = cache.get("hits", 0) + cache.get("misses", 0)
    rows = [
        ("entries", f"{len(view.jobs)}"),
        ("files", f"{sum(len(job.outputs) for job in view.jobs if job.state is Status.DONE)}"),
        ("successes", f"{done + result.found_done}"),
        ("of these done before", f"{result.found_done}"),
        ("failures", f"{ran - done}"),
        ("average", f"{sum(took_s) / len(took_s):.2f}s" if took_s else "-"),
        ("speed-up", f"{speed_up:.1f}x" if round(speed_up, 1) > 1 else "-"),
    ]
    if asked:
        rows.append(("cache", f"{cache['hits']} hits, {cache['misses']} misses ({cache['hits'] / asked:.1%})"))
    width = max(len(name) for name, _ in rows)
    # Of few plots, workers take longer to start than they save.
    faster = f" ({speed_up:.1f}x speedup)" if workers > 1 and round(speed_up, 1) > 1 else ""
    return [
        "",
        "Batch summary",
        *(f"  {name:<{width}}  {value}" for name, value in rows),
        "",
        f"Total: {ran + result.found_done} plots, {result.elapsed_s:.1f}s{faster}",
    ]
