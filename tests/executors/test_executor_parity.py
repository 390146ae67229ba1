"""One worker, two workers, another way of starting them, none at all: the same outcomes, to the byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from executor_bench import BACKENDS, Backend, Bench
from executor_tasks import ANSWERS, MISDEEDS

from batchlab.engine import Attempt, Done
from batchlab.engine._events import Started

ALIKE = [how for how in MISDEEDS if how not in ("speechless", "out of tree")]  # those two have tests of their own


def _attempts(bench: Bench, inputs: Path) -> list[Attempt]:
    """The same jobs for each executor, under the same names."""
    source, gone = str(inputs / "leaf é.txt"), str(inputs / "gone.txt")
    attempts = [
        bench.attempt("scalars"),
        bench.attempt("story"),
        bench.attempt("dice"),
        bench.attempt("copy", inputs={"source": source}, outputs={"copy": "ä/copy.txt", "more": "more.txt"}),
        bench.attempt("copy", inputs={"source": gone}, outputs={"copy": "copy.txt"}),
        bench.attempt("copy", inputs={"source": str(inputs)}, outputs={"copy": "copy.txt"}),
        bench.attempt("copy", inputs={"source": source}),
        bench.attempt("folder", outputs={"figures": "figures/"}),
        bench.attempt("write", outputs={"left": "a/f.txt", "right": "b/f.txt"}),
        bench.attempt("thumbnail", outputs={"figure": "figure.png"}),
        bench.attempt("value", outputs={"figure": "figure.png"}),
        bench.attempt("value", count="many"),
        bench.attempt("odd_output", outputs={"figure": "figure.png"}, how="link"),
        bench.attempt(f"{inputs / 'broken.py'}:measure"),
        bench.attempt(f"{inputs / 'nowhere.py'}:measure"),
        *(bench.attempt("misbehave", how=how) for how in ALIKE),
        *(bench.attempt("answer", how=how) for how in ANSWERS),
        bench.attempt("warn", count=60),
    ]
    return [replace(attempt, job=f"trial/{number}") for number, attempt in enumerate(attempts)]


def _told(bench: Bench, attempt: Attempt, end: Any) -> dict[str, Any]:
    """What is said of an attempt, without its id, its times and its place on the disk."""
    events = [
        (type(e).__name__, *(getattr(e, name, None) for name in ("stage", "item", "text")))
        for e in bench.told[attempt.id]
        if not isinstance(e, Started)  # an executor may leave it out
    ]
    result = end.result
    told: dict[str, Any] = {
        "events": events,
        "warnings": result.warnings,
        "items": result.items,
        "stages": list(result.stages),
        "digests": {path: digest for path, (_, digest) in result.digests.items()},
    }
    if not isinstance(end, Done):
        f = end.failure
        words = f.message.replace(attempt.scratch, "").partition(" at 0x")[0]
        return told | {"failure": (f.category, f.reason, f.stage, f.signal, words), "item": end.item}
    metrics = {name: value for name, value in end.metrics.items() if name != "pid"}
    contents = {o.name: (Path(attempt.scratch) / end.left[o.name]).read_bytes() for o in end.outputs}
    return told | {"metrics": metrics, "outputs": end.outputs, "left": dict(end.left), "contents": contents}


def _outcomes(backend: Backend, workers: int, folder: Path, inputs: Path) -> list[dict[str, Any]]:
    folder.mkdir()
    executor = backend.make(workers, folder)
    executor.start()
    try:
        bench = Bench(executor, folder)
        attempts = _attempts(bench, inputs)
        ends = bench.run(*attempts)
        return [_told(bench, attempt, end) for attempt, end in zip(attempts, ends, strict=True)]
    finally:
        executor.close(1.0)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "leaf é.txt").write_text("wavenumber intensity", encoding="utf-8")
    (folder / "broken.py").write_text("def measure(ctx:\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def expected(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the first executor says, on one worker."""
    return _outcomes(BACKENDS[0], 1, tmp_path_factory.mktemp("expected") / "run", inputs)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("backend", BACKENDS[1:], ids=lambda b: b.name)
def test_outcomes_are_the_same_wherever_jobs_run(
    backend: Backend, workers: int, inputs: Path, expected: list[dict[str, Any]], tmp_path: Path
) -> None:
    found = _outcomes(backend, workers, tmp_path / "run", inputs)
    for number, (here, there) in enumerate(zip(expected, found, strict=True)):
        assert here == there, number
