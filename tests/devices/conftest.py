from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("devices", deadline=None)
settings.load_profile("devices")


@pytest.fixture(scope="session")
def shared_devices() -> Path:
    """The folder of real device files; tests that want it skip where it is absent."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("BATCHLAB_SHARED_DATA", beside)) / "devices" / "optothermal_raw"
    if not folder.is_dir():
        pytest.skip(f"no real device files in {folder}; set BATCHLAB_SHARED_DATA")
    return folder
