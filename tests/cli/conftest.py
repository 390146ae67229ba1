"""Folders to run the command line in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cli_desk import BATCH, TASKS, Desk


@pytest.fixture
def empty_desk(tmp_path: Path) -> Desk:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    env = {
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "TMPDIR": str(temporary),
    }
    return Desk(tmp_path, env)


@pytest.fixture
def desk(empty_desk: Desk) -> Desk:
    """Three good files, one bad one."""
    for n in (1, 2, 3):
        empty_desk.write(f"data/leaf_{n}.txt", f"{n}\n")
    empty_desk.write("data/leaf_x.txt", "bad\n")
    empty_desk.write("mytasks.py", TASKS)
    empty_desk.write("batch.yaml", BATCH)
    return empty_desk


@pytest.fixture
def good_desk(desk: Desk) -> Desk:
    """The same without the bad file."""
    (desk.folder / "data/leaf_x.txt").unlink()
    return desk


@pytest.fixture
def held_desk(good_desk: Desk) -> Desk:
    """Jobs that wait until somebody opens their pipes."""
    for n in (1, 2, 3):
        os.mkfifo(good_desk.folder / f"data/leaf_{n}.fifo")
    good_desk.write("batch.yaml", BATCH.replace(":measure", ":held").split("    outputs")[0])
    return good_desk
