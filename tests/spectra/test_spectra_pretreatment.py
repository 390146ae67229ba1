"""The steps of a pretreatment, each against an independent answer."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.ndimage import gaussian_filter1d
from scipy.signal import savgol_filter
from scipy.sparse.linalg import spsolve

from batchlab.errors import Category, DataError
from batchlab.spectra._model import Spectrum
from batchlab.spectra._pretreatment._apply import apply
from batchlab.spectra._pretreatment._baseline import doubts
from batchlab.spectra._pretreatment._despike import spikes
from batchlab.spectra._pretreatment._menu import METHODS, OWN_METHODS
from batchlab.spectra._recipe import Recipe
from batchlab.spectra._signal import Signal, signal_of

X = np.linspace(400.0, 1800.0, 701)
RNG = np.random.default_rng(11)
BANDS = 3 * np.exp(-(((X - 700) / 20) ** 2)) + 2 * np.exp(-(((X - 1300) / 45) ** 2))
NOISY = 5 + BANDS + RNG.normal(0, 0.01, X.size)
WARPED = 400 + 1400 * np.linspace(0, 1, 701) ** 1.4  # steps from 0.1 to 2.8


def step(text):
    return Recipe.model_validate({"steps": [text]}).steps[0]


def signal(y=NOISY, x=X, **said):
    return signal_of(Spectrum(axis=x, intensity=y, **said), "the sample")


def after(text, y=NOISY, x=X, target=None, **said) -> Signal:
    return apply(step(text), signal(y, x, **said), target)


def refused(reason, text, y=NOISY, x=X, target=None, **said):
    with pytest.raises(DataError) as caught:
        after(text, y, x, target, **said)
    assert caught.value.reason == reason
    assert str(caught.value).startswith("the sample: ")
    return str(caught.value)


# Smoothing and derivatives


@pytest.mark.parametrize(("window", "order"), [(5, 2), (11, 2), (21, 3), (9, 0), (15, 4)])
def test_savgol_is_that_of_scipy(window, order):
    done = after({"savgol": {"window_points": window, "polynomial": order}})
    np.testing.assert_allclose(done.intensity, savgol_filter(NOISY, window, order), rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_are_those_of_scipy_per_axis_unit(order):
    done = after({"derivative": {"order": order, "window_points": 13, "polynomial": 3}})
    np.testing.assert_allclose(done.intensity, savgol_filter(NOISY, 13, 3, deriv=order, delta=2.0), atol=1e-12)


@pytest.mark.parametrize("x", [X, WARPED, 1e7 / X[::-1]], ids=["even", "warped", "nm"])
@given(coefficients=st.lists(st.floats(-3, 3), min_size=3, max_size=3), window=st.sampled_from([5, 7, 15, 31]))
def test_a_polynomial_is_kept_and_derived_exactly_on_any_axis(x, coefficients, window):
    u = (x - x.mean()) / np.ptp(x)
    polynomial = np.polynomial.Polynomial(coefficients)
    for order, text in ((0, "savgol"), (1, "derivative"), (2, "derivative")):
        options = {"window_points": window, "polynomial": 2} | ({"order": order} if order else {})
        found = after({text: options}, polynomial(u), x).intensity * np.ptp(x) ** order
        np.testing.assert_allclose(found, polynomial.deriv(order)(u), atol=2e-6 if order == 2 else 1e-8)


def test_a_window_by_width_is_the_same_on_spectra_of_any_spacing():
    fine = np.linspace(400, 1800, 2801)
    wide = after({"savgol": {"window_width": 20.0}}, np.interp(fine, X, BANDS), fine)
    assert wide.intensity.tolist() == after({"savgol": 41}, np.interp(fine, X, BANDS), fine).intensity.tolist()
    assert after({"savgol": {"window_width": 20.0}}).intensity.tolist() == after({"savgol": 11}).intensity.tolist()


def test_the_moving_mean_is_the_mean_of_its_window():
    done = after({"moving-mean": 7}).intensity
    assert done[100] == pytest.approx(NOISY[97:104].mean())
    assert done[0] == pytest.approx(NOISY[0])
    assert done[1] == pytest.approx(NOISY[:3].mean())
    assert done[-2] == pytest.approx(NOISY[-3:].mean())


def test_the_gaussian_is_that_of_scipy_where_points_are_equally_far():
    fwhm = 12.0
    expected = gaussian_filter1d(NOISY, fwhm / 2.354820045 / 2.0, truncate=4.0, mode="reflect")
    np.testing.assert_allclose(after({"gaussian": fwhm}).intensity[20:-20], expected[20:-20], rtol=1e-4)
    flat = after({"gaussian": fwhm}, np.full(X.size, 3.0), WARPED).intensity
    np.testing.assert_allclose(flat, 3.0)


def test_a_gaussian_adds_its_width_to_a_bands_in_quadrature_on_a_warped_axis():
    band = np.exp(-4 * np.log(2) * ((WARPED - 1100) / 60) ** 2)
    wide = after({"gaussian": 80.0}, band, WARPED).intensity
    above = WARPED[wide >= wide.max() / 2]
    assert above[-1] - above[0] == pytest.approx(100.0, abs=5.0)  # 60 and 80 make 100


@pytest.mark.parametrize("differences", [1, 2, 3])
def test_whittaker_solves_its_equation(differences):
    d = sparse.eye(X.size, format="csc")
    for _ in range(differences):
        d = d[1:] - d[:-1]
    expected = spsolve((sparse.eye(X.size) + 250.0 * d.T @ d).tocsc(), NOISY)
    done = after({"whittaker": {"lam": 250.0, "differences": differences}}).intensity
    np.testing.assert_allclose(done, expected, rtol=1e-9)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("x", [X, WARPED], ids=["even", "warped"])
def test_norris_williams_of_a_line_and_a_parabola(order, x):
    u = x - 1000
    line, parabola = 3 * u + 1, u**2
    text = {"norris-williams": {"order": order, "gap_points": 4, "segment_points": 5}}
    done = after(text, line, x)
    assert done.axis.tolist() == x[6:-6].tolist()
    np.testing.assert_allclose(done.intensity, 3.0 if order == 1 else 0.0, atol=1e-8)
    if x is X:
        expected = 2 * u[6:-6] if order == 1 else 2.0
        np.testing.assert_allclose(after(text, parabola, x).intensity, expected, atol=1e-7)


def test_norris_williams_by_hand():
    done = after({"norris-williams": {"gap_points": 2, "segment_points": 3}}).intensity
    expected = (NOISY[101:104].mean() - NOISY[97:100].mean()) / 8.0
    assert done[100 - 3] == pytest.approx(expected)


@pytest.mark.parametrize("text", [{"savgol": 11}, {"moving-mean": 5}, {"gaussian": 9}, "whittaker", "despike"])
def test_direction_and_offset_make_no_difference(text):
    forth, back = after(text), after(text, NOISY[::-1], X[::-1])
    np.testing.assert_allclose(back.intensity, forth.intensity, rtol=1e-12)
    np.testing.assert_allclose(after(text, NOISY + 1000).intensity, forth.intensity + 1000, atol=1e-8)
    np.testing.assert_allclose(after(text, NOISY * 1e6).intensity, forth.intensity * 1e6, rtol=1e-9)


# Spikes


def test_injected_spikes_are_found_and_nothing_else():
    y = NOISY.copy()
    hit = {50: 4.0, 150: 1.0, 151: 1.5, 300: 0.8, 301: 2.0, 302: 0.9, 460: -1.0, 0: 2.0, 700: 2.0}
    for at, height in hit.items():
        y[at] += height
    assert set(np.flatnonzero(spikes(y, 7.0, 3))) == set(hit)
    done = after("despike", y)
    np.testing.assert_allclose(done.intensity, NOISY, atol=0.15)
    untouched = np.setdiff1d(np.arange(X.size), list(hit))
    assert done.intensity[untouched].tolist() == y[untouched].tolist()
    assert f"{len(hit)} points" in done.warnings[0]


def test_a_spike_on_the_flank_of_a_band_is_found():
    y = NOISY.copy()
    at = int(np.argmin(np.abs(X - 685)))
    y[at] += 1.5
    assert np.flatnonzero(spikes(y, 7.0, 3)).tolist() == [at]


@pytest.mark.parametrize(
    "y",
    [
        np.where(X < 1000, NOISY, NOISY + 5),  # the join of two detectors
        NOISY + 50 * np.exp(-(((X - 1000) / 5) ** 2)),  # a narrow, high band
        BANDS,
        np.zeros(X.size),
        np.round(NOISY, 1),
        5 + RNG.normal(size=X.size),
    ],
    ids=["edge", "band", "smooth", "zero", "rounded", "noise"],
)
def test_no_band_edge_or_noise_is_taken_for_a_spike(y):
    assert not spikes(y, 7.0, 3).any()


# Regions and gaps


def test_cut_keeps_its_regions_and_parts_them():
    done = after({"cut": [[800, 500], [1000, 1200]]})
    assert done.axis.tolist() == X[((X >= 500) & (X <= 800)) | ((X >= 1000) & (X <= 1200))].tolist()
    assert len(done.pieces) == 2
    assert "400 to 1800" in refused("too-few-points", {"cut": [2000, 3000]})


def test_masks_by_name_are_the_same_on_any_axis():
    wavenumbers = np.arange(600.5, 4000.0)
    ir = after({"mask": ["co2"]}, np.sin(wavenumbers), wavenumbers, axis_kind="wavenumber")
    assert not np.any((ir.axis >= 2280) & (ir.axis <= 2400))
    assert ir.axis.size == 3400 - 120 - 42
    um = after({"mask": "co2"}, np.sin(wavenumbers), 1e4 / wavenumbers, axis_kind="wavelength", axis_unit="um")
    np.testing.assert_allclose(1e4 / um.axis[::-1], ir.axis)
    field = after({"mask": ["h2o"]}, X * 0 + X, np.linspace(350, 2500, 701), axis_kind="wavelength", axis_unit="nm")
    assert not np.any((field.axis > 1340) & (field.axis < 1460))
    shifts = np.linspace(-100.0, 100.0, 201)
    laser = after({"mask": "laser"}, shifts, shifts, axis_kind="raman shift")
    assert laser.axis.tolist() == [*range(-100, -50), *range(51, 101)]
    refused("no-laser-line", {"mask": "laser"}, axis_kind="wavelength", axis_unit="nm")
    refused("no-such-conversion", {"mask": "co2"}, axis_kind="pixel")
    refused("no-such-conversion", {"mask": "co2"})


SPREADING = [
    {"savgol": 11}, {"moving-mean": 11}, {"gaussian": 20}, "whittaker", {"derivative": 11}, "norris-williams",
    "despike", {"baseline": {"method": "asls", "lam": 1e4}},
]  # fmt: skip


@pytest.mark.parametrize("text", SPREADING, ids=str)
def test_nothing_is_computed_across_a_mask_or_a_hole(text):
    hidden = (X >= 900) & (X <= 1000)
    steep = np.where(X < 950, NOISY, NOISY + 1000)
    masked = apply(step(text), signal(steep).without(900, 1000))
    holed = after(text, steep[~hidden], X[~hidden])
    left, right = after(text, steep[X < 900], X[X < 900]), after(text, steep[X > 1000], X[X > 1000])
    for done in (masked, holed):
        np.testing.assert_allclose(done.intensity, np.r_[left.intensity, right.intensity], atol=1e-9)
        assert done.axis.tolist() == np.r_[left.axis, right.axis].tolist()
        assert len(done.pieces) == 2
    assert not masked.warnings
    assert "1 hole" in holed.warnings[0]


def test_runs_shorter_than_the_window_are_left_out_and_told():
    masked = apply(step({"savgol": 31}), signal().without(420, 500))
    assert masked.axis[0] > 500
    assert "10 points in runs of fewer than 31 are left out" in masked.warnings[0]
    assert "needs 901 points in a row" in refused("too-few-points", {"savgol": 901})


# Baselines

BROAD = 2 + 1.5 * ((X - 400) / 1400) + 1.0 * ((X - 400) / 1400) ** 2


@pytest.mark.parametrize(
    ("method", "options", "within"),
    [
        ("arpls", {"lam": 1e5}, 0.02),
        ("drpls", {"lam": 1e6}, 0.02),
        ("iarpls", {"lam": 1e5}, 0.02),
        ("asls", {"lam": 1e5, "p": 0.001}, 0.10),
        ("airpls", {"lam": 1e7}, 0.12),
        ("imodpoly", {"poly_order": 2}, 0.03),
        ("modpoly", {"poly_order": 2}, 0.10),
        ("snip", {"max_half_window": 90, "decreasing": True}, 0.06),
        ("rubberband", {}, 0.06),
        ("pspline_asls", {"lam": 1e2, "p": 0.001}, 0.10),
    ],
)
def test_a_known_baseline_is_found(method, options, within):
    pytest.importorskip("pybaselines")
    y = BROAD + BANDS + RNG.normal(0, 0.002, X.size)
    done = after({"baseline": {"method": method, **options}}, y)
    assert np.abs(done.intensity - BANDS).max() < within


@pytest.mark.parametrize("method", sorted(set(METHODS) - set(OWN_METHODS)))
def test_the_menu_is_that_of_pybaselines(method):
    pybaselines = pytest.importorskip("pybaselines")
    takes = inspect.signature(getattr(pybaselines.Baseline, method)).parameters
    assert set(METHODS[method]) <= set(takes)
    # A default that is a number, a word or a flag is one that can be written.
    for name in METHODS[method]:
        if takes[name].default is not None:
            step({"baseline": {"method": method, name: takes[name].default}})


@pytest.mark.parametrize(
    "method", ["asls", "arpls", "airpls", "mor", "snip", "modpoly", "rubberband", "fabc", "pspline_arpls"]
)
def test_baselines_are_those_of_pybaselines_called_directly(method):
    pybaselines = pytest.importorskip("pybaselines")
    y = BROAD + BANDS + 0.005 * np.cos(np.arange(X.size) ** 1.5)
    baseline, _ = getattr(pybaselines.Baseline(x_data=X), method)(y)
    np.testing.assert_allclose(after({"baseline": method}, y).intensity, y - baseline, atol=1e-9)
    back = after({"baseline": method}, y[::-1], X[::-1])
    np.testing.assert_allclose(back.intensity, y - baseline, atol=1e-9)


def test_polynomials_go_through_their_regions():
    anchors = [[400, 550], [950, 1050], [1600, 1800]]
    done = after({"baseline": {"method": "polynomial", "order": 2, "regions": anchors}}, BROAD + BANDS)
    np.testing.assert_allclose(done.intensity, BANDS, atol=1e-3)
    line = after({"baseline": {"method": "linear", "regions": [[400, 500], [1700, 1800]]}}, 3 * X + BANDS)
    np.testing.assert_allclose(line.intensity, BANDS, atol=1e-3)
    level = after({"baseline": {"method": "constant", "regions": [400, 500]}})
    np.testing.assert_allclose(level.intensity, NOISY - NOISY[X <= 500].mean())
    refused("too-few-points", {"baseline": {"method": "constant", "regions": [1.0, 2.0]}})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ({"baseline": "asl"}, "did you mean asls"),
        ({"baseline": {"method": "asls", "lambda": 3}}, "did you mean lam"),
        ({"baseline": {"method": "asls", "lam": "many"}}, "write a number"),
        ({"baseline": {"method": "asls", "p": 3}}, "a share from 0 to 1"),
        ({"baseline": {"method": "modpoly", "poly_order": 2.5}}, "a whole number"),
        ({"baseline": {"method": "asls", "regions": [1, 2]}}, "regions are for"),
        ({"baseline": "polynomial"}, "needs its order"),
        ({"savgol": 10}, "even"),
        ({"savgol": {"window": 11}}, "window"),
        ("savgol", "window_points or window_width"),
        ({"savgol": {"window_points": 3, "polynomial": 4}}, "more than 4 points"),
        ({"derivative": {"order": 2, "window_points": 5, "polynomial": 1}}, "of that order or more"),
        ("snw", "did you mean snv"),
        ({"snv": 3}, "takes no parameter"),
        ({"mask": "co3"}, "no region"),
        ({"cut": [5, 5]}, "two positions that differ"),
        ({"savgol": 5, "snv": None}, "is no step"),
        ({"norris-williams": {"segment_points": 4}}, "odd"),
    ],
)
def test_what_is_written_wrongly_is_told(text, words):
    with pytest.raises(ValueError, match=r"(?s).*") as caught:
        step(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("snv", {"step": "snv"}),
        ("min_max", {"step": "min-max"}),
        ({"savgol": 11}, {"step": "savgol", "window_points": 11}),
        ({"savgol": {"window_points": 11}}, {"step": "savgol", "window_points": 11}),
        ({"SNV": None}, {"step": "snv"}),
        ({"mask": "co2"}, {"step": "mask", "regions": ["co2"]}),
        ({"mask": ["co2", [1, 2]]}, {"step": "mask", "regions": ["co2", [1, 2]]}),
        ({"cut": [1800, 800]}, {"step": "cut", "regions": [[800, 1800]]}),
        ({"baseline": "asls"}, {"step": "baseline", "method": "asls"}),
        ({"peak": 1000}, {"step": "peak", "at": 1000, "within": 0}),
        ({"convert": "absorbance"}, {"step": "convert", "quantity": "absorbance"}),
    ],
)
def test_short_forms_are_the_long_ones(short, full):
    assert step(short) == step(full)
    dumped = step(short).model_dump(mode="json")
    assert step(dumped) == step(short)
    assert dumped["step"] == full["step"]


# Normalisation


def test_snv_rnv_and_vector_by_numpy():
    np.testing.assert_allclose(after("snv").intensity, (NOISY - NOISY.mean()) / NOISY.std(ddof=1), rtol=1e-10)
    np.testing.assert_allclose(after("vector").intensity, NOISY / np.sqrt((NOISY**2).sum()))
    level = np.percentile(NOISY, 40)
    expected = (NOISY - level) / NOISY[level >= NOISY].std()
    np.testing.assert_allclose(after({"rnv": 40}).intensity, expected, rtol=1e-10)
    np.testing.assert_allclose(after("area").intensity, NOISY / np.trapezoid(NOISY, X))
    assert (after("min-max").intensity.min(), after("min-max").intensity.max()) == (0.0, 1.0)


def test_one_band_or_one_region_is_the_measure():
    np.testing.assert_allclose(after({"peak": 700}).intensity, NOISY / NOISY[150])
    near = after({"peak": {"at": 690, "within": 30}}).intensity
    np.testing.assert_allclose(near, NOISY / NOISY[(X >= 660) & (X <= 720)].max())
    chosen = (X >= 1200) & (X <= 1400)
    area = after({"region": [1400, 1200]}).intensity
    np.testing.assert_allclose(area, NOISY / np.trapezoid(NOISY[chosen], X[chosen]))
    mean = after({"region": {"region": [1200, 1400], "by": "mean"}}).intensity
    np.testing.assert_allclose(mean, NOISY / NOISY[chosen].mean())


def test_areas_leave_gaps_out():
    masked = apply(step("area"), signal().without(600, 800))
    low, high = X < 600, X > 800
    whole = np.trapezoid(NOISY[low], X[low]) + np.trapezoid(NOISY[high], X[high])
    np.testing.assert_allclose(masked.intensity, NOISY[low | high] / whole)


@pytest.mark.parametrize("order", [0, 1, 2, 4])
def test_scatter_correction_by_numpy(order):
    reference = signal(BANDS)
    u = (X - X.mean()) / (np.ptp(X) / 2)
    disturbed = 1.7 * BANDS + 3 - 2 * u * (order > 0) + 0.4 * np.sin(X / 9) * 0.01
    text = "msc" if order == 0 else {"emsc": order}
    done = apply(step(text), signal(disturbed), reference).intensity
    design = np.c_[BANDS, np.vander(u, order + 1)]
    fitted, *_ = np.linalg.lstsq(design, disturbed, rcond=None)
    np.testing.assert_allclose(done, (disturbed - design[:, 1:] @ fitted[1:]) / fitted[0], atol=1e-9)
    assert apply(step(text), reference, reference).intensity.tolist() == BANDS.tolist()


@given(st.floats(0.01, 100), st.floats(-50, 50), st.floats(-20, 20))
def test_emsc_undoes_what_scatter_does(scale, offset, slope):
    u = (X - X.mean()) / np.ptp(X)
    disturbed = scale * BANDS + offset + slope * u + 5 * u**2
    done = apply(step({"emsc": 2}), signal(disturbed), signal(BANDS)).intensity
    np.testing.assert_allclose(done, BANDS, atol=1e-8 / scale + 1e-9)


def test_scatter_and_smoothing_are_those_of_chemotools():
    scatter = pytest.importorskip("chemotools.scatter")
    rows = np.array([NOISY, 2 * NOISY + 1 + 0.1 * np.cos(X / 30), 0.5 * BANDS + 3 + X / 1000])
    cases = {
        "snv": None,  # theirs divides by n, ours by n - 1 as Barnes et al.
        "msc": scatter.MultiplicativeScatterCorrection(reference=BANDS),
        "emsc": scatter.ExtendedMultiplicativeScatterCorrection(reference=BANDS, order=2),
        "rnv": scatter.RobustNormalVariate(percentile=25),
    }
    ours_to_theirs = np.sqrt(X.size / (X.size - 1))
    theirs = scatter.StandardNormalVariate().fit_transform(rows) / ours_to_theirs
    for text, oracle in cases.items():
        expected = theirs if oracle is None else oracle.fit(rows).transform(rows)
        ours = [apply(step(text), signal(row), signal(BANDS)).intensity for row in rows]
        np.testing.assert_allclose(ours, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("text", "y"),
    [
        ("snv", np.full(X.size, 3.0)),
        ("rnv", np.full(X.size, 3.0)),
        ("rnv", np.where(X < 1500, 1.0, 2.0)),
        ("msc", np.full(X.size, 3.0)),
        ("vector", np.zeros(X.size)),
        ("area", np.sin(2 * np.pi * (X - 400) / 1400)),
        ("min-max", np.full(X.size, 3.0)),
        ({"peak": 700}, -NOISY),
        ({"region": [400, 500]}, -NOISY),
        ({"emsc": 2}, -BANDS),
        ({"savgol": 11}, BANDS * 1e200),
    ],
)
def test_what_cannot_be_scaled_is_refused(text, y):
    with pytest.raises(DataError) as caught:
        apply(step(text), signal(y), signal(BANDS))
    assert caught.value.reason == "degenerate-spectrum"
    assert caught.value.category is Category.NUMERICAL


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ({"offset": 2.0}, NOISY - 2),
        ("offset", NOISY - NOISY.min()),
        ({"offset": "mean"}, NOISY - NOISY.mean()),
        ({"offset": [1700, 1800]}, NOISY - NOISY[X >= 1700].mean()),
    ],
)
def test_offsets(text, expected):
    np.testing.assert_allclose(after(text).intensity, expected, atol=1e-12)


def test_convert_leaves_gaps_where_there_is_no_value():
    percent = np.clip(60 - 40 * BANDS, -1, None)
    done = after({"convert": "absorbance"}, percent, quantity="transmittance", unit="%")
    assert len(done.pieces) == 3
    assert (done.quantity.value, done.unit) == ("absorbance", "1")
    np.testing.assert_allclose(done.intensity, 2 - np.log10(percent[percent > 0]))
    assert f"{np.count_nonzero(percent <= 0)} of 701 points have no absorbance" in done.warnings[0]
    refused("no-such-conversion", {"convert": "absorbance"}, quantity="counts")


EVERY = [
    "snv", "rnv", "msc", {"emsc": 3}, "area", "vector", "min-max", {"peak": 3}, {"peak": {"at": 3, "within": 1}},
    {"region": [2, 5]}, "despike", {"savgol": 5}, {"savgol": {"window_width": 2.5, "polynomial": 3}},
    {"moving-mean": 3}, {"gaussian": 2}, "whittaker", {"derivative": {"order": 2, "window_points": 5}},
    "norris-williams", {"mask": [2, 4]}, {"cut": [1, 6]}, "offset", {"convert": "transmittance"},
    {"baseline": "linear"}, {"baseline": {"method": "polynomial", "order": 4}},
]  # fmt: skip


@given(
    y=st.lists(st.floats(-1e6, 1e6, width=32) | st.sampled_from([0.0, 1.0]), min_size=2, max_size=40),
    texts=st.lists(st.sampled_from(EVERY), min_size=1, max_size=3),
    warp=st.sampled_from([0.3, 1.0, 3.0]),
)
def test_any_signal_gives_finite_numbers_or_an_error_of_ours(y, texts, warp):
    x = 8 * np.linspace(0, 1, len(y)) ** warp
    done = target = signal(np.array(y), x, quantity="absorbance")
    try:
        for text in texts:
            done = apply(step(text), done, done if target.axis.size != done.axis.size else target)
    except DataError as error:
        assert error.reason is not None or error.category is Category.NUMERICAL
    else:
        assert np.isfinite(done.intensity).all()
        assert np.all(np.diff(done.axis) > 0)
        assert not any(np.any((done.axis >= low) & (done.axis <= high)) for low, high in done.gaps)


def test_one_point_is_told_as_one():
    intensity = np.sin(np.linspace(0, 6, 300)) + 0.01 * np.cos(np.arange(300.0) * 7)
    intensity[150] += 5
    done = after("despike", intensity, np.arange(300.0))
    assert done.warnings[-1].endswith("1 point was taken for a spike and replaced")
    intensity[90] += 5
    assert (
        after("despike", intensity, np.arange(300.0))
        .warnings[-1]
        .endswith("2 points were taken for spikes and replaced")
    )


@pytest.mark.parametrize("width", [3.5, 5.0, 12.0, 30.0])
@pytest.mark.parametrize("away", [-0.6, 0.3, 0.7])
def test_a_spike_on_the_flank_of_a_steep_band_is_taken_and_the_band_is_not(width, away):
    x = np.arange(1200.0)
    noise = np.random.default_rng(4).normal(0, 2, x.size)
    band = 1000 + noise + sum(3000 * np.exp(-2.77 * ((x - c) / width) ** 2) for c in (200.3, 500.6, 501 + 3 * width))
    assert not spikes(band, 7.0, 3).any()
    at = round(500.6 + away * width)
    spiked = band.copy()
    spiked[at] += 5000
    found = np.flatnonzero(spikes(spiked, 7.0, 3))
    assert at in found and found.size <= 3 and np.ptp(found) <= 2


FLUORESCENCE = 4000 * np.exp(-(((np.arange(1500.0) - 300) / 420) ** 2))
SHARP = sum(1500 * np.exp(-(((np.arange(1500.0) - c) / 9) ** 2)) for c in (220, 480, 700, 1010, 1300))
GLOWING = 500 + FLUORESCENCE + SHARP + np.random.default_rng(2).normal(0, 15, 1500)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "arpls", "lam": 1e5}, None),
        ({"method": "arpls", "lam": 1e6}, None),
        ({"method": "arpls", "lam": 1e11}, "lam"),
        ({"method": "asls", "lam": 1e5, "p": 0.01}, None),
        ({"method": "asls", "lam": 1e6, "max_iter": 1}, "did not settle in 2 rounds"),
        ({"method": "snip", "max_half_window": 60}, None),
    ],
)
def test_a_baseline_that_ran_off_or_never_settled_is_told(options, words):
    done = after({"baseline": options}, GLOWING, np.arange(1500.0))
    assert bool(done.warnings) == (words is not None), done.warnings
    assert words is None or any(words in text for text in done.warnings)


def test_each_doubt_about_a_baseline_is_told_with_its_place():
    x, y = np.arange(100.0), np.linspace(0, 10, 100)
    assert list(doubts(x, y, y, {"tol_history": [0.5, 1e-4], "weights": 1}, 10.0)) == []
    (off,) = doubts(x, y, np.where(x == 3, -2.0, y), {}, 10.0)
    assert "near 3, by 20% of that" in off
    (clear,) = doubts(x, y, np.minimum(y, 0.0), {"weights": 1}, 10.0)
    assert clear.startswith("three quarters of the points stand 25% of the signal's range")
    assert list(doubts(x, y, np.minimum(y, 0.0), {}, 10.0)) == []
    assert list(doubts(x, np.ones(100), np.zeros(100), {"weights": 1}, 0.0)) == []
