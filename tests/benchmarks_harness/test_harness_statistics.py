from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks._statistics import Spread, per_job, ratios, spread

positive = st.floats(1e-6, 1e6)


@given(st.lists(positive, min_size=1))
def test_the_median_lies_in_its_range(values):
    found = spread(values)
    assert found.low == min(values) and found.high == max(values)
    assert found.low <= found.median <= found.high


def test_spread_of_known_rounds():
    assert spread([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)
    assert spread([1.0, 2.0]).median == 1.5
    with pytest.raises(ValueError, match="at least one"):
        spread([])


def test_ratios_are_formed_round_by_round():
    # A neighbour that doubles both sides of a round changes no ratio.
    assert ratios([1.0, 2.0], [4.0, 8.0]) == [0.25, 0.25]
    with pytest.raises(ValueError):
        ratios([1.0], [1.0, 2.0])


@given(startup=positive, cost=st.floats(1e-6, 10), jobs=st.integers(3, 100_000))
def test_start_up_drops_out(startup, cost, jobs):
    full = startup + (jobs - 2) * cost
    assert per_job(full, jobs, startup, 2) == pytest.approx(cost, rel=1e-6, abs=1e-9)


def test_cost_per_job_needs_jobs_beyond_the_start_up():
    assert per_job(1.0, 10, 2.0, 0) == 0.0
    with pytest.raises(ValueError, match="beyond"):
        per_job(1.0, 2, 0.5, 2)
