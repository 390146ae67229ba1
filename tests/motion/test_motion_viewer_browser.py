"""The viewer in a real browser, opened from disk."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from viewer_makers import fit_of

from batchlab.motion._model import Body
from batchlab.motion._read import read_recording
from batchlab.motion._solve import fit_body
from batchlab.motion._synthetic import join_bodies, simulate
from batchlab.motion._viewer import write_viewer
from tests.chromium import chromium, needs_browser

pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = needs_browser
VIEW_ANGLE = np.radians(35.0)
LAYERS = ("raw", "fitted", "vectors", "edges", "axes", "grid")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile"), size="1280,1000") as driver:
        yield driver


@pytest.fixture(scope="module")
def walk():
    return simulate("walk", frames=400, seed=4)


@pytest.fixture(scope="module")
def walk_page(walk, tmp_path_factory):
    return write_viewer(tmp_path_factory.mktemp("viewer") / "walk.html", walk.recording, [fit_of(walk)])


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


def requests(browser):
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]


def choose(browser, name, value):
    run(
        browser,
        "const e = document.getElementById(arguments[0]); e.value = arguments[1];"
        "e.dispatchEvent(new Event('input')); e.dispatchEvent(new Event('change'));",
        name,
        value,
    )


def show_only(browser, *layers):
    for name in LAYERS:
        box = browser.find_element(By.ID, f"show-{name}")
        if box.is_selected() != (name in layers):
            run(browser, "arguments[0].click()", box)


def projected(camera, places):
    """Pixels of places, from where the camera stands and looks: our own way there, not the page's."""
    eye, centre, up = (np.array(camera[name]) for name in ("eye", "centre", "u"))
    forward = (centre - eye) / np.linalg.norm(centre - eye)
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    turn = np.stack([right, np.cross(right, forward), forward])
    x, y, depth = turn @ (np.asarray(places, dtype=float) - eye).T
    scale = camera["height"] / 2 / np.tan(VIEW_ANGLE / 2) / (depth if camera["perspective"] else camera["distance"])
    return np.stack([camera["width"] / 2 + x * scale, camera["height"] / 2 - y * scale], axis=1)


def on_page(browser, names, kind="measured"):
    found = [viewer(browser, f"project({json.dumps(name)}, {json.dumps(kind)})") for name in names]
    return np.array([[place["x"], place["y"]] if place else [np.nan, np.nan] for place in found])


def pixels(browser):
    from matplotlib.image import imread

    text = viewer(browser, "picture()").split(",")[1]
    return np.rint(255 * imread(io.BytesIO(base64.b64decode(text)), format="png")[:, :, :3]).astype(int)


def near(picture, place, colour, within=2, tolerance=12):
    """Whether a colour is to be seen within some pixels of a place."""
    x, y = np.rint(place).astype(int)
    part = picture[max(0, y - within) : y + within + 1, max(0, x - within) : x + within + 1]
    return bool((np.abs(part - np.array(colour)).max(axis=2) <= tolerance).any())


def rgb(browser, text):
    return run(
        browser,
        "const c = new OffscreenCanvas(1, 1).getContext('2d'); c.fillStyle = arguments[0]; c.fillRect(0, 0, 1, 1);"
        "return [...c.getImageData(0, 0, 1, 1).data].slice(0, 3);",
        text,
    )


def theme(browser, name):
    return rgb(
        browser, run(browser, f"return getComputedStyle(document.documentElement).getPropertyValue('--{name}').trim()")
    )


def residual_of(fit, name, frame):
    return fit.residuals_m[frame, fit.body.markers.index(name)]


@pytest.mark.parametrize(("up", "parallel"), [("z", False), ("y", False), ("-x", True)])
def test_markers_are_drawn_where_they_are(browser, walk, walk_page, up, parallel):
    load(browser, walk_page)
    choose(browser, "up", up)
    if parallel:
        browser.find_element(By.ID, "parallel").click()
    for frame in (0, 137, 399):
        viewer(browser, f"goTo({frame})")
        camera = viewer(browser, "camera()")
        axis = np.eye(3)["xyz".index(up[-1])] * (-1 if up[0] == "-" else 1)
        assert camera["u"] == pytest.approx(axis)
        names, places = walk.recording.markers, walk.recording.positions[frame]
        assert on_page(browser, names) == pytest.approx(projected(camera, places), abs=0.1, nan_ok=True)
        true = walk.positions_m[frame]
        assert on_page(browser, names, "fitted") == pytest.approx(projected(camera, true), abs=0.1)
    high, low = projected(camera, [axis * 0.1 + camera["centre"], camera["centre"]])
    assert high[1] < low[1]


def test_measured_markers_are_filled_and_missing_ones_hollow(browser, walk, walk_page):
    load(browser, walk_page)
    show_only(browser, "raw")
    choose(browser, "follow", "0")
    missing = np.isnan(walk.recording.positions[:, :, 0])
    names, drawn = walk.recording.markers, {True: 0, False: 0}
    for frame in np.flatnonzero(missing.any(axis=1))[::40][:4]:
        viewer(browser, f"goTo({frame})")
        picture = pixels(browser)
        body, paper = rgb(browser, "#0072B2"), theme(browser, "scene")
        places = on_page(browser, names, "fitted")
        for k, name in enumerate(names):
            if np.linalg.norm(np.delete(places, k, axis=0) - places[k], axis=1).min() < 25:
                continue  # another marker may lie over it
            drawn[bool(missing[frame, k])] += 1
            if missing[frame, k]:
                assert near(picture, places[k], paper, within=1)
                assert near(picture, places[k], body, within=11)
                assert not near(picture, places[k], body, within=1)
            else:
                colour = rgb(browser, viewer(browser, f"colour({json.dumps(name)})"))
                assert near(picture, on_page(browser, [name])[0], colour, within=1)
    assert drawn[True] and drawn[False]


def test_residuals_grow_with_their_scale(browser, tmp_path):
    truth = simulate("walk", frames=3, missing=0.0, noise_m=0.0)
    places = truth.recording.positions.copy()
    places[:, 0] += [0.004, 0.0, 0.003]
    truth = replace(truth, recording=replace(truth.recording, positions=places))
    fit = fit_of(truth)
    load(browser, write_viewer(tmp_path / "walk.html", truth.recording, [fit]))
    show_only(browser, "vectors")
    choose(browser, "follow", "0")
    ink = theme(browser, "ink")
    seen = {}
    for index, scale in enumerate((1, 2, 5, 10, 20, 50, 100)):
        choose(browser, "scale", str(index))
        assert browser.find_element(By.ID, "scale-told").text == f"×{scale}"
        picture = pixels(browser)
        tips = truth.positions_m[0, 0] + np.outer((1, 2, 5, 10), residual_of(fit, "m1", 0))
        seen[scale] = [near(picture, tip, ink) for tip in projected(viewer(browser, "camera()"), tips)]
    assert seen[2] == [True, True, False, False]
    assert seen[5] == [True, True, True, False]
    assert seen[10] == [True, True, True, True]


def test_colours_tell_residuals_in_mm(browser, walk, walk_page):
    load(browser, walk_page, "#frame=50")
    fit = fit_of(walk)
    choose(browser, "limit", "4")
    scale = [(68, 1, 84), (253, 231, 37)]
    for name in walk.recording.markers:
        off = 1000 * np.linalg.norm(residual_of(fit, name, 50))
        colour = rgb(browser, viewer(browser, f"colour({json.dumps(name)})"))
        if np.isfinite(off):
            assert (colour == list(scale[1])) == (off >= 4)
            # Brighter is larger.
            assert 20 < sum(colour) / 3 < 180 and colour[1] == pytest.approx(1 + 230 * min(1, off / 4), abs=35)
    choose(browser, "colour", "body")
    assert rgb(browser, viewer(browser, "colour('m1')")) == [0, 114, 178]


def test_it_plays_steps_and_scrubs(browser, walk_page):
    load(browser, walk_page)
    assert viewer(browser, "frame") == 0
    browser.find_element(By.ID, "play").click()
    until(browser, lambda: viewer(browser, "frame") > 5)
    browser.find_element(By.ID, "play").click()
    assert viewer(browser, "playing") is False
    choose(browser, "scrub", "100")
    assert viewer(browser, "frame") == 100
    scene = browser.find_element(By.ID, "scene")
    scene.send_keys(Keys.ARROW_RIGHT)
    assert viewer(browser, "frame") == 101
    ActionChains(browser).key_down(Keys.SHIFT).send_keys(Keys.ARROW_LEFT).key_up(Keys.SHIFT).perform()
    assert viewer(browser, "frame") == 91
    scene.send_keys(Keys.END)
    assert viewer(browser, "frame") == 399
    browser.find_element(By.ID, "loop").click()
    choose(browser, "speed", "10")
    choose(browser, "scrub", "380")
    scene.send_keys(Keys.SPACE)
    until(browser, lambda: viewer(browser, "playing") is False)
    assert viewer(browser, "frame") == 399


def test_a_click_on_a_marker_opens_its_plot_and_the_plot_moves_the_cursor(browser, walk, walk_page):
    load(browser, walk_page, "#frame=60")
    choose(browser, "follow", "0")
    until(browser, lambda: viewer(browser, "frame") == 60)
    names = walk.recording.markers
    viewer(browser, "picture()")
    places = on_page(browser, names, "fitted")
    apart = np.linalg.norm(places[:, None] - places[None], axis=2) + 1e6 * np.eye(len(names))
    lonely = int(apart.min(axis=1).argmax())
    target = on_page(browser, [names[lonely]])[0]
    if np.isnan(target).any():
        target = places[lonely]
    scene, box = browser.find_element(By.ID, "scene"), browser.find_element(By.ID, "detail-box")
    assert not box.is_displayed()
    offset = target - [scene.size["width"] / 2, scene.size["height"] / 2]
    ActionChains(browser).move_to_element_with_offset(scene, *np.rint(offset).astype(int).tolist()).click().perform()
    assert viewer(browser, "selected") == names[lonely]
    assert box.is_displayed()
    assert browser.find_element(By.ID, "detail-name").text == names[lonely]
    lengths = 1000 * np.linalg.norm(fit_of(walk).residuals_m[:, lonely], axis=1)
    told = browser.find_element(By.ID, "detail-facts").text
    assert f"rms {np.sqrt(np.nanmean(lengths**2)):.3g} mm" in told
    chosen = browser.find_elements(By.CSS_SELECTOR, "#markers button[aria-pressed=true]")
    assert [row.get_attribute("title") for row in chosen] == [names[lonely]]
    for name in ("detail", "overview"):
        sheet = browser.find_element(By.ID, name)
        for share in (0.25, 0.75):
            across = 52 + share * (sheet.size["width"] - 62) - sheet.size["width"] / 2
            ActionChains(browser).move_to_element_with_offset(sheet, round(across), 0).click().perform()
            assert viewer(browser, "frame") == pytest.approx(399 * share, abs=1)
    scene.send_keys(Keys.ESCAPE)
    assert viewer(browser, "selected") is None
    assert not box.is_displayed()


def test_a_drag_turns_a_shifted_drag_moves_and_the_wheel_zooms(browser, walk_page):
    load(browser, walk_page)
    scene = browser.find_element(By.ID, "scene")
    before = viewer(browser, "camera()")
    ActionChains(browser).move_to_element(scene).click_and_hold().move_by_offset(80, 30).release().perform()
    viewer(browser, "picture()")
    turned = viewer(browser, "camera()")
    assert turned["distance"] == before["distance"]
    assert turned["centre"] == pytest.approx(before["centre"])
    assert np.dot(turned["forward"], before["forward"]) < 0.9
    drag = ActionChains(browser).key_down(Keys.SHIFT).move_to_element(scene).click_and_hold()
    drag.move_by_offset(80, 30).release().key_up(Keys.SHIFT).perform()
    viewer(browser, "picture()")
    shifted = viewer(browser, "camera()")
    assert shifted["forward"] == pytest.approx(turned["forward"])
    # What was in the middle has gone along with the pointer.
    middle = projected(shifted, [turned["centre"]])[0] - [shifted["width"] / 2, shifted["height"] / 2]
    assert middle == pytest.approx([80, 30], abs=1)
    run(browser, "arguments[0].dispatchEvent(new WheelEvent('wheel', {deltaY: -200, cancelable: true}))", scene)
    viewer(browser, "picture()")
    assert viewer(browser, "camera()")["distance"] < shifted["distance"]
    assert viewer(browser, "selected") is None


def test_following_keeps_a_body_in_the_middle(browser, walk, walk_page):
    load(browser, walk_page)
    choose(browser, "follow", "0")
    for frame in (10, 390):
        viewer(browser, f"goTo({frame})")
        assert viewer(browser, "camera()")["centre"] == pytest.approx(walk.translations_m[frame], abs=1e-5)


def test_several_bodies_share_the_scene(browser, tmp_path):
    first, second = simulate(frames=60, seed=1), simulate(frames=60, seed=2, session=3)
    fits = [
        fit_of(truth, Body(name=name, markers=tuple(f"{name}:{m}" for m in truth.recording.markers)))
        for name, truth in (("hand <b>", first), ("foot", second))
    ]
    recording = join_bodies("both", {"hand <b>": first, "foot": second})
    load(browser, write_viewer(tmp_path / "both.html", recording, fits, title="Hand & <b>foot</b>"))
    assert browser.find_element(By.TAG_NAME, "h1").text == "Hand & <b>foot</b>"
    assert "16 markers · 2 bodies" in browser.find_element(By.ID, "facts").text
    follow = browser.find_elements(By.CSS_SELECTOR, "#follow option")
    assert [option.text for option in follow] == ["nothing", "all bodies", "hand <b>", "foot"]
    choose(browser, "colour", "body")
    assert viewer(browser, "colour('hand <b>:m1')") != viewer(browser, "colour('foot:m1')")
    choose(browser, "follow", "all")
    viewer(browser, "goTo(30)")
    between = (first.translations_m[30] + second.translations_m[30]) / 2
    assert viewer(browser, "camera()")["centre"] == pytest.approx(between, abs=1e-5)
    assert browser.get_log("browser") == []


def test_the_address_opens_a_frame_and_a_marker(browser, walk_page):
    load(browser, walk_page, "#t=1.5&marker=m3")
    assert viewer(browser, "frame") == 150
    assert viewer(browser, "selected") == "m3"
    run(browser, "location.hash = 'frame=7'")
    until(browser, lambda: viewer(browser, "frame") == 7)


def test_a_picture_is_saved(browser, walk_page, tmp_path):
    load(browser, walk_page, "#frame=5")
    setting = {"behavior": "allow", "downloadPath": str(tmp_path)}
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", setting)
    browser.find_element(By.ID, "save").click()
    target = tmp_path / "walk_frame_5.png"
    until(browser, target.exists)
    assert target.read_bytes().startswith(b"\x89PNG")


def test_every_key_and_control_works_offline_without_a_complaint(browser, walk_page):
    load(browser, walk_page)
    scene = browser.find_element(By.ID, "scene")
    scene.send_keys("mfveaolgxtcubp123h+-nnm[]n")
    for trail in ("0.5", "1e9"):
        choose(browser, "trail", trail)
        viewer(browser, "goTo(300)")
    for component in ("laboratory", "body", "length"):
        choose(browser, "component", component)
        viewer(browser, "picture()")
    scene.send_keys("?")
    assert browser.find_element(By.ID, "keys").is_displayed()
    browser.find_element(By.ID, "keys-close").click()
    until(browser, lambda: not browser.find_element(By.ID, "keys").is_displayed())
    assert browser.get_log("browser") == []
    assert all(url.startswith(("file:", "data:")) for url in requests(browser))


def test_a_small_screen_holds_everything(browser, walk_page):
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        load(browser, walk_page, "#marker=m2")
        assert run(browser, "return document.documentElement.scrollWidth") <= 390
        for name in ("scene", "overview", "detail", "play", "follow"):
            assert browser.find_element(By.ID, name).size["width"] > 30
        assert viewer(browser, "camera()")["height"] > 300
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_recording_without_a_fit_is_shown(browser, walk, tmp_path):
    load(browser, write_viewer(tmp_path / "raw.html", walk.recording), "#frame=20&marker=m1")
    camera = viewer(browser, "camera()")
    expected = projected(camera, walk.recording.positions[20])
    assert on_page(browser, walk.recording.markers) == pytest.approx(expected, abs=0.1, nan_ok=True)
    assert not browser.find_element(By.ID, "colour").is_displayed()
    assert browser.get_log("browser") == []


def test_the_real_box_opens(browser, shared_motion, tmp_path):
    recording = read_recording(shared_motion / "pyomeca_markers_analogs.c3d")
    body = Body(name="box", markers=tuple(name for name in recording.markers if name.startswith("boite")))
    load(browser, write_viewer(tmp_path / "box.html", recording, fit_body([recording], body)), "#frame=300")
    camera = viewer(browser, "camera()")
    expected = projected(camera, recording.positions[300])
    assert on_page(browser, recording.markers) == pytest.approx(expected, abs=0.1, nan_ok=True)
    assert browser.get_log("browser") == []
