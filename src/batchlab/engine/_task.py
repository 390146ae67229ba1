"""Tasks: registered plain functions, and how a name finds its function.

A task is found by entry point (group ``batchlab.tasks``, one entry per task, the entry's name being the
task's) or as ``file.py:function`` beside a batch file. Looking a task up imports its `tasks` module and no
science; see `describe` for what a planner may know of a user's file without running it here.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from batchlab.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import BaseModel

TASK_GROUP = "batchlab.tasks"
_MARK = "__batchlab_task__"
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")

F = TypeVar("F", bound=Callable[..., Any])
# From a job's params and the files of each of its inputs to what else its result depends on, name to state.
Surroundings = Callable[[Mapping[str, Any], Mapping[str, tuple[str, ...]]], Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What the engine knows of a task: its declaration and its function."""

    name: str
    function: Callable[..., Any]
    version: str
    params: type[BaseModel] | None
    inputs: tuple[str, ...]
    outputs: Mapping[str, str | None]  # output name -> default template of its path; None: only where one is given
    libraries: tuple[str, ...]  # distributions whose versions are part of the key
    preload: tuple[str, ...]  # modules worth importing before the first job
    summary: str
    optional_inputs: tuple[str, ...] = ()  # inputs that a job may leave out
    formats: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # output name -> how its name may end
    surroundings: Surroundings | None = None


def task(
    *,
    name: str,
    version: str,
    params: type[BaseModel] | None = None,
    inputs: tuple[str, ...] = (),
    outputs: Mapping[str, str | None] | None = None,
    libraries: tuple[str, ...] = (),
    preload: tuple[str, ...] = (),
    optional_inputs: tuple[str, ...] = (),
    formats: Mapping[str, tuple[str, ...]] | None = None,
    surroundings: Surroundings | None = None,
) -> Callable[[F], F]:
    """Declare a plain function as a task; the function itself stays as it is.

    Parameters
    ----------
    name
        Domain and verb, such as ``spectra.compare``.
    version
        Raised whenever the same input may give another result: finished work is then done anew.
    params
        A pydantic model; it should forbid extra keys, so that a misspelt one is told.
    inputs
        Names of the inputs a job must give.
    outputs
        Output name to default path template, relative to the output root. A template that ends in ``/``
        is a folder for any number of files. An output without a template is made only where a job gives one.
    libraries
        Distributions whose versions change results.
    preload
        Modules that a worker imports ahead of its first job; if there are any, the task's own as well.
    optional_inputs
        Names of inputs that a job may give or leave out; the task asks `ctx.given`.
    formats
        Output name to the endings that its file may have, such as ``(".png", ".pdf")``; others are told in the plan.
    surroundings
        What a result depends on beside params and inputs, such as a person's settings for a file: called for each job
        while it is planned, with its params and the paths of each input's files, it gives names to short texts. They
        are part of the key, and a name is told where its text is another: ``the pinned plan of a.txt`` has changed.
        It should be quick and import little. It is asked of installed tasks alone.
    """

    def declare(function: F) -> F:
        if not _NAME.fullmatch(name):
            raise ConfigError(f"task name {name!r}: write domain.verb in small letters, as in spectra.compare")
        setattr(
            function,
            _MARK,
            Task(
                name=name,
                function=function,
                version=version,
                params=params,
                inputs=tuple(inputs),
                outputs=dict(outputs or {}),
                libraries=tuple(libraries),
                preload=tuple(preload),
                summary=(function.__doc__ or "").strip().split("\n")[0],
                optional_inputs=tuple(optional_inputs),
                formats={output: tuple(endings) for output, endings in (formats or {}).items()},
                surroundings=surroundings,
            ),
        )
        return function

    return declare


def is_user_task(name: str) -> bool:
    """True of ``file.py:function``, false of ``spectra.compare``."""
    return ":" in name


def split_user_task(name: str) -> tuple[Path, str]:
    """``/folder/file.py:function`` as its two parts."""
    file, _, function = name.rpartition(":")
    return Path(file), function


@cache
def _entry_points() -> Mapping[str, importlib.metadata.EntryPoint]:
    return {entry.name: entry for entry in importlib.metadata.entry_points(group=TASK_GROUP)}


def task_names() -> tuple[str, ...]:
    """Names of all installed tasks, sorted, without importing any."""
    return tuple(sorted(_entry_points()))


@cache
def find_task(name: str) -> Task:
    """The task of this name; imports the module that declares it.

    Raises
    ------
    ConfigError
        If there is none, or its module cannot be imported.
    """
    if is_user_task(name):
        return load_user_task(name)
    entry = _entry_points().get(name)
    if entry is None:
        raise ConfigError(f"no task is called {name!r}{suggestion(name, task_names())}")
    try:
        found = getattr(entry.load(), _MARK, None)
    except Exception as error:
        raise ConfigError(
            f"task {name!r} is installed but cannot be imported: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(found, Task):
        raise ConfigError(f"task {name!r}: {entry.value} is not declared with @task")
    return found


def load_user_task(name: str) -> Task:
    """Import ``file.py:function`` in this process; workers do this, planners ask `describe`."""
    path, function_name = split_user_task(name)
    module = _load_file(path)
    function = getattr(module, function_name, None)
    if not callable(function):
        public = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
        raise ConfigError(f"{path} has no function {function_name!r}{suggestion(function_name, public)}")
    declared = getattr(function, _MARK, None)
    if isinstance(declared, Task):
        return declared
    from batchlab.engine._user_task import task_of_function

    return task_of_function(name, path, function)


def _load_file(path: Path) -> ModuleType:
    """Import a file under a name of its own; the files beside it can be imported, too."""
    spec = importlib.util.spec_from_file_location(f"batchlab_user_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ConfigError(f"{path}: no such Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # last: a numbers.py beside it must not stand in for Python's own
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    return module


def suggestion(word: str, known: tuple[str, ...] | list[str], above: str = "") -> str:
    """``; did you mean 'x'?`` with the nearest known word, or the list of them, or nothing; `above` is put ahead.

    Of ``window`` both ``window_points`` and ``window_width`` are near: words that it begins are named together.
    """
    from difflib import get_close_matches

    begun = sorted({each for each in known if each.startswith(f"{word}_")})
    near = begun if 1 < len(begun) <= 3 else get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {' or '.join(repr(above + each) for each in near)}?"
    return f"; known are {', '.join(repr(above + each) for each in sorted(known))}" if 0 < len(known) <= 12 else ""
