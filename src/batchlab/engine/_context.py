"""What a running task sees of the engine."""

from __future__ import annotations

import logging
import os
import posixpath
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

from batchlab.engine._classify import failure_of
from batchlab.engine._digest import text_digest
from batchlab.engine._events import Attempt, Member
from batchlab.engine._model import Item, Status
from batchlab.engine._task import suggestion
from batchlab.errors import Category, JobError

MAX_WARNINGS = 50

Tell = Callable[[tuple[Any, ...]], None]


class _Stage:
    """Entered when made; leaving it as a context manager goes back to the stage before."""

    def __init__(self, context: JobContext, name: str) -> None:
        self._context = context
        self._before = context.current_stage
        context._enter_stage(name)

    def __enter__(self) -> _Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:  # a failure keeps the stage it happened in
            self._context._enter_stage(self._before)


class JobContext:
    """A task's inputs, outputs and voice, for one attempt.

    Attributes
    ----------
    job : str
        The job's name.
    cache : dict
        Lives as long as the worker; for what several jobs share. Never changes a result.
    log : logging.Logger
        Goes to the job's log.
    provenance : mapping of str to str
        How this result comes about, for the metadata of pictures and tables.
    """

    def __init__(
        self,
        attempt: Attempt,
        *,
        cache: dict[str, Any],
        tell: Tell,
        cancelled: Callable[[], bool],
        provenance: Callable[[], Mapping[str, str]],
    ) -> None:
        self.job = attempt.job
        self.cache = cache
        self.log = logging.getLogger("batchlab.job")
        self._make_provenance = provenance
        self.current_stage: str | None = None
        self.gave_up = False
        self.used_scratch = False
        self._attempt = attempt
        self._tell = tell
        self._cancelled = cancelled
        self._made: dict[str, Path] = {}  # output name -> path in scratch
        self._folders: set[str] = set()
        self._thumbnail: Path | None = None
        self._warnings: dict[str, None] = {}
        self._items: dict[str, Item] = {}
        self._stages: dict[str, float] = {}
        self._stage_began = 0.0

    @property
    def provenance(self) -> Mapping[str, str]:
        """How this result comes about, as texts."""
        return self._make_provenance()

    @property
    def seed(self) -> int:
        """A seed for random numbers: the same for the same job, on whatever worker and in whatever order."""
        return int(text_digest(self.job)[:8], 16)

    # inputs

    def input(self, name: str) -> Path:
        """The one file of this input."""
        value = self._input(name)
        if not isinstance(value, str):
            raise JobError(
                f"input {name!r} takes one file and was given a list of {len(value)}; for a job each write "
                f"a pattern in "
                f"the batch file, such as {name}: data/*.txt (a task that takes many asks ctx.inputs)",
                category=Category.INVALID_INPUT,
                reason="many-files",
            )
        return Path(value)

    def given(self, name: str) -> bool:
        """Whether the job has this input; an optional one may be left out."""
        return name in self._attempt.inputs

    def inputs(self, name: str) -> tuple[Path, ...]:
        """All files of this input, in order."""
        value = self._input(name)
        if isinstance(value, str):
            return (Path(value),)
        paths = (Path(v) for v in value if isinstance(v, str))
        return tuple(p for p in paths if not {str(p), p.name, p.stem} & self._attempt.skip_items)

    def gathered(self, name: str) -> tuple[Member, ...]:
        """Outputs and metrics of the earlier jobs that this input gathers."""
        value = self._input(name)
        return () if isinstance(value, str) else tuple(v for v in value if isinstance(v, Member))

    def _input(self, name: str) -> Any:
        try:
            return self._attempt.inputs[name]
        except KeyError:
            near = suggestion(name, list(self._attempt.inputs))
            raise JobError(f"the job has no input {name!r}{near}", reason="no-such-input") from None

    # outputs

    def wanted(self, name: str) -> bool:
        """Whether the batch asks for this output; those it does not ask for may be left out."""
        return name in self._attempt.outputs

    def output(self, name: str) -> Path:
        """Where to write this output; it appears under its real name only when the job is done."""
        return self._place(name, folder=False)

    def output_dir(self, name: str) -> Path:
        """A folder for any number of files; all of them are listed as outputs."""
        return self._place(name, folder=True)

    def _place(self, name: str, *, folder: bool) -> Path:
        if name in self._made:
            return self._made[name]
        if name not in self._attempt.outputs:
            near = suggestion(name, list(self._attempt.outputs))
            raise JobError(
                f"output {name!r} is not one this job may write{near}",
                category=Category.OUTPUT,
                reason="undeclared-output",
            )
        base = self._attempt.outputs[name].rstrip("/").rsplit("/", 1)[-1]
        path = self._scratch() / base
        if any(path == other for other in self._made.values()):
            path = self._scratch() / f"{len(self._made)}" / base
            path.parent.mkdir()
        if folder:
            path.mkdir()
            self._folders.add(name)
        self._made[name] = path
        return path

    def link(self, name: str, to: str) -> str:
        """The address of an output as a page that is another one writes it: relative, with its signs encoded."""
        missing = next((each for each in (name, to.partition("/")[0]) if each not in self._attempt.outputs), None)
        if missing is not None:
            raise JobError(
                f"output {missing!r} is not one this job may write{suggestion(missing, list(self._attempt.outputs))}",
                category=Category.OUTPUT,
                reason="undeclared-output",
            )
        base, _, inner = to.partition("/")
        target = self._attempt.outputs[base].rstrip("/") + (f"/{inner}" if inner else "")
        return quote(posixpath.relpath(target, posixpath.dirname(self._attempt.outputs[name])))

    def left(self, name: str) -> str:
        """Where an output lies in scratch; "figures/a.png" is the file a.png of the output figures."""
        base, _, inner = name.partition("/")
        path = self._made[base].relative_to(self._attempt.scratch).as_posix()
        return f"{path}/{inner}" if inner else path

    def thumbnail(self) -> Path | None:
        """Where to write a small PNG for the report, or None if none is wanted."""
        if self._attempt.thumbnail and self._thumbnail is None:
            self._thumbnail = self._scratch() / ".thumbnail.png"
        return self._thumbnail

    @property
    def scratch(self) -> Path:
        """A folder for what need not last; it is removed after the job."""
        folder = self._scratch() / ".scratch"
        folder.mkdir(exist_ok=True)
        return folder

    def _scratch(self) -> Path:
        folder = Path(self._attempt.scratch)
        if not self.used_scratch:
            os.makedirs(folder, exist_ok=True)
            self.used_scratch = True
        return folder

    # voice

    def stage(self, name: str) -> _Stage:
        """Say what the task does now; a plain call, or ``with ctx.stage(name):``."""
        return _Stage(self, name)

    def _enter_stage(self, name: str | None) -> None:
        self._close_stage()
        self.current_stage = name
        self._tell(("stage", self._attempt.id, name or ""))

    def _close_stage(self) -> None:
        now = time.perf_counter()
        if self.current_stage is not None:
            spent = self._stages.get(self.current_stage, 0.0)
            self._stages[self.current_stage] = spent + now - self._stage_began
        self._stage_began = now

    def warn(self, text: str) -> None:
        """Tell something that does not end the job; it stands in the report. Equal texts count once."""
        if text not in self._warnings and len(self._warnings) < MAX_WARNINGS:
            self._warnings[text] = None
            self._tell(("warn", self._attempt.id, text))

    @contextmanager
    def item(self, name: str) -> Iterator[None]:
        """One file's share of the work: an error inside is this item's, and the job goes on.

        An item that ended an earlier attempt by a crash or by running too long is no longer among `inputs`;
        where names do not come from inputs, ask `left_out`.
        """
        self._tell(("item", self._attempt.id, name))
        try:
            yield
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it costs this item alone
            failure = failure_of(error)
            self._items[name] = Item(
                name=name,
                status=Status.FAILED,
                category=failure.category,
                reason=failure.reason,
                message=failure.message,
            )
            self.log.warning("item %s failed: %s", name, failure.message)
        else:
            self._items.setdefault(name, Item(name=name, status=Status.DONE))

    def left_out(self, name: str) -> bool:
        """True of an item that killed an earlier attempt of this job."""
        return name in self._attempt.skip_items

    @property
    def cancelled(self) -> bool:
        """True once somebody asked this job to stop; a long loop should look now and then.

        A task that has seen it may return at once: whatever it returns is thrown away.
        """
        if not self.gave_up and self._cancelled():
            self.gave_up = True
        return self.gave_up
