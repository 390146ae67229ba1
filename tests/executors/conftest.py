"""Executors to test: a standing one for what cannot hurt it, a fresh one for what does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from executor_bench import BACKENDS, Backend, Bench, Pipe, assert_gone, descendants

from batchlab.engine import Executor

Opener = Callable[..., Bench]


@pytest.fixture(autouse=True, scope="session")
def bytecode() -> Iterator[None]:
    """Workers that compile every import anew would make each test wait for seconds."""
    before = os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    yield
    if before is not None:
        os.environ["PYTHONDONTWRITEBYTECODE"] = before


@pytest.fixture(params=BACKENDS, ids=lambda b: b.name)
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each executor that is held to the contract."""
    return request.param


@pytest.fixture
def open_bench(backend: Backend, tmp_path: Path) -> Iterator[Opener]:
    """A fresh executor, closed after the test; it must leave no process behind."""
    before = descendants()
    opened: list[Bench] = []

    def open_one(workers: int = 2, **options: Any) -> Bench:
        executor = backend.make(workers, tmp_path, **options)
        executor.start()
        opened.append(Bench(executor, tmp_path))
        return opened[-1]

    yield open_one
    for bench in opened:
        bench.executor.close(1.0)
    assert_gone(descendants() - before)


@pytest.fixture
def fresh(open_bench: Opener) -> Bench:
    """A fresh executor with two places."""
    return open_bench()


class _Standing:
    """One executor of each kind, for the tests that only talk to it; replaced when a test leaves it unwell."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._executors: dict[str, Executor] = {}

    def get(self, backend: Backend) -> Executor:
        if backend.name not in self._executors:
            executor = backend.make(2, self._folder / backend.name)
            executor.start()
            self._executors[backend.name] = executor
        return self._executors[backend.name]

    def drop(self, backend: Backend) -> None:
        self._executors.pop(backend.name).close(0.0)

    def close(self) -> None:
        for executor in self._executors.values():
            executor.close(1.0)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Standing]:
    executors = _Standing(tmp_path_factory.mktemp("standing"))
    yield executors
    executors.close()


@pytest.fixture
def bench(backend: Backend, standing: _Standing, tmp_path: Path) -> Iterator[Bench]:
    """An executor with two places that other tests have used before, and will use again."""
    found = Bench(standing.get(backend), tmp_path)
    yield found
    if not found.settled:
        standing.drop(backend)


@pytest.fixture
def pipes(tmp_path: Path) -> Iterator[Callable[[str], Pipe]]:
    """Named pipes, to speak with tasks."""
    made: list[Pipe] = []

    def make(name: str) -> Pipe:
        made.append(Pipe(tmp_path / name))
        return made[-1]

    yield make
    for pipe in made:
        pipe.close()


@pytest.fixture
def tell(pipes: Callable[[str], Pipe]) -> Pipe:
    """What tasks tell."""
    return pipes("tell.pipe")


@pytest.fixture
def gate(pipes: Callable[[str], Pipe]) -> Pipe:
    """What tasks wait at."""
    return pipes("gate.pipe")
