"""Common axis, normalisation and similarity against independent answers, and against themselves turned round."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import trapezoid
from scipy.interpolate import interp1d
from scipy.stats import pearsonr, zscore

from batchlab.errors import Category, DataError
from batchlab.spectra import (
    AxisKind,
    Normalization,
    Quantity,
    Spectrum,
    area,
    area_ratio,
    common_axis,
    compare,
    max_deviation,
    normalize,
    pearson_r,
    read_text,
    rmse,
    spectral_angle_deg,
)

SIGNALS = arrays(np.float64, 40, elements=st.floats(-1e6, 1e6))
AXIS = np.cumsum(np.linspace(0.5, 2.0, 40))


def varied(*signals: np.ndarray) -> None:
    """Leave out signals that are all but constant: their correlation is rounding."""
    for signal in signals:
        assume(np.std(signal) > 1e-3 * (1 + np.abs(signal).max()))


def spectrum(axis, intensity, **facts) -> Spectrum:
    return Spectrum(axis=axis, intensity=intensity, **facts)


@contextmanager
def raises(reason: str, category: Category = Category.INVALID_INPUT) -> Iterator[pytest.ExceptionInfo[DataError]]:
    with pytest.raises(DataError) as caught:
        yield caught
    assert (caught.value.reason, caught.value.category) == (reason, category)


# Numbers


@given(a=SIGNALS, b=SIGNALS)
def test_pearson_r_is_scipys(a, b):
    varied(a, b)
    assert pearson_r(a, b) == pytest.approx(pearsonr(a, b).statistic, abs=1e-9)
    assert -1.0 <= pearson_r(a, b) <= 1.0


@given(a=SIGNALS, scale=st.floats(1e-3, 1e3), offset=st.floats(-1e3, 1e3))
def test_pearson_r_is_blind_to_offset_and_scale(a, scale, offset):
    varied(a)
    assume(np.ptp(a) * scale > 1e-3)
    assert pearson_r(a, a) == 1.0
    assert pearson_r(a, -a) == -1.0
    assert pearson_r(a, scale * a + offset) == pytest.approx(1.0, abs=1e-9)


@given(a=SIGNALS, b=SIGNALS)
def test_rmse_and_max_deviation_are_the_textbooks(a, b):
    assert rmse(a, b) == pytest.approx(math.sqrt(np.mean((a - b) ** 2)), rel=1e-12, abs=1e-100)
    deviation, position = max_deviation(AXIS, a, b)
    assert abs(deviation) == np.max(np.abs(b - a))
    assert (b - a)[position == AXIS] == deviation


def test_max_deviation_is_negative_where_the_sample_lies_below():
    reference, sample = np.zeros(5), np.array([0.0, 1.0, -3.0, 2.0, 0.0])
    assert max_deviation(np.arange(5.0), reference, sample) == (-3.0, 2.0)


@given(a=SIGNALS, b=SIGNALS)
def test_spectral_angle_is_the_arc_cosine(a, b):
    varied(a, b)
    cosine = np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b)
    assert spectral_angle_deg(a, b) == pytest.approx(np.degrees(np.arccos(np.clip(cosine, -1, 1))), abs=1e-4)


@given(a=SIGNALS, scale=st.floats(1e-6, 1e6))
def test_spectral_angle_is_exact_where_the_arc_cosine_is_not(a, scale):
    varied(a)
    assert spectral_angle_deg(a, a) == 0.0
    assert spectral_angle_deg(a, scale * a) < 1e-12
    assert spectral_angle_deg(a, -a) == pytest.approx(180.0)


def test_a_tiny_angle_is_resolved():
    a = np.array([1.0, 0.0, 0.0])
    b = np.array([1.0, 1e-10, 0.0])
    assert spectral_angle_deg(a, b) == pytest.approx(math.degrees(1e-10), rel=1e-9)


@given(a=SIGNALS, b=SIGNALS)
def test_area_and_its_ratio_are_scipys_trapezoid(a, b):
    scale = 1 + np.abs(a).max()
    assert area(AXIS, a) == pytest.approx(trapezoid(a, AXIS), abs=1e-9 * scale)
    assert area(AXIS[::-1], a[::-1]) == pytest.approx(area(AXIS, a), abs=1e-9 * scale)
    assume(abs(trapezoid(a, AXIS)) > 1e-3)
    assert area_ratio(AXIS, a, b) == pytest.approx(trapezoid(b, AXIS) / trapezoid(a, AXIS), rel=1e-6, abs=1e-6)


def test_no_area_gives_no_ratio():
    assert math.isnan(area_ratio(np.arange(3.0), np.zeros(3), np.ones(3)))


# Normalisation


@given(y=SIGNALS)
def test_snv_is_the_z_score_of_scipy(y):
    varied(y)
    np.testing.assert_allclose(normalize(AXIS, y, "snv"), zscore(y, ddof=1), atol=1e-9)


@given(y=SIGNALS)
def test_min_max_reaches_from_zero_to_one(y):
    varied(y)
    scaled = normalize(AXIS, y, "min-max")
    np.testing.assert_allclose(scaled, (y - y.min()) / (y.max() - y.min()), atol=1e-12)
    assert (scaled.min(), scaled.max()) == (0.0, 1.0)


@given(y=arrays(np.float64, 40, elements=st.floats(0.1, 1e6)))
def test_area_normalised_has_area_one(y):
    assert trapezoid(normalize(AXIS, y, "area"), AXIS) == pytest.approx(1.0)


@pytest.mark.parametrize("method", [Normalization.SNV, Normalization.MIN_MAX, Normalization.AREA])
@given(y=arrays(np.float64, 40, elements=st.floats(0.1, 1e6)), scale=st.floats(1e-3, 1e3))
def test_every_normalisation_takes_the_scale_out(method, y, scale):
    varied(y)
    np.testing.assert_allclose(normalize(AXIS, scale * y, method), normalize(AXIS, y, method), rtol=1e-6, atol=1e-9)


def test_none_leaves_it():
    y = np.array([1.0, 5.0, 2.0])
    assert normalize(np.arange(3.0), y, "none") is y


@pytest.mark.parametrize("method", ["snv", "min-max"])
@pytest.mark.parametrize("level", [0.0, 1.0, -7.3, 1e300, 0.1 + 0.2])
def test_a_constant_cannot_be_normalised(method, level):
    with raises("degenerate-spectrum", Category.NUMERICAL):
        normalize(AXIS, np.full(40, level), method)


@pytest.mark.parametrize("y", [np.zeros(40), np.linspace(-1, 1, 40), -np.ones(40)])
def test_an_area_of_nothing_or_less_cannot_be_divided_by(y):
    with raises("degenerate-spectrum", Category.NUMERICAL):
        normalize(np.arange(40.0), y, "area")


def test_what_has_no_shape_has_no_similarity():
    flat, slope = np.ones(9), np.arange(9.0)
    for pair in ((flat, slope), (slope, flat)):
        with raises("degenerate-spectrum", Category.NUMERICAL):
            pearson_r(*pair)
    with raises("degenerate-spectrum", Category.NUMERICAL):
        spectral_angle_deg(np.zeros(9), slope)


@pytest.mark.parametrize("method", Normalization)
def test_a_flat_sample_is_named(method):
    x = np.linspace(400.0, 500.0, 50)
    with raises("degenerate-spectrum", Category.NUMERICAL) as caught:
        compare(spectrum(x, x), spectrum(x, np.full(50, 3.0), name="blank"), method)
    assert "the sample 'blank'" in str(caught.value)


# Common axis


@settings(deadline=None)
@given(
    n=st.integers(5, 60),
    m=st.integers(5, 60),
    low=st.floats(-300, 300),
    high=st.floats(700, 1300),
    turned=st.tuples(st.booleans(), st.booleans()),
)
def test_the_sample_is_interpolated_at_the_references_own_points_and_nowhere_else(n, m, low, high, turned):
    x_ref, x_smp = np.linspace(0.0, 1000.0, n), np.linspace(low, high, m)
    y_ref, y_smp = np.cos(x_ref / 90), np.sin(x_smp / 70)
    inside = (x_ref >= low) & (x_ref <= high)
    assume(inside.sum() >= 3)
    back = [slice(None, None, -1 if t else 1) for t in turned]
    both = common_axis(spectrum(x_ref[back[0]], y_ref[back[0]]), spectrum(x_smp[back[1]], y_smp[back[1]]))
    order = back[0]
    assert both.axis.tolist() == x_ref[inside][order].tolist()
    assert both.reference.tolist() == y_ref[inside][order].tolist()
    np.testing.assert_allclose(both.sample, interp1d(x_smp, y_smp)(both.axis), atol=1e-12)
    assert both.coverage == pytest.approx((min(high, 1000.0) - max(low, 0.0)) / 1000.0)


def test_points_out_of_order_are_sorted_and_equal_positions_averaged():
    x = np.array([1.0, 2.0, 3.0, 2.5, 3.0, 4.0])
    y = np.array([1.0, 2.0, 3.0, 2.5, 5.0, 4.0])
    both = common_axis(spectrum(x, y), spectrum(np.arange(6.0), np.arange(6.0)))
    assert both.axis.tolist() == [1.0, 2.0, 2.5, 3.0, 4.0]
    assert both.reference.tolist() == [1.0, 2.0, 2.5, 4.0, 4.0]


@pytest.mark.parametrize("start", [2000.0, -2000.0, 999.0, -999.0])
def test_ranges_that_do_not_meet_are_named(start):
    x = np.linspace(0.0, 1000.0, 101)
    with raises("no-overlap") as caught:
        compare(spectrum(x, x, name="ref", axis_unit="nm"), spectrum(x + start, x, name="far", axis_unit="nm"))
    for words in ("'ref' 0 to 1000 nm", f"'far' spans {start:g} to {start + 1000:g} nm"):
        assert words in str(caught.value)


def test_the_least_coverage_is_the_callers():
    x = np.linspace(0.0, 1000.0, 101)
    reference, sample = spectrum(x, x), spectrum(x + 500, x)
    assert compare(reference, sample).metrics["coverage"] == 0.5
    assert any("50%" in warning for warning in compare(reference, sample).warnings)
    with raises("no-overlap"):
        compare(reference, sample, least_coverage=0.6)


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (
            {},
            {},
            "the sample 's': neither its file nor that of the reference 'r' says what its axis is; taken for one axis",
        ),
        (
            {"axis_unit": "nm"},
            {},
            "the sample 's': its file does not say what its axis is; taken for one in nm, as the other's",
        ),
        ({}, {"axis_unit": "nm"}, "the reference 'r': its file does not say what its axis is; taken for one in nm"),
        ({"axis_unit": "nm"}, {"axis_unit": "nm"}, None),
        (
            {"axis_kind": "raman shift"},
            {},
            "the sample 's': its file does not say what its axis is; taken for raman shift in cm-1",
        ),
    ],
)
def test_what_is_assumed_of_an_axis_that_says_nothing_is_told(one, other, told):
    x = np.linspace(400.0, 500.0, 50)
    warnings = compare(spectrum(x, np.sin(x), name="r", **one), spectrum(x, np.cos(x), name="s", **other)).own_warnings
    assert len(warnings) == (told is not None)
    assert told is None or told in warnings[0]


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ({"axis_unit": "nm"}, {"axis_unit": "cm-1"}, False),
        ({"axis_kind": "raman shift"}, {"axis_kind": "wavenumber"}, False),
        ({"axis_kind": "wavelength", "axis_unit": "nm"}, {"axis_kind": "wavelength", "axis_unit": "um"}, False),
        ({"axis_kind": "raman shift"}, {"axis_kind": "raman shift", "axis_unit": "cm-1"}, True),
        ({"axis_kind": "wavelength", "axis_unit": "nm"}, {"axis_unit": "nm"}, True),
        ({"axis_kind": "raman shift"}, {}, True),
        ({}, {}, True),
    ],
)
def test_axes_of_different_kinds_are_never_compared(one, other, agree):
    x = np.linspace(400.0, 500.0, 50)
    pair = spectrum(x, np.sin(x), **one), spectrum(x, np.cos(x), **other)
    for reference, sample in (pair, pair[::-1]):
        if not agree:
            with raises("unit-mismatch"):
                compare(reference, sample)
            continue
        comparison = compare(reference, sample)
        silent = AxisKind.UNKNOWN in (reference.axis_kind, sample.axis_kind)
        assert bool(comparison.warnings) == silent
        assert all("what its axis is; taken for" in text for text in comparison.warnings)
        assert comparison.axis_kind in (reference.axis_kind, sample.axis_kind)
        if AxisKind.RAMAN_SHIFT in (reference.axis_kind, sample.axis_kind):
            assert comparison.axis_label == "Raman shift / cm⁻¹"


def test_a_unit_that_is_the_name_of_the_quantity_is_not_said_twice():
    x = np.linspace(400.0, 500.0, 50)
    counts = spectrum(x, np.sin(x), axis_unit="nm", quantity=Quantity.COUNTS, unit="counts")
    (warning,) = compare(counts, spectrum(x, np.cos(x), axis_unit="nm", name="s")).own_warnings
    assert warning.endswith("its file does not say what its signal is; taken for counts, as the other's")


def test_absorbance_and_transmittance_are_never_compared():
    x = np.linspace(400.0, 500.0, 50)
    absorbance = spectrum(x, x, quantity=Quantity.ABSORBANCE)
    with raises("quantity-mismatch"):
        compare(absorbance, spectrum(x, x, quantity=Quantity.TRANSMITTANCE, unit="%"))
    assert compare(absorbance, spectrum(x, x)).quantity is Quantity.ABSORBANCE


# The whole comparison

METRICS = {
    "pearson_r",
    "derivative_r",
    "rmse",
    "relative_rmse",
    "mae",
    "hqi",
    "max_deviation",
    "max_deviation_at",
    "spectral_angle_deg",
    "area_ratio",
    "coverage",
    "n_points",
    "axis_first",
    "axis_last",
    "axis_unit",
}


@pytest.mark.parametrize("method", Normalization)
def test_a_spectrum_and_itself_are_alike_to_the_last_bit(method):
    x = np.linspace(400.0, 500.0, 50)
    same = spectrum(x, 2 + np.sin(x), axis_kind="wavelength", axis_unit="nm")
    comparison = compare(same, same, method)
    assert set(comparison.metrics) == METRICS
    assert comparison.metrics == {
        "pearson_r": 1.0,
        "derivative_r": 1.0,
        "rmse": 0.0,
        "relative_rmse": 0.0,
        "mae": 0.0,
        "hqi": 1000.0,
        "max_deviation": 0.0,
        "max_deviation_at": 400.0,
        "spectral_angle_deg": 0.0,
        "area_ratio": 1.0,
        "coverage": 1.0,
        "n_points": 50,
        "axis_first": 400.0,
        "axis_last": 500.0,
        "axis_unit": "nm",
    }
    assert not comparison.difference.any()


@pytest.mark.parametrize("method", Normalization)
def test_the_direction_of_either_file_changes_no_number(method):
    x = np.linspace(400.0, 500.0, 77)
    u = np.linspace(410.0, 520.0, 90)
    reference, sample = spectrum(x, 2 + np.sin(x / 5)), spectrum(u, 3 + np.sin(u / 5 + 0.3))
    whole = compare(reference, sample, method).metrics
    for pair in (
        (spectrum(x[::-1], reference.intensity[::-1]), sample),
        (reference, spectrum(u[::-1], sample.intensity[::-1])),
    ):
        turned = compare(*pair, method).metrics
        for name in METRICS - {"axis_first", "axis_last", "axis_unit"}:
            assert turned[name] == pytest.approx(whole[name], rel=1e-9), name
        assert {turned["axis_first"], turned["axis_last"]} == {whole["axis_first"], whole["axis_last"]}


def test_the_unit_of_the_axis_changes_no_similarity():
    x = np.linspace(400.0, 500.0, 77)
    y, z = 2 + np.sin(x / 5), 2 + np.cos(x / 7)
    nm = compare(spectrum(x, y), spectrum(x, z)).metrics
    um = compare(spectrum(x / 1000, y), spectrum(x / 1000, z)).metrics
    for name in ("pearson_r", "rmse", "max_deviation", "spectral_angle_deg", "area_ratio", "coverage"):
        assert um[name] == pytest.approx(nm[name], rel=1e-9)


def test_the_area_ratio_is_of_the_signals_as_measured_and_the_rest_of_the_normalised():
    x = np.linspace(400.0, 500.0, 77)
    y = 2 + np.sin(x / 5)
    comparison = compare(spectrum(x, y), spectrum(x, 3 * y), "area")
    assert comparison.metrics["area_ratio"] == pytest.approx(3.0)
    assert comparison.metrics["rmse"] == pytest.approx(0.0, abs=1e-15)
    np.testing.assert_array_equal(comparison.difference, comparison.sample - comparison.reference)
    assert comparison.intensity_label == "Intensity (area)"


# Real files


def test_the_dilution_series_of_a_fluorescence_standard_has_its_known_ratios(shared_spectra):
    folder = shared_spectra / "perkinelmer-ls50-peds-family"
    series = [read_text(folder / f"flu{i}.txt") for i in range(1, 7)]
    found = [compare(series[0], sample).metrics for sample in series]
    assert [m["area_ratio"] for m in found] == pytest.approx([1.00, 2.02, 3.17, 4.24, 5.27, 6.41], abs=0.01)
    assert min(m["pearson_r"] for m in found) >= 0.9987
    assert {(m["axis_first"], m["axis_last"], m["n_points"], m["axis_unit"]) for m in found} == {
        (405.0, 495.0, 181, "nm")
    }


@pytest.mark.parametrize(
    ("family", "reference", "members", "first", "last"),
    [
        ("horiba-glass-family", "BD1469.txt", 10, 25.061272, 1500.0),
        ("renishaw-glass-family", "VG175_1.txt", 21, 1319.0625, 59.613281),
    ],
)
def test_families_of_glasses_are_compared_over_their_range(shared_spectra, family, reference, members, first, last):
    folder = shared_spectra / family
    one = read_text(folder / reference, axis_kind="raman shift")
    found = [compare(one, read_text(path, axis_kind="raman shift"), "snv") for path in sorted(folder.glob("*.txt"))]
    assert len(found) == members
    for comparison in found:
        assert comparison.metrics["coverage"] > 0.999
        assert comparison.metrics["axis_first"] == pytest.approx(first, abs=1.5)
        assert comparison.metrics["axis_last"] == pytest.approx(last, abs=1.5)
        assert comparison.axis_label == "Raman shift / cm⁻¹"
    itself = next(c for c in found if c.sample_name == one.name)
    assert itself.metrics["pearson_r"] == 1.0
