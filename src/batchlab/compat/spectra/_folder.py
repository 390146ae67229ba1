"""Showing a folder to somebody who sits before the screen."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

__all__ = ["opener", "show_folder"]

log = logging.getLogger(__name__)


def opener(environment: Mapping[str, str], *, interactive: bool, platform: str) -> str | None:
    """The program that shows folders; None where there is no display, or nobody to look at it.

    Parameters
    ----------
    environment
        The process's variables.
    interactive
        Whether somebody sits at the terminal.
    platform
        As ``sys.platform``.
    """
    if not interactive or environment.get("CI"):
        return None
    if platform == "darwin":
        return None if environment.get("SSH_CONNECTION") else "open"
    if environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"):
        return "xdg-open"
    return None


def show_folder(folder: Path) -> bool:
    """Show a folder if that can be wanted; answers whether it was tried."""
    interactive = _is_terminal(sys.stdin) and _is_terminal(sys.stdout)
    program = shutil.which(opener(os.environ, interactive=interactive, platform=sys.platform) or "")
    if program is None:
        return False
    try:
        shower = subprocess.Popen(
            [program, os.fspath(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        log.warning("%s cannot be shown: %s", folder, error)
        return False
    threading.Thread(target=shower.wait, daemon=True).start()  # nobody else would bury it
    return True


def _is_terminal(stream: object) -> bool:
    """Whether a standard stream is there and is a terminal."""
    asks = getattr(stream, "isatty", None)
    try:
        return bool(asks is not None and asks())
    except ValueError:  # closed
        return False
