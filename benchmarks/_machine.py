"""What the figures were taken on: cores, load, file system, versions."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

import psutil

__all__ = ["machine", "machine_line"]

_PACKAGES = (
    "batchlab",
    "numpy",
    "scipy",
    "matplotlib",
    "isal",
    "polars",
    "pandas",
    "lmfit",
    "pebble",
    "loky",
    "distributed",
)


def machine(folder: Path) -> dict[str, object]:
    """Describe the machine; `folder` is where the benchmark writes."""
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "cores_usable": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "load": [round(load, 2) for load in os.getloadavg()],
        "file_system": _file_system(folder),
        "versions": {name: _version(name) for name in _PACKAGES},
    }


def machine_line(facts: dict[str, object]) -> str:
    """The same in a line, as it stands above the table."""
    versions = facts["versions"]
    assert isinstance(versions, dict)
    named = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    return (
        f"{facts['system']}, {facts['cores_usable']} of {facts['cores']} cores, {facts['memory_gb']} GB, "
        f"{facts['file_system']}, load {facts['load']}, Python {facts['python']}, {named}"
    )


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _file_system(folder: Path) -> str:
    here = folder.resolve()
    around = [part for part in psutil.disk_partitions(all=True) if here.is_relative_to(part.mountpoint)]
    return max(around, key=lambda part: len(part.mountpoint)).fstype if around else "unknown"
