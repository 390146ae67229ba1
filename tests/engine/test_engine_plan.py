"""What a plan says: verdicts, reasons, and all that is wrong at once."""

import os

import pytest

from batchlab.engine import From, Gather, Job, inline, load_batch, plan, run, why
from batchlab.errors import ConfigError
from tests.engine.toys import act, batch, write_numbers


def verdicts(made, **more):
    return {each.job.name: (str(each.verdict), each.reason) for each in plan(made, **more).jobs}


@pytest.fixture
def chain(tmp_path):
    """A sum, its double, and a table of it; answers a maker of that batch."""

    path = write_numbers(tmp_path / "in", 1, 2)

    def make(add: int = 0, place: str = "a.sum", **settings):
        first = Job(name="a", task="toy.add", params={"add": add}, inputs={"numbers": path}, outputs={"sum": place})
        made = From(jobs=("a",), output="sum")
        second = Job(name="b", task="toy.double", inputs={"made": made}, outputs={"twice": "b.twice"})
        members = From(jobs=("a",), gather=Gather.DONE)
        third = Job(name="c", task="toy.table", inputs={"members": members}, outputs={"table": "c.csv"})
        return batch(tmp_path / "out", [first, second, third], **settings)

    return make


def test_a_batch_that_never_ran(chain, tmp_path):
    assert verdicts(chain()) == {"a": ("run", "new"), "b": ("run", "waits for a"), "c": ("run", "waits for a")}
    assert not (tmp_path / "out").exists(), "a plan makes nothing"


def test_nothing_is_left_to_do_after_a_run_and_each_change_is_named(chain, tmp_path):
    run(chain(), executor=inline)
    done = ("skip", "done before, nothing changed")
    assert verdicts(chain()) == {"a": done, "b": done, "c": done}
    assert verdicts(chain(add=5))["a"] == ("stale", "params.add: 0 -> 5")
    assert verdicts(chain(place="z.sum"))["a"] == ("stale", "output sum: a.sum -> z.sum")
    assert verdicts(chain(), fresh=True)["a"] == ("run", "asked for anew")
    (tmp_path / "in/1_2.txt").write_text("1 2 3")
    assert verdicts(chain())["a"] == ("stale", "input numbers: 1_2.txt has changed")
    (tmp_path / "in/1_2.txt").write_text("1 2")
    assert verdicts(chain())["a"] == done, "the content counts, not the time"
    (tmp_path / "out/b.twice").unlink()
    assert verdicts(chain())["b"] == ("stale", "output b.twice is gone")
    (tmp_path / "out/b.twice").write_text("9\n")
    assert verdicts(chain())["b"] == ("stale", "output b.twice is not as it was made")
    os.remove(tmp_path / "in/1_2.txt")
    found = verdicts(chain())
    assert found["a"][0] == "blocked" and "missing" in found["a"][1]
    assert found["b"] == ("blocked", "blocked by a")


def test_what_a_task_names_beside_its_inputs_is_part_of_the_key(chain, tmp_path):
    note = tmp_path / "in/1_2.txt.note"
    done = ("skip", "done before, nothing changed")
    run(chain(), executor=inline)
    note.write_text("one")
    assert verdicts(chain())["a"] == ("stale", "the note beside 1_2.txt is new")
    run(chain(), executor=inline)
    assert verdicts(chain())["a"] == done
    note.write_text("two")
    assert verdicts(chain())["a"] == ("stale", "the note beside 1_2.txt has changed")
    run(chain(), executor=inline)
    assert verdicts(chain())["a"] == done
    note.unlink()
    assert verdicts(chain())["a"] == ("stale", "the note beside 1_2.txt is gone")
    answer = why(tmp_path / "out", "a")
    assert (answer.next, answer.next_reason) == ("stale", "the note beside 1_2.txt is gone")
    assert [each.name for each in answer.inputs] == ["numbers"]


def test_jobs_of_other_batches_of_a_shared_folder_are_known(chain, tmp_path):
    from dataclasses import replace

    from batchlab.engine import Settings, read_view

    whole = replace(chain(), settings=Settings(shared_output=True))
    names = [job.name for job in whole.jobs]
    last = next(job.name for job in whole.jobs if job.upstream)
    run(whole, executor=inline)
    some = replace(whole, jobs=tuple(job for job in whole.jobs if not job.upstream)[:1])
    run(some, executor=inline)
    root = tmp_path / "out"
    assert [job.name for job in read_view(root).jobs] == [some.jobs[0].name]
    assert sorted(job.name for job in read_view(root, earlier=True).jobs) == sorted(names)
    answer = why(root, last)
    assert (answer.next, answer.next_reason) == ("skip", "done before, nothing changed")
    with pytest.raises(ConfigError, match="no job is called"):
        why(root, "nothing")
    run(replace(some, settings=Settings()), executor=inline)
    with pytest.raises(ConfigError, match="no job is called"):
        why(root, last)


def test_what_changes_beside_an_input_during_a_run_is_seen_by_the_next(chain, tmp_path):
    planned = plan(chain())
    assert planned.around.of(planned.jobs[0].job, planned.cards["toy.add"]) == {}
    (tmp_path / "in/1_2.txt.note").write_text("late")
    assert planned.around.of(planned.jobs[0].job, planned.cards["toy.add"]) == {}


def test_another_version_of_a_task_or_library_is_a_reason(chain, monkeypatch):
    run(chain(), executor=inline)
    from dataclasses import replace

    from batchlab.engine import _plan

    check = _plan.check

    def newer(made):
        checked = check(made)
        cards = {name: replace(card, version="2") for name, card in checked.cards.items()}
        return _plan.Checked(checked.batch, cards)

    monkeypatch.setattr(_plan, "check", newer)
    assert verdicts(chain())["a"] == ("stale", "task version: 1 -> 2")


def test_one_pattern_and_what_it_needs(chain):
    assert list(verdicts(chain(), only="b")) == ["a", "b"]
    with pytest.raises(ConfigError, match="no job's name matches"):
        plan(chain(), only="zebra*")


def test_running_some_leaves_the_others_as_they_were(chain):
    run(chain(), executor=inline, only="b")
    assert {name: verdict for name, (verdict, _) in verdicts(chain()).items()} == {"a": "skip", "b": "skip", "c": "run"}
    assert run(chain(), executor=inline).found_done == 2


def test_needs_that_go_in_a_circle_are_shown_as_one(tmp_path):
    jobs = [act("a", needs=("c",)), act("b", needs=("a",)), act("c", needs=("b",)), act("d")]
    with pytest.raises(ConfigError, match="circle: a -> c -> b -> a"):
        plan(batch(tmp_path / "out", jobs))
    with pytest.raises(ConfigError, match="circle: a -> a"):
        plan(batch(tmp_path / "out", [act("a", needs=("a",))]))


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    jobs = [act("twin"), act("twin"), act("lost", needs=("twim",)), Job(name="x", task="toy.ad")]
    with pytest.raises(ConfigError) as error:
        plan(batch(tmp_path / "out", jobs))
    told = str(error.value)
    assert "2 jobs are called 'twin'" in told
    assert "'twim', which is no job; did you mean 'twin'" in told
    assert "'toy.ad'; did you mean 'toy.add'" in told


def test_wrong_params_inputs_and_outputs_are_named_with_the_nearest(tmp_path):
    with pytest.raises(ConfigError, match="ad"):
        plan(batch(tmp_path / "out", [Job(name="x", task="toy.add", params={"ad": 1}, inputs={"numbers": "/x"})]))
    with pytest.raises(ConfigError, match="needs the input 'numbers'"):
        plan(batch(tmp_path / "out", [Job(name="x", task="toy.add")]))
    with pytest.raises(ConfigError, match="no output 'sun'; did you mean 'sum'"):
        plan(batch(tmp_path / "out", [Job(name="x", task="toy.add", inputs={"numbers": "/x"}, outputs={"sun": "x"})]))


def test_defaults_written_out_are_no_change(tmp_path):
    path = write_numbers(tmp_path / "in", 1)
    jobs = [
        [Job(name="a", task="toy.add", params=params, inputs={"numbers": path})]
        for params in ({}, {"add": 0}, {"add": 0.0})
    ]
    run(batch(tmp_path / "out", jobs[0]), executor=inline)
    for each in jobs:
        assert verdicts(batch(tmp_path / "out", each))["a"][0] == "skip"


def test_a_batch_is_rebuilt_from_its_ledger_alone(chain, tmp_path):
    run(chain(), executor=inline)
    rebuilt = load_batch(tmp_path / "out")
    assert [job.name for job in rebuilt.jobs] == ["a", "b", "c"]
    assert {verdict for verdict, _ in verdicts(rebuilt).values()} == {"skip"}


def test_a_result_that_was_moved_keeps_its_history(chain, tmp_path):
    run(chain(), executor=inline)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").rename(tmp_path / "elsewhere/out")
    (tmp_path / "in").rename(tmp_path / "elsewhere/in")
    rebuilt = load_batch(tmp_path / "elsewhere/out")
    assert {verdict for verdict, _ in verdicts(rebuilt).values()} == {"skip"}


def test_a_plan_as_json(chain):
    told = plan(chain()).as_json()
    assert told["counts"] == {"run": 3, "skip": 0, "stale": 0, "blocked": 0}
    assert told["jobs"][0] == {"name": "a", "task": "toy.add", "state": "run", "reason": "new"}
