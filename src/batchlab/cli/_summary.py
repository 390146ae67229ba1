"""What a run came to, on one screen: counts, what failed and what to do, where things lie."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from batchlab.cli._progress_bar import BLUE, DIM, ORANGE
from batchlab.cli._screen import console, show
from batchlab.cli._words import counted, duration, number, one_line
from batchlab.engine import BatchState, BatchView, RunResult, Status
from batchlab.errors import Category
from batchlab.reports import FailureGroup, failures, left_over, warning_groups

SHOWN_GROUPS = 8
SHOWN_WARNINGS = 2
WARNING_WIDTH = 300

ADVICE = {
    Category.INVALID_INPUT: "mend the file or leave it out, or mend the option that its message names; then run again",
    Category.MISSING_INPUT: "put the file where the batch looks for it",
    Category.NUMERICAL: "look at the input, or try other params",
    Category.PLOTTING: "see its traceback: batchlab why --traceback",
    Category.TIMEOUT: "raise limits: timeout, or give it less to do",
    Category.MEMORY: "raise limits: memory, or use fewer workers",
    Category.CRASH: "its process died; see its log, or batchlab debug",
    Category.DISK: "make room, then run again",
    Category.OUTPUT: "see its message; settings: conflict decides about foreign files",
    Category.SERVICE: "run again later",
    Category.CANCELLED: "run again",
    Category.INTERRUPTED: "run again",
    Category.GENERIC: "batchlab debug stops where the error is raised",
}


def show_summary(
    result: RunResult,
    view: BatchView,
    html: Path | None,
    screen: Console | None = None,
    *,
    headlines: Sequence[str] = (),
) -> None:
    """Print it to stderr.

    Parameters
    ----------
    result
        What the run did.
    view
        The batch as recorded after it.
    html
        The report; None where there is none.
    screen
        Where to; None for stderr.
    headlines
        What domains say of the batch, a sentence each.
    """
    screen = screen or console()
    groups = failures(view)
    parts: list[RenderableType] = [_headline(result, view), _counts(result, view)]
    if groups:
        parts += [Text(), failure_table(groups)]
    if headlines:
        parts += [Text(), _told("*" if screen.options.ascii_only else "◆", headlines)]
    if any(job.warnings for job in view.jobs):
        parts += [Text(), _warnings(view)]
    if view.left:
        parts += [Text(), Padding(Text(one_line(left_over(view))), (0, 0, 0, 2))]
    parts += [Text(), _where(result, html, job_to_ask_about(view))]
    show(screen, Group(*parts))


def _headline(result: RunResult, view: BatchView) -> Text:
    over = {
        BatchState.DONE: "all done",
        BatchState.FAILED: "finished, not all is done",
        BatchState.CANCELLED: "stopped",
        BatchState.INTERRUPTED: "broken off",
    }.get(result.state, str(result.state))
    asked = sum(result.counts.values()) + result.found_done
    rest = ""
    if result.state is BatchState.DONE and asked < len(view.jobs):  # --only
        over, rest = _part(result, asked), _others(result, view)
    elif result.state is BatchState.DONE and not sum(result.counts.values()):
        over = "nothing to do, all was done before"
    line = Text(f"{one_line(result.batch)}  ", style="bold")
    line.append(over, style=f"not bold {BLUE if result.state is BatchState.DONE else ORANGE}")
    if sum(result.counts.values()):
        line.append(f" in {duration(result.elapsed_s)}", style="not bold default")
    warned = sum(len(job.warnings) for job in view.jobs)
    if warned:
        line.append(f", with {counted(warned, 'warning')}", style=f"not bold {ORANGE}")
    if rest:
        line.append(f"; {rest}", style="not bold default")
    if result.reason:
        line.append(f": {one_line(result.reason)}", style="not bold default")
    return line


def _part(result: RunResult, asked: int) -> str:
    """How a run came out that was asked for a part of its batch."""
    jobs = "the job asked for is" if asked == 1 else f"all of the {number(asked)} jobs asked for are"
    if sum(result.counts.values()):
        return f"{jobs} done"
    return f"nothing to do, {jobs.replace(' is', ' was').replace(' are', ' were')} done before"


def _others(result: RunResult, view: BatchView) -> str:
    """What is known of the jobs that the run was not asked for, if any of them is trouble."""
    here = result.counts
    failed = view.counts[Status.FAILED] - here.get(Status.FAILED, 0)
    blocked = view.counts[Status.BLOCKED] - here.get(Status.BLOCKED, 0)
    words = [f"{number(n)} {'other' if n == 1 else 'others'} {word} earlier"
             for n, word in ((failed, "failed"), (blocked, "blocked")) if n > 0]  # fmt: skip
    return ", ".join(words)


def _counts(result: RunResult, view: BatchView) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right")
    table.add_column()
    rows = [
        (result.counts.get(Status.DONE, 0), "done now", BLUE),
        (result.found_done, "found done", DIM),
        (result.counts.get(Status.FAILED, 0), "failed", ORANGE),
        (result.items_failed, "item failed" if result.items_failed == 1 else "items failed", ORANGE),
        (result.counts.get(Status.BLOCKED, 0), "blocked by those", ORANGE),
        (result.counts.get(Status.CANCELLED, 0) + result.counts.get(Status.INTERRUPTED, 0), "cancelled", ORANGE),
        (result.counts.get(Status.SKIPPED, 0), "skipped", DIM),
        (view.counts[Status.PENDING], "left to do", DIM),
    ]
    for count, word, style in rows:
        if count:
            table.add_row(Text(number(count), style=style), Text(word))
    return Padding(table, (0, 0, 0, 2), expand=False)


def failure_table(groups: tuple[FailureGroup, ...]) -> RenderableType:
    """What failed, by category and reason: how often, one example, what to do."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style=DIM)
    table.add_column("what failed", no_wrap=True, style=ORANGE)
    table.add_column("n", justify="right", no_wrap=True)
    table.add_column("for example", ratio=3, overflow="fold")
    table.add_column("what to do", ratio=2, overflow="fold")
    for group in groups[:SHOWN_GROUPS]:
        kind = group.category + (f"\n{one_line(group.reason, 32)}" if group.reason else "")
        advice = ADVICE[Category(group.category)] if group.category in set(Category) else ""
        example = Text(one_line(group.examples[0]))
        if group.message:
            message = group.message.removeprefix(f"{group.reason}: ") if group.reason else group.message
            example.append(f"\n{one_line(message, 200)}", style=DIM)
        noun = ("item" if group.count == 1 else "items") if group.kind == "item" else ""
        table.add_row(Text(kind), Text(f"{number(group.count)} {noun}".strip()), example, Text(advice))
    if len(groups) > SHOWN_GROUPS:
        table.add_row(Text(f"and {counted(len(groups) - SHOWN_GROUPS, 'kind')} more"), Text(), Text(), Text())
    return Padding(table, (0, 0, 0, 2), expand=False)


def _told(sign: str, texts: Sequence[str]) -> RenderableType:
    """A sign and a sentence, each on lines of their own."""
    table = Table.grid(padding=(0, 1))
    table.add_column(style=BLUE)
    table.add_column(overflow="fold")
    for text in texts:
        table.add_row(Text(sign), Text(one_line(text)))
    return Padding(table, (0, 0, 0, 2), expand=False)


def _warnings(view: BatchView) -> RenderableType:
    """How many warnings there are, and the most frequent of them."""
    groups = warning_groups(view)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style=DIM)
    table.add_column("warned of", overflow="fold", ratio=1)
    table.add_column("n", justify="right", no_wrap=True)
    table.add_column("for example", overflow="fold", ratio=1)
    for group in groups[:SHOWN_WARNINGS]:
        job = one_line(group.examples[0][1])
        table.add_row(Text(one_line(group.text, WARNING_WIDTH)), Text(number(group.count)), Text(job, style=DIM))
    if len(groups) > SHOWN_WARNINGS:
        rest = groups[SHOWN_WARNINGS:]
        more = f"and {counted(len(rest), 'kind')} more, all in the report"
        table.add_row(Text(more, style=DIM), Text(number(sum(group.count for group in rest)), style=DIM), Text())
    return Padding(table, (0, 0, 0, 2), expand=False)


def job_to_ask_about(view: BatchView) -> str | None:
    """The first example of what failed most, else the first job; None where there is no job."""
    groups = failures(view)
    if not groups:
        return view.jobs[0].name if view.jobs else None
    job = groups[0].examples[0]
    return job if groups[0].kind == "job" else next((j.name for j in view.jobs if job.startswith(f"{j.name}: ")), None)


def _where(result: RunResult, html: Path | None, job: str | None) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(style=DIM)
    table.add_column(overflow="fold")
    root = shown_path(result.root)
    table.add_row("outputs", Text(root))
    if html is not None:
        table.add_row("report", Text(shown_path(html)))
    if result.state in (BatchState.CANCELLED, BatchState.INTERRUPTED):
        table.add_row("go on", Text("run the same command again: what is done stays done"))
    if job is not None:
        table.add_row("more", Text(f"batchlab why {shlex.quote(root)} {shlex.quote(job)}"))
    return Padding(table, (0, 0, 0, 2), expand=False)


def shown_path(path: Path) -> str:
    """Relative to the current folder where that is shorter."""
    try:
        relative = path.resolve().relative_to(Path.cwd())
    except (OSError, ValueError):
        return str(path)
    return str(relative)
