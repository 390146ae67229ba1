from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_motion() -> Path:
    """The folder of real motion files; tests that want it skip where it is absent."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("BATCHLAB_SHARED_DATA", beside)) / "motion"
    if not folder.is_dir():
        pytest.skip(f"no real motion files in {folder}; set BATCHLAB_SHARED_DATA")
    return folder
