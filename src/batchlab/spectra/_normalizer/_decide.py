"""Whose plan is used: a pure decision over what rules and others propose."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from batchlab.spectra._normalizer._dry_run import Verdict
from batchlab.spectra._normalizer._proposal import Proposal, Source
from batchlab.spectra._plan import Plan

__all__ = ["Decision", "Judged", "Status", "agreement", "decide", "judged_confidence"]

RULES_SURE = 0.8  # rules this sure are asked alone
_ACCEPT = 0.9
_WARN = 0.7
_RULES_AT_LEAST = 0.5
_DOUBT = 0.9  # each doubt of the dry run leaves so much of the confidence


class Status(StrEnum):
    """What becomes of a file."""

    ACCEPTED = "accepted"
    ACCEPTED_WITH_WARNING = "accepted-with-warning"
    NEEDS_REVIEW = "needs-review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A proposal of another than the rules, and what the dry run says of it."""

    proposal: Proposal
    verdict: Verdict
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Which proposal is used, if any."""

    status: Status
    chosen: Proposal | None
    confidence: float
    warnings: tuple[str, ...] = ()


def decide(rules: Proposal | None, other: Judged | None, *, hold: bool = False) -> Decision:
    """Choose between the rules' proposal and another.

    Parameters
    ----------
    rules
        What the rules propose; None where they find no table.
    other
        A pinned, cached or asked plan that was tried on the file; None where there is none.
    hold
        Put what would be accepted with a warning under review instead.
    """
    own = rules.confidence if rules is not None else 0.0
    passed = other is not None and other.verdict.passed
    if other is not None and passed and other.proposal.source is Source.PINNED:
        return Decision(status=Status.ACCEPTED, chosen=other.proposal, confidence=1.0, warnings=other.verdict.doubts)
    if rules is not None and own >= RULES_SURE:
        return Decision(status=Status.ACCEPTED, chosen=rules, confidence=own)
    if other is not None and passed and other.confidence >= _WARN:
        sure = other.confidence >= _ACCEPT
        status = Status.ACCEPTED if sure else Status.NEEDS_REVIEW if hold else Status.ACCEPTED_WITH_WARNING
        told = () if sure else (f"the plan of the {other.proposal.source} is {other.confidence:.0%} sure; look at it",)
        return Decision(
            status=status, chosen=other.proposal, confidence=other.confidence, warnings=(*told, *other.verdict.doubts)
        )
    refused: tuple[str, ...] = ()
    if other is not None and not passed:
        refused = (f"the plan of the {other.proposal.source} does not fit this file: {other.verdict.problems[0]}",)
    if rules is not None and own >= _RULES_AT_LEAST:
        told = (f"the rules are {own:.0%} sure how it is read; look at it",)
        return Decision(status=Status.ACCEPTED_WITH_WARNING, chosen=rules, confidence=own, warnings=(*refused, *told))
    best = rules if rules is not None else other.proposal if other is not None and passed else None
    told = ("nobody is sure how this file is read; choose a proposal and pin it",)
    return Decision(
        status=Status.NEEDS_REVIEW,
        chosen=best,
        confidence=own if rules is not None else other.confidence if other is not None and passed else 0.0,
        warnings=(*refused, *told),
    )


def judged_confidence(proposal: Proposal, verdict: Verdict, rules: Proposal | None, others: tuple[Plan, ...]) -> float:
    """How sure a plan is after its dry run and beside what the rules propose.

    Parameters
    ----------
    proposal, verdict
        The plan with its source's own confidence, and what the dry run found.
    rules, others
        The rules' best proposal and their alternatives. A plan that reads the file as the best does gains half of what
        it lacks; one that reads it as an alternative keeps its own; any other loses, the more the surer the rules are.

    Returns
    -------
    float
        From 0 to 1; 0 for a plan that failed.
    """
    if not verdict.passed:
        return 0.0
    if proposal.source is Source.PINNED:
        return 1.0
    confidence = proposal.confidence * _DOUBT ** len(verdict.doubts)
    if rules is None:
        return confidence
    same = agreement(proposal.plan, rules.plan)
    if same == 1:
        return confidence + (1 - confidence) / 2
    if any(agreement(proposal.plan, each) == 1 for each in others):
        return confidence
    return confidence * (1 - 0.3 * max(0.5, rules.confidence) * (1 - same))


def agreement(plan: Plan, other: Plan) -> float:
    """The share of what decides the numbers that two plans read alike, from 0 to 1.

    What one of them leaves unknown, it does not contradict.
    """
    questions = [
        plan.orientation == other.orientation,
        plan.decimal == other.decimal,
        (plan.axis.column, plan.axis.header_row) == (other.axis.column, other.axis.header_row),
        _samples(plan) == _samples(other),
        _compatible(plan.axis.kind.value, other.axis.kind.value),
        plan.axis.unit is None or other.axis.unit is None or plan.axis.unit == other.axis.unit,
        _quantities(plan) == _quantities(other) or not _quantities(plan) or not _quantities(other),
        plan.first_data_line == other.first_data_line or plan.begin_fence is not None or other.begin_fence is not None,
    ]
    return sum(questions) / len(questions)


def _compatible(word: str, other: str) -> bool:
    return "unknown" in (word, other) or word == other


def _samples(plan: Plan) -> set[tuple[object, object]]:
    return {(each.column, each.rows) for each in plan.spectra if each.role == "sample"}


def _quantities(plan: Plan) -> set[str]:
    """The quantities of its samples; a bare intensity says no more than that there is one."""
    return {each.quantity.value for each in plan.spectra if each.role == "sample"} - {"unknown", "intensity"}
