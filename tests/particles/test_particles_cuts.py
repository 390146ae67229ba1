"""Line cuts: the numbers in them, and that gaps and modes stay apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from batchlab.errors import PlotError
from batchlab.figures import Line, Picture, Sheet
from batchlab.particles._draw import Zoom, energy_cut, pitch_cut, time_cut
from batchlab.particles._model import Scale, Spectrogram
from batchlab.particles._pitch_spectrogram import PitchSpectrogram

START = 946_684_800.0


@pytest.fixture
def read() -> Spectrogram:
    """Two modes, a gap of 200 s after the tenth record, and one value that is fill."""
    starts = START + 10.0 * np.arange(20) + np.where(np.arange(20) >= 10, 200.0, 0.0)
    values = np.outer(np.arange(1.0, 21.0), [1.0, 10.0, 100.0]).astype(np.float32)
    values[3, 1] = np.nan
    values[15:, 2] = np.nan
    low, high = np.array([10.0, 100.0, 1e3, 1e4]), np.array([10.0, 300.0, 9e3])
    return Spectrogram(
        name="ees",
        quantity="Differential energy flux",
        unit="eV/(cm² s sr eV)",
        categories=("all",),
        times_s=np.column_stack((starts, starts + 10.0)),
        mode=np.repeat(np.array([0, 1], np.uint8), [15, 5]),
        energy_edges_ev=(low, high),
        energies_ev=(np.array([50.0, 500.0, 5e3]), np.array([150.0, 4e3])),
        values=values[None],
    )


def lines(sheet: Sheet) -> dict[str, Line]:
    return {mark.label: mark for mark in sheet.plots[0].marks if isinstance(mark, Line)}


def test_a_spectrum_is_the_mean_of_known_values_of_its_time(read: Spectrogram) -> None:
    sheet = energy_cut(read, [Zoom(start_s=START, end_s=START + 50, title="early")])
    spectrum = lines(sheet)["early, all"]
    np.testing.assert_allclose(spectrum.x, [50.0, 500.0, 5e3])
    np.testing.assert_allclose(spectrum.y, [3.0, 10 * (1 + 2 + 3 + 5) / 4, 300.0])
    assert Picture(sheet).rgba.any()


def test_modes_have_spectra_of_their_own(read: Spectrogram) -> None:
    sheet = energy_cut(read, [Zoom(start_s=START, end_s=START + 1e4, title="whole")])
    assert {name: line.x.size for name, line in lines(sheet).items()} == {
        "whole, all, 3 channels": 3,
        "whole, all, 2 channels": 2,
    }


def test_a_cut_in_time_follows_the_energy_through_modes_and_breaks_at_gaps(read: Spectrogram) -> None:
    sheet = time_cut(read, [200.0, 5e3], z_scale=Scale.LINEAR)
    at_200 = lines(sheet)["200 eV"]
    assert at_200.x.size == 21
    assert np.isnan(at_200.y[10])
    known = np.isfinite(at_200.y)
    expected = np.r_[10.0 * np.delete(np.arange(1.0, 16.0), 3), np.arange(16.0, 21.0)]
    np.testing.assert_allclose(at_200.y[known], expected)
    assert Picture(sheet).rgba.any()


def test_pitch_angle_distributions_are_by_band() -> None:
    shown = PitchSpectrogram(
        name="hope",
        quantity="flux",
        unit="",
        bands=("low", "high"),
        times_s=START + np.array([[0.0, 10.0], [10.0, 20.0]]),
        pitch_edges_deg=np.array([0.0, 60.0, 120.0, 180.0]),
        values=np.array([[[1, 2, np.nan], [3, 4, np.nan]], [[5, 5, 5], [7, 7, 7]]], np.float32),
    )
    sheet = pitch_cut(shown, [Zoom(start_s=START, end_s=START + 20)])
    found = lines(sheet)
    np.testing.assert_allclose(found["low"].y, [2.0, 3.0, np.nan])
    np.testing.assert_allclose(found["high"].y, [6.0, 6.0, 6.0])
    assert "00:00:00 to 00:00:20" in sheet.title


def test_what_cannot_be_cut_is_told(read: Spectrogram) -> None:
    with pytest.raises(PlotError, match="no cut has two values"):
        energy_cut(read, [Zoom(start_s=0.0, end_s=1.0)])
    with pytest.raises(PlotError, match="no 'up'"):
        time_cut(read, [100.0], category="up")
    with pytest.raises(PlotError, match="no cut has two values"):
        time_cut(replace(read, values=np.zeros_like(read.values)), [100.0])
