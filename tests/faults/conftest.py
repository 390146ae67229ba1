"""Toy tasks, installed for this process and those it starts; a state folder of the tests' own."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchlab.engine import _task
from tests.engine.toys import install


@pytest.fixture(autouse=True, scope="session")
def toys_installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The toy tasks, as if a distribution had brought them."""
    folder = install(tmp_path_factory.mktemp("toys") / "site")
    patch = pytest.MonkeyPatch()
    patch.syspath_prepend(str(folder))
    root = Path(__file__).parents[2]
    known = os.environ.get("PYTHONPATH")
    patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(folder), str(root / "src"), str(root), known])))
    patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    _task._entry_points.cache_clear()
    _task.find_task.cache_clear()
    yield folder
    patch.undo()
    _task._entry_points.cache_clear()
    _task.find_task.cache_clear()


@pytest.fixture(autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What runs remember of each other stays within one test."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder


class Traced:
    """The file in which toy tasks leave a line for each execution."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def count(self) -> Counter[str]:
        """How often each job was executed."""
        return Counter(self.path.read_text().split("\n")[:-1]) if self.path.exists() else Counter()

    def clear(self) -> None:
        """Forget it all."""
        self.path.unlink(missing_ok=True)


@pytest.fixture
def toys_traced(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Traced:
    """Trace the executions of this test's jobs."""
    traced = Traced(tmp_path_factory.mktemp("trace") / "trace.txt")
    monkeypatch.setenv("TOY_TRACE", str(traced.path))
    return traced
