"""Our side of every row: the one place where the benchmarks touch batchlab."""

from __future__ import annotations

from typing import NoReturn


def pool_noop(n: int, workers: int) -> None:
    """Run `n` no-op jobs on the local pool alone, one submit each."""
    _not_built()


def run_noop(n: int, workers: int, folder: str) -> None:
    """Run `n` no-op jobs through runner and ledger, durability full, with the output root `folder`."""
    _not_built()


def run_outputs(n: int, workers: int, folder: str) -> None:
    """Run `n` jobs that each write one output of 1 kB."""
    _not_built()


def prepare_finished(n: int, folder: str) -> None:
    """Make a finished batch of `n` jobs in `folder`: 2 inputs, 1 output on disk, one set of params."""
    _not_built()


def plan_finished(n: int, folder: str) -> None:
    """Plan that batch again; every job is to be skipped."""
    _not_built()


def compare_pictures(n: int, workers: int, folder: str, output: str) -> None:
    """Compare `n` samples of `folder` with its reference: metrics and a picture of 3000x1800, no table."""
    _not_built()


def compare_numbers(n: int, workers: int, folder: str, output: str) -> None:
    """Compare `n` samples of `folder` with its reference: metrics only."""
    _not_built()


def _not_built() -> NoReturn:
    raise SystemExit("not built yet")
