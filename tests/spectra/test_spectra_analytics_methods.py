"""Each method of the batch analytics against what it should be, and against somebody else's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchlab.errors import DataError
from batchlab.spectra._analytics import (
    DiskMatrix,
    clusters,
    control_chart,
    correlation_chart,
    drift,
    jackson_mudholkar,
    leverage,
    pca,
    precision,
    project,
    separation,
    settle,
    silhouette,
    spread_limit,
    t2,
    t2_limit,
)
from batchlab.spectra._analytics import _matrix as matrix_file
from batchlab.spectra._analytics import _pca as pca_file
from batchlab.spectra._analytics._residual import unbiased_traces


def noisy(rng, count=40, points=120, noise=0.05):
    x = np.linspace(0, 1, points)
    bands = np.array([np.exp(-((x - c) ** 2) / 0.004) for c in (0.2, 0.5, 0.8)])
    return bands.sum(0) + rng.normal(size=(count, 3)) * [3, 2, 1] @ bands + noise * rng.normal(size=(count, points))


# components


@pytest.mark.parametrize("shape", [(30, 200), (200, 30), (50, 50)])
@pytest.mark.parametrize("iterated", [False, True])
def test_components_are_those_of_the_singular_value_decomposition(shape, iterated, monkeypatch):
    if iterated:
        monkeypatch.setattr(pca_file, "_LARGEST_SIDE", 1)
    spectra = noisy(np.random.default_rng(1), *shape, noise=0.01)
    model = pca(spectra, 3)
    centred = spectra - spectra.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    assert model.variances == pytest.approx(sizes[:3] ** 2 / (shape[0] - 1), rel=1e-9)
    assert np.abs(np.sum(model.loadings * directions[:3], axis=1)) == pytest.approx(1.0, abs=1e-9)
    assert model.loadings @ model.loadings.T == pytest.approx(np.eye(3), abs=1e-9)
    scores, residuals = project(model, spectra)
    assert np.abs(scores) == pytest.approx(np.abs(centred @ directions[:3].T), abs=1e-6)
    assert residuals == pytest.approx(np.sum((centred - scores @ model.loadings) ** 2, axis=1), rel=1e-9)
    if iterated:
        assert model.residual_traces is None
    else:
        left = sizes[3:] ** 2 / (shape[0] - 1)
        assert model.residual_traces == pytest.approx([np.sum(left**power) for power in (1, 2, 3)], rel=1e-6)


def test_components_are_those_of_scikit_learn():
    decomposition = pytest.importorskip("sklearn.decomposition")
    spectra = noisy(np.random.default_rng(2))
    theirs = decomposition.PCA(n_components=4, svd_solver="full").fit(spectra)
    ours = pca(spectra, 4)
    assert ours.variances == pytest.approx(theirs.explained_variance_, rel=1e-9)
    assert ours.explained == pytest.approx(theirs.explained_variance_ratio_, rel=1e-9)
    signs = np.sign(np.sum(ours.loadings * theirs.components_, axis=1))
    assert ours.loadings == pytest.approx(signs[:, None] * theirs.components_, abs=1e-7)
    assert project(ours, spectra)[0] == pytest.approx(signs * theirs.transform(spectra), abs=1e-6)


def test_no_more_components_than_there_are():
    rng = np.random.default_rng(3)
    spectra = rng.normal(size=(20, 2)) @ rng.normal(size=(2, 50)) + 5
    assert pca(spectra, 8).loadings.shape == (2, 50)
    assert pca(np.tile(np.arange(50.0), (6, 1)), 3).loadings.shape == (0, 50)


def test_the_largest_entry_of_a_direction_is_positive():
    spectra = noisy(np.random.default_rng(4))
    for model in (pca(spectra, 3), pca(-spectra, 3)):
        largest = np.argmax(np.abs(model.loadings), axis=1)
        assert (model.loadings[np.arange(3), largest] > 0).all()


def test_fewer_components_of_a_model_are_the_model_of_fewer():
    spectra = noisy(np.random.default_rng(5), 15, 80)
    cut, own = pca(spectra, 6).first(2), pca(spectra, 2)
    assert cut.residual_traces == pytest.approx(own.residual_traces, rel=1e-9)
    assert cut.loadings == pytest.approx(own.loadings, abs=1e-9)


# disk


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rows_on_disk_are_the_rows_appended(tmp_path, dtype):
    spectra = np.random.default_rng(6).normal(size=(7, 11)).astype(dtype)
    with DiskMatrix(tmp_path / "m", 11, dtype) as matrix:
        for row in spectra:
            matrix.append(row)
        assert matrix.shape == (7, 11)
        assert np.array_equal(matrix[2:5], spectra[2:5])
        assert np.array_equal(matrix[np.array([6, 0, 3])], spectra[[6, 0, 3]])
        assert matrix[np.array([], dtype=np.intp)].shape == (0, 11)
        matrix.append(spectra[0])  # reading does not move where the next one goes
        assert np.array_equal(matrix[0:8], np.vstack([spectra, spectra[:1]]))
        matrix.narrow(slice(3, 9))
        assert np.array_equal(matrix[0:7], spectra[:, 3:9])
        with pytest.raises(DataError, match="cannot join a matrix of 11"):
            matrix.append(np.zeros(10))
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("shape", [(60, 90), (90, 60)])
@pytest.mark.parametrize("largest_side", [2000, 10])
def test_a_model_from_disk_in_small_blocks_is_the_one_from_memory(tmp_path, monkeypatch, shape, largest_side):
    monkeypatch.setattr(pca_file, "_LARGEST_SIDE", largest_side)
    spectra = noisy(np.random.default_rng(7), *shape)
    spectra[5] += 3 * np.sin(np.arange(shape[1]))
    whole = settle(spectra, 0.99)
    monkeypatch.setattr(matrix_file, "_BLOCK_BYTES", 7 * 8 * shape[1])
    with DiskMatrix(tmp_path / "m", shape[1]) as matrix:
        for row in spectra:
            matrix.append(row)
        parts = settle(matrix, 0.99)
    assert np.array_equal(parts.members, whole.members)
    assert not whole.members[5]
    assert parts.scores == pytest.approx(whole.scores, rel=1e-7, abs=1e-8)
    assert parts.t2 == pytest.approx(whole.t2, rel=1e-7)
    assert parts.q == pytest.approx(whole.q, rel=1e-7)


# T2 and Q


def test_t2_is_that_of_a_model_without_the_spectrum():
    rng = np.random.default_rng(8)
    scores = rng.normal(size=(9, 2)) * [3, 1]
    scores -= scores.mean(axis=0)
    scores = scores @ np.linalg.eigh(scores.T @ scores)[1]
    found = t2(scores, scores.var(axis=0, ddof=1), 9, np.ones(9, dtype=bool))
    for at in range(9):
        others = np.delete(scores, at, axis=0)
        away = scores[at] - others.mean(axis=0)
        assert found[at] == pytest.approx(away @ np.linalg.inv(np.cov(others.T)) @ away, rel=1e-9)


def test_leverages_of_a_models_own_spectra_sum_to_its_parameters():
    spectra = noisy(np.random.default_rng(9))
    model = pca(spectra, 3)
    assert leverage(project(model, spectra)[0], model.variances, 40).sum() == pytest.approx(4.0, rel=1e-9)


def test_a_spectrum_with_a_component_to_itself_is_beyond_any_t2():
    scores = np.array([[-1.0], [1.0]])
    assert np.isinf(t2(scores, np.array([2.0]), 2, np.array([True, True]))).all()


@pytest.mark.parametrize(("components", "count"), [(1, 8), (2, 12), (3, 40)])
def test_t2_of_new_spectra_is_beyond_its_limit_as_often_as_it_says(components, count):
    rng = np.random.default_rng(10)
    beyond = 0
    for _ in range(400):
        model, new = rng.normal(size=(count, components)), rng.normal(size=(25, components))
        away = new - model.mean(axis=0)
        values = np.sum((away @ np.linalg.inv(np.cov(model.T).reshape(components, components))) * away, axis=1)
        beyond += np.sum(values > t2_limit(components, count, 0.95))
    assert 0.035 < beyond / 10_000 < 0.065


def test_the_limit_of_q_is_exact_for_equal_variances_and_near_for_unequal_ones():
    from scipy.stats import chi2

    assert jackson_mudholkar((50.0, 50.0, 50.0), 0.99) == pytest.approx(float(chi2.ppf(0.99, 50)), rel=0.002)
    rng = np.random.default_rng(11)
    for variances in (np.geomspace(4, 0.1, 30), np.array([10.0, *[0.1] * 1000])):
        drawn = rng.normal(size=(40_000, variances.size)) ** 2 @ variances
        limit = jackson_mudholkar(tuple(float(np.sum(variances**power)) for power in (1, 2, 3)), 0.95)
        assert 0.03 < np.mean(drawn > limit) < 0.07


def test_traces_of_few_spectra_come_out_right_on_average():
    variances = np.geomspace(5, 0.05, 80)
    rng = np.random.default_rng(12)
    found = []
    for _ in range(1500):
        drawn = rng.normal(size=(12, 80)) * np.sqrt(variances)
        centred = drawn - drawn.mean(axis=0)
        side = centred @ centred.T / 11
        found.append(unbiased_traces((np.trace(side), np.trace(side @ side), np.trace(side @ side @ side)), 12, 0))
    true = [np.sum(variances**power) for power in (1, 2, 3)]
    assert np.mean(found, axis=0) == pytest.approx(true, rel=0.05)


def test_the_spread_of_q_is_not_moved_by_a_few_outliers():
    values = np.random.default_rng(13).chisquare(20, size=200)
    spoilt = values.copy()
    spoilt[:10] *= 1000
    assert spread_limit(spoilt, 0.99) == pytest.approx(spread_limit(values, 0.99), rel=0.15)


@pytest.mark.parametrize("count", [8, 20, 60])
@pytest.mark.parametrize("noise", [0.02, 0.5])
def test_a_batch_of_good_spectra_seldom_has_an_outlier(count, noise):
    rng = np.random.default_rng(count)
    alarms = 0
    for _ in range(80):
        settled = settle(noisy(rng, count, 90, noise), 0.95)
        assert settled.limits is not None
        alarms += bool(np.any((settled.t2_of_limit > 1) | (settled.q > settled.limits.q_batch)))
    assert alarms <= 10  # 4 are promised; 11 or more of 80 would come once in 300 tries


# clusters


def test_clusters_are_found_whatever_their_order():
    rng = np.random.default_rng(14)
    middles = np.array([[0, 0, 0], [10, 0, 0], [0, 10, 0], [0, 0, 10]])
    truth = np.repeat([0, 1, 2, 3], [40, 30, 20, 10])
    points = middles[truth] + rng.normal(size=(100, 3))
    found = clusters(points)
    assert found.count == 4
    assert found.silhouette > 0.7
    assert np.array_equal(found.labels, truth + 1)  # the largest first
    order = rng.permutation(100)
    assert np.array_equal(clusters(points[order]).labels, found.labels[order])


def test_one_group_is_not_cut():
    rng = np.random.default_rng(15)
    cut = sum(clusters(rng.normal(size=(40, 2)) * [3, 1]).count > 1 for _ in range(40))
    assert cut <= 6
    assert clusters(rng.normal(size=(5, 2))).count == 1
    assert clusters(np.zeros((20, 2))).count == 1


def test_many_spectra_are_joined_to_the_nearest_middle():
    rng = np.random.default_rng(16)
    truth = rng.integers(0, 2, size=3000)
    found = clusters(np.column_stack([truth * 10.0, np.zeros(3000)]) + rng.normal(size=(3000, 2)))
    assert found.count == 2
    same = (found.labels[:, None] == found.labels[None, ::100]) == (truth[:, None] == truth[None, ::100])
    assert same.mean() > 0.999


def test_silhouette_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(17)
    points, labels = rng.normal(size=(30, 2)), np.array([*rng.integers(1, 4, size=29), 9])
    assert silhouette(points, labels) == pytest.approx(metrics.silhouette_score(points, labels), rel=1e-9)


def test_groups_that_are_apart_are_nearest_to_themselves():
    analysis = pytest.importorskip("sklearn.discriminant_analysis")
    rng = np.random.default_rng(18)
    groups = np.repeat(["a", "b", "c"], 15)
    scores = rng.normal(size=(45, 2)) + np.repeat([[0, 0], [2, 0], [0, 2]], 15, axis=0)
    found = separation(scores, [*groups])
    theirs = []
    for at in range(45):
        keep = np.arange(45) != at
        model = analysis.LinearDiscriminantAnalysis(solver="lsqr", priors=[1 / 3] * 3).fit(scores[keep], groups[keep])
        theirs.append(model.predict(scores[at : at + 1])[0])
    assert list(found.nearest) == theirs
    assert found.share == np.mean(np.array(theirs) == groups)
    assert separation(scores, [*["a"] * 44, "b"]) is None
    with_one = separation(scores, [*groups[:-1], "alone"])
    assert with_one.nearest[-1] is None


# charts, drift, precision


def test_a_chart_tells_what_is_beyond_its_limits_and_jumps():
    values = np.array([10.0, 10.2, 9.9, 10.1, 10.0, 9.8, 10.1, 10.0, 14.0, 10.1, 9.9, 10.0])
    chart = control_chart(values)
    assert chart.beyond == (8,)
    assert chart.jumps == (8, 9)
    assert chart.centre == 10.0
    assert chart.judged


def test_no_correlation_is_too_high():
    correlations = np.tile([0.990, 0.991, 0.989, 0.990, 0.992], 4)
    correlations[[7, 12]] = 0.9999, 0.95
    assert control_chart(np.arctanh(correlations)).beyond == (7, 12)
    chart = correlation_chart(correlations)
    assert chart.beyond == (12,)
    assert 0.95 < chart.low < chart.centre < 1 < chart.high


def test_the_limits_of_a_chart_come_from_its_baseline():
    values = np.concatenate([np.tile([1.0, 2.0], 10), np.full(9, 2.4)])
    chart = control_chart(values, baseline=20)
    assert chart.centre == 1.5
    assert chart.high == pytest.approx(1.5 + 3 * 1.0 / 1.128379, rel=1e-6)
    assert chart.runs == (27, 28)  # the last of the baseline is on that side too
    assert chart.beyond == ()
    mask = np.arange(29) < 20
    assert control_chart(values, baseline=mask).high == chart.high


def test_a_chart_of_few_values_judges_none():
    chart = control_chart(np.array([1.0, 1.1, 0.9, 50.0]))
    assert not chart.judged
    assert chart.beyond == chart.jumps == chart.runs == ()
    with pytest.raises(DataError, match="1 value of value makes no chart"):
        control_chart(np.array([1.0]))


def test_an_even_series_is_beyond_nothing():
    chart = control_chart(np.full(20, 0.1 + 0.2))
    assert chart.beyond == chart.jumps == chart.runs == ()


def test_nine_of_ten_good_charts_of_forty_values_are_quiet():
    rng = np.random.default_rng(19)
    beyond = [len(control_chart(rng.normal(size=40), baseline=40).beyond) for _ in range(200)]
    assert np.mean(beyond) / 40 < 0.008  # 0.0027 where the width is known


@settings(max_examples=30, deadline=None)
@given(slope=st.floats(-5, 5).filter(lambda value: abs(value) > 0.01), seed=st.integers(0, 1000))
def test_a_known_drift_is_found_with_its_slope(slope, seed):
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0, 100, size=30))
    values = 7 + slope * times + abs(slope) * rng.normal(size=30)
    values[3] += 1000
    found = drift(times, values)
    assert found.significant
    assert found.slope == pytest.approx(slope, rel=0.1)
    assert found.slope_low <= found.slope <= found.slope_high
    assert found.change == pytest.approx(found.slope * np.ptp(times))


def test_drift_is_seldom_found_where_there_is_none_and_never_in_four_values():
    rng = np.random.default_rng(20)
    found = sum(drift(np.arange(20.0), rng.normal(size=20), level=0.95).significant for _ in range(200))
    assert found <= 22  # 10 are expected
    few = drift(np.arange(4.0), np.arange(4.0))
    assert math.isnan(few.p)
    assert not few.significant
    assert not drift(np.arange(30.0), np.full(30, 3.3)).significant
    with pytest.raises(DataError, match="fewer than two times"):
        drift(np.zeros(5), np.arange(5.0))


def test_many_values_drift_as_their_medians_do():
    times = np.arange(5000.0)
    found = drift(times, 2e-3 * times + np.random.default_rng(21).normal(size=5000))
    assert found.significant
    assert found.slope == pytest.approx(2e-3, rel=0.05)


def test_precision_is_the_deviation_within_groups():
    rng = np.random.default_rng(22)
    middles = rng.uniform(5, 20, size=(50, 40))
    groups = [f"g{at:02}" for at in range(50) for _ in range(3)]
    spectra = np.repeat(middles, 3, axis=0) + 0.2 * rng.normal(size=(150, 40))
    found = precision(np.vstack([spectra, 1e6 * np.ones((2, 40))]), [*groups, None, "alone"])
    assert found.dof == 100
    assert np.sqrt(np.mean(found.deviation**2)) == pytest.approx(0.2, rel=0.03)
    assert found.typical_relative == pytest.approx(100 * 0.2 / 12.5, rel=0.1)
    assert found.repeatability_limit == pytest.approx(2.8 * found.deviation)
    by_hand = np.sqrt(np.mean([np.var(spectra[3 * at : 3 * at + 3], axis=0, ddof=1) for at in range(50)], axis=0))
    assert found.deviation == pytest.approx(by_hand, rel=1e-9)
    assert len(found.by_group) == 50
    with pytest.raises(DataError, match="nothing was repeated"):
        precision(spectra[:2], ["a", "b"])


def test_a_relative_deviation_is_not_told_where_the_mean_is_nearly_zero():
    spectra = np.array([[0.0, 10.0], [0.1, 11.0]])
    found = precision(spectra, ["a", "a"])
    assert math.isnan(found.relative[0])
    assert found.relative[1] == pytest.approx(100 * math.sqrt(0.5) / 10.5)


@pytest.mark.parametrize("odd", [[(40.0, 0.0)], [(40.0, 0.0), (41.0, 0.5)], [(40.0, 0.0), (41.0, 0.5), (-30.0, 30.0)]])
def test_one_or_two_that_stand_apart_are_no_cluster(odd):
    rng = np.random.default_rng(8)
    crowd = rng.standard_normal((27, 2))
    found = clusters(np.vstack([crowd, odd]))
    assert found.count == 1 and found.silhouette is None
    two = clusters(np.vstack([crowd, rng.normal([12.0, 0.0], 1.0, (12, 2)), odd]))
    assert two.count == 2
    assert sorted(np.bincount(two.labels)[1:] >= 12) == [True, True]
    assert clusters(np.vstack([crowd, rng.normal([40.0, 0.0], 1.0, (3, 2))])).count == 2
