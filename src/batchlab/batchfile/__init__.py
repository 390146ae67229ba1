"""Batch files: YAML 1.2 or JSON that becomes a `Batch`, every slip told with line, column and the mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchlab._lazy import lazy_names

if TYPE_CHECKING:
    from batchlab.batchfile._load import load
    from batchlab.batchfile._schema import schema
    from batchlab.batchfile._units import duration_s, size_bytes

# Imported when first asked for: who reads a YAML file of another form needs no planner.
_HOME_OF = {"duration_s": "_units", "load": "_load", "schema": "_schema", "size_bytes": "_units"}

__all__ = ["duration_s", "load", "schema", "size_bytes"]

__getattr__, __dir__ = lazy_names(__name__, _HOME_OF)
