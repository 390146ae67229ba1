"""The command line. Its help loads neither the engine nor anything heavier than click."""

from batchlab.cli._main import cli, main

__all__ = ["cli", "main"]
