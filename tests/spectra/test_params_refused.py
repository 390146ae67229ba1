"""What is wrong with a comparison's params is told before it runs, all of it at once, in our own words."""

from __future__ import annotations

import pytest

from batchlab.engine import find_task
from batchlab.engine._params import check_params


def told(params):
    resolved, problems = check_params(find_task("spectra.compare"), params)
    assert (resolved is None) == bool(problems)
    return [problem.message for problem in problems]


def test_a_wrong_preset_hides_nothing_else():
    found = told({"preset": "ramn", "steps": ["bline"], "metrics": ["rms"], "regions": {"a": [1]}, "dpi": "x"})
    assert len(found) == 5
    preset, steps, *_ = found
    assert (
        preset.startswith("preset: 'ramn' is unknown, did you mean 'raman'? There are ")
        and "'ftir'" in preset
        and "'nir'" in preset
    )
    assert steps.startswith("steps.0: no step 'bline'")
    assert any(text.startswith("metrics: 'rms' is no metric, did you mean 'rmse'?") for text in found)
    assert "regions.a: too few values; value 2 is missing" in found
    assert not any("value error" in text.lower() for text in found)


@pytest.mark.parametrize("preset", [["raman"], {"a": 1}, 3])
def test_a_preset_of_another_kind_is_refused_as_well(preset):
    assert told({"preset": preset})


def test_no_word_of_the_library_is_told_of_a_choice_between_forms():
    assert told({"steps": [{"mask": "co3"}]}) == [
        "steps.0.mask: no region 'co3'; did you mean co2? There are co2, h2o, laser, anti-stokes, or write [low, high] "
        "in the axis unit"
    ]
    assert told({"steps": [{"baseline": "arplz"}]}) == ["steps.0.baseline: no baseline 'arplz'; did you mean arpls?"]
    (text,) = told({"interpolation": "quintic"})
    assert text.startswith("interpolation: 'quintic' is unknown; write 'linear', 'cubic'")


def test_both_windows_are_named():
    (text,) = [text for text in told({"steps": [{"savgol": {"window": 11}}]}) if "no param" in text]
    assert text.endswith("did you mean 'steps.0.savgol.window_points' or 'steps.0.savgol.window_width'?")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"factor": "foo", "difference": "scaled difference"}, "factor: 'foo' is no number and no region"),
        ({"factor": "derivativ", "difference": "scaled difference"}, "did you mean 'derivative'?"),
        ({"factor": 2.0}, "factor: 2.0 is for difference: scaled difference"),
        ({"nearest_by": {"power": 10.0}}, "nearest_by is for references: nearest"),
        ({"references": "nearest"}, "needs nearest_by"),
    ],
)
def test_options_without_effect_and_unknown_ways_are_refused(params, message):
    (text,) = told(params)
    assert message in text


def test_what_has_an_effect_is_taken():
    scaled = {"difference": "scaled difference"}
    assert not told({**scaled, "factor": 2.0})
    assert not told({**scaled, "factor": "ring", "regions": {"ring": [980, 1020]}})
    assert not told({"references": "nearest", "nearest_by": {"power": None}})


@pytest.mark.parametrize(
    ("rule", "mend", "needs"),
    [
        ("cosine >= 0.9", "cosine among metrics", {"metrics": ["cosine"]}),
        ("rmse[ring] < 1", "the region 'ring' among regions", {"regions": {"ring": [980, 1020]}}),
        ("|axis_shift| <= 1", "shift: estimate, or correct", {"shift": "estimate"}),
        ("factor >= 0.9", "difference: scaled difference", {"difference": "scaled difference"}),
    ],
)
def test_a_rule_about_a_number_that_is_not_computed_is_refused_with_the_mend(rule, mend, needs):
    asked = {"tolerance": {"rules": ["coverage >= 0.5", "outside <= 1 %", rule]}}
    (text,) = told(asked)
    assert rule.partition(" ")[0] in text and mend in text
    assert not told({**asked, **needs})
    assert not told({**asked, **needs, **({"metrics": ["all"]} if "metrics" in needs else {})})


def test_what_is_of_the_whole_axis_alone_cannot_be_judged_by_region():
    (text,) = told({"tolerance": {"rules": ["coverage[ring] > 0.5"]}, "regions": {"ring": [980, 1020]}})
    assert "coverage is of the whole axis" in text


def test_a_wrong_factor_and_a_wrong_rule_are_told_beside_what_else_is_wrong():
    found = told({"laser": 3, "factor": "foo", "tolerance": {"rules": ["sid > 1"]}})
    assert len(found) == 3
    assert any(text.startswith("factor: ") for text in found)
    assert any("needs sid among metrics" in text for text in found)
    assert len(told({"metrics": ["rms"], "tolerance": {"rules": ["sid > 1"]}})) == 1
