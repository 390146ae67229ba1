"""Text exports of many layouts with known truth, nasty ones among them: to calibrate the recogniser and to test it.

Each kind of layout is a function that draws what instruments' programs vary (delimiter, decimal mark, line ends,
encoding, preamble, header, language, number format, direction) and gives the file's text with the spectra that stand
in it. A nasty kind can honestly be read in two ways; its truth is drawn too, as often the one as it is in practice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._kinds import AxisKind, SpectrumRole
from batchlab.spectra._model import Array, Spectrum

__all__ = ["KINDS", "NASTY", "Judged", "MadeLayout", "judge", "make_layout", "make_layouts", "mistake"]

T = TypeVar("T")
Curve = tuple[Array, Array]
_ENDS = ("\n", "\n", "\r\n", "\r\n", "\r")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MadeLayout:
    """A file and what is true of it.

    Attributes
    ----------
    kind
        Which layout it is.
    file
        A name with an extension that programs use.
    data
        Its bytes.
    samples
        Axis and intensity of each sample spectrum, as written, blank points left out.
    axis_kind, axis_unit
        What the axis truly is, whether or not the file says so.
    """

    kind: str
    file: str
    data: bytes
    samples: tuple[Curve, ...]
    axis_kind: AxisKind
    axis_unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What became of a file: refused with a reason, or read with a confidence, rightly or with a mistake."""

    made: MadeLayout
    score: float = 0.0
    confidence: float = 0.0
    mistake: str | None = None
    refused: str | None = None

    @property
    def right(self) -> bool:
        """Whether it was read as it is."""
        return self.mistake is None and self.refused is None


@dataclass(frozen=True, slots=True)
class _Technique:
    kind: AxisKind
    unit: str
    axis_heads: tuple[str, ...]
    signal_heads: tuple[str, ...]
    low: float
    high: float


_TECHNIQUES = (
    _Technique(
        AxisKind.WAVENUMBER,
        "cm-1",
        ("Wavenumber (cm-1)", "wavenumber", "Wellenzahl [1/cm]", "Wavenumbers", "cm-1", "\u6ce2\u6570 (cm-1)"),
        ("Absorbance", "%T", "Extinktion", "A", "Transmittance (%)", "Reflectance [%]"),
        400,
        4000,
    ),
    _Technique(
        AxisKind.RAMAN_SHIFT,
        "cm-1",
        ("Raman Shift (cm-1)", "Raman shift /cm-1", "RamanShift", "Raman-Verschiebung (cm-1)", "#Wave"),
        ("Intensity (counts)", "Counts", "Intensit\u00e4t", "#Intensity", "Dark Subtracted #1"),
        -50,
        3500,
    ),
    _Technique(
        AxisKind.WAVELENGTH,
        "nm",
        (
            "Wavelength (nm)",
            "wl",
            "Wellenl\u00e4nge [nm]",
            "nm",
            "Wavelength nm.",
            "longueur d'onde (nm)",
            "\u6ce2\u9577 (nm)",
        ),
        ("Abs.", "Absorbance", "%R", "Fluorescence intensity", "Extinktion", "\u5438\u5149\u5ea6", "Irradiance"),
        190,
        1100,
    ),
)


class _Draw:
    """What is drawn for one file."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.technique = self.one_of(_TECHNIQUES)
        self.delimiter = self.one_of(("\t", "\t", ",", ",", ";", ";", " ", "  ", ", "))
        self.decimal = "," if self.delimiter in ("\t", ";", "  ") and rng.random() < 0.3 else "."
        self.end = self.one_of(_ENDS)
        self.encoding = "utf-8"
        self.places = int(rng.integers(2, 7))

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[int(self.rng.integers(len(choices)))]

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def part_by(self, *delimiters: str) -> None:
        """Draw one of these delimiters; a comma between cells leaves a point for the decimals."""
        self.delimiter = str(self.one_of(delimiters))
        if self.delimiter == ",":
            self.decimal = "."

    def axis(self, points: int | None = None) -> Array:
        """An axis as an instrument has it: even, or with slowly growing steps; up or down; rounded."""
        points = int(self.rng.choice((40, 120, 500, 1500))) if points is None else points
        t = np.linspace(0, 1, points)
        bend = float(self.rng.choice((0.0, 0.0, 0.15, -0.2)))
        span = self.technique.high - self.technique.low
        exact = self.technique.low + span * (t + bend * t * (1 - t)) + self.rng.uniform(0, 0.1) * span
        axis: Array = np.round(exact, max(2, self.places))
        return axis[::-1].copy() if self.chance(0.35) else axis

    def signal(self, points: int) -> Array:
        """Bands with noise; now and then without, with whole counts, or with a flat start."""
        t = np.linspace(0, 1, points)
        y = np.zeros(points)
        for _ in range(int(self.rng.integers(2, 7))):
            y += self.rng.uniform(0.1, 1) * np.exp(
                -0.5 * ((t - self.rng.random()) / self.rng.uniform(0.005, 0.08)) ** 2
            )
        y = (y + self.rng.uniform(0, 1) * t) * float(self.rng.choice((1.0, 1.0, 100.0, 30000.0)))
        if self.chance(0.9):
            y += self.rng.normal(0, 0.01 * np.ptp(y), points)
        if self.chance(0.1):
            y[: points // 10] = 0.0
        rounded: Array = np.round(y, 0 if np.ptp(y) > 1000 and self.chance(0.5) else max(3, self.places))
        return rounded

    def number(self, value: float) -> str:
        if np.isnan(value):
            return ""
        text = f"{value:.{self.places}f}" if abs(value - round(value, self.places)) < 1e-12 else repr(float(value))
        return text.replace(".", self.decimal)

    def table(self, columns: Sequence[Array], delimiter: str | None = None) -> list[str]:
        delimiter = self.delimiter if delimiter is None else delimiter
        return [delimiter.join(self.number(value) for value in row) for row in zip(*columns, strict=True)]

    def heads(self) -> tuple[str, str]:
        return str(self.one_of(self.technique.axis_heads)), str(self.one_of(self.technique.signal_heads))

    def preamble(self, lines: int | None = None) -> list[str]:
        """Keys and values in one style, numbers among them."""
        lines = int(self.rng.choice((3, 8, 20, 90))) if lines is None else lines
        mark = str(self.one_of((": ", "=", ";", "\t", ",", "= ")))
        lead = str(self.one_of(("", "", "#", "# ")))
        values = ("12.5", "2021-10-27 15:57:47", "yes", "3", "a b c", "1,2,3", "LS50-B", "", "0.000010 s", "OFF", "-1")
        return [f"{lead}key {chr(97 + i % 26)}{i}{mark}{self.one_of(values)}" for i in range(lines)]

    def made(self, kind: str, lines: Sequence[str], samples: Sequence[Curve], extension: str = "") -> MadeLayout:
        text = self.end.join(lines) + (self.end if self.chance(0.9) else "")
        encoding = self.encoding
        try:
            data = text.encode(encoding)
        except UnicodeEncodeError:
            data = text.encode("utf-8")
        name = extension or str(self.one_of((".txt", ".csv", ".dat", ".asc", ".dpt", ".tsv")))
        return MadeLayout(
            kind=kind,
            file=f"sample{name}",
            data=data,
            samples=tuple(samples),
            axis_kind=self.technique.kind,
            axis_unit=self.technique.unit,
        )


def _two_columns(d: _Draw) -> MadeLayout:
    x = d.axis()
    y = d.signal(x.size)
    lines = d.preamble() if d.chance(0.3) else []
    if d.chance(0.6):
        lines.append(_joined(d, d.heads()))
    return d.made("two-columns", [*lines, *d.table((x, y))], [(x, y)])


def _unit_row(d: _Draw) -> MadeLayout:
    x = d.axis()
    y = d.signal(x.size)
    d.part_by(";", "\t", ",")
    lines = d.preamble(6) if d.chance(0.5) else []
    lines += [d.delimiter.join(("Wave   ", "Sample   ")), d.delimiter.join((f"[{d.technique.unit}]", "[counts]"))]
    return d.made("unit-row", [*lines, *d.table((x, y))], [(x, y)])


def _fenced(d: _Draw) -> MadeLayout:
    x = d.axis()
    y = d.signal(x.size)
    what = d.one_of(("Spectral", "Processed Spectral", "Espectral"))
    lines = [*d.preamble(12), f"Number of Pixels in Spectrum: {x.size}", f">>>>>Begin {what} Data<<<<<"]
    end = [f">>>>>End {what} Data<<<<<"] if d.chance(0.7) else []
    return d.made("fenced", [*lines, *d.table((x, y)), *end], [(x, y)])


def _trailer(d: _Draw) -> MadeLayout:
    x = d.axis()
    y = d.signal(x.size)
    d.encoding = str(d.one_of(("cp932", "utf-8", "cp1252")))
    lines = ["TITLE\t\u8a66\u6599 1", f"NPOINTS\t{x.size}", "XUNITS\tNANOMETERS", "YUNITS\tABSORBANCE", "XYDATA"]
    d.technique = _TECHNIQUES[2]
    d.delimiter = "\t"
    tail = [
        "",
        "##### Extended Information",
        "[\u6e2c\u5b9a\u60c5\u5831]",
        "Model Name\tV-770",
        "Bandwidth\t2.0 nm",
        "Speed\t400",
    ]
    return d.made("trailer", [*lines, *d.table((x, y)), *tail], [(x, y)])


def _labspec(d: _Draw) -> MadeLayout:
    d.technique = _TECHNIQUES[1]
    d.delimiter, d.decimal, d.encoding = "\t", ".", "latin-1"
    x = d.axis()
    y = d.signal(x.size)
    lines = [
        "#Acq. time (s)=\t10",
        "#Accumulations=\t2",
        "#Laser=\t532nm",
        "#Spectro (cm-\u00b9)=\t1200",
        "#D\u00e9tecteur=\tSyncerity",
    ]
    lines += ["#AxisType[0]=\tIntens", "#AxisUnit[0]=\tCnt", "#AxisType[1]=\tSpectr", "#AxisUnit[1]=\t1/cm"]
    return d.made("labspec", [*lines, *d.table((x, y))], [(x, y)], ".txt")


def _roles(d: _Draw) -> MadeLayout:
    x = d.axis()
    dark, reference = np.round(d.signal(x.size) / 50, 4), d.signal(x.size)
    raw, result = d.signal(x.size), d.signal(x.size)
    order = list(d.rng.permutation(4))
    names = [("Dark", "Reference", "Sample", "Reflectance [%]")[i] for i in order]
    columns = [(dark, reference, raw, result)[i] for i in order]
    d.technique = _TECHNIQUES[2]
    head = _joined(d, (d.heads()[0], *names))
    return d.made("roles", [*d.preamble(5), head, *d.table((x, *columns))], [(x, result)])


def _two_forms(d: _Draw) -> MadeLayout:
    x = d.axis()
    a = np.abs(d.signal(x.size))
    a = np.round(2 * a / a.max(), 4)
    t = np.round(100 * 10**-a, 2)
    columns, names = ([a, t], ["ABS", "%T"]) if d.chance(0.6) else ([t, a], ["%T", "Abs"])
    head = _joined(d, (str(d.one_of(d.technique.axis_heads)), *names))
    return d.made("two-forms", [head, *d.table((x, *columns))], [(x, a)])


def _several_axes(d: _Draw) -> MadeLayout:
    d.technique = _TECHNIQUES[1]
    shift = d.axis()
    nm = np.round(1e7 / (1e7 / 785 - shift), 2)
    pixel = np.arange(shift.size, dtype=float)
    raw, subtracted = d.signal(shift.size), d.signal(shift.size)
    nm = nm.copy()
    shift = shift.copy()
    blank = int(shift.size // 12)
    nm[:blank] = shift[:blank] = np.nan
    d.part_by(";", "\t", ",")
    head = d.delimiter.join(("Pixel", "Wavelength", "Raman Shift", "Dark", "Raw data #1", "Dark Subtracted #1", ""))
    dark = np.full(shift.size, 1100.0)
    rows = [f"{row}{d.delimiter}" for row in d.table((pixel, nm, shift, dark, raw, subtracted))]
    return d.made("several-axes", [*d.preamble(40), head, *rows], [(shift[blank:], subtracted[blank:])])


def _wide(d: _Draw) -> MadeLayout:
    x = d.axis()
    ys = [d.signal(x.size) for _ in range(int(d.rng.integers(2, 14)))]
    names = [f"leaf {chr(97 + i)}" if d.chance(0.5) else f"S{i + 1:03d}" for i in range(len(ys))]
    lines = [_joined(d, (str(d.one_of(d.technique.axis_heads)), *names))] if d.chance(0.85) else []
    return d.made("wide", [*lines, *d.table((x, *ys))], [(x, y) for y in ys])


def _time_series(d: _Draw) -> MadeLayout:
    """Columns headed by bare numbers; the corner is a word of an axis, or blank."""
    x = d.axis(int(d.rng.choice((120, 500))))
    ys = [d.signal(x.size) for _ in range(int(d.rng.integers(6, 30)))]
    d.part_by(",", "\t", ";")
    corner = str(d.one_of(d.technique.axis_heads)) if d.chance(0.8) else ""
    head = d.delimiter.join((corner, *(str(4 * (i + 1)) for i in range(len(ys)))))
    return d.made("time-series", [head, *d.table((x, *ys))], [(x, y) for y in ys])


def _pairs(d: _Draw) -> MadeLayout:
    d.technique = _TECHNIQUES[2]
    d.decimal = "."
    d.part_by(",", "\t", ";")
    curves = []
    longest = int(d.rng.choice((60, 300)))
    for i in range(int(d.rng.integers(2, 6))):
        x = np.round(np.linspace(800, 250, longest if i == 0 or d.chance(0.7) else longest - 7), 2)
        curves.append((x, d.signal(x.size)))
    cells = []
    for k in range(longest):
        row = [d.number(v[k]) if k < v.size else "" for curve in curves for v in curve]
        cells.append(d.delimiter.join(row) + d.delimiter)
    lines = []
    if d.chance(0.85):
        names = ["Baseline 100%T", *(f"Sample {i}" for i in range(1, len(curves)))]
        lines.append(d.delimiter.join(f"{name}{d.delimiter}" for name in names) + d.delimiter)
        lines.append(d.delimiter.join(f"Wavelength (nm){d.delimiter}%T" for _ in curves) + d.delimiter)
    log = [
        "",
        "Baseline 100%T",
        "Collection Time: 3/7/2019 3:36:14 PM",
        "Scan Software Version: 3.00(182)",
        "Start (nm),800.0",
    ]
    return d.made("pairs", [*lines, *cells, *(log if d.chance(0.8) else [])], curves)


def _rows(d: _Draw) -> MadeLayout:
    x = d.axis(int(d.rng.choice((30, 200, 700))))
    count = int(d.rng.integers(1, 40))
    ys = [d.signal(x.size) for _ in range(count)]
    d.part_by(",", "\t", ";")
    style = int(d.rng.integers(5))
    before = [["type"], ["Sample Id", "Name", "Date"], ["sample"], [""], ["", ""]][style]
    labels = [
        [
            [str(d.one_of(("collagen", "DNA")))],
            [f"c{i}", f"Sample {i}", "06/16/2022 04:38 PM"],
            [str(i + 1)],
            [f"a {i}"],
            ["1", str(3 * i)],
        ][style]
        for i in range(count)
    ]
    mark = "X" if style == 2 and d.chance(0.3) else ""
    lines = [d.delimiter.join((*before, *(mark + d.number(v) for v in x)))]
    if style == 0 and d.chance(0.5):
        lines += [d.delimiter.join(("d", *("c" for _ in x))), "class"]
    lines += [d.delimiter.join((*label, *(d.number(v) for v in y))) for label, y in zip(labels, ys, strict=True)]
    above = d.preamble(3) if d.chance(0.2) else []
    return d.made("rows", [*above, *lines], [(x, y) for y in ys])


def _turned(d: _Draw) -> MadeLayout:
    x = d.axis()
    y = d.signal(x.size)
    d.part_by(",", "\t", ";", " ")
    d.decimal = "."
    if d.chance(0.3):
        d.places = 2
        x = np.unique(np.round(x))
        y = y[: x.size]
    rows = [d.delimiter.join(d.number(v) for v in each) for each in (x, y)]
    if d.chance(0.5) and d.delimiter != " ":
        rows = [f"{head}{d.delimiter}{row}" for head, row in zip(d.heads(), rows, strict=True)]
    return d.made("turned", rows, [(x, y)])


def _single_y(d: _Draw) -> MadeLayout:
    points = int(d.rng.choice((50, 400, 1801)))
    first, last = (4000.0, 400.0) if d.chance(0.7) else (200.0, 900.0)
    x = np.linspace(first, last, points)
    y = d.signal(points)
    d.technique = _TECHNIQUES[0]
    d.decimal = "."
    body = [d.number(v) for v in y]
    if d.chance(0.5):
        head = [str(points), f"{first:.2f}", f"{last:.2f}", "1.0", "4", "0"]
        return d.made("single-y", [*head, *body], [(x, y)], ".asp")
    mark = str(d.one_of(("=", "\t", ": ")))
    head = [f"FIRSTX{mark}{first}", f"LASTX{mark}{last}", f"NPOINTS{mark}{points}"]
    return d.made("single-y", [*d.preamble(4), *head, *body], [(x, y)])


def _plate(d: _Draw) -> MadeLayout:
    d.technique, d.end, d.encoding = _TECHNIQUES[2], "\r\n", "utf-16"
    x = np.arange(500.0, 500.0 + int(d.rng.integers(5, 30)))
    rows, columns = 4, 6
    values = np.round(d.rng.uniform(0.05, 1, (x.size, rows, columns)), 4)
    settings = ["Plate:", "Plate1", "1.3", "PlateFormat", "Spectrum", "Absorbance", "Raw", "FALSE", str(x.size), "", ""]
    settings += [f"{x[0]:g}", f"{x[-1]:g}", "1", "", "", "1", str(columns), "24", "1", str(rows)]
    lines = [
        "##BLOCKS= 1",
        "\t".join(settings),
        "\t".join(("", "Temperature(\u00b0C)", *map(str, range(1, columns + 1)))),
    ]
    for at, wavelength in enumerate(x):
        for row in range(rows):
            lead = [f"{wavelength:g}", "23.5"] if row == 0 else ["", ""]
            lines.append("\t".join((*lead, *(f"{v:.4f}" for v in values[at, row]))))
        lines.append("")
    lines += ["~End", "Original Filename: a"]
    samples = [(x, values[:, row, column]) for row in range(rows) for column in range(columns)]
    return d.made("plate", lines, samples, ".txt")


# Nasty ones


def _both_run_one_way(d: _Draw) -> MadeLayout:
    """Two columns without a header, and a signal that only falls; now and then the signal stands first."""
    x = d.axis()
    y = np.round(np.exp(-np.linspace(0, d.rng.uniform(0.5, 4), x.size)) * d.rng.choice((1, 1000)) + 0.1, 6)
    if d.chance(0.5):
        y = np.round(np.cumsum(np.abs(d.signal(x.size)) + 0.01), 4)
    first, second = (y, x) if d.chance(0.08) else (x, y)
    return d.made("both-run-one-way", d.table((first, second)), [(x, y)])


def _signal_first(d: _Draw) -> MadeLayout:
    x = d.axis()
    y = d.signal(x.size)
    lines = [_joined(d, d.heads()[::-1])] if d.chance(0.5) else []
    return d.made("signal-first", [*lines, *d.table((y, x))], [(x, y)])


def _counted_rows(d: _Draw) -> MadeLayout:
    x = d.axis()
    y = d.signal(x.size)
    start = int(d.rng.integers(2))
    return d.made("counted-rows", d.table((np.arange(start, start + x.size, dtype=float), x, y)), [(x, y)])


def _position_beside(d: _Draw) -> MadeLayout:
    """The position of a stage, a clock or an index beside the axis, in any order, and no header that tells them."""
    x = d.axis()
    if d.chance(0.3):
        x = x.copy()
        x[x.size // 2 :] += x[1] - x[0]
    if d.chance(0.2):
        x = np.round(x + d.rng.normal(0, 0.3 * float(np.abs(np.diff(x)).min()), x.size), 4)
    step = float(d.one_of((0.1, 0.5, 1.0, 2.0, 10.0, -1.0)))
    beside = np.round(float(d.one_of((0.0, 1.0, 10.0, 250.0))) + step * np.arange(x.size), 4)
    if d.chance(0.3):
        beside = np.round(beside + d.rng.normal(0, float(d.one_of((0.1, 0.3))) * abs(step), x.size), 4)
    ys = [d.signal(x.size) for _ in range(int(d.rng.integers(1, 4)))]
    columns = [beside, x, *ys] if d.chance(0.7) else [x, beside, *ys] if d.chance(0.5) else [x, *ys, beside]
    if d.chance(0.1):
        columns = [np.arange(1.0, 1.0 + x.size), *columns]
    names = [_joined(d, [f"c{i}" for i in range(len(columns))])] if d.chance(0.2) else []
    return d.made("position-beside", [*names, *d.table(columns)], [(x, y) for y in ys])


def _straight_signal(d: _Draw) -> MadeLayout:
    """Two columns without a header, a ramp for a signal and an axis with an uneven step, the ramp often first."""
    x = d.axis()
    x = x.copy()
    x[x.size // 3 :] += x[1] - x[0]
    y = np.round(float(d.one_of((0.0, 5.0))) + float(d.one_of((0.25, 2.0))) * np.arange(x.size), 4)
    first, second = (y, x) if d.chance(0.5) else (x, y)
    return d.made("straight-signal", d.table((first, second)), [(x, y)])


def _commas_everywhere(d: _Draw) -> MadeLayout:
    """Comma for the delimiter and for the decimals too."""
    x = np.round(d.axis(), 2)
    y = np.round(d.signal(x.size) + 1, 3)
    rows = [f"{a:.2f},{b:.3f}".replace(".", ",") for a, b in zip(x, y, strict=True)]
    head = [",".join(d.heads())] if d.chance(0.5) else []
    return d.made("commas-everywhere", [*head, *rows], [(x, y)], ".csv")


def _thousands(d: _Draw) -> MadeLayout:
    """1,234 for one thousand and so on; the same text might be 1.234."""
    d.delimiter = "\t"
    x = np.arange(1000.0, 1000.0 + int(d.rng.integers(60, 400)))
    y = np.round(d.rng.uniform(1000, 60000, x.size))
    if d.chance(0.5):
        return d.made("thousands", [f"{a:,.0f}\t{b:,.0f}" for a, b in zip(x, y, strict=True)], [(x, y)])
    rows = [f"{a / 1e3:.3f}\t{b / 1e3:.3f}".replace(".", ",") for a, b in zip(x, y, strict=True)]
    return d.made("thousands", rows, [(x / 1e3, y / 1e3)])


def _stacked(d: _Draw) -> MadeLayout:
    """Two spectra one below the other without a word between; a reader of columns sees one that starts again."""
    x = d.axis(int(d.rng.choice((40, 500, 1500))))
    one, two = d.signal(x.size), d.signal(x.size)
    rows = [*d.table((x, one)), *d.table((x, two))]
    return d.made("stacked", rows, [(x, one), (x, two)])


def _numbers_on_both_sides(d: _Draw) -> MadeLayout:
    """A table with numbers down and across and no word: spectra are the longer side, as a rule."""
    x = d.axis(int(d.rng.choice((30, 200))))
    times = np.round(np.arange(int(d.rng.choice((10, 40, 100)))) * d.rng.uniform(0.5, 30) + 0.5, 2)
    ys = np.array([d.signal(x.size) for _ in times])
    d.part_by(",", "\t", ";")
    corner = str(d.one_of(("", "", "t", "0")))
    across = d.chance(0.8 if x.size > times.size else 0.4)
    top, side, cells = (x, times, ys) if across else (times, x, ys.T)
    lines = [d.delimiter.join((corner, *(d.number(v) for v in top)))]
    lines += [d.delimiter.join((d.number(a), *(d.number(v) for v in row))) for a, row in zip(side, cells, strict=True)]
    return d.made("numbers-on-both-sides", lines, [(x, y) for y in ys])


def _wrong_header(d: _Draw) -> MadeLayout:
    x = d.axis()
    y = d.signal(x.size)
    head = _joined(d, d.heads())
    return d.made("wrong-header", [head, *d.table((y, x))], [(x, y)])


def _wrong_count(d: _Draw) -> MadeLayout:
    x = d.axis()
    y = d.signal(x.size)
    d.delimiter = "\t"
    more = int(x.size * d.rng.uniform(0.6, 0.95))
    lines = [*d.preamble(5), f"NPOINTS\t{more}", "XYDATA"]
    return d.made("wrong-count", [*lines, *d.table((x, y))], [(x, y)])


def _joined_detectors(d: _Draw) -> MadeLayout:
    d.technique = _TECHNIQUES[2]
    parts = [np.round(np.linspace(a, b, 300), 1) for a, b in ((340, 1015), (972, 1910), (1890, 2520))]
    x = np.concatenate(parts)
    y = d.signal(x.size)
    return d.made("joined-detectors", [*d.preamble(10), *d.table((x, y))], [(x, y)])


def _few_points(d: _Draw) -> MadeLayout:
    x = d.axis(int(d.rng.integers(5, 12)))
    y = d.signal(x.size)
    lines = [_joined(d, d.heads())] if d.chance(0.5) else []
    return d.made("few-points", [*lines, *d.table((x, y))], [(x, y)])


def _deviations(d: _Draw) -> MadeLayout:
    x = d.axis()
    y = d.signal(x.size)
    head = _joined(d, (*d.heads(), str(d.one_of(("std", "Uncertainty", "sigma", "\u00b1")))))
    return d.made("deviations", [head, *d.table((x, y, np.round(np.abs(y) * 0.01, 4)))], [(x, y)])


def _positional(d: _Draw) -> MadeLayout:
    x = d.axis()
    y = d.signal(x.size)
    lines = [
        "PE  SPECTRUM  ASCII",
        "-1",
        "STD1.TXT",
        "495.0",
        "1",
        "",
        "350 4.5",
        "SCAN",
        "1 0 0",
        "#HDR",
        "-1",
        "#GR",
        "NM",
        "#DATA",
    ]
    return d.made("positional", [*lines, *d.table((x, y))], [(x, y)])


def _joined(d: _Draw, names: Sequence[str]) -> str:
    """A header line; where blanks part the cells, names hold none or are parted by tabs."""
    if d.delimiter.strip(" "):
        return (d.delimiter.strip(" ") if d.delimiter != "\t" else "\t").join(names)
    return "\t".join(names)


_USUAL: tuple[tuple[Callable[[_Draw], MadeLayout], int], ...] = (
    (_two_columns, 8),
    (_unit_row, 2),
    (_fenced, 3),
    (_trailer, 2),
    (_labspec, 2),
    (_roles, 3),
    (_two_forms, 2),
    (_several_axes, 2),
    (_wide, 3),
    (_time_series, 2),
    (_pairs, 3),
    (_rows, 5),
    (_turned, 3),
    (_single_y, 2),
    (_plate, 1),
)
_UNUSUAL: tuple[tuple[Callable[[_Draw], MadeLayout], int], ...] = (
    (_both_run_one_way, 2),
    (_signal_first, 1),
    (_counted_rows, 1),
    (_position_beside, 1),
    (_straight_signal, 1),
    (_commas_everywhere, 1),
    (_thousands, 1),
    (_stacked, 1),
    (_numbers_on_both_sides, 2),
    (_wrong_header, 1),
    (_wrong_count, 1),
    (_joined_detectors, 1),
    (_few_points, 1),
    (_deviations, 1),
    (_positional, 1),
)
KINDS = tuple(make.__name__.strip("_").replace("_", "-") for make, _ in (*_USUAL, *_UNUSUAL))
NASTY = tuple(make.__name__.strip("_").replace("_", "-") for make, _ in _UNUSUAL)
_MAKERS = [make for make, weight in (*_USUAL, *_UNUSUAL) for _ in range(weight)]
_BY_KIND = {make.__name__.strip("_").replace("_", "-"): make for make, _ in (*_USUAL, *_UNUSUAL)}


def mistake(made: MadeLayout, spectra: Sequence[Spectrum]) -> str | None:
    """What is wrong with the spectra read from a file; None where nothing is.

    Right are as many samples as there are, with their axis and intensity to the last digit written; a kind or a unit
    of the axis that is not stated is right, one that is false is not.
    """
    samples = [each for each in spectra if each.role is SpectrumRole.SAMPLE]
    if len(samples) != len(made.samples):
        return f"{len(samples)} spectra instead of {len(made.samples)}"
    for found, (axis, intensity) in zip(samples, made.samples, strict=True):
        if len(found) != axis.size:
            return f"{len(found)} points instead of {axis.size}"
        if not np.allclose(found.axis, axis, rtol=1e-9, atol=1e-9):
            return "another axis"
        if not np.allclose(found.intensity, intensity, rtol=1e-9, atol=1e-9):
            return "other intensities"
        if found.axis_kind not in (AxisKind.UNKNOWN, made.axis_kind):
            return f"{found.axis_kind} instead of {made.axis_kind}"
        if found.axis_unit not in (None, made.axis_unit):
            return f"an axis in {found.axis_unit} instead of {made.axis_unit}"
    return None


def judge(layouts: Iterable[MadeLayout]) -> Iterator[Judged]:
    """Recognise and read files of known truth.

    Parameters
    ----------
    layouts
        From `make_layouts`.

    Yields
    ------
    Judged
        One for each; `reliability` and `fit` of the calibration take their confidences and scores.
    """
    from batchlab.spectra._read import apply_plan, recognize

    for made in layouts:
        path = Path(made.file)
        try:
            found = recognize(path, made.data)
            assert found.plan is not None
            wrong = mistake(made, apply_plan(found.plan, path, made.data))
        except DataError as error:
            yield Judged(made=made, refused=error.reason)
        else:
            yield Judged(made=made, score=found.score, confidence=found.confidence, mistake=wrong)


def make_layout(kind: str, seed: int) -> MadeLayout:
    """Make one file of a kind; the same seed gives the same bytes."""
    return _BY_KIND[kind](_Draw(np.random.default_rng(seed)))


def make_layouts(count: int, seed: int = 0) -> Iterator[MadeLayout]:
    """Make files of all kinds, the usual ones more often than the nasty.

    Parameters
    ----------
    count
        How many.
    seed
        The same one gives the same files.
    """
    rng = np.random.default_rng(seed)
    for _ in range(count):
        make = _MAKERS[int(rng.integers(len(_MAKERS)))]
        yield make(_Draw(np.random.default_rng(int(rng.integers(2**63)))))
