"""The command ``batchlab`` and the list of what it can do."""

from __future__ import annotations

import gc
import os

import click

from batchlab import __version__
from batchlab.cli._face import Face
from batchlab.cli._lazy import LazyGroup

_COMMANDS = {
    "run": ("batchlab.cli._run:run", "Run what a batch file has left to do."),
    "plan": ("batchlab.cli._run:plan", "Say what `run` would do, and why, job by job."),
    "status": ("batchlab.cli._status:status", "Show where a batch stands, while it runs or after."),
    "why": ("batchlab.cli._why:why", "Say why a job stands as it does, or how a picture or table was made."),
    "retry": ("batchlab.cli._run:retry", "Run again what failed in an output folder."),
    "debug": ("batchlab.cli._debug:debug", "Call one job here, under the debugger."),
    "cancel": ("batchlab.cli._asks:cancel", "Stop a running batch, or some of its jobs."),
    "pause": ("batchlab.cli._asks:pause", "Let a running batch start nothing more for now."),
    "resume": ("batchlab.cli._asks:resume", "Let a paused batch go on."),
    "report": ("batchlab.cli._report:report", "Write the reports of a batch: HTML, CSV, JSON."),
    "estimate": ("batchlab.cli._estimate:estimate", "Say what a run should take, from earlier ones."),
    "demo": ("batchlab.cli._demo:demo", "Run each domain on made-up data with a known truth."),
    "schema": ("batchlab.cli._schema:schema", "Print the JSON Schema of batch files."),
    "list-plugins": ("batchlab.cli._plugins:list_plugins", "List installed tasks, commands, demos and panels."),
}


@click.group(cls=LazyGroup, where=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="batchlab", message="%(prog)s %(version)s")
@click.option("--traceback", is_flag=True, expose_value=False, help="Show the traceback of an error.")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Run the same analysis over every measurement you have.

    A batch file names tasks and files; every file becomes a job. What is done stays done: the same command run again
    does what is left.
    """
    ctx.obj = Face()
    if os.environ.get("NO_COLOR"):
        ctx.color = False


def main() -> None:
    """Run the command line of this process."""
    # Most of what a command makes stays: looking for garbage among it takes a tenth of a short one.
    gc.set_threshold(50_000)
    cli.main(prog_name="batchlab")
