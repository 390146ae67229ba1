"""One measurement from its own file, as older stores keep them: a parquet file for each run."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl

from batchlab.errors import Category, DataError

__all__ = ["read_measurement_parquet"]


def read_measurement_parquet(path: str | os.PathLike[str]) -> pl.DataFrame:
    """The recorded columns of a run.

    Raises
    ------
    DataError
        If the file is missing, or is no parquet file.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: there is no such file; stage its run", category=Category.MISSING_INPUT)
    try:
        return pl.read_parquet(path, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path}: cannot be read ({error}); stage its run again") from error
