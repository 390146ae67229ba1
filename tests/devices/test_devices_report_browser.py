"""The pages of chips in a real browser, opened from disk."""

from __future__ import annotations

import json

import pytest
from device_batches import derived, staged

from batchlab.devices._layout import Layout
from batchlab.devices._synthetic import write_lab
from tests.chromium import chromium, needs_browser

pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = needs_browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile"), size="1280,1600") as driver:
        yield driver


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    lab = write_lab(tmp_path_factory.mktemp("small"), chips=2, runs=14, documented=False, interval_s=0.4)
    layout = Layout.below(lab.folder / "data")
    assert staged(layout).exit_code == 0 and derived(layout, pairs=False, pages=True).exit_code == 0
    return layout.pages


def requests(browser):
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]


def charts(browser):
    return [svg for svg in browser.find_elements(By.CSS_SELECTOR, "figure svg") if svg.is_displayed()]


def test_charts_are_shown_along_number_or_time_and_marks_lead_to_their_runs(pages, browser):
    browser.get((pages / "index.html").as_uri())
    assert browser.get_log("browser") == []
    chip = browser.find_element(By.CSS_SELECTOR, "#chips tbody tr td a")
    name = chip.text
    chip.click()
    WebDriverWait(browser, 30).until(lambda _: browser.find_elements(By.ID, "along-time"))
    assert browser.find_element(By.TAG_NAME, "h1").text == name

    def shown(word: str) -> int:
        return sum(word in text.text for svg in charts(browser) for text in svg.find_elements(By.CLASS_NAME, "label"))

    number = len(charts(browser))
    assert number >= 4 and shown("number of the run") >= 3 and shown("date and time") == 0
    browser.find_element(By.ID, "along-time").click()
    WebDriverWait(browser, 30).until(lambda _: shown("date and time") >= 3)
    assert shown("number of the run") == 0 and len(charts(browser)) == number
    browser.find_element(By.ID, "along-number").click()

    link = charts(browser)[1].find_elements(By.TAG_NAME, "a")[-1]
    run_id = link.get_attribute("data-run")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", link)
    link.find_element(By.CLASS_NAME, "mark").click()
    WebDriverWait(browser, 30).until(lambda _: browser.current_url.endswith(f"#run-{run_id}"))
    row = browser.find_element(By.CSS_SELECTOR, "tr:target")
    assert run_id in row.text and row.is_displayed()
    colours = browser.execute_script(
        "return [getComputedStyle(arguments[0].cells[0]).backgroundColor, "
        "getComputedStyle(arguments[0].parentElement.rows[0].cells[0]).backgroundColor]",
        row,
    )
    assert colours[0] != colours[1]
    row.find_element(By.TAG_NAME, "summary").click()
    WebDriverWait(browser, 30).until(lambda _: "cnp_voltage" in row.text)
    assert browser.get_log("browser") == []
    assert all(url.startswith(("file:", "data:", "about:", "chrome:")) for url in requests(browser))


def test_nothing_is_cut_off_or_wider_than_the_page(pages, browser):
    for path in sorted(pages.glob("*.html")):
        browser.get(path.as_uri())
        width = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
        assert width[0] <= width[1]
        outside = browser.execute_script(
            """
            const beyond = (a, b) => a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1
                || a.bottom > b.bottom + 1;
            return [...document.querySelectorAll('figure svg')].flatMap(svg => {
                const box = svg.getBoundingClientRect();
                return box.width === 0 ? [] : [...svg.querySelectorAll('text')]
                    .filter(text => beyond(text.getBoundingClientRect(), box)).map(text => text.textContent);
            });
            """
        )
        assert outside == []
    assert browser.get_log("browser") == []
