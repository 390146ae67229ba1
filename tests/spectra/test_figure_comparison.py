"""What a comparison's picture says: labels, direction, limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from batchlab.figures import PALETTE, Band, Canvas, Role
from batchlab.spectra import AxisKind, PlotLimits, Quantity, Spectrum, compare, plot_limits, reach
from batchlab.spectra._figure import draw_comparison, figure_kind, judged_part, look_of
from batchlab.spectra._limits import beyond
from batchlab.spectra._measures import Difference

AXIS = np.linspace(500.0, 3500.0, 301)
HILL = 1.0 + np.exp(-(((AXIS - 1500.0) / 300.0) ** 2))


def spectrum(scale=1.0, axis=AXIS, signal=HILL, kind=AxisKind.WAVENUMBER, quantity=Quantity.ABSORBANCE, **more):
    return Spectrum(axis=axis, intensity=scale * signal, axis_kind=kind, quantity=quantity, **more)


def look(sample, reference=None, normalization="none", **more):
    reference = reference or spectrum()
    comparison = compare(reference, sample, normalization)
    return look_of(comparison, plot_limits(reference, [reach(comparison)]), **more), comparison


@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize(
    ("kind", "down"),
    [
        (AxisKind.WAVENUMBER, True),
        (AxisKind.RAMAN_SHIFT, False),
        (AxisKind.WAVELENGTH, False),
        (AxisKind.UNKNOWN, False),
    ],
)
def test_a_wavenumber_axis_runs_down_and_all_others_up(kind, down, step):
    both = [spectrum(scale, AXIS[::step], HILL[::step], kind, axis_unit="x") for scale in (1.0, 2.0)]
    found, _ = look(both[1], both[0])
    assert found.x_limits == ((3500.0, 500.0) if down else (500.0, 3500.0))


def test_labels_carry_units_and_how_the_signals_were_normalised():
    raman = {"kind": AxisKind.RAMAN_SHIFT, "quantity": Quantity.COUNTS}
    plain, _ = look(spectrum(2.0, **raman), spectrum(**raman))
    assert (plain.x_label, plain.overlay_label, plain.difference_label) == (
        "Raman shift / cm⁻¹",
        "Counts",
        "Difference",
    )
    percent = {"quantity": Quantity.TRANSMITTANCE, "unit": "%"}
    assert look(spectrum(2.0, **percent), spectrum(**percent))[0].difference_label == "Difference / %"
    assert look(spectrum(2.0), normalization="snv")[0].difference_label == "Difference (snv)"


def test_a_reference_kept_on_the_background_gives_the_same_pixels_as_one_drawn_anew():
    style, comparison = look(spectrum(1.3), dpi=50.0)
    memory = {}
    kept = draw_comparison(comparison, style, memory)
    pixels = kept.rgba.copy()
    alone = draw_comparison(comparison, style)
    np.testing.assert_array_equal(alone.rgba, pixels)
    shorter = compare(spectrum(), spectrum(1.1, AXIS[:200], HILL[:200]))
    np.testing.assert_array_equal(draw_comparison(shorter, style, memory).rgba, draw_comparison(shorter, style).rgba)
    np.testing.assert_array_equal(draw_comparison(comparison, style, memory).rgba, pixels)


def test_the_canvas_of_a_batch_is_made_once(monkeypatch):
    made = []
    build = Canvas.__init__
    monkeypatch.setattr(Canvas, "__init__", lambda self, kind: (made.append(kind.key), build(self, kind))[1])
    style, _ = look(spectrum(1.3), dpi=50.0)
    memory = {}
    for scale in (1.1, 1.2, 1.3):
        draw_comparison(compare(spectrum(), spectrum(scale)), style, memory)
    assert made == [figure_kind(style, (AXIS, HILL)).key]


def test_limits_hold_every_ordinary_sample_with_a_margin():
    samples = [compare(spectrum(), spectrum(scale)) for scale in (0.5, 1.0, 1.5, 2.0)]
    found = plot_limits(spectrum(), [reach(each) for each in samples])
    assert found.axis == (500.0, 3500.0)
    assert found.overlay == (0.3, 4.2)
    low, high = found.difference
    assert low < -1.0
    assert high > 2.0
    assert all(beyond(reach(each), found) is None for each in samples)


def test_one_spike_does_not_flatten_all_other_pictures():
    ordinary = [reach(compare(spectrum(), spectrum(1.0 + i / 20))) for i in range(1, 9)]
    spike = reach(compare(spectrum(), spectrum(1.0, signal=HILL + 1000.0 * (AXIS == 1000.0))))
    found = plot_limits(spectrum(), [*ordinary, spike])
    assert found.overlay[1] < 4.0
    assert "the overlay reaches from 1 to 1001" in beyond(spike, found)


def test_limits_do_not_move_for_a_sample_in_their_midst():
    reaches = [reach(compare(spectrum(), spectrum(scale))) for scale in (0.5, 0.9, 1.4, 2.0)]
    inside = reach(compare(spectrum(), spectrum(1.1)))
    assert plot_limits(spectrum(), reaches) == plot_limits(spectrum(), [*reaches, inside])


def test_a_sample_equal_to_its_reference_still_has_limits():
    found = plot_limits(spectrum(), [reach(compare(spectrum(), spectrum()))])
    assert isinstance(found, PlotLimits)
    assert found.difference[0] < 0 < found.difference[1]


@pytest.mark.parametrize("power", [-12, -3, 0, 5, 12])
def test_limits_are_round_at_every_size(power):
    scale = 10.0**power
    pairs = [spectrum(scale * factor, quantity=Quantity.INTENSITY) for factor in (1.0, 1.7)]
    found = plot_limits(pairs[0], [reach(compare(*pairs))])
    assert all(len(f"{end:.12g}".strip("-0.").replace(".", "").split("e")[0].rstrip("0")) <= 3 for end in found.overlay)
    assert found.overlay[0] < scale
    assert found.overlay[1] > 3.4 * scale * 0.99


def near(canvas, colour, within=60):
    rgb = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return np.abs(canvas.rgba[..., :3].astype(int) - rgb).max(axis=2) < within


def shown_at(canvas, mask, panel, x, y, reach=3):
    row, column = map(int, canvas.pixel_at(panel, x, y))
    return mask[row - reach : row + reach + 1, column - reach : column + reach + 1].any()


def test_nothing_is_drawn_across_a_gap_and_masks_are_shaded():
    style, comparison = look(spectrum(1.3), dpi=200.0)
    taken = (AXIS < 1800) | (AXIS > 2200)
    curves = {name: getattr(comparison, name)[taken] for name in ("axis", "reference", "sample", "difference")}
    holed = replace(comparison, **curves, gaps=((1805.0, 2195.0),), masks=((2800.0, 3200.0),))
    canvas = draw_comparison(holed, style)
    sample = near(canvas, PALETTE[Role.SAMPLE].colour)
    at = {x: float(1.3 * np.interp(x, AXIS, HILL)) for x in (1500.0, 2000.0, 3000.0)}
    assert [shown_at(canvas, sample, 0, x, y) for x, y in at.items()] == [True, False, True]
    bridged = draw_comparison(replace(holed, gaps=()), style)
    assert near(bridged, PALETTE[Role.SAMPLE].colour).sum() > sample.sum()
    row, column = map(int, canvas.pixel_at(0, 3000.0, 0.5 * (at[3000.0] + style.overlay_limits[1])))
    assert canvas.rgba[row, column - 3 : column + 4, 0].max() < 245
    row, column = map(int, canvas.pixel_at(0, 2600.0, 0.5 * (at[3000.0] + style.overlay_limits[1])))
    assert canvas.rgba[row - 3 : row + 4, column - 3 : column + 4, 0].max() == 255


def test_runs_that_one_has_alone_are_shown():
    style, comparison = look(spectrum(1.3), dpi=100.0)
    left = AXIS <= 2500
    curves = {name: getattr(comparison, name)[left] for name in ("axis", "reference", "sample", "difference")}
    alone = (AXIS[~left], comparison.reference[~left])
    canvas = draw_comparison(replace(comparison, **curves, reference_alone=(alone,)), style)
    reference, sample = (near(canvas, PALETTE[role].colour) for role in (Role.REFERENCE, Role.SAMPLE))
    assert shown_at(canvas, reference, 0, 3000.0, 1.0)
    assert not shown_at(canvas, sample, 0, 3000.0, 1.3)
    assert shown_at(canvas, sample, 0, 2000.0, 1.3 * float(np.interp(2000.0, AXIS, HILL)))


def test_a_tolerance_band_and_peaks_are_drawn_and_cost_no_canvas_of_their_own():
    style, comparison = look(spectrum(1.3), dpi=100.0)
    band = Band(x=AXIS, low=HILL - 0.2, high=HILL + 0.2, label="tolerance", opacity=1.0)
    peaks = ([1500.0], [2.6])
    memory = {}
    canvas = draw_comparison(comparison, style, memory, bands=[band], peaks=peaks)
    tolerance = near(canvas, PALETTE[Role.LIMIT].colour, 40)
    assert shown_at(canvas, tolerance, 0, 2600.0, 1.1, reach=0)
    assert not shown_at(canvas, tolerance, 0, 2600.0, 1.25, reach=0)
    row, column = map(int, canvas.pixel_at(0, 1500.0, 2.6))
    assert near(canvas, PALETTE[Role.PEAK].colour, 80)[row - 8 : row, column - 4 : column + 5].any()
    pixels = canvas.rgba.copy()
    again = draw_comparison(compare(spectrum(), spectrum(1.1)), style, memory, bands=[band], peaks=([], []))
    assert again is canvas
    assert draw_comparison(comparison, style, memory, bands=[band], peaks=peaks) is canvas
    np.testing.assert_array_equal(canvas.rgba, pixels)
    np.testing.assert_array_equal(draw_comparison(comparison, style, bands=[band], peaks=peaks).rgba, pixels)


def test_a_ratio_has_its_line_at_one_and_a_scaled_difference_its_factor_in_the_title():
    style, comparison = look(spectrum(1.3), dpi=50.0)
    ratio = replace(comparison, difference_kind=Difference.RATIO)
    limits = plot_limits(spectrum(), [reach(comparison)])
    assert look_of(ratio, limits).level == 1.0
    assert look_of(ratio, limits).difference_label == "Sample / reference"
    assert style.level == 0.0
    kind = figure_kind(look_of(ratio, limits))
    assert not kind.panels[1].zero_line
    assert kind.panels[1].lines[0].y.tolist() == [1.0, 1.0]
    looks = []
    for factor in (1.25, 1.5):
        metrics = {**comparison.metrics, "factor": factor, "factor_by": "least squares"}
        scaled = replace(comparison, difference_kind=Difference.SCALED, metrics=metrics)
        looks.append(look_of(scaled, limits))
        assert draw_comparison(scaled, style)._drawn[1][-1] == f" × {factor:g}"
    assert looks[0] == looks[1], "one canvas for the batch"


def test_reach_leaves_out_what_a_ratio_cannot_tell():
    comparison = compare(spectrum(), spectrum(1.3))
    holed = comparison.difference.copy()
    holed[3] = np.nan
    told = reach(replace(comparison, difference=holed))
    assert np.isfinite(told.difference).all()
    assert reach(replace(comparison, difference=np.full_like(holed, np.nan))).difference == (0.0, 0.0)
    alone = reach(replace(comparison, sample_alone=((np.array([1.0, 2.0]), np.array([50.0, 60.0])),)))
    assert alone.overlay[1] == 60.0


def test_a_band_is_not_drawn_where_nothing_is_judged():
    style, comparison = look(spectrum(1.3), dpi=150.0)
    band = Band(x=AXIS, low=HILL - 0.2, high=HILL + 0.2, label="tolerance", opacity=1.0)
    taken = (AXIS < 2390) | (AXIS > 2610)
    curves = {name: getattr(comparison, name)[taken] for name in ("axis", "reference", "sample", "difference")}
    masked = replace(comparison, **curves, masks=((3003.0, 3207.0),), gaps=((2400.0, 2600.0),))
    canvas = draw_comparison(masked, style, bands=[band])
    tolerance = near(canvas, PALETTE[Role.LIMIT].colour, 40)
    judged = {x: shown_at(canvas, tolerance, 0, x, 1.1, reach=0) for x in (2900, 3000, 3010, 3200, 3211, 2605, 2500)}
    assert judged == {2900: True, 3000: True, 3010: False, 3200: False, 3211: True, 2605: True, 2500: False}
    whole = draw_comparison(comparison, style, bands=[band])
    tolerance = near(whole, PALETTE[Role.LIMIT].colour, 40)
    assert shown_at(whole, tolerance, 0, 3100.0, 1.1, reach=0)


def test_a_band_that_runs_down_is_cut_alike_and_one_wholly_masked_is_not_shown():
    _, comparison = look(spectrum(1.3))
    masked = replace(comparison, masks=((1000.0, 1100.0), (2000.0, 2100.0)), gaps=((1050.0, 1200.0),))
    up = Band(x=AXIS, low=HILL - 0.2, high=HILL + 0.2)
    down = Band(x=AXIS[::-1], low=up.low[::-1], high=up.high[::-1])
    (one,), (other,) = judged_part([up], masked), judged_part([down], masked)
    for name in ("x", "low", "high"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    hidden = ((one.x > 1000) & (one.x < 1200)) | ((one.x > 2000) & (one.x < 2100))
    assert np.isnan(one.low[hidden]).all()
    assert np.isfinite(one.low[~hidden]).all()
    assert judged_part([up], replace(comparison, masks=((0.0, 5000.0),))) == ()


def test_a_sample_far_from_all_others_leaves_no_empty_picture():
    reference = spectrum()
    limits = plot_limits(reference, [reach(compare(reference, spectrum(1 + k / 10))) for k in range(4)])
    memory = {}
    inks = {}
    for scale in (1.1, 80.0):
        far = compare(reference, spectrum(scale, signal=HILL + (scale > 10)))
        canvas = draw_comparison(far, look_of(far, limits, dpi=100.0), memory)
        upper, lower = (
            int(canvas.pixel_at(0, 500.0, limits.overlay[1])[0]),
            int(canvas.pixel_at(0, 500.0, limits.overlay[0])[0]),
        )
        written = near(canvas, "#8C2D04", 40)
        inks[scale] = written[upper:lower].sum(), written[lower:].sum()
        arrow = near(canvas, PALETTE[Role.SAMPLE].colour, 40)[upper : upper + 12]
        assert arrow.any() == (scale == 80.0)
    assert inks[1.1] == (0, 0)
    assert min(inks[80.0]) > 30, "in both panels"


def test_of_two_long_names_each_loses_its_own_middle():
    style, _ = look(spectrum(1.3), dpi=50.0)
    long = "_".join(["leaf"] * 40)
    comparison = compare(spectrum(name=f"first_{long}_one"), spectrum(1.1, name=f"second_{long}_two"))
    title = draw_comparison(comparison, style)._stage.title.get_text()
    sample, between, reference = title.partition(" vs ")
    assert between
    for name, (first, last) in ((sample, ("second_", "_two")), (reference, ("first_", "_one"))):
        assert name.startswith(first)
        assert name.endswith(last)
        assert "…" in name
    short = compare(spectrum(name="white"), spectrum(1.1, name=f"second_{long}_two"))
    assert draw_comparison(short, style)._stage.title.get_text().endswith(" vs white")


def test_a_peaks_label_lies_on_no_mark():
    """Neither above its mark, nor where there is no room above it, at the edge of the panel."""
    style, comparison = look(spectrum(1.3), dpi=150.0)
    top = style.overlay_limits[1]
    for height in (1.5, top - 0.08, top - 0.2):
        canvas = draw_comparison(comparison, style, peaks=([1500.0], [height]))
        marked = near(canvas, PALETTE[Role.PEAK].colour, 30)
        row, column = map(int, canvas.pixel_at(0, 1500.0, height))
        mark = marked[row - 16 : row, column - 11 : column + 12]
        assert mark.sum() >= 45, f"all of the mark is in sight at {height}"
        lettering = near(canvas, "#404040", 40)[row - 16 : row, column - 5 : column + 6]
        assert lettering.sum() == 0
