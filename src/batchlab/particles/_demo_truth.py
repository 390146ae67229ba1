"""What is true of a demo's mission beside what was found: beams, counts, gaps, limits, marks and faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.engine import BatchView, JobView, Status
from batchlab.reports import Finding

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

__all__ = ["Numbers", "beam_found", "findings", "read_numbers"]

_BEAM_OFF = 0.05  # of the true energy, median; a channel is 20 % wide
_GAP_S = 1.0
_SEARCHED_EV = {"e": (300.0, 30_000.0), "i": (100.0, 10_000.0)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Numbers:
    """What a run wrote of a file.

    Attributes
    ----------
    categories
        Names.
    times_s
        (N, 2).
    mode
        (N,).
    energy_ev
        (M, E); NaN beyond a mode's channels.
    values
        (C, N, E); NaN where nothing was measured.
    """

    categories: tuple[str, ...]
    times_s: Float
    mode: NDArray[np.int64]
    energy_ev: Float
    values: Float


def findings(view: BatchView, truth: Mapping[str, Any]) -> list[Finding]:
    """All that was known beforehand, with what was found."""
    from batchlab.particles._demo import COUNTS

    numbers: dict[str, Numbers] = {}
    for job in view.jobs:
        path = next((output.path for output in job.outputs if output.name == "data"), None)
        if path is not None and job.state is Status.DONE and (Path(view.root) / path).is_file():
            numbers[job.name] = read_numbers(Path(view.root) / path)
    found: list[Finding] = []
    for each in truth["files"]:
        where = f"{each['orbit']} {each['instrument']}"
        name = f"{each['orbit']}/{each['instrument']}"
        ours = numbers.get(f"read/{name}")
        if ours is None:
            found.append(Finding(what="numbers", where=where, truth=None, found=None, told="not there", kept=False))
            continue
        found += [_beam(where, each, ours), _gaps(where, each, ours)]
        if "counts" in each:
            counted = numbers.get(f"{COUNTS}/{name}")
            found.append(_counts(where, each, counted))
    found += _limits(view, numbers)
    found += _marks(view, truth)
    found += _faults(view, truth)
    return found


def read_numbers(path: Path) -> Numbers:
    """The numbers of a file as a run wrote them."""
    import numpy as np
    from scipy.io import netcdf_file

    with netcdf_file(path, mmap=False) as file:
        take = {name: np.array(variable[:]) for name, variable in file.variables.items()}
        values = take["intensity"].astype(np.float64)
        values[take["intensity"] == file.variables["intensity"]._FillValue] = np.nan
    energy = take["energy"].astype(np.float64)
    energy[energy > 1e30] = np.nan
    return Numbers(
        categories=tuple(row.tobytes().rstrip(b"\x00").decode() for row in take["category_name"]),
        times_s=np.stack([take["time_start"], take["time_end"]], axis=1).astype(np.float64),
        mode=take["mode"].astype(np.int64),
        energy_ev=energy,
        values=values,
    )


def beam_found(numbers: Numbers, instrument: str) -> Float:
    """(N,) energy in eV at which each record peaks along the beam: vertex of a parabola through three channels."""
    import numpy as np

    category = "downgoing" if instrument.startswith("e") else "upgoing"
    low, high = _SEARCHED_EV[instrument[0]]
    values = numbers.values[numbers.categories.index(category)]
    energy = numbers.energy_ev[numbers.mode]
    searched = np.where((energy >= low) & (energy <= high), values, np.nan)
    found = np.full(len(values), np.nan)
    for record in np.flatnonzero(np.isfinite(searched).any(axis=1)):
        peak = int(np.nanargmax(searched[record]))
        near = slice(max(peak - 1, 0), peak + 2)
        x, y = np.log(energy[record, near]), np.log(np.maximum(values[record, near], 1e-30))
        found[record] = energy[record, peak]
        if len(x) == 3 and np.isfinite(x).all() and np.isfinite(y).all():
            square, slope, _ = np.polyfit(x - x[1], y, 2)
            if square < 0:
                found[record] *= np.exp(-slope / (2 * square))
    return found


def _beam(where: str, truth: Mapping[str, Any], ours: Numbers) -> Finding:
    import numpy as np

    true = np.array(truth["beam_ev"])
    if len(true) != len(ours.times_s):
        return _wrong("beam energy", where, f"{len(ours.times_s)} records are there, and {len(true)} are good")
    found = beam_found(ours, truth["instrument"])
    off = np.abs(found / true - 1.0)
    worst = float(np.nanmedian(off))
    return Finding(
        what="beam energy",
        where=where,
        truth=f"{true.min():.0f} to {true.max():.0f} eV",
        found=f"{np.nanmin(found):.0f} to {np.nanmax(found):.0f} eV",
        told=f"the median of {len(true)} records is off by {100 * worst:.1f} %, the largest by {100 * off.max():.0f} %",
        kept=bool(np.isfinite(off).all()) and worst <= _BEAM_OFF,
    )


def _gaps(where: str, truth: Mapping[str, Any], ours: Numbers) -> Finding:
    import numpy as np

    true, found = _gaps_of(np.array(truth["times_s"])), _gaps_of(ours.times_s)
    same = true.shape == found.shape and bool(np.abs(true - found).max(initial=0.0) < 1e-3)
    return Finding(
        what="gaps",
        where=where,
        truth=_summed(true),
        found=_summed(found),
        told="each begins and ends where it should" if same else "they are not where they should be",
        kept=same,
    )


def _gaps_of(times_s: Float) -> Float:
    import numpy as np

    after = np.flatnonzero(times_s[1:, 0] - times_s[:-1, 1] > _GAP_S)
    found: Float = np.stack([times_s[after, 1], times_s[after + 1, 0]], axis=1)
    return found


def _summed(gaps: Float) -> str:
    return f"{len(gaps)}, {float((gaps[:, 1] - gaps[:, 0]).sum()):.1f} s"


def _counts(where: str, truth: Mapping[str, Any], ours: Numbers | None) -> Finding:
    import numpy as np

    if ours is None:
        return _wrong("counts", where, "they were not written")
    energies, counts = np.array(truth["energy_ev"]), np.array(truth["counts"])
    values = ours.values[ours.categories.index("all")]
    true_sum = found_sum = wrong = cells = 0
    for mode, table in enumerate(ours.energy_ev):
        records = ours.mode == mode
        for channel, energy in enumerate(table):
            # The voltage flies back in the first step of a sweep, so nothing is shown of it.
            same = np.flatnonzero(np.isclose(energies[records][0], energy, rtol=1e-6)) if records.any() else np.empty(0)
            if not same.size or not same[0]:
                continue
            true, found = counts[records][:, int(same[0])], values[records, channel]
            true_sum, found_sum = true_sum + int(true.sum()), found_sum + int(np.nansum(found))
            wrong, cells = wrong + int((true != found).sum()), cells + true.size
    return Finding(
        what="counts",
        where=where,
        truth=true_sum,
        found=found_sum,
        told=f"{cells - wrong} of {cells} cells hold exactly the counts that their flux was made of",
        kept=wrong == 0 and cells > 0,
    )


def _limits(view: BatchView, numbers: Mapping[str, Numbers]) -> Iterator[Finding]:
    """The end of the colours of each instrument, against the percentile of all its values together."""
    import numpy as np

    from batchlab.particles._limits import rounded_outwards

    for job in view.jobs:
        if job.task != "particles.limits" or job.state is not Status.DONE:
            continue
        instrument = job.name.rpartition("/")[2]
        pooled = [
            each.values[each.categories.index("all")].ravel()
            for name, each in numbers.items()
            if name.startswith("read/") and name.endswith(f"/{instrument}")
        ]
        values = np.concatenate(pooled) if pooled else np.empty(0)
        values = values[np.isfinite(values) & (values > 0)]
        if not values.size:
            continue
        percentile = float(np.percentile(values, 99.0))
        true, found = rounded_outwards(percentile, up=True), job.metrics.get("all_z_max")
        near = isinstance(found, float) and abs(found / true - 1.0) < 1e-9
        yield Finding(
            what="end of colours",
            where=f"all {instrument}",
            truth=true,
            found=found,
            told=f"percentile 99 of {values.size} values is {percentile:.4g}, outwards to two digits {true:.2g}",
            kept=near,
        )


def _marks(view: BatchView, truth: Mapping[str, Any]) -> Iterator[Finding]:
    """The cusp, in the pictures by pitch angle of each orbit."""
    wanted: dict[str, int] = {}
    for each in truth["files"]:
        wanted[str(each["orbit"])] = wanted.get(str(each["orbit"]), 0) + bool(each["cusp"])
    for orbit, files in wanted.items():
        marked = {
            job.name.split("/")[2]
            for job in _plots_of(view, orbit)
            if isinstance(job.metrics.get("marks"), int) and job.metrics["marks"]
        }
        yield Finding(
            what="cusp marked",
            where=orbit,
            truth=f"of {files} files",
            found=f"of {len(marked)} files",
            told="each picture of these shows it" if len(marked) == files else "some pictures lack it",
            kept=len(marked) == files,
        )


def _plots_of(view: BatchView, orbit: str) -> list[JobView]:
    return [
        job
        for job in view.jobs
        if job.name.startswith(f"plot/{orbit}/") and "/instruments/" not in job.name and job.state is Status.DONE
    ]


def _faults(view: BatchView, truth: Mapping[str, Any]) -> Iterator[Finding]:
    from batchlab.particles._demo import OUTCOMES

    read = {
        Path(str(job.inputs.get("file"))).name: job
        for job in view.jobs
        if job.task == "particles.collapse" and job.name.startswith("read/")
    }
    for name, fault in truth["faults"].items():
        job, reason = read.get(name), OUTCOMES[fault]
        if job is None:
            found, kept = "passed over", fault == "old-version"
        elif job.state is Status.FAILED:
            found, kept = str(job.reason or job.category), job.reason == reason
        else:
            found, kept = _read_as(job), reason is None and _as_meant(job, fault)
        where = job.name.removeprefix("read/").replace("/", " ") if job is not None else name
        told = "no other file suffers" if kept else "it should have been otherwise"
        yield Finding(what="fault", where=where, truth=fault, found=found, told=told, kept=kept)


def _read_as(job: JobView) -> str:
    if job.metrics.get("out_of_order_records"):
        return f"read, {job.metrics['out_of_order_records']} records put in order"
    if job.metrics.get("positive_values") == 0:
        return "read, no value above zero"
    return "read"


def _as_meant(job: JobView, fault: str) -> bool:
    if fault == "out-of-order":
        return bool(job.metrics.get("out_of_order_records"))
    return (job.metrics.get("positive_values") == 0) == (fault == "zeros")


def _wrong(what: str, where: str, told: str) -> Finding:
    return Finding(what=what, where=where, truth=None, found=None, told=told, kept=False)
