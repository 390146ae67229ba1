from __future__ import annotations

import importlib.metadata
from types import SimpleNamespace

import pytest

from batchlab.engine import BatchState, Status
from batchlab.reports import Drawing, Grid, Panel, Table, failures, find_panels, write_reports


def entry(name, function):
    return SimpleNamespace(name=name, value=f"made.up:{name}", load=lambda: function)


@pytest.fixture
def installed(monkeypatch):
    entries = []
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda *, group: entries)
    return entries


def test_panels_of_domains_that_occur(lab, tmp_path, installed):
    def broken(view):
        raise RuntimeError("no <data>")

    installed += [
        entry("spectra.ranks", lambda view: Panel(title=f"{len(view.jobs)} jobs")),
        entry("spectra.nothing", lambda view: None),
        entry("spectra.broken", broken),
        entry("spectra.wrong", lambda view: "text"),
        entry("devices", lambda view: Panel(title="must not be asked")),
    ]
    panels = find_panels(lab.view(tmp_path, [lab.job("a"), lab.job("b", task="/x/devices.py:f")]))
    assert [(p.title, p.text.partition(":")[0]) for p in panels] == [
        ("spectra.broken", "panel failed"),
        ("2 jobs", ""),
        ("spectra.wrong", "panel failed"),
    ]
    assert "RuntimeError: no <data>" in panels[0].text


def test_a_ragged_table_is_refused():
    with pytest.raises(ValueError, match="row 2 has 1 cells for 2 columns"):
        Table(columns=("a", "b"), rows=((1, 2), (1,)))
    with pytest.raises(ValueError, match="1 units"):
        Table(columns=("a", "b"), rows=(), units=("m",))


def test_failures_are_grouped_the_largest_first_and_items_after_jobs(lab, tmp_path):
    bad = lab.Item(name="y.csv", status=Status.FAILED, category="numerical", reason="degenerate", message="flat")
    jobs = [
        lab.failed(0, category="crash", reason="SIGSEGV"),
        *(lab.failed(i, message=None if i == 1 else "told") for i in range(1, 8)),
        lab.job("all", items=(bad,)),
        lab.job("waits", state=Status.BLOCKED),
    ]
    groups = failures(lab.view(tmp_path, jobs, state=BatchState.FAILED))
    assert [(g.kind, g.category, g.reason, g.count) for g in groups] == [
        ("job", "invalid-input", "not-a-spectrum", 7),
        ("job", "crash", "SIGSEGV", 1),
        ("item", "numerical", "degenerate", 1),
    ]
    assert groups[0].message == "told"
    assert groups[0].examples == tuple(f"compare/leaf_{i:05d}" for i in range(1, 6))
    assert groups[2].examples == ("all: y.csv",)


def test_a_ragged_grid_is_refused():
    with pytest.raises(ValueError, match="grid row 'one' has 1 jobs for 2 columns"):
        Grid(columns=("a", "b"), rows=(("one", ("x",)),))


def test_a_drawing_stands_in_the_report_as_it_is(lab, tmp_path):
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><a href="#job-0"><circle r="4"/></a></svg>'
    panel = Panel(title="Scores", drawings=(Drawing(svg=svg, title="<curves>", note="a & b"),))
    html = write_reports(lab.view(tmp_path, [lab.job("a")]), panels=[panel]).html.read_text(encoding="utf-8")
    assert f'<figure class="drawing"><h3>&lt;curves&gt;</h3>{svg}<figcaption>a &amp; b</figcaption></figure>' in html


@pytest.mark.parametrize(
    ("svg", "why"),
    [
        ("<svg xmlns='http://www.w3.org/2000/svg'><g></svg>", "not well-formed"),
        ("<p>words</p>", "is a 'p'"),
        ("<svg viewBox='0 0 1 1'/>", "with its namespace"),
        ("<svg xmlns='http://www.w3.org/2000/svg'/><p/>", "not well-formed"),
    ],
)
def test_what_is_no_whole_drawing_is_refused(svg, why):
    with pytest.raises(ValueError, match=why):
        Drawing(svg=svg, title="curves")
