"""What this domain offers to the command line; a command is imported when it is used, not when it is listed."""

from __future__ import annotations

from collections.abc import Mapping

import click

from batchlab.options import LazyCommands

__all__ = ["motion"]

_CLI = "batchlab.motion.cli"

_COMMANDS: Mapping[str, tuple[str, str]] = {
    "fit": (f"{_CLI}._fit:fit", "Fit a rigid body to each recording: poses, markers, geometry."),
    "sweep": (f"{_CLI}._fit:sweep", "Fit with every combination of options, and choose by what each foretells."),
    "cross-validate": (
        f"{_CLI}._fit:cross_validate",
        "Hold recordings out, and see how well the others foretell them.",
    ),
    "eye": (f"{_CLI}._eye:eye", "Fit an eye to points of its pupil's edge: where it looks."),
    "view": (f"{_CLI}._view:view", "Write a page that plays a recording and the bodies fitted to it."),
    "inspect": (f"{_CLI}._inspect:inspect", "Tell what is in a recording: markers, rate, gaps."),
}


@click.group(cls=LazyCommands, where=_COMMANDS)
def motion() -> None:
    """Motion capture: rigid bodies fitted to markers, with options chosen by evidence."""
