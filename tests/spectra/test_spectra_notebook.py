"""How results look in a notebook: whole HTML, small, with every text escaped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from batchlab.spectra import Recipe, Spectrum, analyse, compare_peaks, inspect, recognize
from batchlab.spectra._notebook import curves_svg, points_svg
from batchlab.spectra._similarity import compare

AXIS = np.linspace(4000.0, 400.0, 1800)
EVIL = '<script>alert("x")</script> & more'


def whole(html: str) -> ET.Element:
    """The HTML as a tree: every tag is closed, and nothing in it came from a name."""
    assert "<script" not in html
    return ET.fromstring(f"<div>{html}</div>")


@pytest.fixture
def spectrum() -> Spectrum:
    signal = np.exp(-(((AXIS - 1650) / 30) ** 2)) + 0.01 * np.sin(AXIS)
    return Spectrum(
        axis=AXIS, intensity=signal, axis_kind="wavenumber", quantity="absorbance",
        name=EVIL, metadata={EVIL: EVIL}, warnings=(EVIL,),
    )  # fmt: skip


def test_a_spectrum_shows_its_curve_and_what_is_known(spectrum: Spectrum):
    html = spectrum._repr_html_()
    tree = whole(html)
    assert len(html) < 12_000 and len(list(tree.iter("{http://www.w3.org/2000/svg}polyline"))) == 1
    assert "Wavenumber / cm⁻¹" in html and "1800 points" in html
    assert repr(replace(spectrum, name="leaf")).startswith("<Spectrum 'leaf': 1800 points, 4000 to 400, Wavenumber")


def test_a_comparison_shows_both_curves(spectrum: Spectrum):
    tree = whole(compare(spectrum, replace(spectrum, name="b"))._repr_html_())
    assert len(list(tree.iter("{http://www.w3.org/2000/svg}polyline"))) == 2
    assert any("pearson_r" in (cell.text or "") for cell in tree.iter("td"))


def test_an_analysis_shows_scores_and_what_stands_out():
    rng = np.random.default_rng(0)
    rows = np.exp(-(((AXIS - 1650) / 300) ** 2)) * rng.normal(1, 0.02, (20, 1)) + rng.normal(0, 1e-3, (20, AXIS.size))
    rows[7] += 0.5 * np.exp(-(((AXIS - 1000) / 40) ** 2))
    analysis = analyse(AXIS, rows, [EVIL if at == 7 else f"s{at}" for at in range(20)])
    tree = whole(analysis._repr_html_())
    dots = list(tree.iter("{http://www.w3.org/2000/svg}circle"))
    assert len(dots) == 20 and len({dot.get("fill") for dot in dots}) == 2
    assert any(cell.text == "outlier" for cell in tree.iter("td"))


def test_a_file_shows_its_layout_its_plan_and_a_refusal(tmp_path: Path):
    path = tmp_path / "<b>.csv"
    rows = "\n".join(f"{x:.1f},{np.exp(-(((x - 600) / 50) ** 2)):.5f}" for x in np.linspace(400, 800, 300))
    path.write_text(f"Wavelength (nm),Absorbance\n{rows}\n")
    found = inspect(path)
    assert "columns" in found._repr_html_()
    whole(found._repr_html_())
    recognition = recognize(path)
    whole(recognition._repr_html_())
    assert recognition.plan is not None and "wavelength" in recognition.plan._repr_html_()
    whole(recognition.plan._repr_html_())
    assert "no such file" in inspect(tmp_path / "<i>")._repr_html_()


@pytest.mark.parametrize("count", [2, 5000])
def test_the_curve_keeps_its_ends_and_its_extremes(count: int):
    x, y = np.linspace(0, 1, count), np.zeros(count)
    y[count // 2] = 3.0
    svg = curves_svg(x, {"a": y})
    assert "6.0,114.0 " in svg and ",6.0" in svg
    assert len(svg) < 10_000


def test_nothing_to_show_is_no_picture():
    nothing = np.full(3, np.nan)
    assert curves_svg(np.arange(3.0), {"a": nothing}) == ""
    assert points_svg(nothing, nothing, ("a", "b", "c"), (False,) * 3) == ""


def test_a_recipe_and_a_plan_say_what_they_say_beyond_the_defaults(tmp_path: Path):
    recipe = Recipe(steps=["snv", {"cut": [[600, 700]]}], to_axis="wavenumber")
    assert repr(recipe).startswith("Recipe(to_axis='wavenumber', steps=('snv()', 'cut(")
    assert str(recipe) == repr(recipe)
    assert repr(Recipe()) == "Recipe()"
    cells = [cell.text for cell in whole(recipe._repr_html_()).iter("td")]
    assert cells[:4] == ["to_axis", "wavenumber", "step 1", "snv()"]
    assert "nothing is done" in Recipe()._repr_html_()
    path = tmp_path / "leaf.csv"
    path.write_text("wavelength (nm),absorbance\n" + "".join(f"{400 + k},{k / 7:.4f}\n" for k in range(60)))
    found = recognize(path)
    assert repr(found).startswith("<Recognition: columns, 400 to 459, 60 points, confidence 0.")
    assert str(found.plan) == repr(found.plan)
    assert "axis=AxisPlan(column=0, kind='wavelength', unit='nm')" in repr(found.plan)
    assert "last_column" not in repr(found.plan)


def test_the_package_shows_its_own_names_alone():
    import batchlab.spectra as package

    assert {name for name in dir(package) if not name.startswith("__")} == set(package.__all__)
    assert "read_spectrum" in (package.__doc__ or "")


def test_matched_peaks_are_a_line_and_a_table():
    axis = np.linspace(0.0, 100.0, 501)
    one, more = (
        sum(np.exp(-(((axis - at) / 4.0) ** 2)) for at in positions) for positions in ((30.0, 70.0), (30.4, 70.0, 50.0))
    )
    match = compare_peaks(
        compare(Spectrum(axis=axis, intensity=one, name="r"), Spectrum(axis=axis, intensity=more, name="s"))
    )
    assert repr(match) == "<PeakMatch: 2 peaks of both, 0 of the reference alone, 1 of the sample>"
    shown = match._repr_html_()
    assert shown.count("<tr>") == 4 and "sample_fwhm" in shown and "nan" not in shown
