"""Recipes as a whole: their order, what they remember, the presets, and what they do to real spectra."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import savgol_filter

from batchlab.errors import DataError
from batchlab.spectra import read_text
from batchlab.spectra._common_axis import common_axis
from batchlab.spectra._kinds import AxisKind, Normalization, Quantity, Technique
from batchlab.spectra._model import Spectrum
from batchlab.spectra._presets import PRESETS
from batchlab.spectra._recipe import Recipe, prepare
from batchlab.spectra._signal import pieces

X = np.linspace(400.0, 4000.0, 1801)
BANDS = np.exp(-(((X - 1450) / 25) ** 2)) + 0.6 * np.exp(-(((X - 2900) / 60) ** 2))


def spectrum(y, x=X, **said):
    said = {"axis_kind": "wavenumber", "quantity": "absorbance", **said}
    return Spectrum(axis=x, intensity=y, **said)


def recipe(**written) -> Recipe:
    return Recipe.model_validate(written)


def noisy(seed, scale=1.0, offset=0.1):
    return offset + scale * BANDS + np.random.default_rng(seed).normal(0, 0.002, X.size)


REFERENCE = spectrum(noisy(1), name="ref")
SAMPLE = spectrum(noisy(2, 1.8, 0.3), X + 0.7, name="smp")


def test_without_a_recipe_the_numbers_are_those_of_the_common_axis():
    both, plain = prepare(REFERENCE, SAMPLE), common_axis(REFERENCE, SAMPLE)
    for name in ("axis", "reference", "sample"):
        assert getattr(both, name).tolist() == getattr(plain, name).tolist()
    assert (both.done, both.treated, both.gaps) == ((), (), ())


def test_steps_run_on_the_own_axis_up_to_the_first_normalisation_and_at_common_points_from_it_on():
    both = prepare(REFERENCE, SAMPLE, recipe(steps=[{"savgol": 11}, "snv", {"derivative": 9}]))
    smooth = [savgol_filter(each.intensity, 11, 2) for each in (REFERENCE, SAMPLE)]
    kept = X >= 400.7
    expected = []
    for y in (smooth[0][kept], np.interp(X[kept], X + 0.7, smooth[1])):
        snv = (y - y.mean()) / y.std(ddof=1)
        expected.append(savgol_filter(snv, 9, 2, deriv=1, delta=2.0))
    np.testing.assert_allclose(both.reference, expected[0], atol=1e-12)
    np.testing.assert_allclose(both.sample, expected[1], atol=1e-12)
    np.testing.assert_allclose(both.unscaled_sample, np.interp(X[kept], X + 0.7, smooth[1]), atol=1e-12)
    assert both.treated == ("snv", "derivative")
    assert both.done[0] == "savgol(window_points=11, polynomial=2)"
    # A sample is moved as one with its reference: to smooth after the interpolation is another thing.
    assert not np.allclose(prepare(REFERENCE, SAMPLE, recipe(steps=["snv", {"savgol": 11}])).sample, both.sample)


def test_msc_fits_the_sample_to_the_reference_as_it_was_treated():
    both = prepare(REFERENCE, SAMPLE, recipe(steps=[{"savgol": 11}, "msc"]))
    slope, offset = np.polyfit(both.reference, both.unscaled_sample, 1)
    np.testing.assert_allclose(both.sample, (both.unscaled_sample - offset) / slope, atol=1e-9)
    assert both.reference.tolist() == both.unscaled_reference.tolist()
    assert slope == pytest.approx(1.8, abs=0.02)


STEPS = st.lists(
    st.sampled_from(
        [
            "despike", {"savgol": 11}, {"mask": "co2"}, {"cut": [500, 3800]}, {"derivative": 7}, "whittaker",
            {"baseline": {"method": "polynomial", "order": 2}}, "snv", "msc", "vector", {"offset": "min"},
            {"gaussian": 9}, "norris-williams", {"emsc": 1}, "min-max",
        ]
    ),
    max_size=4,
)  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(steps=STEPS, turned=st.tuples(st.booleans(), st.booleans()))
def test_any_recipe_gives_the_same_in_either_direction_from_memory_and_for_itself(steps, turned):
    made = recipe(steps=steps)
    memory: dict[str, Any] = {}
    both = prepare(REFERENCE, SAMPLE, made, memory)
    again = prepare(REFERENCE, SAMPLE, made, memory)
    fresh = prepare(REFERENCE, SAMPLE, made)
    for other in (again, fresh):
        assert other.axis.tolist() == both.axis.tolist()
        assert other.reference.tolist() == both.reference.tolist()
        assert other.sample.tolist() == both.sample.tolist()
        assert (other.warnings, other.gaps, other.done) == (both.warnings, both.gaps, both.done)
    assert both.unscaled_reference.size == both.axis.size == both.sample.size
    step = [-1 if each else 1 for each in turned]
    one = spectrum(REFERENCE.intensity[:: step[0]], REFERENCE.axis[:: step[0]], name="ref")
    other = spectrum(SAMPLE.intensity[:: step[1]], SAMPLE.axis[:: step[1]], name="smp")
    turned_both = prepare(one, other, made)
    np.testing.assert_allclose(turned_both.sample[:: step[0]], both.sample, atol=1e-12)
    assert turned_both.axis[:: step[0]].tolist() == both.axis.tolist()
    itself = prepare(REFERENCE, REFERENCE, made)
    np.testing.assert_allclose(itself.sample, itself.reference, atol=1e-12)
    assert len(pieces(both.axis, both.gaps)) == (3 if {"mask": "co2"} in steps else 1)


@pytest.mark.parametrize("last", ["snv", "vector", "msc", {"emsc": 2}, "area", "min-max"])
@given(scale=st.floats(1e-3, 1e3))
def test_a_scaled_sample_is_the_sample_once_normalised(last, scale):
    made = recipe(steps=[{"baseline": {"method": "linear", "regions": [[400, 700], [3700, 4000]]}}, last])
    scaled = spectrum(SAMPLE.intensity * scale, SAMPLE.axis)
    np.testing.assert_allclose(
        prepare(REFERENCE, scaled, made).sample, prepare(REFERENCE, SAMPLE, made).sample, atol=1e-7
    )


class Counting(MutableMapping[str, Any]):
    """A memory that counts what is put into it."""

    def __init__(self) -> None:
        self.held: dict[str, Any] = {}
        self.written = 0

    def __setitem__(self, key: str, value: Any) -> None:
        self.written += 1
        self.held[key] = value

    def __getitem__(self, key: str) -> Any:
        return self.held[key]

    def __delitem__(self, key: str) -> None:
        del self.held[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)


def test_the_reference_is_treated_once_for_each_content_and_recipe():
    memory = Counting()
    made = recipe(steps=[{"savgol": 11}, "snv"])
    for seed in range(5):
        prepare(spectrum(noisy(1), name="ref"), spectrum(noisy(seed)), made, memory)
    assert memory.written == 1
    prepare(REFERENCE, SAMPLE, recipe(steps=[{"savgol": 13}, "snv"]), memory)
    prepare(spectrum(noisy(9), name="ref"), SAMPLE, made, memory)
    assert memory.written == 3
    prepare(REFERENCE, SAMPLE, recipe(steps=["snv"]), memory)  # nothing is done on its own axis
    prepare(REFERENCE, SAMPLE, recipe(), memory)
    assert memory.written == 3


def test_wavenumbers_and_wavelengths_are_compared_on_the_axis_that_is_wanted():
    micrometres = spectrum(SAMPLE.intensity, 1e4 / SAMPLE.axis, axis_kind="wavelength", axis_unit="um")
    with pytest.raises(DataError) as caught:
        prepare(REFERENCE, micrometres)
    assert caught.value.reason == "unit-mismatch"
    assert "to_axis" in str(caught.value)
    both, plain = prepare(REFERENCE, micrometres, recipe(to_axis="wavenumber")), prepare(REFERENCE, SAMPLE)
    assert both.axis.tolist() == plain.axis.tolist()
    np.testing.assert_allclose(both.sample, plain.sample, atol=1e-9)
    assert both.done == ("to_axis(wavenumber)",)
    other = prepare(micrometres, REFERENCE, recipe(to_axis="wavelength", to_axis_unit="nm"))
    assert (other.axis_kind, other.axis_unit) == (AxisKind.WAVELENGTH, "nm")
    assert other.axis[0] > other.axis[-1]  # as the micrometres of the reference run


def test_percent_and_absorbance_are_compared_as_what_is_wanted():
    percent = spectrum(100 * 10**-SAMPLE.intensity, SAMPLE.axis, quantity="transmittance", unit="%", name="percent")
    with pytest.raises(DataError) as caught:
        prepare(REFERENCE, percent)
    assert caught.value.reason == "quantity-mismatch"
    assert "to_quantity" in str(caught.value)
    both = prepare(REFERENCE, percent, recipe(to_quantity="absorbance"))
    np.testing.assert_allclose(both.sample, prepare(REFERENCE, SAMPLE).sample, atol=1e-9)
    assert both.quantity is Quantity.ABSORBANCE
    mixed = prepare(REFERENCE, spectrum(percent.intensity, SAMPLE.axis, name="mixed"))
    assert any("'mixed'" in text and "transmittance" in text for text in mixed.warnings)


def test_saturated_points_leave_a_gap_in_both():
    percent = 100 * 10 ** -(6 * BANDS)
    saturated = np.where(percent < 0.01, 0.0, percent)
    sample = spectrum(saturated, quantity="transmittance", unit="%", name="thick")
    both = prepare(REFERENCE, sample, recipe(to_quantity="absorbance"))
    assert both.axis.size == np.count_nonzero(saturated)
    assert len(both.gaps) == 1
    assert any("'thick'" in text and "no absorbance" in text for text in both.warnings)


def test_an_error_says_whose_it_is():
    flat = spectrum(np.full(X.size, 0.3), name="flat")
    for pair, words in (((flat, SAMPLE), "the reference 'flat': snv"), ((REFERENCE, flat), "the sample 'flat': snv")):
        with pytest.raises(DataError, match=words):
            prepare(*pair, recipe(steps=["snv"]))
    with pytest.raises(DataError, match="the sample 'smp': spectrum 'smp'"):
        prepare(spectrum(noisy(1), axis_kind="raman shift"), SAMPLE, recipe(to_axis="raman shift", to_axis_unit="cm-1"))


def test_a_normalisation_is_a_last_step():
    made = recipe(steps=[{"savgol": 11}])
    assert made.normalized(Normalization.NONE) is made
    assert [step.step for step in made.normalized(Normalization.MIN_MAX).steps] == ["savgol", "min-max"]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"common": "grid"}, "needs a grid"),
        ({"common": "union", "grid": {"start": 1, "stop": 9, "step": 1}}, "no other mode"),
        ({"grid": {"start": 9, "stop": 1, "step": 1}}, "not below"),
        ({"grid": {"start": 0, "stop": 1e9, "step": 1}}, "no sensible grid"),
        ({"step": ["snv"]}, "step"),
        ({"least_coverage": 3}, "less than or equal to 1"),
        ({"preset": "tea leaves"}, "tea leaves"),
    ],
)
def test_a_recipe_that_cannot_be_is_told(written, words):
    with pytest.raises(ValueError, match=r"(?s).*") as caught:
        recipe(**written)
    assert words in str(caught.value)


def test_a_grid_alone_says_that_it_is_wanted():
    both = prepare(REFERENCE, SAMPLE, recipe(grid={"start": 500, "stop": 1500, "step": 10}, steps=["snv"]))
    assert both.axis.tolist() == np.arange(500.0, 1501.0, 10.0).tolist()


def test_a_union_shows_the_rest_only_where_nothing_was_scaled():
    assert prepare(REFERENCE, SAMPLE, recipe(common="union", steps=[{"savgol": 5}])).sample_alone
    assert not prepare(REFERENCE, SAMPLE, recipe(common="union", steps=["snv"])).sample_alone


@pytest.mark.parametrize("technique", Technique)
def test_every_technique_has_a_preset_that_can_be_written_and_read_back(technique):
    made = recipe(preset=technique.value)
    assert recipe(**json.loads(made.model_dump_json())) == made
    assert PRESETS[technique].why
    assert recipe(preset=technique.value, steps=[]).steps == ()
    assert recipe(preset=technique.value, to_axis=None).to_axis is None


def test_the_ftir_preset_takes_out_thickness_baseline_and_carbon_dioxide():
    pytest.importorskip("pybaselines")
    rng = np.random.default_rng(5)
    co2 = np.exp(-(((X - 2340) / 20) ** 2))
    thick = 2.5 * BANDS + 0.2 + X / 2e4 + 0.8 * co2 + rng.normal(0, 0.001, X.size)
    reference = spectrum(BANDS + 0.05 + 0.1 * co2 + rng.normal(0, 0.001, X.size))
    sample = spectrum(100 * 10**-thick, quantity="transmittance", unit="%")
    both = prepare(reference, sample, recipe(preset="ftir"))
    raw = prepare(reference, sample, recipe(to_quantity="absorbance"))
    assert np.corrcoef(both.reference, both.sample)[0, 1] > 0.999 > np.corrcoef(raw.reference, raw.sample)[0, 1]
    assert np.abs(both.reference - both.sample).max() < 0.02 * both.reference.max()


def test_the_raman_preset_takes_out_power_fluorescence_and_cosmic_rays():
    pytest.importorskip("pybaselines")
    shifts = np.linspace(-80.0, 3200.0, 1641)
    bands = 800 * np.exp(-(((shifts - 1001) / 8) ** 2)) + 400 * np.exp(-(((shifts - 1600) / 10) ** 2))
    glow = 3000 * np.exp(-(((shifts - 1200) / 1500) ** 2))
    line = 40000 * np.exp(-((shifts / 10) ** 2))
    rng = np.random.default_rng(6)
    said = {"axis_kind": "raman shift", "quantity": "counts"}
    reference = spectrum(bands + 0.3 * glow + line + rng.normal(0, 3, shifts.size), shifts, **said)
    hit = 0.2 * (bands + glow) + 3 * line + rng.normal(0, 1, shifts.size)
    hit[[300, 900, 901]] += 5000
    both = prepare(reference, spectrum(hit, shifts, **said), recipe(preset="raman"))
    assert both.axis.min() > 50
    assert np.corrcoef(both.reference, both.sample)[0, 1] > 0.99


def test_planning_with_recipes_loads_no_numpy():
    code = (
        "import sys\nfrom batchlab.spectra._recipe import Recipe\n"
        "Recipe(preset='raman', steps=['snv', {'mask': 'co2'}, {'baseline': 'asls'}])\n"
        "print([m for m in ('numpy', 'scipy', 'pybaselines') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_plain_and_scaled_comparisons_load_no_scipy():
    code = (
        "import sys, numpy as np\nfrom batchlab.spectra._model import Spectrum\n"
        "from batchlab.spectra._recipe import Recipe, prepare\n"
        "s = Spectrum(axis=np.arange(9.0), intensity=np.arange(9.0) ** 2)\n"
        "prepare(s, s)\nprepare(s, s, Recipe(steps=['snv', 'msc', {'cut': [1, 7]}]))\nprint('scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


# Real spectra


def test_laser_power_goes_out_with_snv(shared_spectra):
    folder = shared_spectra / "bwtek-twinning-family"
    reading = {"axis": "Raman Shift", "column": "Dark Subtracted #1"}
    full = read_text(next(folder.glob("*_100(292mW)_*_1.txt")), **reading)
    weak = read_text(next(folder.glob("*_20(46mW)_*_1.txt")), **reading)

    def relative_rmse(made):
        both = prepare(full, weak, made)
        # Over the spread of the reference, as the known figures were computed.
        return float(np.sqrt(np.mean((both.sample - both.reference) ** 2)) / np.std(both.reference)), both

    before, raw = relative_rmse(recipe())
    after, scaled = relative_rmse(recipe(steps=["snv"]))
    assert before == pytest.approx(1.01, abs=0.02)
    assert after == pytest.approx(0.07, abs=0.01)
    assert raw.axis.size == scaled.axis.size == len(full)


def test_a_field_spectrum_that_steps_back_is_sorted_smoothed_and_masked(shared_spectra):
    folder = shared_spectra / "svc-sig-family"
    leaf, other = (read_text(folder / f"ACPL_D2_P1_B_{i}_001.sig") for i in (1, 2))
    assert np.any(np.diff(leaf.axis) < 0)
    both = prepare(leaf, other, recipe(preset="field reflectance", steps=[{"mask": "h2o"}, {"derivative": 11}]))
    assert np.all(np.diff(both.axis) > 0)
    assert np.isfinite(both.sample).all()
    assert not np.any((both.axis > 1340) & (both.axis < 1460))


def test_cosmic_rays_are_taken_out_of_a_real_spectrum_and_its_bands_are_kept(shared_spectra):
    folder = shared_spectra / "bwtek-twinning-family"
    reading = {"axis": "Raman Shift", "column": "Dark Subtracted #1"}
    for name, hit in (
        ("100(292mW)_6000msx5ac_1", [687.64, 689.78, 1345.12, 1346.99, 1539.17, 1540.97]),
        ("20(46mW)_6000msx5ac_1", []),
    ):
        raw = read_text(next(folder.glob(f"*_{name}.txt")), **reading)
        done = prepare(raw, raw, recipe(steps=["despike"]))
        assert raw.axis[done.reference != raw.intensity].tolist() == hit
