"""The interactive page as a file."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from batchlab.errors import DataError, PlotError
from batchlab.figures import Band, read_provenance
from batchlab.spectra import AxisKind, Spectrum, compare, plot_limits, reach
from batchlab.spectra._figure import look_for, look_of
from batchlab.spectra._page import comparison_page, spectra_page

AXIS = np.array([500.0, 400.0, 200.0])
ROWS = np.array([[1.0, 2.0, 3.0], [4.0, np.nan, 6.0]])
LOOK = look_for(AXIS, ROWS, axis_kind=AxisKind.WAVENUMBER, axis_unit="cm-1")


def data_in(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page).group(1))


def numbers(text, kind):
    return np.frombuffer(base64.b64decode(text), dtype=kind)


def test_the_page_holds_every_number_on_an_ascending_axis():
    found = data_in(spectra_page(AXIS, ROWS, ["a", "b"], LOOK))
    np.testing.assert_array_equal(numbers(found["axis"], "<f8"), AXIS[::-1])
    np.testing.assert_array_equal([numbers(row, "<f4") for row in found["rows"]], ROWS[:, ::-1])
    assert found["down"] is True
    assert found["x_label"] == "Wavenumber / cm⁻¹"


def test_equal_spectra_make_equal_bytes_and_nothing_is_fetched():
    page = spectra_page(AXIS, ROWS, ["a", "b"], LOOK, provenance={"b": "2", "a": "1"})
    assert page == spectra_page(AXIS, ROWS, ["a", "b"], LOOK, provenance={"a": "1", "b": "2"})
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    assert "://" not in page


def test_provenance_comes_back_or_is_said_to_be_missing(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(spectra_page(AXIS, ROWS, ["a", "b"], LOOK, provenance={"in": "</script>\udcff µ"}), "utf-8")
    assert read_provenance(path) == {"in": "</script>\udcff µ"}
    path.write_text(spectra_page(AXIS, ROWS, ["a", "b"], LOOK), "utf-8")
    with pytest.raises(DataError) as caught:
        read_provenance(path)
    assert caught.value.reason == "no-provenance"


def test_a_gap_of_a_comparison_is_a_gap_of_the_page():
    axis = np.array([900.0, 800.0, 500.0, 400.0])
    both = [
        Spectrum(axis=axis, intensity=np.array([1.0, 2.0, 3.0, 5.0]) * k, axis_kind=AxisKind.WAVENUMBER) for k in (1, 2)
    ]
    comparison = replace(compare(*both), gaps=((520.0, 780.0),))
    look = look_of(comparison, plot_limits(both[0], [reach(comparison)]))
    found = data_in(comparison_page(comparison, look))
    np.testing.assert_array_equal(numbers(found["axis"], "<f8"), [400.0, 500.0, 650.0, 800.0, 900.0])
    np.testing.assert_array_equal(numbers(found["rows"][1], "<f4"), [10.0, 6.0, np.nan, 4.0, 2.0])
    assert found["reference"] == 0


@pytest.mark.parametrize(
    ("axis", "rows", "names", "reference", "say"),
    [
        (AXIS, ROWS, ["a"], None, "1 names"),
        (AXIS, ROWS[:, :2], ["a", "b"], None, "shape"),
        (np.array([1.0, 3.0, 2.0]), ROWS, ["a", "b"], None, "strictly"),
        (AXIS, ROWS, ["a", "b"], 2, "no spectrum 2"),
    ],
)
def test_what_is_no_batch_is_refused(axis, rows, names, reference, say):
    with pytest.raises(PlotError, match=say):
        spectra_page(axis, rows, names, LOOK, reference=reference)


def test_the_page_of_a_comparison_shows_band_and_masks_and_is_headed_by_both_names():
    axis = np.linspace(900.0, 400.0, 11)
    both = [
        Spectrum(axis=axis, intensity=k * (1 + axis / 100), axis_kind=AxisKind.WAVENUMBER, name=name)
        for k, name in ((1, "white"), (2, "leaf <1>"))
    ]
    comparison = compare(*both, masks=[(700.0, 600.0)])
    band = Band(x=axis[::-1], low=np.zeros(11), high=np.ones(11), label="tolerance")
    page = comparison_page(comparison, look_of(comparison, plot_limits(both[0], [reach(comparison)])), bands=[band])
    assert "<h1><bdi>leaf &lt;1&gt; vs white</bdi></h1>" in page
    found = data_in(page)
    assert found["masks"] == [[600.0, 700.0]]
    (shown,) = found["bands"]
    assert shown["label"] == "tolerance"
    x, high = numbers(shown["x"], "<f8"), numbers(shown["high"], "<f4")
    assert np.isnan(high[(x > 600) & (x < 700)]).all()
    assert np.isfinite(high[(x <= 600) | (x >= 700)]).all()
    assert data_in(spectra_page(AXIS, ROWS, ["a", "b"], LOOK))["bands"] == []
