"""Our side of the rows: with `_recognition` and `_ours_devices` the one place where the benchmarks touch batchlab."""

from __future__ import annotations

import tempfile
from pathlib import Path

TASKS = Path(__file__).parent / "_tasks.py"


def pool_noop(n: int, workers: int) -> None:
    """Run `n` no-op jobs on the local pool alone, one submit each."""
    from batchlab.engine import Attempt, Done, Failed, LocalPool, Lost

    with tempfile.TemporaryDirectory() as logs:
        pool = LocalPool(workers, logs=Path(logs))
        pool.start()
        sent = done = 0
        while done < n:
            while sent < n and pool.free():
                pool.submit(Attempt(id=sent, job=f"noop/{sent}", number=1, task=f"{TASKS}:noop"))
                sent += 1
            for event in pool.events(None):
                if isinstance(event, Failed | Lost):
                    raise SystemExit(str(event))
                done += isinstance(event, Done)
        pool.close()


def run_noop(n: int, workers: int, folder: str) -> None:
    """Run `n` no-op jobs through runner and ledger, durability full, with the output root `folder`."""
    from batchlab.engine import Batch, Job, Settings, run

    jobs = tuple(Job(name=f"noop/{i}", task=f"{TASKS}:noop") for i in range(n))
    _must_be_done(run(Batch(name="noop", output=Path(folder), jobs=jobs, settings=Settings(workers=workers))), n)


def run_outputs(n: int, workers: int, folder: str) -> None:
    """Run `n` jobs that each write one output of 1 kB."""
    from batchlab.engine import Batch, Job, Settings, run

    jobs = tuple(Job(name=f"write/{i}", task=f"{TASKS}:write", outputs={"file": f"{i:05d}.bin"}) for i in range(n))
    _must_be_done(run(Batch(name="write", output=Path(folder), jobs=jobs, settings=Settings(workers=workers))), n)


def prepare_finished(n: int, folder: str) -> None:
    """Make a finished batch of `n` jobs in `folder`: 2 inputs, 1 output on disk, one set of params."""
    from batchlab.engine import run

    _must_be_done(run(_finished(n, Path(folder), make=True)), n)


def plan_finished(n: int, folder: str) -> None:
    """Plan that batch again; every job is to be skipped."""
    from batchlab.engine import plan

    counts = plan(_finished(n, Path(folder), make=False)).counts
    if counts["skip"] != n:
        raise SystemExit(f"of {n} finished jobs only {counts['skip']} are skipped")


def _finished(n: int, folder: Path, *, make: bool):
    from batchlab.engine import Batch, Durability, Job, Settings

    data = folder / "data"
    shared = data / "reference.txt"
    if make:
        data.mkdir(parents=True)
        shared.write_text("reference\n")
        for i in range(n):
            (data / f"{i:06d}.txt").write_text(f"{i}\n")
    params = {"window": 5, "method": "median"}
    jobs = tuple(
        Job(
            name=f"measure/{i:06d}",
            task=f"{TASKS}:measure",
            params=params,
            inputs={"reference": str(shared), "sample": f"{data}/{i:06d}.txt"},
            outputs={"file": f"{i:06d}.txt"},
        )
        for i in range(n)
    )
    settings = Settings(workers=2, durability=Durability.FAST)
    return Batch(name="finished", output=folder / "out", jobs=jobs, settings=settings)


def compare_pictures(n: int, workers: int, folder: str, output: str) -> None:
    """Compare `n` samples of `folder` with its reference: metrics and a picture of 3000x1800, no table."""
    _compare(n, workers, folder, output, pictures=True)


def compare_numbers(n: int, workers: int, folder: str, output: str) -> None:
    """Compare `n` samples of `folder` with its reference: metrics only."""
    _compare(n, workers, folder, output, pictures=False)


def _compare(n: int, workers: int, folder: str, output: str, *, pictures: bool) -> None:
    from batchlab.engine import Batch, Job, Settings, run

    data = Path(folder).resolve()
    params = {"overlay_limits": [-0.2, 2.0], "difference_limits": [-0.5, 0.5]}
    jobs = tuple(
        Job(
            name=f"compare/{sample.stem}",
            task="spectra.compare",
            params=params,
            inputs={"reference": str(data / "reference.csv"), "sample": str(sample)},
            outputs={"figure": f"{sample.stem}.png"} if pictures else {},
            affinity=str(data / "reference.csv"),
        )
        for sample in sorted(data.glob("sample_*.csv"))[:n]
    )
    batch = Batch(name="compare", output=Path(output), jobs=jobs, settings=Settings(workers=workers))
    _must_be_done(run(batch), n)


def similarity_passes(n: int, folder: str) -> None:
    """Judge all samples of a matrix by correlation, RMSE and angle, `n` times."""
    import numpy as np

    from batchlab.spectra._many import similarity_of_many

    reference, samples = np.load(Path(folder, "reference.npy")), np.load(Path(folder, "samples.npy"))
    for _ in range(n):
        found = similarity_of_many(reference, samples)
        if not np.isfinite(found.pearson_r).all():
            raise SystemExit("a correlation is not a number")


def components(n: int, folder: str, count: int) -> None:
    """Find the first `count` components of a matrix, `n` times."""
    import numpy as np

    from batchlab.spectra._analytics import pca

    samples = np.load(Path(folder, "samples.npy"))
    for _ in range(n):
        if len(pca(samples, count).variances) != count:
            raise SystemExit(f"fewer than {count} components")


def _must_be_done(result, n: int) -> None:
    from batchlab.engine import Status

    if result.counts.get(Status.DONE) != n:
        raise SystemExit(f"of {n} jobs only {dict(result.counts)} ({result.reason})")
