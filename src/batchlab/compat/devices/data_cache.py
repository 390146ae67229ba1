"""Tables kept in memory while their files do not change; `pl.read_parquet` does so once it is asked to.

`enable_parquet_caching` is the only place in the whole package that replaces somebody else's function, and it does so
when it is called, never by itself.
"""

from __future__ import annotations

import functools
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any, ParamSpec, TypeVar, cast

import polars as pl

from batchlab.compat.devices import measurements

__all__ = [
    "CachedItem",
    "DataCache",
    "cache_stats",
    "cached_read_parquet",
    "clear_cache",
    "disable_parquet_caching",
    "enable_parquet_caching",
    "print_cache_stats",
    "with_cache",
]

P = ParamSpec("P")
R = TypeVar("R")

_RULE = "=" * 60


@dataclass(frozen=True, slots=True)
class CachedItem:
    """A value, and the file it came from as it was then.

    Attributes
    ----------
    value
        What is kept.
    file_mtime
        When its file was last changed, in s since 1970; None for a value without a file.
    file_size
        Of its file, in bytes: a file may change twice within one tick of its clock.
    load_s
        What it took to make the value, in s: what each use of it saves.
    """

    value: Any
    file_mtime: float | None
    file_size: int | None = None
    load_s: float = 0.0


class DataCache:
    """The values that were used last; one whose file has changed or gone is not given.

    Parameters
    ----------
    maxsize
        How many are kept.

    Raises
    ------
    ValueError
        If that is below 1.
    """

    def __init__(self, maxsize: int = 100) -> None:
        if maxsize < 1:
            raise ValueError(f"a cache of {maxsize} values keeps none; maxsize is 1 or more")
        self.maxsize = maxsize
        self._lock = RLock()
        self._items: OrderedDict[Hashable, CachedItem] = OrderedDict()
        self._hits = self._misses = 0
        self._saved_s = 0.0

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"DataCache({len(self)}/{self.maxsize} items, {self._hits} hits, {self._misses} misses)"

    @property
    def saved_s(self) -> float:
        """What the uses of kept values saved, in s, by what each took to make."""
        return self._saved_s

    def get(self, key: Hashable, file_path: str | os.PathLike[str] | None = None) -> Any | None:
        """The value of a key; None where there is none that still holds.

        Parameters
        ----------
        key
            Whatever it was put under.
        file_path
            Where the value came from; a key that is a path speaks for itself.
        """
        seen = _seen(key, file_path)
        with self._lock:
            item = self._items.get(key)
            if item is not None and (item.file_mtime, item.file_size) == seen:
                self._items.move_to_end(key)
                self._hits += 1
                self._saved_s += item.load_s
                return item.value
            self._items.pop(key, None)
            self._misses += 1
            return None

    def put(
        self, key: Hashable, value: Any, file_path: str | os.PathLike[str] | None = None, *, load_s: float = 0.0
    ) -> None:
        """Keep a value; the one that was used longest ago goes where there is no room."""
        self._keep(key, value, _seen(key, file_path), load_s)

    def load(self, key: Hashable, make: Callable[[], Any], file_path: str | os.PathLike[str] | None = None) -> Any:
        """The value of a key, made and kept where there is none."""
        found = self.get(key, file_path)
        if found is not None:
            return found
        # Looked at before it is read: what is written meanwhile makes the kept value stale, never wrong.
        seen = _seen(key, file_path)
        began = time.perf_counter()
        value = make()
        self._keep(key, value, seen, time.perf_counter() - began)
        return value

    def clear(self) -> None:
        """Let all go, and count from none."""
        with self._lock:
            self._items.clear()
            self._hits = self._misses = 0
            self._saved_s = 0.0

    def stats(self) -> dict[str, Any]:
        """``size, maxsize, hits, misses, hit_rate`` from 0 to 1, and ``hit_rate_pct`` as text."""
        with self._lock:
            asked = self._hits + self._misses
            rate = self._hits / asked if asked else 0.0
            return {
                "size": len(self._items),
                "maxsize": self.maxsize,
                "hits": self._hits,
                "misses": self._misses,
                "hit_rate": round(rate, 3),
                "hit_rate_pct": f"{rate:.1%}",
            }

    def _keep(self, key: Hashable, value: Any, seen: tuple[float | None, int | None], load_s: float) -> None:
        with self._lock:
            self._items[key] = CachedItem(value, *seen, load_s)
            self._items.move_to_end(key)
            while len(self._items) > self.maxsize:
                self._items.popitem(last=False)


def _seen(key: Hashable, file_path: str | os.PathLike[str] | None) -> tuple[float | None, int | None]:
    """Time and size of a file; a file that is gone equals none that was."""
    path = file_path if file_path is not None else key if isinstance(key, os.PathLike) else None
    if path is None:
        return None, None
    try:
        found = os.stat(path)
    except OSError:
        return -1.0, -1
    return found.st_mtime, found.st_size


_cache = DataCache()
_read_parquet: Callable[..., pl.DataFrame] = pl.read_parquet
_read_measurement = measurements.read_measurement_parquet


def enable_parquet_caching() -> bool:
    """Make `pl.read_parquet` and `read_measurement_parquet` keep what they read, in this process.

    Only reads of one local file without further arguments are kept; all others go to the reader itself. Every caller
    gets a table of its own, so that no change to it is seen by another.

    Returns
    -------
    bool
        True: it is on. `disable_parquet_caching` turns it off.
    """
    global _read_parquet, _read_measurement
    if pl.read_parquet is not _cached_polars:
        _read_parquet = pl.read_parquet
        pl.read_parquet = _cached_polars
    if measurements.read_measurement_parquet is not _cached_measurement:
        _read_measurement = measurements.read_measurement_parquet
        measurements.read_measurement_parquet = _cached_measurement
    return True


def disable_parquet_caching() -> bool:
    """Give both readers back; whether they had been replaced. What is kept stays until `clear_cache`."""
    ours = pl.read_parquet is _cached_polars
    if ours:
        pl.read_parquet = _read_parquet
    if measurements.read_measurement_parquet is _cached_measurement:
        measurements.read_measurement_parquet = _read_measurement
    return ours


def cached_read_parquet(path: str | os.PathLike[str]) -> pl.DataFrame:
    """Read a file, or give what it held when it was read last if it has not changed since."""
    return _kept(Path(path), _read_parquet)


def cache_stats() -> dict[str, Any]:
    """How often a table was at hand; as `DataCache.stats` tells it."""
    return _cache.stats()


def print_cache_stats() -> None:
    """Print how often a table was at hand, and what that saved as measured."""
    found = cache_stats()
    rows = (
        ("Cache size", f"{found['size']}/{found['maxsize']} items"),
        ("Total requests", f"{found['hits'] + found['misses']}"),
        ("Cache hits", f"{found['hits']}"),
        ("Cache misses", f"{found['misses']}"),
        ("Hit rate", found["hit_rate_pct"]),
    )
    lines = [f"{name + ':':<17}{value}" for name, value in rows]
    print("\n".join([_RULE, "Data Cache Statistics", _RULE, *lines, _RULE]))
    if found["hits"]:
        print(f"\nEstimated time saved: ~{_cache.saved_s:.1f}s from cached reads")


def clear_cache() -> None:
    """Let all tables go, and count from none."""
    _cache.clear()


def with_cache(cache_key_fn: Callable[..., Hashable] | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator that keeps what a function returns.

    Parameters
    ----------
    cache_key_fn
        Called with the function's arguments, tells which calls are alike; by default those with equal arguments. A
        key that is a path, or a first argument that is one, makes the value hold as long as that file does not change.

    Notes
    -----
    A call whose arguments cannot be told apart, such as a list, goes to the function. None is never kept.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def cached(*args: P.args, **kwargs: P.kwargs) -> R:
            told = (args, *sorted(kwargs.items())) if cache_key_fn is None else cache_key_fn(*args, **kwargs)
            key = (function.__module__, function.__qualname__, told)
            try:
                hash(key)
            except TypeError:
                return function(*args, **kwargs)
            first = told if cache_key_fn is not None else args[0] if args else None
            path = first if isinstance(first, os.PathLike) else None
            return cast(R, _cache.load(key, lambda: function(*args, **kwargs), path))

        return cached

    return decorate


def _kept(path: Path, read: Callable[..., pl.DataFrame]) -> pl.DataFrame:
    # A clone shares the data and owns its columns.
    return cast(pl.DataFrame, _cache.load(path.absolute(), lambda: read(path))).clone()


def _cached_polars(source: Any, **told: Any) -> pl.DataFrame:
    """`pl.read_parquet`, with one file kept."""
    if told or not isinstance(source, str | os.PathLike) or not os.path.isfile(source):
        return _read_parquet(source, **told)
    return _kept(Path(source), _read_parquet)


def _cached_measurement(path: str | os.PathLike[str]) -> pl.DataFrame:
    """`read_measurement_parquet`, kept."""
    return _kept(Path(path), _read_measurement)
