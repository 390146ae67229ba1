"""Whatever the bytes are: spectra or a reason, in bounded time and memory, and never another exception."""

from __future__ import annotations

import importlib
import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.errors import DataError
from batchlab.spectra._model import Spectrum
from batchlab.spectra._read import _formats
from batchlab.spectra._read._formats import READERS, sniff

STARTS = (
    b"\x0a\x0a\xfe\xfe",
    b"WDF1",
    b"PEPE2D\0",
    b"Spectral Data File\0",
    b"##TITLE=\n##JCAMP-DX=\n##XYDATA=(X++(Y..Y))\n",
    b"##TITLE=\n##JCAMP-DX=\n##XYPOINTS=(XY..XY)\n",
    b"<?xml?><LSX_Data>",
    b"\x00\x4b",
    b"\x00\x4d",
)


def unguarded(data: bytes, path: Path) -> tuple[Spectrum, ...] | str:
    """Read without the net of `Format.read`, so that a reader's own slip is seen; the reason where it refuses."""
    try:
        told = sniff(data, path)
        if told is None:
            return "text"
        module, function = READERS[told.name].split(":")
        reader = getattr(importlib.import_module(module, _formats.__name__), function)
        spectra: tuple[Spectrum, ...] = reader(path, data)
    except DataError as error:
        assert error.reason and str(path) in str(error)
        return error.reason
    assert spectra
    return spectra


@pytest.fixture(scope="module")
def structured(shared_spectra: Path) -> list[tuple[Path, bytes]]:
    return list(_structured(shared_spectra))


def _structured(shared: Path) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(shared.glob("*/*")):
        data = path.read_bytes()
        try:
            if sniff(data, path) is not None:
                yield path, data
        except DataError:
            continue


def test_files_cut_at_kilobytes(structured: list[tuple[Path, bytes]]) -> None:
    """At some of each file and at all of its first eight: at all of all they are cut where the net is in place."""
    rng = random.Random(3)
    refused = 0
    for path, data in structured:
        sizes = range(0, len(data), 1024)
        for size in {*sizes[:8], *rng.sample(sizes, min(12, len(sizes)))}:
            refused += isinstance(unguarded(data[:size], path), str)
    assert refused > 400


def test_flipped_bits(structured: list[tuple[Path, bytes]]) -> None:
    rng = random.Random(7)
    outcomes = set()
    for _ in range(1500):
        path, data = rng.choice(structured)
        changed = bytearray(data)
        reach = len(data) if rng.random() < 0.3 else min(len(data), 2000)
        for _ in range(rng.choice([1, 3, 30])):
            changed[rng.randrange(reach)] ^= 1 << rng.randrange(8)
        outcome = unguarded(bytes(changed), path)
        outcomes.add(outcome if isinstance(outcome, str) else "read")
    assert {"read", "truncated", "damaged"} <= outcomes


@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=2000))
def test_random_bytes_behind_a_magic_number(start: bytes, rest: bytes) -> None:
    unguarded(start + rest, Path("random.bin"))


@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=300), zeros=st.integers(0, 700))
def test_random_bytes_among_zeros(start: bytes, rest: bytes, zeros: int) -> None:
    unguarded(start + bytes(zeros) + rest + bytes(700), Path("random.bin"))


@given(st.text(alphabet="0123456789+-.,;?% \n@ABEIabeiJRjrSZs#=X$", max_size=400))
def test_random_jcamp_tables(body: str) -> None:
    for table in ("XYDATA=(X++(Y..Y))", "XYPOINTS=(XY..XY)"):
        unguarded(f"##TITLE=\n##JCAMP-DX=4\n##NPOINTS=9\n##{table}\n{body}\n##END=".encode(), Path("random.jdx"))


@pytest.mark.parametrize("suffix", [".spc", ".1", ".wdf", ".sp", ".spa"])
def test_headers_of_ones_allocate_no_more_than_the_file_means(
    structured: list[tuple[Path, bytes]], suffix: str
) -> None:
    path, data = min((each for each in structured if each[0].suffix == suffix), key=lambda each: len(each[1]))
    for at in range(4, min(len(data), 620), 4):
        changed = data[:at] + b"\xff\xff\xff\x7f" + data[at + 4 :]
        tracemalloc.start()
        try:
            unguarded(changed, path)
            assert tracemalloc.get_traced_memory()[1] < 20 * len(data) + 5_000_000, at
        finally:
            tracemalloc.stop()
