"""What a run stands on, and what the parts of its runner see of it together."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from batchlab.engine._cases import Case, Tally
from batchlab.engine._events import Executor
from batchlab.engine._lease import Lease
from batchlab.engine._memory import Memory
from batchlab.engine._model import Outcome, Settings
from batchlab.engine._notice import Board
from batchlab.engine._place import Place
from batchlab.engine._plan import Plan
from batchlab.engine._promote import Mover
from batchlab.engine._records import Records
from batchlab.engine._redact import Redactor
from batchlab.engine._signals import Interrupts


@dataclass(slots=True)
class Surroundings:
    """What a runner stands on; tests hand in their own."""

    place: Place
    records: Records
    lease: Lease
    memory: Memory
    mover: Mover
    executor: Executor
    board: Board
    redactor: Redactor
    interrupts: Interrupts
    predicted: Mapping[str, int] = field(default_factory=dict)  # peak bytes by task
    clock: Callable[[], float] = time.monotonic
    free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free


class Course:
    """One run as it goes along: its jobs, what runs, what is over and not yet told.

    The lineup and the loop say what runs, the endings say what is over; everyone reads.
    """

    def __init__(self, plan: Plan, on: Surroundings) -> None:
        self.plan = plan
        self.on = on
        self.settings: Settings = plan.batch.settings
        self.began = on.clock()
        # A folder for each run: a worker of a killed one, stuck in the kernel, may still write into its own.
        self.scratch = f"{on.place.scratch}/{on.records.run}"
        self.cases: dict[str, Case] = {}
        self.running: dict[int, Case] = {}
        self.ended: list[tuple[Case, Outcome]] = []  # told after the next commit
        self.items_failed: Mapping[int, int] = on.records.items_failed()
        self.tally = Tally()

    @property
    def elapsed_s(self) -> float:
        """Since the run began."""
        return self.on.clock() - self.began
