"""The package offers its names without loading what is behind them, and notebooks show its nouns."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import batchlab.particles as particles
from batchlab.particles import (
    Dropped,
    Limits,
    Scale,
    SpectrogramSheet,
    describe,
    draw,
    find_files,
    merge,
    pitch_grid,
    read_pitch_spectrogram,
    read_spectrogram,
    sketch_of,
)
from batchlab.particles._synthetic import Mission

EVIL = '<script>alert("x")</script> & more'


def whole(html: str) -> ET.Element:
    """The HTML as a tree: every tag is closed, and nothing in it came from a name."""
    assert "<script" not in html
    return ET.fromstring(f"<div>{html}</div>")


def test_every_name_is_there() -> None:
    assert sorted(particles.__all__) == sorted(particles._HOME_OF)
    for name in particles.__all__:
        assert getattr(particles, name) is not None
    assert set(particles.__all__) <= set(dir(particles))
    with pytest.raises(AttributeError, match="no attribute 'orbits'"):
        _ = particles.orbits


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys, batchlab.particles; assert not {'numpy', 'pycdfpp', 'matplotlib'} & set(sys.modules)"
    env = {**os.environ, "PYTHONPATH": str(Path(particles.__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr


def test_a_spectrogram_shows_a_picture_and_what_is_known(mission: Mission) -> None:
    read = read_spectrogram(mission.truth(20541, "ees").path)
    shown = replace(read, name=EVIL, notes=(EVIL,), dropped=Dropped(records=42, invalid=2, cells=100, fill=3))
    tree = whole(shown._repr_html_())
    (image,) = tree.iter("img")
    assert image.get("src", "").startswith("data:image/png;base64,") and len(image.get("src", "")) < 200_000
    cells = [cell.text for cell in tree.iter("td")]
    assert "40 of 42, 2 bad, 3 % of cells left out" in cells
    assert any(cell and "2001-10-31 19:46:41 to 19:5" in cell for cell in cells)
    assert repr(replace(shown, name="ees")).startswith(
        "<Spectrogram 'ees': Differential energy flux / eV/(cm² s sr eV), 40 records of 4"
    )


def test_a_spectrogram_of_nothing_says_so(mission: Mission) -> None:
    shown = read_spectrogram(mission.truth(20541, "ees").path)
    none = replace(shown, times_s=np.empty((0, 2)), mode=shown.mode[:0], values=shown.values[:, :0])
    tree = whole(none._repr_html_())
    assert not list(tree.iter("img")) and any("record" in (item.text or "") for item in tree.iter("li"))
    assert "0 records of no energies" in repr(none)


def test_spectrograms_by_pitch_angle_show_bands(mission: Mission) -> None:
    shown = read_pitch_spectrogram(mission.truth(20541, "ies").path)
    assert len(list(whole(shown._repr_html_()).iter("img"))) == 1
    assert "records of 32 pitch angles" in repr(shown)


def test_files_limits_sketches_and_pictures_are_shown(mission: Mission) -> None:
    found = find_files(mission.data)
    assert repr(found) == "<Found: 11 files of 3 orbits, 3 with an orbit file>"
    rows = [[cell.text for cell in row] for row in whole(found._repr_html_()).iter("tr")]
    assert rows[1] == ["20541", "ees, ies, ieb", "2001-10-31 19:46:40", "yes"]

    path = mission.truth(20541, "ees").path
    told = whole(describe(path)._repr_html_())
    assert any(cell.text == "eflux" for cell in told.iter("td"))

    shown = read_spectrogram(path)
    sketch = merge([sketch_of(shown)])
    assert repr(sketch).startswith("<Sketch 'ees' of 1 files")
    assert next(whole(sketch._repr_html_()).iter("td")).text == "all"
    assert [cell.text for cell in whole(Limits(y_max=4000.0)._repr_html_()).iter("td")] == [None, "4000", None, None]
    drawn = draw(SpectrogramSheet(rows=pitch_grid(shown, y_scale=Scale.LOG)), width_px=600, height_px=600)
    assert len(list(whole(drawn._repr_html_()).iter("img"))) == 1
