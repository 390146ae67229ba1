"""Differences and ratios, and the factor of a scaled difference, against known answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.errors import Category, ConfigError, DataError
from batchlab.spectra import Spectrum, compare
from batchlab.spectra._difference import Difference, difference_of, subtraction_factor
from batchlab.spectra._least_squares import fit_columns

X = np.linspace(400.0, 1800.0, 1401)


def bands(*given, x=X):
    return sum(h * np.exp(-(((x - c) / w) ** 2)) for c, w, h in given)


REFERENCE = bands((500, 10, 1.0), (640, 8, 0.5), (1000, 6, 0.8), (1450, 14, 0.6))
EXTRA = bands((1200, 15, 0.7))
BASELINE = 0.3 + 2e-4 * X


@pytest.mark.parametrize("by", ["values", "derivative"])
@given(factor=st.floats(0.05, 20.0), turned=st.booleans())
def test_a_known_factor_is_found_whatever_else_the_sample_has(by, factor, turned):
    way = slice(None, None, -1 if turned else 1)
    sample = factor * REFERENCE + EXTRA * factor + BASELINE
    found = subtraction_factor(X[way], REFERENCE[way], sample[way], by=by)
    assert found.value == pytest.approx(factor, rel=2e-3)
    assert found.error < 0.01 * factor


@pytest.mark.parametrize("by", ["values", "derivative"])
def test_the_standard_error_is_the_scatter_of_the_factor(by):
    rng = np.random.default_rng(5)
    found = [
        subtraction_factor(X, REFERENCE, 0.73 * REFERENCE + EXTRA + BASELINE + rng.normal(0, 0.01, X.size), by=by)
        for _ in range(60)
    ]
    scatter = np.std([each.value for each in found], ddof=1)
    assert np.mean([each.value for each in found]) == pytest.approx(0.73, abs=4 * scatter / np.sqrt(60) + 1e-3)
    assert 0.6 < np.mean([each.error for each in found]) / scatter < 2.0


def test_a_region_decides_the_factor_alone():
    sample = np.where(X < 800, 2.0, 0.5) * REFERENCE
    assert subtraction_factor(X, REFERENCE, sample, kept=X < 800).value == pytest.approx(2.0)
    assert subtraction_factor(X, REFERENCE, sample, kept=X > 800).value == pytest.approx(0.5)


def test_no_factor_without_a_shape():
    for flat in (np.ones(X.size), 1 + X):
        with pytest.raises(DataError) as caught:
            subtraction_factor(X, flat, REFERENCE)
        assert (caught.value.reason, caught.value.category) == ("degenerate-spectrum", Category.NUMERICAL)
    with pytest.raises(ConfigError, match="'values' or by 'derivative'"):
        subtraction_factor(X, REFERENCE, REFERENCE, by="eye")


def test_plain_least_squares_are_numpys():
    rng = np.random.default_rng(2)
    columns, target = rng.normal(size=(200, 3)), rng.normal(size=200)
    found = fit_columns(columns, target, robust=False)
    np.testing.assert_allclose(found.coefficients, np.linalg.lstsq(columns, target, rcond=None)[0], rtol=1e-9)
    np.testing.assert_allclose(found.residual, target - columns @ found.coefficients, atol=1e-12)
    assert (found.weights == 1).all()


def test_robust_least_squares_are_deaf_to_what_stands_out():
    rng = np.random.default_rng(2)
    columns = rng.normal(size=(400, 2))
    target = columns @ [2.0, -1.0] + rng.normal(0, 0.01, 400)
    target[:60] += 30.0
    assert fit_columns(columns, target).coefficients == pytest.approx([2.0, -1.0], abs=0.01)
    assert fit_columns(columns, target, robust=False).coefficients != pytest.approx([2.0, -1.0], abs=0.1)


def test_differences_and_ratios_are_what_they_say():
    reference, sample = np.array([1.0, 2.0, -4.0, 0.0, 1e-12]), np.array([3.0, 1.0, 4.0, 1.0, 1.0])
    np.testing.assert_array_equal(difference_of(reference, sample, "difference"), sample - reference)
    np.testing.assert_array_equal(difference_of(reference, sample, "scaled difference", 0.5), sample - 0.5 * reference)
    np.testing.assert_array_equal(difference_of(reference, sample, "ratio"), [3.0, 0.5, -1.0, np.nan, np.nan])
    log = difference_of(reference, sample, Difference.LOG_RATIO)
    np.testing.assert_allclose(log, [np.log10(3.0), np.log10(0.5), np.nan, np.nan, np.nan])


def test_the_log_ratio_of_intensities_is_minus_their_absorbance():
    absorbance = bands((600, 20, 1.5))
    incident = 1000 + X
    log = difference_of(incident, incident * 10**-absorbance, "log ratio")
    np.testing.assert_allclose(-log, absorbance, atol=1e-12)


def spectra(sample, **facts):
    said = {"axis_kind": "raman shift", "quantity": "intensity", "unit": "mV", **facts}
    return Spectrum(axis=X, intensity=REFERENCE, **said), Spectrum(axis=X, intensity=sample, **said)


def test_a_comparison_carries_its_difference_factor_and_label():
    sample = 2.5 * REFERENCE + EXTRA + BASELINE
    comparison = compare(*spectra(sample), difference="scaled difference")
    assert comparison.metrics["factor"] == pytest.approx(2.5, rel=1e-3)
    assert comparison.metrics["factor_by"] == "values"
    factor = comparison.metrics["factor"]
    np.testing.assert_array_equal(comparison.difference, sample - factor * REFERENCE)
    assert comparison.difference_label == f"Sample − {factor:.4g} × reference / mV"
    given = compare(*spectra(sample), difference="scaled difference", factor=2.0)
    assert (given.metrics["factor"], given.metrics["factor_error"], given.metrics["factor_by"]) == (2.0, 0.0, "given")
    region = compare(*spectra(sample), difference="scaled difference", regions={"ring": (980, 1020)}, factor="ring")
    assert region.metrics["factor"] == pytest.approx(2.5, rel=1e-6)
    with pytest.raises(ConfigError, match="ring"):
        compare(*spectra(sample), difference="scaled difference", regions={"ring": (980, 1020)}, factor="rnig")


@pytest.mark.parametrize(
    ("kind", "normalization", "label"),
    [
        ("difference", "none", "Difference / mV"),
        ("difference", "snv", "Difference (snv)"),
        ("ratio", "none", "Sample / reference"),
        ("log ratio", "none", "lg(sample / reference)"),
    ],
)
def test_labels_say_the_unit(kind, normalization, label):
    comparison = compare(*spectra(REFERENCE + EXTRA), normalization, difference=kind)
    assert comparison.difference_label == label


def test_where_a_ratio_is_none_is_told():
    comparison = compare(*spectra(REFERENCE + EXTRA), difference="ratio")
    missing = np.count_nonzero(np.isnan(comparison.difference))
    assert missing > 0
    assert f"the ratio is not a number at {missing} points" in comparison.warnings
