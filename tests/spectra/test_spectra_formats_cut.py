"""Real files of formats of their own, cut at every kilobyte: the same spectra, or it is said that they are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from batchlab.errors import DataError
from batchlab.spectra._model import Spectrum
from batchlab.spectra._read._formats import sniff


def outcome(data: bytes, path: Path) -> tuple[Spectrum, ...] | None:
    """The spectra; None where it is refused, or left to the readers of text."""
    try:
        told = sniff(data, path)
        return None if told is None else told.read(path, data)
    except DataError:
        return None


@pytest.mark.parametrize(
    "folder",
    [
        "opus-bruker", "perkinelmer-sp-binary", "renishaw-wdf", "spc-new", "spc-two-samples", "thermo-spa-binary",
        "thermo-spa-openspecy", "jcamp-compressed", "jcamp-ir", "jcamp-oceanoptics", "jobinyvon-xml",
    ],
)  # fmt: skip
def test_a_cut_file_gives_the_same_spectra_or_says_so(shared_spectra: Path, folder: str):
    read = 0
    for path in sorted((shared_spectra / folder).iterdir()):
        data = path.read_bytes()
        whole = outcome(data, path)
        if whole is None:
            continue
        read += 1
        for size in range(1024, len(data), 1024):
            cut = outcome(data[:size], path)
            if cut is None or any("truncated" in text for each in cut for text in each.warnings):
                continue
            assert len(cut) == len(whole), (path, size)
            for one, other in zip(cut, whole, strict=True):
                assert (one.name, one.quantity, one.unit) == (other.name, other.quantity, other.unit), (path, size)
                assert np.array_equal(one.axis, other.axis), (path, size)
                assert np.array_equal(one.intensity, other.intensity), (path, size)
    assert read
