"""Whatever lies in a file, recognising and reading it ends soon, in a result or in our error."""

from __future__ import annotations

import codecs
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from batchlab.errors import DataError
from batchlab.spectra import Spectrum
from batchlab.spectra._read import apply_plan, observe, read_spectra, recognize
from batchlab.spectra._synthetic_layouts import KINDS, make_layout


def look_at(path, data: bytes) -> str:
    """Recognise, observe and read bytes; how it ended."""
    path.write_bytes(data)
    try:
        found = recognize(path)
    except DataError as error:
        assert error.reason, error
        recognised = f"refused: {error.reason}"
    else:
        assert 0.0 <= found.confidence < 1.0 or found.plan is None
        assert found.reasons
        recognised = "recognised"
        if found.plan is not None:
            try:
                assert all(isinstance(each, Spectrum) for each in apply_plan(found.plan, path))
            except DataError as error:
                assert error.reason, error
    for act in (observe, read_spectra):
        try:
            act(path)
        except DataError as error:
            assert error.reason, error
    return recognised


def test_real_files_cut_at_kilobytes(shared_spectra, tmp_path):
    """One file of each layout at every kilobyte of its head, the others of its family at a few, head or not."""
    rng = np.random.default_rng(5)
    ends: Counter[str] = Counter()
    for path in sorted(path for path in shared_spectra.glob("*/*") if path.is_file()):
        data = path.read_bytes()
        kilobytes = np.arange(1, max(2, len(data) // 1024))
        chosen = set(rng.choice(kilobytes, min(3, kilobytes.size), replace=False).tolist())
        if path == min(path.parent.iterdir()):
            chosen |= set(range(1, min(len(data) // 1024, 32)))
        for length in sorted(chosen):
            ends[look_at(tmp_path / f"cut{path.suffix}", data[: 1024 * length])] += 1
    assert ends.total() > 1000
    assert ends["recognised"] > 100 and ends["refused: truncated"] > 10


@pytest.mark.parametrize("kind", KINDS)
def test_every_layout_with_flipped_bits_and_lost_pieces(tmp_path, kind):
    rng = np.random.default_rng(len(kind))
    data = make_layout(kind, 3).data[:60_000]
    for _ in range(12):
        broken = bytearray(data)
        for at in rng.integers(len(broken), size=int(rng.integers(1, 6))):
            broken[at] ^= 1 << int(rng.integers(8))
        begin, end = sorted(rng.integers(len(broken), size=2).tolist())
        look_at(tmp_path / "broken.txt", bytes(broken))
        look_at(tmp_path / "broken.txt", bytes(broken[:begin] + broken[end:]))


WORDS = st.sampled_from(
    [
        "1",
        "2.5",
        "-3e4",
        "1,5",
        "",
        " ",
        "nan",
        "inf",
        "x",
        "nm",
        "%T",
        "#",
        "[nm]",
        "NPOINTS",
        "Plate:",
        "##BLOCKS= 1",
        "\u00b5",
        "1e999",
    ]
)
LINES = st.builds(
    lambda cells, mark: mark.join(cells),
    st.lists(WORDS, max_size=12),
    st.sampled_from([",", ";", "\t", " ", "=", ": "]),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(LINES, max_size=30),
    end=st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\r\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-16", "utf-8-sig", "latin-1"]),
    times=st.sampled_from([1, 1, 1, 300]),
)
@example(lines=["##BLOCKS= 1", "Plate:\tP\t1.3\tPlateFormat\tSpectrum"], end="\n", encoding="utf-8", times=1)
@example(lines=["1,2,3,4,5,6,7,9"], end="\n", encoding="utf-8", times=2)
@example(lines=["12", "1", "2", "0", "0", "0", *["7"] * 12], end="\n", encoding="utf-8", times=1)
@example(lines=["1e999", "1", "2", "0", "0", "0", *["7"] * 12], end="\n", encoding="utf-8", times=1)
def test_any_text_of_tables(tmp_path, lines, end, encoding, times):
    look_at(tmp_path / "any.txt", (end.join(lines) + end).encode(encoding) * times)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.builds(
        bytes.__add__, st.sampled_from([b"", codecs.BOM_UTF16_LE, b"##BLOCKS=", b"1,2\n" * 9]), st.binary(max_size=600)
    )
)
def test_any_bytes(tmp_path, content):
    look_at(tmp_path / "any.bin", content)


def test_random_bytes_and_letters_of_some_length(tmp_path):
    rng = np.random.default_rng(11)
    for alphabet in (
        np.arange(256),
        np.frombuffer(b"0123456789.,;\t \n-+eE", np.uint8),
        np.frombuffer(b"0123456789,\n", np.uint8),
    ):
        for size in (3_000, 200_000):
            look_at(tmp_path / "random.txt", rng.choice(alphabet, size).astype(np.uint8).tobytes())
