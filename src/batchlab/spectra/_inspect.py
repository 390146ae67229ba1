"""What is known of a file before anything is done with it: its layout, its units, its spectra, and how sure that is."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.errors import BatchlabError, DataError
from batchlab.spectra._kinds import AxisKind, SpectrumRole

if TYPE_CHECKING:
    from batchlab.spectra._model import Spectrum
    from batchlab.spectra._normalizer import Proposal
    from batchlab.spectra._plan import Plan
    from batchlab.spectra._read import Recognition

__all__ = ["Inspection", "inspect"]


_SURE = 0.8
_MOST_SHOWN = 12  # spectra, in a notebook


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What is known of one file.

    Attributes
    ----------
    file
        Its name, as given.
    recognition
        How it is laid out; None where it is refused before that can be told.
    spectra
        All that it holds but those that say again what another says; empty where it is refused.
    refused
        Why it cannot be read; None where it can.
    reason
        The same in a word, such as ``truncated``.
    """

    file: str
    recognition: Recognition | None
    spectra: tuple[Spectrum, ...]
    refused: str | None = None
    reason: str | None = None

    @property
    def layout(self) -> str:
        """``columns``, ``rows``, ``pairs``, ...; or the name of a format of its own."""
        if self.recognition is None:
            return ""
        plan = self.recognition.plan
        return self.recognition.format if plan is None else plan.orientation.value

    @property
    def main(self) -> Spectrum | None:
        """The first sample, or the first of all."""
        samples = (each for each in self.spectra if each.role is SpectrumRole.SAMPLE)
        return next(samples, self.spectra[0] if self.spectra else None)

    def as_json(self) -> dict[str, Any]:
        """The facts as plain data; the axis as it is written in the file."""
        if self.refused is not None or self.recognition is None or self.main is None:
            return {"file": self.file, "refused": self.refused}
        found, plan, main = self.recognition, self.recognition.plan, self.main
        return {
            "file": self.file,
            "layout": self.layout,
            "confidence": round(found.confidence, 3),
            "reason": "; ".join(found.reasons),
            "encoding": None if plan is None else plan.encoding,
            "first_data_line": found.first_line,
            "axis": {
                "kind": main.axis_kind.value,
                "unit": main.axis_unit,
                "first": float(main.axis[0]) if found.first is None else found.first,
                "last": float(main.axis[-1]) if found.last is None else found.last,
                "count": len(main) if found.count is None else found.count,
            },
            "metadata": dict(main.metadata),
            "spectra": [_spectrum(each, column) for each, column in zip(self.spectra, self._columns(), strict=True)],
            "alternatives": [
                {
                    "layout": each.plan.orientation.value,
                    "confidence": round(each.confidence, 3),
                    "reason": "; ".join(each.reasons),
                    "axis": {
                        "kind": each.plan.axis.kind.value,
                        "unit": each.plan.axis.unit,
                        "column": each.plan.axis.column,
                    },
                    "columns": [spectrum.column for spectrum in each.plan.spectra],
                }
                for each in found.alternatives
            ],
        }

    def _repr_html_(self) -> str:
        """The first sample, what it is, and how that was told, as a notebook shows it."""
        from batchlab.spectra._notebook import page_of, table_of

        if self.refused is not None or self.recognition is None or self.main is None:
            return page_of(self.file, table_of([("refused", self.refused)]))
        rows = [(each.name, each.role.value, each.intensity_label, each.axis_label, len(each)) for each in self.spectra]
        table = table_of(rows[:_MOST_SHOWN], ("name", "role", "signal", "axis", "points"))
        more = (f"and {len(rows) - _MOST_SHOWN} more spectra",) if len(rows) > _MOST_SHOWN else ()
        return page_of(self.file, self.main._repr_html_(), table, self.recognition._repr_html_(), notes=more)

    def _columns(self) -> list[int | None]:
        """The column of each spectrum, where spectra are columns."""
        plan = self.recognition.plan if self.recognition is not None else None
        columns = [] if plan is None else _kept_columns(plan)
        return columns if len(columns) == len(self.spectra) else [None] * len(self.spectra)


def inspect(path: str | os.PathLike[str]) -> Inspection:
    """Tell what is known of a file; nothing is raised for one that cannot be read.

    Parameters
    ----------
    path
        The file.
    """
    from batchlab.spectra._read import read_spectra, recognize

    file = os.fspath(path)
    recognition: Recognition | None = None
    refusal: DataError | None = None
    try:
        try:
            recognition = recognize(path)
        except DataError as error:
            refusal = error
        known = _known(Path(path), recognition)
        if known is None and refusal is not None:
            raise refusal
        recognition = known or recognition
        spectra = read_spectra(path, plan=None if known is None else known.plan)
    except BatchlabError as error:
        message = str(error).removeprefix(f"{Path(file)}: ")
        reason = error.reason if isinstance(error, DataError) else None
        return Inspection(file=file, recognition=recognition, spectra=(), refused=message, reason=reason)
    return Inspection(file=file, recognition=recognition, spectra=spectra)


def _known(path: Path, rules: Recognition | None) -> Recognition | None:
    """The reading by a known plan, pinned or an AI's, where a comparison would use it; nobody is asked."""
    from batchlab.spectra._normalizer import AiSettings, Normalizer, Source, Status
    from batchlab.spectra._read import Alternative, Recognition

    held = {name: value for name, value in os.environ.items() if name == "BATCHLAB_AI_HOLD"}
    normalizer = Normalizer(AiSettings.from_environment(held))
    sure = rules is not None and (rules.plan is None or rules.confidence >= _SURE)
    if sure and not normalizer.has_pinned:
        return None
    try:
        found = normalizer.normalize(path)
    except DataError:
        return None  # what the rules make of it is told
    if found.status is Status.NEEDS_REVIEW:
        asked = next((each for each in found.proposals if each.source is Source.CACHE), None)
        return None if rules is None or asked is None else _under_review(rules, asked)
    if found.plan is None or found.source not in (Source.PINNED, Source.CACHE):
        return None
    why = next((each.reason for each in found.proposals if each.source is found.source), "")
    whose = "a plan is pinned for this layout" if found.source is Source.PINNED else "an AI was asked for this layout"
    others: tuple[Alternative, ...] = ()
    if rules is not None and rules.plan is not None:
        of_rules = Alternative(plan=rules.plan, confidence=rules.confidence, reasons=("the rules' own", *rules.reasons))
        others = (of_rules, *rules.alternatives)
    return Recognition(
        plan=found.plan,
        confidence=round(found.confidence, 3),
        reasons=(whose, why) if why else (whose,),
        alternatives=others,
        first_line=found.plan.first_data_line,
        warnings=found.warnings,
        _observe=None if rules is None else lambda: rules.observation,  # type: ignore[arg-type,return-value]
    )


def _under_review(rules: Recognition, asked: Proposal) -> Recognition:
    """The rules' reading, with what an AI proposed beside it."""
    from batchlab.spectra._read import Alternative

    told = ("an AI's proposal, under review", *([asked.reason] if asked.reason else []))
    other = Alternative(plan=asked.plan, confidence=asked.confidence, reasons=told)
    return replace(rules, alternatives=(other, *rules.alternatives))


def _kept_columns(plan: Plan) -> list[int | None]:
    return [each.column for each in plan.spectra if each.role is not SpectrumRole.IGNORE]


def _spectrum(spectrum: Spectrum, column: int | None) -> dict[str, Any]:
    return {
        "name": spectrum.name,
        "column": column,
        "role": spectrum.role.value,
        "quantity": spectrum.quantity.value,
        "unit": spectrum.unit,
    }


def runs_down(spectrum: Spectrum) -> bool:
    """Whether its axis is shown from high to low, as wavenumbers of the infrared are."""
    return spectrum.axis_kind is AxisKind.WAVENUMBER
