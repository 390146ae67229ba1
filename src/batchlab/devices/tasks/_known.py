"""What jobs over staged runs depend on, told while they are planned without reading a run."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from batchlab.errors import BatchlabError

__all__ = ["extract_state", "light_state", "merge_state", "pairs_state"]

_NM = 1.0  # what a calibration may be off in wavelength, generously

_Chip = tuple[str | None, int | None]


@dataclass(frozen=True, slots=True)
class _Known:
    """Digests of a manifest's parts."""

    made: str
    runs: Mapping[tuple[_Chip, str], str]  # of each chip and procedure
    wavelengths: Mapping[tuple[_Chip, str], tuple[float, ...]]  # of its lit runs
    calibrations: tuple[tuple[float, str], ...]
    order: str  # of what settles the numbers of runs

    def of(self, groups: Iterable[tuple[_Chip, str]]) -> str:
        """All that metrics of these runs depend on in the store."""
        groups = sorted(groups, key=repr)
        lit = {nm for group in groups for nm in self.wavelengths.get(group, ())}
        fitting = [digest for nm, digest in self.calibrations if any(abs(nm - each) <= _NM for each in lit)]
        return _digest(self.made, *(f"{group}{self.runs.get(group)}" for group in groups), *fitting)


def extract_state(params: Mapping[str, Any], _files: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    """The runs of a chip and procedure, the calibrations of their light, and the methods."""
    known = _known(params["store"])
    if known is None:
        return {}
    chip = (params["chip_group"], params["chip_number"])
    return {"the runs": known.of([(chip, params["procedure"])]), "the methods": _methods(params)}


def pairs_state(params: Mapping[str, Any], _files: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    """All runs of the chips: what lies between two sweeps is told with them."""
    known = _known(params["store"])
    if known is None:
        return {}
    given = params.get("chips")
    chips = None if given is None else {tuple(chip) for chip in given}
    groups = [group for group in known.runs if chips is None or group[0] in chips]
    return {"the runs": known.of(groups), "the constants": _constants()}


def light_state(params: Mapping[str, Any], _files: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    """The runs of a chip with the calibrations of their light."""
    known = _known(params["store"])
    if known is None or not params.get("calibrations", True):
        return {}
    chip = (params.get("chip_group"), params.get("chip_number"))
    return {"the runs and calibrations": known.of(group for group in known.runs if group[0] == chip)}


def merge_state(params: Mapping[str, Any], _files: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    """What settles the numbers of runs in the histories."""
    known = _known(params["store"])
    return {} if known is None else {"the numbers of the runs": known.order}


def _known(store: str | None) -> _Known | None:
    """None where nothing is staged yet: the job will tell; or where an earlier job of the batch stages it."""
    if store is None:
        return None
    from batchlab.devices._manifest import MANIFEST

    try:
        about = os.stat(f"{store}/{MANIFEST}")
        return _read(store, about.st_mtime_ns, about.st_ino)
    except (OSError, BatchlabError):
        return None


@lru_cache(maxsize=2)
def _read(store: str, _mtime_ns: int, _inode: int) -> _Known:
    import polars as pl

    from batchlab.devices._manifest import Status, read_manifest
    from batchlab.devices._store import RUN_FIELDS

    manifest = read_manifest(Path(store))
    runs = manifest.table.filter(pl.col("status") == Status.OK).sort("run_id")
    hashes: dict[tuple[_Chip, str], Any] = {}
    wavelengths: dict[tuple[_Chip, str], set[float]] = {}
    calibrations: list[tuple[float, str]] = []
    for row in runs.select(*RUN_FIELDS, "wavelength_nm").iter_rows():
        group = ((row[2], row[3]), row[1])
        text = repr(row)
        if row[1] == "LaserCalibration":
            if row[-1] is not None:
                calibrations.append((row[-1], text))
            continue
        if group not in hashes:
            hashes[group] = hashlib.blake2b(digest_size=16)
            wavelengths[group] = set()
        hashes[group].update(text.encode())
        if row[-1] is not None and row[6] is not False:
            wavelengths[group].add(row[-1])
    order = runs.select("run_id", "chip_group", "chip_number", "start_time_utc", "proc", "file_idx")
    return _Known(
        made=manifest.made,
        runs={group: found.hexdigest() for group, found in hashes.items()},
        wavelengths={group: tuple(sorted(found)) for group, found in wavelengths.items()},
        calibrations=tuple(calibrations),
        order=_digest(*map(repr, order.iter_rows())),
    )


def _methods(params: Mapping[str, Any]) -> str:
    """Extractors with their versions, and all constants."""
    return _digest(_constants(), *_extractors(tuple(params.get("modules") or ()), params["procedure"]))


@lru_cache(maxsize=32)
def _extractors(modules: tuple[str, ...], procedure: str) -> tuple[str, ...]:
    from batchlab.devices.metrics import extractors

    found = [f"{each.name} {each.version}" for each in extractors(modules) if procedure in each.procedures]
    contents = [Path(module).read_text(encoding="utf-8") for module in modules if module.endswith(".py")]
    return (*found, *contents)


def _constants() -> str:
    from batchlab.devices.metrics import _constants as constants

    values = {name: getattr(constants, name) for name in dir(constants) if name.isupper() and name[0] != "_"}
    return json.dumps(values, sort_keys=True)


def _digest(*parts: str) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(part.encode("utf-8", "surrogateescape") + b"\0")
    return digest.hexdigest()
