"""Pages of chips: what they show against the table of metrics and the synthetic truth, and that every mark leads on."""

from __future__ import annotations

import json
import re
import statistics
from html.parser import HTMLParser
from itertools import pairwise
from types import SimpleNamespace
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from click.testing import CliRunner
from device_batches import content, derived, staged, table

from batchlab.cli._main import cli
from batchlab.devices._layout import Layout
from batchlab.devices._panel import INDEX, OVERVIEW, write_pages
from batchlab.devices._store import Store
from batchlab.devices.metrics import wide
from batchlab.engine import read_view
from batchlab.reports import find_panels, write_reports

EVIL = "<script>alert('x')</script>&\""


class Page(HTMLParser):
    """The marks, links, rows and sections of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.sections: dict[str, list[dict[str, str]]] = {}
        self.words: list[str] = []
        self._title, self._heading, self._in_svg, self._charts = "", False, False, 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        known = {name: value or "" for name, value in attrs}
        self.tags.append((tag, known))
        self._heading = tag == "h2"
        if tag == "h2":
            self._title = ""
        if tag == "svg":
            self._in_svg = True
        if tag == "a" and self._in_svg:
            self.sections.setdefault(self._title, []).append(known)

    def handle_endtag(self, tag):
        if tag == "svg":
            self._in_svg = False
        if tag == "h2":
            self._heading = False

    def handle_data(self, data):
        if self._heading:
            self._title += data
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def ids(self) -> set[str]:
        return {known["id"] for _, known in self.tags if "id" in known}

    @property
    def links(self) -> list[str]:
        return [known["href"] for tag, known in self.tags if tag == "a"]

    def values(self, section: str) -> dict[str, float]:
        """Unrounded values of the marks of a chart, by run."""
        return {mark["data-run"]: float(mark["data-value"]) for mark in self.sections.get(section, [])}


@pytest.fixture(scope="module")
def done(lab, tmp_path_factory):
    """A laboratory with its pages, never written after."""
    layout = Layout.below(tmp_path_factory.mktemp("pages") / "data", raw=lab.raw_root)
    layout.raw.mkdir(parents=True, exist_ok=True)
    layout.pages.parent.parent.mkdir(parents=True, exist_ok=True)
    layout.chips.write_text(
        "".join(
            f"{chip.name}:\n  length_over_width: {made.length_over_width!r}\n  layers:\n"
            f"    - {{material: hBN, thickness_nm: {made.top_nm!r}}}\n"
            f"    - {{material: biotite, thickness_nm: {made.bottom_nm!r}}}\n"
            for chip, made in lab.devices.items()
        )
    )
    assert staged(layout).exit_code == 0
    assert derived(layout, pages=True).exit_code == 0
    pages = {path.name: Page(path.read_text(encoding="utf-8")) for path in sorted(layout.pages.glob("*.html"))}
    return SimpleNamespace(layout=layout, pages=pages, store=Store(layout.store), table=table(layout), lab=lab)


def metric(done, chip: str, name: str, method: str | None = None) -> dict[str, float]:
    """Of the table of metrics, by run."""
    rows = done.table.filter(
        pl.col("metric_name") == name, pl.concat_str("chip_group", "chip_number") == chip, *method_is(method)
    )
    return dict(rows.select("run_id", "value_float").iter_rows())


def method_is(method: str | None) -> list[pl.Expr]:
    return [] if method is None else [pl.col("extraction_method") == method]


def test_there_is_a_page_for_each_chip_and_one_over_all(done):
    chips = sorted(chip.name for chip in done.lab.devices)
    assert sorted(done.pages) == sorted([INDEX, *(f"{chip}.html" for chip in chips)])
    told = json.loads((done.layout.pages / OVERVIEW).read_text())
    assert sorted(each["chip"] for each in told["chips"]) == chips and told["timezone"] == done.store.timezone


def test_pages_need_no_network_and_run_no_script(done):
    for page in done.pages.values():
        names = {name for tag, known in page.tags for name in known}
        assert not names & {"src", "style", "srcset"} and not [name for name in names if name.startswith("on")]
        assert not [tag for tag, _ in page.tags if tag in ("script", "link", "iframe", "img", "object")]
        assert all(re.fullmatch(r"#[\w-]+|[\w.%+-]+\.(html(#[\w-]+)?|json)", link) for link in page.links)
        policy = next(known["content"] for tag, known in page.tags if tag == "meta" and "http-equiv" in known)
        assert policy.startswith("default-src 'none'")


def test_every_link_leads_to_its_run(done):
    for name, page in done.pages.items():
        for tag, known in page.tags:
            if tag != "a":
                continue
            file, _, target = unquote(known["href"]).partition("#")
            assert file == OVERVIEW or (file or name) in done.pages
            if target:
                assert target in done.pages[file or name].ids
            if "data-run" in known:
                assert target == f"run-{known['data-run']}" and known["data-run"] in done.store


def test_every_run_is_in_the_timeline_and_in_the_table(done):
    for chip in done.lab.devices:
        page = done.pages[f"{chip.name}.html"]
        runs = {run.run_id for run in done.store.runs(chips=chip, columns=())}
        assert {mark["data-run"] for mark in page.sections["Timeline"]} == runs
        assert {each for each in page.ids if each.startswith("run-")} == {f"run-{run}" for run in runs}


@pytest.mark.parametrize(
    ("section", "name", "method"),
    [
        ("Dirac point", "cnp_voltage", "robust"),
        ("Hysteresis of the Dirac point", "cnp_hysteresis", "robust"),
        ("On/off ratio", "on_off_ratio", None),
        ("Response of the current to light", "delta_i_corrected", None),
        ("Response of the drain voltage to light", "delta_v_corrected", None),
    ],
)
def test_charts_show_the_table_of_metrics(done, section, name, method):
    shown = 0
    for chip in done.lab.devices:
        expected = metric(done, chip.name, name, method)
        assert done.pages[f"{chip.name}.html"].values(section) == expected
        shown += len(expected)
    assert shown > 0


def test_dirac_points_are_those_that_the_files_were_made_with(done):
    files = dict(done.store.table.select("run_id", "source_file").iter_rows())
    true = {truth.file: truth.values for truth in done.lab.truths}
    errors = []
    for chip in done.lab.devices:
        for run_id, value in done.pages[f"{chip.name}.html"].values("Dirac point").items():
            made = true[files[run_id]]
            errors.append(abs(value - (made["dirac_forward_v"] + made["dirac_backward_v"]) / 2))
    assert len(errors) > 20 and statistics.median(errors) <= 1e-3


def test_mobilities_are_those_that_the_files_were_made_with(done):
    told = json.loads((done.layout.pages / OVERVIEW).read_text())["chips"]
    files = dict(done.store.table.select("run_id", "source_file").iter_rows())
    true = {truth.file: truth.values for truth in done.lab.truths}
    for each in told:
        mobility = each["mobility_of_holes"]
        assert mobility["value"] == pytest.approx(true[files[mobility["run_id"]]]["mobility_holes_cm2"], rel=0.05)


def test_responses_over_power_are_at_the_calibrated_power(done):
    """Where marks lie along the logarithmic axis is where their powers are."""
    for chip in done.lab.devices:
        page = (done.layout.pages / f"{chip.name}.html").read_text(encoding="utf-8")
        svg = re.search(r"<h2>Response of the current to light over power</h2>.*?(<svg.*?</svg>)", page, re.DOTALL)
        power = metric(done, chip.name, "irradiated_power")
        places = []
        for link in ET.fromstring(svg[1]).iter("{http://www.w3.org/2000/svg}a"):
            mark = link[-1]
            ends = mark.get("points", "").split()
            at = float(mark.get("cx") or 0.0) or sum(float(p.split(",")[0]) for p in ends) / len(ends)
            places.append((power[link.get("data-run")], at))
        places.sort()
        assert len(places) > 5 and all(a[1] <= b[1] + 1.0 for a, b in pairwise(places))


def test_what_is_told_of_a_chip_is_of_its_last_dark_sound_sweep(done):
    for each in json.loads((done.layout.pages / OVERVIEW).read_text())["chips"]:
        values = metric(done, each["chip"], "cnp_voltage", "robust")
        history = done.store.table.filter(pl.col("chip_name") == each["chip"]).sort("start_time_utc")
        dark = history.filter(
            pl.col("has_light").eq(False), pl.col("quality_flags").is_null(), pl.col("run_id").is_in(list(values))
        )
        assert each["dirac_point"]["run_id"] == dark["run_id"][-1]
        assert each["dirac_point"]["value"] == values[dark["run_id"][-1]]
        moved = values[dark["run_id"][-1]] - values[dark["run_id"][0]]
        assert each["dirac_point"]["since_first"] == pytest.approx(moved, abs=1e-15)
        index = {(k["data-run"], float(k["data-value"])) for _, k in done.pages[INDEX].tags if "data-value" in k}
        assert (dark["run_id"][-1], each["dirac_point"]["value"]) in index


def test_flagged_runs_are_struck_out_and_listed(done):
    dead = {truth.file: truth.dead for truth in done.lab.truths if truth.dead}
    rows = done.store.table.filter(pl.col("source_file").is_in(list(dead)))
    assert rows.height > 0
    for row in rows.iter_rows(named=True):
        text = (done.layout.pages / f"{row['chip_name']}.html").read_text(encoding="utf-8")
        mark = re.search(
            rf'<a href="#run-{row["run_id"]}" data-run="\w+"><title>(.*?)</title>(.*?)</a>', text, re.DOTALL
        )
        assert dead[row["source_file"]] in mark[1] and 'class="cross"' in mark[2]
        flags = text[text.index('<section id="flags">') : text.index('<section id="runs">')]
        assert dead[row["source_file"]] in flags and f"#run-{row['run_id']}" in flags
        assert dead[row["source_file"]] in done.pages[INDEX].text
    assert text.count('class="cross"') >= 2  # along the numbers and along time


def test_every_value_of_a_run_is_told_with_method_and_confidence(done):
    chip = min(done.lab.devices).name
    text = (done.layout.pages / f"{chip}.html").read_text(encoding="utf-8")
    rows = done.table.filter(pl.concat_str("chip_group", "chip_number") == chip)
    told = re.findall(r'<tr data-metric="([^"]+)" data-method="([^"]+)">', text)
    assert sorted(told) == sorted(rows.select("metric_name", "extraction_method").rows())


def test_pages_are_renewed_only_when_something_changed(done):
    before = content(done.layout.pages)
    again = derived(done.layout, pages=True)
    assert again.found_done > 0 and not any(again.counts.values())
    assert content(done.layout.pages) == before


def test_equal_data_give_equal_bytes(done, tmp_path):
    pages = write_pages(done.store, done.table, tmp_path / "again")
    assert pages[0].name == INDEX and len(pages) == len(done.pages)
    assert content(tmp_path / "again") == content(done.layout.pages)


def test_pages_of_chips_that_are_gone_are_removed_and_nothing_else(done, tmp_path):
    folder = tmp_path / "pages"
    folder.mkdir()
    listed = [{"page": "Gone1.html"}, {"page": "../kept.html"}]
    (folder / OVERVIEW).write_text(json.dumps({"chips": listed}))
    for path in (folder / "Gone1.html", folder / "mine.html", tmp_path / "kept.html"):
        path.write_text("x")
    write_pages(done.store, None, folder)
    assert not (folder / "Gone1.html").exists()
    assert (folder / "mine.html").exists() and (tmp_path / "kept.html").exists()


def test_one_page_that_fails_leaves_the_others(done, tmp_path, monkeypatch):
    from contextlib import suppress

    from batchlab.devices._panel import _pages

    real = _pages.chip_figures

    def figures(chip):
        if chip.name == "Alisson71":
            raise ValueError("no")
        return real(chip)

    monkeypatch.setattr(_pages, "chip_figures", figures)
    write_pages(done.store, done.table, tmp_path, item=lambda name: suppress(ValueError))
    names = {path.name for path in tmp_path.glob("*.html")}
    assert "Alisson71.html" not in names and {INDEX, "Alisson67.html"} <= names


def test_without_metrics_pages_tell_of_the_runs(done, tmp_path):
    write_pages(done.store, None, tmp_path)
    for chip in done.lab.devices:
        page = Page((tmp_path / f"{chip.name}.html").read_text(encoding="utf-8"))
        assert list(page.sections) == ["Timeline"]
        assert "dirac_point" not in (tmp_path / OVERVIEW).read_text()


def test_the_report_of_the_batch_shows_chips_and_links_to_pages(done):
    view = read_view(done.layout.derived)
    panel = next(each for each in find_panels(view) if each.title == "Devices: chips")
    told = json.loads((done.layout.pages / OVERVIEW).read_text())["chips"]
    (shown,) = panel.tables
    by_chip = {row[0]: dict(zip(shown.columns, row, strict=True)) for row in shown.rows}
    for each in told:
        assert by_chip[each["chip"]]["Dirac point"] == each["dirac_point"]["value"]
    flagged = sum(len(each["flagged"]) for each in told)
    assert panel.headline.startswith(f"the data of {flagged} run") and flagged > 0
    html = write_reports(view, panels=[panel]).html.read_text(encoding="utf-8")
    for page in done.pages:
        assert f'href="./reports/{page}"' in html


def test_a_batch_without_pages_has_no_panel(done):
    assert [each.title for each in find_panels(read_view(done.layout.stage))] == []


def test_names_and_texts_cannot_leave_their_place():
    from datetime import UTC, datetime

    from batchlab.devices._panel._charts import chip_figures
    from batchlab.devices._panel._facts import ChipFacts, RunFacts, Value, flagged
    from batchlab.devices._panel._pages import _templates

    value = Value(
        name="cnp_voltage", value=1.0, text=None, error=0.1, unit="V", method=EVIL, version="1", confidence=0.3,
        flags=(EVIL,),
    )  # fmt: skip
    run = RunFacts(
        run_id="0123456789abcdef", seq=1, procedure=EVIL, began=datetime(2025, 9, 4, tzinfo=UTC), summary=EVIL,
        has_light=None, wavelength_nm=None, source_file=EVIL, flags=(EVIL,), first={"cnp_voltage": value},
        values=(value,),
    )  # fmt: skip
    chip = ChipFacts(name=EVIL, page="x.html", runs=(run,))
    figures = chip_figures(chip)
    for figure in figures:
        for svg in (figure.by_number, figure.by_time):
            assert "<script" not in svg
            assert ET.fromstring(svg).tag.endswith("svg")
    text = _templates()["chip.html"].render(
        chip=chip, before=None, after=chip, zone=EVIL, span=EVIL, tiles=[], figures=figures, flags=flagged([run]),
        columns=[(EVIL, EVIL)], rows=[(run, [(EVIL, 1.0)])], methods=[EVIL],
    )  # fmt: skip
    assert "<script" not in text and "alert" in Page(text).text


def called(layout: Layout, *words: str):
    base = ["--base-dir", str(layout.stage.parent), "-s", str(layout.stage), "--derived-root", str(layout.derived)]
    return CliRunner().invoke(cli, ["devices", "report", *base, *words])


def test_the_command_writes_all_pages_or_those_asked_for(done, tmp_path):
    result = called(done.layout, "-o", str(tmp_path / "all"))
    assert result.exit_code == 0 and result.stdout.strip().endswith(INDEX)
    assert content(tmp_path / "all") == content(done.layout.pages)
    some = called(done.layout, "-c", "67", "-o", str(tmp_path / "some"), "--json")
    assert [path.rpartition("/")[2] for path in json.loads(some.stdout)["pages"]] == ["Alisson67.html"]
    assert [path.name for path in (tmp_path / "some").iterdir()] == ["Alisson67.html"]
    wrong = called(done.layout, "-c", "66", "-o", str(tmp_path / "none"))
    assert wrong.exit_code == 2 and "66" in wrong.output


def test_the_command_tells_where_nothing_is_derived_yet(done, tmp_path):
    layout = Layout.below(tmp_path, stage=done.layout.stage)
    result = called(layout)
    assert result.exit_code == 0 and "derive-all-metrics" in result.stderr
    assert (layout.pages / INDEX).is_file()


def test_real_chips_show_what_was_derived_and_hide_nothing(shared_devices, tmp_path):
    layout = Layout.below(tmp_path / "data", raw=shared_devices)
    staged(layout)
    assert derived(layout, procedures=["IVg"], pairs=False, pages=True).exit_code == 0
    found = wide(table(layout)).frame.filter(pl.col("cnp_voltage").is_not_null())
    for number, off_scale in ((71, []), (72, []), (79, ["19.5"])):
        text = (layout.pages / f"Alisson{number}.html").read_text(encoding="utf-8")
        rows = found.filter(pl.col("chip_number") == number, pl.col("chip_group") == "Alisson")
        assert Page(text).values("Dirac point") == dict(rows.select("run_id", "cnp_voltage").iter_rows())
        chart = re.search(r"<h2>Dirac point</h2>.*?(<svg.*?</svg>)", text, re.DOTALL)[1]
        assert re.findall(r'class="off[^>]*>([^<]+)<', chart) == off_scale
    index = Page((layout.pages / INDEX).read_text(encoding="utf-8"))
    assert "no-rows" in index.text and "DEAD_FLAT_IVG" in index.text
