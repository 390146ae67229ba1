"""Which job comes next."""

from hypothesis import given
from hypothesis import strategies as st

from batchlab.engine import From, Gather, Job, Limits
from batchlab.engine._schedule import Admission, Schedule, group_left_s


def job(name: str, needs=(), priority: int = 0, affinity=None) -> Job:
    return Job(name=name, task="toy.act", needs=tuple(needs), priority=priority, affinity=affinity)


@st.composite
def graphs(draw):
    """Jobs that need earlier ones, in any order."""
    count = draw(st.integers(1, 12))
    jobs = []
    for at in range(count):
        needs = draw(st.lists(st.sampled_from(range(at)), unique=True, max_size=3)) if at else []
        affinity = draw(st.sampled_from([None, "a", "b"]))
        jobs.append(job(str(at), map(str, needs), draw(st.integers(-2, 2)), affinity))
    return draw(st.permutations(jobs))


@given(jobs=graphs(), data=st.data())
def test_every_job_starts_once_and_after_what_it_needs(jobs, data):
    schedule = Schedule()
    ready = schedule.add(jobs, settled=())
    started, over, running = [], set(), []
    now = 0.0
    for each in ready:
        schedule.ready(each)
    while schedule.unfinished or running:
        taken = schedule.take(
            now, running=len(running), warm=data.draw(st.sampled_from([(), ("a",)])), fits=lambda _: True
        )
        if taken is not None:
            each, alone = taken
            assert set(each.upstream) <= over
            assert not alone or not running
            started.append(each.name)
            running.append(each)
            retried = data.draw(st.sampled_from([None, None, "later", "alone"]))
            if retried is not None and started.count(each.name) == 1:
                running.remove(each)
                at = now + 1.0 if retried == "later" else None
                schedule.ready(each, at=at, alone=retried == "alone")
        elif running:
            done = running.pop(data.draw(st.integers(0, len(running) - 1)))
            over.add(done.name)
            for each in schedule.over(done.name):
                schedule.ready(each)
        else:
            assert schedule.next_at is not None, "jobs are left and none may ever start"
            now = schedule.next_at
    assert over == {each.name for each in jobs}
    assert all(started.count(each.name) in (1, 2) for each in jobs)
    assert schedule.left() == []


@given(priorities=st.lists(st.integers(-3, 3), min_size=1, max_size=20))
def test_the_highest_priority_first_and_in_the_order_given_within_it(priorities):
    schedule = Schedule()
    jobs = [job(str(at), priority=priority) for at, priority in enumerate(priorities)]
    for each in schedule.add(jobs, settled=()):
        schedule.ready(each)
    taken = [schedule.take(0.0, running=0, warm=(), fits=lambda _: True) for _ in jobs]
    assert [each.name for each, _ in taken] == [j.name for j in sorted(jobs, key=lambda j: -j.priority)]


def test_a_warm_worker_is_given_what_it_knows_without_losing_any():
    schedule = Schedule()
    for at in range(6):
        schedule.ready(job(str(at), affinity="ab"[at % 2]))
    names = [schedule.take(0.0, running=0, warm=("b",), fits=lambda _: True)[0].name for _ in range(6)]
    assert names == ["1", "3", "5", "0", "2", "4"]


def test_a_job_that_must_be_alone_waits_until_all_else_is_over():
    schedule = Schedule()
    schedule.ready(job("poison"), alone=True)
    schedule.ready(job("good"))
    assert schedule.take(0.0, running=0, warm=(), fits=lambda _: True)[0].name == "good"
    assert schedule.take(0.0, running=1, warm=(), fits=lambda _: True) is None
    poison, alone = schedule.take(0.0, running=0, warm=(), fits=lambda _: True)
    assert (poison.name, alone) == ("poison", True)


def test_settled_needs_are_not_waited_for():
    gather = Job(name="t", task="x.y", inputs={"m": From(jobs=("a", "b"), gather=Gather.ALL)})
    assert Schedule().add([gather], settled={"a", "b"}) == [gather]
    schedule = Schedule()
    assert schedule.add([gather], settled={"a"}) == []
    assert schedule.over("b") == [gather]


@given(peaks=st.lists(st.integers(1, 100), min_size=1, max_size=10), limit=st.integers(1, 100))
def test_admitted_jobs_fit_together_unless_one_is_alone(peaks, limit):
    predicted = {f"toy.{at}": peak for at, peak in enumerate(peaks)}
    admission = Admission(limit, predicted)
    admitted = []
    for at, peak in enumerate(peaks):
        each = Job(name=str(at), task=f"toy.{at}")
        if admission.fits(each):
            admission.start(each)
            admitted.append(peak)
    assert admitted, "one alone may always run"
    assert sum(admitted) <= limit or len(admitted) == 1


def test_what_a_job_needed_is_what_the_next_is_thought_to_need():
    admission = Admission(100)
    first, second = (Job(name=n, task="toy.act", limits=Limits(memory_bytes=40)) for n in "ab")
    admission.start(first)
    assert admission.fits(second)
    admission.end(first, 70)
    admission.start(first)
    assert not admission.fits(second)


def test_what_is_left_of_a_groups_time():
    each = Job(name="a", task="x.y", group="orbit", limits=Limits(group_timeout_s=90.0))
    assert group_left_s(each, {}) == 90.0
    assert group_left_s(each, {"orbit": 100.0}) == -10.0
    assert group_left_s(Job(name="a", task="x.y", group="orbit"), {"orbit": 1.0}) is None
