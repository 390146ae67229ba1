"""Limits over many files: against the values themselves, in any order."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from batchlab.errors import ConfigError, DataError
from batchlab.particles._limits import LimitRules, limits_from_json, limits_of, limits_to_json, rounded_outwards
from batchlab.particles._model import Limits, Spectrogram
from batchlab.particles._sketch import RELATIVE_ERROR, Sketch, merge, sketch_of


def _spectrogram(values: NDArray[np.float32], *, edges: tuple[float, ...] | None = None) -> Spectrogram:
    """Of one category, (N, E)."""
    records, channels = values.shape
    limits = np.array(edges) if edges else np.geomspace(10, 10000, channels + 1)
    starts = np.arange(records, dtype=float)
    return Spectrogram(
        name="ees",
        quantity="Differential energy flux",
        unit="eV/(cm² s sr eV)",
        categories=("all",),
        times_s=np.column_stack([starts, starts + 1]),
        mode=np.zeros(records, np.uint8),
        energy_edges_ev=(limits,),
        energies_ev=(np.sqrt(limits[1:] * limits[:-1]),),
        values=values[None].astype(np.float32),
    )


def _flux(seed: int, records: int = 50) -> NDArray[np.float32]:
    source = np.random.default_rng(seed)
    values = np.exp(source.normal(12, 4, (records, 16))).astype(np.float32)
    values[source.random(values.shape) < 0.1] = np.nan
    values[source.random(values.shape) < 0.1] = 0
    return values


@pytest.mark.parametrize("percent", [0, 1, 37.3, 50, 95, 97.5, 99, 100])
def test_percentiles_are_those_of_all_values_together(percent: float) -> None:
    parts = [_flux(seed) for seed in range(6)]
    pooled = np.concatenate([part[part > 0] for part in parts])
    spread = merge(sketch_of(_spectrogram(part)) for part in parts).spreads["all"]
    expected = float(np.percentile(pooled.astype(np.float64), percent))
    assert spread.samples == pooled.size
    assert spread.percentile(percent) == pytest.approx(expected, rel=RELATIVE_ERROR)


def test_whole_numbers_are_exact_even_when_recovered_with_small_errors() -> None:
    source = np.random.default_rng(3)
    counts = source.integers(0, 8193, (400, 16))
    noisy = (counts * (1 + source.uniform(-3e-7, 3e-7, counts.shape))).astype(np.float32)
    spread = sketch_of(_spectrogram(noisy)).spreads["all"]
    for percent in (1, 50, 95, 99):
        assert spread.percentile(percent) == np.percentile(counts[counts > 0], percent)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(2.0**-100, 2.0**100, width=32), min_size=1, max_size=40), st.floats(0, 100))
def test_any_values_and_any_percentile(values: list[float], percent: float) -> None:
    spread = sketch_of(_spectrogram(np.array([values], np.float32))).spreads["all"]
    assert spread.percentile(percent) == pytest.approx(np.percentile(values, percent), rel=RELATIVE_ERROR)


def test_order_and_grouping_change_nothing() -> None:
    sketches = [sketch_of(_spectrogram(_flux(seed))) for seed in range(4)]
    expected = merge(sketches).to_bytes()
    for order in itertools.permutations(sketches):
        assert merge(order).to_bytes() == expected
    assert merge([merge(sketches[:1]), merge(sketches[1:])]).to_bytes() == expected


def test_a_sketch_does_not_grow_with_the_number_of_orbits() -> None:
    source = np.random.default_rng(5)
    one = merge(sketch_of(_spectrogram(source.integers(1, 400, (200, 16)).astype(np.float32))) for _ in range(10))
    ten = merge([one] * 10)
    assert ten.files == 100
    assert len(ten.to_bytes()) == len(one.to_bytes())


def test_sketches_survive_a_file_and_nothing_else_is_taken_for_one() -> None:
    sketch = sketch_of(_spectrogram(_flux(1)))
    again = Sketch.from_bytes(sketch.to_bytes())
    assert again.to_bytes() == sketch.to_bytes()
    assert (again.name, again.unit, again.files) == (sketch.name, sketch.unit, 1)
    for wrong in (b"", b"junk", sketch.to_bytes()[:-40]):
        with pytest.raises(DataError, match="no sketch"):
            Sketch.from_bytes(wrong)


def test_coverage_is_by_energy_over_all_modes() -> None:
    values = np.zeros((10, 3), np.float32)
    values[:, 0] = 5  # 10 samples at 10 to 20 eV
    values[:9, 1] = 7  # 9 at 20 to 40 eV
    values[0, 2] = 1000  # 1 at 40 to 80 eV
    spread = sketch_of(_spectrogram(values, edges=(10, 20, 40, 80))).spreads["all"]
    assert spread.covered_up_to_ev(0.5, edge=True) == 20
    assert spread.covered_up_to_ev(0.95, edge=True) == 40
    assert spread.covered_up_to_ev(0.951, edge=True) == 80
    assert spread.covered_up_to_ev(0.95, edge=False) == pytest.approx(np.sqrt(800))
    assert spread.at_energy.tolist() == [10, 9, 1]


def test_rules_of_the_older_program_are_whole_and_capped() -> None:
    spectrogram = _spectrogram(_flux(2), edges=tuple(np.geomspace(10, 20000, 17)))
    spread = sketch_of(spectrogram).spreads["all"]
    percentile = spread.percentile(95.0)
    assert percentile is not None
    rules = LimitRules(percentile=95.0, percentile_min=None, energy_cap_ev=4000, rounded=False, whole=True)
    limits = limits_of(sketch_of(spectrogram), rules)["all"]
    assert limits == Limits(y_max=4000.0, z_min=0.0, z_max=float(np.ceil(percentile)))


def test_a_category_without_values_has_no_limits() -> None:
    sketch = sketch_of(_spectrogram(np.zeros((4, 3), np.float32)))
    assert limits_of(sketch, LimitRules()) == {"all": Limits()}
    assert sketch.spreads["all"].percentile(50) is None
    assert sketch.spreads["all"].covered_up_to_ev(0.99, edge=True) is None


def test_limits_survive_a_file() -> None:
    rules = LimitRules()
    limits = limits_of(sketch_of(_spectrogram(_flux(2))), rules)
    assert limits_from_json(limits_to_json("ees", "eV", limits, rules)) == limits
    with pytest.raises(DataError, match="no limits are in it"):
        limits_from_json("[]", "limits/ees.json")


def test_kinds_are_not_mixed() -> None:
    from dataclasses import replace

    one = sketch_of(_spectrogram(_flux(1)))
    with pytest.raises(DataError, match="do not add up"):
        merge([one, replace(one, quantity="Counts")])
    with pytest.raises(DataError, match="no file"):
        merge([])


@pytest.mark.parametrize(
    ("value", "up", "expected"),
    [
        (1234, True, 1300),
        (1234, False, 1200),
        (0.0123, False, 0.012),
        (0.0123, True, 0.013),
        (1300, True, 1300),
        (0.012, True, 0.012),
        (99.5, True, 100),
        (0, True, 0),
        (7, True, 7),
        (3.3e9, True, 3.3e9),
    ],
)
def test_limits_are_rounded_away_from_the_data(value: float, up: bool, expected: float) -> None:
    assert rounded_outwards(value, up=up) == expected


@given(st.floats(1e-30, 1e30))
def test_rounding_never_cuts_the_data_off(value: float) -> None:
    assert rounded_outwards(value, up=True) >= value * (1 - 1e-11)
    assert rounded_outwards(value, up=False) <= value * (1 + 1e-11)
    assert rounded_outwards(value, up=True) <= value * 1.1 * (1 + 1e-9)


def test_rules_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match="percentile is 101"):
        LimitRules(percentile=101)
    with pytest.raises(ConfigError, match="coverage is 0"):
        LimitRules(coverage=0)
