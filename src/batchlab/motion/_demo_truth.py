"""What the demo found, held against what its files were made with."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.engine import BatchView, JobView, Json, Scalar, Status
from batchlab.errors import ConfigError
from batchlab.motion._demo import AXES, LINE, LOOSE, PLAIN, SWAPPED
from batchlab.reports import Finding

if TYPE_CHECKING:
    from batchlab.motion._model import Float

__all__ = ["errors_of", "findings"]

_CHOICE_OFF, _GEOMETRY_MM, _NOISE_OFF, _SWAP_FRAMES = 1.15, 0.5, 0.05, 3


def findings(view: BatchView, truth: Mapping[str, Any]) -> list[Finding]:
    """Each thing that was known before, and what was found."""
    jobs = {job.name.rpartition("/")[2]: job for job in view.jobs if job.state is Status.DONE}
    found = [*_weights(view, truth)]
    plain = jobs.get(f"{PLAIN}_1")
    if plain is not None:
        found += [_geometry(view, plain, truth), _noise(plain, truth)]
    if LOOSE in jobs:
        name = jobs[LOOSE].metrics.get("loose_markers")
        found.append(_same("loose marker", LOOSE, truth["loose"], name))
    if SWAPPED in jobs:
        found.append(_swap(view, jobs[SWAPPED], truth["swap"]))
    if LINE in jobs:
        told = [text for text in jobs[LINE].warnings if "almost on a line" in text]
        found.append(_same("shape", LINE, "on a line", "on a line" if told else "none", *told))
    return found


def errors_of(view: BatchView, truth: Mapping[str, Any]) -> dict[tuple[Json, ...], float]:
    """How far fitted markers are from where they truly were, in mm rms, by values of the swept weights."""
    import numpy as np

    errors: dict[tuple[Json, ...], list[float]] = {}
    for job in view.jobs:
        if job.state is not Status.DONE or "held_out_mm" not in job.metrics:
            continue
        fitted = _fitted(view, job)
        if fitted is None:
            continue
        true = np.array(truth["positions_mm"][_stem(job)])
        error = float(np.sqrt(np.mean(np.sum((fitted - true) ** 2, axis=-1))))
        errors.setdefault(_swept(job), []).append(error)
    return {values: float(np.sqrt(np.mean(np.square(each)))) for values, each in errors.items()}


def _weights(view: BatchView, truth: Mapping[str, Any]) -> Iterator[Finding]:
    """The weights that come closest to the truth, and those that foretell hidden markers best."""
    from batchlab.motion._best import find_best

    errors = errors_of(view, truth)
    try:
        choice = find_best(view)
    except ConfigError as error:
        yield Finding(what="weights", where=PLAIN, truth=None, found=None, told=str(error), kept=False)
        return
    if not errors:
        yield Finding(what="weights", where=PLAIN, truth=None, found=None, told="no poses were written", kept=False)
        return
    true = min(errors, key=lambda values: errors[values])
    least = tuple(choice.candidates[0][0].get(name) for name in AXES)
    chosen = tuple(choice.params.get(name) for name in AXES)
    yield Finding(
        what="weights nearest the truth",
        where=f"{len(errors)} combinations",
        truth=_words(true),
        found=_words(least),
        told=f"fitted markers are {errors[true]:.2f} mm from their true places there, and {max(errors.values()):.2f} "
        "mm in the worst; the score knows of neither",
        kept=least == true,
    )
    off = errors.get(chosen, float("inf"))
    yield Finding(
        what="weights that are chosen",
        where="the smoothest of equals",
        truth=_words(true),
        found=_words(chosen),
        told=f"{off:.2f} mm from the truth, and {errors[true]:.2f} mm at the best",
        kept=off <= _CHOICE_OFF * errors[true],
    )


def _geometry(view: BatchView, job: JobView, truth: Mapping[str, Any]) -> Finding:
    import numpy as np

    from batchlab.motion._write import read_geometry

    true = np.array(truth["geometry_mm"])
    _, found = read_geometry(_path(view, job, "geometry"))
    between = [np.linalg.norm(each[:, None] - each[None], axis=-1) for each in (true, found * 1e3)]
    off = float(np.abs(between[0] - between[1]).max())
    size = float(between[0].max())
    return Finding(
        what="geometry",
        where=f"{PLAIN}_1",
        truth=f"{size:.2f} mm across",
        found=f"{float(between[1].max()):.2f} mm across",
        told=f"no distance between two of {len(true)} markers is off by more than {off:.2f} mm",
        kept=off <= _GEOMETRY_MM,
    )


def _noise(job: JobView, truth: Mapping[str, Any]) -> Finding:
    true, chi2, weights = float(truth["noise_mm"]), job.metrics.get("chi2_reduced"), job.params["weights"]
    assert isinstance(weights, Mapping) and isinstance(chi2, float)
    found = 1e3 * chi2**0.5 / float(str(weights["data_per_m"]))
    return Finding(
        what="noise of a coordinate",
        where=f"{PLAIN}_1",
        truth=f"{true:g} mm",
        found=f"{found:.3g} mm",
        told="the weight of the data, mended by reduced chi-square",
        kept=abs(found / true - 1.0) <= _NOISE_OFF,
    )


def _swap(view: BatchView, job: JobView, truth: Mapping[str, Any]) -> Finding:
    report = json.loads(_path(view, job, "fit").read_text(encoding="utf-8"))
    swaps = report["recordings"][0]["judgement"]["swaps"]
    kept = (
        len(swaps) == 1
        and set(swaps[0]["names"]) == set(truth["names"])
        and max(abs(swaps[0][end] - truth[end]) for end in ("start", "stop")) <= _SWAP_FRAMES
    )
    return Finding(
        what="swapped names",
        where=SWAPPED,
        truth=_swapped(truth),
        found="; ".join(_swapped(each) for each in swaps) or "none",
        told="" if kept else "one swap should be found, from where it begins to where it ends",
        kept=kept,
    )


def _swapped(swap: Mapping[str, Any]) -> str:
    return f"{' and '.join(sorted(swap['names']))}, frames {swap['start']} to {swap['stop'] - 1}"


def _same(what: str, where: str, truth: str, found: Scalar, told: str = "") -> Finding:
    return Finding(what=what, where=where, truth=truth, found=found or "none", told=told, kept=found == truth)


def _words(values: tuple[Json, ...]) -> str:
    return ", ".join(
        f"{name.rpartition('.')[2]} {value:g}" if isinstance(value, (int, float)) else f"{name} {value}"
        for name, value in zip(AXES, values, strict=True)
    )


def _swept(job: JobView) -> tuple[Json, ...]:
    weights = job.params.get("weights")
    assert isinstance(weights, Mapping)
    return tuple(weights.get(name.rpartition(".")[2]) for name in AXES)


def _stem(job: JobView) -> str:
    recordings = job.inputs["recordings"]
    return Path(str(recordings[0] if isinstance(recordings, (list, tuple)) else recordings)).stem


def _path(view: BatchView, job: JobView, name: str) -> Path:
    return Path(view.root) / next(output.path for output in job.outputs if output.name == name)


def _fitted(view: BatchView, job: JobView) -> Float | None:
    """(F, M, 3) fitted places of markers in mm, from the files of the job; None if it wrote no poses."""
    import numpy as np

    from batchlab.motion._solve import from_quaternions
    from batchlab.motion._write import read_geometry

    if not {"poses", "geometry"} <= {output.name for output in job.outputs}:
        return None
    _, geometry = read_geometry(_path(view, job, "geometry"))
    with _path(view, job, "poses").open(encoding="utf-8", newline="") as file:
        names = ("q_w", "q_x", "q_y", "q_z", "x_mm", "y_mm", "z_mm")
        poses = np.array([[float(row[name]) for name in names] for row in csv.DictReader(file)])
    rotations = from_quaternions(poses[:, :4])
    out: Float = np.einsum("fij,mj->fmi", rotations, geometry * 1e3) + poses[:, None, 4:]
    return out
