"""The view of an eye in a real browser, opened from disk."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from batchlab.motion._eye import Camera, Edge, EyeOptions, eyes_of_gaze, fit_eye, fitted_pixels
from batchlab.motion._read import read_gaze, read_recording
from batchlab.motion._synthetic import simulate_eye
from batchlab.motion._viewer import write_eye_viewer
from tests.chromium import chromium, needs_browser

pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = needs_browser
FRAMES = 400


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile"), size="1400,1000") as driver:
        yield driver


@pytest.fixture(scope="module")
def truth():
    return simulate_eye(frames=FRAMES, seed=1)


@pytest.fixture(scope="module")
def camera(truth):
    return Camera(focal_px=truth.focal_px, principal_px=tuple(truth.principal_px))


@pytest.fixture(scope="module")
def fit(truth, camera):
    return fit_eye(truth.recording, camera, EyeOptions(noise_px=0.4))


@pytest.fixture(scope="module")
def page(truth, fit, tmp_path_factory):
    return write_eye_viewer(tmp_path_factory.mktemp("viewer") / "eye.html", truth.recording, [fit])


def load(browser, path, fragment=""):
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(path.as_uri() + fragment)
    until(browser, lambda: run(browser, "return document.documentElement.dataset.ready === 'yes'"))


def until(browser, condition):
    WebDriverWait(browser, 30).until(lambda _: condition())


def run(browser, script, *arguments):
    return browser.execute_script(script, *arguments)


def viewer(browser, call):
    return run(browser, f"return window.viewer.{call}")


def picture(browser, name):
    """Pixels of a canvas."""
    from matplotlib.image import imread

    viewer(browser, "goTo(window.viewer.frame)")
    text = run(browser, f"return document.getElementById('{name}').toDataURL('image/png')").split(",")[1]
    return np.rint(255 * imread(io.BytesIO(base64.b64decode(text)), format="png")[:, :, :3]).astype(int)


def near(drawn, place, colour, within=2, tolerance=30):
    """Whether a colour is to be seen within some pixels of a place."""
    x, y = np.rint([place["x"], place["y"]]).astype(int)
    part = drawn[max(0, y - within) : y + within + 1, max(0, x - within) : x + within + 1]
    return bool((np.abs(part - np.array(colour)).max(axis=2) <= tolerance).any())


def theme(browser, name):
    return run(
        browser,
        "const c = new OffscreenCanvas(1, 1).getContext('2d');"
        "c.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(arguments[0]).trim();"
        "c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data].slice(0, 3);",
        f"--{name}",
    )


def test_it_asks_for_nothing_and_complains_of_nothing(browser, page):
    load(browser, page)
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [page.as_uri()]
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("edge", list(Edge))
def test_points_and_gaze_are_those_of_the_fit(browser, truth, camera, tmp_path, edge):
    recording = truth.recording
    positions = recording.positions.copy()
    positions[30:40, 2] = np.nan
    recording = replace(recording, positions=positions)
    fit = fit_eye(recording, camera, EyeOptions(noise_px=0.4, edge=edge))
    load(browser, write_eye_viewer(tmp_path / "eye.html", recording, [fit]))
    assert viewer(browser, "names") == list(fit.points)
    fitted = fitted_pixels(recording, fit)
    blink = int(np.flatnonzero(truth.blinks)[0])
    for frame in (0, 35, 222, blink):
        at = viewer(browser, f"gaze(0, {frame})")
        assert at["gaze"] == pytest.approx(fit.gaze[frame], abs=1e-6)
        assert at["radius"] == pytest.approx(fit.pupil_radius_m[frame], rel=1e-6)
        for number, name in enumerate(fit.points):
            raw, near_, off = (
                viewer(browser, f"pixel('{name}', '{kind}', {frame})") for kind in ("measured", "fitted", "residual")
            )
            assert near_ == pytest.approx(fitted[frame, number], abs=0.01)
            if np.isfinite(fit.residuals_px[frame, number]).all():
                assert raw == pytest.approx(recording.positions[frame, number], abs=0.01)
                assert off == pytest.approx(fit.residuals_px[frame, number], abs=0.01)
            else:
                assert raw is None and off is None


def test_the_image_shows_points_outline_and_centre(browser, fit, page):
    load(browser, page)
    frame = int(np.flatnonzero(fit.covered == 0)[7])
    viewer(browser, f"goTo({frame})")
    drawn, blue, paper = picture(browser, "image"), (0, 114, 178), theme(browser, "scene")
    places = {name: viewer(browser, f"onImage('{name}')") for name in fit.points}
    for place in places.values():
        assert not near(drawn, place, paper, within=1, tolerance=4)
    # The outline passes half-way between points too.
    x, y = (np.mean([place[axis] for place in places.values()]) for axis in ("x", "y"))
    reach = np.hypot(places["p1"]["x"] - x, places["p1"]["y"] - y)
    turned = {"x": x + reach * np.cos(np.pi / 8), "y": y + reach * np.sin(np.pi / 8)}
    assert near(drawn, turned, blue, within=int(0.12 * reach))
    run(browser, "document.getElementById('show-fitted').click()")
    assert not near(picture(browser, "image"), turned, blue, within=int(0.12 * reach))


def test_the_eyeball_and_its_pupil_stand_in_space(browser, fit, page):
    load(browser, page)
    viewer(browser, "goTo(0)")
    run(browser, "document.getElementById('front').click()")
    drawn = picture(browser, "scene")
    pupil = viewer(browser, "project(window.viewer.pupil())")
    # From the camera's place the pupil faces the reader, and a blue arrow comes out of it.
    assert near(drawn, pupil, (0, 114, 178), within=3)
    # As in the image, x is to the right and y is down.
    run(browser, "document.getElementById('parallel').click()")
    picture(browser, "scene")
    for frame in (0, 150, 399):
        viewer(browser, f"goTo({frame})")
        pupil, centre = (
            viewer(browser, f"project({place})") for place in ("window.viewer.pupil()", fit.center_m.tolist())
        )
        moved = np.array([pupil["x"] - centre["x"], pupil["y"] - centre["y"]])
        assert moved / centre["scale"] == pytest.approx(fit.pupil_distance_m[0] * fit.gaze[frame, :2], abs=1e-5)
    before = picture(browser, "scene")
    for name in ("ball", "ray", "camera"):
        run(browser, f"document.getElementById('show-{name}').click()")
        after = picture(browser, "scene")
        assert (before != after).any(), name
        before = after


def test_it_plays_steps_and_opens_at_a_frame(browser, page):
    load(browser, page, "#frame=50&marker=p3")
    assert viewer(browser, "frame") == 50 and viewer(browser, "selected") == "p3"
    keys = browser.find_element(By.TAG_NAME, "body")
    keys.send_keys(Keys.ARROW_RIGHT)
    assert viewer(browser, "frame") == 51
    keys.send_keys(Keys.SPACE)
    until(browser, lambda: viewer(browser, "frame") > 60)
    assert viewer(browser, "playing")
    keys.send_keys(Keys.SPACE)
    assert not viewer(browser, "playing")
    keys.send_keys(Keys.END)
    assert viewer(browser, "frame") == FRAMES - 1
    assert browser.get_log("browser") == []


def test_a_click_on_a_point_plots_its_residual(browser, truth, page):
    load(browser, page)
    frame = int(np.flatnonzero(~truth.blinks)[20])
    viewer(browser, f"goTo({frame})")
    image = browser.find_element(By.ID, "image")
    place = viewer(browser, "onImage('p6')")
    offset = (place["x"] - image.size["width"] / 2, place["y"] - image.size["height"] / 2)
    ActionChains(browser).move_to_element_with_offset(image, int(offset[0]), int(offset[1])).click().perform()
    assert viewer(browser, "selected") == "p6"
    assert browser.find_element(By.ID, "detail-name").text == "p6"
    assert "px, not seen in" in browser.find_element(By.ID, "detail-facts").text
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.ESCAPE)
    assert viewer(browser, "selected") is None
    assert browser.find_element(By.ID, "quantity").is_displayed()
    for value in ("error", "residual", "speed", "radius"):
        run(
            browser,
            "const e = document.getElementById('quantity'); e.value = arguments[0];"
            "e.dispatchEvent(new Event('change'));",
            value,
        )
    assert browser.get_log("browser") == []


def test_both_eyes_of_a_headset_are_shown_without_an_image(browser, shared_motion, tmp_path):
    path = shared_motion / "pupil_labs_gaze_positions.csv"
    fits = eyes_of_gaze(read_gaze(path), "gaze")
    load(browser, write_eye_viewer(tmp_path / "gaze.html", read_recording(path), fits))
    assert viewer(browser, "eyes") == ["eye0", "eye1"] and viewer(browser, "names") == []
    assert not browser.find_element(By.ID, "image").is_displayed()
    frame = int(np.flatnonzero((fits[0].covered == 0) & (fits[1].covered == 0))[100])
    for number, each in enumerate(fits):
        assert viewer(browser, f"gaze({number}, {frame})")["gaze"] == pytest.approx(each.gaze[frame], abs=1e-6)
    viewer(browser, f"goTo({frame})")
    drawn = picture(browser, "scene")
    for each, colour in zip(fits, ((0, 114, 178), (230, 159, 0)), strict=True):
        tip = each.center_m + 0.02 * each.gaze[frame]
        assert near(drawn, viewer(browser, f"project({tip.tolist()})"), colour, within=3)
    assert browser.get_log("browser") == []


def test_names_are_only_text(browser, truth, camera, tmp_path):
    evil = '<img src=x onerror="document.title=1">'
    markers = (evil, *truth.recording.markers[1:])
    recording = replace(truth.recording, name="</script><b>", markers=markers, notes=("<i>note</i>",))
    angles = {name: 2 * np.pi * number / 8 for number, name in enumerate(markers[:8])}
    fit = fit_eye(recording, camera, EyeOptions(noise_px=0.4, angles_rad=angles))
    load(browser, write_eye_viewer(tmp_path / "eye.html", recording, [fit]))
    assert browser.find_element(By.TAG_NAME, "h1").text == "</script><b>"
    assert viewer(browser, "names")[0] == evil
    assert browser.find_elements(By.CSS_SELECTOR, "#markers img, #notes-list i") == []
