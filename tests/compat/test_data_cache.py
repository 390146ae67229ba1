"""Tables kept in memory, by the calls of an earlier program."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from batchlab.compat.devices import data_cache, measurements
from batchlab.compat.devices.data_cache import (
    CachedItem,
    DataCache,
    cache_stats,
    cached_read_parquet,
    clear_cache,
    disable_parquet_caching,
    enable_parquet_caching,
    print_cache_stats,
    with_cache,
)
from batchlab.errors import DataError


@pytest.fixture(autouse=True)
def _untouched() -> Iterator[None]:
    before = pl.read_parquet, measurements.read_measurement_parquet
    clear_cache()
    yield
    disable_parquet_caching()
    clear_cache()
    assert (pl.read_parquet, measurements.read_measurement_parquet) == before


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.parquet"
    pl.DataFrame({"a": [1, 2, 3]}).write_parquet(path)
    return path


def counts() -> tuple[int, int]:
    found = cache_stats()
    return found["hits"], found["misses"]


def test_the_value_used_longest_ago_goes_first():
    cache = DataCache(maxsize=2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)
    assert cache.stats() == {
        "size": 2,
        "maxsize": 2,
        "hits": 3,
        "misses": 1,
        "hit_rate": 0.75,
        "hit_rate_pct": "75.0%",
    }


def test_a_cache_without_room_is_refused():
    with pytest.raises(ValueError, match="maxsize is 1 or more"):
        DataCache(maxsize=0)


@pytest.mark.parametrize("change", ["time", "size", "gone"])
def test_a_value_goes_with_its_file(tmp_path: Path, change: str):
    path = tmp_path / "x"
    path.write_text("abc")
    cache = DataCache()
    cache.put(path, "value")
    assert cache.get(path) == "value"
    seen = path.stat()
    if change == "gone":
        path.unlink()
    elif change == "time":
        os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns + 1_000_000_000))
    else:
        path.write_text("abcd")
        os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert cache.get(path) is None
    assert len(cache) == 0


def test_a_cached_item_has_value_and_time():
    assert (CachedItem("x", 12.5).value, CachedItem("x", 12.5).file_mtime) == ("x", 12.5)


def test_nothing_is_replaced_until_it_is_asked_for(table: Path):
    pl.read_parquet(table)
    pl.read_parquet(table)
    assert counts() == (0, 0)


def test_both_readers_keep_what_they_read_and_are_given_back(table: Path):
    before = pl.read_parquet, measurements.read_measurement_parquet
    assert enable_parquet_caching() is True
    assert enable_parquet_caching() is True
    assert pl.read_parquet is not before[0]
    first = pl.read_parquet(table)
    again = pl.read_parquet(str(table))
    measured = measurements.read_measurement_parquet(table)
    assert first.equals(again) and first.equals(measured)
    assert counts() == (2, 1)
    assert disable_parquet_caching() is True
    assert disable_parquet_caching() is False
    assert (pl.read_parquet, measurements.read_measurement_parquet) == before


def test_what_one_does_to_a_table_another_does_not_see(table: Path):
    mine = cached_read_parquet(table)
    mine.insert_column(0, pl.Series("mine", [0, 0, 0]))
    mine[0, "a"] = 99
    assert cached_read_parquet(table).to_dict(as_series=False) == {"a": [1, 2, 3]}


def test_a_file_that_changed_is_read_again(table: Path):
    enable_parquet_caching()
    pl.read_parquet(table)
    pl.DataFrame({"a": [7]}).write_parquet(table)
    os.utime(table, (1, 1))
    assert pl.read_parquet(table)["a"].to_list() == [7]
    assert counts() == (0, 2)


def test_other_reads_go_to_the_reader(table: Path):
    enable_parquet_caching()
    assert pl.read_parquet(table, columns=["a"]).width == 1
    assert pl.read_parquet(table.read_bytes()).height == 3
    assert pl.read_parquet(str(table.parent / "*.parquet")).height == 3
    with pytest.raises(FileNotFoundError):
        pl.read_parquet(table.parent / "absent.parquet")
    assert counts() == (0, 0)
    with pytest.raises(DataError, match="there is no such file; stage its run"):
        measurements.read_measurement_parquet(table.parent / "absent.parquet")


def test_functions_keep_what_they_return(tmp_path: Path):
    calls: list[object] = []

    @with_cache()
    def area(width: int, height: int = 2) -> int:
        calls.append((width, height))
        return width * height

    @with_cache(cache_key_fn=lambda path: path)
    def length(path: Path) -> int:
        calls.append(path)
        return len(path.read_text())

    assert [area(3), area(3), area(3, height=4), area(3)] == [6, 6, 12, 6]
    assert calls == [(3, 2), (3, 4)]
    path = tmp_path / "x"
    path.write_text("abc")
    assert (length(path), length(path)) == (3, 3)
    path.write_text("abcd")
    assert length(path) == 4
    assert calls[2:] == [path, path]
    assert area.__name__ == "area"


def test_a_call_that_cannot_be_told_apart_goes_to_the_function():
    @with_cache()
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    assert (total([1, 2]), total([1, 2])) == (3, 3)
    assert counts() == (0, 0)


def test_what_is_said_to_be_saved_was_measured(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    times = iter([10.0, 12.25])
    monkeypatch.setattr(data_cache.time, "perf_counter", lambda: next(times))
    for _ in range(3):
        cached_read_parquet(table)
    print_cache_stats()
    assert "Estimated time saved: ~4.5s from cached reads" in capsys.readouterr().out


def test_nothing_is_said_to_be_saved_where_nothing_was(capsys: pytest.CaptureFixture[str]):
    print_cache_stats()
    said = capsys.readouterr().out
    assert "Hit rate:        0.0%" in said and "Estimated" not in said
