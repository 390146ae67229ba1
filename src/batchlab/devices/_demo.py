"""Graphene transistors from raw lab files: staged, numbered, measured, drawn, and every metric held against its truth.

The entry point group ``batchlab.demos`` names this module; `make_demo`, `expected` and `on_purpose` are what it
offers.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.devices._batches import PAIRED
from batchlab.devices._history import file_of
from batchlab.devices._layout import ENRICHED, HISTORIES, METRICS, PAGES
from batchlab.devices._manifest import MANIFEST, REJECTS, RUNS
from batchlab.devices._model import Chip
from batchlab.engine import Batch, BatchView, From, Gather, Input, Job, Json, Settings, Status
from batchlab.reports import TRUTH, read_truth

if TYPE_CHECKING:
    from batchlab.devices._synthetic import Lab, Truth

__all__ = ["expected", "make_demo", "on_purpose"]

_STAGE, _DERIVED = "02_stage", "03_derived"
_ABORTED = "IVg_aborted.csv"

# Metric and method: the truth's name, whether the error is relative, and the most that its median may be.
PROMISES: Mapping[tuple[str, str], tuple[str, bool, float]] = {
    ("cnp_forward", "robust"): ("dirac_forward_v", False, 1e-3),
    ("cnp_backward", "robust"): ("dirac_backward_v", False, 1e-3),
    ("mobility_fe_holes", "savgol"): ("mobility_holes_cm2", True, 0.05),
    ("delta_i_corrected", "dark-drift"): ("delta", True, 0.03),
    ("t_rise", "time-below"): ("rise_s", True, 0.10),
    ("t_fall", "time-below"): ("fall_s", True, 0.10),
    ("tau_dark", "stretched-exponential"): ("tau_s", True, 0.03),
    ("beta_dark", "stretched-exponential"): ("beta", False, 0.03),
    ("irradiated_power", "calibration"): ("power_w", True, 0.01),
}


def make_demo(
    folder: Path, chips: int = 3, runs: int = 24, *, seed: int = 0, settings: Settings | None = None
) -> Batch:
    """Write the raw files of a laboratory, and make the batch over them.

    Parameters
    ----------
    folder
        Raw files go to its folder ``data/01_raw``, results to ``out``.
    chips, runs
        How many chips, and runs of each. One more file is an aborted run, on purpose.
    seed
        Equal seeds give equal files.
    settings
        How the batch is run.
    """
    from batchlab.devices._synthetic import write_lab

    folder = Path(folder).resolve()
    with tempfile.TemporaryDirectory(prefix="batchlab-") as beside:
        lab = write_lab(Path(beside), chips=chips, runs=runs, seed=seed, documented=False)
        _abort_one(lab)
        (lab.folder / "chips.yaml").write_text(_geometries(lab), encoding="utf-8")
        _put(lab.folder, folder)
        lab = replace(lab, folder=folder, raw_root=folder / "data" / "01_raw")
    jobs = (*_staging(lab), *_deriving(lab), _pages(), *_plots(lab))
    return Batch(name="demo-devices", output=folder / "out", jobs=jobs, settings=settings or Settings())


def _abort_one(lab: Lab) -> None:
    """A sweep that was stopped before its first row."""
    whole = lab.raw_root / lab.of("IVg")[0].file
    lines = whole.read_bytes().split(b"\r\n")
    at = next(k for k, line in enumerate(lines) if line.startswith(b"#Data"))
    whole.with_name(_ABORTED).write_bytes(b"\r\n".join(lines[: at + 2]) + b"\r\n")


def _geometries(lab: Lab) -> str:
    parts = ["# What mobilities are derived from.\n"]
    for chip, device in sorted(lab.devices.items()):
        parts.append(
            f"{chip.name}:\n  length_over_width: {device.length_over_width!r}\n  layers:\n"
            f"    - {{material: hBN, thickness_nm: {device.top_nm!r}}}\n"
            f"    - {{material: biotite, thickness_nm: {device.bottom_nm!r}}}\n"
        )
    return "".join(parts)


def _put(source: Path, target: Path) -> None:
    """Bring a folder's files into another; those that are there already keep their times."""
    for path in sorted(source.rglob("*")):
        if not path.is_file():
            continue
        to, content = target / path.relative_to(source), path.read_bytes()
        if not to.is_file() or to.read_bytes() != content:
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(content)


def _staging(lab: Lab) -> Iterator[Job]:
    from batchlab.devices._read import discover

    yield Job(
        name="stage",
        task="devices.stage",
        params={"raw_root": str(lab.raw_root), "previous": str(lab.folder / "out" / _STAGE)},
        inputs={"raw": tuple(map(str, discover(lab.raw_root)))},
        outputs={
            "manifest": f"{_STAGE}/{MANIFEST}",
            "rejects": f"{_STAGE}/{REJECTS}",
            "runs": f"{_STAGE}/{RUNS}/",
        },
    )
    yield Job(
        name="histories",
        task="devices.histories",
        inputs={"manifest": _staged()},
        outputs={"histories": f"{_STAGE}/{HISTORIES}/"},
    )


def _staged() -> Input:
    return From(jobs=("stage",), output="manifest")


def _deriving(lab: Lab) -> Iterator[Job]:
    groups = sorted({(t.chip, t.procedure) for t in lab.truths if t.chip is not None})
    parts = []
    for chip, procedure in groups:
        params: dict[str, Json] = {"chip_group": chip.group, "chip_number": chip.number, "procedure": procedure}
        inputs: dict[str, Input] = {"manifest": _staged(), "geometries": str(lab.folder / "chips.yaml")}
        parts.append(_part(f"extract/{chip.name}/{procedure}", "devices.extract", params, inputs))
    parts.append(_part("pairs", "devices.pairs", {"procedures": list(PAIRED)}, {"manifest": _staged()}))
    yield from parts
    tables = lab.folder / "out" / _DERIVED / METRICS
    yield Job(
        name="merge",
        task="devices.merge",
        params={
            "table": str(tables / "metrics.parquet"),
            "versions": str(tables / "metrics_versions.parquet"),
            "complete": True,
        },
        inputs={"manifest": _staged(), "parts": From(jobs=tuple(job.name for job in parts), gather=Gather.DONE)},
        outputs={
            "metrics": f"{_DERIVED}/{METRICS}/metrics.parquet",
            "wide": f"{_DERIVED}/{METRICS}/metrics_wide.parquet",
            "versions": f"{_DERIVED}/{METRICS}/metrics_versions.parquet",
        },
    )
    for chip in sorted(lab.devices):
        yield Job(
            name=f"enrich/{chip.name}",
            task="devices.enrich",
            params={"chip": chip.name, "chip_group": chip.group, "chip_number": chip.number},
            inputs={
                "manifest": _staged(),
                "history": From(jobs=("histories",), gather=Gather.ALL),
                "metrics": From(jobs=("merge",), output="wide"),
            },
            outputs={"enriched": f"{_DERIVED}/{ENRICHED}/{file_of(chip.name)}"},
        )


def _pages() -> Job:
    return Job(
        name="report",
        task="devices.report",
        inputs={"manifest": _staged(), "metrics": From(jobs=("merge",), output="metrics")},
        outputs={"pages": f"{_DERIVED}/{PAGES}/"},
    )


def _part(name: str, task: str, params: Mapping[str, Json], inputs: Mapping[str, Input]) -> Job:
    path = f"{_DERIVED}/{METRICS}/parts/{name.replace('/', '_')}.parquet"
    return Job(name=name, task=task, params=params, inputs=inputs, outputs={"part": path})


def _plots(lab: Lab) -> Iterator[Job]:
    chip = min(lab.devices)
    of_chip = [truth for truth in lab.truths if truth.chip == chip and not truth.dead]
    sweeps = [truth for truth in of_chip if truth.procedure == "IVg"]
    traces = [truth for truth in of_chip if truth.procedure == "It" and truth.laser_voltage_v]
    one_light = [truth for truth in traces if truth.wavelength_nm == traces[0].wavelength_nm]
    yield _plot(lab, chip, "plot-ivg", sweeps)
    yield _plot(lab, chip, "plot-transconductance", sweeps[:3])
    yield _plot(lab, chip, "plot-consecutive-sweep-diff", sweeps[:4])
    yield _plot(lab, chip, "plot-its", one_light, {"legend_by": "led_voltage"})
    yield _plot(lab, chip, "plot-its-relaxation", one_light[:1])
    yield _plot(lab, None, "plot-laser-calibration", lab.of("LaserCalibration"))


def _plot(
    lab: Lab, chip: Chip | None, type: str, truths: Sequence[Truth], options: Mapping[str, Json] | None = None
) -> Job:
    from batchlab.devices._read import read_run

    told: list[dict[str, Any]] = []
    for number, truth in enumerate(truths, 1):
        run = read_run(lab.raw_root / truth.file)
        told.append({"run_id": run.run_id, "seq": truth.seq or number, "file_number": _file_number(truth.file)})
    name = chip.name if chip is not None else "lab"
    return Job(
        name=f"{type}/{name}",
        task="devices.plot",
        params={"type": type, "runs": told, "options": dict(options or {}), "style": {"dpi": 150}},
        inputs={"store": _staged()},
        outputs={"figure": f"figs/{name}_{type.removeprefix('plot-')}.png"},
    )


def _file_number(file: str) -> int:
    return int(Path(file).stem.rpartition("_")[2])


# what it came to


def expected(view: BatchView) -> str | None:
    """What is not as it should be in the outcome of the demo; None if all is.

    Every job is to be done, only the aborted file refused, every run staged, and the median errors of metrics to be as
    small as promised.
    """
    truths = truths_of(view)
    if truths is None:
        return f"the table of what is true ({TRUTH}) is not beside the results"
    return "; ".join([*_not_done(view), *_not_staged(view, truths), *_not_found(view, truths)]) or None


def on_purpose(view: BatchView) -> str | None:
    """What failed because it was made to fail."""
    for job in view.jobs:
        for item in job.items:
            if item.status is Status.FAILED and item.name.endswith(_ABORTED):
                return f"1 file refused, as it should be: {item.name} ({item.reason})"
    return None


def truths_of(view: BatchView) -> list[dict[str, Any]] | None:
    """What is true of each run of a demo; None if it is not told beside the results."""
    truth = read_truth(view)
    return None if truth is None else list(truth["runs"])


def _not_done(view: BatchView) -> Iterator[str]:
    for job in view.jobs:
        if job.state is not Status.DONE:
            yield f"{job.name} should be done, and is {job.state.value}"
        for item in job.items:
            if item.status is Status.FAILED and not item.name.endswith(_ABORTED):
                yield f"{job.name}: {item.name} failed ({item.reason or item.message})"


def _not_staged(view: BatchView, truths: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    from batchlab.devices._store import Store

    root = Path(view.root) / _STAGE
    if not (root / MANIFEST).is_file():
        yield "no store was made"
        return
    store = Store(root)
    missing = {truth["file"] for truth in truths} - set(store.table["source_file"])
    if missing:
        yield f"{len(missing)} runs are not staged, among them {min(missing)}"
    refused = store.rejects().select("source_file", "reason").rows()
    if [(Path(file).name, reason) for file, reason in refused] != [(_ABORTED, "no-rows")]:
        yield f"{_ABORTED} alone should be refused for having no rows, and it is {refused}"


def _not_found(view: BatchView, truths: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Metrics whose median errors are larger than promised."""
    for (metric, method), errors in errors_of(view, truths).items():
        name, relative, most = PROMISES[metric, method]
        if not errors:
            yield f"{metric} by {method} was found for no run"
            continue
        error = _median(errors)
        if not error <= most:
            unit = "of it" if relative else "in its unit"
            yield f"{metric} by {method} is off from {name} by {error:.3g} {unit}, more than {most:g}"


def errors_of(view: BatchView, truths: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[float]]:
    """Absolute errors of each promised metric and method, run by run; relative ones where the promise is."""
    import polars as pl

    from batchlab.devices._store import Store

    root = Path(view.root)
    table = root / _DERIVED / METRICS / "metrics.parquet"
    found: dict[tuple[str, str], list[float]] = defaultdict(list, {key: [] for key in PROMISES})
    if not table.is_file() or not (root / _STAGE / MANIFEST).is_file():
        return dict(found)
    files = dict(Store(root / _STAGE).table.select("run_id", "source_file").iter_rows())
    true = {truth["file"]: truth["values"] for truth in truths}
    columns = ("run_id", "metric_name", "extraction_method", "value_float")
    for run_id, metric, method, value in pl.read_parquet(table, glob=False).select(columns).iter_rows():
        promise = PROMISES.get((metric, method))
        values = true.get(files.get(run_id, ""), {})
        if promise is not None and promise[0] in values and value is not None:
            truth = values[promise[0]]
            found[metric, method].append(abs(value - truth) / (abs(truth) if promise[1] else 1.0))
    return dict(found)


def _median(values: Sequence[float]) -> float:
    from statistics import median

    return median(values)
