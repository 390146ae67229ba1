"""Modes of the common axis, ways to interpolate, gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.stats import binned_statistic

from batchlab.errors import DataError
from batchlab.spectra import Recipe, compare
from batchlab.spectra._common_axis import common_axis, interpolate_overlap, join
from batchlab.spectra._model import Spectrum
from batchlab.spectra._recipe import Common, Grid, Interpolation
from batchlab.spectra._signal import Signal, join_gaps, pieces, signal_of


def spectrum(x, y, **said):
    return Spectrum(axis=x, intensity=y, **said)


X = np.linspace(400.0, 800.0, 401)
FINE = np.linspace(350.3, 750.3, 4001)


def wave(x):
    return 2 + np.sin(x / 17) + 0.3 * np.cos(x / 5)


@pytest.mark.parametrize(("turned", "other_turned"), [(1, 1), (-1, 1), (1, -1), (-1, -1)])
@pytest.mark.parametrize(
    ("how", "oracle"),
    [
        ("linear", lambda x, y: lambda at: np.interp(at, x, y)),
        ("cubic", CubicSpline),
        ("pchip", PchipInterpolator),
    ],
)
def test_interpolations_are_those_of_scipy_in_any_direction(how, oracle, turned, other_turned):
    both = common_axis(
        spectrum(X[::turned], wave(X)[::turned]),
        spectrum(FINE[::other_turned], wave(FINE)[::other_turned]),
        interpolation=how,
    )
    assert both.axis.tolist() == X[X <= 750.3][::turned].tolist()
    np.testing.assert_allclose(both.sample, oracle(FINE, wave(FINE))(both.axis), rtol=1e-12)
    assert both.reference.tolist() == wave(X)[X <= 750.3][::turned].tolist()


def test_bins_are_means_of_what_was_measured_around_each_point():
    fine = np.arange(399.05, 801.0, 0.1)  # no point on the edge of a bin
    y = np.random.default_rng(1).normal(size=fine.size)
    both = common_axis(spectrum(X, wave(X)), spectrum(fine, y), interpolation="bin")
    expected = binned_statistic(fine, y, "mean", bins=np.arange(399.5, 801.0, 1.0)).statistic
    np.testing.assert_allclose(both.sample, expected, atol=1e-12)
    assert both.sample.std() == pytest.approx(y.std() / np.sqrt(10), rel=0.2)


def test_a_bin_moves_no_band_where_points_fall_on_its_edges():
    fine = np.linspace(400.0, 800.0, 4001)
    both = common_axis(spectrum(X, wave(X)), spectrum(fine, fine), interpolation="bin")
    np.testing.assert_allclose(both.sample, both.axis, atol=1e-9)


def test_bins_of_a_coarse_sample_are_linear():
    coarse = np.linspace(400.0, 800.0, 51)
    as_bins = common_axis(spectrum(X, wave(X)), spectrum(coarse, wave(coarse)), interpolation="bin")
    as_lines = common_axis(spectrum(X, wave(X)), spectrum(coarse, wave(coarse)))
    assert as_bins.sample.tolist() == as_lines.sample.tolist()


@pytest.mark.parametrize("how", Interpolation)
@given(low=st.floats(300, 600), length=st.floats(60, 300))
def test_nothing_is_extrapolated(how, low, length):
    x = np.linspace(low, low + length, 97)
    at = (low <= X) & (low + length >= X)
    assume(at.sum() >= 3 and length > 45)
    both = common_axis(spectrum(X, wave(X)), spectrum(x, wave(x)), interpolation=how, least_coverage=0)
    assert both.axis.tolist() == X[at].tolist()
    assert np.abs(both.sample - wave(both.axis)).max() < 1.0


def test_the_reference_wants_all_its_points():
    covered = common_axis(spectrum(X, wave(X)), spectrum(X * 1.1 - 60, wave(X)), common="reference")
    assert covered.axis.tolist() == X.tolist()
    with pytest.raises(DataError) as caught:
        common_axis(spectrum(X, wave(X), name="ref"), spectrum(X + 10.5, wave(X), name="smp"), common="reference")
    assert caught.value.reason == "not-covered"
    assert "11 of 401 points of the reference 'ref' (400 to 410)" in str(caught.value)


def test_a_grid_takes_neithers_points_and_leaves_out_what_one_has_not():
    grid = Grid(start=380.0, stop=760.0, step=4.0)
    both = common_axis(spectrum(X[::-1], wave(X)[::-1]), spectrum(FINE, wave(FINE)), common="grid", grid=grid)
    assert both.axis.tolist() == np.arange(400.0, 750.1, 4.0)[::-1].tolist()
    np.testing.assert_allclose(both.reference, np.interp(both.axis, X, wave(X)))
    np.testing.assert_allclose(both.sample, np.interp(both.axis, FINE, wave(FINE)))
    assert both.coverage == pytest.approx((750.3 - 400) / 360)  # of the reference's range within the grid
    assert both.warnings[:1] == both.reference_warnings
    assert "the grid runs from 380 to 760, beyond the reference" in both.warnings[0]


def test_with_a_grid_the_coverage_is_that_of_the_references_range_within_it():
    reference, sample = spectrum(X, wave(X)), spectrum(X, wave(X))
    beyond = compare(reference, sample, recipe=Recipe(grid=Grid(start=200, stop=1400, step=2)))
    assert beyond.metrics["coverage"] == 1.0 and not any("covers only" in text for text in beyond.warnings)
    assert "beyond the reference" in beyond.warnings[0] and len(beyond.warnings) == 2  # and that neither says its axis
    part = compare(reference, sample, recipe=Recipe(grid=Grid(start=500, stop=600, step=2)))
    assert part.metrics["coverage"] == 1.0 and not any("grid" in text for text in part.warnings)
    half = spectrum(X[X <= 550], wave(X[X <= 550]))
    found = compare(reference, half, recipe=Recipe(grid=Grid(start=500, stop=600, step=2)))
    assert found.metrics["coverage"] == pytest.approx(0.5)
    assert "the sample covers only 50% of the reference's range within the grid" in found.warnings
    with pytest.raises(DataError, match="0 points of the grid from 1200 to 1300"):
        compare(reference, sample, recipe=Recipe(grid=Grid(start=1200, stop=1300, step=2)))


@pytest.mark.parametrize(("start", "stop", "step", "count"), [(0, 1, 0.1, 11), (0, 1, 0.3, 4), (400, 4000, 0.7, 5143)])
def test_a_grid_has_both_ends_where_the_step_divides_it(start, stop, step, count):
    assert Grid(start=start, stop=stop, step=step).count == count


def test_a_union_compares_the_overlap_and_hands_over_the_rest():
    both = common_axis(spectrum(X[::-1], wave(X)[::-1]), spectrum(FINE, wave(FINE)), common=Common.UNION)
    plain = common_axis(spectrum(X[::-1], wave(X)[::-1]), spectrum(FINE, wave(FINE)))
    assert both.axis.tolist() == plain.axis.tolist()
    assert both.sample.tolist() == plain.sample.tolist()
    assert np.isfinite(both.sample).all()
    ((x_ref, y_ref),) = both.reference_alone
    assert x_ref.tolist() == X[X > 750.3][::-1].tolist()
    assert y_ref.tolist() == wave(X)[X > 750.3][::-1].tolist()
    ((x_smp, _),) = both.sample_alone
    assert x_smp.tolist() == FINE[FINE < 400][::-1].tolist()
    assert plain.reference_alone == plain.sample_alone == ()


def gappy(gaps, x=X, role="it"):
    signal = signal_of(spectrum(x, wave(x)), role)
    for low, high in gaps:
        signal = signal.without(low, high)
    return signal


@pytest.mark.parametrize("how", Interpolation)
@pytest.mark.parametrize("masked", ["reference", "sample", "both"])
def test_no_point_bridges_a_gap(how, masked):
    gaps = [(500.2, 540.4), (600.5, 600.6)]
    reference = gappy(gaps if masked != "sample" else [])
    sample = gappy(gaps if masked != "reference" else [], FINE)
    both = join(reference, sample, interpolation=how)
    # Between 500.2 and the last sample point before it there is nothing to interpolate between.
    inside = [(low <= both.axis) & (both.axis <= high) for low, high in gaps]
    assert not np.any(inside)
    assert both.gaps == tuple(gaps)
    # The value of each piece is that of the piece alone.
    for part, (low, high) in zip(pieces(both.axis, both.gaps), [(0, 500.2), (540.4, 600.5), (600.6, 999)], strict=True):
        x = FINE[(high > FINE) & (low < FINE)] if masked != "reference" else FINE
        alone = join(gappy([]), signal_of(spectrum(x, wave(x)), "it"), interpolation=how, least_coverage=0)
        at = np.isin(alone.axis, both.axis[part])
        np.testing.assert_allclose(both.sample[part], alone.sample[at], rtol=1e-12)


def test_a_gap_counts_in_no_coverage():
    whole = gappy([(500.0, 600.0)])
    assert join(whole, gappy([(500.0, 600.0)])).coverage == pytest.approx(1.0)
    # The reference keeps 99 + 199 of its 400 nm; the sample reaches from 400 to 499 and from 601 to 700.
    half = join(whole, gappy([(500.0, 600.0), (700.5, 900.0)])).coverage
    assert half == pytest.approx((99 + 99) / (99 + 199))


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 20)), max_size=6), st.booleans())
def test_pieces_are_what_gaps_leave(raw, falling):
    gaps = join_gaps(tuple((low, low + width) for low, width in raw))
    x = np.linspace(0, 120, 200)
    x = x[[not any(low <= each <= high for low, high in gaps) for each in x]]
    x = x[::-1] if falling else x
    found = pieces(x, gaps)
    assert np.r_[tuple(found)].tolist() == list(range(x.size)) if x.size else found == ()
    for piece in found:
        low, high = sorted((x[piece.start], x[piece.stop - 1]))
        assert not any(low < gap_low < high for gap_low, _ in gaps)


def test_the_plain_path_is_np_interp_to_the_last_bit():
    rng = np.random.default_rng(3)
    x_ref, x_smp = np.sort(rng.uniform(0, 100, 500)), np.sort(rng.uniform(10, 110, 700))
    y_ref, y_smp = rng.normal(size=500), rng.normal(size=700)
    inside = (x_ref >= x_smp[0]) & (x_ref <= x_smp[-1])
    both = common_axis(spectrum(x_ref, y_ref), spectrum(x_smp, y_smp))
    assert both.sample.tolist() == np.interp(x_ref[inside], x_smp, y_smp).tolist()
    assert both.coverage == (x_ref[-1] - x_smp[0]) / (x_ref[-1] - x_ref[0])
    arrays = interpolate_overlap(x_ref, y_ref, x_smp, y_smp)
    assert arrays[2].tolist() == both.sample.tolist()
    assert arrays[3] == both.coverage


def test_signals_are_read_only():
    both = common_axis(spectrum(X, wave(X)), spectrum(FINE, wave(FINE)))
    for array in (both.axis, both.reference, both.sample, both.unscaled_sample):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0
    assert isinstance(signal_of(spectrum(X, wave(X)), "it"), Signal)
