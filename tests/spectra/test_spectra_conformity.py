"""Bands, rules and verdicts on cases made to pass and to fail; references chosen by number, group and metadata."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.errors import ConfigError, DataError
from batchlab.spectra import Spectrum, compare
from batchlab.spectra._conformity import band_about, band_between, band_of_replicates, judge
from batchlab.spectra._references import group_of, nearest_reference, rank_references
from batchlab.spectra._rules import ALL_INSIDE, Rule, parse_rule

X = np.linspace(400.0, 700.0, 301)
Y = 0.1 + np.exp(-(((X - 500) / 20) ** 2)) + 0.6 * np.exp(-(((X - 610) / 15) ** 2))


def spectrum(intensity, axis=X, **facts):
    return Spectrum(axis=axis, intensity=intensity, **{"axis_kind": "wavelength", "axis_unit": "nm", **facts})


def judged(sample, rules=None, band=None, **options):
    return judge(compare(spectrum(Y, name="r"), spectrum(sample, name="s"), **options), rules, band)


def spoilt(*places):
    """The reference, off by so much from here to there."""
    sample = Y.copy()
    for low, high, by in places:
        sample[(low <= X) & (high >= X)] += by
    return sample


# Rules


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("pearson_r >= 0.99", Rule("pearson_r", ">=", 0.99)),
        (" rmse[C-H] <2e-2 ", Rule("rmse[C-H]", "<", 0.02)),
        ("|axis_shift| ≤ 0.5", Rule("axis_shift", "<=", 0.5, absolute=True)),
        ("area_ratio > .9", Rule("area_ratio", ">", 0.9)),
        ("inside", ALL_INSIDE),
        ("outside <= 2 %", Rule("outside_percent", "<=", 2.0)),
        ("outside <= 10", Rule("outside_points", "<=", 10.0)),
        ("run <= 5", Rule("longest_run", "<=", 5.0)),
        ("excess < 0.01", Rule("largest_excess", "<", 0.01)),
    ],
)
def test_rules_read_as_they_are_written(text, rule):
    assert parse_rule(text) == rule
    assert parse_rule(str(rule)) == rule


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pearson >= 0.99", "did you mean 'pearson_r'"),
        ("rmse <= 2 %", "only outside is told in percent"),
        ("rmse", "is no rule"),
        ("rmse = 2", "is no rule"),
        ("rmse <= high", "is no rule"),
        ("|rmse <= 2", "is no rule"),
        ("", "is no rule"),
    ],
)
def test_what_is_no_rule_is_told(text, words):
    with pytest.raises(ValueError, match=words.replace("|", r"\|")):
        parse_rule(text)
    with pytest.raises(ConfigError):
        judged(Y, [text], band_about(X, Y, 0.1))


@given(value=st.floats(-2, 2), limit=st.floats(-2, 2))
def test_a_rule_holds_as_its_sign_says(value, limit):
    assert Rule("a", "<=", limit).holds(value) == (value <= limit)
    assert Rule("a", ">=", limit).holds(value) == (value >= limit)
    assert Rule("a", "<", limit).holds(value) == (value < limit)
    assert Rule("a", ">", limit).holds(value) == (value > limit)
    assert Rule("a", "<", limit, absolute=True).holds(value) == (abs(value) < limit)


@pytest.mark.parametrize("sign", ["<=", ">=", "<", ">"])
def test_what_is_no_number_keeps_no_rule(sign):
    assert not Rule("a", sign, 0.0).holds(math.nan)


# Verdicts


def test_inside_everywhere_passes():
    found = judged(Y + 0.049, band=band_about(X, Y, 0.05))
    assert found.passed
    assert found.words == "conforms: 1 of 1 rules hold"
    assert found.outside == ()
    assert found.numbers["outside_points"] == found.numbers["longest_run"] == found.numbers["largest_excess"] == 0
    assert math.isnan(found.numbers["largest_excess_at"])


@pytest.mark.parametrize("turned", [False, True])
def test_where_it_fails_is_told(turned):
    sample = spoilt((430, 439, 0.08), (440, 440, -0.09), (650, 652, -0.2))
    band = band_about(X[::-1], Y[::-1], 0.05)
    way = slice(None, None, -1 if turned else 1)
    comparison = compare(spectrum(Y[way], X[way]), spectrum(sample, name="s"))
    rules = ["inside", "outside <= 5 %", "outside <= 13", "run <= 10", "run <= 11", "excess <= 0.1", "rmse < 0.1"]
    found = judge(comparison, rules, band)
    assert [each.passed for each in found.findings] == [False, True, False, False, True, False, True]
    assert not found.passed
    assert found.numbers == {
        "outside_points": 14,
        "outside_percent": pytest.approx(100 * 14 / 301),
        "longest_run": 11,
        "largest_excess": pytest.approx(0.15),
        "largest_excess_at": pytest.approx(651, abs=1),
    }
    assert [(s.first, s.last, s.points) for s in found.outside] == [(650, 652, 3), (440, 440, 1), (430, 439, 10)]
    assert [s.excess for s in found.outside] == pytest.approx([-0.15, -0.04, 0.03])
    assert "from 650 to 652 below by up to 0.15" in found.words
    assert "at 440 below" in found.words
    assert "longest_run is 11: longest_run <= 10 fails" in found.words
    assert "rmse" not in found.words
    assert found.metrics["conforms"] is False and found.metrics["verdict"] == found.words
    assert pickle.loads(pickle.dumps(found)) == found


def test_a_band_counts_beside_rules_of_other_numbers():
    far, band = Y + 0.5, band_about(X, Y, 0.05)
    found = judged(far, ["pearson_r >= 0.9"], band)
    assert not found.passed and [each.rule for each in found.findings] == [parse_rule("pearson_r >= 0.9"), ALL_INSIDE]
    assert "outside_points is 301" in found.words
    assert judged(Y, ["pearson_r >= 0.9"], band).passed
    assert judged(far, ["|max_deviation| <= 1"], band).passed is False


@pytest.mark.parametrize("rule", ["outside <= 100 %", "outside <= 301", "run <= 301", "excess <= 1"])
def test_a_rule_of_the_band_says_what_may_be_outside(rule):
    found = judged(Y + 0.5, ["pearson_r >= 0.9", rule], band_about(X, Y, 0.05))
    assert found.passed and len(found.findings) == 2


def test_rules_without_a_band_judge_numbers_alone():
    found = judged(Y + 0.5, ["pearson_r >= 0.99", "rmse <= 0.1"])
    assert [each.passed for each in found.findings] == [True, False]
    assert found.words == "does not conform: rmse is 0.5: rmse <= 0.1 fails"
    assert found.numbers == {}


def test_what_cannot_be_judged_is_an_error():
    with pytest.raises(ConfigError, match="give one"):
        judged(Y)
    with pytest.raises(ConfigError, match=r"needs outside_points, which was not computed"):
        judged(Y, ["inside"])
    with pytest.raises(ConfigError, match=r"needs pearson_r\[C-H\]"):
        judged(Y, ["pearson_r[C-H] > 0"])
    with pytest.raises(DataError) as caught:
        judged(Y, band=band_about(X + 1000, Y, 1.0))
    assert caught.value.reason == "no-overlap"


def test_masks_and_points_beyond_the_band_are_not_judged():
    sample = spoilt((450, 460, 1.0), (690, 700, 1.0))
    band = band_about(X[X <= 680], Y[X <= 680], 0.01)
    found = judged(sample, band=band, masks=[(445, 465)])
    assert found.passed
    assert found.warnings == (
        "20 of 301 points lie beyond the tolerance band, which spans 400 to 680, and are not judged",
    )
    # What is hidden is hidden because somebody asked for it.
    assert judged(sample, band=band_about(X, Y, 2.0), masks=[(445, 465)]).warnings == ()
    # A run does not leap over a mask.
    both = judged(spoilt((440, 449, 1.0), (461, 470, 1.0)), band=band, masks=[(450, 460)])
    assert both.numbers["longest_run"] == 10
    assert len(both.outside) == 2


def test_a_band_of_replicates_is_mean_and_standard_deviations():
    rng = np.random.default_rng(1)
    rows = Y + rng.normal(0, 0.01, (5, X.size))
    band = band_of_replicates(X, rows, k=2.5)
    np.testing.assert_allclose((band.lower + band.upper) / 2, rows.mean(axis=0))
    np.testing.assert_allclose((band.upper - band.lower) / 2, 2.5 * rows.std(axis=0, ddof=1))
    assert band.words == "mean ± 2.5 sd of 5 replicates"
    wide = band_of_replicates(X, rows, k=2.5, least=0.2)
    np.testing.assert_allclose(wide.upper - wide.lower, 0.4)
    with pytest.raises(DataError) as caught:
        band_of_replicates(X, rows[:2])
    assert caught.value.reason == "too-few-replicates"
    with pytest.raises(ConfigError):
        band_of_replicates(X, rows, k=0)


@pytest.mark.parametrize(
    ("axis", "lower", "upper"),
    [
        ([1, 2, 3], [0, 0, 2], [1, 1, 1]),
        ([1, 2, 2], [0, 0, 0], [1, 1, 1]),
        ([1, 2, 3], [0, 0], [1, 1]),
        ([1, 2, 3], [0, np.nan, 0], [1, 1, 1]),
        ([1], [0], [1]),
    ],
)
def test_what_is_no_band_is_refused(axis, lower, upper):
    with pytest.raises(DataError) as caught:
        band_between(axis, lower, upper)
    assert caught.value.reason == "not-a-band"


# References


def members(count=5, noise=0.01, **facts):
    rng = np.random.default_rng(8)
    return [spectrum(Y + rng.normal(0, noise, X.size), name=f"m{i}", **facts) for i in range(count)]


def test_a_group_is_its_mean_and_spread():
    group = group_of(members(), name="good")
    rows = np.array([member.intensity for member in members()])
    np.testing.assert_allclose(group.mean.intensity, rows.mean(axis=0))
    np.testing.assert_allclose(group.sd, rows.std(axis=0, ddof=1))
    assert (group.mean.name, group.mean.axis_unit, group.names) == ("good", "nm", ("m0", "m1", "m2", "m3", "m4"))
    band = group.band(k=4, least=0.02)
    assert judge(compare(group.mean, members()[0]), band=band).passed
    assert not judge(compare(group.mean, spectrum(spoilt((500, 510, 0.3)))), band=band).passed


def test_a_group_is_the_same_in_any_order_and_direction():
    one = group_of(members())
    turned = group_of(members()[::-1])
    np.testing.assert_array_equal(one.mean.intensity, turned.mean.intensity)
    flipped = [Spectrum(axis=m.axis[::-1], intensity=m.intensity[::-1], name=m.name) for m in members()]
    np.testing.assert_allclose(group_of(flipped).mean.intensity, one.mean.intensity[::-1])


def test_a_group_lies_where_all_its_members_do():
    cut = members()
    cut[2] = spectrum(cut[2].intensity[20:], X[20:], name="m2")
    cut[4] = spectrum(cut[4].intensity[:-30], X[:-30], name="m4")
    group = group_of(cut, normalization="snv")
    assert (group.mean.axis[0], group.mean.axis[-1], len(group.mean)) == (420.0, 670.0, 251)
    np.testing.assert_allclose(group.members.mean(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose(group.members.std(axis=1, ddof=1), 1.0)


def test_a_group_of_one_has_no_spread_and_one_of_none_is_refused():
    alone = group_of(members(1))
    assert np.isnan(alone.sd).all() and "no spread" in alone.warnings[0]
    for none in (
        [],
        [spectrum(Y, name="a"), spectrum(Y[:150], X[:150], name="b"), spectrum(Y[148:], X[148:], name="c")],
    ):
        with pytest.raises(DataError) as caught:
            group_of(none)
        assert caught.value.reason in ("no-reference", "no-overlap")


def library():
    return [
        spectrum(np.exp(-(((X - 430) / 15) ** 2)), name="other"),
        spectrum(Y + 0.02 * np.sin(X), name="near"),
        spectrum(Y, name="same"),
        Spectrum(axis=X, intensity=Y, axis_kind="wavenumber", name="infrared"),
    ]


@pytest.mark.parametrize("by", ["hqi", "pearson_r", "rmse", "spectral_angle_deg", "euclid", "rmse[peak]"])
@pytest.mark.parametrize("way", [1, -1])
def test_references_are_ranked_with_the_gap_to_the_next(by, way):
    ranking = rank_references(library()[::way], spectrum(Y, name="s"), by=by, regions={"peak": (480, 520)})
    assert [hit.reference_name for hit in ranking.hits] == ["same", "near", "other"]
    assert ranking.best is ranking.hits[0]
    first, second = (hit.metrics[by] for hit in ranking.hits[:2])
    assert ranking.gap == pytest.approx(abs(first - second)) and ranking.gap > 0
    assert ranking.left_out == (("infrared", "unit-mismatch"),)


def test_a_ranking_needs_a_reference_and_a_measure():
    sample = spectrum(Y, name="s")
    assert math.isnan(rank_references(library()[:1], sample).gap)
    for none in ([], library()[3:]):
        with pytest.raises(DataError) as caught:
            rank_references(none, sample)
        assert caught.value.reason == "no-reference"
    for by in ("area_ratio", "coverage", "hqi[peak]"):
        with pytest.raises(ConfigError):
            rank_references(library(), sample, by=by)


def with_facts(name, **facts):
    return spectrum(Y, name=name, metadata=facts)


REFERENCES = [
    with_facts("a20", power="20 mW", grating="600"),
    with_facts("b50", power="50,5 mW", grating="600"),
    with_facts("c50", power="49.5", grating=" 600"),
    with_facts("d50", power="50 mW", grating="1200"),
    with_facts("none", grating="600"),
    with_facts("text", power="full", grating="600"),
]


@pytest.mark.parametrize("way", [1, -1])
def test_the_nearest_reference_is_chosen_and_ties_are_told(way):
    keys = {"power": 10.0, "grating": None}
    sample = with_facts("s", power="24 mW", grating="600")
    found = nearest_reference(sample, REFERENCES[::way], keys)
    assert (found.reference.name, found.distance, found.ties) == ("a20", pytest.approx(0.4), ())
    tied = nearest_reference(with_facts("s", power="50", grating="600"), REFERENCES[::way], keys)
    assert (tied.reference.name, tied.ties) == ("b50", ("c50",))
    assert "c50 as near" in tied.words
    exact = nearest_reference(with_facts("s", power="24", grating="1200"), REFERENCES[::way], keys)
    assert exact.reference.name == "d50"


def test_no_reference_near_is_told():
    with pytest.raises(DataError) as caught:
        nearest_reference(with_facts("s", power="24", grating="300"), REFERENCES, {"power": 10.0, "grating": None})
    assert caught.value.reason == "no-reference"
    assert "a20 differs in 'grating'" in str(caught.value)
    for facts in ({"grating": "600"}, {"grating": "600", "power": "high"}):
        with pytest.raises(DataError) as caught:
            nearest_reference(with_facts("s", **facts), REFERENCES, {"power": 10.0})
        assert caught.value.reason == "no-metadata"
    for keys in ({}, {"power": 0.0}):
        with pytest.raises(ConfigError):
            nearest_reference(with_facts("s", power="1"), REFERENCES, keys)
