"""Rigid bodies from markers: weights chosen by what they foretell, a loose marker and swapped names found.

The entry point group ``batchlab.demos`` names this module; `make_demo` and `expected` are what it offers.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.engine import Batch, BatchView, Json, Settings, Status
from batchlab.reports import TRUTH, read_truth

if TYPE_CHECKING:
    from batchlab.motion._synthetic import Truth

__all__ = ["AXES", "LINE", "LOOSE", "NAME", "PLAIN", "SWAPPED", "expected", "make_demo"]

NAME = "demo-motion"
PLAIN, LOOSE, SWAPPED, LINE = "walk", "loose", "swapped", "on_a_line"
AXES: dict[str, list[Json]] = {
    "weights.rotation": [0.003, 0.01, 0.03, 0.1, 0.3],
    "weights.translation": [0.1, 0.3, 1.0, 3.0],
}
_NOISE_M = 0.002
_WEIGHTS: dict[str, Json] = {"data_per_m": 1.0 / _NOISE_M, "rotation": 0.03, "translation": 0.3}


def make_demo(
    folder: Path, recordings: int = 2, frames: int = 400, *, seed: int = 5, settings: Settings | None = None
) -> Batch:
    """Write recordings of bodies that never were, and make the batch over them.

    Parameters
    ----------
    folder
        Recordings go to its folder ``data``, results to ``out``.
    recordings
        Of a plain body, whose weights are swept. Three more have a loose marker, swapped names, and all markers on a
        line.
    frames
        Of each.
    seed
        Equal seeds give equal files.
    settings
        How the batch is run.
    """
    from batchlab.motion._batch import fit_batch, sweep
    from batchlab.motion._synthetic import Case, simulate

    folder = Path(folder).resolve()
    data, out = folder / "data", folder / "out"

    def write(name: str, case: Case, session: int = 0) -> Truth:
        truth = simulate(name, case=case, frames=frames, noise_m=_NOISE_M, seed=seed, session=session)
        return replace(truth, path=_written(data, truth))

    plain = [write(f"{PLAIN}_{number}", Case.PLAIN, number) for number in range(1, recordings + 1)]
    loose, swapped, line = write(LOOSE, Case.LOOSE), write(SWAPPED, Case.SWAPPED), write(LINE, Case.COLLINEAR)
    (folder / TRUTH).write_text(json.dumps(_truths(plain, loose, swapped)), encoding="utf-8")
    weights: dict[str, Json] = {"weights": _WEIGHTS}
    swept = sweep(
        [str(each.path) for each in plain],
        AXES,
        out,
        params={"weights": {"data_per_m": _WEIGHTS["data_per_m"]}, "covariance": False, "judge": False},
        tables=True,
    )
    fitted = fit_batch([str(each.path) for each in (plain[0], loose, swapped, line)], out, params=weights)
    return Batch(name=NAME, output=out, jobs=(*fitted.jobs, *swept.jobs), settings=settings or Settings())


def _written(folder: Path, truth: Truth) -> Path:
    """The recording's file; one that is there already keeps its time."""
    import tempfile

    from batchlab.motion._synthetic import write_recording

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="batchlab-") as beside:
        new = write_recording(Path(beside), truth.recording)
        target = folder / new.name
        content = new.read_bytes()
    if not target.is_file() or target.read_bytes() != content:
        target.write_bytes(content)
    return target


def _truths(plain: list[Truth], loose: Truth, swapped: Truth) -> dict[str, Any]:
    """What was known before the files were written."""
    swap = swapped.swap
    assert swap is not None
    return {
        "noise_mm": _NOISE_M * 1e3,
        "geometry_mm": (plain[0].geometry_m * 1e3).round(6).tolist(),
        "positions_mm": {each.recording.name: (each.positions_m * 1e3).round(4).tolist() for each in plain},
        "loose": loose.loose,
        "swap": {"names": [swap.first, swap.second], "start": swap.start, "stop": swap.stop},
    }


def expected(view: BatchView) -> str | None:
    """What is not as it should be in the outcome of the demo; None if all is."""
    from batchlab.motion._demo_truth import findings

    truth = read_truth(view)
    if truth is None:
        return f"the table of what is true ({TRUTH}) is not beside the results"
    wrong = [
        f"{job.name} should be done, and is {job.state.value}" for job in view.jobs if job.state is not Status.DONE
    ]
    if not wrong:
        wrong = [
            f"{each.what} of {each.where}: {each.told or each.found}" for each in findings(view, truth) if not each.kept
        ]
    return "; ".join(wrong) or None
