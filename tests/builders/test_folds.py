"""Folds hold out each item once, never part a group, and are the same for a seed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.builders import folds
from batchlab.errors import ConfigError


@given(st.integers(2, 60), st.integers(2, 8), st.booleans(), st.integers(0, 5))
def test_each_item_is_held_out_once(number: int, count: int, in_order: bool, seed: int) -> None:
    items = [f"file_{at}" for at in range(number)]
    if number < count:
        with pytest.raises(ConfigError, match="cannot make"):
            folds(items, count, in_order=in_order, seed=seed)
        return
    made = folds(items, count, in_order=in_order, seed=seed)
    assert [each.number for each in made] == list(range(1, count + 1))
    assert sorted(item for each in made for item in each.test) == sorted(items)
    for each in made:
        assert each.test
        assert each.train
        assert set(each.train) | set(each.test) == set(items)
        assert not set(each.train) & set(each.test)
        assert list(each.train) == [item for item in items if item in set(each.train)]
    sizes = [len(each.test) for each in made]
    assert max(sizes) - min(sizes) <= 1


@given(st.lists(st.integers(0, 6), min_size=2, max_size=40), st.integers(2, 5), st.booleans())
def test_a_group_is_never_parted(subjects: Sequence[int], count: int, in_order: bool) -> None:
    items = list(enumerate(subjects))
    if len(set(subjects)) < count:
        with pytest.raises(ConfigError, match="groups cannot make"):
            folds(items, count, group=lambda item: item[1], in_order=in_order)
        return
    made = folds(items, count, group=lambda item: item[1], in_order=in_order)
    for each in made:
        assert each.test
        assert not {subject for _, subject in each.train} & {subject for _, subject in each.test}
    assert sorted(item for each in made for item in each.test) == sorted(items)


def test_a_seed_settles_the_dealing_and_another_deals_anew() -> None:
    items = list(range(30))
    assert folds(items, 5, seed=3) == folds(items, 5, seed=3)
    assert folds(items, 5, seed=3) != folds(items, 5, seed=4)


def test_in_order_each_fold_is_a_stretch() -> None:
    made = folds(range(10), 3, in_order=True)
    assert [each.test for each in made] == [(0, 1, 2), (3, 4, 5, 6), (7, 8, 9)]


def test_one_fold_is_none() -> None:
    with pytest.raises(ConfigError, match="hold nothing out"):
        folds([1, 2, 3], 1)
