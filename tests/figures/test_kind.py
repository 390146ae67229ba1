from dataclasses import replace

import numpy as np
import pytest

from batchlab.errors import PlotError
from batchlab.figures import FigureKind, Line, Panel, Slot


@pytest.mark.parametrize(
    "limits",
    [(np.nan, 1.0), (0.0, np.inf), (1.0, 1.0), (0.0, 1e-200), (1e200, -1e200), (1e9, 1e9 + 1e-3), (0.0,)],
)
def test_limits_that_no_axis_can_show_are_refused(kind, limits):
    with pytest.raises(PlotError, match="limits of x"):
        replace(kind, x_limits=limits)
    with pytest.raises(PlotError, match="y of panel 'Absorbance"):
        kind.with_y_limits(limits, (0, 1))


def test_a_kind_that_shows_nothing_is_refused(kind):
    with pytest.raises(PlotError, match="at least one panel"):
        replace(kind, panels=())
    with pytest.raises(PlotError, match="shows nothing"):
        replace(kind, panels=(Panel(y_label="y", y_limits=(0, 1), slots=()),))
    with pytest.raises(PlotError, match="height"):
        replace(kind, panels=(Panel(y_label="y", y_limits=(0, 1), height=0),))
    with pytest.raises(PlotError, match="as many"):
        kind.with_y_limits((0, 1))


@pytest.mark.parametrize("change", [{"dpi": 0}, {"dpi": np.nan}, {"size_in": (-1, 2)}, {"size_in": (400, 400)}])
def test_a_size_that_cannot_be_drawn_is_refused(kind, change):
    with pytest.raises(PlotError, match="dpi"):
        replace(kind, **change)


def test_a_static_line_must_be_a_line():
    with pytest.raises(PlotError, match="static curve 'r'"):
        Line(x=[1, 2], y=[np.nan, 1], label="r")


def test_a_static_line_is_a_copy_that_nobody_can_change():
    y = np.array([1.0, 2.0])
    line = Line(x=[0, 1], y=y, label="r")
    y[0] = 9
    assert line.y[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        line.y[0] = 5


def test_kinds_are_equal_when_all_they_show_is_equal(kind, x):
    line = kind.panels[0].lines[0]
    same = replace(kind, panels=(replace(kind.panels[0], lines=(replace(line),)), kind.panels[1]))
    assert same == kind
    assert hash(same) == hash(kind)
    assert same.key == kind.key
    assert kind != "a kind"
    changes = [
        replace(kind, x_label="Wavenumber"),
        replace(kind, x_limits=(400, 4000)),
        replace(kind, dpi=101),
        replace(kind, size_in=(6, 4.1)),
        replace(kind, title=False),
        replace(kind, panels=kind.panels[::-1]),
        replace(kind, panels=(kind.panels[0],)),
        *(
            replace(kind, panels=(replace(kind.panels[0], **change), kind.panels[1]))
            for change in (
                {"y_limits": (0, 1.3)},
                {"legend": False},
                {"zero_line": True},
                {"height": 2},
                {"lines": ()},
                {"lines": (replace(line, label="other"),)},
                {"lines": (replace(line, y=line.y * 2),)},
                {"slots": (Slot(label="S"),)},
            )
        ),
    ]
    keys = {changed.key for changed in changes} | {kind.key}
    assert len(keys) == len(changes) + 1


def test_texts_cannot_be_moved_between_fields_without_notice():
    def key(x_label, y_label):
        panel = Panel(y_label=y_label, y_limits=(0, 1))
        return FigureKind(panels=(panel,), x_label=x_label, x_limits=(0, 1)).key

    assert len({key("a", "b"), key("b", "a"), key("ab", ""), key("", "ab"), key("a'; 'b", "")}) == 5


def test_numbers_written_as_int_or_float_are_one_kind(kind):
    assert replace(kind, x_limits=(4000, 400), dpi=100, size_in=(6, 4)) == kind
