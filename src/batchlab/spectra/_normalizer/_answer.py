"""From what an AI wrote to a plan: the JSON in it, its form, and whether it fits the file's layout.

What is wrong is said so that the AI can mend it and so that nothing of the file is given away: in fields, columns and
line numbers.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

from pydantic import ValidationError

from batchlab.spectra._normalizer._masking import Mask
from batchlab.spectra._normalizer._plan_checks import problems_on
from batchlab.spectra._normalizer._prompt import AXIS_UNITS, INTENSITY_UNITS
from batchlab.spectra._plan import Plan
from batchlab.spectra._read._observation import Observation

__all__ = ["InvalidAnswerError", "plan_of"]

_MOST_PROBLEMS = 6
_MOST_BRACES = 50  # where the object is looked for


class InvalidAnswerError(ValueError):
    """An answer that is no plan for this layout; the message goes back to the AI."""


def plan_of(text: str, observation: Observation) -> Plan:
    """Read an answer.

    Parameters
    ----------
    text
        What the AI wrote: a JSON object, in a fence or among words, too.
    observation
        The file that it is about.

    Raises
    ------
    InvalidAnswerError
        If it holds no JSON object, one of another form, or a plan that cannot fit this layout.
    """
    answer = _without_nulls(_first_object(text))
    answer.pop("encoding", None)
    _check_units(answer)
    _unmask(answer, observation)
    try:
        plan = Plan.model_validate({**answer, "encoding": observation.encoding})
    except ValidationError as error:
        told = [f"{_where(each['loc'])}: {each['msg']}" for each in error.errors(include_input=False)]
        raise InvalidAnswerError("; ".join(told[:_MOST_PROBLEMS])) from error
    best = observation.hypotheses[0] if observation.hypotheses else None
    if best and plan.last_data_line == best.last_line:
        # The rows of other files end elsewhere.
        plan = plan.model_copy(update={"last_data_line": None})
    if plan.begin_fence is not None and not _is_just_above(plan, observation):
        # Names stand between it and the rows; the numbers of lines say it as well.
        plan = plan.model_copy(update={"begin_fence": None})
    if problems := problems_on(plan, observation):
        raise InvalidAnswerError("; ".join(problems[:_MOST_PROBLEMS]))
    return plan


def _is_just_above(plan: Plan, observation: Observation) -> bool:
    """Whether a plan's first fence is missing, to be told as such, or the last line but blank ones above its data."""
    above = dict(enumerate(observation.preamble, start=1)) | dict(
        zip(observation.header_lines, observation.header, strict=True)
    )
    fence = next((n for n, line in above.items() if line.strip() == plan.begin_fence), None)
    if fence is None:
        return True
    return all(not above.get(n, "x").strip() for n in range(fence + 1, plan.first_data_line))


def _first_object(text: str) -> dict[str, Any]:
    decoder = json.JSONDecoder()
    for begin in itertools.islice(re.finditer(r"\{", text), _MOST_BRACES):
        try:
            found, _ = decoder.raw_decode(text, begin.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    raise InvalidAnswerError("the answer holds no whole JSON object; answer with one JSON object of the schema alone")


def _without_nulls(value: Any) -> Any:
    """The answer with its nulls left out: they stand for what a plan has by default."""
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_nulls(each) for each in value if each is not None]
    return value


def _check_units(answer: dict[str, Any]) -> None:
    """Hold the units to the lists they were to be taken from."""
    axis, spectra = answer.get("axis"), answer.get("spectra")
    parts: list[tuple[str, object, tuple[str, ...]]] = [("axis", axis, AXIS_UNITS)]
    if isinstance(spectra, list):
        parts += [(f"spectra.{i}", each, INTENSITY_UNITS) for i, each in enumerate(spectra)]
    for where, part, known in parts:
        if isinstance(part, dict) and part.get("unit") is not None and part["unit"] not in known:
            raise InvalidAnswerError(f"{where}.unit: must be one of {', '.join(known)} or null")


def _unmask(answer: dict[str, Any], observation: Observation) -> None:
    """Give fences and keys, which the AI knows by their masked form, as they stand in the file."""
    mask = Mask.of(observation)
    lines = [*observation.preamble, *observation.header, *observation.trailer]
    for fence in ("begin_fence", "end_fence"):
        wanted = answer.get(fence)
        if isinstance(wanted, str) and wanted.strip():
            found = (line for line in lines if wanted.strip() in line or wanted.strip() in mask.preamble_line(line))
            answer[fence] = next(found, wanted).strip()
    real_keys = {mask.key(key): key for key in reversed(list(observation.keys))}
    axis = answer.get("axis")
    if isinstance(axis, dict):
        for part in ("first_key", "last_key", "count_key"):
            if isinstance(axis.get(part), str):
                axis[part] = real_keys.get(axis[part].strip(), axis[part])
    if isinstance(answer.get("preamble_keys"), list):
        kept = [real_keys.get(key, key) for key in answer["preamble_keys"] if isinstance(key, str)]
        answer["preamble_keys"] = [key for key in kept if key in observation.keys]


def _where(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "the answer"
