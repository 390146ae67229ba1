"""The terminal that people look at: its consoles and colours."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

LOG_WIDTH = 120  # of what is written into a file

# Of 256 colours; the nearest to the blue and orange of the bar.
_COLOURS: dict[str, int | str | None] = {"done": 68, "trouble": 214, "quiet": "bright_black", "plain": None}


def coloured(text: str, kind: str) -> str:
    """The text in the colour of its kind (done, trouble, quiet); `click.echo` takes it off where no terminal is."""
    colour = _COLOURS[kind]
    return text if colour is None else click.style(text, fg=colour)


def is_lively() -> bool:
    """Whether stderr is a terminal that can be drawn on."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown", "")


def console(*, stderr: bool = True) -> Console:
    """A console that guesses nothing and marks nothing up."""
    from rich.console import Console

    found = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.width = LOG_WIDTH
    return found


def show(screen: Console, what: RenderableType) -> None:
    """Print it; into a file, without the blanks that fill up a terminal's lines."""
    if screen.is_terminal:
        screen.print(what)
        return
    with screen.capture() as captured:
        screen.print(what)
    for line in captured.get().splitlines():
        screen.out(line.rstrip(), highlight=False)
