"""``batchlab why``: of a job, or of a picture."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path

import click

from batchlab.cli._errors import DONE
from batchlab.cli._options import FOLDER, json_option
from batchlab.cli._running import print_json
from batchlab.cli._screen import coloured
from batchlab.cli._status import KINDS
from batchlab.cli._summary import job_to_ask_about
from batchlab.cli._words import duration, failure_word, moment, one_line, plain, size, task_word, value
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
NAME_WIDTH = 12
_TABLE_MARK = "# provenance: "


@click.command()
@click.argument("target", metavar="DIR [JOB] | FILE", type=FOLDER)
@click.argument("job", required=False, metavar="")
@click.option("--traceback", is_flag=True, help="Show the traceback of the job's failure.")
@json_option
def why(target: Path, job: str | None, traceback: bool, as_json: bool) -> int:
    """Say why a job stands as it does, or how a picture or a table was made.

    DIR JOB: the job's state, why it would run again or would not, its inputs and whether they have changed, its params,
    attempts, log, and how to run it alone. DIR: the same of a job that failed, or else of the first. FILE: what a
    picture or a table says of itself; and the job's answer, where the file lies in an output folder.
    """
    if job is None and not target.is_dir():
        return _why_file(target, traceback=traceback, as_json=as_json)
    if job is None:
        job = _one_of(target)
    answer = ask_why(target, job)
    if as_json:
        print_json(answer.as_json())
    else:
        show_why(answer, traceback=traceback)
    return DONE


def _one_of(folder: Path) -> str:
    """The job that is shown where none is named, and how to name another."""
    job = job_to_ask_about(read_view(folder))
    if job is None:
        raise click.UsageError(f"the batch in {one_line(folder)} has no jobs")
    jobs = f"batchlab status {shlex.quote(str(folder))} --jobs"
    click.echo(f"no job is named, so this is {one_line(job)}; `{plain(jobs)}` lists all", err=True)
    return job


def _why_file(path: Path, *, traceback: bool, as_json: bool) -> int:
    """A picture or a table tells by itself; any output that a ledger knows is told by that."""
    view = _batch_around(path)
    maker = _maker(view, path) if view is not None else None
    provenance: Mapping[str, object] | None = None
    try:
        provenance = _provenance(path)
    except DataError as error:
        if maker is None:
            if error.reason != "not-a-picture":
                raise
            raise DataError(
                f"{one_line(path)} is no picture, nor a table that tells how it was made, and no batch around it made "
                "it; name an output, or a job as in batchlab why DIR JOB",
                reason="not-a-picture",
            ) from error
    answer = ask_why(Path(view.root), maker) if view is not None and maker is not None else None
    if as_json:
        print_json({"file": str(path), "provenance": provenance, "why": answer.as_json() if answer else None})
        return DONE
    if provenance is not None:
        click.echo(click.style(one_line(path), bold=True))
        _show_provenance(provenance)
    if answer is not None:
        if provenance is not None:
            click.echo()
        show_why(answer, traceback=traceback)
    return DONE


def _provenance(path: Path) -> Mapping[str, object]:
    """What a picture's metadata, or the first lines of a table, say of how it was made."""
    from batchlab.figures import read_provenance

    told = _head_of_table(path) if path.suffix.lower() == ".csv" else None
    return {name: _parsed(text) for name, text in (read_provenance(path) if told is None else told).items()}


def _head_of_table(path: Path) -> Mapping[str, object] | None:
    """The provenance in the lines with ``#`` that a table begins with; None where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                if not line.startswith("#"):
                    break
                if line.startswith(_TABLE_MARK):
                    found = json.loads(line.removeprefix(_TABLE_MARK))
                    return found if isinstance(found, dict) and found else None
    except (OSError, ValueError):  # what reads pictures names what is wrong with the file
        return None
    return None


def _show_provenance(provenance: Mapping[str, object]) -> None:
    width = max((len(name) for name in provenance), default=0) + 2
    for name, told in provenance.items():
        rows = _file_rows(told) if name == "inputs" else None
        if rows is None:
            _show_facts(name, told, width)
            continue
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
        for at, row in enumerate(rows):
            cells = (f"{cell:<{wide}}" for cell, wide in zip(row, widths, strict=True))
            _row(name if at == 0 else "", "  ".join(cells).rstrip(), width)


def _file_rows(inputs: object) -> list[tuple[str, str, str]] | None:
    """Input, file and the start of its digest; None if the inputs have another shape."""
    rows = []
    for name, files in inputs.items() if isinstance(inputs, Mapping) else ():
        for file in files if isinstance(files, list) else ():
            if not isinstance(file, Mapping) or "file" not in file:
                return None
            rows.append((one_line(name), one_line(file["file"]), one_line(file.get("blake2b", ""))[:12]))
    return rows or None


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


def _parsed(text: object) -> object:
    if not isinstance(text, str) or not text.startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def show_why(answer: Why, *, traceback: bool = False) -> None:
    """Print a job's answer to stdout."""
    state = coloured(str(answer.state), KINDS.get(answer.state, "trouble"))
    click.echo(f"{click.style(one_line(answer.job), bold=True)}  {state}  {task_word(answer.task)}")
    if answer.message or answer.category:
        told = failure_word(answer.category, answer.reason, answer.message) if answer.category else answer.message
        _row("because", plain(told))
    if answer.culprit is not None:
        c = answer.culprit
        told = f": {failure_word(c.category, c.reason, c.message)}" if c.category else ""
        _row("blocked by", one_line(f"{c.job}, {c.state}{told}"))
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
        _row("", one_line(f"{item.name}: {failure_word(item.category, item.reason, item.message)}"))
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
        words = [f"{attempt.number}", str(attempt.status), moment(attempt.started_at), duration(attempt.elapsed_s)]
        if attempt.peak_memory_mb is not None:
            words.append(f"peak {size(attempt.peak_memory_mb * 1e6)}")
        words += dict.fromkeys(word for word in (attempt.category, attempt.reason, attempt.signal) if word)
        _row("attempt", one_line("  ".join(words)))
    if not answer.attempts:
        _row("attempts", "none")


def _file(each: FileState) -> str:
    digest = f"  {each.recorded[:12]}" if each.recorded else ""
    state = coloured(each.state, "trouble" if each.state in ("changed", "gone") else "quiet")
    return f"{one_line(each.name)}  {one_line(each.path)}{digest}  {state}"


def _show_facts(name: str, facts: object, width: int = NAME_WIDTH) -> None:
    """A fact, or a few under one name."""
    if isinstance(facts, Mapping):
        for at, (key, given) in enumerate(facts.items()):
            _row(name if at == 0 else "", one_line(f"{key} = {value(given)}"), width)
        if not facts:
            _row(name, "none", width)
    else:
        _row(name, value(facts), width)


def _row(name: str, text: str, width: int = NAME_WIDTH) -> None:
    first, *rest = text.splitlines() or [""]
    click.echo(f"  {coloured(f'{name:<{width}}', 'quiet')}{first}".rstrip())
    for line in rest:
        click.echo(f"{'':{width + 2}}{line}")
