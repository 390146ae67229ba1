"""What a planner knows of the tasks of a batch, without running a user's file in its own process.

`resolve` answers for all tasks of a plan at once. Registered tasks are looked up here. All user tasks
(``file.py:function``) are described by one short child process, which imports their files and checks their
params; what they print goes nowhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from batchlab.engine._model import Json
from batchlab.engine._params import ParamProblem, check_params
from batchlab.engine._task import Surroundings, Task, find_task, is_user_task, load_user_task, split_user_task
from batchlab.engine._user_task import file_version
from batchlab.errors import ConfigError

DESCRIBE_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCard:
    """A task's declaration as plain data: all that planning needs of it."""

    name: str  # spectra.compare; for an undeclared function file.py:function, without its folder
    version: str
    inputs: tuple[str, ...]
    outputs: Mapping[str, str | None]  # output name -> default template; None: only where one is given
    libraries: tuple[str, ...]
    preload: tuple[str, ...]
    summary: str
    any_io: bool  # an undeclared function: its inputs and outputs are those that a job names
    optional_inputs: tuple[str, ...] = ()
    formats: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # output name -> how its name may end
    surroundings: Surroundings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedParams:
    """One params set, checked; `resolved` is None where there are problems."""

    resolved: Mapping[str, Json] | None
    problems: tuple[ParamProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What is known of one task: its card and its checked params, or an error."""

    card: TaskCard | None
    params: tuple[CheckedParams, ...] = ()  # in the order asked for; equal sets share one object
    error: str | None = None


@dataclass(slots=True)
class _Distinct:
    """Params sets with repeats folded away: a batch of 100,000 jobs often has one."""

    sets: list[Mapping[str, Json]] = field(default_factory=list)
    order: list[int] = field(default_factory=list)  # for each set asked for, its place in `sets`

    @classmethod
    def of(cls, params: Sequence[Mapping[str, Json]]) -> _Distinct:
        distinct = cls()
        by_id: dict[int, int] = {}
        by_text: dict[str, int] = {}
        for given in params:
            place = by_id.get(id(given))
            if place is None:
                text = json.dumps(given, sort_keys=True, default=_plain)
                place = by_text.setdefault(text, len(distinct.sets))
                if place == len(distinct.sets):
                    distinct.sets.append(given)
                by_id[id(given)] = place
            distinct.order.append(place)
        return distinct


def resolve(tasks: Mapping[str, Sequence[Mapping[str, Json]]]) -> dict[str, Resolved]:
    """Look up every task of a plan and check all its params sets.

    Parameters
    ----------
    tasks
        Task name to the params sets of its jobs. Equal sets are checked once.

    Returns
    -------
    dict
        Task name to what is known of it. A task that is not found, or whose file cannot be imported, has
        an `error` and no card; nothing is raised for it, so that all errors can be told together.

    Raises
    ------
    ConfigError
        If params hold what JSON cannot, or the child process fails as a whole.
    """
    try:
        distinct = {name: _Distinct.of(params) for name, params in tasks.items()}
    except (TypeError, ValueError) as error:
        raise ConfigError(f"params must be plain data, as JSON holds it: {error}") from error
    described = describe({name: each.sets for name, each in distinct.items() if is_user_task(name)})
    resolved = {}
    for name, each in distinct.items():
        found = described[name] if name in described else _look_up(name, each.sets)
        order = each.order if found.params else ()
        resolved[name] = Resolved(
            card=found.card, params=tuple(found.params[place] for place in order), error=found.error
        )
    return resolved


def card_of(task: Task) -> TaskCard:
    """The card of a task that is at hand."""
    user = is_user_task(task.name)
    path, function = split_user_task(task.name)
    return TaskCard(
        name=f"{path.name}:{function}" if user else task.name,
        version=task.version,
        inputs=task.inputs,
        outputs=dict(task.outputs),
        libraries=task.libraries,
        preload=task.preload,
        summary=task.summary,
        any_io=user,
        optional_inputs=task.optional_inputs,
        formats=dict(task.formats),
        surroundings=task.surroundings,
    )


def describe(
    tasks: Mapping[str, Sequence[Mapping[str, Json]]], *, timeout_s: float = DESCRIBE_TIMEOUT_S
) -> dict[str, Resolved]:
    """Describe user tasks in one child process, which is killed with its group when done or late.

    Parameters
    ----------
    tasks
        ``/folder/file.py:function`` to params sets.
    timeout_s
        How long importing all the files may take, in seconds.

    Returns
    -------
    dict
        Task name to what is known of it; see `resolve`.

    Raises
    ------
    ConfigError
        If the child process does not answer in time or dies.
    """
    if not tasks:
        return {}
    question = json.dumps({name: list(sets) for name, sets in tasks.items()}, default=_plain)
    paths = tuple(dict.fromkeys(split_user_task(name)[0] for name in tasks))
    state = (question, *(file_version(path) if path.is_file() else "" for path in paths))
    if state not in _last:
        answer = _ask(question, ", ".join(map(str, paths)), timeout_s)
        _last.clear()  # one is enough: a batch file is loaded, then planned
        _last[state] = answer
    return dict(_last[state])


_last: dict[tuple[str, ...], dict[str, Resolved]] = {}


def _ask(question: str, files: str, timeout_s: float) -> dict[str, Resolved]:
    """Put a question to a child process."""
    # Files and no pipes: a process that a user's file leaves behind can hold no pipe open.
    with (
        tempfile.TemporaryFile() as asked,
        tempfile.TemporaryFile() as told,
        tempfile.TemporaryFile() as errors,
    ):
        asked.write(question.encode())
        asked.seek(0)
        status = _run_child(asked, told, errors, timeout_s)
        told.seek(0)
        errors.seek(0)
        answer, complaint = told.read(), errors.read().decode("utf-8", "replace").strip()
    if status is None:
        raise ConfigError(
            f"importing {files} takes longer than {timeout_s:g} s; move work out of the file's top level "
            "into its functions"
        )
    if status != 0 or not answer:
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        last = f": {complaint.splitlines()[-1]}" if complaint else ""
        raise ConfigError(f"the process that imports {files} {how}{last}")
    return {name: _from_json(found) for name, found in json.loads(answer).items()}


def _run_child(asked: BinaryIO, told: BinaryIO, errors: BinaryIO, timeout_s: float) -> int | None:
    """Exit status of the describing process; None if it had to be killed for being late."""
    # The child finds what this process finds, but for the current folder, which changes no result.
    search = [str(Path(__file__).resolve().parents[2]), *filter(None, sys.path)]
    child = subprocess.Popen(
        [sys.executable, "-P", "-B", "-m", "batchlab.engine._describe", str(timeout_s)],
        stdin=asked,
        stdout=told,
        stderr=errors,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(search))},
        start_new_session=True,
    )
    try:
        return child.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _look_up(name: str, sets: Sequence[Mapping[str, Json]], *, user: bool = False) -> Resolved:
    try:
        task = load_user_task(name) if user else find_task(name)
    except ConfigError as error:
        return Resolved(card=None, error=str(error) + _line_of(error, name))
    checked = []
    for given in sets:
        resolved, problems = check_params(task, given)
        checked.append(CheckedParams(resolved=resolved, problems=problems))
    card = card_of(task)
    # A file's function stays in the process that imports the file.
    return Resolved(card=replace(card, surroundings=None) if user else card, params=tuple(checked))


def _line_of(error: ConfigError, name: str) -> str:
    """`` (line 7 of mytasks.py)``, where a user's own file raised."""
    cause = error.__cause__
    path = split_user_task(name)[0]
    if cause is None or isinstance(cause, SyntaxError) or not is_user_task(name):
        return ""
    frames = [frame for frame in traceback.extract_tb(cause.__traceback__) if frame.filename == str(path)]
    return f" (line {frames[-1].lineno} of {path.name})" if frames else ""


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"{type(value).__name__} is not plain data")


def _from_json(found: dict[str, Any]) -> Resolved:
    card = found["card"]
    return Resolved(
        card=None
        if card is None
        else TaskCard(
            name=card["name"],
            version=card["version"],
            inputs=tuple(card["inputs"]),
            outputs=card["outputs"],
            libraries=tuple(card["libraries"]),
            preload=tuple(card["preload"]),
            summary=card["summary"],
            any_io=card["any_io"],
            optional_inputs=tuple(card["optional_inputs"]),
            formats={output: tuple(endings) for output, endings in card["formats"].items()},
        ),
        params=tuple(
            CheckedParams(
                resolved=checked["resolved"],
                problems=tuple(
                    ParamProblem(path=tuple(problem["path"]), message=problem["message"], key=problem["key"])
                    for problem in checked["problems"]
                ),
            )
            for checked in found["params"]
        ),
        error=found["error"],
    )


def _describe_here(question: Mapping[str, Sequence[Mapping[str, Json]]]) -> dict[str, Any]:
    answer = {}
    for name, sets in question.items():
        try:
            found = _look_up(name, sets, user=True)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's file may do anything on import
            found = Resolved(card=None, error=f"{name} cannot be described: {type(error).__name__}: {error}")
        answer[name] = asdict(found)
    return answer


def _main() -> None:
    """Answer one question from stdin on stdout; whatever a user's file prints is dropped."""
    signal.alarm(int(float(sys.argv[1])) + 5)  # a planner that was killed leaves nobody to end this one
    question = json.load(sys.stdin)
    reply = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    with reply:
        json.dump(_describe_here(question), reply, default=_plain)
        reply.flush()
        os._exit(0)  # threads and exit handlers of a user's file get no say


if __name__ == "__main__":
    _main()
