"""Numbers that are kept beside spectrograms."""

from __future__ import annotations

import numpy as np
import pytest

from batchlab.particles._store import pack_arrays, unpack_arrays


def test_numbers_come_back_as_they_were() -> None:
    kept = {"times_s": np.array([[1.5, np.nan], [3.0, 4.0]]), "orbit": np.array([])}
    found = unpack_arrays(pack_arrays(kept))
    assert list(found) == list(kept)
    for name, values in kept.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].dtype == values.dtype


@pytest.mark.parametrize("data", [b"", b"no numbers", pack_arrays({"orbit": np.array([1.0])})[:-30]])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        unpack_arrays(data)
