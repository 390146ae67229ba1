"""Progress adds up, and never promises a time before now."""

import math

from hypothesis import given
from hypothesis import strategies as st

from batchlab.engine import Notice, Progress, fold

ENDS = ("done", "failed", "blocked", "cancelled", "interrupted", "skipped")


@st.composite
def stories(draw):
    """A run as its notices tell it, and how many jobs ended in which way."""
    jobs = draw(
        st.lists(st.tuples(st.sampled_from(["toy.a", "toy.b"]), st.integers(0, 10**9)), min_size=1, max_size=12)
    )
    pending: dict[str, tuple[int, int]] = {}
    for task, size in jobs:
        count, total = pending.get(task, (0, 0))
        pending[task] = (count + 1, total + size)
    prior = {
        "n": draw(st.sampled_from([0.0, 1.0, 2.5, 500.0])),
        "x": 10.0,
        "y": 7.0,
        "xx": 90.0,
        "xy": 40.0,
        "yy": 30.0,
    }
    facts = {
        "total": len(jobs),
        "found_done": 0,
        "workers": draw(st.integers(1, 8)),
        "pending": pending,
        "priors": draw(st.sampled_from([{}, {"toy.a": prior}])),
    }
    story = [Notice(kind="batch-started", at_s=0.0, facts=facts)]
    at, counts = 0.0, dict.fromkeys(ENDS, 0)
    for number, (task, size) in enumerate(jobs):
        name = str(number)
        story.append(Notice(kind="job-started", at_s=at, job=name))
        story.append(Notice(kind="stage", at_s=at, job=name, facts={"stage": "draw"}))
        elapsed = draw(st.one_of(st.none(), st.floats(0.0, 1e5)))
        at += draw(st.floats(-10.0, 100.0))  # also a clock that went back
        state = draw(st.sampled_from(ENDS))
        counts[state] += 1
        facts = {"task": task, "bytes": size, "state": state, "elapsed_s": elapsed, "items_failed": 1}
        story.append(Notice(kind="job-ended", at_s=at, job=name, facts=facts))
        if state == "failed" and draw(st.booleans()):
            story.append(
                Notice(kind="asked-again", at_s=at, job=name, facts={"was": state, "task": task, "bytes": size})
            )
            story.append(Notice(kind="job-ended", at_s=at, job=name, facts={**facts, "state": "done"}))
            counts["failed"] -= 1
            counts["done"] += 1
    return story, counts, len(jobs)


@given(stories())
def test_counts_add_up_and_estimates_are_in_order(story):
    notices, counts, total = story
    progress = Progress()
    before = 0.0
    for notice in notices:
        progress = fold(progress, notice)
        assert 0.0 <= progress.fraction <= 1.0
        assert progress.at_s >= before
        before = progress.at_s
        eta = progress.eta
        if eta is not None:
            assert 0.0 <= eta.low_s <= eta.likely_s <= eta.high_s < math.inf
        assert progress.rate_per_s >= 0.0
    assert {state: getattr(progress, state) for state in ENDS} == counts
    assert progress.ended == progress.total == total
    assert progress.running == {}
    assert sum(jobs for jobs, _ in progress.pending.values()) == 0
    assert progress.fraction == 1.0


def started(jobs: int, workers: int, priors=None) -> Progress:
    facts = {
        "total": jobs,
        "found_done": 0,
        "workers": workers,
        "pending": {"toy.a": (jobs, 0)},
        "priors": priors or {},
    }
    return fold(Progress(), Notice(kind="batch-started", at_s=0.0, facts=facts))


def ended(progress: Progress, job: str, elapsed_s: float) -> Progress:
    facts = {"task": "toy.a", "bytes": 0, "state": "done", "elapsed_s": elapsed_s}
    return fold(progress, Notice(kind="job-ended", at_s=progress.at_s + elapsed_s, job=job, facts=facts))


PRIOR = {"toy.a": {"n": 100.0, "x": 0.0, "y": 1000.0, "xx": 0.0, "xy": 0.0, "yy": 10000.0}}


def test_nothing_is_promised_before_anything_is_known_but_by_earlier_batches():
    assert started(4, 1).eta is None
    assert started(4, 1, PRIOR).eta.likely_s == 40.0


def test_earlier_batches_are_no_work_done_in_this_one():
    assert started(1, 1, PRIOR).fraction == 0.0


def test_one_job_left_is_not_shared_among_many_workers():
    progress = started(3, 8)
    progress = ended(ended(progress, "a", 10.0), "b", 10.0)
    assert progress.eta.likely_s == 10.0


def test_jobs_that_take_as_long_as_they_are_large_are_foreseen():
    sizes = {str(n): n * 1000 for n in range(1, 9)}
    facts = {
        "total": 8,
        "found_done": 0,
        "workers": 1,
        "pending": {"toy.a": (8, sum(sizes.values()))},
        "priors": {},
    }
    progress = fold(Progress(), Notice(kind="batch-started", at_s=0.0, facts=facts))
    for name in ("1", "2", "3", "4"):
        facts = {"task": "toy.a", "bytes": sizes[name], "state": "done", "elapsed_s": sizes[name] / 1000}
        progress = fold(progress, Notice(kind="job-ended", at_s=1.0, job=name, facts=facts))
    assert math.isclose(progress.eta.likely_s, 5 + 6 + 7 + 8, rel_tol=1e-6)


def test_no_time_is_promised_while_the_run_is_held_up():
    progress = ended(started(2, 1), "a", 3.0)
    for kind in ("paused", "stopping", "batch-ended"):
        assert fold(progress, Notice(kind=kind, at_s=4.0)).eta is None
    paused = fold(progress, Notice(kind="paused", at_s=4.0))
    assert fold(paused, Notice(kind="resumed", at_s=5.0)).eta == progress.eta
