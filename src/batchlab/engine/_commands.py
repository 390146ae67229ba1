"""What others ask of a runner: files dropped atomically into its command folder, each taken up once."""

from __future__ import annotations

import json
import logging
import os
import secrets
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from batchlab.engine._digest import canonical

log = logging.getLogger(__name__)

MAX_CHARACTERS = 10_000_000


class Ask(StrEnum):
    """What can be asked."""

    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class Command:
    """One request."""

    ask: Ask
    jobs: tuple[str, ...] = ()  # none: the whole batch
    now: bool = False  # cancel: kill at once, without the grace time


def drop_command(folder: Path, command: Command) -> None:
    """Leave a request for the runner."""
    folder.mkdir(parents=True, exist_ok=True)
    name = secrets.token_hex(8)
    text = canonical({"ask": str(command.ask), "jobs": list(command.jobs), "now": command.now})
    draft = folder / f".{name}"
    draft.write_text(text, encoding="utf-8")
    draft.rename(folder / f"{name}.json")


def take_commands(folder: Path) -> list[Command]:
    """Take up what was dropped, oldest first; what is no command is removed."""
    found: list[Command] = []
    try:
        # Regular files alone: a pipe would make the runner wait, and a link or a folder is nobody's request.
        files = [f for f in os.scandir(folder) if f.name.endswith(".json") and f.is_file(follow_symlinks=False)]
        files.sort(key=lambda f: f.stat().st_mtime_ns)
    except OSError:
        return found
    for file in files:
        try:
            with open(file.path, encoding="utf-8") as dropped:
                text = dropped.read(MAX_CHARACTERS)
            os.unlink(file.path)  # before it is obeyed: what cannot be removed would be obeyed for ever
        except (OSError, ValueError) as error:
            log.debug("%s cannot be taken up: %s", file.name, error)
            continue
        try:
            words = json.loads(text)
            jobs = tuple(str(job) for job in words.get("jobs", ()))
            found.append(Command(Ask(words["ask"]), jobs, bool(words.get("now"))))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            log.warning("%s is no command; removed", file.name)
    return found
