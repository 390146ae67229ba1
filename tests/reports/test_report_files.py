from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import zlib
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchlab.engine import BatchState, Status
from batchlab.errors import StartError
from batchlab.reports import Panel, Table, write_reports
from batchlab.reports._data import _column
from batchlab.reports._files import encode_path, inside, log_tail
from batchlab.reports._story import histogram
from batchlab.reports._timings import stage_bars
from batchlab.reports._words import duration, visible


def block(page: str, name: str):
    """JSON data of one script element, unpacked."""
    text = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.S)[1]
    data = json.loads(text)
    return json.loads(zlib.decompress(base64.b64decode(data["z"]))) if isinstance(data, dict) and "z" in data else data


def decoded(column, n):
    values = [None] * n
    if isinstance(column, list):
        return column
    if "d" in column:
        return [None if place < 0 else column["d"][place] for place in column["i"]]
    for i, value in zip(column["s"], column["v"], strict=True):
        values[i] = value
    return values


def small_batch(lab, root):
    (root / ".batchlab/logs").mkdir(parents=True)
    (root / ".batchlab/thumbnails").mkdir()
    (root / ".batchlab/logs/00001.log").write_text("".join(f"line {i}\n" for i in range(100)) + "DataError: <bad>\n")
    (root / ".batchlab/thumbnails/00000.png").write_bytes(lab.png())
    jobs = [
        lab.measured(0, warnings=("overlap is 90 %",)),
        lab.failed(1),
        lab.failed(2, category="timeout", reason="draw", message="stopped after 60 s"),
        lab.measured(3),
        lab.job("blocked/one", state=Status.BLOCKED, message="waits for limits, which failed"),
    ]
    return lab.view(root, jobs, state=BatchState.FAILED)


def test_the_three_files_lie_in_the_root_and_tell_the_essentials(lab, tmp_path):
    reports = write_reports(small_batch(lab, tmp_path))
    assert {p.name for p in tmp_path.iterdir()} == {
        ".batchlab",
        "batch_summary.csv",
        "batch_statistics.json",
        "batch_report.html",
    }
    page = reports.html.read_text(encoding="utf-8")
    for text in (
        "2 jobs failed and 1 job not run; 2 of 5 done.",
        "invalid-input",
        "not-a-spectrum",
        "stopped after 60 s",
        "line 99\nDataError: &lt;bad&gt;",
        "The log is not there any more.",
        "waits for limits, which failed",
        "overlap is 90 %",
        "numpy",
        "normalization",
        "leaves-against-reference",
    ):
        assert text in page, text
    assert "line 80\n" not in page
    thumbnails = block(page, "thumbnails")
    assert thumbnails["0"].startswith("data:image/png;base64,")
    assert thumbnails["3"] is None


def test_the_same_view_gives_the_same_bytes(lab, tmp_path):
    view = small_batch(lab, tmp_path)
    panel = Panel(title="p", tables=(Table(columns=("a",), rows=((1.5,),)),))
    first = [p.read_bytes() for p in vars_of(write_reports(view, panels=(panel,)))]
    assert [p.read_bytes() for p in vars_of(write_reports(view, panels=(panel,)))] == first


def vars_of(reports):
    return [reports.summary, reports.statistics, reports.html]


def test_the_policy_lets_only_the_inlined_script_and_style_in(lab, tmp_path):
    page = write_reports(small_batch(lab, tmp_path)).html.read_text(encoding="utf-8")
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])
    for tag, kind in (("<script>", "script-src"), ("<style>", "style-src")):
        text = page.partition(tag)[2].partition(tag.replace("<", "</"))[0]
        hashed = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind} 'sha256-{hashed}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert not re.search(r"<[^>]*\son\w+=", page.partition("<script>")[0])
    assert not re.search(r"<[a-z][^>]*\sstyle=", page.partition("<script>")[0])


@pytest.mark.parametrize(
    ("state", "states", "headline"),
    [
        (BatchState.DONE, [], "No jobs in this batch."),
        (BatchState.DONE, [Status.DONE] * 3, "All 3 jobs done."),
        (BatchState.DONE, [Status.DONE, Status.SKIPPED], "1 of 2 jobs done, 1 skipped."),
        (BatchState.FAILED, [Status.FAILED] * 2, "All 2 jobs failed."),
        (
            BatchState.RUNNING,
            [Status.DONE, Status.RUNNING, Status.PENDING],
            "Still running when this was written: 1 of 3 jobs done.",
        ),
        (
            BatchState.INTERRUPTED,
            [Status.DONE, Status.INTERRUPTED, Status.FAILED, Status.PENDING],
            "Interrupted: 1 of 4 jobs done, 1 failed.",
        ),
        (BatchState.CANCELLED, [Status.DONE, Status.CANCELLED], "Cancelled: 1 of 2 jobs done."),
    ],
)
def test_every_end_of_a_batch_has_its_headline(lab, tmp_path, state, states, headline):
    jobs = [
        lab.job(f"j{i}", state=s, elapsed_s=0.1 if s is Status.DONE else None, peak_memory_mb=None)
        for i, s in enumerate(states)
    ]
    runs = [lab.run(state=state, ended_at=None, elapsed_s=None)] if states else []
    page = write_reports(lab.view(tmp_path, jobs, state=state, runs=runs)).html.read_text(encoding="utf-8")
    assert f">{headline}<" in page


def test_failed_items_are_told_though_their_job_is_done(lab, tmp_path):
    item = lab.Item(
        name="y.csv", status=Status.FAILED, category="numerical", reason="degenerate", message="variance is zero"
    )
    view = lab.view(tmp_path, [lab.job("all", items=(item, lab.Item(name="x.csv", status=Status.DONE)))])
    page = write_reports(view).html.read_text(encoding="utf-8")
    assert "All 1 job done, but 1 item failed in them." in page
    assert "y.csv</bdi>: variance is zero" in page
    assert decoded(block(page, "data")["fields"]["items"], 1) == [
        [2, 1, [["y.csv", "failed", "numerical", "degenerate", "variance is zero"]]]
    ]


def test_another_folder_gets_links_that_lead_back(lab, tmp_path):
    root = tmp_path / "my out"
    view = small_batch(lab, root)
    reports = write_reports(view, tmp_path / "reports" / "today")
    page = reports.html.read_text(encoding="utf-8")
    prefix = block(page, "data")["prefix"]
    assert (reports.html.parent / prefix.replace("%20", " ")).resolve() == root
    href = re.search(r'href="([^"]*00001\.log)"', page)[1].replace("%20", " ")
    assert (reports.html.parent / href).is_file()
    assert not (root / "batch_report.html").exists()


def test_a_root_that_is_gone_or_refuses_to_be_written(lab, tmp_path):
    view = lab.view(tmp_path / "gone" / "out", [lab.measured(0), lab.failed(1)])
    assert write_reports(view, tmp_path / "here").html.is_file()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StartError, match="name another folder"):
        write_reports(view, tmp_path / "file" / "reports")


def test_a_failed_write_leaves_the_old_report_and_no_temporary_file(lab, tmp_path, monkeypatch):
    view = small_batch(lab, tmp_path)
    before = write_reports(view).html.read_bytes()

    def refuse(source, target):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", refuse)
        with pytest.raises(StartError, match="No space left"):
            write_reports(lab.view(tmp_path, [lab.job("other")]))
    assert (tmp_path / "batch_report.html").read_bytes() == before
    assert not list(tmp_path.glob("*.tmp")) + list(tmp_path.glob(".*.tmp"))


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)


HOSTILE = st.text(alphabet=st.sampled_from("<>&\"'/=+-@!{}%script\n\t\u2028\u202e\udcff ]"), max_size=30)


@settings(max_examples=40, deadline=None)
@given(name=HOSTILE, text=HOSTILE)
def test_no_text_adds_an_element_to_the_page(lab, tmp_path_factory, name, text):
    root = tmp_path_factory.getbasetemp() / "hostile"

    def tags(view, panel):
        found = Tags()
        found.feed(write_reports(view, root, panels=(panel,)).html.read_bytes().decode("utf-8"))
        return found.tags

    assert tags(*lab.batch_of_texts(root, name or "a", text or "b")) == tags(*lab.batch_of_texts(root, "a", "b"))


def test_formulas_stay_raw_outside_the_csv(lab, tmp_path):
    reports = write_reports(lab.view(tmp_path, [lab.job("=1+1", metrics={"m": 1.0})]))
    assert "'=1+1" in reports.summary.read_text(encoding="utf-8")
    assert json.loads(reports.statistics.read_text(encoding="utf-8"))["slowest"][0]["name"] == "=1+1"
    assert decoded(block(reports.html.read_text(encoding="utf-8"), "data")["fields"]["name"], 1) == ["=1+1"]


@given(st.lists(st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["a", "b"]), max_size=30))
def test_columns_keep_every_value_and_its_type(values):
    back = decoded(_column(values), len(values))
    assert [(type(v), v) for v in back] == [(type(v), v) for v in values]


def test_ten_thousand_jobs_fit_in_two_megabytes(lab, tmp_path):
    jobs = [lab.failed(i) if i % 50 == 7 else lab.measured(i) for i in range(10_000)]
    page = write_reports(lab.view(tmp_path, jobs, state=BatchState.FAILED)).html.read_text(encoding="utf-8")
    assert len(page.encode()) < 2_000_000
    data = block(page, "data")
    rmse = dict(data["maps"]["metrics"])["rmse"]
    assert decoded(rmse, 10_000)[9_999] == jobs[9_999].metrics["rmse"]
    assert dict(data["maps"]["digests"])["figure"]


def tries_of(page):
    tries = block(page, "data")["tries"]
    columns = {name: decoded(column, tries["n"]) for name, column in tries["fields"].items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def test_tries_are_told_of_jobs_that_had_several_or_one_that_did_not_end_well(lab, tmp_path):
    killed = lab.attempt(1, status=Status.FAILED, category="crash", signal="SIGSEGV", message="the process died")
    jobs = [
        lab.job("well", history=(lab.attempt(),)),
        lab.job("twice", attempts=2, history=(killed, lab.attempt(2, elapsed_s=0.25))),
        lab.failed(2, message="the process died", history=(killed,)),
        lab.job("now", state=Status.RUNNING, history=(lab.attempt(status=Status.RUNNING, elapsed_s=None),)),
    ]
    found = tries_of(write_reports(lab.view(tmp_path, jobs)).html.read_text(encoding="utf-8"))
    assert [(a["job"], a["number"], a["state"]) for a in found] == [(1, 1, "failed"), (1, 2, "done"), (2, 1, "failed")]
    assert [a["message"] for a in found] == ["the process died", None, None]
    assert (found[0]["signal"], found[0]["began"], found[1]["elapsed"]) == ("SIGSEGV", "2026-05-04 21:03:11", 0.25)


def test_many_tries_of_many_jobs_keep_the_page_small(lab, tmp_path):
    def history(i, n):
        began = [
            f"2026-05-04T{i // 600:02d}:{i // 10 % 60:02d}:{i % 10 * 6 + k % 6:02d}.{i % 1000:03d}Z" for k in range(n)
        ]
        return tuple(
            lab.attempt(
                k + 1,
                status=Status.FAILED,
                category="service",
                reason="no answer",
                started_at=at,
                elapsed_s=1 + i * 7919 % 10007 / 1e4,
                message=f"server {i % 7} did not answer: " + "x" * 5000,
            )
            for k, at in enumerate(began)
        )

    jobs = [lab.measured(i, attempts=3, history=history(i, 3)) for i in range(9_999)]
    jobs.append(lab.measured(9_999, attempts=50, history=history(9_999, 50)))
    page = write_reports(lab.view(tmp_path, jobs)).html.read_text(encoding="utf-8")
    assert len(page.encode()) < 2_000_000
    last = [a for a in tries_of(page) if a["job"] == 9_999]
    assert [a["number"] for a in last] == list(range(31, 51))
    assert max(len(a["message"]) for a in last) < 310


@pytest.mark.parametrize(
    ("ended", "history", "label"),
    [
        ("2026-05-04T21:04:41.5Z", (), "<dt>ended</dt><dd>2026-05-04 21:04:41"),
        (None, (), "<dt>as of</dt><dd>2026-05-04 21:03:11"),
        (
            None,
            [("2026-05-04T21:05:00Z", 61.0), ("2026-05-04T21:05:30Z", None)],
            "<dt>as of</dt><dd>2026-05-04 21:06:01",
        ),
        (None, [("2026-05-04T23:05:00+02:00", None)], "<dt>as of</dt><dd>2026-05-04 21:05:00"),
        (None, [("soon", 1.0), ("2026-05-04T21:05:00Z", float("inf"))], "<dt>as of</dt><dd>2026-05-04 21:03:11"),
    ],
)
def test_a_report_of_a_running_batch_says_when_it_holds(lab, tmp_path, ended, history, label):
    tries = tuple(lab.attempt(k + 1, started_at=at, elapsed_s=s) for k, (at, s) in enumerate(history))
    job = lab.job("now", state=Status.RUNNING, elapsed_s=None, history=tries)
    runs = [lab.run(state=BatchState.RUNNING, ended_at=ended, elapsed_s=None)]
    page = write_reports(lab.view(tmp_path, [job], state=BatchState.RUNNING, runs=runs)).html.read_text(
        encoding="utf-8"
    )
    assert label in page


def test_caches_are_told_where_a_run_asked_them(lab, tmp_path):
    asked, silent = lab.run(cache={"hits": 38, "misses": 2}), lab.run(number=2)
    page = write_reports(lab.view(tmp_path, [lab.job()], runs=[asked, silent])).html.read_text(encoding="utf-8")
    assert "38 of 40 <i>95 %</i>" in page
    page = write_reports(lab.view(tmp_path, [lab.job()], runs=[silent])).html.read_text(encoding="utf-8")
    assert "found in caches" not in page


def test_stages_share_the_bar_and_the_small_ones_join_the_rest(lab, tmp_path):
    jobs = [
        lab.job("a", elapsed_s=2.0, stages={"load": 0.5, "draw": 1.0}),
        lab.job("b", elapsed_s=2.0, stages={"draw": 1.5}),
    ]
    (bar,) = stage_bars(lab.view(tmp_path, jobs))
    assert [(p["name"], p["percent"], p["x"], p["width"], p["mean_s"]) for p in bar["parts"]] == [
        ("load", "12.5", 0.0, 37.5, 0.25),
        ("draw", "62.5", 37.5, 187.5, 1.25),
        ("rest", "25.0", 225.0, 75.0, 0.5),
    ]
    many = lab.job("c", elapsed_s=5.5, stages={f"s{k}": (k + 1) / 10 for k in range(10)})
    (bar,) = stage_bars(lab.view(tmp_path, [many]))
    assert [p["name"] for p in bar["parts"]] == [f"s{k}" for k in range(3, 10)] + ["rest"]
    assert sum(p["width"] for p in bar["parts"]) == pytest.approx(300, abs=0.1)
    assert stage_bars(lab.view(tmp_path, [lab.job("d", stages={"load": 0.0}, elapsed_s=0.0)])) == []


def test_five_hundred_thumbnails_and_every_failure(lab, tmp_path):
    folder = tmp_path / ".batchlab/thumbnails"
    folder.mkdir(parents=True)
    for i in range(520):
        (folder / f"{i:05d}.png").write_bytes(lab.png())
    jobs = [lab.measured(i) for i in range(519)]
    jobs.append(lab.failed(519, thumbnail=".batchlab/thumbnails/00519.png"))
    page = write_reports(lab.view(tmp_path, jobs)).html.read_text(encoding="utf-8")
    assert set(block(page, "thumbnails")) == {*map(str, range(500)), "519"}


def test_only_files_inside_the_root_are_read(lab, tmp_path):
    root = tmp_path / "out"
    root.mkdir()
    (tmp_path / "secret.log").write_text("secret")
    (root / "link.log").symlink_to(tmp_path / "secret.log")
    (root / "own.log").write_text("own\r\x1b[31mred\x1b[0m\n")
    for path in ("../secret.log", str(tmp_path / "secret.log"), "link.log", "nul\0", "x" * 5000, ""):
        assert inside(root, path) is None
    assert log_tail(root, "own.log") == ("red",)
    assert log_tail(root, None) is None


def test_a_long_log_gives_its_last_lines_cut(tmp_path):
    (tmp_path / "big.log").write_bytes(b"\xff" * 200_000 + b"\n" + b"".join(b"%d\n" % i for i in range(30)))
    tail = log_tail(tmp_path, "big.log")
    assert tail == tuple(str(i) for i in range(10, 30))
    (tmp_path / "one.log").write_text("y" * 100_000)
    assert max(map(len, log_tail(tmp_path, "one.log"))) < 310


def test_words_for_numbers_and_names():
    seconds = (None, 0.0421, 12.34, 59.96, 192, 7500, 200_000)
    assert [duration(s) for s in seconds] == [
        "–",
        "0.042 s",
        "12.3 s",
        "1 min 00 s",
        "3 min 12 s",
        "2 h 05 min",
        "2 d 07 h",
    ]
    assert visible("a\nb\u202ec") == "a␊b\\u202ec"
    assert encode_path("a b/#1?.png") == "./a%20b/%231%3F.png"
    assert encode_path("\udcff.png") == "./%FF.png"
    assert encode_path("javascript:alert(1)") == "./javascript%3Aalert%281%29"
    assert histogram([1.0, 1.0]) is None
    assert histogram([float("nan"), 1e308, -1e308]).count("M") == 2
