"""What every command is given as ``ctx.obj``: how to run a batch, and how to speak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchlab.engine import Batch, Listener


@dataclass(frozen=True, slots=True)
class Face:
    """The one way from a command to a run, for the program's own commands and for those of domains."""

    def run_batch(
        self,
        batch: Batch,
        *,
        dry_run: bool = False,
        fresh: bool = False,
        only: str | None = None,
        json_lines: bool = False,
        quiet: bool = False,
        verbose: bool = False,
        report: bool | None = True,
        listeners: Sequence[Listener] = (),
    ) -> int:
        """Run a batch with progress, summary and report.

        Parameters
        ----------
        batch
            From a builder or a batch file.
        dry_run
            Show the plan and run nothing.
        fresh
            Do everything anew.
        only
            Only jobs whose names match this pattern, and what they need.
        json_lines
            An event a line on stdout, the last line the status; nothing else.
        quiet
            Tell errors alone.
        verbose
            Tell the plan's reasons, each job's beginning and end, and what the engine logs, too.
        report
            Write the reports into the output root afterwards; with None only if any job was run, or none are there.
        listeners
            Of the command's own: called with what happens, each in its own thread.

        Returns
        -------
        int
            The exit code: 0 all done, 1 some jobs or items failed, 130 cancelled.

        Raises
        ------
        ConfigError
            If the batch is wrong (exit 2).
        StartError
            If the run could not start (exit 3).
        """
        from batchlab.cli._running import run_batch

        return run_batch(
            batch,
            dry_run=dry_run,
            fresh=fresh,
            only=only,
            json_lines=json_lines,
            quiet=quiet,
            verbose=verbose,
            report=report,
            listeners=listeners,
        )
