"""The charts of the page over all chips."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from batchlab.devices._panel._along import Along, by_time
from batchlab.devices._panel._chart import Axis, Band, Mark, Series, axis_of, chart
from batchlab.devices._panel._charts import (
    HOLLOW,
    LANE,
    LIGHT,
    Figure,
    href_of,
    lanes_of,
    marks_of_runs,
    room_for,
    title_of,
)
from batchlab.devices._panel._facts import ChipFacts
from batchlab.devices._panel._numbers import prefixed

__all__ = ["lab_figures"]


def lab_figures(chips: Sequence[ChipFacts]) -> list[Figure]:
    """The charts over all chips."""
    figures = []
    runs = [run for chip in chips for run in chip.runs if run.began is not None]
    if runs:
        figures.append(_activity(chips, by_time(sorted(runs, key=lambda run: str(run.began)))))
    for title, names, label in (
        ("Dirac points", ("cnp_voltage",), "Dirac point"),
        ("Mobility of holes", ("mobility_fe_holes",), "field-effect mobility"),
        ("Response of the current to light", ("delta_i_corrected", "delta_current"), "response"),
    ):
        figures += _across(chips, title, names, label)
    return figures


def _activity(chips: Sequence[ChipFacts], along: Along) -> Figure:
    names = [chip.name for chip in chips]
    marks: dict[str, Series] = {}
    for place, chip in enumerate(chips):
        for series in marks_of_runs(chip.runs, along, lambda run, place=place: float(place), quote(chip.page)):  # type: ignore[misc]
            known = marks.get(series.label)
            marks[series.label] = Series(
                label=series.label,
                colour=series.colour,
                symbol=series.symbol,
                marks=(*(known.marks if known else ()), *series.marks),
            )
    height = 58.0 + LANE * len(names) + 22.0
    what = f"runs of {len(names)} chips over time"
    svg = chart(list(marks.values()), along.axis, lanes_of(names), what=what, height=height, left=room_for(names))
    return Figure(title="When the chips were measured", by_number=svg)


def _across(chips: Sequence[ChipFacts], title: str, names: Sequence[str], label: str) -> list[Figure]:
    """A metric of each chip beside that of the others, first to last run from left to right."""
    name = next((name for name in names if any(chip.having(name) for chip in chips)), None)
    if name is None:
        return []
    having = [(chip, chip.having(name)) for chip in chips if chip.having(name)]
    numbers = [value.value for _, points in having for _, value in points if value.value is not None]
    unit = having[0][1][0][1].unit
    scale, word = prefixed(numbers, unit)
    marks: dict[str, list[Mark]] = {light: [] for light in LIGHT}
    for place, (chip, points) in enumerate(having):
        for step, (run, value) in enumerate(points):
            if value.value is None:
                continue
            marks[run.light].append(
                Mark(
                    x=place + (0.7 * (step + 0.5) / len(points) - 0.35),
                    y=value.value / scale,
                    href=href_of(run, quote(chip.page)),
                    title=f"{chip.name} {title_of(run, value)}",
                    run_id=run.run_id,
                    value=value.value,
                    doubtful=value.doubtful,
                    crossed=bool(run.flags),
                )
            )
    series = [
        Series(label=light or "light not known", colour=colour, symbol=symbol, marks=tuple(marks[light]))
        for light, (colour, symbol) in LIGHT.items()
    ]
    x = Axis(
        low=-0.5,
        high=len(having) - 0.5,
        names=tuple((float(place), chip.name) for place, (chip, _) in enumerate(having)),
        label="chip, its runs from first to last",
    )
    bands = tuple(Band(low=k - 0.5, high=k + 0.5, label="", shaded=k % 2 == 1) for k in range(len(having)))
    y = axis_of([number / scale for number in numbers], f"{label} ({word})" if word else label)
    svg = chart(series, x, y, what=f"{title} of {len(having)} chips", bands=bands, height=280.0)
    doubtful = any(value.doubtful for _, points in having for _, value in points)
    return [Figure(title=title, by_number=svg, note=HOLLOW if doubtful else "")]
