"""What the ledger remembers of a batch's jobs, as planning needs it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from batchlab.engine._digest import file_digest, member_digest, member_stat, remembered_stat, stat_of, text_digest
from batchlab.engine._events import Stat
from batchlab.engine._key import Handed
from batchlab.engine._ledger import storable
from batchlab.engine._model import Status
from batchlab.engine._place import relative_to


@dataclass(frozen=True, slots=True)
class Made:
    """An output as it was made."""

    name: str
    path: str  # relative to the root
    target: str  # what the batch asked for, before conflicts were settled
    digest: str
    stat: Stat


@dataclass(slots=True)
class Remembered:
    """One job, as the ledger has it."""

    id: int
    state: Status
    key: str | None
    category: str | None
    reason: str | None
    deaths: int
    attempts: int
    outputs: tuple[Made, ...] = ()

    @property
    def done(self) -> bool:
        """Whether its last result stands, a run that meant to replace it but did not come to it included."""
        return self.key is not None and self.state in (Status.DONE, Status.PENDING)


@dataclass(slots=True, weakref_slot=True)
class Memory:
    """All of it. Empty for a batch that never ran."""

    root: str
    jobs: dict[str, Remembered] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)  # path -> job
    files: dict[str, tuple[Stat, str]] = field(default_factory=dict)  # absolute path -> stat, digest
    learned: dict[str, tuple[Stat, str]] = field(default_factory=dict)  # those of `files` that the ledger lacks
    fields_of: Callable[[int], tuple[str, str] | None] = lambda _: None  # job id -> recipe text, inputs text
    metrics_of: Callable[[int], str] = lambda _: "{}"

    def digest(self, path: str, stat: Stat | None = None) -> str:
        """Digest of a file's content; read only if the file is not the one remembered."""
        stat = stat or member_stat(path)
        known = self.files.get(path)
        if known is not None and known[0] == stat:
            return known[1]
        digest = member_digest(path)
        self.files[path] = self.learned[path] = (remembered_stat(stat), digest)
        return digest

    def whole(self, remembered: Remembered) -> str | None:
        """None if every output of a done job is as it was made; else what is wrong with the first."""
        for made in remembered.outputs:
            path = f"{self.root}/{made.path}"
            try:
                stat = stat_of(path)
            except OSError:
                return f"output {made.path} is gone"
            if stat != made.stat and (stat[0] != made.stat[0] or file_digest(path) != made.digest):
                return f"output {made.path} is not as it was made"
        return None

    def handed(self, name: str) -> Handed | None:
        """What a done job hands over."""
        remembered = self.jobs.get(name)
        if remembered is None or not remembered.done:
            return None
        return Handed(
            outputs={made.name: made.digest for made in remembered.outputs},
            metrics=text_digest(self.metrics_of(remembered.id)),
        )


def recall(root: str, execute: Callable[..., Any]) -> Memory:
    """Read the memory through an open connection's `execute`."""
    memory = Memory(root=root)
    outputs: dict[int, list[Made]] = {}
    sql = "SELECT job, name, path, target, digest, bytes, mtime_ns, inode FROM output WHERE scratch IS NULL"
    for job, name, path, target, digest, size, mtime_ns, inode in execute(sql):
        stat = (size, mtime_ns or 0, inode or 0)
        target = path if target == path else target
        outputs.setdefault(job, []).append(Made(name, path, target, digest, stat))
    sql = "SELECT id, name, state, key, category, reason, deaths, attempts FROM job"
    for id_, name, state, key, category, reason, deaths, attempts in execute(sql):
        made = tuple(outputs.pop(id_, ()))
        memory.jobs[name] = Remembered(id_, Status(state), key, category, reason, deaths, attempts, made)
        for each in made:
            memory.owners[each.path] = name
    for path, size, mtime_ns, inode, digest in execute("SELECT path, size, mtime_ns, inode, digest FROM file"):
        memory.files[os.path.normpath(f"{root}/{path}")] = ((size, mtime_ns, inode), digest)

    def fields_of(id_: int) -> tuple[str, str] | None:
        row = execute("SELECT fields FROM job WHERE id = ?", (id_,)).fetchone()
        if row is None or row[0] is None:
            return None
        recipe, _, inputs = row[0].partition("\n")
        return recipe, inputs

    def metrics_of(id_: int) -> str:
        row = execute("SELECT metrics FROM job WHERE id = ?", (id_,)).fetchone()
        return row[0] or "{}" if row is not None else "{}"

    memory.fields_of = fields_of
    memory.metrics_of = metrics_of
    return memory


def remember_files(memory: Mapping[str, tuple[Stat, str]], root: str) -> list[tuple[str, int, int, int, str]]:
    """Rows for the ledger's table of files.

    A path that is no text is not remembered: its file is read again the next time.
    """
    relative = relative_to(root)
    return [(relative(path), *stat, digest) for path, (stat, digest) in memory.items() if storable(path) == path]
