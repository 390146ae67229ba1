"""What a caller in Python is told: one kind of error, with the nearest right word, and all that is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from batchlab.errors import ConfigError
from batchlab.spectra import AxisKind, Normalization, Recipe, Spectrum, compare, normalize, to_axis, to_quantity
from batchlab.spectra.tasks._compare import CompareParams

AXIS = np.linspace(400.0, 500.0, 11)
ONE = Spectrum(axis=AXIS, intensity=np.sin(AXIS), name="leaf")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: compare(ONE, ONE, "SNVx"), "'SNVx' is no normalization, did you mean 'snv'? There are none, snv, "),
        (lambda: compare(ONE, ONE, "?"), "'?' is no normalization. There are none, snv, min-max"),
        (lambda: compare(ONE, ONE, difference="rato"), "'rato' is no difference, did you mean 'ratio'?"),
        (lambda: compare(ONE, ONE, shift="corect"), "'corect' is no shift handling, did you mean 'correct'?"),
        (lambda: compare(ONE, ONE, metrics=["rmsd"]), "did you mean 'rmse'?"),
        (
            lambda: compare(ONE, "leaf.txt"),
            "the sample 'leaf.txt' is no spectrum; read a file with read_spectrum first",
        ),
        (lambda: compare(ONE, ONE, recipe="ftir"), "the recipe 'ftir' is none; write such as Recipe(preset='ftir'"),
        (lambda: compare(ONE, ONE, regions={"a": 450}), "region a runs from one position to another"),
        (lambda: compare(ONE, ONE, masks=[450, 460]), "a mask runs from one position to another: write [LOW, HIGH]"),
        (lambda: compare(None, ONE), "the reference None is no spectrum"),
        (lambda: normalize(AXIS, AXIS, "areal"), "did you mean 'area'?"),
        (lambda: to_axis(ONE, "wave number"), "did you mean 'wavenumber'?"),
        (lambda: to_quantity(ONE, "absorbtion"), "did you mean 'absorbance'?"),
        (lambda: Spectrum(axis=AXIS, intensity=AXIS, axis_kind="wavelengths"), "did you mean 'wavelength'?"),
        (lambda: Recipe(steps=["bline"]), "recipe, steps.0: no step 'bline'; did you mean baseline?"),
        (lambda: Recipe(preset="ramen"), "recipe, preset: 'ramen' is none of its words; did you mean raman?"),
        (lambda: Recipe(step=["snv"]), "recipe, step: there is no such word; did you mean steps?"),
        (lambda: Recipe(steps=[{"savgol": {"window": 11}}]), "did you mean window_points or window_width?"),
        (lambda: Recipe(common="grid"), "recipe: common: grid needs a grid"),
        (lambda: Recipe(grid={"start": 1, "stop": 2}), "recipe, grid.step: is needed"),
    ],
)
def test_what_is_wrong_is_a_config_error_with_the_right_word(call, said):
    with pytest.raises(ConfigError) as caught:
        call()
    assert said in str(caught.value)
    assert "pydantic" not in str(caught.value)


def test_all_that_is_wrong_with_a_recipe_is_told_at_once():
    with pytest.raises(ConfigError) as caught:
        Recipe(steps=["snv", "bline"], preset="ramen", comon="overlap")
    assert len(caught.value.problems) == 3


def test_inside_the_params_of_a_task_a_recipes_problems_are_collected_with_all_others():
    with pytest.raises(ValidationError) as caught:
        CompareParams.model_validate({"steps": ["bline"], "dpi": 1})
    assert caught.value.error_count() == 2


def test_a_word_is_known_however_it_is_written():
    assert Normalization.named("Min Max") is Normalization.MIN_MAX
    assert AxisKind.named(AxisKind.RAMAN_SHIFT) is AxisKind.named("raman_shift") is AxisKind.RAMAN_SHIFT
