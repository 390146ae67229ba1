"""Batch files: YAML 1.2 or JSON that becomes a `Batch`, every slip told with line, column and the mend."""

from batchlab.batchfile._load import load
from batchlab.batchfile._schema import schema
from batchlab.batchfile._units import duration_s, size_bytes

__all__ = ["duration_s", "load", "schema", "size_bytes"]
