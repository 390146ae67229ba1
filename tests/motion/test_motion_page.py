"""The page of a fit: what it shows is what was fitted, every place leads to its frame, and nothing else is in it."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html import unescape
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from viewer_makers import fit_of

from batchlab.engine import Settings, Status, read_view, run
from batchlab.figures import read_provenance
from batchlab.motion import Body, FitOptions, Weights, fit_batch, fit_body, fit_page, judge, simulate, write_recording
from batchlab.motion._panel._charts import seen_of_fit, visibility_chart
from batchlab.motion._panel._courses import _angles, _speeds, pose_charts
from batchlab.motion._panel._edges import _edge_rows
from batchlab.motion._solve import exponentials

SVG = "{http://www.w3.org/2000/svg}"
OPTIONS = FitOptions(weights=Weights(data_per_m=500.0, rotation=0.05, translation=0.3))


def fitted(truth):
    body = Body(name="box", markers=truth.recording.markers)
    return fit_body([truth.recording], body, OPTIONS)


def drawings(page):
    return [ET.fromstring(found) for found in re.findall(r"<svg xmlns.*?</svg>", page, re.DOTALL)]


def cells(page, marker):
    (row,) = re.findall(rf'<tr data-marker="{marker}">(.*?)</tr>', page)
    return [re.sub(r"<[^>]+>", "", each) for each in re.findall(r"<td[^>]*>(.*?)</td>", row)]


@pytest.fixture(scope="module")
def loose():
    return simulate("loose walk", case="loose", frames=400, seed=3)


@pytest.fixture(scope="module")
def loose_fits(loose):
    return fitted(loose)


@pytest.fixture(scope="module")
def page(loose, loose_fits):
    return fit_page(
        [loose.recording],
        loose_fits,
        judgements=[judge(loose.recording, loose_fits[0])],
        viewers=["walk%20in%20space.html"],
        params={"weights": {"rotation": 0.05}, "loss": "huber"},
        provenance={"batch": "b<1>", "params": "{}"},
    )


def test_every_marker_is_told_as_it_was_fitted(page, loose_fits):
    (fit,) = loose_fits
    lengths = 1e3 * np.linalg.norm(fit.residuals_m, axis=2)
    for number, marker in enumerate(fit.body.markers):
        told = cells(page, marker)
        assert told[0] == marker + ("loose" if marker == "m8" else "")
        assert [float(each.replace("−", "-")) for each in told[1:4]] == pytest.approx(
            1e3 * fit.geometry_m[number], abs=0.006
        )
        assert float(told[5]) == pytest.approx(np.sqrt(np.nanmean(lengths[:, number] ** 2)), rel=0.006)
        assert float(told[-2]) == pytest.approx(100 * np.isnan(lengths[:, number]).mean(), abs=0.01, rel=0.006)


def test_it_says_in_words_what_is_odd(page):
    (odd,) = re.findall(r'<ul class="odd">(.*?)</ul>', page)
    assert "marker m8 is loose, it moves on the body" in odd
    blind = simulate("blind", frames=200, seed=1)
    blind.recording.positions[50:60] = np.nan
    fits = fitted(blind)
    told = fit_page([blind.recording], fits, judgements=[judge(blind.recording, fits[0])])
    # Once, with its frames.
    assert told.count("10 of 200 frames") == 1 and "50 to 59" in told
    plain = simulate("plain", frames=200, seed=1)
    fits = fitted(plain)
    whole = judge(plain.recording, fits[0])
    assert "Nothing: no marker is loose" in fit_page([plain.recording], fits, judgements=[whole])
    assert "It was not looked for" in fit_page([plain.recording], fits)


def test_places_lead_to_the_worst_frame_under_them(page, loose_fits):
    (fit,) = loose_fits
    links = re.findall(r'href="([^"]*#[^"]*)"', page)
    assert len(links) > 300
    seen = set()
    for link in links:
        address, _, fragment = unescape(link).partition("#")
        asked = dict(part.split("=") for part in fragment.split("&"))
        assert address == "walk%20in%20space.html"
        seen.add((asked.get("marker"), int(asked["frame"])))
    for number, marker in enumerate(fit.body.markers):
        worst = int(np.nanargmax(np.linalg.norm(fit.residuals_m[:, number], axis=1)))
        assert (marker, worst) in seen


def test_a_sentence_leads_to_its_frame_and_marker():
    truth = simulate("swap", case="swapped", frames=400, seed=3)
    fits = fitted(truth)
    page = fit_page([truth.recording], fits, judgements=[judge(truth.recording, fits[0])], viewers=["v.html"])
    (odd,) = re.findall(r'<ul class="odd">(.*?)</ul>', page)
    (frame,) = re.findall(r'<a href="v.html#frame=(\d+)&amp;marker=m[12]">', odd)
    assert abs(int(frame) - truth.swap.start) <= 3


def test_it_runs_no_script_and_asks_for_nothing(page, tmp_path):
    (css,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = b64encode(sha256(css.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in unescape(page)
    assert re.findall(r"<script(.*?)>", page) == [' type="application/json" id="batchlab-provenance"']
    assert not re.findall(r'\b(?:src|style|on\w+)="', page)
    assert set(re.findall(r"https?://[^\s\"<]*", page)) == {"http://www.w3.org/2000/svg"}
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    assert read_provenance(path) == {"batch": "b<1>", "params": "{}"}
    assert "<td>weights.rotation</td><td>0.05</td>" in page and "<td>batch</td><td>b&lt;1&gt;</td>" in page


def test_names_are_only_text():
    evil = '"><script>alert(1)</script>&\ud800'
    truth = simulate("walk", frames=60, markers=4, seed=2)
    recording = replace(truth.recording, name=evil, markers=(evil, *truth.recording.markers[1:]), notes=(evil,))
    fit = replace(
        fit_of(truth), recording=evil, body=Body(name=evil, markers=recording.markers), warnings=(f"marker {evil}",)
    )
    page = fit_page([recording], [fit], viewers=["v.html"], params={evil: evil}, provenance={evil: "x"})
    assert "<script>alert" not in page
    for drawing in drawings(page):
        assert drawing.tag == f"{SVG}svg"


def test_what_was_never_seen_is_dark_all_along():
    truth = simulate("walk", case="never-visible", frames=3000, seed=2)
    chart = ET.fromstring(visibility_chart(seen_of_fit(fit_of(truth))))
    dark = [path.get("d") for path in chart.iter(f"{SVG}path") if path.get("fill") == "#3a3a3a"]
    # From the left to the right end, in one box.
    assert re.fullmatch(r"M124\.0 [\d.]+h934\.0v[\d.]+H124\.0Z", dark[-1])
    page = fit_page([truth.recording], [fit_of(truth)])
    assert cells(page, "m8")[5] == "–" and cells(page, "m8")[-2] == "100"


def test_a_body_without_poses_has_a_page():
    truth = simulate("walk", frames=50, seed=2)
    hidden = replace(truth.recording, name="dark", positions=np.full_like(truth.recording.positions, np.nan))
    fits = fit_body([truth.recording, hidden], Body(name="box", markers=hidden.markers), OPTIONS)
    page = fit_page([truth.recording, hidden], fits)
    assert page.count("No pose could be found") == 1
    assert "dark" in page.partition("No pose could be found")[0].rpartition("<summary>")[2]


def test_several_recordings_share_a_page_and_the_worst_are_drawn():
    truths = [simulate(f"walk {n}", frames=60, seed=2, session=n, noise_m=1e-3 * (1 + (n == 5))) for n in range(8)]
    fits = fit_body([each.recording for each in truths], Body(name="box", markers=truths[0].recording.markers), OPTIONS)
    page = fit_page([each.recording for each in truths], fits, viewers=[f"{n}.html" for n in range(8)])
    assert page.count('<details class="recording"') == 6 and "2 more recordings are not drawn" in page
    assert '<a class="open" href="5.html">' in page
    assert "8 recordings that share one geometry" in page


def test_errors_of_turns_are_those_of_small_turns():
    truth = simulate("walk", frames=200, seed=3)
    sd = np.tile([0.001, 0.002, 0.004, 0.0, 0.0, 0.0], (200, 1))
    fit = replace(fit_of(truth), pose_sd=sd)
    angles, errors = _angles(fit)
    variance = np.zeros_like(angles)
    for axis in range(3):
        step = np.zeros((200, 3))
        step[:, axis] = 1e-6
        moved, _ = _angles(replace(fit, rotations=exponentials(step) @ fit.rotations))
        slope = (np.radians(moved - angles) + np.pi) % (2 * np.pi) - np.pi
        variance += (slope / 1e-6 * sd[:, axis, None]) ** 2
    # Beside the lock, where derivatives have no end, a step is too long for them.
    level = np.abs(fit.rotations[:, 2, 0]) < 0.99
    assert level.sum() > 150
    assert np.radians(errors[level]) == pytest.approx(np.sqrt(variance[level]), rel=1e-3)


def test_bands_of_errors_lie_within_their_axes():
    fit = fitted(simulate("walk", frames=400, seed=5))[0]
    # Errors far wider than what they are errors of, and a frame of which nothing is known.
    pose_sd = np.full((400, 6), 10.0)
    pose_sd[7] = 1e6
    _, drawing = pose_charts(replace(fit, pose_sd=pose_sd))[0]
    band = next(each for each in ET.fromstring(drawing).iter(f"{SVG}path") if each.get("fill-opacity") == "0.3")
    heights = [
        float(y) for y in re.findall(r" (-?[\d.]+)", re.sub("[A-Za-z]", " ", band.get("d")).replace("  ", " "))[1::2]
    ]
    assert np.mean([8.5 < y < 111.5 for y in heights]) > 0.95


def test_speeds_are_those_of_the_motion():
    truth = simulate("walk", frames=50, seed=3)
    times = truth.recording.times_s
    turn = exponentials(np.outer(times, [0.0, np.pi / 2, 0.0]))
    fit = replace(fit_of(truth), rotations=turn, translations_m=np.outer(times, [0.3, 0.4, 0.0]))
    speed, turning = _speeds(fit)
    assert speed == pytest.approx(np.full(50, 500.0)) and turning == pytest.approx(np.full(50, 90.0))


def test_edges_are_measured_against_the_fit():
    truth = simulate("walk", frames=4000, seed=3, noise_m=1e-6, missing=0.0)
    fit = fit_of(truth)
    longer = replace(fit, geometry_m=fit.geometry_m * 1.1)
    for name, length, percentiles in _edge_rows([truth.recording], [longer]):
        first, second = (int(each[1:]) - 1 for each in name.split(" – "))
        true = 1e3 * np.linalg.norm(truth.geometry_m[first] - truth.geometry_m[second])
        assert length == pytest.approx(1.1 * true) and percentiles == pytest.approx([-0.1 * true] * 5, abs=0.01)


def test_wherever_outputs_lie_the_page_leads_to_the_viewer(tmp_path: Path):
    truth = simulate("walk", frames=60, markers=4, seed=2)
    write_recording(tmp_path / "data", truth.recording)
    batch = fit_batch([tmp_path / "data"], tmp_path / "out")
    (job,) = batch.jobs
    moved = {**job.outputs, "page": "pages/of fits/walk.html", "viewer": "space/walk #1.html"}
    result = run(replace(batch, jobs=(replace(job, outputs=moved),), settings=Settings(workers=1)))
    assert {each.state for each in read_view(result.root).jobs} == {Status.DONE}
    page = tmp_path / "out" / "pages" / "of fits" / "walk.html"
    (address,) = re.findall(r'class="open" href="([^"]*)"', page.read_text(encoding="utf-8"))
    assert address == "../../space/walk%20%231.html" and (page.parent / unquote(address)).is_file()
