"""Recognise how a text file is laid out: every reading that fits, the evidence for each, and the best of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from batchlab.errors import DataError
from batchlab.spectra._plan import Plan
from batchlab.spectra._read._block import Block, find_block
from batchlab.spectra._read._calibration import calibrated
from batchlab.spectra._read._encoding import Decoded, decode
from batchlab.spectra._read._formats import sniff
from batchlab.spectra._read._layout import layout_of, no_table
from batchlab.spectra._read._lines import Lines
from batchlab.spectra._read._load import load
from batchlab.spectra._read._observation import Observation, facts_of, observed
from batchlab.spectra._read._plates import propose_plates
from batchlab.spectra._read._proposal import Evidence, Proposal
from batchlab.spectra._read._propose_columns import propose_columns, propose_pairs
from batchlab.spectra._read._propose_rows import propose_rows
from batchlab.spectra._read._rows import LEAST_POINTS, axis_cells
from batchlab.spectra._read._sample import sampled
from batchlab.spectra._read._single_y import propose_single_y

__all__ = ["Alternative", "Recognition", "proposals_of", "recognize", "recognized"]

_SCALES = (1, 4, 10_000)
_RIVALRY = 0.6
_LONG_ENOUGH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another way to read a file, with its own confidence and reasons."""

    plan: Plan
    confidence: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Recognition:
    """How a file is laid out, as far as can be told.

    Attributes
    ----------
    plan
        The best reading; its confidence and reason are filled in. None for a format that is no text.
    confidence
        How sure that is: of files told with 0.9, nine in ten are right.
    score
        The product of the evidence, from which the confidence was read off.
    reasons
        What was seen, in words, what speaks most against it first.
    evidence
        The same as named factors.
    alternatives
        Other readings, best first.
    format
        The name of a format of its own; ``text`` for a plan.
    first, last, count
        The axis as written in the file, its points counted by lines; None where only reading tells.
    first_line
        The line of the first point, which may stand below rows without one; None for a format that is no text.
    warnings
        What was odd.
    """

    plan: Plan | None
    confidence: float
    reasons: tuple[str, ...]
    score: float = 1.0
    evidence: tuple[Evidence, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    format: str = "text"
    first: float | None = None
    last: float | None = None
    count: int | None = None
    first_line: int | None = None
    warnings: tuple[str, ...] = ()
    _observe: Callable[[], Observation] | None = field(default=None, repr=False, compare=False)

    @property
    def observation(self) -> Observation | None:
        """What was measured of the text; None for a format that is no text."""
        return None if self._observe is None else self._observe()

    def __repr__(self) -> str:
        axis = "" if self.first is None or self.last is None else f", {self.first:g} to {self.last:g}"
        points = "" if self.count is None else f", {self.count} points"
        others = f", {len(self.alternatives)} alternatives" if self.alternatives else ""
        return f"<Recognition: {_named(self)}{axis}{points}, confidence {self.confidence:.3g}{others}>"

    def _repr_html_(self) -> str:
        """What was told, why, and what else it may be, as a notebook shows it."""
        from batchlab.spectra._notebook import page_of, table_of

        rows: list[tuple[object, ...]] = [(_named(self), self.confidence, "; ".join(self.reasons))]
        rows += [(each.plan.orientation.value, each.confidence, "; ".join(each.reasons)) for each in self.alternatives]
        axis = "" if self.first is None or self.last is None else f", {self.first:g} to {self.last:g}"
        points = "" if self.count is None else f", {self.count} points"
        title = f"{_named(self)}{axis}{points}"
        return page_of(title, table_of(rows, ("layout", "confidence", "reason")), notes=self.warnings)


def _named(found: Recognition) -> str:
    return found.format if found.plan is None else found.plan.orientation.value


def recognize(path: str | os.PathLike[str], data: bytes | None = None) -> Recognition:
    """Recognise the layout of a file, looking at a bounded sample of its head and tail.

    Parameters
    ----------
    path
        The file.
    data
        Its bytes, where they are known already; else they are read.

    Raises
    ------
    DataError
        The reasons of `read_layout`; those of a format that is known and not read.
    """
    path = Path(path)
    data = load(path) if data is None else data
    structured = sniff(data, path)
    if structured is not None:
        return Recognition(
            plan=None, confidence=structured.confidence, reasons=(structured.reason,), format=structured.name
        )
    decoded = decode(path, data)
    for scale in _SCALES:
        lines = sampled(decoded.text, scale)
        try:
            proposals, block = proposals_of(path, lines, decoded)
        except DataError:
            if not lines.gap:
                raise
            continue
        if proposals[0].covered:
            break
    return recognized(proposals, partial(_observed, path, data, decoded, lines, block), decoded.warnings)


def _observed(path: Path, data: bytes, decoded: Decoded, lines: Lines, block: Block | None) -> Observation:
    return observed(lines, block, **facts_of(path, data, decoded, lines))


def recognized(
    proposals: list[Proposal], observe: Callable[[], Observation] | None = None, warnings: tuple[str, ...] = ()
) -> Recognition:
    """Say how sure the best of some proposals is, and why."""
    best, *others = proposals
    evidence = best.evidence
    if others:
        rival = Evidence(
            "rival",
            1 - _RIVALRY * min(1.0, others[0].score),
            f"it may also be read as {others[0].plan.orientation.value}",
        )
        evidence = (*evidence, rival)
    score = best.score * (evidence[-1].factor if others else 1.0)
    confidence = calibrated(score)
    reasons = _reasons(evidence)
    layout = best.layout
    return Recognition(
        plan=_told(best.plan, confidence, reasons),
        confidence=confidence,
        reasons=reasons,
        score=score,
        evidence=evidence,
        alternatives=_alternatives(best, others, confidence),
        first=best.first,
        last=best.last,
        count=best.count,
        first_line=best.first_line or best.plan.first_data_line,
        warnings=layout.warnings if layout is not None else warnings,
        _observe=observe,
    )


def proposals_of(path: Path, lines: Lines, decoded: Decoded) -> tuple[list[Proposal], Block | None]:
    """All readings of a text that fit, best first, and the table of columns found in it.

    Raises
    ------
    DataError
        Where there is none: why.
    """
    plates = propose_plates(lines, decoded.encoding)
    if plates is not None:
        return [plates], find_block(lines)
    found: list[Proposal | None] = []
    refusal: DataError | None = None
    block = find_block(lines)
    if block is not None and block.values.shape[1] >= 2:
        try:
            layout = layout_of(path, lines, block, decoded)
            found.append(propose_pairs(layout, lines) or propose_columns(layout, lines))
        except DataError as error:
            if error.reason in ("truncated", "broken-table"):
                raise
            refusal = error
    if block is None or _may_be_rows(block, found[0] if found else None):
        found.append(propose_rows(lines, decoded.encoding, decoded.warnings))
    if block is None or (refusal is None and len(block.lines) < _LONG_ENOUGH):
        least = 0 if block is None else len(block.lines)
        found.append(propose_single_y(lines, decoded.encoding, least))
    proposals = sorted((each for each in found if each is not None), key=lambda each: -each.score)
    if not proposals:
        raise refusal or no_table(path, lines)
    return proposals, block


def _may_be_rows(block: Block, columns: Proposal | None) -> bool:
    """Whether a line of a table may be an axis: it is wide, and its header, if any, holds numbers."""
    if columns is None or columns.layout is None:
        return True
    names = columns.layout.names
    if names:
        return sum(each is not None for each in axis_cells(list(names), columns.layout.decimal)) >= LEAST_POINTS
    return int(block.values.shape[1]) >= LEAST_POINTS


def _alternatives(best: Proposal, others: list[Proposal], confidence: float) -> tuple[Alternative, ...]:
    """Other orientations, and other columns for the axis; best first."""
    found = [_alternative(each, best) for each in others]
    for each in best.other_axes:
        sure, reasons = min(confidence, calibrated(each.score)), _reasons(each.evidence)
        found.append(Alternative(plan=_told(each.plan, sure, reasons), confidence=sure, reasons=reasons))
    return tuple(sorted(found, key=lambda each: -each.confidence))


def _alternative(proposal: Proposal, best: Proposal) -> Alternative:
    rival = Evidence(
        "rival",
        1 - _RIVALRY * min(1.0, best.score),
        f"reading it as {best.plan.orientation.value} fits better",
    )
    evidence = (*proposal.evidence, rival)
    confidence = calibrated(proposal.score * rival.factor)
    return Alternative(
        plan=_told(proposal.plan, confidence, _reasons(evidence)), confidence=confidence, reasons=_reasons(evidence)
    )


def _told(plan: Plan, confidence: float, reasons: tuple[str, ...]) -> Plan:
    return plan.model_copy(update={"confidence": confidence, "reason": "; ".join(reasons)[:200]})


def _reasons(evidence: tuple[Evidence, ...]) -> tuple[str, ...]:
    return tuple(each.seen for each in sorted(evidence, key=lambda each: each.factor))
