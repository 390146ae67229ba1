from __future__ import annotations

import importlib.util
import json

import pytest

import benchmarks.__main__ as command
from benchmarks._measure import Usage
from benchmarks._row import AtMost, Beyond, Measured, RatioTo, Row, RowResult, Side, measure_row
from benchmarks._table import as_json, as_text


def cost(name: str, per_job_s: float, **more) -> Side:
    arguments = {"per_job_s": per_job_s, "start_s": 0.2}
    return Side(name=name, case="burners:burn_per_job", jobs=20, startup_jobs=0, arguments=arguments, **more)


def test_start_up_is_taken_off_and_goals_are_judged(tmp_path):
    row = Row(
        name="burners",
        title="known costs",
        basis="cpu",
        rounds=2,
        sides=(cost("cheap", 0.005), cost("dear", 0.05)),
        goals=(
            RatioTo(side="cheap", against="dear", factor=0.5),
            RatioTo(side="dear", against="cheap", factor=0.5),
            Beyond(side="cheap", against="dear", seconds=0.0),
            AtMost(side="dear", limit=0.01),
            AtMost(side="dear", limit=1e6, figure="peak_rss_mb"),
            AtMost(side="dear", limit=1.0, figure="cpu_s"),
        ),
    )
    result = measure_row(row, tmp_path)
    assert [verdict.met for verdict in result.verdicts] == [True, False, True, False, True, False]
    cheap, dear = result.measured
    # Both burn at least what they were told to: the start in both runs, the jobs in the full one alone.
    assert all(usage.cpu_s >= 0.2 for usage in (*cheap.startup, *dear.startup))
    assert all(usage.cpu_s >= 0.2 + 20 * 0.05 for usage in dear.full)
    assert list(tmp_path.iterdir()) == []


def test_memory_of_all_processes_together_is_judged(tmp_path):
    side = Side(name="large", case="burners:hold_memory", jobs=40, watch_s=0.01)
    goals = tuple(AtMost(side="large", limit=limit, figure="peak_tree_mb") for limit in (40.0, 1e6))
    result = measure_row(Row(name="memory", title="", basis="cpu", rounds=1, sides=(side,), goals=goals), tmp_path)
    assert [verdict.met for verdict in result.verdicts] == [False, True]


def test_sides_take_turns(tmp_path):
    told = []
    row = Row(name="turns", title="", basis="cpu", rounds=2, sides=(cost("a", 0.0), cost("b", 0.0)))
    measure_row(row, tmp_path, tell=told.append)
    assert [text.rsplit(" ", 1)[1] for text in told] == ["a", "b", "a", "b"]


def test_a_failing_side_leaves_the_others(tmp_path):
    row = Row(
        name="failing",
        title="one fails",
        basis="wall",
        rounds=2,
        sides=(
            Side(name="bad", case="benchmarks._ours:no_such_function", jobs=3),
            cost("good", 0.001),
        ),
        goals=(RatioTo(side="bad", against="good", factor=1.0),),
    )
    result = measure_row(row, tmp_path)
    bad, good = result.measured
    assert "no_such_function" in (bad.failure or "")
    assert good.failure is None and len(good.per_job_s) == 2
    assert result.verdicts[0].met is None
    assert "not measured" in as_text(result)
    assert "no_such_function" in as_text(result)


def test_prepared_folders_are_made_once_and_output_folders_each_time(tmp_path):
    row = Row(
        name="folders",
        title="",
        basis="wall",
        rounds=2,
        sides=(
            Side(name="reads", case="burners:read_prepared", jobs=3, prepare="burners:write_and_count"),
            Side(name="reads too", case="burners:read_prepared", jobs=3, prepare="burners:write_and_count"),
            Side(name="writes", case="burners:write_and_count", jobs=3, wants_folder=True),
        ),
    )
    assert [one.failure for one in measure_row(row, tmp_path).measured] == [None, None, None]


def test_a_failed_preparation_fails_every_side_that_needs_it(tmp_path):
    sides = tuple(
        Side(name=name, case="burners:read_prepared", jobs=3, prepare="burners:no_such_function")
        for name in ("one", "two")
    )
    result = measure_row(Row(name="unprepared", title="", basis="wall", rounds=1, sides=sides), tmp_path)
    assert all("no_such_function" in (one.failure or "") for one in result.measured)


def test_a_run_too_small_to_tell_gives_no_ratio(tmp_path):
    # Costs nothing per job: the difference to its start-up is noise or zero, and no goal may rest on it.
    usage = Usage(wall_s=0.1, cpu_s=0.1, peak_rss_mb=10.0, left_behind=0, orphans_counted=True)
    side = Side(name="none", case="burners:idle", jobs=2)
    measured = Measured(side=side, per_job_s=(0.0,), full=(usage,), startup=(usage,))
    row = Row(name="zero", title="", basis="cpu", rounds=1, sides=(side,))
    result = RowResult(row=row, measured=(measured,), verdicts=(), load_before=(0.0,) * 3, load_after=(0.0,) * 3)
    assert "none (2)" in as_text(result)
    assert as_json(result)["sides"][0]["per_job_s"]["median"] == 0.0


def test_left_behind_processes_show_in_the_table():
    usage = Usage(wall_s=0.1, cpu_s=0.1, peak_rss_mb=10.0, left_behind=2, orphans_counted=True)
    side = Side(name="messy", case="burners:idle", jobs=2)
    row = Row(name="messy", title="", basis="cpu", rounds=1, sides=(side,))
    measured = Measured(side=side, per_job_s=(0.05,), full=(usage,))
    result = RowResult(row=row, measured=(measured,), verdicts=(), load_before=(0.0,) * 3, load_after=(0.0,) * 3)
    assert "messy left 2 processes behind" in as_text(result)


@pytest.mark.parametrize("name", list(command.ROWS))
@pytest.mark.parametrize("quick", [True, False])
def test_rows_name_sides_and_functions_that_exist(name, quick):
    row = command.ROWS[name](quick)
    sides = {side.name for side in row.sides}
    assert row.name == name and len(sides) == len(row.sides)
    for goal in row.goals:
        assert goal.side in sides
        assert getattr(goal, "against", goal.side) in sides
    absent = set()
    for side in row.sides:
        for case in filter(None, (side.case, side.prepare)):
            module, _, function = case.partition(":")
            try:
                there = importlib.import_module(module)
            except ModuleNotFoundError as error:
                # A rival's library may be absent, a module of ours may not.
                assert error.name is not None and error.name.partition(".")[0] not in ("benchmarks", "batchlab")
                absent.add(error.name)
            else:
                assert callable(getattr(there, function))
    if absent:
        pytest.skip(f"{', '.join(sorted(absent))} not installed; 'make bench' does it")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "package"),
    [
        ("benchmarks.executor:pebble_noop", "pebble"),
        ("benchmarks.executor:futures_noop", None),
        ("benchmarks.executor:loky_noop", "loky"),
        ("benchmarks.runner:dask_noop", "distributed"),
    ],
)
def test_competitors_run_every_job_and_leave_nothing(case, package, tmp_path):
    if package is not None and importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed; 'make bench' installs it")
    side = Side(name="other", case=case, jobs=20, startup_jobs=2, arguments={"workers": 2})
    (one,) = measure_row(Row(name="others", title="", basis="cpu", rounds=1, sides=(side,)), tmp_path).measured
    assert one.failure is None
    assert one.full[0].left_behind == 0


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", ["outputs", "pictures", "numbers", "staging", "metrics", "plots"])
def test_the_way_a_user_writes_it_runs(name, tmp_path):
    absent = [each for each in ("pandas", "lmfit", "pyarrow") if importlib.util.find_spec(each) is None]
    if absent:
        pytest.skip(f"{', '.join(absent)} not installed; 'make bench' installs it")
    row = command.ROWS[name](True)
    theirs = tuple(side for side in row.sides if side.name.startswith(("bare loop", "by hand")))
    assert theirs
    measured = measure_row(Row(name=name, title="", basis=row.basis, rounds=1, sides=theirs), tmp_path).measured
    assert [one.failure for one in measured] == [None] * len(theirs)


def test_the_command_keeps_every_round(tmp_path, monkeypatch, capsys):
    row = Row(name="executor", title="stand-in", basis="cpu", rounds=1, sides=(cost("a", 0.01),))
    monkeypatch.setitem(command.ROWS, "executor", lambda quick: row)
    target = tmp_path / "figures.json"
    options = [
        "--only",
        "executor",
        "--rounds",
        "2",
        "--json",
        str(target),
        "--folder",
        str(tmp_path / "work"),
    ]
    assert command.main(options) == 0
    kept = json.loads(target.read_text())
    assert kept["machine"]["cores"] >= 1
    assert len(kept["rows"][0]["sides"][0]["rounds"]) == 2
    assert "stand-in" in capsys.readouterr().out


def test_a_missed_goal_shows_in_the_exit_code(tmp_path, monkeypatch):
    goal = AtMost(side="a", limit=1e-6)
    row = Row(name="executor", title="", basis="cpu", rounds=1, sides=(cost("a", 0.01),), goals=(goal,))
    monkeypatch.setitem(command.ROWS, "executor", lambda quick: row)
    options = ["--only", "executor", "--json", str(tmp_path / "f.json"), "--folder", str(tmp_path / "work")]
    assert command.main(options) == 1
