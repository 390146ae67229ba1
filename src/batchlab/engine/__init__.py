"""The engine: plan, run and remember jobs. It knows no domain.

A name is imported when it is first asked for: what declares a task loads neither planner nor runner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchlab._lazy import lazy_names

if TYPE_CHECKING:
    from batchlab.engine._commands import Ask, Command, drop_command
    from batchlab.engine._context import JobContext
    from batchlab.engine._debug import Rehearsal, rehearse
    from batchlab.engine._describe import CheckedParams, Resolved, TaskCard, card_of, describe, resolve
    from batchlab.engine._events import Attempt, Done, Event, Executor, Failed, Lost, Member
    from batchlab.engine._history import read_history
    from batchlab.engine._inline import InlineExecutor
    from batchlab.engine._model import (
        Batch,
        BatchState,
        Conflict,
        Durability,
        Failure,
        From,
        Gather,
        Input,
        Item,
        Job,
        Json,
        Limits,
        Outcome,
        Output,
        Scalar,
        Settings,
        Status,
    )
    from batchlab.engine._names import check_template, collision_key, render_template, slug, template_fields
    from batchlab.engine._notice import Listener, Notice
    from batchlab.engine._params import ParamProblem, check_params
    from batchlab.engine._place import Place
    from batchlab.engine._plan import Plan, PlannedJob, Verdict, plan
    from batchlab.engine._pool import LocalPool
    from batchlab.engine._progress import Eta, Progress, fold, follow
    from batchlab.engine._run import RunResult, inline, load_batch, run
    from batchlab.engine._status import find_job, outputs_in, read_view, recorded_job, status_json, traceback_of
    from batchlab.engine._task import Task, find_task, is_user_task, task, task_names
    from batchlab.engine._view import AttemptView, BatchView, JobView, RunView
    from batchlab.engine._why import FileState, Why, why

_HOMES = {
    "_commands": (
        "Ask",
        "Command",
        "drop_command",
    ),
    "_context": ("JobContext",),
    "_debug": (
        "Rehearsal",
        "rehearse",
    ),
    "_describe": (
        "CheckedParams",
        "Resolved",
        "TaskCard",
        "card_of",
        "describe",
        "resolve",
    ),
    "_events": (
        "Attempt",
        "Done",
        "Event",
        "Executor",
        "Failed",
        "Lost",
        "Member",
    ),
    "_history": ("read_history",),
    "_inline": ("InlineExecutor",),
    "_model": (
        "Batch",
        "BatchState",
        "Conflict",
        "Durability",
        "Failure",
        "From",
        "Gather",
        "Input",
        "Item",
        "Job",
        "Json",
        "Limits",
        "Outcome",
        "Output",
        "Scalar",
        "Settings",
        "Status",
    ),
    "_names": (
        "check_template",
        "collision_key",
        "render_template",
        "slug",
        "template_fields",
    ),
    "_notice": (
        "Listener",
        "Notice",
    ),
    "_params": (
        "ParamProblem",
        "check_params",
    ),
    "_place": ("Place",),
    "_plan": (
        "Plan",
        "PlannedJob",
        "Verdict",
        "plan",
    ),
    "_pool": ("LocalPool",),
    "_progress": (
        "Eta",
        "Progress",
        "fold",
        "follow",
    ),
    "_run": (
        "RunResult",
        "inline",
        "load_batch",
        "run",
    ),
    "_status": (
        "find_job",
        "outputs_in",
        "read_view",
        "recorded_job",
        "status_json",
        "traceback_of",
    ),
    "_task": (
        "Task",
        "find_task",
        "is_user_task",
        "task",
        "task_names",
    ),
    "_view": (
        "AttemptView",
        "BatchView",
        "JobView",
        "RunView",
    ),
    "_why": (
        "FileState",
        "Why",
        "why",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Ask",
    "Attempt",
    "AttemptView",
    "Batch",
    "BatchState",
    "BatchView",
    "CheckedParams",
    "Command",
    "Conflict",
    "Done",
    "Durability",
    "Eta",
    "Event",
    "Executor",
    "Failed",
    "Failure",
    "FileState",
    "From",
    "Gather",
    "InlineExecutor",
    "Input",
    "Item",
    "Job",
    "JobContext",
    "JobView",
    "Json",
    "Limits",
    "Listener",
    "LocalPool",
    "Lost",
    "Member",
    "Notice",
    "Outcome",
    "Output",
    "ParamProblem",
    "Place",
    "Plan",
    "PlannedJob",
    "Progress",
    "Rehearsal",
    "Resolved",
    "RunResult",
    "RunView",
    "Scalar",
    "Settings",
    "Status",
    "Task",
    "TaskCard",
    "Verdict",
    "Why",
    "card_of",
    "check_params",
    "check_template",
    "collision_key",
    "describe",
    "drop_command",
    "find_job",
    "find_task",
    "fold",
    "follow",
    "inline",
    "is_user_task",
    "load_batch",
    "plan",
    "read_history",
    "outputs_in",
    "read_view",
    "recorded_job",
    "rehearse",
    "render_template",
    "resolve",
    "run",
    "slug",
    "status_json",
    "task",
    "task_names",
    "template_fields",
    "traceback_of",
    "why",
]

__getattr__, __dir__ = lazy_names(__name__, _HOME_OF)
