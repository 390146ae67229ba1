import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from batchlab.cache import DataCache, worker_cache
from batchlab.cache._held import size_of_value
from batchlab.errors import ConfigError

_ages = iter(range(1000, 10**9))


def write(path, text):
    """Write a file as if long ago, each time at another second."""
    path.write_text(text)
    old = time.time() - next(_ages)
    os.utime(path, (old, old))
    return path


class Counting:
    """A loader that counts how often it is called."""

    def __init__(self, make=lambda path, **_: Path(path).read_text()):
        self.make, self.calls = make, 0

    def __call__(self, path, **options):
        self.calls += 1
        return self.make(path, **options)


def test_an_unchanged_file_is_loaded_once(tmp_path):
    cache, loader = DataCache(), Counting()
    path = write(tmp_path / "a", "one")
    assert [cache.load(path, loader), cache.load(str(path), loader)] == ["one", "one"]
    assert loader.calls == 1
    stats = cache.stats()
    assert (stats.size, stats.maxsize, stats.hits, stats.misses) == (1, 100, 1, 1)
    assert (stats.hit_rate, stats.hit_rate_pct) == (0.5, "50.0%")


def test_a_rewritten_file_is_a_miss_even_at_the_same_size_and_time(tmp_path):
    cache, loader = DataCache(), Counting()
    path = write(tmp_path / "a", "one")
    old = path.stat()
    assert cache.load(path, loader) == "one"
    other = tmp_path / "b"
    other.write_text("two")
    os.utime(other, ns=(old.st_atime_ns, old.st_mtime_ns))
    os.replace(other, path)
    assert path.stat().st_size == old.st_size
    assert path.stat().st_mtime_ns == old.st_mtime_ns
    assert cache.load(path, loader) == "two"


def test_a_deleted_file_is_never_served(tmp_path):
    cache, loader = DataCache(), Counting()
    path = write(tmp_path / "a", "one")
    cache.load(path, loader)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        cache.load(path, loader)
    assert len(cache) == 0


def test_a_file_just_written_is_loaded_anew_until_a_change_would_show(tmp_path):
    """A second write within one tick of the file system's clock leaves size and times as they were."""
    cache, loader = DataCache(), Counting()
    path = tmp_path / "a"
    path.write_text("one")
    assert cache.load(path, loader) == "one"
    now = path.stat()
    path.write_text("two")
    os.utime(path, ns=(now.st_atime_ns, now.st_mtime_ns))
    assert cache.load(path, loader) == "two"


def test_loader_and_options_and_their_types_tell_values_apart(tmp_path):
    path = write(tmp_path / "a", "x")
    cache = DataCache()
    first, second = Counting(lambda path, **o: sorted(o.items())), Counting(lambda path, **o: "other")
    assert cache.load(path, first, a=1, b=2) == [("a", 1), ("b", 2)]
    assert cache.load(path, first, b=2, a=1) == [("a", 1), ("b", 2)]
    assert cache.load(path, second, a=1, b=2) == "other"
    assert repr(cache.load(path, first, a=True)) == "[('a', True)]"
    assert repr(cache.load(path, first, a=1)) == "[('a', 1)]"
    assert repr(cache.load(path, first, a=1.0)) == "[('a', 1.0)]"
    assert (first.calls, second.calls) == (4, 1)
    with pytest.raises(ConfigError, match="tuple for a list"):
        cache.load(path, first, columns=[1, 2])


def test_a_relative_path_follows_the_current_folder(tmp_path, monkeypatch):
    cache, loader = DataCache(), Counting()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "file", name)
        monkeypatch.chdir(tmp_path / name)
        assert cache.load("file", loader) == name


def test_the_least_recently_used_goes_first(tmp_path):
    cache, loader = DataCache(maxsize=2), Counting()
    a, b, c = (write(tmp_path / name, name) for name in "abc")
    for path in (a, b, a, c):
        cache.load(path, loader)
    assert loader.calls == 3
    cache.load(a, loader)
    assert loader.calls == 3
    cache.load(b, loader)
    assert loader.calls == 4


def test_bytes_are_bounded_and_what_is_too_large_is_given_but_not_kept(tmp_path):
    cache = DataCache(max_bytes=100, size_of=len)
    loader = Counting()
    paths = [write(tmp_path / f"{n}", "x" * n) for n in (40, 50, 30, 101)]
    for path in paths[:3]:
        cache.load(path, loader)
    assert cache.stats().bytes == 80
    assert cache.load(paths[3], loader) == "x" * 101
    assert (cache.stats().bytes, cache.stats().size) == (80, 2)


def test_an_error_is_passed_on_and_not_remembered(tmp_path):
    path = write(tmp_path / "a", "x")
    cache = DataCache()
    broken = Counting(lambda path: 1 / 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            cache.load(path, broken)
    assert broken.calls == 2
    assert len(cache) == 0


@dataclass(frozen=True, slots=True)
class Spectrum:
    x: np.ndarray
    parts: dict


def test_arrays_come_out_read_only_wherever_they_are_held(tmp_path):
    path = write(tmp_path / "a", "x")
    owner = np.arange(10.0)
    cache = DataCache()
    value = cache.load(path, lambda _: (np.zeros(3), [Spectrum(np.ones(2), {"view": owner[2:5]})]))
    spectrum = value[1][0]
    for array in (value[0], spectrum.x, spectrum.parts["view"], owner):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5


def test_what_is_not_kept_is_read_only_too(tmp_path):
    array = DataCache(max_bytes=10).load(write(tmp_path / "a", "x"), lambda _: np.zeros(100))
    assert not array.flags.writeable


def test_sizes_count_what_a_value_holds_once():
    array = np.zeros(1000)
    assert 8000 <= size_of_value(array) <= 8200
    assert size_of_value([array, array, array]) < 8500
    assert size_of_value(Spectrum(array, {"more": np.zeros(1000)})) > 16000
    assert size_of_value(array[:2]) > 8000, "a view keeps its owner alive"
    assert size_of_value(np.frombuffer(bytes(5000), np.uint8)) > 5000
    assert size_of_value("x" * 1000) > 1000
    ring = []
    ring.append(ring)
    assert size_of_value(ring) < 200


def test_a_decorated_function_is_remembered_by_its_files(tmp_path):
    cache, calls = DataCache(), []

    @cache.with_cache()
    def total(path, scale=1):
        """Sum."""
        calls.append(path)
        return float(path.read_text()) * scale

    path = write(tmp_path / "a", "2")
    assert [total(path), total(path), total(path, scale=3)] == [2.0, 2.0, 6.0]
    assert len(calls) == 2
    write(path, "5")
    assert total(path) == 5.0
    assert total.__doc__ == "Sum."


def test_key_and_files_of_a_decorated_function_can_be_chosen(tmp_path):
    cache, calls = DataCache(), []
    write(tmp_path / "chip.1", "a")
    write(tmp_path / "chip.2", "b")

    @cache.with_cache(lambda folder, chip, note: chip, files_fn=lambda folder, chip, note: f"{folder}/chip.{chip}")
    def history(folder, chip, note):
        calls.append(note)
        return Path(folder, f"chip.{chip}").read_text()

    assert history(tmp_path, 1, ["unhashable"]) == "a"
    assert history(tmp_path, 1, ["another"]) == "a"
    assert history(tmp_path, 2, []) == "b"
    assert len(calls) == 2
    write(tmp_path / "chip.1", "c")
    assert history(tmp_path, 1, []) == "c"


def test_time_saved_is_what_hits_would_have_taken(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("batchlab.cache._data_cache.time.perf_counter", lambda: now[0])

    def slow(_):
        now[0] += 0.25
        return "x"

    cache, path = DataCache(), write(tmp_path / "a", "x")
    for _ in range(4):
        cache.load(path, slow)
    assert cache.stats().saved_s == pytest.approx(0.75)


def test_clear_forgets_values_and_statistics(tmp_path):
    cache, loader = DataCache(), Counting()
    path = write(tmp_path / "a", "one")
    cache.load(path, loader)
    cache.clear()
    stats = cache.stats()
    assert (stats.size, stats.bytes, stats.hits, stats.misses, stats.saved_s) == (0, 0, 0, 0, 0.0)
    assert stats.hit_rate_pct == "0.0%"
    cache.load(path, loader)
    assert loader.calls == 2


@pytest.mark.parametrize("bounds", [{"maxsize": 0}, {"max_bytes": 0}, {"maxsize": -1}])
def test_a_cache_that_holds_nothing_is_refused(bounds):
    with pytest.raises(ConfigError, match="give 1 or more"):
        DataCache(**bounds)


def test_a_worker_has_one_cache_and_another_worker_another():
    memory = {}
    cache = worker_cache(memory, maxsize=3)
    assert cache.maxsize == 3
    assert worker_cache(memory) is cache
    assert worker_cache({}) is not cache


def test_many_threads_get_right_values_and_the_books_balance(tmp_path):
    cache = DataCache(maxsize=5, size_of=len)
    paths = [write(tmp_path / f"{n}", f"{n}" * (n + 1)) for n in range(9)]

    def read(path):
        return Path(path).read_text()

    def ask(seed):
        order = np.random.default_rng(seed).integers(0, 9, 300)
        return all(cache.load(paths[n], read) == f"{n}" * (n + 1) for n in order)

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(ask, range(6)))
    stats = cache.stats()
    assert stats.hits + stats.misses == 1800
    assert stats.size == len(cache) <= 5
    cached = {key[0] for key in cache._entries}
    assert stats.bytes == sum(len(Path(path).read_text()) for path in cached)


def test_a_slow_load_holds_up_nobody_else(tmp_path):
    cache = DataCache()
    slow, quick = write(tmp_path / "slow", "s"), write(tmp_path / "quick", "q")
    entered, release = threading.Event(), threading.Event()

    def waiting(path):
        entered.set()
        assert release.wait(30)
        return Path(path).read_text()

    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(cache.load, slow, waiting)
        assert entered.wait(30)
        assert cache.load(quick, Counting()) == "q"
        release.set()
        assert pending.result(30) == "s"


def test_neither_import_nor_plain_values_load_numpy(tmp_path):
    path = write(tmp_path / "a", "x")
    code = (
        "import sys\nfrom batchlab.cache import DataCache\n"
        f"assert DataCache().load({str(path)!r}, lambda p: open(p).close()) is None\n"
        "assert 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
