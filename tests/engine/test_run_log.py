"""The log of a run, and the logger of the package after several runs at once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchlab.engine._run_log import run_log

LOGGER = logging.getLogger("batchlab")


@pytest.fixture(autouse=True)
def unchanged() -> Iterator[None]:
    before = LOGGER.level
    yield
    LOGGER.setLevel(before)


@pytest.mark.parametrize("level", [logging.NOTSET, logging.ERROR, logging.DEBUG])
@pytest.mark.parametrize("first_out", ["first", "second"])
def test_runs_that_overlap_leave_the_logger_as_it_was(tmp_path: Path, level: int, first_out: str):
    LOGGER.setLevel(level)
    first, second = run_log(tmp_path / "1.log", False), run_log(tmp_path / "2.log", True)
    first.__enter__()
    second.__enter__()
    assert LOGGER.isEnabledFor(logging.DEBUG)
    order = (first, second) if first_out == "first" else (second, first)
    order[0].__exit__(None, None, None)
    assert LOGGER.isEnabledFor(logging.INFO)
    assert LOGGER.isEnabledFor(logging.DEBUG) == (first_out == "first" or level == logging.DEBUG)
    order[1].__exit__(None, None, None)
    assert LOGGER.level == level
    assert not LOGGER.handlers


def test_threads_at_once_leave_the_logger_as_it_was(tmp_path: Path):
    LOGGER.setLevel(logging.NOTSET)
    start = threading.Barrier(6)

    def work(number: int) -> None:
        start.wait()
        for _ in range(50):
            with run_log(tmp_path / f"{number}.log", bool(number % 2)):
                assert LOGGER.isEnabledFor(logging.INFO)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert LOGGER.level == logging.NOTSET


def test_a_level_that_somebody_sets_meanwhile_stays(tmp_path: Path):
    LOGGER.setLevel(logging.NOTSET)
    with run_log(tmp_path / "run.log", False):
        LOGGER.setLevel(logging.ERROR)
    assert LOGGER.level == logging.ERROR


def test_the_file_holds_what_was_told_and_debugging_only_on_wish(tmp_path: Path):
    for verbose in (False, True):
        path = tmp_path / f"{verbose}.log"
        with run_log(path, verbose):
            LOGGER.debug("a detail")
            LOGGER.info("a fact")
        text = path.read_text(encoding="utf-8")
        assert "INFO batchlab: a fact" in text
        assert ("a detail" in text) == verbose
