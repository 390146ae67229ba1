"""What jobs leave behind: outputs put into place, old ones removed, logs, thumbnails, scratch."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from batchlab.engine._cases import Case, made_of
from batchlab.engine._events import Done, Result
from batchlab.engine._memory import Memory, Remembered
from batchlab.engine._model import Conflict, Failure, From, Job, Outcome, Output, Status
from batchlab.engine._names import slug
from batchlab.engine._promote import Move, Mover, is_whole, remove_scratch
from batchlab.engine._records import Records
from batchlab.errors import JobError

log = logging.getLogger(__name__)

Placed = tuple[Output, ...] | Failure | None  # in place; not to be had; there already, and left alone


@dataclass(slots=True)
class Promotion:
    """Outputs on their way: the intent is recorded, the end is not."""

    case: Case
    outcome: Outcome
    key: str
    moves: tuple[Move, ...]


class Placing:
    """Files of jobs, from scratch to their names."""

    def __init__(self, root: Path, mover: Mover, memory: Memory, records: Records, conflict: Conflict) -> None:
        self._root = root
        self._mover = mover
        self._memory = memory
        self._records = records
        self._conflict = conflict
        self._made_now: dict[str, str] = {}  # path -> the job that put a file there in this run
        self._promoting: list[Promotion] = []

    @property
    def waiting(self) -> int:
        """How many jobs have outputs on their way."""
        return len(self._promoting)

    def moves(self, case: Case, event: Done) -> tuple[Move, ...]:
        """Where the outputs of a done attempt are to go."""
        assert case.attempt is not None
        moves: list[Move] = []
        for output in event.outputs:
            base = output.name.split("/", 1)[0]
            target = case.job.outputs[base]
            # A name that another job took in this very run is that job's, whoever had it before.
            ours = self._made_now.get(output.path) in (None, case.job.name)
            own = ours and (output.path in self._memory.owners or self._conflict is Conflict.OVERWRITE)
            moves.append(
                Move(
                    name=output.name,
                    path=output.path,
                    target=target,
                    digest=output.digest,
                    bytes=output.bytes,
                    scratch=f"{case.attempt.scratch}/{event.left[output.name]}",
                    own=own,
                )
            )
        return tuple(moves)

    def intend(self, promotion: Promotion) -> None:
        """Put these outputs into place once their intent is committed."""
        self._promoting.append(promotion)

    def place(self) -> Iterator[tuple[Promotion, Placed]]:
        """Give the outputs whose intent was just committed their names; their end is committed next."""
        if not self._promoting:
            return
        placed: list[tuple[Promotion, tuple[Move, ...]]] = []
        for promotion in self._promoting:
            try:
                moved = self._mover.place(promotion.moves)
            except JobError as error:
                yield promotion, self._not_placed(promotion, promotion.moves, error)
                continue
            if moved is None:
                self.drop_scratch(promotion.case)
                self._records.unplaced(promotion.case.id, promotion.moves)
                yield promotion, None
                continue
            placed.append((promotion, moved))
        self._promoting.clear()
        try:
            self._mover.sync()
        except JobError as error:
            for promotion, moved in placed:  # they lie there, and may or may not do so after a power cut
                yield promotion, self._not_placed(promotion, [replace(move, own=True) for move in moved], error)
            return
        for promotion, moved in placed:
            case = promotion.case
            self._records.confirm(case.id, moved)
            self.drop_superseded(case, moved)
            self.drop_scratch(case)
            self.remember(case, promotion.key, moved)
            yield promotion, tuple(Output(name=m.name, path=m.path, digest=m.digest, bytes=m.bytes) for m in moved)

    def _not_placed(self, promotion: Promotion, moves: Sequence[Move], error: JobError) -> Failure:
        case = promotion.case
        self._records.unplaced(case.id, moves)
        self.drop_scratch(case)
        return Failure(category=error.category, reason=error.reason, message=str(error))

    def drop_superseded(self, case: Case, moved: tuple[Move, ...]) -> None:
        """Remove what an earlier run of this job made under names that it no longer uses."""
        remembered = self._memory.jobs.get(case.job.name)
        if remembered is None:
            return
        now = {move.path for move in moved}
        inodes = {move.stat[2] for move in moved}  # where Fig.png and fig.png are one file, it is kept
        for made in remembered.outputs:
            owner = self._memory.owners.get(made.path)
            if made.path in now or owner != case.job.name or not is_whole(self._memory.root, made.path, made.digest):
                continue
            file = self._root / made.path
            try:
                if file.stat().st_ino not in inodes:
                    file.unlink()
            except OSError as error:
                log.warning("%s is of no use any more and cannot be removed: %s", file, error)
            del self._memory.owners[made.path]

    def remember(self, case: Case, key: str, moved: tuple[Move, ...]) -> None:
        """Later jobs take their inputs from what this one made."""
        made = tuple(map(made_of, moved))
        self._memory.jobs[case.job.name] = Remembered(case.id, Status.DONE, key, None, None, 0, case.number, made)
        for each in made:
            self._memory.owners[each.path] = self._made_now[each.path] = case.job.name

    def remember_files(self, job: Job, result: Result) -> None:
        """Keep the digests of input files that the attempt has read."""
        known = self._memory.files
        for value in job.inputs.values():
            if isinstance(value, From):
                continue
            for path in (value,) if isinstance(value, str) else value:
                found = result.digests.get(path)
                if found is not None and known.get(path) != found:
                    known[path] = found
                    self._records.pending.files[path] = found

    def drop_scratch(self, case: Case) -> None:
        """Remove what the attempt wrote and nobody is to see."""
        if case.attempt is not None:
            remove_scratch(case.attempt.scratch)

    def keep_log(self, case: Case, text: str | None) -> str | None:
        """Write the job's log; answers its path relative to the root."""
        if text is None:
            return case.log
        case.log = case.log or f".batchlab/logs/{slug(case.job.name)}.log"
        try:
            mode = "a" if case.attempts > 1 else "w"
            with open(self._root / case.log, mode, encoding="utf-8", opener=_no_links) as file:
                file.write(f"== attempt {case.number} ==\n{text.rstrip()}\n")
        except OSError as error:
            log.warning("the log of %s cannot be written: %s", case.job.name, error)
        return case.log

    def keep_thumbnail(self, case: Case, scratch: str | None) -> str | None:
        """Move the small picture of a job beside the ledger; answers its path relative to the root."""
        if scratch is None:
            return None
        path = f".batchlab/thumbnails/{slug(case.job.name)}.png"
        try:
            Path(scratch).replace(self._root / path)
        except OSError as error:
            log.warning("the thumbnail of %s cannot be kept: %s", case.job.name, error)
            return None
        return path


def _no_links(path: str, flags: int) -> int:
    """Open a file of the engine's own; a link in its place could lead anywhere."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)
