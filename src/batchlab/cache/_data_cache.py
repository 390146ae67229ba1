"""What was loaded from files, kept as long as it is used, fits and the file stays as it was."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeAlias, TypeVar

from batchlab.cache._held import freeze, size_of_value
from batchlab.errors import ConfigError

T = TypeVar("T")
P = ParamSpec("P")
Files: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

_DEFAULT_MAX_BYTES = 500_000_000
_TICK_NS = 2_000_000_000  # the coarsest that file systems keep times in
_MEMORY_KEY = "batchlab.cache.data"


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheStats:
    """How a cache has served, at one instant."""

    size: int
    maxsize: int
    bytes: int
    max_bytes: int
    hits: int
    misses: int
    saved_s: float  # what the hits would have taken to load again, as measured at the misses

    @property
    def hit_rate(self) -> float:
        """Share of hits, from 0 to 1; 0 before the first question."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else 0.0

    @property
    def hit_rate_pct(self) -> str:
        """The same in words: ``48.5%``."""
        return f"{self.hit_rate:.1%}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    value: Any
    stamp: Hashable  # the files' state when the value was loaded
    bytes: int
    load_s: float


class DataCache:
    """The latest used values, bounded by number and by bytes. Safe to use from many threads.

    A value belongs to a file, a loader and its options. It is loaded anew when the file's size, times or
    inode differ. A file changed within the last two seconds is not remembered yet: a second change could go unseen.
    Arrays come out read-only, for the next to ask gets the same.

    Parameters
    ----------
    maxsize
        Most values kept.
    max_bytes
        Most bytes kept. A larger value is returned but not kept.
    size_of
        Bytes of a value; by default those of all it holds, see `size_of_value`.

    Raises
    ------
    ConfigError
        If a bound is below 1.
    """

    def __init__(
        self,
        maxsize: int = 100,
        max_bytes: int = _DEFAULT_MAX_BYTES,
        *,
        size_of: Callable[[Any], int] | None = None,
    ) -> None:
        if maxsize < 1 or max_bytes < 1:
            raise ConfigError(f"a cache of {maxsize} items and {max_bytes} bytes holds nothing; give 1 or more")
        self.maxsize = maxsize
        self.max_bytes = max_bytes
        self._size_of = size_of or size_of_value
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._lock = threading.Lock()
        self._bytes = self._hits = self._misses = 0
        self._saved_s = 0.0

    def load(self, path: str | os.PathLike[str], loader: Callable[..., T], **options: Any) -> T:
        """``loader(path, **options)``, or what it gave before if the file is still the same.

        Parameters
        ----------
        path
            The file; a missing one is whatever the loader makes of it, and never remembered.
        loader
            A named function. A lambda made anew at each call never meets its earlier values.
        options
            Hashable keyword arguments, part of what is remembered.

        Raises
        ------
        ConfigError
            If an option cannot be hashed.
        """
        key = (os.path.abspath(path), loader, _typed(options))
        return self._remembered(key, (path,), lambda: loader(path, **options))

    def with_cache(
        self,
        key_fn: Callable[P, Hashable] | None = None,
        *,
        files_fn: Callable[P, Files] | None = None,
    ) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """Decorate a function so that this cache remembers its results.

        Parameters
        ----------
        key_fn
            From the call's arguments to what tells calls apart; by default the arguments themselves.
        files_fn
            From the call's arguments to the file or files that the result depends on; by default every
            argument that is a `Path`. A changed file is a miss.
        """

        def decorate(function: Callable[P, T]) -> Callable[P, T]:
            @functools.wraps(function)
            def remembering(*args: P.args, **kwargs: P.kwargs) -> T:
                told = key_fn(*args, **kwargs) if key_fn else (args, tuple(map(type, args)), _typed(kwargs))
                if files_fn is not None:
                    files = files_fn(*args, **kwargs)
                else:
                    files = [each for each in (*args, *kwargs.values()) if isinstance(each, Path)]
                paths = (files,) if isinstance(files, (str, os.PathLike)) else tuple(files)
                return self._remembered((function, told), paths, lambda: function(*args, **kwargs))

            return remembering

        return decorate

    def stats(self) -> CacheStats:
        """How it has served so far."""
        with self._lock:
            return CacheStats(
                size=len(self._entries),
                maxsize=self.maxsize,
                bytes=self._bytes,
                max_bytes=self.max_bytes,
                hits=self._hits,
                misses=self._misses,
                saved_s=self._saved_s,
            )

    def clear(self) -> None:
        """Forget all values and start the statistics anew."""
        with self._lock:
            self._entries.clear()
            self._bytes = self._hits = self._misses = 0
            self._saved_s = 0.0

    def __len__(self) -> int:
        return len(self._entries)

    def _remembered(self, key: Hashable, paths: tuple[Any, ...], make: Callable[[], T]) -> T:
        # Taken before loading: a file that changes meanwhile is then loaded once more, never served stale.
        stamp = tuple(_stamp(path) for path in paths)
        settled = all(map(_is_settled, stamp))
        with self._lock:
            try:
                entry = self._entries.get(key)
            except TypeError as error:
                raise ConfigError(f"{error}: give options that can be hashed, such as a tuple for a list") from error
            if entry is not None and entry.stamp == stamp:
                self._entries.move_to_end(key)
                self._hits += 1
                self._saved_s += entry.load_s
                return entry.value  # type: ignore[no-any-return]
            self._misses += 1
            self._drop(key)
        # Loaded outside the lock, so that one slow file holds up nobody else.
        start = time.perf_counter()
        value = make()
        load_s = time.perf_counter() - start
        freeze(value)
        size = self._size_of(value)
        if settled and size <= self.max_bytes:
            with self._lock:
                self._drop(key)
                self._entries[key] = _Entry(value=value, stamp=stamp, bytes=size, load_s=load_s)
                self._bytes += size
                while len(self._entries) > self.maxsize or self._bytes > self.max_bytes:
                    self._drop(next(iter(self._entries)))
        return value

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry.bytes


def worker_cache(memory: MutableMapping[str, Any], **bounds: Any) -> DataCache:
    """The one cache in what a worker remembers, such as ``ctx.cache``; made at the first call.

    Parameters
    ----------
    memory
        A mapping that lives as long as its worker.
    bounds
        ``maxsize``, ``max_bytes`` and ``size_of`` of a new cache.
    """
    found = memory.get(_MEMORY_KEY)
    if not isinstance(found, DataCache):
        found = memory[_MEMORY_KEY] = DataCache(**bounds)
    return found


def _typed(options: Mapping[str, Any]) -> Hashable:
    """Options with their types: 1, 1.0 and True are equal, and are not the same option."""
    return tuple((name, type(options[name]), options[name]) for name in sorted(options))


def _stamp(path: str | os.PathLike[str]) -> tuple[int, ...] | None:
    """What tells a changed file from the same one; None where there is none."""
    try:
        state = os.stat(path)
    except OSError:
        return None
    # The change time tells files apart that were copied over each other with their times kept.
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino, state.st_dev


def _is_settled(stamp: tuple[int, ...] | None) -> bool:
    """Whether any later change must show in the stamp; a write within one tick of the last does not."""
    return stamp is not None and abs(time.time_ns() - stamp[1]) > _TICK_NS
