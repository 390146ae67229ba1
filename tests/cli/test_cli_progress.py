from __future__ import annotations

import io
import itertools
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from batchlab.cli._progress_bar import LiveBar, draw
from batchlab.cli._progress_lines import SHOWN_FAILURES, JsonLines, PlainLines
from batchlab.cli._progress_state import Snapshot, Watch
from batchlab.engine import Notice


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def begun(total=100, workers=2):
    return Notice(
        kind="batch-started",
        at_s=0.0,
        facts={
            "batch": "leaves",
            "total": total,
            "found_done": 7,
            "workers": workers,
            "pending": {"a.b": (total, total * 1000)},
            "priors": {},
        },
    )


def ended(job, state="done", **facts):
    told = {"task": "a.b", "state": state, "bytes": 1000, "elapsed_s": 2.0, "attempts": 1, **facts}
    return Notice(kind="job-ended", at_s=0.0, job=job, facts=told)


def failed(job, message="no number"):
    return ended(job, "failed", category="invalid-input", reason="not-a-number", message=message)


def watched(*notices, clock=None):
    watch = Watch(clock or Clock())
    for notice in notices:
        watch.take(notice)
    return watch


def test_the_time_left_shrinks_while_nobody_tells_anything():
    clock = Clock()
    watch = watched(begun(), *(ended(f"j/{n}") for n in range(50)), clock=clock)
    before = watch.snapshot().time_left
    assert before == "41-60 s left" or before.endswith(" s left")
    clock.now += 30.0
    assert watch.snapshot().time_left != before
    clock.now += 1e6
    assert watch.snapshot().time_left == "less than 1 s left"


def test_stopping_says_who_is_still_at_work():
    watch = watched(
        begun(),
        Notice(kind="job-started", at_s=0.0, job="j/1"),
        Notice(kind="stopping", at_s=0.0, facts={"state": "stopping", "how": "drain", "reason": None}),
    )
    assert watch.snapshot().time_left == "stopping, 1 job still at work; Ctrl-C again ends at once"


@given(
    st.integers(20, 200),
    st.integers(5, 60),
    st.text(max_size=80),
    st.integers(0, 12),
    st.booleans(),
    st.integers(0, 100),
)
def test_the_display_fits_any_terminal(width, height, name, running, ascii_only, done):
    notices = [begun()]
    notices += [Notice(kind="job-started", at_s=0.0, job=f"{name}/{n}") for n in range(running)]
    notices += [Notice(kind="stage", at_s=0.0, job=f"{name}/{n}", facts={"stage": name}) for n in range(running)]
    notices += [ended(f"j/{n}") for n in range(done)] + [failed(name)]
    text = draw(watched(*notices).snapshot(), width=width, height=height, ascii_only=ascii_only)
    lines = text.split("\n")
    assert all(line.cell_len < width for line in lines)
    assert len(lines) <= max(height, 6)


def test_the_display_of_an_empty_run_is_drawn():
    assert "0 of 0 jobs done" in draw(Snapshot(), width=80).plain


def test_a_display_that_cannot_draw_leaves_the_run_alone(caplog):
    class Gone(io.StringIO):
        def write(self, text):
            raise OSError("the terminal is gone")

    bar = LiveBar(Console(file=Gone(), force_terminal=True), delay_s=0.0)
    bar(begun())
    bar._thread.join(30)
    bar(failed("j/1"))
    bar.close()
    assert "the run goes on without it" in caplog.text


def lines(*notices, clock=None):
    clock = clock or Clock()
    written = []
    plain = PlainLines(written.append, clock=clock, every_s=1e6)
    for notice in notices:
        plain(notice)
        clock.now += 2.0
    plain.close()
    return written


def test_plain_lines_tell_the_start_each_tenth_and_each_failure():
    written = lines(
        begun(), *(ended(f"j/{n}") for n in range(20)), failed("j/20"), *(ended(f"j/{n}") for n in range(79))
    )
    assert written[0] == "[00:00] leaves: 100 jobs to run, 7 found done, 2 workers"
    assert [line.split()[1] for line in written if "%" in line] == [str(n) for n in range(10, 101, 10)]
    assert "failed: j/20: invalid-input (not-a-number): no number" in written[3]


def test_a_flood_of_failures_does_not_flood_the_log():
    written = lines(begun(1000), *(failed(f"j/{n}") for n in range(200)))
    told = [line for line in written if "failed: " in line]
    assert len(told) == SHOWN_FAILURES
    assert told[-1].endswith("further failures are not told here")


def test_names_full_of_control_marks_stay_on_their_line():
    (line,) = [line for line in lines(begun(), failed("a\x1b[2Jb\nc", "x\r\ny")) if "failed: " in line]
    assert line.isprintable()


def test_plain_lines_break_a_long_silence():
    written = []

    def write(line):
        written.append(line)
        plain._over.set()

    hours = itertools.count(0.0, 3600.0)
    plain = PlainLines(write, clock=lambda: next(hours))
    plain._thread.join(30)
    assert len(written) == 1


def test_json_lines_end_with_the_status():
    stream = io.StringIO()
    told = JsonLines(stream, Path("/results"))
    told(Notice(kind="job-ended", at_s=1.0, job="j/\udcff", facts={"elapsed_s": math.nan}))
    told(Notice(kind="job-ended", at_s=1.0, facts={"task": "/mine.py:f", "priors": {}}))
    told.finish({"batch": "leaves"})
    told(Notice(kind="late", at_s=2.0))
    other = {"event": "job-ended", "at_s": 1.0, "task": "../mine.py:f"}
    parsed = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert parsed == [
        {"event": "job-ended", "at_s": 1.0, "job": "j/\udcff", "elapsed_s": None},
        other,
        {"batch": "leaves"},
    ]
    stream.getvalue().encode("ascii")


@pytest.mark.parametrize("kind", ["paused", "resumed"])
def test_pausing_is_told(kind):
    facts = {"state": "paused"} if kind == "paused" else {}
    assert any(word in lines(begun(), Notice(kind=kind, at_s=0.0, facts=facts))[1] for word in ("paused", "going on"))


def test_a_loose_guess_is_not_told():
    assert watched(begun(8), ended("j/1")).snapshot().time_left == "time left not known yet"
    seen = watched(begun(8), *(ended(f"j/{n}") for n in range(3))).snapshot().time_left
    assert seen.endswith(" s left")
    many = watched(begun(1000), ended("j/1"), ended("j/2")).snapshot()
    assert (many.percent, many.time_left) == (0, "time left not known yet")


def test_a_paused_run_that_is_stopped_does_not_seem_to_go_on():
    told = lines(
        begun(),
        Notice(kind="paused", at_s=0.0, facts={"state": "paused"}),
        Notice(kind="stopping", at_s=0.0, facts={"state": "stopping", "how": "drain", "reason": "cancelled"}),
        Notice(kind="resumed", at_s=0.0),
        Notice(kind="paused", at_s=0.0, facts={"state": "paused"}),
        Notice(kind="stopping", at_s=0.0, facts={"state": "stopping", "how": "kill", "reason": "cancelled"}),
    )
    assert [line.partition("] ")[2] for line in told[1:]] == [
        "paused",
        "stopping: cancelled",
        "killing what still runs: cancelled",
    ]


def test_a_long_message_is_cut_in_its_middle_since_the_mend_stands_at_its_end():
    told = lines(begun(), failed("j/1", f"it holds {'x' * 5000}; choose one with column"))
    (line,) = [line for line in told if "failed: " in line]
    assert "it holds xxx" in line and "xxx...xxx" in line and line.endswith("; choose one with column")
    assert len(line) < 260
