"""Peaks of known position, width and area, and what changed of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchlab.errors import DataError
from batchlab.spectra import Spectrum, compare, read_text
from batchlab.spectra._peaks import compare_peaks, find_peaks, match_peaks, noise_level
from batchlab.spectra._recipe import Recipe

X = np.linspace(400.0, 1800.0, 1401)
PEAKS = ((500.3, 20.0, 1.0), (640.7, 10.0, 0.5), (900.2, 8.0, 0.8), (1240.45, 30.0, 0.4), (1600.0, 15.0, 0.6))


def gauss(x, position, fwhm, height):
    return height * np.exp(-4 * math.log(2) * ((x - position) / fwhm) ** 2)


def lorentz(x, position, fwhm, height):
    return height / (1 + 4 * ((x - position) / fwhm) ** 2)


def spectrum(shape=gauss, peaks=PEAKS, x=X, baseline=True):
    return sum(shape(x, *peak) for peak in peaks) + (0.2 + 1e-4 * x if baseline else 0.0)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("down", [False, True])
def test_gaussians_have_their_position_height_width_and_area(turned, down):
    way = slice(None, None, -1 if turned else 1)
    signal = 2.0 - spectrum() if down else spectrum()
    found = find_peaks(X[way], signal[way], downwards=down)
    assert len(found) == len(PEAKS)
    for peak, (position, fwhm, height) in zip(found, PEAKS, strict=True):
        assert peak.position == pytest.approx(position, abs=0.1)
        assert peak.height == pytest.approx(height, rel=0.005)
        assert peak.fwhm == pytest.approx(fwhm, rel=0.01)
        assert peak.area == pytest.approx(height * fwhm * math.sqrt(math.pi / math.log(2)) / 2, rel=0.005)
        assert peak.intensity == pytest.approx(np.interp(peak.position, X, signal), abs=0.005)
        assert peak.left < position - fwhm < position + fwhm < peak.right


def test_a_lorentzian_is_measured_above_the_line_between_its_feet():
    position, fwhm, height = 1000.3, 20.0, 1.0
    (peak,) = find_peaks(X, lorentz(X, position, fwhm, height))
    foot = height / (1 + 4 * 3**2)  # at three widths from its top
    assert peak.position == pytest.approx(position, abs=0.02)
    assert (peak.left, peak.right) == (pytest.approx(position - 60, abs=2), pytest.approx(position + 60, abs=2))
    assert peak.height == pytest.approx(height - foot, rel=0.003)
    within = height * fwhm * math.atan(2 * 3)
    assert peak.area == pytest.approx(within - foot * 6 * fwhm, rel=0.01)
    level = foot + (height - foot) / 2
    assert peak.fwhm == pytest.approx(fwhm * math.sqrt(height / level - 1), rel=0.01)


@settings(deadline=None, max_examples=50)
@given(position=st.floats(700.0, 1500.0), fwhm=st.floats(6.0, 60.0))
def test_the_top_is_found_between_the_points(position, fwhm):
    (peak,) = find_peaks(X, gauss(X, position, fwhm, 3.0))
    assert peak.position == pytest.approx(position, abs=0.02)
    assert peak.height == pytest.approx(3.0, rel=0.01)


def test_noise_is_measured_and_makes_no_peaks():
    rng = np.random.default_rng(3)
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(0, 0.004, X.size)
        assert noise_level(spectrum() + noise) == pytest.approx(0.004, rel=0.15)
        found = find_peaks(X, spectrum() + noise)
        assert [round(peak.position / 10) for peak in found] == [50, 64, 90, 124, 160]
    assert find_peaks(X, rng.normal(0, 1, X.size), least_prominence=20.0) == ()
    assert find_peaks(X, np.ones(X.size)) == ()
    assert noise_level(np.ones(2)) == 0.0


def test_an_uneven_axis_is_measured_in_its_unit():
    x = np.linspace(20.0, 42.4, 3000) ** 2
    found = find_peaks(x, spectrum(x=x))
    for peak, (position, fwhm, height) in zip(found, PEAKS, strict=True):
        assert peak.position == pytest.approx(position, abs=0.1)
        assert peak.fwhm == pytest.approx(fwhm, rel=0.01)
        assert peak.area == pytest.approx(height * fwhm * math.sqrt(math.pi / math.log(2)) / 2, rel=0.01)


def test_matched_peaks_tell_what_changed():
    moved = [(p + 0.8, w * 1.25, h * 1.5) for p, w, h in PEAKS[:3]] + [(1400.0, 12.0, 0.7), PEAKS[4]]
    match = match_peaks(find_peaks(X, spectrum()), find_peaks(X, spectrum(peaks=moved)))
    assert [round(pair.reference.position) for pair in match.pairs] == [500, 641, 900, 1600]
    assert [round(peak.position) for peak in match.only_reference] == [1240]
    assert [round(peak.position) for peak in match.only_sample] == [1400]
    for pair, (_, fwhm, _) in zip(match.pairs[:3], PEAKS, strict=False):
        assert pair.shift == pytest.approx(0.8, abs=0.1)
        assert pair.height_ratio == pytest.approx(1.5, rel=0.01)
        assert pair.width_change == pytest.approx(0.25 * fwhm, rel=0.06)
        assert pair.area_ratio == pytest.approx(1.5 * 1.25, rel=0.01)
    assert match.pairs[3].shift == pytest.approx(0.0, abs=1e-9)
    assert match.metrics == {
        "peaks_matched": 4,
        "peaks_only_reference": 1,
        "peaks_only_sample": 1,
        "peak_shift_median": pytest.approx(0.8, abs=0.1),
        "peak_shift_largest": pytest.approx(0.8, abs=0.1),
    }
    rows = match.rows()
    assert [round(row["reference_position"] or row["sample_position"]) for row in rows] == [
        500,
        641,
        900,
        1240,
        1400,
        1600,
    ]
    assert rows[3]["sample_position"] is None and rows[3]["shift"] is None
    assert rows[4]["reference_area"] is None
    assert rows[0]["height_ratio"] == match.pairs[0].height_ratio


def test_each_peak_is_matched_once_the_closest_first():
    one = find_peaks(X, spectrum(peaks=[(800.0, 10.0, 1.0), (830.0, 10.0, 1.0)], baseline=False))
    other = find_peaks(X, spectrum(peaks=[(818.0, 10.0, 1.0)], baseline=False))
    match = match_peaks(one, other, tolerance=20.0)
    assert [pair.reference.position for pair in match.pairs] == [pytest.approx(830.0, abs=0.1)]
    assert [peak.position for peak in match.only_reference] == [pytest.approx(800.0, abs=0.1)]
    none = match_peaks(one, other, tolerance=5.0)
    assert not none.pairs and math.isnan(none.metrics["peak_shift_median"])


def test_without_peaks_there_is_no_tolerance_of_their_own():
    with pytest.raises(DataError) as caught:
        match_peaks((), find_peaks(X, spectrum()))
    assert caught.value.reason == "no-peaks"
    assert len(match_peaks((), find_peaks(X, spectrum()), tolerance=1.0).only_sample) == 5


def pair(sample, **facts):
    said = {"axis_kind": "wavenumber", **facts}
    return Spectrum(axis=X, intensity=spectrum(), **said), Spectrum(axis=X, intensity=sample, **said)


def test_the_peaks_of_a_comparison_are_matched():
    comparison = compare(*pair(spectrum(peaks=[(p + 0.5, w, 2 * h) for p, w, h in PEAKS])))
    match = compare_peaks(comparison)
    assert len(match.pairs) == 5 and not match.only_reference and not match.only_sample
    for matched in match.pairs:
        assert matched.shift == pytest.approx(0.5, abs=0.1)
        assert matched.height_ratio == pytest.approx(2.0, rel=0.01)
    assert compare_peaks(comparison, least_prominence=0.7).metrics["peaks_matched"] == 2


def test_a_transmittance_has_its_bands_downwards():
    one, other = (
        Spectrum(axis=X, intensity=100 * 10**-each, axis_kind="wavenumber", quantity="transmittance", unit="%")
        for each in (spectrum(baseline=False), spectrum(peaks=PEAKS[:4], baseline=False))
    )
    match = compare_peaks(compare(one, other))
    assert [round(matched.shift, 6) for matched in match.pairs] == [0.0] * 4
    assert [round(peak.position) for peak in match.only_reference] == [1600]
    assert match.pairs[0].reference.intensity == pytest.approx(10.0, abs=0.5)
    assert match.pairs[0].reference.height == pytest.approx(90.0, rel=0.02)


def test_no_peak_stands_under_a_mask_or_at_a_gap():
    recipe = Recipe.model_validate({"steps": [{"step": "mask", "regions": [[505, 700]]}]})
    taken = compare_peaks(compare(*pair(spectrum()), recipe=recipe))
    assert [round(matched.reference.position) for matched in taken.pairs] == [500, 900, 1240, 1600]
    masked = compare_peaks(compare(*pair(spectrum()), masks=[(600, 700)]))
    assert [round(matched.reference.position) for matched in masked.pairs] == [500, 900, 1240, 1600]


def test_the_bands_of_paracetamol_stand_where_they_are_known(shared_spectra):
    found = read_text(shared_spectra / "headerless-tab-descending" / "paracetamol.txt", axis_kind="raman shift")
    positions = np.array([peak.position for peak in find_peaks(found.axis, found.intensity)])
    # Bands of 4-acetamidophenol in the table of ASTM E1840; this instrument reads up to 6 cm-1 too high.
    for known in (390.9, 651.6, 797.2, 857.9, 1168.5, 1236.8, 1323.9, 1648.4):
        assert np.abs(positions - known).min() < 6.0, known
