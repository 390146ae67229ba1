"""No-op jobs on an executor alone: one job per submit, no chunks."""

from __future__ import annotations

import multiprocessing

from benchmarks._row import RatioTo, Row, Side

WORKERS = 2


def row(quick: bool = False) -> Row:
    jobs = 200 if quick else 10_000
    others = ("pebble", "concurrent.futures", "loky")
    cases = {
        "batchlab": "benchmarks._ours:pool_noop",
        "pebble": "benchmarks.executor:pebble_noop",
        "concurrent.futures": "benchmarks.executor:futures_noop",
        "loky": "benchmarks.executor:loky_noop",
    }
    return Row(
        name="executor",
        title=f"{jobs:,} no-op jobs on {WORKERS} workers, executor alone",
        basis="cpu",
        rounds=1 if quick else 5,
        sides=tuple(
            Side(name=name, case=case, jobs=jobs, arguments={"workers": WORKERS}, startup_jobs=WORKERS)
            for name, case in cases.items()
        ),
        goals=tuple(RatioTo(side="batchlab", against=other, factor=1.0) for other in others),
    )


def noop(number: int) -> int:
    """Do nothing; the number comes back so that lost jobs would be seen."""
    return number


def check(results: list[int], n: int) -> None:
    """Refuse a run that lost or doubled a job: a fast wrong answer is no competitor."""
    if results != list(range(n)):
        raise RuntimeError(f"{len(results)} results for {n} jobs, or out of order")


def pebble_noop(n: int, workers: int) -> None:
    from pebble import ProcessPool

    with ProcessPool(max_workers=workers, context=multiprocessing.get_context("forkserver")) as pool:
        futures = [pool.schedule(noop, args=[number]) for number in range(n)]
        check([future.result() for future in futures], n)


def futures_noop(n: int, workers: int) -> None:
    from concurrent.futures import ProcessPoolExecutor

    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(max_workers=workers, mp_context=context) as pool:
        futures = [pool.submit(noop, number) for number in range(n)]
        check([future.result() for future in futures], n)


def loky_noop(n: int, workers: int) -> None:
    from loky import get_reusable_executor

    with get_reusable_executor(max_workers=workers) as pool:
        futures = [pool.submit(noop, number) for number in range(n)]
        check([future.result() for future in futures], n)
