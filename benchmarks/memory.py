"""Memory of a small batch and of one a hundred times as large: it is not to grow with the samples."""

from __future__ import annotations

from benchmarks._row import RatioTo, Row, Side

FLAT = 1.1
WATCH_S = 0.1


def row(quick: bool = False) -> Row:
    sizes = (10, 40) if quick else (100, 10_000)
    names = {size: f"batchlab, {size:,} samples" for size in sizes}
    small, large = (names[size] for size in sizes)
    return Row(
        name="memory",
        title=f"memory of {sizes[-1]:,} comparisons without pictures, against {sizes[0]:,}",
        basis="cpu",
        rounds=1 if quick else 2,
        sides=tuple(
            Side(
                name=name,
                case="benchmarks._ours:compare_numbers",
                jobs=size,
                arguments={"workers": 2},
                prepare="benchmarks._samples:link_samples",
                wants_folder=True,
                watch_s=WATCH_S,
            )
            for size, name in names.items()
        ),
        goals=(
            RatioTo(side=large, against=small, factor=FLAT, figure="peak_rss_mb"),
            RatioTo(side=large, against=small, factor=FLAT, figure="peak_tree_mb"),
        ),
    )
