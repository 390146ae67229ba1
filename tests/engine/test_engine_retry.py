"""What follows a failure: the retry table, and the breaker."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.engine._model import Failure
from batchlab.engine._promote import NOT_PLACED
from batchlab.engine._retry import BACKOFF_MAX_S, Breaker, GiveUp, RetryIn, next_step
from batchlab.errors import Category

TRIES_AFTER_THE_FIRST = {  # with `retries` at 2
    Category.SERVICE: 2,
    Category.DISK: 2,
    Category.GENERIC: 2,
    Category.TIMEOUT: 1,
    Category.CRASH: 1,
    Category.MEMORY: 1,
    Category.INVALID_INPUT: 0,
    Category.MISSING_INPUT: 0,
    Category.NUMERICAL: 0,
    Category.PLOTTING: 0,
    Category.OUTPUT: 0,
    Category.CANCELLED: 0,
    Category.INTERRUPTED: 0,
}


def tries(category: Category, retries: int, seed: int = 1) -> int:
    strikes = 1
    while isinstance(
        next_step(Failure(category=category, message=""), strikes=strikes, retries=retries, seed=seed), RetryIn
    ):
        strikes += 1
    return strikes - 1


def test_every_category_is_in_the_table():
    assert set(TRIES_AFTER_THE_FIRST) == set(Category)


@pytest.mark.parametrize(("category", "expected"), TRIES_AFTER_THE_FIRST.items())
def test_tries_after_the_first(category, expected):
    assert tries(category, retries=2) == expected


@pytest.mark.parametrize("category", Category)
def test_no_retries_means_none(category):
    assert tries(category, retries=0) == 0


@given(category=st.sampled_from(list(Category)), retries=st.integers(0, 12), seed=st.integers(0, 10**6))
def test_never_more_tries_than_asked_for_and_never_a_negative_or_endless_wait(category, retries, seed):
    assert tries(category, retries, seed) <= retries
    for strikes in range(1, retries + 2):
        step = next_step(Failure(category=category, message=""), strikes=strikes, retries=retries, seed=seed)
        if isinstance(step, RetryIn):
            assert 0.0 <= step.wait_s <= 1.5 * BACKOFF_MAX_S
            assert step.alone == (category in (Category.CRASH, Category.MEMORY))


@given(seed=st.integers(0, 10**6))
def test_backoff_doubles_but_for_the_jitter_and_is_the_same_each_time(seed):
    failure = Failure(category=Category.SERVICE, message="")
    waits = [next_step(failure, strikes=n, retries=5, seed=seed).wait_s for n in (1, 2, 3, 4)]
    for n, wait in enumerate(waits):
        assert 0.5 * 2**n * 0.5 <= wait <= 0.5 * 2**n * 1.5
    assert waits == [next_step(failure, strikes=n, retries=5, seed=seed).wait_s for n in (1, 2, 3, 4)]


def test_jobs_do_not_all_come_back_at_once():
    failure = Failure(category=Category.SERVICE, message="")
    assert len({next_step(failure, strikes=1, retries=2, seed=seed).wait_s for seed in range(50)}) > 40


def test_an_input_that_changed_is_read_once_more():
    failure = Failure(category=Category.INVALID_INPUT, reason="input-changed", message="")
    assert isinstance(next_step(failure, strikes=1, retries=2, seed=1), RetryIn)
    assert isinstance(next_step(failure, strikes=2, retries=2, seed=1), GiveUp)


def fail_all(breaker: Breaker, failures) -> int | None:
    """How many failures it took to stop the batch."""
    for count, failure in enumerate(failures, 1):
        if breaker.fail(failure) is not None:
            return count
    return None


FULL = Failure(category=Category.DISK, message="")
LOST_FOLDER = Failure(category=Category.OUTPUT, reason=NOT_PLACED, message="")
TAKEN_NAME = Failure(category=Category.OUTPUT, reason="conflict", message="")
BAD_FILE = Failure(category=Category.INVALID_INPUT, message="")


@pytest.mark.parametrize(
    ("failure", "stop_after", "expected"),
    [
        (FULL, None, 5),
        (LOST_FOLDER, None, 5),
        (FULL, 2, 2),
        (FULL, 50, 5),
        (BAD_FILE, None, None),
        (TAKEN_NAME, None, None),
        (BAD_FILE, 3, 3),
        (TAKEN_NAME, 3, 3),
    ],
)
def test_the_breaker_stops_what_fails_alike_again_and_again(failure, stop_after, expected):
    assert fail_all(Breaker(stop_after), [failure] * 100) == expected


def test_a_success_or_another_category_starts_the_count_anew():
    breaker = Breaker(3)
    assert fail_all(breaker, [BAD_FILE, BAD_FILE]) is None
    breaker.succeed()
    assert fail_all(breaker, [BAD_FILE, BAD_FILE, TAKEN_NAME, BAD_FILE, BAD_FILE]) is None
    assert "invalid-input" in (breaker.fail(BAD_FILE) or "")
