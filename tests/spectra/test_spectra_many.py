"""Many samples in one pass: the numbers of the one-by-one way, whatever the block."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from batchlab.errors import DataError
from batchlab.spectra import _many, pearson_r, rmse, spectral_angle_deg
from batchlab.spectra._many import similarity_of_many

X = np.linspace(0.0, 1.0, 500)
REFERENCE = 0.1 + np.exp(-(((X - 0.4) / 0.03) ** 2))


def samples(count=37, noise=0.01):
    rng = np.random.default_rng(4)
    return REFERENCE * rng.uniform(0.2, 3.0, (count, 1)) + rng.normal(0, noise, (count, X.size))


def one_by_one(reference, rows):
    return {
        "pearson_r": [pearson_r(reference, row) for row in rows],
        "rmse": [rmse(reference, row) for row in rows],
        "spectral_angle_deg": [spectral_angle_deg(reference, row) for row in rows],
    }


@pytest.mark.parametrize("block", [1, 8 * 500 * 10, 1 << 30])
@pytest.mark.parametrize("sign", [1, -1])
def test_it_is_the_one_by_one_way_to_rounding(monkeypatch, block, sign):
    monkeypatch.setattr(_many, "_BLOCK_BYTES", block)
    rows = sign * samples()
    found = similarity_of_many(REFERENCE, rows)
    for name, expected in one_by_one(REFERENCE, rows).items():
        np.testing.assert_allclose(getattr(found, name), expected, rtol=1e-13, atol=1e-14, err_msg=name)


@given(rows=arrays(np.float64, (5, 30), elements=st.floats(-1e6, 1e6)))
def test_it_is_so_for_any_signals(rows):
    reference = np.cos(np.arange(30.0))
    rows = rows + np.linspace(0, 1, 30) * (1 + np.abs(rows).max())
    found = similarity_of_many(reference, rows)
    for name, expected in one_by_one(reference, rows).items():
        np.testing.assert_allclose(getattr(found, name), expected, rtol=1e-11, atol=1e-12, err_msg=name)


def test_the_reference_among_its_samples_is_alike_to_the_last_bit():
    found = similarity_of_many(REFERENCE, np.stack([REFERENCE, -REFERENCE, 2 * REFERENCE]))
    assert found.pearson_r.tolist() == [1.0, -1.0, 1.0]
    assert found.spectral_angle_deg.tolist() == [0.0, 180.0, 0.0]
    assert found.rmse[0] == 0.0


def test_a_tiny_angle_is_resolved():
    turned = REFERENCE.copy()
    turned[3] += 1e-9
    found = similarity_of_many(REFERENCE, turned[None])
    assert found.spectral_angle_deg[0] == pytest.approx(spectral_angle_deg(REFERENCE, turned), rel=1e-6)
    assert 0 < found.spectral_angle_deg[0] < 1e-6


@pytest.mark.parametrize("scale", [1e300, 1e-300])
def test_no_square_overflows_or_vanishes(scale):
    rows = samples(4)
    plain, scaled = similarity_of_many(REFERENCE, rows), similarity_of_many(scale * REFERENCE, scale * rows)
    np.testing.assert_allclose(scaled.pearson_r, plain.pearson_r, rtol=1e-12)
    np.testing.assert_allclose(scaled.rmse / scale, plain.rmse, rtol=1e-12)
    np.testing.assert_allclose(scaled.spectral_angle_deg, plain.spectral_angle_deg, rtol=1e-9)


def test_a_constant_has_a_distance_and_no_correlation():
    found = similarity_of_many(REFERENCE, np.stack([np.full(500, 0.3), np.zeros(500), REFERENCE]))
    assert [math.isnan(r) for r in found.pearson_r] == [True, True, False]
    assert [math.isnan(a) for a in found.spectral_angle_deg] == [False, True, False]
    assert np.isfinite(found.rmse).all()


def test_a_memory_map_is_read_block_by_block(tmp_path):
    rows = samples(200)
    np.save(tmp_path / "rows.npy", rows)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    np.testing.assert_array_equal(similarity_of_many(REFERENCE, mapped).rmse, similarity_of_many(REFERENCE, rows).rmse)


@pytest.mark.parametrize(
    ("reference", "rows"),
    [
        (REFERENCE, samples()[:, :-1]),
        (REFERENCE, REFERENCE),
        (samples(), samples()),
        (REFERENCE, np.where(np.arange(500) == 7, np.nan, samples())),
        (np.where(np.arange(500) == 7, np.inf, REFERENCE), samples()),
    ],
)
def test_what_does_not_fit_is_refused(reference, rows):
    with pytest.raises(DataError) as caught:
        similarity_of_many(reference, rows)
    assert caught.value.reason == "not-a-spectrum"


def test_no_samples_have_no_numbers():
    assert similarity_of_many(REFERENCE, np.empty((0, 500))).rmse.shape == (0,)
