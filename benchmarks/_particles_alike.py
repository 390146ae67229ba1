"""Whether batchlab and the script by hand show the same: sums over directions, and sizes of pictures."""

from __future__ import annotations

import tempfile
from pathlib import Path

CLOSE = 1e-5  # of a value: the files hold float32
SHOWN = 0.9  # of all values
SIZE = (900, 450)


def results(quick: bool) -> dict[str, object]:
    """A table of how far sums lie apart, and what is to hold of it."""
    import numpy as np

    from batchlab.particles import Collapse, find_files, read_spectrogram
    from benchmarks._ours_particles import draw, write_small_orbits
    from benchmarks._particles_by_hand import plots, summed

    rows, checks = [], []
    with tempfile.TemporaryDirectory(prefix="batchlab-bench-") as folder:
        ours, theirs = f"{folder}/ours", f"{folder}/theirs"
        Path(theirs).mkdir()
        write_small_orbits(1, folder)
        found = find_files(f"{folder}/FAST_data")
        for file in found.files:
            read = read_spectrogram(file.path, collapse=Collapse.SUM)
            by_hand = summed(str(file.path))
            first = read.mode == 0  # of the other mode the script does not know the energies
            count = len(read.energies_ev[0])
            for at, category in enumerate(read.categories):
                mine = read.values[at, first, :count][:, ::-1]  # the script keeps the file's order
                other = by_hand.values[category][first]
                both = np.isfinite(mine)  # what is left out, such as the channel of the retrace, the script sums
                apart = (np.abs(mine - other) / np.where(other > 0, other, 1.0))[both]
                rows.append([file.instrument, category, str(apart.size), f"{apart.max():.2g}"])
                met = bool(both.mean() >= SHOWN and other[both].any() and apart.max() <= CLOSE)
                checks.append(
                    {"text": f"{file.instrument}, {category}: sums are those of the script by hand", "met": met}
                )
        draw(1, folder, ours, f"{SIZE[0]}x{SIZE[1]}", 2)
        plots(folder, theirs, list(found.orbits), SIZE, (("log", "log"),), 2)
        for name, output in (("batchlab", f"{ours}/plots"), ("by hand", theirs)):
            sizes = _sizes(Path(output))
            met = len(sizes) == 2 * (len(found.files) + 1) and set(sizes) == {SIZE}
            checks.append({"text": f"{name}: ten pictures of {SIZE[0]}x{SIZE[1]}", "met": met})
    columns = ["instrument", "category", "values", "apart at most, of the value"]
    return {
        "tables": [{"title": "the same sums", "columns": columns, "rows": rows, "reason": None}],
        "checks": checks,
    }


def _sizes(folder: Path) -> list[tuple[int, int]]:
    from PIL import Image

    found = []
    for path in folder.rglob("*.png"):
        if ".batchlab" not in path.parts:
            with Image.open(path) as image:
                found.append(image.size)
    return found
