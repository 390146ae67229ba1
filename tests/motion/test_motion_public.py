"""The public names of the domain: there, typed, loaded when asked for; its example runs; nouns show themselves."""

from __future__ import annotations

import inspect
import subprocess
import sys
import textwrap
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import batchlab.motion as package
from batchlab.engine import Status
from batchlab.errors import ConfigError
from batchlab.motion import (
    Body,
    EyeOptions,
    FitOptions,
    Holdout,
    Loss,
    Smoothing,
    Weights,
    fit_and_score,
    fit_body,
    join_bodies,
    simulate,
    write_recording,
    write_recordings,
)

EVIL = "<b onload=x>&"


def test_every_name_is_there_once_and_typed():
    assert sorted(package.__all__) == package.__all__ == sorted(package._HOME_OF)
    for name in package.__all__:
        assert getattr(package, name) is not None
    assert set(package.__all__) <= set(dir(package))
    source = inspect.getsource(package)
    block = source[source.index("if TYPE_CHECKING:") : source.index("_HOMES")]
    assert set(package.__all__) <= set(block.replace(",", " ").replace("(", " ").split())
    with pytest.raises(AttributeError, match="no attribute 'sweeps'"):
        _ = package.sweeps


@pytest.mark.parametrize("words", ["import batchlab.motion", "from batchlab.motion import Body, fit_batch, sweep"])
def test_importing_loads_no_science(words):
    script = f"import sys; {words}\nprint(sorted({{'numpy', 'scipy', 'matplotlib', 'jinja2'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_the_example_runs_as_it_stands(tmp_path, monkeypatch):
    text = textwrap.dedent("\n\n".join(package.__doc__.split("\n\n")[1:5]))
    assert text.startswith("from batchlab.motion import") and "find_best" in text
    walk = simulate("walk", frames=100, seed=3)
    write_recording(tmp_path, replace(join_bodies("walk", {"box": walk}), name="walk"), "c3d")
    write_recordings(tmp_path / "data", frames=100)
    monkeypatch.chdir(tmp_path)
    found: dict[str, object] = {}
    exec(compile(text, "example", "exec"), found)
    assert found["fit"].status.value == "converged" and found["recording"].markers[0] == "box:m1"
    assert found["result"].counts[Status.DONE] == 3


@pytest.fixture(scope="module")
def walk():
    return simulate("walk", frames=500, case="never-visible", missing=0.0, seed=3).recording


def whole(html):
    """Parsed: well-formed, and without what a page would run."""
    tree = ET.fromstring(f"<div>{html}</div>")
    assert not [each for each in tree.iter() if each.tag.endswith("script")]
    assert not [name for each in tree.iter() for name in each.attrib if name.startswith("on")]
    return tree


def test_a_recording_shows_when_markers_were_seen(walk):
    assert repr(walk) == "<Recording 'walk': 8 markers, 500 frames in 4.99 s at 100 Hz, 12.5 % not seen>"
    html = walk._repr_html_()
    tree = whole(html)
    words = [each.text for each in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert words[:2] == ["m1", "100 %"] and words[14:16] == ["m8", "0 %"] and len(html) < 12_000
    evil = replace(walk, name=EVIL, markers=(EVIL, *walk.markers[1:]), notes=(EVIL,), rate_hz=None)
    assert EVIL in [each.text for each in whole(evil._repr_html_()).iter("li")]


def test_few_frames_many_markers_and_pixels_show_themselves_too(walk):
    none = replace(walk, times_s=walk.times_s[:0], positions=walk.positions[:0])
    assert repr(none) == "<Recording 'walk': 8 markers, 0 frames at 100 Hz>"
    whole(none._repr_html_())
    many = replace(
        walk, markers=tuple(f"k{n}" for n in range(100)), positions=np.zeros((500, 100, 2)), unit="px", stated_unit=""
    )
    tree = whole(many._repr_html_())
    assert [each.text for each in tree.iter("li")] == ["and 60 more markers"]
    assert "px" in [each.text for each in tree.iter("td")]


def test_a_fit_shows_how_well_it_fits(walk):
    options = FitOptions(weights=Weights(data_per_m=500.0, rotation=0.1, translation=1.0))
    (fit,) = fit_body([walk], Body(name=EVIL, markers=walk.markers), options)
    rms = 1e3 * np.sqrt(np.nanmean(np.sum(fit.residuals_m**2, axis=2)))
    count = f", {len(fit.warnings)} warning" if fit.warnings else ""
    assert repr(fit).startswith(
        f"<Fit of {EVIL!r} in 'walk': converged after {fit.iterations} steps, {rms:.3g} mm rms, "
    )
    assert count in repr(fit)
    tree = whole(fit._repr_html_())
    rows = [[cell.text for cell in row.iter("td")] for row in tree.iter("tr")]
    (first,) = (row for row in rows if row[:1] == ["m1"])
    assert [float(each) for each in first[1:4]] == pytest.approx(1e3 * fit.geometry_m[0], abs=0.006)
    (last,) = (row for row in rows if row[:1] == ["m8"])
    assert last[4:] == ["–", "100", "–"]
    assert [each.text for each in tree.iter("li")] == list(fit.warnings)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: FitOptions(loss="hubert"), "loss is 'hubert'; choose one of squared, huber, .* did you mean 'huber'"),
        (lambda: FitOptions(smoothing="secnd"), "smoothing is 'secnd'; .* did you mean 'second'"),
        (lambda: FitOptions(loss=3), "loss is 3; choose one of squared, .*tukey$"),
        (lambda: EyeOptions(loss="turkey"), "did you mean 'tukey'"),
        (lambda: EyeOptions(edge="outlined"), "edge is 'outlined'; .* did you mean 'outline'"),
        (lambda: EyeOptions(noise_px="a"), "noise_px is 'a'; it must be a number"),
        (lambda: Holdout(kind="heldout"), "kind is 'heldout'; .* did you mean 'held-out'"),
        (lambda: Weights(data_per_m="a"), "weights.data_per_m is 'a'; it must be a number"),
        (lambda: Weights(rotation=None), "weights.rotation is None; it must be a number"),
        (lambda: Weights(per_marker={"m1": "much"}), "weights.per_marker of m1 is 'much'; it must be a number"),
    ],
)
def test_options_that_are_none_are_refused_where_they_are_made(make, words):
    with pytest.raises(ConfigError, match=words):
        make()


def test_words_are_taken_for_what_they_stand_for():
    options = FitOptions(loss="cauchy", smoothing="first")
    assert options.loss is Loss.CAUCHY and options.smoothing is Smoothing.FIRST


def test_a_recording_alone_is_fitted_as_one_of_them(walk):
    body = Body(name="b", markers=walk.markers)
    assert fit_body(walk, body)[0].cost == fit_body([walk], body)[0].cost
    assert fit_and_score(walk, body)[1].mean_m == fit_and_score([walk], body)[1].mean_m


def test_a_score_shows_itself(walk):
    _, score = fit_and_score([walk], Body(name="b", markers=walk.markers))
    score = replace(score, warnings=(EVIL,))
    line = repr(score)
    assert line.startswith("<Score held-out: ") and f"{score.count} places foretold, 1 warning>" in line
    assert f" ± {1e3 * score.standard_error_m:.2g} mm over 5 folds" in line
    tree = whole(score._repr_html_())
    rows = [[cell.text for cell in row.iter("td")] for row in tree.iter("tr")]
    folds = [row for row in rows if len(row) == 3]
    assert [float(row[1]) for row in folds] == pytest.approx(1e3 * score.folds_m, rel=1e-3)
    assert [each.text for each in tree.iter("li")] == [EVIL]
