"""A table that is made piece by piece, so that no more than a piece of it is ever in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["PIECE_ROWS", "Pieces"]

PIECE_ROWS = 500  # of a table of metrics: a MB or two with the curves of its pairs


class Pieces:
    """Parts of one table, in order, in a folder of their own until they are joined.

    Parameters
    ----------
    folder
        For files that need not last; made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._paths: list[Path] = []
        self._empty: pl.DataFrame | None = None
        self.rows = 0

    def add(self, piece: pl.DataFrame) -> None:
        """Put down the next rows."""
        if self._empty is None:
            self._empty = piece.clear()
        if piece.is_empty():
            return
        path = self._folder / f"{len(self._paths):05}.parquet"
        # Read once and thrown away: a quick encoding beats a small file.
        piece.write_parquet(path, compression="lz4", row_group_size=PIECE_ROWS, statistics=False)
        self._paths.append(path)
        self.rows += piece.height

    def take(self, path: Path) -> None:
        """Put a table that is on disk next; it is left where it is."""
        import polars as pl

        table = pl.scan_parquet(path, glob=False)
        if self._empty is None:
            self._empty = table.collect_schema().to_frame()
        rows = table.select(pl.len()).collect().item()
        if rows:
            self._paths.append(path)
            self.rows += rows

    def save(self, path: Path, notes: Mapping[str, str] | None = None) -> None:
        """Write them as one file.

        Raises
        ------
        ValueError
            If nothing was ever added, not even a table without rows.
        """
        import polars as pl

        if self._empty is None:
            raise ValueError("a table of no pieces has no columns")
        table = pl.scan_parquet(self._paths, glob=False) if self._paths else self._empty.lazy()
        table.sink_parquet(
            path,
            compression="zstd",
            compression_level=1,
            # Else all rows would be gathered for one group.
            row_group_size=PIECE_ROWS,
            metadata=dict(notes) if notes else None,
        )
