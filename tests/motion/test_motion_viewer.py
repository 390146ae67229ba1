"""The viewer's page as text: what it holds, what it refuses."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from dataclasses import replace

import numpy as np
import pytest
from viewer_makers import fit_of

from batchlab.errors import ConfigError, DataError
from batchlab.figures import read_provenance
from batchlab.motion._model import Body, FrameConvention
from batchlab.motion._synthetic import join_bodies, simulate
from batchlab.motion._viewer import viewer_page, write_viewer


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])


def numbers(text, kind, columns):
    return np.frombuffer(b64decode(text), dtype=kind).reshape(-1, columns)


def residuals_of(marker):
    codes = numbers(marker["residuals"]["codes"], "<i2", 3).astype(float)
    codes[codes == -32768] = np.nan
    return np.sign(codes) * (codes / 32767) ** 2 * marker["residuals"]["peak_m"]


def test_poses_and_residuals_tell_what_was_measured():
    truth = simulate("walk", frames=300, outliers=0.01)
    fit = fit_of(truth)
    data = data_of(viewer_page(truth.recording, [fit]))
    for slot, marker in enumerate(data["markers"]):
        found, expected = residuals_of(marker), fit.residuals_m[:, slot]
        assert np.array_equal(np.isnan(found), np.isnan(expected))
        # Half a step of a square root: small residuals keep theirs to a micrometre beside outliers of 50 mm.
        assert np.nanmax(np.abs(found - expected)) < 2e-6
        assert "track" not in marker
    poses = numbers(data["bodies"][0]["poses"], "<f4", 7)
    assert poses[:, :3] == pytest.approx(fit.translations_m, abs=1e-6)


def test_markers_of_no_body_and_frames_without_a_pose_keep_their_places():
    truth = simulate("walk", frames=60, missing=0.0)
    body = Body(name="part", markers=truth.recording.markers[:4])
    fit = fit_of(truth, body)
    rotations, residuals = fit.rotations.copy(), fit.residuals_m.copy()
    rotations[10:20] = residuals[10:20] = np.nan
    data = data_of(viewer_page(truth.recording, [replace(fit, rotations=rotations, residuals_m=residuals)]))
    for k, marker in enumerate(data["markers"]):
        track = marker["track"]
        codes = numbers(track["codes"], "<i2", 3).astype(float)
        codes[codes == -32768] = np.nan
        places, expected = track["middle_m"] + codes * track["step_m"], truth.recording.positions[:, k].copy()
        if k < 4:
            expected[:10] = expected[20:] = np.nan
        assert places == pytest.approx(expected, abs=2e-5, nan_ok=True)
    poses = numbers(data["bodies"][0]["poses"], "<f4", 7)
    assert np.isnan(poses[10:20]).all()
    assert np.isfinite(poses[:10]).all()


def test_irregular_times_are_kept_and_frames_can_be_left_out():
    truth = simulate(frames=40)
    times = truth.recording.times_s.copy()
    times[20:] += 0.5
    recording = replace(truth.recording, times_s=times, rate_hz=None)
    fit = replace(fit_of(truth), times_s=times)
    data = data_of(viewer_page(recording, [fit], every=3))
    assert data["frames"] == 14
    assert numbers(data["times"]["values"], "<f8", 1)[:, 0] == pytest.approx(times[::3])
    regular = data_of(viewer_page(truth.recording))["times"]
    assert regular == {"start": 0.0, "step": pytest.approx(0.01)}


def test_edges_are_the_bodies_own_or_those_asked_for_or_an_outline():
    truth = simulate(frames=20)
    names = truth.recording.markers
    body = Body(name="b", markers=names, edges=((0, 1), (1, 2)), convention=FrameConvention())
    assert data_of(viewer_page(truth.recording, [fit_of(truth, body)]))["edges"] == [[0, 1], [1, 2]]
    asked = [(names[3], names[7])]
    assert data_of(viewer_page(truth.recording, [fit_of(truth)], edges=asked))["edges"] == [[3, 7]]
    corners = np.array([[x, y, z] for x in (0.0, 0.3) for y in (0.0, 0.2) for z in (0.0, 0.1)])
    outline = data_of(viewer_page(truth.recording, [replace(fit_of(truth), geometry_m=corners)]))["edges"]
    differing = [int((corners[i] != corners[j]).sum()) for i, j in outline]
    assert differing == [1] * 12


def test_ten_thousand_frames_take_about_a_megabyte(tmp_path):
    truth = simulate(frames=10_000)
    path = write_viewer(tmp_path / "walk.html", truth.recording, [fit_of(truth)])
    assert path == tmp_path / "walk.html"
    assert path.stat().st_size < 1_250_000


def test_names_stay_names_and_provenance_is_told(tmp_path):
    truth = simulate(frames=5)
    evil = "</script><script>alert(1)</script>"
    recording = replace(truth.recording, name=evil, markers=(evil, *truth.recording.markers[1:]))
    path = write_viewer(tmp_path / "walk.html", recording, provenance={"job": "fit/walk"})
    text = path.read_text(encoding="utf-8")
    assert evil not in text
    assert data_of(text)["markers"][0]["name"] == evil
    assert read_provenance(path)["job"] == "fit/walk"
    assert "http" not in text.replace("http-equiv", "")


def test_what_cannot_be_shown_is_refused_with_the_mend():
    truth = simulate(frames=5)
    fit = fit_of(truth)
    with pytest.raises(DataError, match=r"in px; .*metres"):
        viewer_page(replace(truth.recording, unit="px"))
    with pytest.raises(DataError, match=r"4 frames.*has 5; give the recording"):
        viewer_page(truth.recording, [replace(fit, times_s=fit.times_s[:4])])
    with pytest.raises(DataError, match="'m1' is in body 'body' and in body 'body'"):
        viewer_page(truth.recording, [fit, fit])
    with pytest.raises(DataError, match="no marker 'm9'"):
        viewer_page(truth.recording, [fit], edges=[("m1", "m9")])
    with pytest.raises(DataError, match="every=0"):
        viewer_page(truth.recording, [fit], every=0)
    with pytest.raises(ConfigError, match="'w' is no axis"):
        viewer_page(truth.recording, [fit], up="w")
    empty = replace(truth.recording, times_s=np.zeros(0), positions=np.zeros((0, 8, 3)))
    with pytest.raises(DataError, match="no frames"):
        viewer_page(empty)


def test_a_body_may_have_a_marker_that_the_recording_lacks():
    truth = simulate(frames=5)
    whole = fit_of(truth)
    less = replace(
        truth.recording, markers=truth.recording.markers[:7], positions=truth.recording.positions[:, :7].copy()
    )
    residuals = whole.residuals_m.copy()
    residuals[:, 7] = np.nan
    data = data_of(viewer_page(less, [replace(whole, residuals_m=residuals)]))
    assert [marker["name"] for marker in data["markers"]][-1] == "m8"
    assert np.isnan(residuals_of(data["markers"][-1])).all()


def test_several_bodies_share_one_page():
    first, second = simulate(frames=30, seed=1), simulate(frames=30, seed=2, session=3)
    recording = join_bodies("both", {"a": first, "b": second})
    fits = [
        fit_of(truth, Body(name=name, markers=tuple(f"{name}:{m}" for m in truth.recording.markers)))
        for name, truth in (("a", first), ("b", second))
    ]
    data = data_of(viewer_page(recording, fits))
    assert [body["markers"] for body in data["bodies"]] == [list(range(8)), list(range(8, 16))]
    assert {marker["body"] for marker in data["markers"]} == {0, 1}
