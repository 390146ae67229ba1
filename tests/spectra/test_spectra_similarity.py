"""Every measure of similarity against scipy or numpy written independently, and against itself turned round."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import trapezoid
from scipy.signal import savgol_filter
from scipy.spatial import distance
from scipy.stats import entropy, pearsonr

from batchlab.errors import Category, ConfigError, DataError
from batchlab.spectra import Spectrum, compare, read_text
from batchlab.spectra._measures import DEFAULT_METRICS, MEASURES, METRICS, known_metrics, split_region
from batchlab.spectra._metrics import cosine, derivative, derivative_r, euclid, hqi, mae, relative_rmse, sid
from batchlab.spectra._recipe import Recipe
from batchlab.spectra._table import format_comparison, parse_comparison

SIGNALS = arrays(np.float64, 40, elements=st.floats(-1e6, 1e6))
POSITIVE = arrays(np.float64, 40, elements=st.floats(1e-3, 1e6))
AXIS = np.cumsum(np.linspace(0.5, 2.0, 40))

X = np.linspace(400.0, 700.0, 301)


def curve(x, *bands, offset=0.1):
    return offset + sum(h * np.exp(-(((x - c) / w) ** 2)) for c, w, h in bands)


REFERENCE = curve(X, (470, 12, 1.0), (560, 20, 0.6), (640, 9, 0.8))
SAMPLE = curve(X, (470, 12, 0.9), (563, 22, 0.7), (640, 9, 0.8), (520, 8, 0.2))


def spectrum(axis, intensity, **facts):
    return Spectrum(axis=axis, intensity=intensity, **{"axis_kind": "wavelength", "axis_unit": "nm", **facts})


def varied(*signals):
    for signal in signals:
        assume(np.std(signal) > 1e-3 * (1 + np.abs(signal).max()))


# Formulas


@given(a=SIGNALS, b=SIGNALS)
def test_distances_are_scipys(a, b):
    varied(a, b)
    assert euclid(a, b) == pytest.approx(distance.euclidean(a, b), rel=1e-12)
    assert mae(a, b) == pytest.approx(distance.cityblock(a, b) / 40, rel=1e-12)
    assert cosine(a, b) == pytest.approx(1 - distance.cosine(a, b), abs=1e-9)
    assert hqi(a, b) == pytest.approx(1000 * max(1 - distance.correlation(a, b), 0) ** 2, abs=1e-6)
    assert relative_rmse(a, b) == pytest.approx(math.sqrt(np.mean((a - b) ** 2)) / np.std(a, ddof=1), rel=1e-9)


@given(a=POSITIVE, b=POSITIVE)
def test_information_divergence_is_the_entropy_both_ways(a, b):
    assert sid(a, b) == pytest.approx(entropy(a, b) + entropy(b, a), rel=1e-9, abs=1e-12)
    assert sid(a, b) == pytest.approx(sid(b, a), rel=1e-12, abs=1e-15)
    assert sid(a, 7 * a) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("spoilt", [0.0, -0.1])
def test_information_divergence_refuses_what_has_no_logarithm(spoilt):
    signal = np.array([1.0, spoilt, 2.0])
    for pair in ((signal, np.ones(3)), (np.ones(3), signal)):
        with pytest.raises(DataError) as caught:
            sid(*pair)
        assert (caught.value.reason, caught.value.category) == ("not-positive", Category.NUMERICAL)


@given(y=SIGNALS, step=st.floats(0.1, 10))
def test_the_derivative_is_savitzky_and_golays(y, step):
    x = 100 + step * np.arange(40)
    expected = savgol_filter(y, 7, 2, deriv=1, delta=step)[3:-3]
    scale = np.abs(y).max() / step
    np.testing.assert_allclose(derivative(x, y), expected, atol=1e-9 * (1 + scale))
    np.testing.assert_allclose(derivative(x[::-1], y[::-1]), expected[::-1], atol=1e-9 * (1 + scale))


def test_the_derivative_follows_an_uneven_axis():
    x = np.linspace(1.0, 3.0, 500) ** 2
    np.testing.assert_allclose(derivative(x, 3 * x + 1), 3.0)
    np.testing.assert_allclose(derivative(x, x**2), 2 * x[3:-3], rtol=2e-4)
    assert derivative(x[:3], x[:3]).shape == (1,)


def test_correlation_of_derivatives_is_that_of_the_derivatives():
    expected = pearsonr(
        savgol_filter(REFERENCE, 7, 2, deriv=1)[3:-3], savgol_filter(SAMPLE, 7, 2, deriv=1)[3:-3]
    ).statistic
    assert derivative_r(X, REFERENCE, SAMPLE) == pytest.approx(expected, abs=1e-12)


def test_an_inverted_spectrum_is_no_hit():
    assert hqi(REFERENCE, -REFERENCE) == 0.0
    assert hqi(REFERENCE, REFERENCE) == 1000.0
    assert cosine(REFERENCE, REFERENCE) == 1.0


# Invariances

BLIND_TO_SCALE = ("pearson_r", "derivative_r", "cosine", "spectral_angle_deg", "sid", "hqi")
BLIND_TO_OFFSET = ("pearson_r", "derivative_r", "rmse", "mae", "relative_rmse", "max_deviation", "euclid", "hqi")
OF_POINTS = tuple(name for name in METRICS if name not in ("derivative_r", "area_ratio", "max_deviation_at"))


def numbers(x=X, a=REFERENCE, b=SAMPLE, **options):
    return compare(spectrum(x, a), spectrum(x, b), metrics="all", **options).metrics


@pytest.mark.parametrize("name", BLIND_TO_SCALE)
def test_scale_of_the_sample_does_not_matter_to(name):
    assert numbers(b=3.7 * SAMPLE)[name] == pytest.approx(numbers()[name], rel=1e-9)


@pytest.mark.parametrize("name", BLIND_TO_OFFSET)
def test_an_offset_of_both_does_not_matter_to(name):
    assert numbers(a=REFERENCE + 0.3, b=SAMPLE + 0.3)[name] == pytest.approx(numbers()[name], rel=1e-9)


def test_what_is_not_blind_sees():
    whole, scaled = numbers(), numbers(b=2 * SAMPLE)
    for name in ("rmse", "mae", "relative_rmse", "max_deviation", "euclid", "area_ratio"):
        assert scaled[name] != pytest.approx(whole[name], rel=1e-3), name


@pytest.mark.parametrize("name", METRICS)
def test_the_direction_of_the_axis_does_not_matter_to(name):
    turned = numbers(X[::-1], REFERENCE[::-1], SAMPLE[::-1])
    assert turned[name] == pytest.approx(numbers()[name], rel=1e-9)


@pytest.mark.parametrize("name", OF_POINTS)
def test_wavelength_or_wavenumber_does_not_matter_to_what_weighs_points_alike(name):
    wavenumber = 1e7 / X
    one = Spectrum(axis=wavenumber, intensity=REFERENCE, axis_kind="wavenumber")
    other = Spectrum(axis=wavenumber, intensity=SAMPLE, axis_kind="wavenumber")
    assert compare(one, other, metrics="all").metrics[name] == pytest.approx(numbers()[name], rel=1e-9)


def test_areas_depend_on_what_the_axis_counts():
    one = Spectrum(axis=1e7 / X, intensity=REFERENCE, axis_kind="wavenumber")
    other = Spectrum(axis=1e7 / X, intensity=SAMPLE, axis_kind="wavenumber")
    expected = trapezoid(SAMPLE, 1e7 / X) / trapezoid(REFERENCE, 1e7 / X)
    found = compare(one, other).metrics["area_ratio"]
    assert found == pytest.approx(expected, rel=1e-12)
    assert found != pytest.approx(numbers()["area_ratio"], rel=1e-4)


# Regions, masks, statements


def test_a_region_has_the_numbers_of_its_points_alone():
    found = numbers(regions={"blue": (500, 450), "red": (600, 700)})
    for name, low, high in (("blue", 450, 500), ("red", 600, 700)):
        inside = (low <= X) & (high >= X)
        alone = numbers(X[inside], REFERENCE[inside], SAMPLE[inside])
        for metric in METRICS:
            assert found[f"{metric}[{name}]"] == pytest.approx(alone[metric], rel=1e-12), metric


def test_a_mask_that_hides_nothing_is_told():
    masked = compare(spectrum(X, REFERENCE), spectrum(X, REFERENCE), masks=[(540, 500), (10, 20)])
    assert masked.warnings == ("the mask from 10 to 20 hides no point of the comparison",)


def test_a_mask_leaves_its_points_out_of_every_number_and_in_the_curves():
    spoilt = SAMPLE.copy()
    hidden = (X >= 500) & (X <= 540)
    spoilt[hidden] = -50.0
    comparison = compare(spectrum(X, REFERENCE), spectrum(X, spoilt), metrics="all", masks=[(540, 500)])
    assert comparison.axis.size == 301
    assert comparison.metrics["n_points"] == np.count_nonzero(~hidden)
    a, b, x = REFERENCE[~hidden], SAMPLE[~hidden], X[~hidden]
    assert comparison.metrics["rmse"] == pytest.approx(math.sqrt(np.mean((a - b) ** 2)))
    assert comparison.metrics["pearson_r"] == pytest.approx(pearsonr(a, b).statistic)
    # Nothing is computed across the gap: neither a trapezoid nor a slope.
    left, right = x < 500, x > 540
    areas = [trapezoid(y[left], x[left]) + trapezoid(y[right], x[right]) for y in (a, b)]
    assert comparison.metrics["area_ratio"] == pytest.approx(areas[1] / areas[0])
    slopes = [np.r_[derivative(x[left], y[left]), derivative(x[right], y[right])] for y in (a, b)]
    assert comparison.metrics["derivative_r"] == pytest.approx(pearsonr(*slopes).statistic)


def test_nothing_left_is_refused():
    with pytest.raises(DataError) as caught:
        numbers(masks=[(300, 699)])
    assert caught.value.reason == "no-overlap"


@pytest.mark.parametrize(
    "wrong",
    [{"metrics": ["person_r"]}, {"regions": {"a": (1.0, 1.0)}}, {"masks": [(1.0,)]}, {"masks": [(1.0, math.nan)]}],
)
def test_what_cannot_be_meant_is_told(wrong):
    with pytest.raises(ConfigError) as caught:
        compare(spectrum(X, REFERENCE), spectrum(X, SAMPLE), **wrong)
    if "metrics" in wrong:
        assert "did you mean 'pearson_r'" in str(caught.value)


def test_a_number_that_there_is_not_is_told_and_the_others_stay():
    comparison = compare(
        spectrum(X, REFERENCE - 0.2), spectrum(X, SAMPLE), metrics=["sid", "rmse"], regions={"far": (900, 990)}
    )
    assert math.isnan(comparison.metrics["sid"]) and comparison.metrics["rmse"] > 0
    assert math.isnan(comparison.metrics["rmse[far]"])
    assert any("no sid" in text for text in comparison.warnings)
    assert any("region far" in text for text in comparison.warnings)


def test_beside_every_number_stand_formula_range_masks_and_preparation():
    comparison = compare(
        spectrum(X, REFERENCE),
        spectrum(X, SAMPLE),
        "snv",
        metrics="all",
        regions={"blue": (450, 500)},
        masks=[(600, 610)],
        difference="scaled difference",
        factor="blue",
        shift="estimate",
    )
    told = comparison.statements
    assert set(told) == set(comparison.metrics) - {"axis_unit", "factor_by"}
    for name, text in told.items():
        metric, region = split_region(name)
        assert text.startswith(MEASURES[metric].formula)
        assert MEASURES[metric].range in text
        if metric not in ("coverage", "n_points", "axis_first", "axis_last"):
            assert "without 600 to 610 nm" in text
            assert ("from 450 to 500 nm" if region or "factor" in metric else "from 400 to 700 nm") in text
    assert "after snv" in told["rmse"]
    assert "snv" not in told["area_ratio"].rpartition(";")[2]
    read, _ = parse_comparison(format_comparison(comparison))
    assert read.statements == told


def test_a_comparison_shows_itself_shortly_and_in_a_notebook_with_its_statements():
    comparison = compare(spectrum(X, REFERENCE, name="<a>"), spectrum(X, SAMPLE, name="b"), metrics=["rmse", "sid"])
    assert repr(comparison).startswith("<Comparison of 'b' with '<a>': 301 points, 400 to 700 nm, rmse 0.0")
    shown = comparison._repr_html_()
    assert "&lt;a&gt;" in shown and "<a>" not in shown
    assert "sqrt(sum((b - a)^2) / n)" in shown


def test_every_measure_has_its_words():
    assert set(METRICS) <= set(MEASURES)
    assert known_metrics("all") == METRICS
    assert known_metrics(["rmse", "pearson_r"]) == ("pearson_r", "rmse")
    assert set(DEFAULT_METRICS) < set(METRICS)


@pytest.mark.parametrize("kind", ["difference", "scaled difference", "ratio", "log ratio"])
def test_a_table_keeps_all_of_a_comparison(kind):
    comparison = compare(
        spectrum(X, REFERENCE),
        spectrum(X, SAMPLE),
        difference=kind,
        regions={"C-H": (450, 500)},
        masks=[(600, 610), (650, 660)],
    )
    text = format_comparison(comparison)
    read, _ = parse_comparison(text)
    assert f"axis,reference,sample,{kind.replace(' ', '_')}\n" in text
    for name in ("difference_kind", "regions", "masks", "gaps", "done", "treated", "warnings"):
        assert getattr(read, name) == getattr(comparison, name), name
    np.testing.assert_array_equal(read.difference, comparison.difference)
    assert dict(read.metrics) == dict(comparison.metrics)


# After a recipe


def test_a_normalisation_of_the_recipe_is_like_that_of_the_comparison():
    one, other = spectrum(X, REFERENCE), spectrum(X, SAMPLE)
    plain = compare(one, other, "snv", metrics="all")
    recipe = compare(one, other, metrics="all", recipe=Recipe.model_validate({"steps": ["snv"]}))
    for name in METRICS:
        if name != "sid":
            assert recipe.metrics[name] == pytest.approx(plain.metrics[name], rel=1e-9), name
    assert recipe.intensity_label == plain.intensity_label == "Intensity (snv)"
    assert recipe.difference_label == "Difference (snv)"
    assert recipe.metrics["area_ratio"] == pytest.approx(compare(one, other).metrics["area_ratio"])
    assert "after snv" in recipe.statements["rmse"]


def test_the_ratio_of_areas_is_of_what_the_steps_before_the_first_normalisation_made_and_says_so():
    one, other = spectrum(X, REFERENCE), spectrum(X, SAMPLE)
    steps = [{"offset": "min"}, "snv", {"savgol": 11}, {"mask": [500, 540]}]
    found = compare(one, other, recipe=Recipe.model_validate({"steps": steps}))
    area = 0.0
    for part in (X < 500, X > 540):
        a, b = (trapezoid((y - y.min())[part], X[part]) for y in (REFERENCE, SAMPLE))
        area += np.array([a, b])
    assert found.metrics["area_ratio"] == pytest.approx(area[1] / area[0], rel=1e-9)
    told = found.statements
    assert told["rmse"].endswith(
        "after offset(subtract=min), snv(), savgol(window_points=11, polynomial=2), mask(regions=[[500.0, 540.0]])"
    )
    assert told["area_ratio"].endswith("after offset(subtract=min), mask(regions=[[500.0, 540.0]])")
    assert "after" not in compare(one, other, "snv").statements["area_ratio"].rpartition(";")[2]


def test_a_range_that_the_recipe_takes_out_is_like_one_that_is_masked():
    one, other = spectrum(X, REFERENCE), spectrum(X, SAMPLE)
    recipe = Recipe.model_validate({"steps": [{"step": "mask", "regions": [[500, 540]]}]})
    taken, masked = (
        compare(one, other, metrics="all", recipe=recipe),
        compare(one, other, metrics="all", masks=[(500, 540)]),
    )
    assert taken.gaps and not masked.gaps
    for name in METRICS:
        assert taken.metrics[name] == pytest.approx(masked.metrics[name], rel=1e-12), name
    moved = compare(one, spectrum(X + 2.0, SAMPLE), recipe=recipe, shift="correct")
    assert moved.axis.size == moved.sample.size < taken.axis.size
    read, _ = parse_comparison(format_comparison(taken))
    assert read.gaps == taken.gaps and read.statements == taken.statements


ODD = {
    "spike": lambda x: np.where(np.arange(x.size) == x.size // 3, 1.0, 0.0),
    "noise": lambda x: np.random.default_rng(1).normal(0, 1, x.size),
    "step": lambda x: np.where(x > x.mean(), 1.0, 0.0),
    "line": lambda x: x,
    "band": lambda x: np.exp(-(((x - x.mean()) / (0.05 * np.ptp(x))) ** 2)),
    "edge": lambda x: np.exp(-(((x - x[0]) / (0.1 * np.ptp(x))) ** 2)),
}


DEGENERATE = {("line", 150), ("step", 8)}  # their derivatives hold too little to find a shift by


@pytest.mark.parametrize("one", ODD)
@pytest.mark.parametrize("other", ODD)
@pytest.mark.parametrize("count", [3, 8, 150])
@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200])
def test_the_oddest_pairs_have_numbers_or_an_error_of_ours(one, other, count, scale):
    x = np.cumsum(np.linspace(0.5, 1.5, count))
    pair = spectrum(x, ODD[one](x)), spectrum(x, scale * ODD[other](x))
    for number, kind in enumerate(("difference", "scaled difference", "ratio", "log ratio")):
        options = {"difference": kind, "factor": ("values", "derivative")[number % 2]}
        try:
            comparison = compare(*pair, metrics="all", shift=("estimate", "correct")[number % 2], **options)
        except DataError as error:
            assert error.reason == "degenerate-spectrum"
            assert (one, count) in DEGENERATE
            continue
        assert set(comparison.statements) >= set(METRICS)
        assert comparison.axis.size == comparison.sample.size == comparison.difference.size


# Real files


def test_the_white_reference_and_the_other_plant_stand_out(shared_spectra):
    folder = shared_spectra / "svc-sig-family"
    leaves = {path.stem: read_text(path) for path in sorted(folder.glob("*.sig"))}
    reference = leaves["ACPL_D2_P1_B_1_001"]
    found = {name: compare(reference, leaf).metrics for name, leaf in leaves.items()}
    odd = {"ACPL_D2_P1_T_1_WR_000", "3_6_PANVI_2_T_1_001_BAD"}
    alike = [metrics for name, metrics in found.items() if name not in odd]
    assert len(alike) == 8
    for name in ("relative_rmse", "spectral_angle_deg"):
        assert min(found[one][name] for one in odd) > 1.5 * max(metrics[name] for metrics in alike), name
    for name in ("pearson_r", "hqi"):
        assert max(found[one][name] for one in odd) < min(metrics[name] for metrics in alike), name
    ranked = sorted(found, key=lambda name: found[name]["relative_rmse"])
    assert set(ranked[-2:]) == odd


def test_power_of_the_laser_falls_out_with_snv(shared_spectra):
    folder = shared_spectra / "bwtek-twinning-family"
    columns = {"axis": "Raman Shift", "column": "Dark Subtracted #1"}
    reference = read_text(folder / "0_5A_P_iRaman785_Probe_100(292mW)_6000msx5ac_1.txt", **columns)
    sample = read_text(folder / "0_5A_P_iRaman785_Probe_20(46mW)_6000msx5ac_1.txt", **columns)
    assert compare(reference, sample).metrics["relative_rmse"] == pytest.approx(1.01, abs=0.005)
    assert compare(reference, sample, "snv").metrics["relative_rmse"] == pytest.approx(0.07, abs=0.002)
