"""Limits that grow with the files read, and what a file of extrema says of them."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.particles._exports import LIMIT_NAMES, extrema_entries
from batchlab.particles._limits import LimitRules, limits_of
from batchlab.particles._model import Limits, Scales

if TYPE_CHECKING:
    from batchlab.particles._sketch import Sketch

__all__ = ["RunningExtrema"]

log = logging.getLogger(__name__)

_ALL = "all"


class RunningExtrema:
    """Limits of each instrument by the files that are read by now.

    Parameters
    ----------
    sketches
        By instrument: the jobs that read its files, and where each leaves its sketch.
    rules
        By which limits follow; they are not rounded here.
    log_floor_cutoff, log_floor_value
        As of `extrema_entries`.
    """

    def __init__(
        self,
        sketches: Mapping[str, Mapping[str, Path]],
        rules: LimitRules,
        *,
        log_floor_cutoff: float = 0.1,
        log_floor_value: float = -1.0,
    ) -> None:
        self._sketches = sketches
        self._rules = replace(rules, rounded=False)
        self._floor = {"log_floor_cutoff": log_floor_cutoff, "log_floor_value": log_floor_value}
        self._merged: dict[str, Sketch] = {}
        self._digests: dict[str, str] = {}  # of the sketches that are merged

    def entries(self, scales: Scales, ended: Collection[str], done: Collection[str]) -> dict[str, Any]:
        """What is to be said.

        Parameters
        ----------
        ended, done
            Jobs that are over, and those of them that have left a sketch.
        """
        self._merge(done)
        told: dict[str, Any] = {}
        for instrument, readers in self._sketches.items():
            told |= extrema_entries(
                instrument,
                self._limits(instrument),
                scales,
                processed=sum(name in ended for name in readers),
                total=len(readers),
                key=self._key(readers, self._digests),
                **self._floor,
            )
        return told

    def names(self, scales: Scales) -> frozenset[str]:
        """All keys of limits that may be said, whether there are limits or not."""
        return frozenset(f"{each}_{'_'.join(scales)}_{end}" for each in self._sketches for end in LIMIT_NAMES)

    def stands(self, content: Mapping[str, Any], scales: Iterable[Scales], done: Collection[str]) -> bool:
        """Whether a file is complete and comes from just these sketches and rules: then none has to be merged again."""
        digests = self._digests | {name: _digest(each) for _, name, each in self._fresh(done)}
        for pair in scales:
            for instrument, readers in self._sketches.items():
                said = content.get(f"{instrument}_{'_'.join(pair)}_extrema_progress")
                count, key = len(readers), self._key(readers, digests)
                if said != {"processed_index": count, "total": count, "complete": True, "key": key}:
                    return False
        return True

    def _limits(self, instrument: str) -> Limits | None:
        sketch = self._merged.get(instrument)
        if sketch is None:
            return None
        limits = limits_of(sketch, self._rules)
        return limits.get(_ALL) or next(iter(limits.values()), None)

    def _merge(self, done: Collection[str]) -> None:
        from batchlab.particles._sketch import Sketch, merge

        for instrument, name, content in self._fresh(done):
            sketch = Sketch.from_bytes(content)
            before = self._merged.get(instrument)
            self._merged[instrument] = sketch if before is None else merge((before, sketch))
            self._digests[name] = _digest(content)

    def _fresh(self, done: Collection[str]) -> Iterable[tuple[str, str, bytes]]:
        """Instrument, job and content of each sketch that is not merged yet."""
        for instrument, readers in self._sketches.items():
            for name, path in readers.items():
                if name in done and name not in self._digests:
                    try:
                        yield instrument, name, path.read_bytes()
                    except OSError as error:
                        log.warning("%s is not in the extrema: %s", name, error)

    def _key(self, readers: Iterable[str], digests: Mapping[str, str]) -> str:
        used = sorted((name, digests[name]) for name in readers if name in digests)
        return _digest(json.dumps([asdict(self._rules), self._floor, used]).encode())


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
