"""Scale and shift of a sample against its reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.spectra import align
from batchlab.spectra._synthetic import reference_signal

AXIS = np.linspace(120.0, 3500.0, 1800)


@given(scale=st.floats(0.2, 5.0), shift=st.floats(-3.0, 3.0), step=st.sampled_from([1, -1]))
def test_known_scale_and_shift_are_found(scale, shift, step):
    sample = scale * reference_signal(AXIS - shift)
    found = align(AXIS[::step], reference_signal(AXIS)[::step], sample[::step])
    assert found.scale == pytest.approx(scale, rel=0.01)
    assert found.shift == pytest.approx(shift, abs=0.1)


def test_a_band_that_the_reference_has_not_is_left_over_whole():
    band = 4000.0 * np.exp(-(((AXIS - 2200.0) / 15.0) ** 2))
    found = align(AXIS, reference_signal(AXIS), 1.5 * reference_signal(AXIS) + band)
    assert found.scale == pytest.approx(1.5, rel=1e-3)
    assert AXIS[np.argmax(found.residual)] == pytest.approx(2200.0, abs=2.0)
    assert found.residual.max() == pytest.approx(4000.0, rel=0.02)
