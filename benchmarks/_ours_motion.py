"""Our side of the rows of motion: solves again and again in one process, and commands as they are typed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

RATE_HZ = 100.0
_HOWS: dict[str, dict[str, Any]] = {
    "joint": {},
    "joint, to 1e-6": {"tolerance": 1e-6},
    "poses": {"geometry": False},
    "robust": {"loss": "huber"},
    "errors": {"covariance": True},
}


def write_thousand(n: int, folder: str) -> None:
    """1,000 frames of 8 markers, however many solves there are."""
    _write(1_000, folder)


def write_ten_thousand(n: int, folder: str) -> None:
    """10,000 frames, likewise."""
    _write(10_000, folder)


def write_few(n: int, folder: str) -> None:
    """200 frames, likewise."""
    _write(200, folder)


def write_thousands(n: int, folder: str) -> None:
    """`n` thousand frames."""
    _write(1_000 * n, folder)


def write_table(n: int, folder: str) -> None:
    """2,000 frames as a table of coordinates in mm."""
    _write_table(2_000, folder)


def write_small_table(n: int, folder: str) -> None:
    """The same with 200 frames."""
    _write_table(200, folder)


def solve(n: int, folder: str, how: str) -> None:
    """Solve what lies in `folder`, `n` times."""
    read = read_recording(folder)
    for _ in range(n):
        solved(read, how)


def solve_thousands(n: int, folder: str) -> None:
    """Solve the first `n` thousand frames, once."""
    solved(read_recording(folder, frames=1_000 * n), "joint")


def read_recording(folder: str, frames: int | None = None) -> Any:
    """The recording in `folder`, or its first frames, and the true geometry."""
    import numpy as np

    from batchlab.motion import Recording

    with np.load(Path(folder, "recording.npz")) as file:
        positions, geometry = file["positions"][:frames], file["geometry"]
    names = tuple(f"m{number}" for number in range(positions.shape[1]))
    times = np.arange(len(positions)) / RATE_HZ
    return Recording(name="r", markers=names, times_s=times, positions=positions, unit="m", rate_hz=RATE_HZ), geometry


def solved(read: Any, how: str) -> Any:
    """Fit of a recording; it has to converge."""
    from batchlab.motion import Body, FitOptions, Loss, Status, Weights, fit_body
    from benchmarks._motion_weights import DATA, MOVE, TURN

    recording, geometry = read
    asked: dict[str, Any] = {"loss": "squared", "covariance": False, **_HOWS[how]}
    asked["loss"] = Loss(asked["loss"])
    if not asked.get("geometry", True):
        asked["geometry_m"] = geometry
    weights = Weights(data_per_m=DATA, rotation=TURN, translation=MOVE)
    body = Body(name="b", markers=recording.markers)
    (fit,) = fit_body([recording], body, FitOptions(weights=weights, **asked))
    if fit.status is not Status.CONVERGED:
        raise SystemExit(f"the fit ended with {fit.status}")
    return fit


def sweep(n: int, folder: str, output: str) -> None:
    """`n` combinations of weights and losses on one recording, each scored five-fold, two workers."""
    axes = {"weights.rotation": (0.1, 0.3, 1.0), "weights.translation": (0.1, 0.3, 1.0), "loss_scale": (1.5, 2.0, 3.0)}
    grid = [word for name, values in axes.items() for word in ("-g", f"{name}={','.join(map(str, values))}")]
    if n == 1:
        grid = ["-g", "weights.rotation=0.3"]
    words = ("sweep", f"{folder}/subject_01_session_1.csv", *grid, "--noise", "2", "-w", "2", "--quiet")
    batchlab(output, *words, "-o", f"{output}/sweep")


def batchlab(output: str, *words: str) -> None:
    """Run ``batchlab motion`` in this process, as its console script does, with a cache of its own in `output`."""
    from batchlab.cli import main

    os.environ["XDG_CACHE_HOME"] = str(Path(output, "cache").absolute())
    sys.argv = ["batchlab", "motion", *words]
    try:
        main()
    except SystemExit as ended:
        if ended.code:  # what it last said is the reason
            raise


def error_mm(folder: str, rotations: Any, translations: Any, geometry: Any) -> float:
    """Root mean square distance of found markers from true ones."""
    import numpy as np

    with np.load(Path(folder, "recording.npz")) as file:
        true = file["true"]
    found = np.einsum("fij,mj->fmi", rotations, geometry) + translations[:, None]
    return float(1e3 * np.sqrt(np.square(found - true).sum(axis=2).mean()))


def _write(frames: int, folder: str) -> None:
    import numpy as np

    from batchlab.motion import simulate

    truth = simulate(frames=frames, rate_hz=RATE_HZ)
    np.savez(
        Path(folder, "recording.npz"),
        positions=truth.recording.positions,
        geometry=truth.geometry_m,
        true=truth.positions_m,
        rate_hz=RATE_HZ,
    )


def _write_table(frames: int, folder: str) -> None:
    from batchlab.motion import write_recordings

    write_recordings(Path(folder), frames=frames)
