"""`Normalizer`: from a file to the plan by which it is read, whoever knows it best."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from batchlab.errors import DataError
from batchlab.spectra._normalizer._cache import PlanCache
from batchlab.spectra._normalizer._decide import RULES_SURE, Decision, Judged, Status, decide, judged_confidence
from batchlab.spectra._normalizer._dry_run import dry_run
from batchlab.spectra._normalizer._payload import fingerprint
from batchlab.spectra._normalizer._proposal import NormalizationError, Proposal, Proposer, Source
from batchlab.spectra._normalizer._settings import AiSettings
from batchlab.spectra._plan import Plan
from batchlab.spectra._read._observation import Observation, observe
from batchlab.spectra._read._recognize import Recognition, recognize

if TYPE_CHECKING:
    from batchlab.spectra._model import Spectrum
    from batchlab.spectra._normalizer._calls import Calls, Summary

__all__ = ["Normalized", "Normalizer", "RuleProposer"]

_ANOTHER_MAY_KNOW = ("unknown-layout", "broken-table", "not-a-spectrum")


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalized:
    """How a file is to be read.

    Attributes
    ----------
    path
        The file.
    plan
        The plan; None for a format that describes itself, and where nobody proposes any. Under review it is the best
        proposal, not to be used unasked.
    source
        Whose plan it is; None where nobody proposes any.
    confidence
        From 0 to 1, after the dry run.
    status
        Whether it may be used.
    proposals
        Everybody's, the rules' first.
    warnings
        What the user is to know.
    layout
        The name of its layout, the same for all files of one instrument; empty where nobody needed it, since the rules
        are sure or the format describes itself.
    """

    path: Path
    plan: Plan | None
    source: Source | None
    confidence: float
    status: Status
    proposals: tuple[Proposal, ...] = ()
    warnings: tuple[str, ...] = ()
    layout: str = ""

    def read(self) -> tuple[Spectrum, ...]:
        """Read the file by this plan.

        Raises
        ------
        DataError
            Reason ``needs-review``: nobody is sure how; or the reasons of reading.
        """
        from batchlab.spectra._read import read_spectra

        if self.status is Status.NEEDS_REVIEW:
            raise DataError(
                f"{self.path}: nobody is sure how this file is read; `batchlab spectra plans show` shows a plan, "
                "`batchlab spectra plans pin` approves one",
                reason="needs-review",
            )
        return read_spectra(self.path, plan=self.plan)


class RuleProposer:
    """The recogniser's rules as a source of plans: offline, free, always there."""

    def propose(self, observation: Observation) -> Proposal | None:
        """What the rules make of a file; None where they find no table in it."""
        try:
            return _of_rules(recognize(observation.path))
        except DataError:
            return None


class Normalizer:
    """Rules first; what they are not sure of is looked up or, if the user has set one up, asked of an AI.

    Parameters
    ----------
    settings
        How an AI is reached; by default as the environment says, which is not at all unless it is set up there.
    cache
        The plans that are known.
    ai
        A source to ask instead of the AI of the settings.
    calls
        The account of calls.
    """

    def __init__(
        self,
        settings: AiSettings | None = None,
        *,
        cache: PlanCache | None = None,
        ai: Proposer | None = None,
        calls: Calls | None = None,
    ) -> None:
        self._settings = AiSettings.from_environment() if settings is None else settings
        self._cache = cache or PlanCache()
        self._known_calls = calls
        self._ai = ai
        if ai is None and self._settings.set_up:
            # Who asks nobody loads neither the network's modules nor the account's.
            from batchlab.spectra._normalizer._ai import AiProposer

            self._ai = AiProposer(self._settings, cache=self._cache, calls=self._calls)

    @property
    def _calls(self) -> Calls:
        if self._known_calls is None:
            from batchlab.spectra._normalizer._calls import Calls

            self._known_calls = Calls()
        return self._known_calls

    @property
    def summary(self) -> Summary:
        """What this job has asked so far: ``1 call for 240 files``."""
        return self._calls.summary(self._settings.job)

    @property
    def has_pinned(self) -> bool:
        """Whether any plan is pinned: then even sure rules may have to give way."""
        return self._cache.has_pinned

    @property
    def can_ask(self) -> bool:
        """Whether an AI is set up."""
        return self._ai is not None

    def normalize(self, path: str | os.PathLike[str]) -> Normalized:
        """Say how a file is read.

        Parameters
        ----------
        path
            The file.

        Raises
        ------
        DataError
            If it cannot be read at all, or nobody finds a table in it.
        ConfigError
            If a pinned plan's file is wrong.
        """
        path = Path(path)
        recognition, refusal = _looked_at(path)
        if recognition is not None and recognition.plan is None:
            return Normalized(path=path, plan=None, source=Source.FORMAT, confidence=1.0, status=Status.ACCEPTED)
        rules = _of_rules(recognition) if recognition is not None else None
        if rules is not None and rules.confidence >= RULES_SURE and not self._cache.has_pinned:
            return Normalized(
                path=path,
                plan=rules.plan,
                source=Source.RULES,
                confidence=rules.confidence,
                status=Status.ACCEPTED,
                proposals=(rules,),
            )
        # Where the rules find no table in a text, another may.
        observation = (recognition.observation if recognition is not None else None) or observe(path)
        warnings: list[str] = []
        other = self._other(observation, rules, warnings)
        if rules is None and other is None and refusal is not None:
            raise _with_warnings(refusal, warnings)
        alternatives = tuple(each.plan for each in recognition.alternatives) if recognition is not None else ()
        judged = None
        if other is not None:
            verdict = dry_run(other.plan, observation)
            confidence = judged_confidence(other, verdict, rules, alternatives)
            judged = Judged(proposal=other, verdict=verdict, confidence=confidence)
        decision = decide(rules, judged, hold=self._settings.hold)
        layout = fingerprint(observation)
        self._count(decision, layout)
        return Normalized(
            path=path,
            plan=decision.chosen.plan if decision.chosen else None,
            source=decision.chosen.source if decision.chosen else None,
            confidence=decision.confidence,
            status=decision.status,
            proposals=tuple(each for each in (rules, other) if each is not None),
            warnings=(*warnings, *decision.warnings),
            layout=layout,
        )

    def _other(self, observation: Observation, rules: Proposal | None, warnings: list[str]) -> Proposal | None:
        """A proposal of somebody other than the rules, where it is wanted."""
        known = self._cache.propose(observation)
        if known is not None and known.source is Source.PINNED:
            return known
        if rules is not None and rules.confidence >= RULES_SURE:
            return None
        if known is not None or self._ai is None:
            return known
        if rules is None and not observation.hypotheses:
            return None  # a text without rows of numbers, such as notes beside the data: nobody's business
        try:
            return self._ai.propose(observation)
        except (NormalizationError, OSError) as error:
            warnings.append(f"AI normalization failed: {error}")
            return None

    def _count(self, decision: Decision, layout: str) -> None:
        source = decision.chosen.source if decision.chosen else None
        if source in (Source.AI, Source.CACHE) and self._settings.set_up:
            self._calls.files.add(job=self._settings.job, layout=layout, source=source.value)


def _looked_at(path: Path) -> tuple[Recognition | None, DataError | None]:
    """What the rules say of a file, or why they find no layout in its text; other errors are the file's own."""
    try:
        return recognize(path), None
    except DataError as error:
        if error.reason not in _ANOTHER_MAY_KNOW:
            raise
        return None, error


def _of_rules(recognition: Recognition) -> Proposal | None:
    if recognition.plan is None:
        return None
    return Proposal(
        plan=recognition.plan,
        source=Source.RULES,
        confidence=recognition.confidence,
        reason="; ".join(recognition.reasons[:3]),
    )


def _with_warnings(error: DataError, warnings: list[str]) -> DataError:
    if not warnings:
        return error
    return DataError(f"{error}; {'; '.join(warnings)}", category=error.category, reason=error.reason)
