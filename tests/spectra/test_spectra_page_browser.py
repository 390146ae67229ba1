"""The interactive page in a real browser, opened from disk."""

from __future__ import annotations

import json

import numpy as np
import pytest

from batchlab.figures import Band, read_provenance
from batchlab.spectra import AxisKind, Quantity, Spectrum, compare, plot_limits, reach
from batchlab.spectra._figure import look_for, look_of
from batchlab.spectra._page import comparison_page, spectra_page
from tests.chromium import chromium, needs_browser

pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

pytestmark = needs_browser
AXIS = np.linspace(4000.0, 400.0, 721)
LEFT, RIGHT, TOP, BOTTOM = 74, 14, 10, 40  # the plot within its canvas, in pixels


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(
        tmp_path_factory.mktemp("profile"), size="1400,1000", flags=("--force-device-scale-factor=1",)
    ) as driver:
        yield driver


@pytest.fixture
def opened(browser, tmp_path):
    pages = []

    def open_page(text):
        path = tmp_path / "page.html"
        pages.append(path.as_uri())
        path.write_text(text, encoding="utf-8")
        browser.get("about:blank")
        browser.get_log("browser")
        browser.get_log("performance")
        browser.get(path.as_uri())
        until(browser, lambda: browser.execute_script("return document.documentElement.dataset.ready") == "yes")
        return path

    yield open_page
    # What `ink` does, not the page.
    assert [entry for entry in browser.get_log("browser") if "getImageData" not in entry["message"]] == []
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert urls.count(pages[-1]) == 1  # so requests are seen, and the page made none but for itself
    assert all(url == pages[-1] or url.startswith(("data:", "about:")) for url in urls)


def until(browser, condition):
    WebDriverWait(browser, 30).until(lambda _: condition())


def hill(centre, height=1.0):
    return height * np.exp(-(((AXIS - centre) / 150.0) ** 2))


def batch(count=3, **more):
    rows = np.array([hill(1000.0 + 700 * k, 1.0 + k) for k in range(count)])
    names = [f"leaf_{k}" for k in range(count)]
    look = look_for(AXIS, rows, axis_kind=AxisKind.WAVENUMBER, axis_unit="cm-1", quantity=Quantity.ABSORBANCE)
    return spectra_page(AXIS, rows, names, look, **more), rows


def view(browser):
    return [float(end) for end in browser.execute_script("return document.documentElement.dataset.view").split()]


def canvas(browser, name="overlay"):
    return browser.find_element(By.ID, name)


def move_to(browser, share, name="overlay", up=0.5):
    """Put the pointer at a share of the plot's width from its left."""
    plot = canvas(browser, name)
    width, height = plot.size["width"], plot.size["height"]
    x = LEFT + share * (width - LEFT - RIGHT) - width / 2
    y = TOP + up * (height - TOP - BOTTOM) - height / 2
    return ActionChains(browser).move_to_element_with_offset(plot, round(x), round(y))


def number(text):
    return float(text.rpartition(": ")[2].replace("\N{MINUS SIGN}", "-"))


def ink(browser, colour, name="overlay", within=200, alpha=(201, 255)):
    """Columns, as shares of the plot's width, in which a canvas shows a colour."""
    script = """
        const c = document.getElementById(arguments[0]);
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        const found = new Set();
        for (let i = 0; i < d.length; i += 4)
          if (d[i + 3] >= arguments[5] && d[i + 3] <= arguments[6]
              && Math.abs(d[i] - arguments[1]) + Math.abs(d[i + 1] - arguments[2])
              + Math.abs(d[i + 2] - arguments[3]) < arguments[4])
            found.add((i / 4) % c.width);
        return [c.width, [...found].sort((a, b) => a - b)];
    """
    rgb = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    width, columns = browser.execute_script(script, name, *rgb, within, *alpha)
    return (np.array(columns) - LEFT) / (width - LEFT - RIGHT)


def test_a_batch_is_shown_whole_with_its_axis_running_down(browser, opened):
    page, _ = batch()
    opened(page)
    assert view(browser) == [400.0, 4000.0]
    assert not canvas(browser, "difference").is_displayed()
    shares = ink(browser, "#0072B2")
    assert shares.min() == pytest.approx(0.0, abs=0.01)
    assert shares.max() == pytest.approx(1.0, abs=0.01)
    assert [e.text for e in browser.find_elements(By.CSS_SELECTOR, "#spectra bdi")] == ["leaf_0", "leaf_1", "leaf_2"]


def test_the_pointer_tells_the_values_under_it(browser, opened):
    page, rows = batch()
    opened(page)
    move_to(browser, 0.25).perform()
    until(browser, lambda: browser.find_element(By.ID, "where").text != "")
    where = number(browser.find_element(By.ID, "where").text)
    assert where == pytest.approx(3100.0, abs=10.0)
    at = int(np.argmin(np.abs(AXIS - where)))
    told = {
        row.find_elements(By.TAG_NAME, "td")[0].text: number(row.find_elements(By.TAG_NAME, "td")[1].text)
        for row in browser.find_elements(By.CSS_SELECTOR, "#values tr")
    }
    assert told == pytest.approx({f"leaf_{k}": float(np.float32(rows[k][at])) for k in range(3)}, rel=1e-4, abs=1e-12)


def test_dragging_zooms_the_wheel_zooms_and_two_clicks_show_all(browser, opened):
    page, _ = batch()
    opened(page)
    move_to(browser, 0.25).click_and_hold().perform()
    move_to(browser, 0.5).release().perform()
    low, high = view(browser)
    assert (low, high) == pytest.approx((2200.0, 3100.0), abs=15)
    ActionChains(browser).scroll_from_origin(ScrollOrigin.from_element(canvas(browser)), 0, -120).perform()
    until(browser, lambda: view(browser)[1] - view(browser)[0] < 0.85 * (high - low))
    move_to(browser, 0.5).double_click().perform()
    until(browser, lambda: view(browser) == [400.0, 4000.0])
    canvas(browser).send_keys("+")
    assert view(browser)[1] - view(browser)[0] == pytest.approx(0.8 * 3600)
    browser.find_element(By.ID, "reset").click()
    assert view(browser) == [400.0, 4000.0]


def test_spectra_are_hidden_and_shown(browser, opened):
    page, _ = batch()
    opened(page)
    assert ink(browser, "#0072B2", within=30).size > 0
    browser.find_elements(By.CSS_SELECTOR, "#spectra input")[0].click()
    assert ink(browser, "#0072B2", within=30).size == 0
    assert ink(browser, "#E69F00").size > 100
    browser.find_element(By.ID, "none").click()
    assert ink(browser, "#E69F00", within=30).size == 0
    browser.find_element(By.ID, "filter").send_keys("LEAF_2")
    browser.find_element(By.ID, "all").click()
    assert ink(browser, "#009E73").size > 100
    assert ink(browser, "#E69F00", within=30).size == 0


def test_a_chosen_reference_opens_the_panel_of_differences(browser, opened):
    page, rows = batch()
    opened(page)
    Select(browser.find_element(By.ID, "reference")).select_by_visible_text("leaf_1")
    assert canvas(browser, "difference").is_displayed()
    shares = ink(browser, "#0072B2", "difference")
    assert shares.size > 100
    move_to(browser, 0.5, "difference").perform()
    until(browser, lambda: browser.find_element(By.ID, "where").text != "")
    where = number(browser.find_element(By.ID, "where").text)
    at = int(np.argmin(np.abs(AXIS - where)))
    cells = browser.find_elements(By.CSS_SELECTOR, "#values tr:first-child td")
    assert number(cells[2].text) == pytest.approx(rows[0][at] - rows[1][at], rel=1e-4)


def test_a_gap_is_not_bridged_and_a_comparison_shows_both(browser, opened, tmp_path):
    spectra = [
        Spectrum(axis=AXIS, intensity=1.0 + factor * hill(1500.0), axis_kind=AxisKind.WAVENUMBER, name=name)
        for factor, name in ((1.0, "reference"), (1.3, "leaf"))
    ]
    comparison = compare(*spectra)
    look = look_of(comparison, plot_limits(spectra[0], [reach(comparison)]))
    path = opened(comparison_page(comparison, look, provenance={"job": "compare/leaf µ </script>"}))
    assert read_provenance(path) == {"job": "compare/leaf µ </script>"}
    assert canvas(browser, "difference").is_displayed()
    assert "leaf vs reference" in browser.find_element(By.TAG_NAME, "h1").text
    holed = np.array([np.where((AXIS > 2000) & (AXIS < 3000), np.nan, hill(1500.0))])
    opened(spectra_page(AXIS, holed, ["holed"], look))
    shares = ink(browser, "#0072B2")
    assert not ((shares > 0.29) & (shares < 0.54)).any()
    assert (shares < 0.27).any()
    assert (shares > 0.57).any()


@pytest.mark.parametrize(
    "name",
    [
        "<script>window.harmed=1</script>",
        "</script><script>window.harmed=1</script>",
        '"><img src=x onerror=window.harmed=1>',
        "<!--<script>",
        "__proto__",
        "{{7*7}}{% raw %}",
        "\u202egnp.exe\u2066 \u2028 \udcff ]]>",
    ],
)
def test_hostile_names_do_no_harm(browser, opened, name):
    rows = np.array([hill(1000.0), hill(2000.0)])
    look = look_for(AXIS, rows, quantity=Quantity.ABSORBANCE)
    opened(spectra_page(AXIS, rows, [name, "b"], look, title=name, provenance={name: name}, reference=0))
    assert browser.execute_script("return window.harmed === undefined && document.scripts.length === 3")
    assert len(browser.find_elements(By.CSS_SELECTOR, "#spectra li")) == 2
    assert browser.execute_script("return document.querySelectorAll('img').length") == 0


def test_many_spectra_of_many_points_stay_usable(browser, opened):
    axis = np.linspace(4000.0, 400.0, 3600)
    rows = np.array([np.sin(axis / (50 + k)) + k / 100 for k in range(200)])
    look = look_for(axis, rows, axis_kind=AxisKind.WAVENUMBER, quantity=Quantity.ABSORBANCE)
    opened(spectra_page(axis, rows, [f"s{k}" for k in range(200)], look))
    move_to(browser, 0.3).perform()
    until(browser, lambda: "and 188 farther" in browser.find_element(By.ID, "values").text)


def test_band_and_masks_are_shaded_and_named(browser, opened):
    both = [
        Spectrum(axis=AXIS, intensity=k * (0.2 + hill(3000.0)), axis_kind=AxisKind.WAVENUMBER, name=name)
        for k, name in ((1, "white"), (2, "leaf"))
    ]
    comparison = compare(*both, masks=[(1000.0, 1900.0)])
    look = look_of(comparison, plot_limits(both[0], [reach(comparison)]))
    band = Band(x=AXIS[::-1], low=np.full(721, 0.05), high=np.full(721, 0.35), label="tolerance", colour="#00ff00")
    opened(comparison_page(comparison, look, bands=[band]))
    assert browser.find_element(By.TAG_NAME, "h1").text == "leaf vs white"
    assert browser.find_element(By.ID, "key").text.split("\n") == ["tolerance", "masked, not judged"]
    # The axis runs down from 4000.
    shares = ink(browser, "#00ff00", within=24, alpha=(60, 70))
    masked = (4000 - 1900) / 3600, (4000 - 1000) / 3600
    inside = (shares > masked[0] + 0.01) & (shares < masked[1] - 0.01)
    assert not inside.any()
    assert shares.size > 300
    for name in ("overlay", "difference"):
        grey = ink(browser, "#808080", name, within=12, alpha=(48, 54))
        assert grey[(grey > masked[0] + 0.02) & (grey < masked[1] - 0.02)].size > 100
