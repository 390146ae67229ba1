"""Tables on the terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

__all__ = ["print_counts", "print_json", "print_table"]

_WIDTH = 160  # of what is written into a file


def print_table(
    title: str, head: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[int] = ()
) -> None:
    """A table with a title; columns of numbers stand to the right."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left", box=None, pad_edge=False, header_style="bold")
    for at, name in enumerate(head):
        table.add_column(Text(name), justify="right" if at in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_shown(cell)) for cell in row))
    screen = Console(highlight=False, markup=False, emoji=False)
    if not screen.is_terminal:
        screen.width = _WIDTH
    with screen.capture() as captured:
        screen.print(table)
    text = "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"
    click.echo(text, nl=False)


def print_counts(title: str, counts: Mapping[str, int]) -> None:
    """Names with their numbers; nothing if there are none."""
    if counts:
        print_table(title, ("", "count"), counts.items(), right=(1,))
        click.echo()


def print_json(value: object) -> None:
    """One document; what is not a finite number is null."""
    click.echo(json.dumps(_finite(value), indent=2, ensure_ascii=not _unicode(), allow_nan=False, default=str))


def _unicode() -> bool:
    return "utf" in (sys.stdout.encoding or "").lower()


def _shown(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and value - value != 0 else value
