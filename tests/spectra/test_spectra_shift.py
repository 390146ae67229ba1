"""A shift that was put in is found, with an error that tells how well; nothing is corrected in silence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchlab.errors import DataError
from batchlab.spectra import Spectrum, compare, read_text
from batchlab.spectra._shift import correct_shift, estimate_shift

X = np.linspace(400.0, 1800.0, 1401)
BANDS = ((500, 5, 1.0), (640, 5, 0.5), (1001, 5, 0.8), (1030, 6, 0.4), (1450, 7, 0.6), (1600, 5, 0.3))


def signal(x=X, shift=0.0):
    return sum(h * np.exp(-(((x - shift - c) / w) ** 2)) for c, w, h in BANDS)


def noisy(y, sigma=0.003, seed=0):
    return y + np.random.default_rng(seed).normal(0, sigma, y.size)


@settings(deadline=None, max_examples=40)
@given(shift=st.floats(-25.0, 25.0), scale=st.floats(0.1, 10.0), offset=st.floats(-1.0, 1.0), turned=st.booleans())
def test_a_shift_put_in_is_found(shift, scale, offset, turned):
    way = slice(None, None, -1 if turned else 1)
    sample = scale * (noisy(signal(shift=shift), seed=1) + offset + 2e-4 * X)
    found = estimate_shift(X[way], noisy(signal())[way], sample[way])
    assert found.value == pytest.approx(shift, abs=max(5 * found.error, 0.01))
    assert found.error < 0.05
    assert found.step == pytest.approx(1.0)


def test_its_error_is_its_scatter():
    found = [
        estimate_shift(X, noisy(signal(), 0.01, seed), noisy(1.7 * signal(shift=0.4), 0.01, 1000 + seed))
        for seed in range(60)
    ]
    scatter = np.std([each.value for each in found], ddof=1)
    assert np.mean([each.value for each in found]) == pytest.approx(0.4, abs=4 * scatter / math.sqrt(60))
    assert 0.6 < np.mean([each.error for each in found]) / scatter < 2.0


def test_a_band_of_the_sample_alone_does_not_pull():
    extra = 0.7 * np.exp(-(((X - 1200) / 15) ** 2))
    found = estimate_shift(X, noisy(signal()), noisy(signal(shift=1.3) + extra, seed=1))
    assert found.value == pytest.approx(1.3, abs=0.02)


def test_one_band_that_moved_is_no_shift_of_the_axis():
    moved = signal() - np.exp(-(((X - 500) / 5) ** 2)) + np.exp(-(((X - 503) / 5) ** 2))
    found = estimate_shift(X, signal(), moved)
    assert not found.sure


def test_an_uneven_axis_does_not_matter():
    x = np.linspace(20.0, 42.4, 1400) ** 2
    found = estimate_shift(x, noisy(signal(x)), noisy(signal(x, shift=2.5), seed=1))
    assert found.value == pytest.approx(2.5, abs=5 * found.error)
    assert found.error < 0.05


def test_none_is_found_between_two_that_have_nothing_in_common():
    other = np.exp(-(((X - 800) / 40) ** 2))
    found = estimate_shift(X, signal(), noisy(other))
    assert not found.found and not found.notable
    assert "no shift" in found.words("cm-1")
    assert not estimate_shift(X, signal(), signal(shift=20.0), farthest=5.0).found


def test_a_constant_has_no_shift():
    with pytest.raises(DataError) as caught:
        estimate_shift(X, signal(), np.ones(X.size))
    assert caught.value.reason == "degenerate-spectrum"


@pytest.mark.parametrize("shift", [3.0, -3.0, 0.4])
@pytest.mark.parametrize("turned", [False, True])
def test_a_shift_is_taken_out(shift, turned):
    way = slice(None, None, -1 if turned else 1)
    axis = X[way]
    moved, kept = correct_shift(axis, signal(shift=shift)[way], shift)
    assert moved.shape == axis[kept].shape
    np.testing.assert_allclose(moved, signal(axis[kept]), atol=0.01)
    # Nothing is extrapolated: what is left is where the moved axis was measured.
    assert axis[kept].min() >= 400.0 - min(shift, 0) - 3.0 - 1e-9
    reached = (axis + shift >= 400.0) & (axis + shift <= 1800.0)
    np.testing.assert_array_equal(axis[kept], axis[reached])


def pair(shift):
    said = {"axis_kind": "raman shift"}
    return (
        Spectrum(axis=X, intensity=noisy(signal()), name="r", **said),
        Spectrum(axis=X, intensity=noisy(1.4 * signal(shift=shift), seed=1), name="s", **said),
    )


def test_a_shift_is_told_and_not_corrected_unless_wished():
    plain = compare(*pair(2.0))
    told = compare(*pair(2.0), shift="estimate")
    corrected = compare(*pair(2.0), shift="correct")
    assert "axis_shift" not in plain.metrics
    assert told.metrics["axis_shift"] == pytest.approx(2.0, abs=0.02)
    assert told.metrics["axis_shift_error"] < 0.01
    assert told.metrics["pearson_r"] == plain.metrics["pearson_r"] < 0.95
    np.testing.assert_array_equal(told.sample, plain.sample)
    assert any(" cm-1 higher than the reference" in text and "nothing was corrected" in text for text in told.warnings)
    assert corrected.metrics["pearson_r"] > 0.998
    assert corrected.metrics["axis_shift"] == told.metrics["axis_shift"]
    assert any("it was corrected" in text for text in corrected.warnings)
    assert corrected.done == (f"the sample's axis moved by {-told.metrics['axis_shift']:.6g} cm-1",)
    assert corrected.metrics["area_ratio"] == pytest.approx(1.4, rel=0.01)
    assert corrected.axis[-1] < 1800.0


def test_a_shift_within_its_error_is_left_alone():
    one, other = pair(0.0)
    corrected = compare(one, other, shift="correct")
    np.testing.assert_array_equal(corrected.sample, other.intensity)
    assert not corrected.warnings and not corrected.done


def test_a_small_shift_is_told_in_numbers_alone():
    told = compare(*pair(0.2), shift="estimate")
    assert told.metrics["axis_shift"] == pytest.approx(0.2, abs=0.02)
    assert not told.warnings


def test_one_instrument_does_not_shift_by_its_laser_power(shared_spectra):
    folder = shared_spectra / "bwtek-twinning-family"
    columns = {"axis": "Raman Shift", "column": "Dark Subtracted #1"}
    family = [read_text(path, **columns) for path in sorted(folder.glob("*.txt"))]
    for sample in family:
        metrics = compare(family[0], sample, shift="estimate").metrics
        assert abs(metrics["axis_shift"]) < 0.2  # of a step of 1.7 cm-1
