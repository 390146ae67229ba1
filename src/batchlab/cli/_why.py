"""``batchlab why``: of a job, or of a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import click

from batchlab.cli._errors import DONE
from batchlab.cli._options import FOLDER, json_option
from batchlab.cli._running import print_json
from batchlab.cli._screen import coloured
from batchlab.cli._status import KINDS
from batchlab.cli._words import duration, one_line, plain, size, value
from batchlab.engine import BatchView, FileState, Place, Status, Why, read_view
from batchlab.engine import why as ask_why
from batchlab.errors import BatchlabError, DataError

_NEXT = {
    "run": "would run it",
    "skip": "would leave it as it is",
    "stale": "would run it anew",
    "blocked": "could not run it",
}
SHOWN_ITEMS = 20


@click.command()
@click.argument("target", metavar="DIR JOB | PICTURE", type=FOLDER)
@click.argument("job", required=False, metavar="")
@click.option("--traceback", is_flag=True, help="Show the traceback of the job's failure.")
@json_option
def why(target: Path, job: str | None, traceback: bool, as_json: bool) -> int:
    """Say why a job stands as it does, or how a picture was made.

    DIR JOB: the job's state, why it would run again or would not, its inputs and whether they have changed, its params,
    attempts, log, and how to run it alone. PICTURE: what its own metadata say; and the job's answer, where the picture
    lies in an output folder.
    """
    if job is not None:
        answer = ask_why(target, job)
        if as_json:
            print_json(answer.as_json())
        else:
            show_why(answer, traceback=traceback)
        return DONE
    if target.is_dir():
        raise click.UsageError(
            f"which job of {one_line(target)}? `batchlab status {one_line(target)} --jobs` lists them"
        )
    return _why_file(target, traceback=traceback, as_json=as_json)


def _why_file(path: Path, *, traceback: bool, as_json: bool) -> int:
    """A picture tells by itself; any output that a ledger knows is told by that."""
    from batchlab.figures import read_provenance

    view = _batch_around(path)
    maker = _maker(view, path) if view is not None else None
    provenance: Mapping[str, str] | None = None
    try:
        provenance = read_provenance(path)
    except DataError:
        if maker is None:
            raise
    answer = ask_why(Path(view.root), maker) if view is not None and maker is not None else None
    if as_json:
        told = {name: _parsed(text) for name, text in provenance.items()} if provenance is not None else None
        print_json({"file": str(path), "provenance": told, "why": answer.as_json() if answer else None})
        return DONE
    if provenance is not None:
        click.echo(click.style(one_line(path), bold=True))
        for name, text in provenance.items():
            _show_facts(name, _parsed(text))
    if answer is not None:
        click.echo()
        show_why(answer, traceback=traceback)
    return DONE


def _batch_around(path: Path) -> BatchView | None:
    """The batch in whose output root a file lies, if there is one that can be read."""
    for folder in path.resolve().parents:
        if Place(folder).own.is_dir():
            try:
                return read_view(folder)
            except BatchlabError:
                return None
    return None


def _maker(view: BatchView, path: Path) -> str | None:
    relative = path.resolve().relative_to(view.root).as_posix()
    return next((job.name for job in view.jobs for made in job.outputs if made.path == relative), None)


def _parsed(text: str) -> object:
    if not text.startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def show_why(answer: Why, *, traceback: bool = False) -> None:
    """Print a job's answer to stdout."""
    state = coloured(str(answer.state), KINDS.get(answer.state, "trouble"))
    click.echo(f"{click.style(one_line(answer.job), bold=True)}  {state}  {one_line(answer.task)}")
    if answer.message or answer.category:
        kind = (answer.category or "") + (f" ({answer.reason})" if answer.category and answer.reason else "")
        _row("because", f"{one_line(kind)}: {plain(answer.message or '')}" if kind else plain(answer.message))
    if answer.culprit is not None:
        c = answer.culprit
        told = f": {c.category}" + (f" ({c.reason})" if c.reason else "") if c.category else ""
        _row("blocked by", one_line(f"{c.job}, {c.state}{told} {c.message or ''}"))
    run = _NEXT.get(answer.next or "", "")
    _row("a run now", one_line(f"{run}: {answer.next_reason}" if run else answer.next_reason))
    for each in answer.inputs:
        _row("input", _file(each))
    for each in answer.outputs:
        _row("output", _file(each))
    _show_facts("params", answer.params)
    if answer.metrics:
        _show_facts("metrics", answer.metrics)
    libraries = "".join(f", {name} {version}" for name, version in answer.libraries.items())
    if answer.version is not None:
        _row("version", one_line(f"task {answer.version}{libraries}"))
    if answer.key is not None:
        recipe, _, inputs = answer.key.partition("-")
        _row("key", one_line(f"{recipe} (what the batch says) {inputs} (what the inputs hold)"))
    _show_attempts(answer)
    failed = [item for item in answer.items if item.status is Status.FAILED]
    if answer.items:
        _row("items", f"{len(answer.items) - len(failed)} done, {len(failed)} failed")
    for item in failed[:SHOWN_ITEMS]:
        _row("", one_line(f"{item.name}: {item.category} ({item.reason}): {item.message}"))
    for warning in answer.warnings:
        _row("warned", one_line(warning))
    if answer.log is not None:
        _row("log", one_line(answer.log))
        for line in answer.log_tail:
            _row("", plain(line))
    if answer.traceback and traceback:
        _row("traceback", "")
        click.echo(plain(answer.traceback))
    elif answer.traceback:
        _row("traceback", "shown with --traceback")
    _row("alone", plain(answer.debug))


def _show_attempts(answer: Why) -> None:
    for attempt in answer.attempts:
        words = [f"{attempt.number}", str(attempt.status), attempt.started_at, duration(attempt.elapsed_s)]
        if attempt.peak_memory_mb is not None:
            words.append(f"peak {size(attempt.peak_memory_mb * 1e6)}")
        words += [word for word in (attempt.category, attempt.reason, attempt.signal) if word]
        _row("attempt", one_line("  ".join(words)))
    if not answer.attempts:
        _row("attempts", "none")


def _file(each: FileState) -> str:
    digest = f"  {each.recorded[:12]}" if each.recorded else ""
    state = coloured(each.state, "quiet" if each.state in ("as it was", "never read") else "trouble")
    return f"{one_line(each.name)}  {one_line(each.path)}{digest}  {state}"


def _show_facts(name: str, facts: object) -> None:
    """A fact, or a few under one name."""
    if isinstance(facts, Mapping):
        for at, (key, given) in enumerate(facts.items()):
            _row(name if at == 0 else "", one_line(f"{key} = {value(given)}"))
        if not facts:
            _row(name, "none")
    else:
        _row(name, value(facts))


def _row(name: str, text: str) -> None:
    first, *rest = text.splitlines() or [""]
    click.echo(f"  {coloured(f'{name:<12}', 'quiet')}{first}".rstrip())
    for line in rest:
        click.echo(f"{'':14}{line}")
