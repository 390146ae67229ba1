"""What every source of plans gives, and how it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from batchlab.errors import BatchlabError, Category
from batchlab.spectra._plan import Plan

if TYPE_CHECKING:
    from batchlab.spectra._read._observation import Observation

__all__ = ["NormalizationError", "Proposal", "Proposer", "Source"]


class Source(StrEnum):
    """Who proposed a plan."""

    RULES = "rules"
    AI = "ai"
    CACHE = "cache"  # an AI's plan, asked for earlier
    PINNED = "pinned"  # a person's plan
    FORMAT = "format"  # a format that describes itself; no plan is needed


class NormalizationError(BatchlabError):
    """An AI gave no usable plan; the rules decide then.

    The reason says why: ``not-set-up``, ``not-allowed``, ``budget``, ``unreachable``, ``timeout``, ``refused``,
    ``access``, ``model``, ``busy``, ``service``, ``invalid-answer``.
    """

    category = Category.SERVICE


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A plan, who proposed it, and how sure it is.

    Attributes
    ----------
    plan
        How the file is read.
    source
        Who proposed it.
    confidence
        From 0 to 1. An AI's own figure, until the dry run has judged the plan.
    reason
        Why, in words.
    model
        The AI's model, where one was asked.
    """

    plan: Plan
    source: Source
    confidence: float
    reason: str = ""
    model: str | None = None


class Proposer(Protocol):
    """A source of plans."""

    def propose(self, observation: Observation) -> Proposal | None:
        """Propose how the file is read; None where this source knows nothing of its layout.

        Raises
        ------
        NormalizationError
            If the source should have known and failed.
        """
        ...
