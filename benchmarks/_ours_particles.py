"""Our side of the rows of particles: commands as they are typed, each in the measured process, and their missions."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SMALLEST = "300x200"  # of a picture, where only its being there counts
USUAL = "2400x1200"
_FEW_RECORDS = 24


def write_orbits(n: int, folder: str) -> None:
    """`n` orbits of four instruments, 64 MB each, with their orbit files and events."""
    _write(n, folder, None)


def write_small_orbits(n: int, folder: str) -> None:
    """The same with few records: 1 MB each."""
    _write(n, folder, _FEW_RECORDS)


def write_middling_orbits(n: int, folder: str) -> None:
    """The same with a tenth of the records of a real orbit: 7 MB each."""
    _write(n, folder, 80)


def write_drawn(n: int, folder: str) -> None:
    """`n` orbits of two records, and all their pictures, very small."""
    _write(n, folder, 2)
    _draw_all(folder)


def write_small_drawn(n: int, folder: str) -> None:
    """`n` orbits with few records, and all their pictures, very small."""
    _write(n, folder, _FEW_RECORDS)
    draw(n, folder, drawn(folder), size=SMALLEST, workers=2)


def write_large_drawn(n: int, folder: str) -> None:
    """`n` orbits with all records, and all their pictures."""
    _write(n, folder, None)
    draw(n, folder, drawn(folder), size=USUAL, workers=2)


def draw(n: int, folder: str, output: str, size: str, workers: int, *more: str) -> None:
    """Draw all pictures of the first `n` orbits: ten of each, with shared limits and with their own."""
    words = ("-o", f"{output}/plots", "--events", f"{folder}/events.csv", "--size", size, *more)
    batchlab(output, "plot", f"{folder}/FAST_data", *_first(n, folder), *words, "-w", str(workers), "--quiet")


def draw_all_scales(n: int, folder: str, output: str, size: str, workers: int) -> None:
    """The same with all four pairs of scales: forty of each."""
    draw(n, folder, output, size, workers, "--all-scales")


def draw_again(n: int, folder: str) -> None:
    """Ask for all pictures where all are there."""
    limits = Path(drawn(folder), "plots", "_limits", "ees.json")
    before = limits.stat().st_mtime_ns
    _draw_all(folder)
    if limits.stat().st_mtime_ns != before:
        raise SystemExit("something was new")


def draw_with_new_limits(n: int, folder: str, size: str, workers: int) -> None:
    """Ask for all pictures by another percentile than the last time, where all are there."""
    told = Path(folder, "percentile")
    percentile = int(told.read_text()) - 5 if told.exists() else 95
    told.write_text(str(percentile))
    draw(n, folder, drawn(folder), size, workers, "--percentile", str(percentile))


def settle(n: int, folder: str, output: str, workers: int) -> None:
    """Settle the limits that `n` orbits share, and draw nothing."""
    words = ("-o", f"{output}/plots", "-w", str(workers), "--quiet")
    batchlab(output, "extrema", f"{folder}/FAST_data", *_first(n, folder), *words)


def read(n: int, folder: str, output: str, keep: bool) -> None:
    """Decode, collapse and sketch all files of the first `n` orbits, in one process; `keep` puts them in a cache."""
    from batchlab.particles._files import find_files
    from batchlab.particles._read import read_spectrogram
    from batchlab.particles._sketch import sketch_of
    from batchlab.particles._store import pack, spectrogram_cache, spectrogram_key

    cache = spectrogram_cache(output)
    for file in find_files(f"{folder}/FAST_data", orbits=_orbits(n, folder)).files:
        spectrogram = read_spectrogram(file.path)
        sketch = sketch_of(spectrogram).to_bytes()
        Path(output, f"{file.orbit}_{file.instrument}.npz").write_bytes(sketch)
        if keep and not cache.put(spectrogram_key(file.path.name, {}), pack(spectrogram)):
            raise SystemExit("the cache cannot be written")


def show_help(n: int) -> None:
    """What a user sees first."""
    batchlab("", "--help")


def batchlab(output: str, *words: str) -> None:
    """Run ``batchlab particles`` in this process, as its console script does, with a cache of its own in `output`."""
    from batchlab.cli import main

    if output:
        os.environ["XDG_CACHE_HOME"] = str(Path(output, "cache").absolute())
    sys.argv = ["batchlab", "particles", *words]
    try:
        main()
    except SystemExit as ended:
        if ended.code:  # what it last said is the reason
            raise


def drawn(folder: str) -> str:
    """Where pictures and cache of a mission lie that was drawn before."""
    return f"{folder}/drawn"


def orbits_there(folder: str) -> list[int]:
    """Numbers of the orbits of a mission, ascending."""
    from batchlab.particles._files import find_files

    return sorted(find_files(f"{folder}/FAST_data").orbits)


def _draw_all(folder: str) -> None:
    # Without a list of orbits: to make it would be a part of what is measured.
    words = ("-o", f"{drawn(folder)}/plots", "--events", f"{folder}/events.csv", "--size", SMALLEST, "--quiet")
    batchlab(drawn(folder), "plot", f"{folder}/FAST_data", *words, "-w", "2")


def _orbits(n: int, folder: str) -> list[int]:
    there = orbits_there(folder)
    if len(there) < n:
        raise SystemExit(f"{len(there)} orbits are there, {n} are asked for")
    return there[:n]


def _first(n: int, folder: str) -> tuple[str, ...]:
    return ("--orbits", ",".join(map(str, _orbits(n, folder))))


def _write(n: int, folder: str, records: int | None) -> None:
    from batchlab.particles._synthetic import write_mission

    write_mission(folder, orbits=n, records=records)
