"""Whose plan is used, as a table; and the dry run that a plan must pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from normalizer_files import good_answer, write_unknown

from batchlab.errors import DataError
from batchlab.spectra._kinds import AxisKind, Quantity
from batchlab.spectra._normalizer._answer import InvalidAnswerError, plan_of
from batchlab.spectra._normalizer._cache import moved
from batchlab.spectra._normalizer._decide import Judged, Status, agreement, decide, judged_confidence
from batchlab.spectra._normalizer._dry_run import Verdict, dry_run, possible_axis, possible_intensity
from batchlab.spectra._normalizer._normalize import RuleProposer
from batchlab.spectra._normalizer._proposal import Proposal, Source
from batchlab.spectra._plan import Plan
from batchlab.spectra._read._observation import Observation, observe
from batchlab.spectra._read._recognize import recognize


def plan(**changes: Any) -> Plan:
    return Plan.model_validate({**{k: v for k, v in good_answer().items() if v is not None}, **changes})


def proposal(source: Source, confidence: float, **changes: Any) -> Proposal:
    return Proposal(plan=plan(**changes), source=source, confidence=confidence)


def judged(source: Source, confidence: float, verdict: Verdict | None = None) -> Judged:
    return Judged(proposal=proposal(source, confidence), verdict=verdict or Verdict(), confidence=confidence)


FAILED = Verdict(problems=("no",))


@pytest.mark.parametrize(
    ("rules", "other", "hold", "status", "source"),
    [
        (0.9, None, False, Status.ACCEPTED, Source.RULES),
        (0.6, None, False, Status.ACCEPTED_WITH_WARNING, Source.RULES),
        (0.4, None, False, Status.NEEDS_REVIEW, Source.RULES),
        (None, None, False, Status.NEEDS_REVIEW, None),
        (0.9, judged(Source.CACHE, 1.0), False, Status.ACCEPTED, Source.RULES),
        (0.9, judged(Source.PINNED, 1.0), False, Status.ACCEPTED, Source.PINNED),
        (0.9, judged(Source.PINNED, 0.0, FAILED), False, Status.ACCEPTED, Source.RULES),
        (0.6, judged(Source.AI, 0.9), False, Status.ACCEPTED, Source.AI),
        (0.6, judged(Source.AI, 0.8), False, Status.ACCEPTED_WITH_WARNING, Source.AI),
        (0.6, judged(Source.AI, 0.8), True, Status.NEEDS_REVIEW, Source.AI),
        (0.6, judged(Source.AI, 0.6), False, Status.ACCEPTED_WITH_WARNING, Source.RULES),
        (0.4, judged(Source.AI, 0.6), False, Status.NEEDS_REVIEW, Source.RULES),
        (0.4, judged(Source.CACHE, 0.0, FAILED), False, Status.NEEDS_REVIEW, Source.RULES),
        (None, judged(Source.AI, 0.95), False, Status.ACCEPTED, Source.AI),
        (None, judged(Source.AI, 0.3), False, Status.NEEDS_REVIEW, Source.AI),
        (None, judged(Source.AI, 0.0, FAILED), False, Status.NEEDS_REVIEW, None),
    ],
)
def test_the_surest_plan_that_fits_is_used(
    rules: float | None, other: Judged | None, hold: bool, status: Status, source: Source | None
):
    decision = decide(None if rules is None else proposal(Source.RULES, rules), other, hold=hold)
    assert (decision.status, decision.chosen.source if decision.chosen else None) == (status, source)
    assert bool(decision.warnings) == (status is not Status.ACCEPTED)


def test_agreement_with_the_rules_raises_and_disagreement_lowers():
    asked = proposal(Source.AI, 0.8)
    other = {**good_answer()["axis"], "column": 0}
    same, apart = proposal(Source.RULES, 0.6), proposal(Source.RULES, 0.6, axis=other)
    assert judged_confidence(asked, Verdict(), same, ()) == pytest.approx(0.9)
    lowered = judged_confidence(asked, Verdict(), apart, ())
    assert lowered < 0.8
    assert judged_confidence(asked, Verdict(), proposal(Source.RULES, 0.79, axis=other), ()) < lowered
    assert judged_confidence(asked, Verdict(), apart, (same.plan,)) == 0.8
    assert judged_confidence(asked, Verdict(doubts=("a",)), None, ()) == pytest.approx(0.72)
    assert judged_confidence(asked, FAILED, same, ()) == 0


def test_what_is_left_unknown_does_not_contradict():
    vague = plan(axis={**good_answer()["axis"], "kind": "unknown", "unit": None})
    assert agreement(plan(), vague) == 1
    assert agreement(plan(), plan(axis={**good_answer()["axis"], "kind": "energy"})) < 1


# The dry run


@pytest.fixture
def unknown(tmp_path: Path) -> Observation:
    return observe(write_unknown(tmp_path / "leaf.txt"))


def changed(path: str, value: object) -> dict[str, Any]:
    answer = good_answer()
    place: Any = answer
    *parents, last = path.split(".")
    for each in parents:
        place = place[int(each)] if each.isdigit() else place[each]
    place[last] = value
    return answer


def test_a_right_plan_passes(unknown: Observation):
    assert dry_run(plan(), unknown) == Verdict()


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("axis.column", 2, "is the axis and a spectrum"),
        ("axis.column", 9, "there is no column 9"),
        ("axis.header_row", 11, "exactly one of"),
        ("spectra.0.column", 1, "is the axis and a spectrum"),
        ("spectra.0.role", "dark", "role sample"),
        ("spectra.0.quantity", "absorbance", "outside of what absorbance can be"),
        ("axis.unit", "eV", None),
        ("axis.kind", "pixel", None),
        ("first_data_line", 14, "stands before its first line"),
        ("first_data_line", 11, "lies in the data"),
        ("first_data_line", 3000, "the file has"),
        ("last_data_line", 2, "lies before first_data_line"),
        ("delimiter", "comma", "are numbers"),
        ("decimal", "comma", "are numbers"),
        ("end_fence", "The End", "no line above or below"),
        ("orientation", "rows", "give a line number or all"),
    ],
)
def test_a_wrong_plan_is_told_what_is_wrong(unknown: Observation, path: str, value: object, told: str | None):
    given = {key: each for key, each in changed(path, value).items() if each is not None}
    problems = "; ".join(dry_run(Plan.model_validate(given), unknown).problems)
    assert (told in problems) if told else not problems
    assert "leaf" not in problems


def told_points(tmp_path: Path, points: int) -> Observation:
    path = write_unknown(tmp_path / "a.txt")
    path.write_text(path.read_text().replace("Y Units: counts", f"Number of Points: {points}"))
    return observe(path)


def test_more_points_than_the_preamble_says_are_a_doubt(tmp_path: Path):
    doubts = dry_run(plan(), told_points(tmp_path, 48)).doubts
    assert doubts == ("the preamble says 48 points and 60 were read",)


def test_what_the_reader_says_is_told_without_the_files_words(unknown: Observation, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise DataError(f"{unknown.path}: column 'Gamma' of Grete Miller holds 531.77, see leaf.txt")

    monkeypatch.setattr("batchlab.spectra._read._apply.apply_plan", refuse)
    (problem,) = dry_run(plan(), unknown).problems
    assert problem == (
        "the plan cannot be applied: the file: column <text> of <text> <text> holds 999.99, see the file"
    )


def test_a_file_that_was_cut_off_is_no_fault_of_a_plan(tmp_path: Path):
    with pytest.raises(DataError) as caught:
        dry_run(plan(), told_points(tmp_path, 2048))
    assert caught.value.reason == "truncated"


@pytest.mark.parametrize(
    ("values", "kind", "unit", "possible"),
    [
        ([400, 4000], AxisKind.WAVENUMBER, "cm-1", True),
        ([-20, 4000], AxisKind.WAVENUMBER, "cm-1", False),
        ([-240, 3000], AxisKind.RAMAN_SHIFT, "cm-1", True),
        ([0.2, 0.9], AxisKind.WAVELENGTH, "nm", False),
        ([0.2, 0.9], AxisKind.WAVELENGTH, "um", True),
        ([-5, 5], AxisKind.UNKNOWN, None, True),
    ],
)
def test_an_axis_is_held_to_what_light_allows(values: list[float], kind: AxisKind, unit: str | None, possible: bool):
    assert possible_axis(np.array(values, dtype=float), kind, unit) is possible


def test_a_few_odd_points_do_not_make_a_signal_impossible():
    signal = np.linspace(0, 2, 1000)
    signal[:5] = 99
    assert possible_intensity(signal, Quantity.ABSORBANCE)
    assert not possible_intensity(signal * 100, Quantity.ABSORBANCE)


def test_the_rules_own_plans_of_real_files_pass(shared_spectra: Path):
    tried = 0
    for folder in ("jaz-five-columns", "bwtek-twinning-family", "svc-sig-family", "genesys30-csv-tsv", "bruker-dpt"):
        for path in sorted((shared_spectra / folder).iterdir()):
            recognized = recognize(path)
            assert recognized.plan is not None and recognized.observation is not None
            ours = recognized.plan
            if folder.startswith("svc"):  # the joins of its detectors are to be named
                ours = ours.model_copy(update={"axis": ours.axis.model_copy(update={"direction": "mixed"})})
            assert dry_run(ours, recognized.observation).problems == (), path
            tried += 1
    assert tried > 20


# From an answer to a plan


def test_the_encoding_is_measured_and_never_asked(unknown: Observation):
    answer = plan_of(json.dumps({**good_answer(), "encoding": "utf-7"}), unknown)
    assert answer.encoding == unknown.encoding


def test_the_end_of_this_files_rows_is_no_part_of_the_layout(unknown: Observation):
    assert plan_of(json.dumps(good_answer(last_data_line=71)), unknown).last_data_line is None
    assert plan_of(json.dumps(good_answer(last_data_line=50)), unknown).last_data_line == 50


def test_masked_fences_and_keys_become_those_of_the_file(tmp_path: Path):
    path = write_unknown(tmp_path / "a.txt")
    text = path.read_text().replace("Alpha\tBeta\tGamma\n", "Channel 7 gain: 12\n#DATA 4711\n")
    path.write_text(text)
    answer = good_answer(begin_fence="#DATA 9999", header_lines=[], first_data_line=13)
    answer["preamble_keys"] = ["Channel 9 gain", "Nonsense"]
    found = plan_of(json.dumps(answer), observe(path))
    assert found.begin_fence == "#DATA 4711"
    assert found.preamble_keys == ("Channel 7 gain",)
    assert dry_run(found, observe(path)).passed


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{}", "{" * 100_000, '{"axis": 1}', "🙂", '{"axis": {"unit": "furlong"}}']
)
def test_what_is_no_plan_is_told_as_such(unknown: Observation, text: str):
    with pytest.raises(InvalidAnswerError):
        plan_of(text, unknown)


def test_lines_move_with_the_table():
    there = moved(plan(unit_line=10, last_data_line=40), 12, 15)
    assert (there.first_data_line, there.header_lines, there.unit_line, there.last_data_line) == (15, (14,), 13, 43)
    assert moved(plan(), 12, None) == plan()
    assert moved(plan(), 30, 1) == plan()  # such a file has no room for the header


def test_rules_are_a_source_like_any_other(unknown: Observation):
    found = RuleProposer().propose(unknown)
    assert found is not None and found.source is Source.RULES and 0.5 < found.confidence < 0.8
