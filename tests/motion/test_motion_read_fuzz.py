"""Damaged files never end in anything but an error of ours, and never in a recording that breaks its promises."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from batchlab.errors import BatchlabError
from batchlab.motion._read import FileFormat, read_recording
from batchlab.motion._synthetic import write_eyes, write_recordings

_LETTERS = b'0123456789,\t\n;"xyz_ -.e#%\0\xff'


@pytest.mark.parametrize("form", [form for form in FileFormat if form is not FileFormat.PUPIL_LABS])
def test_damage_is_refused_or_read_rightly(tmp_path: Path, form: FileFormat) -> None:
    if form is FileFormat.DLC:
        source = write_eyes(tmp_path, frames=20)[0].path
    else:
        source = write_recordings(tmp_path, file_format=form, frames=20, markers=4)[0].path
    assert source is not None
    whole = source.read_bytes()
    path = tmp_path / f"damaged{source.suffix}"
    rng = random.Random(7)
    refused = 0
    for number in range(150):
        path.write_bytes(_damaged(whole, rng, number % 5))
        declared = {"rate_hz": 100.0} if rng.random() < 0.5 else {}
        try:
            read = read_recording(path, **declared)  # type: ignore[arg-type]
        except BatchlabError as error:
            refused += 1
            assert str(path) in str(error)
            assert "\n" not in str(error)
            continue
        frames, markers, _ = read.positions.shape
        assert frames == read.times_s.size > 0
        assert markers == len(set(read.markers)) > 0
        assert (np.diff(read.times_s) > 0).all()
        assert not np.isinf(read.positions).any()
        assert (np.isnan(read.positions).any(axis=2) == np.isnan(read.positions).all(axis=2)).all()
    assert refused > 10


def _damaged(whole: bytes, rng: random.Random, kind: int) -> bytes:
    data = bytearray(whole)
    at = int(len(data) * rng.random() ** 3)  # heads are where most can go wrong
    if kind == 0:
        del data[at:]
    elif kind == 1:
        for _ in range(20):
            data[int(len(data) * rng.random() ** 3)] = rng.randrange(256)
    elif kind == 2:
        del data[at : at + rng.randrange(1, 200)]
    elif kind == 3:
        data[at:at] = bytes(rng.choice(_LETTERS) for _ in range(rng.randrange(1, 30)))
    else:
        data = bytearray(rng.randbytes(rng.randrange(2000)))
    return bytes(data)
