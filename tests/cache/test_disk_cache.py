"""What is kept on disk from run to run."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from pathlib import Path

import pytest

from batchlab.cache import DiskCache, cache_folder


def _key(name: object) -> str:
    return hashlib.blake2b(str(name).encode(), digest_size=20).hexdigest()


def test_what_was_put_is_there_for_others(tmp_path: Path) -> None:
    assert DiskCache(tmp_path / "cache").get(_key(1)) is None
    assert DiskCache(tmp_path / "cache").put(_key(1), b"one")
    assert DiskCache(tmp_path / "cache").get(_key(1)) == b"one"
    assert DiskCache(tmp_path / "cache").put(_key(1), b"")
    assert DiskCache(tmp_path / "cache").get(_key(1)) == b""


@pytest.mark.parametrize("harm", ["cut", "bit", "empty", "longer"])
def test_a_damaged_entry_is_dropped(tmp_path: Path, harm: str) -> None:
    cache = DiskCache(tmp_path)
    cache.put(_key(1), b"abcdefgh")
    (path,) = tmp_path.glob("??/*")
    data = bytearray(path.read_bytes())
    if harm == "bit":
        data[-3] ^= 4
    path.write_bytes({"cut": data[:-1], "bit": data, "empty": b"", "longer": data + b"x"}[harm])
    assert cache.get(_key(1)) is None
    assert not path.exists()


def test_those_used_longest_ago_go_first_and_the_bound_is_kept(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, limit_bytes=100_000)
    for number in range(5):
        assert cache.put(_key(number), bytes(10_000))
        (path,) = [each for each in tmp_path.glob("??/*") if each.stem == _key(number)[2:]]
        os.utime(path, ns=(number, number))
    assert cache.get(_key(0)) is not None  # now the youngest
    for number in range(5, 13):
        cache.put(_key(number), bytes(10_000))
        assert cache.size_bytes() <= 100_000
    assert cache.get(_key(0)) is not None
    assert cache.get(_key(12)) is not None
    assert cache.get(_key(1)) is None
    assert not cache.put(_key("too much"), bytes(100_001))
    assert cache.clear() > 0
    assert cache.size_bytes() == 0


def test_what_earlier_runs_left_counts(tmp_path: Path) -> None:
    for number in range(10):
        DiskCache(tmp_path, limit_bytes=1 << 20).put(_key(number), bytes(10_000))
    DiskCache(tmp_path, limit_bytes=50_000).put(_key("more"), bytes(1000))
    assert DiskCache(tmp_path, limit_bytes=50_000).size_bytes() <= 50_000


def test_parts_of_a_killed_process_do_not_stay_for_ever(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, limit_bytes=50_000)
    cache.put(_key(1), b"one")
    part = next(tmp_path.glob("??")) / ".left.part"
    part.write_bytes(bytes(60_000))
    os.utime(part, ns=(1, 1))
    for number in range(4):
        cache.put(_key(number), bytes(4000))
    assert not part.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="who may do everything cannot be kept from writing")
def test_a_folder_that_cannot_be_written_costs_no_result(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        assert not DiskCache(tmp_path / "in").put(_key(1), b"one")
    finally:
        tmp_path.chmod(0o700)


def test_a_file_where_the_folder_should_be_costs_no_result(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = DiskCache(tmp_path / "file" / "cache")
    assert not cache.put(_key(1), b"one")
    assert cache.get(_key(1)) is None
    assert cache.size_bytes() == 0


def _write(folder: str, seed: int) -> None:
    cache = DiskCache(folder, limit_bytes=40_000)
    for number in range(200):
        name = f"{(seed * 7 + number) % 20}"
        found = cache.get(_key(name))
        assert found is None or found == name.encode() * 1000
        cache.put(_key(name), name.encode() * 1000)


def test_several_processes_never_read_a_half_entry(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write, args=(str(tmp_path), seed)) for seed in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]


def test_names_of_entries_are_digests(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no key"):
        DiskCache(tmp_path).get("../../etc/passwd")
    with pytest.raises(ValueError, match="holds nothing"):
        DiskCache(tmp_path, limit_bytes=0)


def test_the_folder_follows_the_standard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("particles") == tmp_path / "batchlab" / "particles"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder("particles") == Path.home() / ".cache" / "batchlab" / "particles"
