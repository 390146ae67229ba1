"""The command ``batch-plot`` as a function."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from batchlab.compat.devices.program import call

__all__ = ["batch_plot_command"]


def batch_plot_command(
    config_file: Path,
    parallel: Optional[int] = None,  # noqa: UP045 - the documented signature
    dry_run: bool = False,
    verbose: bool = False,
) -> int:
    """Execute batch plot generation from YAML configuration; the exit code, 1 where a plot failed."""
    words = ["batch-plot", str(config_file)]
    words += [] if parallel is None else ["--parallel", str(parallel)]
    words += ["--dry-run"] * dry_run + ["--verbose"] * verbose
    return call(words)
