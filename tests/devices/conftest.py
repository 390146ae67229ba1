from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchlab.devices._synthetic import Lab, write_lab


@pytest.fixture(scope="session")
def shared_devices() -> Path:
    """The folder of real device files; tests that want it skip where it is absent."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("BATCHLAB_SHARED_DATA", beside)) / "devices" / "optothermal_raw"
    if not folder.is_dir():
        pytest.skip(f"no real device files in {folder}; set BATCHLAB_SHARED_DATA")
    return folder


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A small laboratory with the documented runs of Alisson 67; only read it, tests that write copy it."""
    return write_lab(tmp_path_factory.mktemp("lab"), chips=3, runs=50, interval_s=0.4)


@pytest.fixture(autouse=True)
def _own_plots_alone() -> Iterator[None]:
    """What a test declares is of that test: another that goes through all kinds of plots is not to meet it."""
    from batchlab.devices.plots import _registry

    known = set(_registry._registered) | set(_registry._OWN)
    yield
    for name in set(_registry._registered) - known:
        del _registry._registered[name]
