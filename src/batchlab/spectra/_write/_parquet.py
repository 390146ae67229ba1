"""Spectra as one Parquet table, what they are in its schema; needs the extra ``parquet``."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from batchlab.errors import ConfigError, DataError
from batchlab.spectra._model import Spectrum
from batchlab.spectra._write._facts import as_json, axis_facts, common_axis_of, spectrum_facts, spectrum_of

__all__ = ["KEY", "parquet_bytes", "spectra_of_parquet"]

KEY = b"batchlab.spectra"


def parquet_bytes(spectra: Sequence[Spectrum], provenance: Mapping[str, object] | None = None) -> bytes:
    """The table: a column ``axis``, and one for each spectrum, called by its name.

    Raises
    ------
    DataError
        Reason ``different-axes`` or ``no-spectra``.
    ConfigError
        If pyarrow is not installed.
    """
    arrow, parquet = _pyarrow()
    first = common_axis_of(spectra)
    facts = {
        "format": 1,
        "axis": axis_facts(first),
        "spectra": [spectrum_facts(each) for each in spectra],
        "provenance": dict(provenance or {}),
    }
    schema = arrow.schema(
        [arrow.field(name, arrow.float64(), nullable=False) for name in ("axis", *_column_names(spectra))],
        metadata={KEY: as_json(facts)},
    )
    columns = [arrow.array(values) for values in (first.axis, *(each.intensity for each in spectra))]
    sink = io.BytesIO()
    parquet.write_table(arrow.Table.from_arrays(columns, schema=schema), sink, compression="zstd")
    return sink.getvalue()


def spectra_of_parquet(data: bytes, where: str = "the table") -> tuple[Spectrum, ...]:
    """Read back what `parquet_bytes` made, equal field for field and float for float.

    Raises
    ------
    DataError
        Reason ``not-normalized``: it is no such table.
    ConfigError
        If pyarrow is not installed.
    """
    arrow, parquet = _pyarrow()
    try:
        table = parquet.read_table(io.BytesIO(data))
        said = json.loads((table.schema.metadata or {})[KEY])
        axis, *signals = (np.asarray(column.to_numpy(), dtype=np.float64) for column in table.columns)
        if axis.size != said["axis"]["points"]:
            raise ValueError(f"{axis.size} rows where {said['axis']['points']} points are declared")
        return tuple(
            spectrum_of(axis, each, said["axis"], facts) for each, facts in zip(signals, said["spectra"], strict=True)
        )
    except (arrow.ArrowException, KeyError, TypeError, ValueError, DataError, OSError) as error:
        raise DataError(
            f"{where}: no Parquet table of spectra ({error}); write the spectra again", reason="not-normalized"
        ) from error


def _column_names(spectra: Sequence[Spectrum]) -> list[str]:
    """Names that differ: a second ``leaf`` is ``leaf_2``."""
    taken = {"axis"}
    names = []
    for each in spectra:
        base = each.name.encode("utf-8", "replace").decode() or "spectrum"
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        names.append(name)
    return names


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise ConfigError("Parquet needs pyarrow; install batchlab[parquet], or write .csv.gz instead") from error
    return pa, parquet
