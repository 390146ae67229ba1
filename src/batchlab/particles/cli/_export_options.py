"""Options about files that tell other programs of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from batchlab.options import with_options
from batchlab.particles._model import Scale

if TYPE_CHECKING:
    from batchlab.engine import Batch, Listener

__all__ = ["export_options", "exported"]

F = TypeVar("F", bound=Callable[..., Any])


def export_options(command: F) -> F:
    """Files of progress and extrema."""
    file = click.Path(dir_okay=False, path_type=Path)
    options = (
        click.option(
            "--progress-json", type=file, metavar="FILE", help="Tell which orbits are done in this file, too."
        ),
        click.option("--extrema-json", type=file, metavar="FILE", help="Tell the limits in this file, too."),
        click.option(
            "--flush-batch-size",
            type=click.IntRange(1),
            default=10,
            show_default=True,
            metavar="N",
            help="After how many orbits these two are written, besides at the end.",
        ),
    )
    return with_options(command, options)


@contextmanager
def exported(
    batch: Batch,
    scales: Sequence[tuple[Scale, Scale]],
    limits: Mapping[str, Any],
    *,
    progress: Path | None,
    extrema: Path | None,
    flush_batch_size: int,
    dry_run: bool,
) -> Iterator[tuple[Listener, ...]]:
    """What is to listen to a run so that these files are written; they are complete when the run is over."""
    if dry_run or (progress is None and extrema is None):
        yield ()
        return
    from batchlab.particles._exporting import Exports
    from batchlab.particles._limits import LimitRules

    exports = Exports(
        batch,
        scales,
        progress=progress,
        extrema=extrema,
        rules=LimitRules(**limits),
        flush_batch_size=flush_batch_size,
    )
    try:
        yield (exports,)
    finally:
        exports.close()
