"""The charts of a chip's page: which values over what."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from batchlab.devices._panel._along import Along, by_number, by_time
from batchlab.devices._panel._chart import Axis, Mark, Series, axis_of, chart, near
from batchlab.devices._panel._facts import ChipFacts, RunFacts, Value
from batchlab.devices._panel._numbers import in_words, prefixed, told

__all__ = [
    "HOLLOW",
    "LANE",
    "LIGHT",
    "Figure",
    "chip_figures",
    "href_of",
    "lanes_of",
    "marks_of_runs",
    "room_for",
    "title_of",
]

# Okabe's and Ito's colours but for yellow, which is pale on white; each with a shape of its own.
_LOOKS = (
    ("#0072B2", "circle"),
    ("#D55E00", "diamond"),
    ("#009E73", "square"),
    ("#CC79A7", "up"),
    ("#56B4E9", "down"),
    ("#E69F00", "plus"),
    ("#000000", "bar"),
)
LIGHT = {"dark": ("#000000", "circle"), "light": ("#E69F00", "diamond"), "": ("#8C8C8C", "square")}
HOLLOW = "Hollow: of little confidence."
LANE, _MOST_LOOKS = 26.0, len(_LOOKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart with its title: over the number of the run, over time, or over something else alone.

    Attributes
    ----------
    by_number, by_time
        The same marks over both; where a chart is of neither, the second is empty.
    note
        What to know of it.
    """

    title: str
    by_number: str
    by_time: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Group:
    label: str
    colour: str
    symbol: str
    points: Sequence[tuple[RunFacts, Value]]


def chip_figures(chip: ChipFacts) -> list[Figure]:
    """The charts of a chip's page; those of which nothing is known are left out."""
    number, time = by_number(chip.runs), by_time(chip.runs)
    figures = [_timeline(chip, number, time)]
    dirac = chip.having("cnp_voltage")
    if dirac:
        figures.append(_dirac(dirac, number, time))
    for title, names, label in (
        ("Hysteresis of the Dirac point", {"cnp_hysteresis": ""}, "backward − forward"),
        ("Mobility", {"mobility_fe_holes": "holes", "mobility_fe_electrons": "electrons"}, "field-effect mobility"),
        ("On/off ratio", {"on_off_ratio": ""}, "on/off ratio"),
    ):
        figures += _trend(chip, title, names, label, number, time)
    for title, metrics in _RESPONSES:
        figures += _responses(chip, title, metrics, number, time)
    sensed = [each for each in chip.having("responsivity") if each[1].unit == "A/W"]
    if sensed:
        figures.append(
            _figure("Responsivity of currents", "responsivity", _by_wavelength(sensed), number, time, zero=True)
        )
    times = {"t_rise": "rise", "t_fall": "fall", "tau_dark": "relaxation in the dark"}
    figures += _trend(chip, "Times", times, "time", number, time)
    return figures


_RESPONSES = (
    ("Response of the current to light", ("delta_i_corrected", "delta_current")),
    ("Response of the drain voltage to light", ("delta_v_corrected", "delta_voltage")),
)


# of a chip


def _timeline(chip: ChipFacts, number: Along, time: Along) -> Figure:
    lanes = list(chip.counts)
    y = lanes_of(lanes)
    height = 58.0 + 14.0 + LANE * len(lanes) + 22.0
    what = f"{len(chip.runs)} runs of {chip.name} by procedure"
    left = room_for(lanes)

    def drawn(along: Along) -> str:
        return chart(
            marks_of_runs(chip.runs, along, lambda run: float(lanes.index(run.procedure)), ""),
            along.axis, y, what=what, height=height, bands=along.bands, left=left,
        )  # fmt: skip

    note = "Struck out: the data are flagged." if chip.suspect else ""
    return Figure(title="Timeline", by_number=drawn(number), by_time=drawn(time), note=note)


def lanes_of(names: Sequence[str]) -> Axis:
    """One below the other, the first on top."""
    places = tuple((float(place), name) for place, name in enumerate(names))
    return Axis(low=len(names) - 0.4, high=-0.6, names=places)


def room_for(names: Iterable[str]) -> float:
    return max(66.0, 16.0 + 6.8 * max(map(len, names), default=0))


def marks_of_runs(
    runs: Iterable[RunFacts], along: Along, lane: Callable[[RunFacts], float], page: str
) -> tuple[Series, ...]:
    marks: dict[str, list[Mark]] = {word: [] for word in LIGHT}
    for run in runs:
        place = along.place(run)
        if place is not None:
            title = f"#{run.seq} {run.moment}\n{run.summary}\n{run.run_id}"
            if run.flags:
                title += f"\n{', '.join(run.flags)}"
            marks[run.light].append(
                Mark(
                    x=place,
                    y=lane(run),
                    href=href_of(run, page),
                    title=title,
                    run_id=run.run_id,
                    crossed=bool(run.flags),
                )
            )
    return tuple(
        Series(label=word or "light not known", colour=colour, symbol=symbol, marks=tuple(marks[word]))
        for word, (colour, symbol) in LIGHT.items()
    )


def _dirac(points: Sequence[tuple[RunFacts, Value]], number: Along, time: Along) -> Figure:
    spans: dict[str, tuple[float, float]] = {}
    for run, _ in points:
        forward, backward = run.number("cnp_forward"), run.number("cnp_backward")
        if forward is not None and backward is not None:
            spans[run.run_id] = (forward, backward)
    groups = [
        _Group(word or "light not known", *LIGHT[word], [each for each in points if each[0].light == word])
        for word in LIGHT
    ]
    note = "Bars reach from the forward to the backward sweep." if spans else ""
    return _figure("Dirac point", "Dirac point", groups, number, time, spans=spans, note=note, height=300.0)


def _trend(
    chip: ChipFacts,
    title: str,
    names: dict[str, str],
    label: str,
    number: Along,
    time: Along,
) -> list[Figure]:
    """A chart of a few metrics of one unit; none if no run has them."""
    groups = []
    for (name, word), look in zip(names.items(), _LOOKS, strict=False):
        groups.append(_Group(word or label, *look, chip.having(name)))
    if not any(group.points for group in groups):
        return []
    return [_figure(title, label, groups, number, time)]


def _responses(chip: ChipFacts, title: str, metrics: Sequence[str], number: Along, time: Along) -> list[Figure]:
    """A response over time and over power, by the wavelength of the light."""
    name = next((name for name in metrics if chip.having(name)), None)
    if name is None:
        return []
    points = chip.having(name)
    label = "response" if name == metrics[1] else "response, free of drift"
    groups = _by_wavelength(points)
    figures = [_figure(title, label, groups, number, time, zero=True)]
    lit = [_Group(g.label, g.colour, g.symbol, [p for p in g.points if _power(p[0]) > 0]) for g in groups]
    powers = [_power(run) for group in lit for run, _ in group.points]
    if len(set(powers)) > 1:
        scale, word = prefixed(powers, "W")
        axis = axis_of([power / scale for power in powers], f"irradiated power ({word})", log=True)
        along = Along(axis, lambda run: _power(run) / scale)
        svg = _drawn(f"{title} over power", label, lit, along, zero=True)
        figures.append(Figure(title=f"{title} over power", by_number=svg))
    return figures


def _power(run: RunFacts) -> float:
    return run.number("irradiated_power") or 0.0


def _by_wavelength(points: Sequence[tuple[RunFacts, Value]]) -> list[_Group]:
    """The most frequent wavelengths each by themselves, the rest together."""
    counts: dict[float | None, int] = {}
    for run, _ in points:
        counts[run.wavelength_nm] = counts.get(run.wavelength_nm, 0) + 1
    own = sorted(counts, key=lambda nm: (-counts[nm], nm or 0.0))
    own = own if len(own) <= _MOST_LOOKS else own[: _MOST_LOOKS - 1]
    groups = []
    for nm, look in zip(sorted(own, key=lambda nm: nm or 0.0), _LOOKS, strict=False):
        label = "wavelength not known" if nm is None else f"{nm:g} nm"
        groups.append(_Group(label, *look, [each for each in points if each[0].wavelength_nm == nm]))
    rest = [each for each in points if each[0].wavelength_nm not in own]
    return [*groups, _Group("other wavelengths", *_LOOKS[-1], rest)] if rest else groups


def _figure(
    title: str,
    label: str,
    groups: Sequence[_Group],
    number: Along,
    time: Along,
    **how: object,
) -> Figure:
    note = str(how.pop("note", ""))
    if any(value.doubtful for group in groups for _, value in group.points):
        note = f"{note} {HOLLOW}".strip()
    return Figure(
        title=title,
        by_number=_drawn(title, label, groups, number, **how),  # type: ignore[arg-type]
        by_time=_drawn(title, label, groups, time, **how),  # type: ignore[arg-type]
        note=note,
    )


def _drawn(
    title: str,
    label: str,
    groups: Sequence[_Group],
    along: Along,
    *,
    spans: dict[str, tuple[float, float]] | None = None,
    zero: bool = False,
    height: float = 230.0,
) -> str:
    values = [value for group in groups for _, value in group.points]
    unit = next((value.unit for value in values), "1")
    numbers = [value.value for value in values if value.value is not None]
    scale, word = prefixed(numbers, unit)
    series = []
    for group in groups:
        marks = []
        for run, value in group.points:
            place = along.place(run)
            if place is None or value.value is None or not math.isfinite(value.value):
                continue
            low, high = (end / scale for end in spans[run.run_id]) if spans and run.run_id in spans else (None, None)
            marks.append(
                Mark(
                    x=place,
                    y=value.value / scale,
                    href=href_of(run),
                    title=title_of(run, value),
                    run_id=run.run_id,
                    value=value.value,
                    low=low,
                    high=high,
                    error=None if value.error is None else value.error / scale,
                    doubtful=value.doubtful,
                    crossed=bool(run.flags),
                )
            )
        series.append(Series(label=group.label, colour=group.colour, symbol=group.symbol, marks=tuple(marks)))
    y = axis_of([each / scale for each in _reach(groups, spans or {})], f"{label} ({word})" if word else label)
    number = sum(len(each.marks) for each in series)
    what = f"{title} of {number} runs"
    return chart(series, along.axis, y, what=what, height=height, bands=along.bands, zero=zero)


def _reach(groups: Sequence[_Group], spans: Mapping[str, tuple[float, float]]) -> list[float]:
    """What the y axis is to hold: values that are not far off, their bars, and errors that would not hide the rest."""
    points = [(run, value, value.value) for group in groups for run, value in group.points if value.value is not None]
    within = near(number for _, _, number in points)
    if not within:
        return []
    width = within[-1] - within[0]
    reach = list(within)
    for run, value, number in points:
        if within[0] <= number <= within[-1]:
            reach += spans.get(run.run_id, ())
            if value.error is not None and (value.error <= width / 2 or not width):
                reach += [number - value.error, number + value.error]
    return reach


def title_of(run: RunFacts, value: Value) -> str:
    told_of = in_words(value.value or 0.0, value.unit, value.error)
    text = f"#{run.seq} {run.moment}\n{run.summary}\n{value.name} {told_of} ({value.method})\n{run.run_id}"
    if value.flags:
        text += f"\n{', '.join(value.flags)}, confidence {told(value.confidence, 2)}"
    return text


def href_of(run: RunFacts, page: str = "") -> str:
    return f"{page}#run-{run.run_id}"
