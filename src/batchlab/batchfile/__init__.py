"""Batch files: YAML 1.2 or JSON that becomes a `Batch`, every slip told with line, column and the mend."""

from batchlab.batchfile._load import load
from batchlab.batchfile._schema import schema

__all__ = ["load", "schema"]
