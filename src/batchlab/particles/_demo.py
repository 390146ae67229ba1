"""A mission of four analysers from its CDF files: limits over all orbits, pictures, and all held against the truth.

The entry point group ``batchlab.demos`` names this module; `make_demo`, `expected` and `on_purpose` are what it
offers.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.engine import Batch, BatchView, Job, Settings, Status
from batchlab.reports import TRUTH, read_truth

if TYPE_CHECKING:
    from batchlab.particles._synthetic import Mission

__all__ = ["NAME", "expected", "make_demo", "on_purpose"]

NAME = "demo-particles"
COUNTS = "counts"

# What becomes of each fault: the reason of its failure, or None where the file can be read all the same.
OUTCOMES: Mapping[str, str | None] = {
    "truncated": "invalid-cdf",
    "text": "invalid-cdf",
    "no-pitch-angle": None,
    "no-flux": "missing-variable",
    "empty": "empty",
    "zeros": None,
    "out-of-order": None,
    "old-version": None,
}


def make_demo(
    folder: Path, orbits: int = 4, records: int = 160, *, seed: int = 0, settings: Settings | None = None
) -> Batch:
    """Write the files of a mission, and make the batch over them.

    Parameters
    ----------
    folder
        CDF files go to its folder ``FAST_data``, results to ``out``.
    orbits, records
        How many good orbits, and records of each file. Two more orbits hold files with a fault, on purpose.
    seed
        Equal seeds give equal files.
    settings
        How the batch is run.
    """
    from batchlab.particles._batch import Reading, plot_batch
    from batchlab.particles._events import read_events
    from batchlab.particles._files import find_files

    folder = Path(folder).resolve()
    with tempfile.TemporaryDirectory(prefix="batchlab-") as beside:
        _write(Path(beside), orbits, records, seed)
        _put(Path(beside), folder)
    batch = plot_batch(
        find_files(folder / "FAST_data"),
        folder / "out",
        name=NAME,
        reading=Reading(params={"hemisphere": True}, data=".nc"),
        events=read_events(folder / "FAST_Cusp_Indices.csv"),
        instrument_timeout_s=120.0,
        orbit_timeout_s=600.0,
        settings=settings or Settings(),
    )
    first = [job for job in batch.jobs if job.task == "particles.collapse"][:4]
    return replace(batch, jobs=(*batch.jobs, *(_counted(job) for job in first)))


def _write(folder: Path, orbits: int, records: int, seed: int) -> None:
    from batchlab.particles._synthetic import write_mission
    from batchlab.particles._synthetic._orbit_data import is_south, month_folder, orbit_start
    from batchlab.particles._synthetic._orbit_file import orbit_track, write_orbit

    mission = write_mission(folder, orbits=orbits, records=records, seed=seed, broken=True)
    last = mission.orbits[-1]
    for orbit in (last + 1, last + 2):
        track = orbit_track(orbit_start(orbit), south=is_south(orbit))
        write_orbit(month_folder(mission.data, orbit) / f"fa_k0_orb_{orbit}_v01.cdf", orbit, track)
    (folder / TRUTH).write_text(json.dumps(_truths(mission)), encoding="utf-8")


def _truths(mission: Mission) -> dict[str, Any]:
    """What was known before the files were written, of records that are marked as good."""
    from batchlab.particles._synthetic._tables import flight_tables

    files = []
    for each in mission.truths:
        told: dict[str, Any] = {
            "orbit": each.orbit,
            "instrument": each.instrument,
            "times_s": each.times_s[each.valid].tolist(),
            "beam_ev": each.beam_ev[each.valid].tolist(),
            "cusp": each.cusp is not None,
        }
        if each.orbit == mission.orbits[0]:
            tables = flight_tables(burst=each.instrument.endswith("b")).energy
            told["energy_ev"] = tables[each.mode[each.valid], 0].astype(float).tolist()
            told["counts"] = each.counts_by_energy[each.valid].tolist()
        files.append(told)
    return {"files": files, "faults": {path.name: fault for path, fault in mission.broken.items()}}


def _put(source: Path, target: Path) -> None:
    """Bring a folder's files into another; those that are there already keep their times."""
    for path in sorted(source.rglob("*")):
        if not path.is_file():
            continue
        to, content = target / path.relative_to(source), path.read_bytes()
        if not to.is_file() or to.read_bytes() != content:
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(content)


def _counted(job: Job) -> Job:
    """The same file once more, for the counts behind its flux."""
    return replace(
        job,
        name=f"{COUNTS}/{job.name.partition('/')[2]}",
        params={"quantity": "counts", "collapse": "sum"},
        inputs={"file": job.inputs["file"]},
        outputs={"data": f"{COUNTS}/{Path(str(job.outputs['data'])).name}"},
    )


# what it came to


def expected(view: BatchView) -> str | None:
    """What is not as it should be in the outcome of the demo; None if all is."""
    from batchlab.particles._demo_truth import findings

    truth = read_truth(view)
    if truth is None:
        return f"the file of what is true ({TRUTH}) is not beside the results"
    wrong = [*_not_done(view, truth["faults"])]
    wrong += [f"{each.what} of {each.where}: {each.told}" for each in findings(view, truth) if not each.kept]
    return "; ".join(wrong) or None


def on_purpose(view: BatchView) -> str | None:
    """What failed because it was made to fail."""
    failed = [job for job in view.jobs if job.state is Status.FAILED]
    if not failed:
        return None
    told = ", ".join(f"{job.name} ({job.reason or job.category})" for job in failed)
    return f"{len(failed)} files cannot be read, as it should be: {told}"


def _not_done(view: BatchView, faults: Mapping[str, str]) -> Iterator[str]:
    """Jobs that failed and should not, or the other way round."""
    read = {_file(job.inputs): job for job in view.jobs if job.name.startswith("read/")}
    meant = set()
    for name, fault in faults.items():
        job, reason = read.get(name), OUTCOMES[fault]
        if (job is None) != (fault == "old-version"):
            yield f"{name} ({fault}) is {'not read' if job is None else 'read, though a newer version is there'}"
        elif job is not None and reason is not None:
            meant.add(job.name)
            if (job.state, job.reason) != (Status.FAILED, reason):
                yield f"{job.name} ({fault}) should fail as {reason}, and is {job.state.value} ({job.reason})"
    for job in view.jobs:
        if job.state is Status.FAILED and job.name not in meant:
            yield f"{job.name} should be done, and failed ({job.reason or job.category}): {job.message}"
        elif job.state not in (Status.DONE, Status.FAILED, Status.BLOCKED):
            yield f"{job.name} should be done, and is {job.state.value}"


def _file(inputs: Mapping[str, Any]) -> str:
    return Path(str(inputs.get("file"))).name
