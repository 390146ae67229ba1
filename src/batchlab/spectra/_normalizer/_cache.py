"""Plans that are known already: those that people pinned, and those that an AI was asked for, a file each."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from batchlab.errors import ConfigError
from batchlab.spectra._normalizer._payload import fingerprint, layout_name
from batchlab.spectra._normalizer._plan_file import StoredPlan, plan_text, read_plan
from batchlab.spectra._normalizer._proposal import Proposal, Source
from batchlab.spectra._places import cached_plans, pinned_plans
from batchlab.spectra._plan import Plan
from batchlab.spectra._read._observation import Observation

__all__ = ["Failure", "PlanCache", "moved", "stored_plan", "table_line"]

log = logging.getLogger(__name__)

_MOST_PLANS = 2000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """That an AI was asked and failed; remembered for a short time, so that not every worker asks again."""

    reason: str
    message: str
    asked: str  # whom: another model may know better
    until: float


class PlanCache:
    """Plans by layout.

    Parameters
    ----------
    folder
        Where an AI's plans lie; safe to delete. By default in the user's cache.
    pinned
        Where people's plans lie. By default in the state folder.
    clock
        Seconds since 1970.
    """

    def __init__(
        self, folder: Path | None = None, pinned: Path | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._folder = folder or cached_plans()
        self._pinned = pinned or pinned_plans()
        self._clock = clock

    @property
    def has_pinned(self) -> bool:
        """Whether anybody has pinned any plan."""
        return any(self._pinned.glob("*.json"))

    def propose(self, observation: Observation) -> Proposal | None:
        """The plan for this layout, a person's before an AI's, its lines moved to where this file has its table.

        Raises
        ------
        ConfigError
            If a pinned plan's file is wrong.
        """
        stored = self.get(fingerprint(observation))
        if stored is None:
            return None
        pinned = stored.source is Source.PINNED
        return Proposal(
            plan=moved(stored.plan, stored.table_line, table_line(observation)),
            source=Source.PINNED if pinned else Source.CACHE,
            confidence=1.0 if pinned else stored.confidence,
            reason=stored.reason,
            model=stored.model,
        )

    def get(self, layout: str) -> StoredPlan | None:
        """What is known of a layout.

        Raises
        ------
        ConfigError
            If a pinned plan's file is wrong.
        """
        pinned = self._pinned / f"{layout}.json"
        if pinned.exists():
            return read_plan(pinned).model_copy(update={"source": Source.PINNED, "fingerprint": layout})
        path = self._folder / f"{layout}.json"
        if not path.exists():
            return None
        try:
            return read_plan(path)
        except ConfigError as error:
            log.warning("a plan is left out: %s", error)
            return None

    def put(self, stored: StoredPlan) -> None:
        """Remember an AI's plan."""
        _write(self._folder / f"{stored.fingerprint}.json", plan_text(stored))
        with contextlib.suppress(FileNotFoundError):
            self._failure_path(stored.fingerprint).unlink()
        self._prune()

    def pin(self, stored: StoredPlan) -> Path:
        """Make a plan the one that is used for its layout, whatever rules and AI say.

        Raises
        ------
        ConfigError
            If it names no layout.
        """
        if len(stored.fingerprint) != 64:
            raise ConfigError("this plan names no layout; give a data file of the layout that it is to read")
        path = self._pinned / f"{stored.fingerprint}.json"
        _write(path, plan_text(stored.model_copy(update={"source": Source.PINNED})))
        return path

    def unpin(self, layout: str) -> None:
        """Let rules and AI decide again.

        Raises
        ------
        ConfigError
            If no plan is pinned for this layout.
        """
        try:
            (self._pinned / f"{layout}.json").unlink()
        except FileNotFoundError:
            raise ConfigError(f"no plan is pinned for the layout {layout[:12]}") from None

    def all(self) -> list[StoredPlan]:
        """Every plan that is known, people's first, each layout once."""
        found: dict[str, StoredPlan] = {}
        for folder in (self._pinned, self._folder):
            for path in sorted(folder.glob("*.json")):
                if path.stem not in found and not path.stem.endswith(".failed"):
                    stored = self.get(path.stem)
                    if stored is not None:
                        found[path.stem] = stored
        return list(found.values())

    def find(self, beginning: str) -> StoredPlan:
        """The plan of the layout whose fingerprint begins so.

        Raises
        ------
        ConfigError
            If there is none, or more than one.
        """
        found = [each for each in self.all() if each.fingerprint.startswith(beginning.lower())]
        if len(found) == 1:
            return found[0]
        if found:
            raise ConfigError(f"{len(found)} layouts begin with {beginning!r}; give more of it")
        raise ConfigError(
            f"{beginning!r} is neither a file nor the beginning of a known layout; `batchlab spectra plans list` "
            "shows them"
        )

    def failure(self, layout: str, asked: str) -> Failure | None:
        """A failure of this AI with this layout that is still to be believed."""
        try:
            found = Failure(**json.loads(self._failure_path(layout).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return found if found.asked == asked and found.until > self._clock() else None

    def put_failure(self, layout: str, *, reason: str, message: str, asked: str, keep_s: float) -> None:
        """Remember a failure for so many seconds."""
        failure = Failure(reason=reason, message=message, asked=asked, until=self._clock() + keep_s)
        _write(self._failure_path(layout), json.dumps(dataclasses.asdict(failure)))

    @contextmanager
    def alone(self, layout: str) -> Iterator[None]:
        """Keep other threads and processes from asking about a layout at the same time; they wait and find the answer.

        The system lets go of the lock when its holder ends, however it ends.
        """
        folder = self._folder / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        # A fixed number of files: two layouts that share one wait for each other, which is rare and harms nothing.
        with open(folder / layout[:2], "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError as error:
                log.warning("%s cannot be locked (%s); an AI may be asked twice for one layout", folder, error)
            yield

    def _failure_path(self, layout: str) -> Path:
        return self._folder / f"{layout}.failed.json"

    def _prune(self) -> None:
        """Forget the oldest plans of too many."""
        paths = list(self._folder.glob("*.json"))
        if len(paths) <= _MOST_PLANS:
            return
        with contextlib.suppress(FileNotFoundError):
            for path in sorted(paths, key=lambda each: each.stat().st_mtime)[: len(paths) - _MOST_PLANS]:
                path.unlink()


def stored_plan(proposal: Proposal, observation: Observation, *, prompt_version: int | None = None) -> StoredPlan:
    """A proposal as it is kept."""
    return StoredPlan(
        format=1,
        fingerprint=fingerprint(observation),
        layout=layout_name(observation),
        source=proposal.source,
        model=proposal.model,
        prompt_version=prompt_version,
        confidence=proposal.confidence,
        reason=proposal.reason,
        table_line=table_line(observation),
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        plan=proposal.plan,
    )


def table_line(observation: Observation) -> int | None:
    """Where the table of a file begins, as measured."""
    return observation.hypotheses[0].first_line if observation.hypotheses else None


def moved(plan: Plan, made_at: int | None, here: int | None) -> Plan:
    """Move a plan's lines from the file it was made for to one whose preamble is longer or shorter.

    Parameters
    ----------
    plan
        The plan.
    made_at, here
        The first row of the table in the one file and in the other.
    """
    by = 0 if made_at is None or here is None else here - made_at
    if by == 0 or min((plan.first_data_line, *plan.header_lines, plan.unit_line or 1 - by)) + by < 1:
        return plan

    def at(line: int | None) -> int | None:
        return None if line is None else max(1, line + by)

    spectra = tuple(
        each.model_copy(update={"rows": at(each.rows)}) if isinstance(each.rows, int) else each for each in plan.spectra
    )
    return plan.model_copy(
        update={
            "first_data_line": at(plan.first_data_line),
            "last_data_line": at(plan.last_data_line),
            "header_lines": tuple(line + by for line in plan.header_lines),
            "unit_line": at(plan.unit_line),
            "axis": plan.axis.model_copy(update={"header_row": at(plan.axis.header_row)}),
            "spectra": spectra,
        }
    )


def _write(path: Path, text: str) -> None:
    """Put a file in place whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise
