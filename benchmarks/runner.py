"""No-op jobs through runner and ledger, against two that record nothing."""

from __future__ import annotations

from benchmarks._row import RatioTo, Row, Side
from benchmarks.executor import WORKERS, check, noop


def row(quick: bool = False) -> Row:
    jobs = 100 if quick else 10_000
    return Row(
        name="runner",
        title=f"{jobs:,} no-op jobs on {WORKERS} workers through runner and ledger, full durability",
        basis="cpu",
        rounds=1 if quick else 3,
        sides=(
            Side(
                name="batchlab",
                case="benchmarks._ours:run_noop",
                jobs=jobs,
                arguments={"workers": WORKERS},
                startup_jobs=WORKERS,
                wants_folder=True,
            ),
            Side(
                name="loky",
                case="benchmarks.executor:loky_noop",
                jobs=jobs,
                arguments={"workers": WORKERS},
                startup_jobs=WORKERS,
            ),
            Side(
                name="dask",
                case="benchmarks.runner:dask_noop",
                jobs=jobs,
                arguments={"workers": WORKERS},
                startup_jobs=WORKERS,
            ),
        ),
        goals=(
            RatioTo(side="batchlab", against="loky", factor=1.0),
            RatioTo(side="batchlab", against="dask", factor=0.25),
        ),
    )


def dask_noop(n: int, workers: int) -> None:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        # pure=False: each call is a job of its own, as it is for the others.
        futures = [client.submit(noop, number, pure=False) for number in range(n)]
        check(client.gather(futures), n)
