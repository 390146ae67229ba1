"""The page of a fit in a real browser: its policy lets it draw, and its places open the viewer there."""

from __future__ import annotations

import pytest

from batchlab.motion import Body, FitOptions, Weights, fit_body, judge, simulate, write_page, write_viewer
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
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    truth = simulate("walk", case="swapped", frames=300, seed=3)
    recording = truth.recording
    options = FitOptions(weights=Weights(data_per_m=500.0, rotation=0.05, translation=0.3))
    fits = fit_body([recording], Body(name="box", markers=recording.markers), options)
    write_viewer(folder / "viewer.html", recording, fits)
    found = [judge(recording, fits[0])]
    return write_page(folder / "page.html", [recording], fits, judgements=found, viewers=["viewer.html"])


def test_it_draws_as_styled_without_a_complaint(browser, page):
    browser.get(page.as_uri())
    assert browser.get_log("browser") == []
    charts = browser.find_elements(By.CSS_SELECTOR, "figure > svg")
    assert len(charts) == 11 and all(chart.size["width"] > 400 and chart.size["height"] > 80 for chart in charts)
    width = browser.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width <= 0
    (bar,) = browser.find_elements(By.CSS_SELECTOR, 'tr[data-marker="m1"] td:nth-child(7) .part')
    assert bar.value_of_css_property("fill") == "rgb(0, 114, 178)"


def test_a_place_opens_the_viewer_there(browser, page):
    browser.get(page.as_uri())
    place = browser.find_elements(By.CSS_SELECTOR, 'svg a[href*="marker=m2"]')[20]
    frame = int(place.get_dom_attribute("href").partition("frame=")[2].partition("&")[0])
    browser.execute_script("arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))", place)
    WebDriverWait(browser, 30).until(
        lambda b: b.execute_script("return document.documentElement.dataset.ready === 'yes'")
    )
    assert browser.current_url.partition("#")[2] == f"frame={frame}&marker=m2"
    assert browser.find_element(By.ID, "frame").get_attribute("value") == str(frame)
    assert browser.find_element(By.ID, "detail-name").text == "m2"
