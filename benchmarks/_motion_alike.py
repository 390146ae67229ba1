"""Whether solvers end at the same cost, equally far from the truth."""

from __future__ import annotations

import importlib.util
import tempfile
from typing import Any

CLOSE = 1e-5  # of the cost, which each was told to find to 1e-6
NEAR_MM = 0.005  # between errors of 0.7 mm


def results(quick: bool) -> dict[str, object]:
    """A table of costs and errors, and what is to hold of it."""
    from benchmarks import _ours_motion as ours
    from benchmarks._motion_by_hand import by_scipy

    rows: list[list[str]] = []
    found: dict[str, tuple[float, float]] = {}

    with tempfile.TemporaryDirectory(prefix="batchlab-bench-") as folder:
        (ours.write_few if quick else ours.write_thousand)(1, folder)

        def take(name: str, cost: float, rotations: Any, translations: Any, geometry: Any) -> None:
            found[name] = cost, ours.error_mm(folder, rotations, translations, geometry)
            rows.append([name, f"{cost:.3f}", f"{found[name][1]:.4f}"])

        fit = ours.solved(ours.read_recording(folder), "joint, to 1e-6")
        take("batchlab", fit.cost, fit.rotations, fit.translations_m, fit.geometry_m)
        take("scipy", *by_scipy(folder))
        if importlib.util.find_spec("pyceres") is not None:
            from benchmarks._motion_by_ceres import by_ceres

            take("pyceres", *by_ceres(folder, together=True))
    cost, error = found["batchlab"]
    checks = [
        {
            "text": f"{name}: cost and distance from the truth are those of batchlab",
            "met": bool(abs(other / cost - 1) < CLOSE and abs(off - error) < NEAR_MM),
        }
        for name, (other, off) in found.items()
        if name != "batchlab"
    ]
    columns = ["solver", "cost", "rms distance from the truth, mm"]
    reason = None if "pyceres" in found else "pyceres is not installed"
    return {"tables": [{"title": "the same least", "columns": columns, "rows": rows, "reason": reason}],
            "checks": checks}  # fmt: skip
