"""Batches of spectra as a whole: what stands out, why, and that it does not depend on what it must not."""

from __future__ import annotations

import csv
from collections import Counter

import numpy as np
import pytest

from batchlab.errors import DataError
from batchlab.spectra import read_text
from batchlab.spectra._analytics import DiskMatrix, Verdict, analyse
from batchlab.spectra._analytics._table import format_loadings, format_precision, format_rows

AXIS = np.linspace(600.0, 1800.0, 150)


def band(at, width=15.0):
    return np.exp(-((AXIS - at) ** 2) / (2 * width**2))


def good(count, seed=0, noise=0.01):
    rng = np.random.default_rng(seed)
    shapes = np.array([band(800), band(1100), band(1400)])
    return (
        shapes.sum(0) + rng.normal(size=(count, 3)) * [0.2, 0.1, 0.05] @ shapes + noise * rng.normal(size=(count, 150))
    )


def names(count):
    return [f"s{at:03}" for at in range(count)]


def snv(spectra):
    return (spectra - spectra.mean(axis=1, keepdims=True)) / spectra.std(axis=1, ddof=1, keepdims=True)


def test_outliers_are_told_with_their_reasons():
    spectra = good(60)
    spectra[7] += 0.3 * band(1510)  # a band that no other has
    spectra[20] += 3 * band(800)  # far too much of one that all have
    found = analyse(AXIS, spectra, names(60), axis_unit="cm-1")
    assert set(found.outliers) == {"s007", "s020"}
    assert found.verdicts[7] is Verdict.OUTLIER
    where = float(found.reasons[7].split("most at ")[1].split(" cm-1")[0])
    assert where == pytest.approx(1510, abs=15)
    assert found.reasons[7].startswith("Q residual")
    assert found.reasons[7].endswith("where it is higher")
    assert "T2" in found.reasons[20]
    assert "component 1" in found.reasons[20]
    assert [reason for at, reason in enumerate(found.reasons) if found.verdicts[at] is Verdict.GOOD] == [""] * Counter(
        found.verdicts
    )[Verdict.GOOD]
    assert found.rows[7].q_of_limit > 1
    assert found.rows[20].t2_of_limit > 1


@pytest.mark.parametrize("size", [1e2, 1e5])
def test_a_gross_outlier_hides_no_other(size):
    spectra = good(40, seed=1)
    spectra[3] += size * np.sin(AXIS / 7)
    spectra[11] += size / 3 * np.cos(AXIS / 11)
    spectra[25] += 0.3 * band(1510)
    spectra[30] += 2.5 * band(1100)
    assert set(analyse(AXIS, spectra, names(40)).outliers) == {"s003", "s011", "s025", "s030"}


def test_spectra_that_fit_a_known_rank_leave_nothing_to_judge_by_q():
    rng = np.random.default_rng(2)
    spectra = 1 + rng.normal(size=(20, 2)) @ np.array([band(800), band(1200)])
    found = analyse(AXIS, spectra, names(20), components=5)
    assert found.loadings.shape[0] == 2
    assert found.outliers == ()


def test_too_few_spectra_are_not_judged_and_it_is_said():
    found = analyse(AXIS, good(5), names(5))
    assert set(found.verdicts) == {Verdict.NOT_JUDGED}
    assert found.limits is None
    assert found.outliers == ()
    assert all("too few spectra" in reason for reason in found.reasons)
    assert any("too few to tell outliers" in text for text in found.warnings)
    assert not found.charts["level"].judged
    assert "<Analysis of 5 spectra" in repr(found)
    with pytest.raises(DataError, match="2 spectra make no batch"):
        analyse(AXIS, good(2), names(2))


def test_few_spectra_are_judged_roughly_and_it_is_said():
    spectra = good(9)
    spectra[4] = 2 * band(700) + 5 * band(1600)
    found = analyse(AXIS, spectra, names(9))
    assert found.outliers == ("s004",)
    assert any("only gross outliers" in text for text in found.warnings)


def test_equal_spectra_are_nothing_to_judge():
    found = analyse(AXIS, np.tile(band(900), (8, 1)), names(8))
    assert found.warnings == ("the spectra are all equal, so there is nothing to judge",)
    assert found.correlation == pytest.approx(1.0)
    assert set(found.verdicts) == {Verdict.NOT_JUDGED}


def test_a_constant_spectrum_has_no_correlation_and_stands_out():
    spectra = good(20)
    spectra[2] = 0.0
    found = analyse(AXIS, spectra, names(20))
    assert np.isnan(found.correlation[2])
    assert "correlation" not in found.charts
    assert "s002" in found.outliers


def test_what_is_found_does_not_depend_on_order_direction_or_units():
    spectra = good(50, seed=3)
    spectra[9] += 0.3 * band(1510)
    plain = analyse(AXIS, spectra, names(50))
    order = np.random.default_rng(4).permutation(50)
    shuffled = analyse(AXIS, spectra[order], [names(50)[at] for at in order], order=order.tolist())
    assert shuffled.t2 == pytest.approx(plain.t2[order], rel=1e-6)
    assert shuffled.q == pytest.approx(plain.q[order], rel=1e-6)
    assert shuffled.scores == pytest.approx(plain.scores[order], abs=1e-9)
    assert shuffled.charts["level"].values == pytest.approx(plain.charts["level"].values)
    assert shuffled.drifts["level"].slope == pytest.approx(plain.drifts["level"].slope)
    for other in (analyse(AXIS[::-1], spectra[:, ::-1], names(50)), analyse(1e7 / AXIS, 1000 * spectra, names(50))):
        assert other.verdicts == plain.verdicts
        assert other.t2 == pytest.approx(plain.t2, rel=1e-6)
        assert other.correlation == pytest.approx(plain.correlation, rel=1e-9)
        assert other.dmodx == pytest.approx(plain.dmodx, rel=1e-6)
        assert np.array_equal(other.clusters, plain.clusters)


def test_a_batch_on_disk_is_the_batch_in_memory(tmp_path):
    spectra = good(30, seed=5)
    spectra[9] += 0.3 * band(1510)
    groups = [f"g{at // 3}" for at in range(30)]
    whole = analyse(AXIS, spectra, names(30), groups=groups)
    with DiskMatrix(tmp_path / "m", 150) as matrix:
        for row in spectra:
            matrix.append(row)
        stored = analyse(AXIS, matrix, names(30), groups=groups)
    assert stored.reasons == whole.reasons
    assert stored.rows == whole.rows
    assert stored.precision.deviation == pytest.approx(whole.precision.deviation)
    assert stored.overview.values == pytest.approx(whole.overview.values)


def test_a_known_drift_is_found_by_its_times():
    rng = np.random.default_rng(6)
    times = rng.uniform(0, 10, size=40)
    spectra = good(40, seed=6, noise=0.001) * (1 + 0.3 * times[:, None])
    found = analyse(AXIS, spectra, names(40), times=times.tolist())
    assert found.drifts["level"].significant
    assert found.drifts["level"].slope == pytest.approx(0.3 * good(500).mean(), rel=0.25)
    assert list(found.order) == np.argsort(times).tolist()
    assert not analyse(AXIS, good(40, seed=6), names(40)).drifts["level"].significant


def test_replicates_give_the_precision():
    middles = good(20, seed=7)
    rng = np.random.default_rng(8)
    spectra = np.repeat(middles, 3, axis=0) + 0.05 * rng.normal(size=(60, 150))
    found = analyse(AXIS, spectra, names(60), groups=[f"g{at // 3}" for at in range(60)])
    assert np.sqrt(np.mean(found.precision.deviation**2)) == pytest.approx(0.05, rel=0.05)
    assert analyse(AXIS, spectra, names(60), groups=names(60)).precision is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": ["a"]}, "1 names for 10 spectra"),
        ({"axis": AXIS[:-1]}, "an axis of shape"),
        ({"level": 99.0}, "a level of 99"),
        ({"components": 0}, "0 components"),
        ({"reference": AXIS[:-1]}, "a reference of shape"),
        ({"normal": [True] + [False] * 9}, "1 spectrum is called normal"),
        ({"times": [np.nan] * 10}, "no finite number"),
        ({"matrix": np.full((10, 150), np.nan)}, "not finite numbers"),
        ({"matrix": np.zeros(150)}, "a row of two or more points"),
    ],
)
def test_what_cannot_be_analysed_is_refused(change, message):
    given = {"axis": AXIS, "matrix": good(10), "names": names(10), **change}
    with pytest.raises(DataError, match=message):
        analyse(given.pop("axis"), given.pop("matrix"), given.pop("names"), **given)


def test_the_tables_hold_a_row_a_spectrum_and_a_row_a_point():
    spectra = good(12)
    found = analyse(AXIS, spectra, names(12), groups=["a", "b"] * 6, axis_unit="cm-1", unit="counts")

    def read(text):
        lines = text.splitlines()
        assert lines[0].startswith("# batchlab spectra")
        return list(csv.DictReader(line for line in lines if not line.startswith("#")))

    rows = read(format_rows(found, {"job": "analytics"}))
    assert [row["name"] for row in rows] == names(12)
    assert [float(row["score 1 / counts"]) for row in rows] == found.scores[:, 0].tolist()
    assert [float(row["Q / (counts)^2"]) for row in rows] == found.q.tolist()
    points = read(format_loadings(found))
    assert [float(row["axis / cm-1"]) for row in points] == AXIS.tolist()
    assert [float(row["loading 1"]) for row in points] == found.loadings[0].tolist()
    repeats = read(format_precision(found))
    assert [float(row["repeatability deviation / counts"]) for row in repeats] == found.precision.deviation.tolist()
    with pytest.raises(DataError, match="nothing was repeated"):
        format_precision(analyse(AXIS, spectra, names(12)))


# real


@pytest.fixture(scope="module")
def tissue(shared_spectra):
    with (shared_spectra / "rows-are-spectra-class" / "collagen.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    data = rows[3:]
    assert len(data) == 731
    return (
        np.array(rows[0][1:], dtype=float),
        snv(np.array([row[1:] for row in data], dtype=float)),
        [row[0] for row in data],
    )


def test_the_four_groups_of_the_tissue_file_separate(tissue):
    axis, spectra, labels = tissue
    found = analyse(axis, spectra, [f"row {at}" for at in range(731)], groups=labels, components=6, axis_unit="cm-1")
    assert found.separation.share > 0.95
    assert min(found.separation.by_group.values()) > 0.9
    # Nobody told it the groups: glycogen, lipids, and the two that are nearest each other, collagen and DNA.
    assert found.n_clusters == 3
    taken = Counter(
        Counter(label for label, at in zip(labels, found.clusters, strict=True) if at == cluster).most_common(1)[0][1]
        for cluster in (1, 2, 3)
    )
    assert sum(size * times for size, times in taken.items()) / 731 > 0.8
    assert len(found.outliers) <= 15


@pytest.mark.parametrize("group", ["glycogen", "collagen"])
def test_with_one_group_for_normal_the_others_are_outliers(tissue, group):
    axis, spectra, labels = tissue
    normal = [label == group for label in labels]
    found = analyse(axis, spectra, labels, normal=normal, reference=spectra[normal].mean(axis=0))
    outlier = np.array([verdict is Verdict.OUTLIER for verdict in found.verdicts])
    own = np.array(normal)
    assert outlier[own].mean() < 0.02
    for other in {"glycogen", "lipids"} - {group}:
        assert outlier[np.array(labels) == other].mean() > 0.99
    assert np.median(found.correlation[own]) > np.median(found.correlation[~own])


@pytest.mark.parametrize("prepared", [lambda spectra: spectra, snv])
def test_the_white_reference_and_the_other_plant_stand_out(shared_spectra, prepared):
    files = sorted((shared_spectra / "svc-sig-family").glob("*.sig"))
    spectra = [read_text(file) for file in files]
    low, high = max(each.axis.min() for each in spectra), min(each.axis.max() for each in spectra)
    axis = np.unique(spectra[0].axis)
    axis = axis[(axis >= low) & (axis <= high)]
    sorted_out = [np.argsort(each.axis, kind="stable") for each in spectra]
    matrix = [np.interp(axis, each.axis[at], each.intensity[at]) for each, at in zip(spectra, sorted_out, strict=True)]
    found = analyse(axis, prepared(np.array(matrix)), [file.stem for file in files], axis_unit="nm")
    white, plant = "ACPL_D2_P1_T_1_WR_000", "3_6_PANVI_2_T_1_001_BAD"
    assert {white, plant} <= set(found.outliers)
    assert found.outliers[0] == white
    assert np.nanargmin(found.correlation) == found.names.index(white)
    assert len(found.outliers) <= 3


def test_three_outliers_that_are_alike_do_not_hide_behind_each_other():
    spectra = good(100, seed=9)
    spectra[[10, 50, 90]] += 4 * band(1600)
    found = analyse(AXIS, spectra, names(100))
    assert set(found.outliers) == {"s010", "s050", "s090"}


def test_a_tenth_of_the_batch_that_is_alike_is_a_cluster():
    spectra = good(100, seed=9)
    spectra[:10] += 4 * band(1600)
    found = analyse(AXIS, spectra, names(100))
    assert found.n_clusters == 2
    assert len(set(found.clusters[:10])) == len(set(found.clusters[10:])) == 1
    assert found.clusters[0] != found.clusters[10] and not found.outliers
