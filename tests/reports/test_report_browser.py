"""The HTML report in a real browser, opened from disk."""

from __future__ import annotations

import json

import pytest

from batchlab.engine import BatchState, Status
from batchlab.reports import Grid, Panel, write_reports
from tests.chromium import chromium, needs_browser

pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = needs_browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile"), size="1280,1600") as driver:
        yield driver


def load(browser, path, fragment=""):
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(path.as_uri() + fragment)
    until(browser, lambda: browser.execute_script("return document.documentElement.dataset.ready === 'yes'"))


def until(browser, condition):
    WebDriverWait(browser, 30).until(lambda _: condition())


def requests(browser):
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]


def names(browser):
    return [e.text for e in browser.find_elements(By.CSS_SELECTOR, "#rows .open")]


def header(browser, label):
    return next(b for b in browser.find_elements(By.CSS_SELECTOR, "#head button") if b.text.startswith(label))


def click(browser, element):
    """Click where a reader would: in the middle of the window, not under what sticks to its top."""
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()


def search(browser, text, expected):
    box = browser.find_element(By.ID, "query")
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(Keys.DELETE, text)
    until(browser, lambda: browser.find_element(By.ID, "found").text == expected)


def test_the_table_sorts_filters_and_opens(lab, tmp_path, browser):
    folder = tmp_path / ".batchlab/thumbnails"
    folder.mkdir(parents=True)
    (folder / "00000.png").write_bytes(lab.png())
    (tmp_path / "leaf_00000_vs_ref.png").write_bytes(lab.png(80, 60))
    jobs = [lab.measured(i) for i in range(6)] + [lab.failed(6), lab.measured(7, metrics={"rmse": float("nan")})]
    load(browser, write_reports(lab.view(tmp_path, jobs, state=BatchState.FAILED)).html)
    plan_order = [job.name for job in jobs]
    assert names(browser) == plan_order

    click(browser, header(browser, "rmse"))
    by_rmse = sorted(jobs[:6], key=lambda job: -job.metrics["rmse"])
    assert names(browser) == [job.name for job in by_rmse] + plan_order[6:]
    assert browser.find_element(By.CSS_SELECTOR, "[aria-sort]").get_attribute("aria-sort") == "descending"
    click(browser, header(browser, "rmse"))
    assert names(browser) == [job.name for job in by_rmse[::-1]] + plan_order[6:]
    click(browser, header(browser, "rmse"))
    assert names(browser) == plan_order

    limit = by_rmse[2].metrics["rmse"]
    search(browser, f"rmse>={limit}", "3 of 8")
    search(browser, "NOT-A-spec", "1 of 8")
    assert names(browser) == ["compare/leaf_00006"]
    search(browser, "nothing like it", "0 of 8")
    search(browser, "", "8")
    click(browser, browser.find_element(By.CSS_SELECTOR, ".strip a[data-state=failed]"))
    until(browser, lambda: names(browser) == ["compare/leaf_00006"])
    click(browser, browser.find_element(By.CSS_SELECTOR, "#states [aria-pressed=true]"))
    until(browser, lambda: len(names(browser)) == 8)

    click(browser, browser.find_element(By.CSS_SELECTOR, "#job-0 .open"))
    text = browser.find_element(By.CSS_SELECTOR, "tr.detail").text
    for part in ("../data/leaf_00000.txt", lab.digest("f0"), lab.digest("k0"), "normalization", "55.0 kB", "draw"):
        assert part in text
    click(browser, browser.find_element(By.CSS_SELECTOR, ".tile button"))
    until(
        browser, lambda: browser.execute_script("return document.getElementById('viewer-picture').naturalWidth") == 80
    )
    click(browser, browser.find_element(By.ID, "viewer-close"))
    assert browser.get_log("browser") == []
    assert all(url.startswith(("file:", "data:", "about:")) for url in requests(browser))


def test_an_opened_job_shows_its_tries(lab, tmp_path, browser):
    killed = lab.attempt(
        1, status=Status.FAILED, category="crash", reason="SIGSEGV", signal="SIGSEGV", message="the process died"
    )
    jobs = [lab.job("well", history=(lab.attempt(),)), lab.job("twice", attempts=2, history=(killed, lab.attempt(2)))]
    load(browser, write_reports(lab.view(tmp_path, jobs)).html, "#job-1")
    told = [
        [cell.text for cell in row.find_elements(By.TAG_NAME, "td")]
        for row in browser.find_elements(By.CSS_SELECTOR, ".tries tbody tr")
    ]
    assert [row[0] for row in told] == ["1", "2"]
    assert told[0][2:] == ["2026-05-04 21:03:11", "0.500 s", "120.5", "crash / SIGSEGV\nthe process died"]
    assert told[1][5] == ""
    click(browser, browser.find_element(By.CSS_SELECTOR, "#job-1 .open"))
    click(browser, browser.find_element(By.CSS_SELECTOR, "#job-0 .open"))
    assert browser.find_elements(By.CSS_SELECTOR, ".tries") == []
    assert browser.get_log("browser") == []


@pytest.mark.parametrize(
    "name",
    [
        "<script>window.harmed=1</script>",
        "</script><script>window.harmed=1</script>",
        '"><img src=x onerror=window.harmed=1>',
        "<!--<script>",
        "'-window.harmed=1-'",
        "=HYPERLINK(1)\n\t{{7*7}}{% raw %}",
        "__proto__",
        "\u202egnp.exe\u2066 \u2028 \udcff ]]>",
        "javascript:window.harmed=1",
    ],
)
def test_hostile_names_do_no_harm(lab, tmp_path, browser, name):
    view, panel = lab.batch_of_texts(tmp_path, name, f"{name} text")
    load(browser, write_reports(view, panels=(panel,)).html)
    assert len(names(browser)) == 3
    click(browser, header(browser, "job"))
    assert len(names(browser)) == 3
    for index in range(3):
        click(browser, browser.find_element(By.CSS_SELECTOR, f"#job-{index} .open"))
    assert len(browser.find_elements(By.CSS_SELECTOR, "tr.detail .inside")) == 3
    for link in browser.find_elements(By.CSS_SELECTOR, "a[href]"):
        assert link.get_attribute("href").startswith("file:")
    search(browser, "no such job", "0 of 3")
    search(browser, "2", "1 of 3")
    assert browser.execute_script("return window.harmed === undefined && Object.keys(Object.prototype).length === 0")
    assert browser.get_log("browser") == []
    assert all(url.startswith(("file:", "data:", "about:")) for url in requests(browser))


def test_ten_thousand_jobs_stay_in_pages(lab, tmp_path, browser):
    jobs = [lab.failed(i) if i % 50 == 7 else lab.measured(i) for i in range(10_000)]
    load(browser, write_reports(lab.view(tmp_path, jobs, state=BatchState.FAILED)).html, "#job-9999")
    assert browser.find_element(By.CSS_SELECTOR, "#job-9999 + tr.detail").is_displayed()
    assert len(names(browser)) == 50
    click(browser, header(browser, "rmse"))
    best = max((job for job in jobs if job.metrics), key=lambda job: job.metrics["rmse"])
    assert names(browser)[0] == best.name
    search(browser, "not-a-spectrum", "200 of 10000")
    assert browser.execute_script("return document.querySelectorAll('.tile').length") == 48
    assert browser.get_log("browser") == []


def test_the_essentials_need_no_script(lab, tmp_path, browser):
    page = write_reports(lab.view(tmp_path, [lab.measured(0), lab.failed(1)], state=BatchState.FAILED)).html
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(page.as_uri())
        text = browser.find_element(By.TAG_NAME, "body").text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    for part in ("1 job failed; 1 of 2 done.", "not-a-spectrum", "is no number", "need JavaScript"):
        assert part in text


DRAWN = (
    '<?xml version="1.0" encoding="utf-8"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg" width="90" '
    'height="60"><script>document.documentElement.dataset.ran = "yes"</script><rect width="90" height="60"/></svg>'
)


def test_an_svg_is_shown_and_a_pdf_is_said_to_be_a_link(lab, tmp_path, browser, monkeypatch):
    folder = tmp_path / ".batchlab/thumbnails"
    folder.mkdir(parents=True)
    (folder / "b.png").write_bytes(lab.png(32, 24))
    (tmp_path / "a.svg").write_text(DRAWN)
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.4 <svg")
    outputs = {
        name: (lab.Output(name="figure", path=name, bytes=1, digest=lab.digest(name)),) for name in ("a.svg", "b.pdf")
    }
    jobs = [lab.job("a", outputs=outputs["a.svg"])]
    jobs += [lab.job("b", outputs=outputs["b.pdf"], thumbnail=".batchlab/thumbnails/b.png")]
    shown = Panel(title="Pictures of spectra", pictures=("a.svg", "b.pdf", "gone.pdf"))
    load(browser, write_reports(lab.view(tmp_path, jobs), panels=(shown,)).html)
    figures = browser.find_elements(By.CSS_SELECTOR, ".panel figure")
    assert [figure.text for figure in figures] == ["a.svg", "b.pdf a PDF, which no page shows", "gone.pdf is not there"]
    wide = "return document.querySelector('.panel figure img').naturalWidth"
    until(browser, lambda: browser.execute_script(wide) == 90)
    assert len(browser.find_elements(By.CSS_SELECTOR, ".panel img")) == 1
    assert browser.execute_script("return document.documentElement.dataset.ran") is None
    assert figures[1].find_element(By.TAG_NAME, "a").get_attribute("href").endswith("/b.pdf")

    click(browser, browser.find_element(By.CSS_SELECTOR, ".tile button"))
    until(browser, lambda: "is a PDF" in browser.find_element(By.ID, "viewer-note").text)
    assert browser.find_element(By.ID, "viewer-name").get_attribute("href").endswith("/b.pdf")
    click(browser, browser.find_element(By.ID, "viewer-close"))
    assert browser.get_log("browser") == []


def test_a_grid_shows_thumbnails_and_states(lab, tmp_path, browser):
    folder = tmp_path / ".batchlab/thumbnails"
    folder.mkdir(parents=True)
    (folder / "00000.png").write_bytes(lab.png())
    (tmp_path / "leaf_00000_vs_ref.png").write_bytes(lab.png(80, 60))
    jobs = [lab.measured(0), lab.failed(1)]
    grid = Grid(columns=("a", "b", "c"), rows=(("7", (jobs[0].name, jobs[1].name, None)),))
    view = lab.view(tmp_path, jobs, state=BatchState.FAILED)
    load(browser, write_reports(view, panels=(Panel(title="Orbits", grids=(grid,)),)).html)
    cells = browser.find_elements(By.CSS_SELECTOR, ".thumbs tbody td")
    assert [cell.text.split("\n")[0] for cell in cells] == ["", "×failed", ""]
    click(browser, cells[0].find_element(By.TAG_NAME, "button"))
    until(
        browser, lambda: browser.execute_script("return document.getElementById('viewer-picture').naturalWidth") == 80
    )
    click(browser, browser.find_element(By.ID, "viewer-close"))
    click(browser, cells[1].find_element(By.TAG_NAME, "a"))
    until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "tr.detail"))
    assert browser.get_log("browser") == []
