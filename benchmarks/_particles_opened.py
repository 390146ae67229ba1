"""How often files of a mission are opened and decoded: for one and four pairs of scales, and for new limits."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks._opened import opened, telling

_ORBITS, _PICTURES, _PAIRS = 2, 10, 4
_LONG_AGO_S = 1e9
_COLUMNS = ["run", "pictures drawn", "files decoded", "at most, each", "instrument files opened", "orbit files"]

Run = Callable[[], None]


def once(quick: bool) -> dict[str, object]:
    """Of runs that draw everything: each file is decoded once, whatever is drawn of it."""
    from benchmarks._ours_particles import SMALLEST, draw, draw_all_scales

    with tempfile.TemporaryDirectory(prefix="batchlab-bench-") as folder:
        _mission(folder)
        cases = {
            "one pair": (draw, 1),
            "four pairs": (draw_all_scales, _PAIRS),
        }
        rows, checks, opens = [], [], []
        for name, (case, pairs) in cases.items():
            output = f"{folder}/{name}"
            row = _watched(folder, output, lambda case=case, output=output: case(_ORBITS, folder, output, SMALLEST, 2))  # type: ignore[misc]
            rows.append([name, *map(str, row)])
            drawn, decoded, most, files, _ = row
            checks.append(
                {
                    "text": f"{name}: all pictures are drawn, and each file is decoded once",
                    "met": (drawn, decoded, most) == (_ORBITS * _PICTURES * pairs, 4 * _ORBITS, 1),
                }
            )
            opens.append(files)
        text = "four pairs open instrument files as often as one pair"
        checks.append({"text": text, "met": opens[0] == opens[1] if telling() else None})
    return _findings("files of a mission", rows, checks)


def never(quick: bool) -> dict[str, object]:
    """Of runs upon drawn pictures: neither new limits nor nothing new opens a CDF."""
    from benchmarks._ours_particles import SMALLEST, draw

    marks = {"marks by time": "events.csv", "marks by record": "FAST_Cusp_Indices.csv"}
    rows, checks = [], []
    with tempfile.TemporaryDirectory(prefix="batchlab-bench-") as folder:
        _mission(folder)
        for name, events in marks.items():
            output = f"{folder}/{name}"
            for what, more, due in (("all new", (), 2), ("percentile 90", ("--percentile", "90"), 1), ("again", (), 0)):
                words = (*(more or ("--percentile", "90")),) if what == "again" else more

                def run(words: tuple[str, ...] = words, output: str = output, events: str = events) -> None:
                    draw(_ORBITS, folder, output, SMALLEST, 2, "--events", f"{folder}/{events}", *words)

                row = _watched(folder, output, run)
                rows.append([f"{name}, {what}", *map(str, row)])
                drawn, decoded, _, files, tracks = row
                if what == "all new":
                    continue
                checks.append(
                    {
                        "text": f"{name}, {what}: {due * _ORBITS * _PICTURES // 2} pictures, no file decoded",
                        "met": (drawn, decoded) == (due * _ORBITS * _PICTURES // 2, 0),
                    }
                )
                text = f"{name}, {what}: no CDF is opened"
                checks.append({"text": text, "met": files + tracks == 0 if telling() else None})
    return _findings("files of a mission that is drawn", rows, checks)


def _mission(folder: str) -> None:
    from benchmarks._ours_particles import write_small_orbits

    write_small_orbits(_ORBITS, folder)
    for path in Path(folder).rglob("*.cdf"):
        # A file that has just been written is digested twice, lest it still changes.
        os.utime(path, (_LONG_AGO_S, _LONG_AGO_S))


def _watched(folder: str, output: str, run: Run) -> tuple[int, int, int, int, int]:
    """Pictures drawn, files decoded, how often at most each; openings of instrument files and of orbit files."""
    before = _ages(output)
    decoded_before = _decoded(output)
    counted: Counter[str] = Counter()
    if telling():
        # The command watches no folder before it is asked, so all openings are told.
        with opened({path.parent for path in Path(folder).rglob("*.cdf")}) as counted:
            run()
    else:
        run()
    drawn = sum(before.get(path) != age for path, age in _ages(output).items())
    decoded = _decoded(output)
    decoded.subtract(decoded_before)
    tracks = sum(count for name, count in counted.items() if "_orb_" in name)
    files = sum(count for name, count in counted.items() if name.endswith(".cdf")) - tracks
    return drawn, sum(decoded.values()), max(decoded.values(), default=0), files, tracks


def _ages(output: str) -> dict[Path, int]:
    """Pictures and when each was written."""
    found = Path(output, "plots").rglob("*.png")
    return {path: path.stat().st_mtime_ns for path in found if ".batchlab" not in path.parts}


def _decoded(output: str) -> Counter[str]:
    """What the logs of all jobs say of reading."""
    said: Counter[str] = Counter()
    for log in Path(output, "plots", ".batchlab", "logs").glob("*.log"):
        for line in log.read_text(encoding="utf-8").splitlines():
            _, reading, name = line.partition("batchlab.job: reading ")
            if reading:
                said[name] += 1
    return said


def _findings(title: str, rows: list[list[str]], checks: list[dict[str, Any]]) -> dict[str, object]:
    reason = None if telling() else "this system does not tell what is opened; the last two columns are empty"
    columns = _COLUMNS if telling() else _COLUMNS[:-2]
    shown = [row[: len(columns)] for row in rows]
    table = {"title": title, "columns": columns, "rows": shown, "reason": reason}
    return {"tables": [table], "checks": checks}
