from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchlab.particles._synthetic import Mission, write_mission


@pytest.fixture(scope="session")
def shared_particles() -> Path:
    """The folder of real particle files; tests that want it skip where it is absent."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("BATCHLAB_SHARED_DATA", beside)) / "particles"
    if not folder.is_dir():
        pytest.skip(f"no real particle files in {folder}; set BATCHLAB_SHARED_DATA")
    return folder


@pytest.fixture(scope="session")
def mission(tmp_path_factory: pytest.TempPathFactory) -> Mission:
    """Three orbits of all instruments, small; only read it, tests that write copy it."""
    return write_mission(tmp_path_factory.mktemp("mission"), orbits=3, records=40, missing={(20541, "eeb")})


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Caches and the state of the program lie in folders of the test, never in the user's."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        yield
