"""How views look where they are printed, and in a notebook."""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree as ET

from batchlab.engine import BatchState, BatchView, JobView, Output, Status

EVIL = '<script>alert("x")</script> & more'


def job(name, state=Status.DONE, **more):
    blank = dict.fromkeys(("category", "reason", "message", "elapsed_s", "peak_memory_mb", "group", "key", "thumbnail"))
    empty = {key: {} for key in ("metrics", "stages", "params", "inputs", "metadata")}
    told = {**blank, **empty, "outputs": (), "items": (), "warnings": (), "log": None, **more}
    return JobView(name=name, task="spectra.compare", state=state, attempts=1, **told)


def batch(jobs):
    counts = Counter(each.state.value for each in jobs)
    return BatchView(
        batch="leaves",
        root="/lab/out",
        state=BatchState.FAILED,
        counts={**counts, "skipped": 0},
        jobs=tuple(jobs),
        runs=(),
    )


def test_a_batch_is_printed_in_a_line_however_many_jobs_it_has():
    view = batch([job(f"leaf_{k}") for k in range(500)] + [job("bad", Status.FAILED)])
    assert repr(view) == f"<BatchView 'leaves': {BatchState.FAILED.value}, 500 done, 1 failed; in /lab/out>"
    assert repr(batch([])).count("no jobs") == 1


def test_a_notebook_shows_unfinished_jobs_first_and_not_all_others():
    view = batch([job(f"leaf_{k}") for k in range(500)] + [job(EVIL, Status.FAILED, message=EVIL, category="crash")])
    html = view._repr_html_()
    assert "<script" not in html
    tree = ET.fromstring(f"<div>{html}</div>")
    cells = [cell.text for cell in tree.iter("td")]
    assert cells[:4] == [EVIL, "failed", None, EVIL]
    assert "and 471 more" in [item.text for item in tree.iter("li")]


def test_a_job_is_printed_in_a_line_and_shown_with_what_it_measured():
    output = Output(name="figure", path="a.png", bytes=1, digest="d")
    one = job(EVIL, elapsed_s=0.25, metrics={"rmse": 0.123456789, EVIL: True}, outputs=(output,), warnings=(EVIL,))
    assert repr(job("leaf", elapsed_s=0.25)) == "<JobView 'leaf' of spectra.compare: done, 0.25 s>"
    assert "failed, not-a-spectrum" in repr(job("leaf", Status.FAILED, category="input", reason="not-a-spectrum"))
    html = one._repr_html_()
    assert "<script" not in html
    cells = [cell.text for cell in ET.fromstring(f"<div>{html}</div>").iter("td")]
    assert cells[-4:-2] == ["rmse", "0.123457"]
    assert cells[-6:-4] == ["output figure", "a.png"]
