"""What went wrong, said once and clearly on stderr, and the exit code that belongs to it."""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence

import click

from batchlab.cli._words import plain
from batchlab.errors import BatchlabError, ConfigError, StartError

DONE, TROUBLE, WRONG, NOT_STARTED, CANCELLED = 0, 1, 2, 3, 130

_SECRET_NAME = re.compile(r"(?i)(secret|token|passw(or)?d|passphrase|api_?key|credential|private_?key)")
_MASK = "[redacted]"


def guarded(call: Callable[[], object], argv: Sequence[str]) -> int:
    """Run a command; answer its exit code, whatever happens.

    Parameters
    ----------
    call
        Runs it; an integer that it returns is the exit code.
    argv
        The command line: it may ask for tracebacks, and hold secrets that no message may repeat.
    """
    try:
        answer = call()
        sys.stdout.flush()
    except click.exceptions.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _say("stopped; to go on, run the same command again", argv)
        return CANCELLED
    except click.ClickException as error:
        _tell_usage(error, argv)
        return WRONG
    except BrokenPipeError:
        # Whoever read our output has gone: nothing more can be told, and the interpreter must not try at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return TROUBLE
    except BatchlabError as error:
        _show_traceback(argv)
        _tell(error, argv)
        return WRONG if isinstance(error, ConfigError) else NOT_STARTED if isinstance(error, StartError) else TROUBLE
    except Exception as error:  # noqa: BLE001 - the last who can say what happened
        _show_traceback(argv)
        again = "" if "--traceback" in argv else "; run it with --traceback and report what that shows"
        _say(f"batchlab itself failed: {type(error).__name__}: {error}{again}", argv)
        return TROUBLE
    return answer if isinstance(answer, int) and not isinstance(answer, bool) else DONE


def _tell(error: BatchlabError, argv: Sequence[str]) -> None:
    if isinstance(error, ConfigError) and len(error.problems) > 1:
        _say(f"{len(error.problems)} things are wrong, nothing was started:", argv)
        for problem in error.problems:
            click.echo(f"  {masked(plain(problem), argv)}", err=True)
        return
    _say(str(error.problems[0]) if isinstance(error, ConfigError) else str(error), argv)


def _tell_usage(error: click.ClickException, argv: Sequence[str]) -> None:
    context = getattr(error, "ctx", None)
    _say(error.format_message(), argv)
    if context is not None:
        click.echo(f"Try '{context.command_path} --help'.", err=True)


def _show_traceback(argv: Sequence[str]) -> None:
    if "--traceback" in argv:
        click.echo(masked(traceback.format_exc(), argv), err=True)


def _say(text: str, argv: Sequence[str]) -> None:
    click.echo(f"{click.style('batchlab:', fg='bright_blue')} {masked(plain(text), argv)}", err=True)


def secrets_in(argv: Sequence[str]) -> list[str]:
    """Values given with --set under names that speak of a secret."""
    found: list[str] = []
    for before, word in zip(["", *argv], argv, strict=False):
        given = word.removeprefix("--set=") if word.startswith("--set=") else word if before == "--set" else ""
        name, _, value = given.partition("=")
        if value and _SECRET_NAME.search(name):
            found.append(value)
    return found


def masked(text: str, argv: Sequence[str] | None = None) -> str:
    """The text without the secrets of the command line."""
    for secret in sorted(secrets_in(sys.argv[1:] if argv is None else argv), key=len, reverse=True):
        text = text.replace(secret, _MASK)
    return text


class ToConsole(logging.Handler):
    """Log records on stderr, a line each, kept apart from a live display by whoever owns that."""

    def __init__(self, write: Callable[[str], None], level: int) -> None:
        super().__init__(level)
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a terminal that is gone is no reason to stop."""
        try:
            word = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
            self._write(f"{word}{masked(plain(record.getMessage()))}")
        except Exception:  # noqa: BLE001 - logging's own rule: a handler raises nothing
            self.handleError(record)
