"""The engine: plan, run and remember jobs. It knows no domain."""

from batchlab.engine._model import (
    Batch,
    BatchState,
    Conflict,
    Durability,
    Failure,
    From,
    Gather,
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
from batchlab.engine._task import Task, find_task, task, task_names
from batchlab.engine._view import AttemptView, BatchView, JobView, RunView

__all__ = [
    "AttemptView",
    "Batch",
    "BatchState",
    "BatchView",
    "Conflict",
    "Durability",
    "Failure",
    "From",
    "Gather",
    "Item",
    "Job",
    "JobView",
    "Json",
    "Limits",
    "Outcome",
    "Output",
    "RunView",
    "Scalar",
    "Settings",
    "Status",
    "Task",
    "find_task",
    "task",
    "task_names",
]
