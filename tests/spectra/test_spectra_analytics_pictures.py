"""The picture of a batch shows what was found."""

from __future__ import annotations

import numpy as np
import pytest

from batchlab.figures import Picture, Rule
from batchlab.spectra._analytics import analyse
from batchlab.spectra._analytics._pictures import batch_sheet, chart_plot, scores_plot
from tests.spectra.test_spectra_analytics_batch import AXIS, band, good, names

RING = (0xD5, 0x5E, 0x00)


def picture(found, dpi=60, **options):
    return Picture(batch_sheet(found, axis_label="Wavenumber / cm⁻¹", dpi=dpi, **options))


def is_near(pixels, where, colour, within=18):
    row, column = (round(each) for each in where)
    around = pixels[row - within : row + within + 1, column - within : column + within + 1, :3].astype(int)
    return bool((np.abs(around - colour).max(axis=-1) <= 12).any())


def test_outliers_are_ringed_in_scores_and_distances():
    spectra = good(30)
    spectra[4] += 3 * band(1100) + band(1600)
    found = analyse(AXIS, spectra, names(30))
    assert found.outliers == ("s004",)
    drawn = picture(found, dpi=160)
    assert is_near(drawn.rgba, drawn.pixel_at(0, *found.scores[4, :2]), RING)
    place = (found.t2_of_limit[4], found.q[4] / found.limits.q_batch)
    assert is_near(drawn.rgba, drawn.pixel_at(1, *place), RING)
    for other in np.flatnonzero(np.hypot(*(found.scores[:, :2] - found.scores[4, :2]).T) > 0.5):
        assert not is_near(drawn.rgba, drawn.pixel_at(0, *found.scores[other, :2]), RING, 5)


@pytest.mark.parametrize(
    "spectra",
    [good(5), np.tile(band(900), (8, 1)), good(40) * np.linspace(1, 1e6, 40)[:, None], good(9, noise=1.0)],
    ids=["few", "equal", "far apart", "noise"],
)
def test_any_batch_can_be_drawn(spectra):
    found = analyse(AXIS, spectra, names(len(spectra)))
    drawn = picture(found, falling=True)
    assert np.unique(drawn.rgba.reshape(-1, 4), axis=0).shape[0] > 20


def test_equal_batches_make_equal_bytes():
    spectra = good(20)
    first, second = (picture(analyse(AXIS, spectra, names(20))).png() for _ in range(2))
    assert first == second


def test_groups_have_a_colour_each_and_clusters_where_there_are_none():
    spectra = np.vstack([good(20), good(20) + band(1600)])
    labels = {mark.label for mark in scores_plot(analyse(AXIS, spectra, names(40))).marks}
    assert {"cluster 1", "cluster 2"} <= labels
    grouped = analyse(AXIS, spectra, names(40), groups=["wet"] * 20 + ["dry"] * 20)
    labels = {mark.label for mark in scores_plot(grouped).marks}
    assert {"wet", "dry"} <= labels


def test_a_chart_without_limits_says_so():
    assert "too few" in chart_plot(analyse(AXIS, good(5), names(5)), "level").y_label
    assert "too few" not in chart_plot(analyse(AXIS, good(20), names(20)), "level").y_label


def test_a_chart_of_correlations_has_a_low_limit_alone():
    found = analyse(AXIS, good(20), names(20))
    drawn = {
        name: [mark.at for mark in chart_plot(found, name).marks if isinstance(mark, Rule)]
        for name in ("correlation", "level")
    }
    correlation, level = found.charts["correlation"], found.charts["level"]
    assert drawn["correlation"] == [correlation.centre, correlation.low]
    assert drawn["level"] == [level.centre, level.low, level.high]
