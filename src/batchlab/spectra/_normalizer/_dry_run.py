"""A plan tried on the file: what it would read is judged before anybody uses it.

A problem rejects the plan, and goes back to an AI as it stands: so it speaks of fields, columns, lines and shares, and
gives away no value or word of the file. A doubt lowers the confidence.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import BatchlabError
from batchlab.spectra._kinds import AxisKind, Orientation, Quantity, SpectrumRole
from batchlab.spectra._normalizer._masking import is_foreign, masked_digits, split_cells
from batchlab.spectra._normalizer._plan_checks import problems_on
from batchlab.spectra._plan import Op, Plan
from batchlab.spectra._read._encoding import decode, one_line_end
from batchlab.spectra._read._load import load
from batchlab.spectra._read._observation import Observation
from batchlab.spectra._words import agreed, counted

if TYPE_CHECKING:
    from batchlab.spectra._model import Array, Spectrum

__all__ = ["Verdict", "dry_run", "possible_axis", "possible_intensity"]

_LEAST_NUMERIC = 0.99
_LEAST_POINTS = 3
_ONE_WAY = 0.95  # of the steps of an axis that is to be sorted
_MOST_ROWS = 4000
_DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "blank": " "}
_NUMBER = {
    "point": re.compile(r"[+\-\u2212]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"),
    "comma": re.compile(r"[+\-\u2212]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d+)?"),
}
_WORD = re.compile(r"[^\W\d_]+")
_BLANK_WORDS = frozenset({"", "nan", "na", "n/a", "--", "-", "inf", "-inf", "+inf"})
# What light and instruments allow, in the axis' own unit.
_AXIS_RANGE = {
    (AxisKind.WAVELENGTH, "nm"): (1.0, 1e6),
    (AxisKind.WAVELENGTH, "um"): (1e-3, 1e3),
    (AxisKind.WAVENUMBER, "cm-1"): (1.0, 2e5),
    (AxisKind.RAMAN_SHIFT, "cm-1"): (-6000.0, 12000.0),
    (AxisKind.ENERGY, "eV"): (1e-4, 1e4),
    (AxisKind.PIXEL, "1"): (0.0, 1e6),
}
# Between the 1 % and the 99 % quantiles.
_INTENSITY_RANGE = {
    Quantity.ABSORBANCE: (-1.0, 10.0),
    Quantity.LOG_INVERSE_REFLECTANCE: (-1.0, 10.0),
    Quantity.KUBELKA_MUNK: (-1.0, 1000.0),
    Quantity.TRANSMITTANCE: (-10.0, 200.0),
    Quantity.REFLECTANCE: (-10.0, 200.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a dry run found.

    Attributes
    ----------
    problems
        Why the plan must not be used; empty for one that may.
    doubts
        What speaks against it without ruling it out.
    """

    problems: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the plan may be used."""
        return not self.problems


def dry_run(plan: Plan, observation: Observation) -> Verdict:
    """Try a plan on the file that was observed.

    Raises
    ------
    DataError
        If the file can be read no more, or is cut off.
    """
    from batchlab.spectra._read._apply import apply_plan

    if problems := problems_on(plan, observation):
        return Verdict(problems=tuple(problems))
    problems = list(_cell_problems(plan, observation))
    if problems:
        return Verdict(problems=tuple(problems))
    try:
        spectra = apply_plan(plan, observation.path)
    except BatchlabError as error:
        if error.reason == "truncated":
            raise  # the file's fault, whatever the plan
        return Verdict(problems=(f"the plan cannot be applied: {_without_text(str(error), observation)}",))
    samples = [each for each in spectra if each.role is SpectrumRole.SAMPLE]
    if not samples:
        return Verdict(problems=("no spectrum with the role sample comes out",))
    for number, spectrum in enumerate(samples[:20]):
        problems += _spectrum_problems(plan, spectrum, number)
    return Verdict(problems=tuple(dict.fromkeys(problems))[:6], doubts=tuple(_doubts(plan, observation, samples)))


def possible_axis(axis: Array, kind: AxisKind, unit: str | None) -> bool:
    """Whether an axis of this kind and unit can have these values.

    Parameters
    ----------
    axis : (n,) array
        Values in `unit`.
    kind, unit
        What they are said to be; of others nothing is known, and all is possible.
    """
    low, high = _AXIS_RANGE.get((kind, unit or ""), (-np.inf, np.inf))
    return bool(np.min(axis) >= low and np.max(axis) <= high)


def possible_intensity(intensity: Array, quantity: Quantity) -> bool:
    """Whether a signal of this quantity can have these values, a percent of odd ones on either side aside."""
    low, high = _INTENSITY_RANGE.get(quantity, (-np.inf, np.inf))
    bottom, top = np.quantile(intensity, (0.01, 0.99))
    return bool(bottom >= low and top <= high)


def _spectrum_problems(plan: Plan, spectrum: Spectrum, number: int) -> Iterator[str]:
    where = f"sample {number + 1}"
    if len(spectrum) < _LEAST_POINTS:
        yield f"{where}: has only {counted(len(spectrum), 'point')}; are orientation and data lines right?"
        return
    steps = np.diff(spectrum.axis)
    one_way = max(np.mean(steps > 0), np.mean(steps < 0))
    if one_way < 1 and (Op.SORT in plan.ops or Op.SPLIT_OVERLAP in plan.ops or one_way < _ONE_WAY):
        yield (
            f"{where}: its axis neither rises nor falls all the way ({one_way:.0%} of the steps go one way), so it is "
            "another column or row, or the ops do not mend it"
        )
    elif one_way < 1 and plan.axis.direction != "mixed":
        yield (
            f"{where}: its axis steps back {counted(round((1 - one_way) * steps.size), 'time')}; where "
            f"detectors overlap, say "
            "direction mixed or add the op split_overlap"
        )
    if not possible_axis(spectrum.axis, spectrum.axis_kind, spectrum.axis_unit):
        yield f"{where}: its axis lies outside of what a {spectrum.axis_kind} in {spectrum.axis_unit} can be"
    if not possible_intensity(spectrum.intensity, spectrum.quantity):
        yield f"{where}: its values lie outside of what {spectrum.quantity} can be"


def _doubts(plan: Plan, observation: Observation, samples: Sequence[Spectrum]) -> Iterator[str]:
    points = len(samples[0])
    declared = observation.declared_points
    if declared and points != declared and not {Op.SPLIT_OVERLAP, Op.DROP_BLANK_AXIS} & set(plan.ops):
        yield f"the preamble says {declared} points and {points} {agreed(points, 'was', 'were')} read"
    if plan.orientation is Orientation.COLUMNS and observation.rows and points < 0.9 * observation.rows:
        yield f"{counted(points, 'point')} {agreed(points, 'was', 'were')} read of {observation.rows} rows"
    if plan.axis.kind is AxisKind.UNKNOWN:
        yield "the plan does not say what the axis is"


def _cell_problems(plan: Plan, observation: Observation) -> Iterator[str]:
    """Look at the very cells that a plan selects: they are to be numbers, and an axis is to run one way."""
    lines = one_line_end(decode(observation.path, load(observation.path)).text).split("\n")
    if plan.orientation is Orientation.MATRIX:
        return
    if plan.orientation is Orientation.ROWS:
        yield from _row_problems(plan, lines)
        return
    first, last = _data_lines(plan, observation, lines)
    rows = [line for line in itertools.islice(lines, first - 1, last) if line.strip()]
    if len(rows) < _LEAST_POINTS:
        yield f"from line {first} to {last} there are {len(rows)} rows; that is no spectrum"
        return
    rows = rows[:: max(1, len(rows) // _MOST_ROWS)]
    cells = [split_cells(row, _DELIMITERS[plan.delimiter]) for row in rows]
    columns = {plan.axis.column, *(each.column for each in plan.spectra), *(each.axis_column for each in plan.spectra)}
    for column in sorted(each for each in columns if each is not None):
        share = _numeric_share([row[column].strip(' "') if column < len(row) else "" for row in cells], plan.decimal)
        if share < _LEAST_NUMERIC:
            yield f"column {column}: only {share:.0%} of its cells from line {first} to {last} are numbers"
    if plan.axis.column is not None:
        values = _numbers([row[plan.axis.column] for row in cells if plan.axis.column < len(row)], plan.decimal)
        steps = np.diff(values)
        if steps.size and max(np.mean(steps > 0), np.mean(steps < 0)) < _ONE_WAY:
            yield f"axis.column: column {plan.axis.column} goes up and down like a signal; it is no axis, sorted or not"


def _row_problems(plan: Plan, lines: list[str]) -> Iterator[str]:
    last = plan.last_data_line or len(lines)
    wanted = [line for line in (plan.axis.header_row, plan.first_data_line, last) if line and line <= len(lines)]
    for number in wanted:
        cells = split_cells(lines[number - 1], _DELIMITERS[plan.delimiter])
        end = None if plan.last_column is None else plan.last_column + 1
        chosen = [cell.strip(' "') for cell in cells[plan.first_column or 0 : end]]
        if not chosen and number == last and plan.last_data_line is None:
            continue  # the file's last line end
        share = _numeric_share(chosen, plan.decimal)
        if share < _LEAST_NUMERIC and not (number == last and plan.last_data_line is None):
            yield f"line {number}: only {share:.0%} of its cells from first_column to last_column are numbers"


def _data_lines(plan: Plan, observation: Observation, lines: list[str]) -> tuple[int, int]:
    """The first and the last line of the data; a fence wins over a number."""
    first = plan.first_data_line
    if plan.begin_fence is not None:
        wanted = plan.begin_fence.strip()
        fence = next((i for i, line in enumerate(lines, start=1) if line.strip() == wanted), None)
        if fence is not None:
            first = next((i for i, line in enumerate(lines[fence:], start=fence + 1) if line.strip()), first)
    if plan.last_data_line is not None:
        return first, plan.last_data_line
    runs = (each.last_line for each in observation.hypotheses if each.first_line <= first <= each.last_line)
    return first, next(runs, len(lines))


def _numeric_share(cells: list[str], decimal: str) -> float:
    """Share of numbers among the cells that are not blank; none at all are none."""
    filled = [cell for cell in cells if cell.lower() not in _BLANK_WORDS]
    if not filled:
        return 0.0
    return sum(_NUMBER[decimal].fullmatch(cell) is not None for cell in filled) / len(filled)


def _numbers(cells: list[str], decimal: str) -> Array:
    numbers = [cell.strip(' "') for cell in cells]
    written = [each.replace(",", ".").replace("\u2212", "-") for each in numbers if _NUMBER[decimal].fullmatch(each)]
    return np.array(written, dtype=np.float64)


def _without_text(message: str, observation: Observation) -> str:
    """An error of the reader without the file's name, words and digits."""
    path = observation.path
    message = message.replace(str(path), "the file").replace(path.name, "the file")
    message = masked_digits(re.sub(r"'[^']*'|\"[^\"]*\"", "<text>", message))
    above = " ".join((path.stem, *observation.preamble, *observation.header, *observation.trailer))
    theirs = set(_WORD.findall(above.casefold()))
    return _WORD.sub(
        lambda word: "<text>" if is_foreign(word[0]) and word[0].casefold() in theirs else word[0], message
    )[:300]
