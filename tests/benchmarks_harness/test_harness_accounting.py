from __future__ import annotations

import sys

import psutil
import pytest

from benchmarks._measure import MeasureError, measure

BURN_S = 0.3


@pytest.mark.parametrize("where", ["burn", "burn_in_pool"])
def test_cpu_of_a_process_and_its_descendants_is_counted(where):
    assert measure(f"burners:{where}", {"cpu_s": BURN_S}).cpu_s >= BURN_S


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux hands orphans to a subreaper")
def test_cpu_of_an_orphan_is_counted():
    usage = measure("burners:burn_in_orphan", {"cpu_s": BURN_S})
    assert usage.orphans_counted
    assert usage.cpu_s >= BURN_S
    assert usage.left_behind == 0


def test_two_burners_differ_by_what_they_burn():
    little = measure("burners:burn", {"cpu_s": 0.1}).cpu_s
    much = measure("burners:burn", {"cpu_s": 0.9}).cpu_s
    # CPU seconds, not wall time: the interpreter's start is in both and varies by far less than 0.4 s.
    assert much - little > 0.4


def test_peak_memory_is_that_of_the_largest_process():
    before = measure("burners:idle", {}).peak_rss_mb
    assert measure("burners:take_memory", {"megabytes": 150}).peak_rss_mb >= before + 140


def test_what_a_run_leaves_behind_is_killed_and_told(tmp_path):
    pid_file = tmp_path / "pid"
    usage = measure("burners:leave_a_sleeper", {"pid_file": str(pid_file)}, grace_s=0.1)
    assert usage.left_behind == 1
    assert not psutil.pid_exists(int(pid_file.read_text()))


def test_a_failing_run_is_told_with_its_reason():
    with pytest.raises(MeasureError, match="burners:fail: ValueError: the reason"):
        measure("burners:fail", {})


def test_a_run_that_never_ends_is_ended():
    with pytest.raises(MeasureError, match="not done after"):
        measure("burners:hang", {}, timeout_s=0.5, grace_s=0.1)


def test_measured_processes_write_bytecode(monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    usage = measure("benchmark_environment:bytecode_is_written", {})
    assert usage.left_behind == 0
