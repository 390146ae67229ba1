"""One attempt, run where the task's code may run: in a worker, or inline."""

from __future__ import annotations

import importlib.metadata
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeAlias

from batchlab.engine._classify import failure_of
from batchlab.engine._context import JobContext, Tell
from batchlab.engine._digest import canonical, file_digest, member_digest, member_stat, remembered_stat, stat_of
from batchlab.engine._events import Attempt, Done, Failed, Result, Stat
from batchlab.engine._model import Failure, Output, Scalar
from batchlab.engine._params import load_params
from batchlab.engine._procs import PeakMemory
from batchlab.engine._task import Task, find_task
from batchlab.errors import Category, ConfigError, DataError, JobError

_QUIET = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)


def execute(
    attempt: Attempt,
    *,
    cache: dict[str, Any],
    tell: Tell,
    cancelled: Callable[[], bool],
    peak: PeakMemory,
    hear: Hear,
) -> Done | Failed:
    """Run the attempt's task; whatever the task does, the answer is one terminal event.

    Parameters
    ----------
    attempt
        What to run.
    cache
        Lives longer than the attempt.
    tell
        Takes what happens meanwhile.
    cancelled
        Whether the attempt is asked to stop.
    peak
        Watches this process's memory.
    hear
        Makes Python's warnings those of the job while it runs: `hear_here`, or what a worker has ready.

    A KeyboardInterrupt goes through: inline it is the user's, in a worker nobody sends it.
    """
    peak.reset()
    cpu_began = time.process_time()
    began = time.perf_counter()
    context: JobContext | None = None
    digests: dict[str, tuple[Stat, str]] = {}
    metrics: Mapping[str, Scalar] = {}
    outputs: tuple[Output, ...] = ()
    failure: Failure | None = None
    try:
        task = find_task(attempt.task)
        digests = _digest_inputs(attempt) if attempt.inputs else {}
        params = load_params(task, attempt.params)
        context = JobContext(
            attempt,
            cache=cache,
            tell=tell,
            cancelled=cancelled,
            provenance=partial(_provenance, attempt, task, digests),
        )
        began = time.perf_counter()
        with hear(context.warn):
            returned = task.function(context) if params is None else task.function(context, params)
        if context.gave_up:
            raise JobError("the job was asked to stop, and did", category=Category.CANCELLED)
        metrics = check_metrics(returned)
        outputs = _list_outputs(context, attempt)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a task may raise anything; all of it is told
        failure = failure_of(_with_extra(error, attempt.task), stage=context.current_stage if context else None)
        if context is not None and context.gave_up:
            failure = replace(failure, category=Category.CANCELLED, reason=None)
    changed = _changed_input(digests) if digests else None
    if changed is not None:
        failure = Failure(
            category=Category.INVALID_INPUT,
            reason="input-changed",
            message=f"{changed} changed while the job read it; the result was thrown away",
        )
    result = _result(context, began, cpu_began, peak, digests)
    if failure is not None:
        return Failed(attempt=attempt.id, failure=failure, result=result)
    thumbnail = context._thumbnail if context is not None else None
    return Done(
        attempt=attempt.id,
        metrics=metrics,
        outputs=outputs,
        left={output.name: context.left(output.name) for output in outputs} if context else {},
        thumbnail=str(thumbnail) if thumbnail is not None and thumbnail.exists() else None,
        result=result,
    )


def _with_extra(error: BaseException, task: str) -> BaseException:
    """Name the extra to install where a domain's library is absent."""
    if not isinstance(error, ModuleNotFoundError) or ":" in task:
        return error
    extra = f"batchlab[{task.split('.', 1)[0]}]"
    told = ConfigError(f"{task} needs {error.name}, which is not installed: pip install '{extra}'")
    told.reason = "missing-library"
    told.__cause__ = error
    return told


def _result(
    context: JobContext | None,
    began: float,
    cpu_began: float,
    peak: PeakMemory,
    digests: Mapping[str, tuple[Stat, str]],
) -> Result:
    ended = time.perf_counter()
    if context is not None:
        context._close_stage()
    return Result(
        items=tuple(context._items.values()) if context else (),
        warnings=tuple(context._warnings) if context else (),
        stages=context._stages if context else {},
        elapsed_s=ended - began,
        cpu_s=time.process_time() - cpu_began,
        peak_memory_bytes=peak.bytes(),
        scratch=context is not None and context.used_scratch,
        digests={path: (remembered_stat(stat), digest) for path, (stat, digest) in digests.items()},
    )


# inputs


def _input_paths(attempt: Attempt) -> Iterator[tuple[str, bool]]:
    """Every input file, and whether it is one of many: a bad one of those costs its item, not the job."""
    for value in attempt.inputs.values():
        if isinstance(value, str):
            yield value, False
        else:
            for member in value:
                if isinstance(member, str):
                    yield member, True
                else:
                    yield from ((path, False) for path in member.outputs.values())


def _digest_inputs(attempt: Attempt) -> dict[str, tuple[Stat, str]]:
    """Stat and digest of every input file, digests known for the same stat taken over."""
    found: dict[str, tuple[Stat, str]] = {}
    for path, of_many in _input_paths(attempt):
        if path in found:
            continue
        try:
            stat = member_stat(path) if of_many else stat_of(path)
            known = attempt.digests.get(path)
            if known is not None and known[0] == stat:
                digest = known[1]
            else:
                digest = member_digest(path) if of_many else file_digest(path)
        except FileNotFoundError:
            hint = "; [ ] is no pattern: write * for any text, ? for one sign" if "[" in str(path) else ""
            raise DataError(
                f"{path}: no such file{hint}", category=Category.MISSING_INPUT, reason="not-found"
            ) from None
        except IsADirectoryError:
            raise DataError(f"{path} is a folder, not a file", reason="not-a-file") from None
        except PermissionError:
            raise DataError(f"{path} may not be read: check its permissions", reason="unreadable") from None
        found[path] = (stat, digest)
    return found


def _changed_input(digests: Mapping[str, tuple[Stat, str]]) -> str | None:
    """The first input whose content is no longer what it was."""
    for path, (stat, digest) in digests.items():
        try:
            now = member_stat(path)
            if now != stat and member_digest(path) != digest:
                return path
        except OSError:
            return path
    return None


# results


def check_metrics(returned: object) -> Mapping[str, Scalar]:
    """The task's answer as a flat mapping of plain numbers, texts and booleans.

    Raises
    ------
    JobError
        With reason ``bad-metric``, naming the metric.
    """
    if returned is None:
        return {}
    if not isinstance(returned, Mapping):
        raise JobError(
            f"the task returned {_article(returned)}; return a mapping of metric names to numbers",
            reason="bad-metric",
        )
    return {_metric_name(name): _scalar(name, value) for name, value in returned.items()}


def _metric_name(name: object) -> str:
    if not isinstance(name, str):
        raise JobError(f"metric name {name!r} is not a text", reason="bad-metric")
    return name


def _scalar(name: str, value: object) -> Scalar:
    if value is None or type(value) in (bool, int, float, str):
        return value  # type: ignore[return-value]
    item = getattr(value, "item", None)  # numpy's scalars, without importing numpy
    if callable(item) and getattr(value, "shape", None) == ():
        plain = item()
        if isinstance(plain, bool | int | float | str):
            return plain
    for kind in (bool, int, float, str):  # subclasses, such as members of an IntEnum
        if isinstance(value, kind):
            return kind(value)
    raise JobError(
        f"metric {name!r} is {_article(value)}; metrics are numbers, texts and booleans: "
        "write anything larger to an output",
        reason="bad-metric",
    )


def _article(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _list_outputs(context: JobContext, attempt: Attempt) -> tuple[Output, ...]:
    """Sync and list what the task wrote; every output that the batch wants must be there."""
    listed: list[Output] = []
    for name, target in attempt.outputs.items():
        made = context._made.get(name)
        if made is None or not made.exists():
            raise JobError(
                f"the task did not write its output {name!r}; write it to ctx.output({name!r}), or leave it "
                f"out of the batch with outputs: {{{name}: null}}",
                category=Category.OUTPUT,
                reason="missing-output",
            )
        if name not in context._folders:
            listed.append(_seal(name, made, target, durable=attempt.durable))
            continue
        for folder, folders, files in os.walk(made):
            folders.sort()
            for file in sorted(files):
                path = Path(folder) / file
                inner = path.relative_to(made).as_posix()
                path_name = f"{name}/{inner}"
                listed.append(_seal(path_name, path, f"{target.rstrip('/')}/{inner}", durable=attempt.durable))
    return tuple(listed)


def _seal(name: str, made: Path, target: str, *, durable: bool) -> Output:
    if made.is_symlink() or not made.is_file():
        raise JobError(
            f"output {name!r} is not a regular file; links and devices are not taken over",
            category=Category.OUTPUT,
            reason="not-a-file",
        )
    digest = file_digest(str(made))
    if durable:
        descriptor = os.open(made, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return Output(name=name, path=target, digest=digest, bytes=made.stat().st_size)


# provenance and warnings


def _provenance(attempt: Attempt, task: Task, digests: Mapping[str, tuple[Stat, str]]) -> Mapping[str, str]:
    inputs = {
        name: [
            {"file": os.path.basename(path), "blake2b": digests[path][1]}
            for path in ([value] if isinstance(value, str) else [v for v in value if isinstance(v, str)])
        ]
        for name, value in attempt.inputs.items()
    }
    return {
        **attempt.provenance,
        "job": attempt.job,
        "task": attempt.task if ":" not in attempt.task else os.path.basename(attempt.task),
        "task_version": task.version,
        "params": canonical(dict(attempt.params)),
        "inputs": canonical(inputs),
        "versions": canonical(library_versions(task.libraries)),
    }


def library_versions(names: tuple[str, ...]) -> dict[str, str]:
    """Installed version of each distribution; ``absent`` where there is none."""
    return {name: _version(name) for name in names}


@cache
def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


Hear: TypeAlias = Callable[[Callable[[str], None]], AbstractContextManager[None]]


def quiet_filters() -> None:
    """Let every warning through but those meant for programmers; each job hears all of its own."""
    warnings.simplefilter("always")
    for quiet in _QUIET:
        warnings.simplefilter("ignore", quiet)


@contextmanager
def hear_here(warn: Callable[[str], None]) -> Iterator[None]:
    """Python's warnings go to `warn`; everything is put back as it was."""
    with warnings.catch_warnings():
        quiet_filters()
        warnings.showwarning = lambda message, category, *_: warn(f"{category.__name__}: {message}")
        yield


class Ear:
    """The same for a process of our own, where filters are set once."""

    def __init__(self) -> None:
        self._warn: Callable[[str], None] | None = None
        quiet_filters()
        self._filters = list(warnings.filters)

    def _show(self, message: Warning | str, category: type[Warning], *_: object) -> None:
        if self._warn is not None:
            self._warn(f"{category.__name__}: {message}")

    def __call__(self, warn: Callable[[str], None]) -> Ear:
        """Listen for one job."""
        self._warn = warn
        return self

    def __enter__(self) -> None:
        """Put back what an earlier job may have changed."""
        warnings.showwarning = self._show  # type: ignore[assignment]
        if warnings.filters != self._filters:
            warnings.resetwarnings()
            quiet_filters()

    def __exit__(self, *_: object) -> None:
        """The job is over."""
        self._warn = None
