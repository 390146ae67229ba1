from __future__ import annotations

import json

from batchlab.reports import Panel, statistics, warning_groups, write_reports


def told(view):
    return [(group.text, group.count, [name for _, name in group.examples]) for group in warning_groups(view)]


def compared(lab, stem, *warnings, **changes):
    inputs = {"reference": "/data/ref.txt", "sample": f"/data/{stem}.txt"}
    return lab.job(f"compare/{stem}", inputs=inputs, warnings=warnings, **changes)


def test_a_warning_is_grouped_without_the_name_it_begins_with(lab, tmp_path):
    step = "the axis steps back {} times"
    jobs = [
        compared(lab, "B_1_001", f"ref: {step.format(2)}", f"B_1_001: {step.format(2)}"),
        compared(lab, "B_2_001_BAD", f"B_2_001_BAD: {step.format(31)}"),
        compared(lab, "x", f"/data/x.txt: {step.format(1)}", "axis: no unit is told"),
    ]
    assert told(lab.view(tmp_path, jobs)) == [
        ("the axis steps back 2 times", 4, ["compare/B_1_001", "compare/B_2_001_BAD", "compare/x"]),
        ("axis: no unit is told", 1, ["compare/x"]),
    ]


def test_names_are_those_of_items_metadata_and_params_too(lab, tmp_path):
    item = lab.Item(name="leaf: one.csv", status="done")
    jobs = [
        lab.job("all", items=(item,), warnings=("leaf: one.csv: is flat",)),
        lab.job("two", metadata={"plant": "acer"}, params={"which": ["rubrum"]}, warnings=("acer: is flat",)),
        lab.job("three", params={"which": {"plant": "rubrum"}}, warnings=("rubrum: is flat",)),
    ]
    assert [(text, count) for text, count, _ in told(lab.view(tmp_path, jobs))] == [("is flat", 3)]


def test_a_name_that_no_job_knows_is_seen_by_the_company_it_keeps(lab, tmp_path):
    jobs = [
        compared(lab, "a", "acer of the slide: has no unit", "axis: has no unit"),
        compared(lab, "b", "betula of the slide: has no unit", "axis: has no unit"),
    ]
    assert [(text, count) for text, count, _ in told(lab.view(tmp_path, jobs))] == [
        ("has no unit", 2),
        ("axis: has no unit", 2),
    ]


def test_the_page_begins_with_what_domains_say_and_what_was_warned_of(lab, tmp_path):
    long = "is not read " + "for this and that reason " * 60 + "choose another with column"
    jobs = [compared(lab, name, f"{name}: {long}") for name in ("a", "b")]
    panels = (Panel(title="Spectra", headline="1 of 2 samples does not conform: <a>"), Panel(title="Quiet"))
    page = write_reports(lab.view(tmp_path, jobs), panels=panels).html.read_text(encoding="utf-8")
    header = page.partition("<header")[2].partition("</header>")[0]
    assert ">◆</span>1 of 2 samples does not conform: &lt;a&gt;</p>" in header
    assert header.count("◆") == 1
    assert "▲" in header and '<a href="#warnings">2 warnings</a> in 2 jobs: is not read for this' in header
    assert header.count("choose another with column") == 1
    listed = page.partition('<section id="warnings">')[2].partition("</section>")[0]
    assert "2 ×" in listed and "choose another with column</span>" in listed
    assert "more)" not in listed and "and 1 more" not in listed


def test_a_page_without_warnings_and_words_of_domains_has_no_signs_for_them(lab, tmp_path):
    page = write_reports(lab.view(tmp_path, [lab.job("a")]), panels=(Panel(title="Quiet"),)).html.read_text()
    assert 'class="headline"' not in page


def test_positions_have_a_range_and_no_mean(lab, tmp_path):
    jobs = [
        lab.job(f"j{i}", metrics={"max_deviation_at": at, "max_deviation_at[C-H]": at, "format": at})
        for i, at in enumerate((400.0, 2850.0))
    ]
    view = lab.view(tmp_path, jobs)
    found = statistics(view)["metrics"]["spectra.compare"]
    for name in ("max_deviation_at", "max_deviation_at[C-H]"):
        assert found[name] | {"min": 400.0, "max": 2850.0, "n": 2} == found[name]
        assert found[name]["mean"] is found[name]["std"] is found[name]["median"] is None
    assert found["format"]["mean"] == 1625.0
    row = write_reports(view).html.read_text().partition("<bdi>max_deviation_at</bdi>")[2].partition("</tr>")[0]
    assert "1625" not in row and "2850" in row and "–" in row
    assert json.loads((tmp_path / "batch_statistics.json").read_text())["metrics"]["spectra.compare"] == found
