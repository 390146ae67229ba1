"""Raw files to one table each and a list of all runs."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks._devices_by_hand.pool import processes

_NUMBER = re.compile(r"([-+]?\d+\.?\d*(?:[eE][-+]?\d+)?)(?: \S+)?")
_ZONE = ZoneInfo("America/Santiago")


def stage(folder: str, output: str, workers: int, *, fresh: bool = False) -> list[dict[str, Any]]:
    """Read every raw file below `folder`; tables and ``manifest.parquet`` go to `output`."""
    import pandas as pd
    import pyarrow.parquet  # noqa: F401  what pandas would import in every process

    files = sorted(Path(folder).rglob("*.csv"))
    with processes(workers, fresh=fresh) as mapped:
        rows = list(mapped(partial(stage_file, output=output), files))
    pd.DataFrame(rows).to_parquet(Path(output, "manifest.parquet"))
    return rows


def stage_file(path: Path, output: str) -> dict[str, Any]:
    """Read one file, keep its table, and tell what run it is."""
    import numpy as np
    import pandas as pd

    said: dict[str, Any] = {}
    procedure = ""
    with open(path, encoding="utf-8") as file:
        for text in file:
            if text.startswith("#Data"):
                break
            name, _, value = text[1:].strip().partition(": ")
            if name == "Procedure":
                procedure = value.strip("<>").split(".")[-1]
            elif value:
                value = value.encode("latin-1").decode("unicode_escape")
                number = _NUMBER.fullmatch(value)
                said[name] = float(number[1]) if number else value
    table = pd.read_csv(path, comment="#")
    if table.empty:
        return {"source_file": path.name, "status": "reject", "proc": procedure}
    run_id = hashlib.sha1(path.read_bytes()).hexdigest()[:16]
    start = datetime.fromtimestamp(said["Start time"], UTC)
    flags = []
    if procedure == "IVg":
        current = table["I (A)"].abs()
        if current.max() < 1e-12:
            flags.append("DEAD_OPEN_CIRCUIT")
        else:
            if (current.max() - current.min()) / current.max() < 0.15:
                flags.append("DEAD_FLAT_IVG")
            if np.mean(current >= 0.99 * current.max()) > 0.95:
                flags.append("DEAD_STUCK_SATURATED")
    table.to_parquet(Path(output, f"{run_id}.parquet"))
    chip = said.get("Chip number")
    return {
        "run_id": run_id,
        "proc": procedure,
        "status": "ok",
        "source_file": path.name,
        "chip_group": said.get("Chip group name"),
        "chip_number": None if chip is None else int(chip),
        "start_time_utc": start,
        "date_local": start.astimezone(_ZONE).date().isoformat(),
        "rows": len(table),
        "duration_s": table["t (s)"].max() if "t (s)" in table else None,
        "has_light": bool(said.get("Laser wavelength") and said.get("Laser voltage")),
        "wavelength_nm": said.get("Laser wavelength"),
        "laser_voltage_v": said.get("Laser voltage"),
        "laser_period_s": said.get("Laser ON+OFF period"),
        "vds_v": said.get("VDS"),
        "ids_a": said.get("Drain-Source current"),
        "vg_fixed_v": said.get("VG"),
        "sample": said.get("Sample"),
        "quality_flags": ",".join(flags),
    }
