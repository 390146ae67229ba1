"""Legends where a sheet says, margins that are fixed, letters that are larger."""

from __future__ import annotations

import re

import numpy as np
import pytest

from batchlab.errors import PlotError
from batchlab.figures import Legend, Lettering, Line, Picture, Plot, Points, Sheet

X = np.linspace(0.0, 2000.0, 50)


def sheet(legend: Legend | bool = True, labels: tuple[str, ...] = ("365 nm", "455 nm"), **more: object) -> Sheet:
    lines = tuple(Line(x=X, y=X * (at + 1), label=label, colour="#0072B2") for at, label in enumerate(labels))
    plot = Plot(marks=lines, x_limits=(0, 2000), y_limits=(0, 4000), y_label="I (A)", legend=legend, x_scientific=True)
    return Sheet(plots=(plot,), size_in=(5, 3), dpi=100, **more)  # type: ignore[arg-type]


def ends(drawn: Picture) -> tuple[float, float]:
    """Columns of the left and the right end of the axes."""
    return drawn.pixel_at(0, 0, 0)[1], drawn.pixel_at(0, 2000, 0)[1]


def test_fixed_margins_hold_the_axes_in_place() -> None:
    drawn = Picture(sheet(False, margins_in=(0.8, 0.2, 0.4, 0.5)))
    assert ends(drawn) == pytest.approx((80, 480), abs=0.1)
    assert drawn.pixel_at(0, 0, 0)[0] == pytest.approx(250, abs=0.1)


def test_a_legend_beside_the_axes_gets_its_room_and_has_its_title() -> None:
    short = Picture(sheet(Legend(title="Wavelength"), margins_in=(0.8, 0.2, 0.4, 0.5)))
    long = Picture(sheet(Legend(), ("365 nm after the anneal", "455 nm"), margins_in=(0.8, 0.2, 0.4, 0.5)))
    assert ends(short)[0] == pytest.approx(80, abs=0.1)
    assert ends(long)[1] < ends(short)[1] < 480
    (made,) = [axes.get_legend() for axes in short._composed.axes]
    assert made is not None and made.get_title().get_text() == "Wavelength"


def test_the_best_corner_is_the_one_without_curves() -> None:
    drawn = Picture(sheet(Legend(place="best"), margins_in=(0.8, 0.2, 0.4, 0.5)))
    (axes,) = drawn._composed.axes
    box = axes.get_legend().get_window_extent()  # type: ignore[union-attr]
    assert box.x1 < axes.bbox.x0 + axes.bbox.width / 2 and box.y0 > axes.bbox.y0 + axes.bbox.height / 2


def test_many_names_shrink_rather_than_leave_the_figure() -> None:
    labels = tuple(f"run {number}" for number in range(40))
    drawn = Picture(sheet(Legend(), labels, margins_in=(0.8, 0.2, 0.4, 0.5)))
    box = drawn._composed.axes[0].get_legend().get_window_extent()  # type: ignore[union-attr]
    assert box.y0 >= 0 and box.x1 <= 500


def test_letters_scale_and_a_font_that_is_not_there_is_named() -> None:
    svg = [Picture(sheet(lettering=Lettering(scale=scale))).vector(".svg") for scale in (1.0, 1.5)]
    plain, large = (float(re.findall(rb"scale\(([\d.]+)", each)[0]) for each in svg)
    assert large == pytest.approx(1.5 * plain, rel=0.01)
    with pytest.raises(PlotError, match="no font is called 'No Such Font'"):
        Picture(sheet(lettering=Lettering(family="No Such Font")))


def test_numbers_of_a_scientific_axis_are_multiples_of_a_power() -> None:
    (axes,) = Picture(sheet(False))._composed.axes
    assert axes.xaxis.get_offset_text().get_text() == "1e3"


@pytest.mark.parametrize("wrong", [{"place": "middle"}, {"scale": 0.0}, {"opacity": 2.0}])
def test_a_legend_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(PlotError, match="legend"):
        Legend(**wrong)  # type: ignore[arg-type]


def test_labels_that_leave_no_room_are_told_of() -> None:
    with pytest.raises(PlotError, match="too small"):
        Picture(sheet(Legend(), ("x" * 48, "y" * 48), margins_in=(2.0, 0.2, 0.4, 0.5)))


def test_lines_of_a_name_stand_below_each_other_and_each_is_cut_for_itself() -> None:
    two = Picture(sheet(Legend(place="above"), ("a" * 40 + "\n" + "b" * 60, "c"), margins_in=(0.8, 0.2, 0.4, 0.5)))
    legend = two._composed.axes[0].get_legend()
    assert legend is not None
    first, second = legend.get_texts()[0].get_text().split("\n")
    assert first == "a" * 40
    assert len(second) == 48 and "…" in second


def _framed(*marks: Line | Points) -> float:
    """How opaque the edge of a legend on the axes is."""
    plot = Plot(marks=marks, x_limits=(0, 2000), y_limits=(0, 4000), legend=Legend(place="upper left"))
    (axes,) = Picture(Sheet(plots=(plot,), size_in=(5, 3), dpi=100))._composed.axes
    edge: tuple[float, ...] = axes.get_legend().get_frame().get_edgecolor()  # type: ignore[union-attr,assignment]
    return edge[3]


def test_a_mark_in_a_legend_on_the_axes_is_framed_off_from_the_data() -> None:
    assert _framed(Points(x=X, y=X, label="365 nm", colour="#0072B2")) > 0
    assert _framed(Line(x=X, y=X, label="365 nm", colour="#0072B2")) == 0


def _told_of_x(label: str, right: float) -> tuple[str, list[str], str]:
    """Label, ticks in sight, and what stands in the corner."""
    line = Line(x=X, y=X, label="", colour="#0072B2")
    plot = Plot(marks=(line,), x_limits=(0, right), y_limits=(0, 4000), x_label=label, x_scientific=True)
    drawn = Picture(Sheet(plots=(plot,), size_in=(5, 3), dpi=100))
    assert drawn.rgba.size
    (axes,) = drawn._composed.axes
    ticks = [text.get_text() for text in axes.get_xticklabels() if 0 <= text.get_position()[0] <= right]
    corner = axes.xaxis.get_offset_text()
    return axes.get_xlabel(), ticks, corner.get_text() if corner.get_visible() else ""


def test_the_power_of_ten_of_the_ticks_stands_with_the_unit() -> None:
    label, ticks, corner = _told_of_x("running time (s)", 12000)
    assert (label, corner) == ("running time (10\N{SUPERSCRIPT THREE} s)", "")
    assert ticks[0] == "0" and ticks[-1] == "12"
    assert _told_of_x("t (s)", 900)[0] == "t (s)"
    assert _told_of_x("running time", 12000)[2] != ""


def test_the_best_corner_is_the_one_without_points() -> None:
    at = np.linspace(1500.0, 1900.0, 9)
    points = Points(x=at, y=2 * at, label="365 nm", colour="#0072B2")
    plot = Plot(marks=(points,), x_limits=(0, 2000), y_limits=(0, 4000), legend=Legend(place="best"))
    (axes,) = Picture(Sheet(plots=(plot,), size_in=(5, 3), dpi=100))._composed.axes
    assert axes.get_legend().get_window_extent().x1 < axes.bbox.x0 + axes.bbox.width / 2  # type: ignore[union-attr]
