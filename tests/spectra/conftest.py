from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_spectra() -> Path:
    """The folder of real spectra; tests that want it skip where it is absent."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("BATCHLAB_SHARED_DATA", beside)) / "spectra"
    if not folder.is_dir():
        pytest.skip(f"no real spectra in {folder}; set BATCHLAB_SHARED_DATA")
    return folder


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file into the test's own folder."""

    def write_file(content: str | bytes, name: str = "sample.txt", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write_file
