"""What an extractor is: from one run and what is known of its chip and light to derived values, or a reason why not."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics import _constants

if TYPE_CHECKING:
    from batchlab.devices.metrics._geometry import Geometry
    from batchlab.devices.metrics._power import IrradiatedPower

__all__ = ["Extractor", "ExtractionContext", "Reason", "Skip", "Skipped"]

log = logging.getLogger(__name__)


class Reason(StrEnum):
    """Why a run has no value of a metric."""

    MISSING_COLUMN = "MISSING_COLUMN"
    PRECONDITION_FAILED = "PRECONDITION_FAILED"
    ALGORITHM_FAILURE = "ALGORITHM_FAILURE"
    QUALITY_FAILURE = "QUALITY_FAILURE"
    DATA_QUALITY = "DATA_QUALITY"
    SWEEP_NOT_LOOPED = "SWEEP_NOT_LOOPED"
    SWEEP_INCOMPLETE = "SWEEP_INCOMPLETE"
    MISSING_GEOMETRY = "MISSING_GEOMETRY"
    MISSING_METADATA = "MISSING_METADATA"
    DEAD_SAMPLE = "DEAD_SAMPLE"
    NEGLIGIBLE_RECOVERY = "NEGLIGIBLE_RECOVERY"


@dataclass(frozen=True, slots=True)
class Skip:
    """No value, and why."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A skip with the run, or the later run of the pair, it concerns."""

    run_id: str
    procedure: str
    extractor: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractionContext:
    """What an extractor may know beside the run.

    Attributes
    ----------
    geometry
        Of the run's chip; None where it was not described.
    power
        Light that falls on the chip during the run, from a calibration; None where no calibration fits.
    constants
        The thresholds: the module `_constants`, or `_constants.changed(...)`.
    threshold_current_a
        Current that defines a constant-current threshold voltage; None leaves that method out.
    """

    geometry: Geometry | None = None
    power: IrradiatedPower | None = None
    constants: Any = _constants
    threshold_current_a: float | None = None


@runtime_checkable
class Extractor(Protocol):
    """A method that derives values from one run.

    One that is quicker for several runs at once may have a method ``ahead(runs, constants)``, too: it is called with
    runs of its procedures before `extract` is asked for each of them, and remembers what it worked out.

    Attributes
    ----------
    name
        Of the extractor, unique; what skips and filters speak of.
    metrics
        Names of the metrics it may give.
    category
        Of its metrics.
    procedures
        Those it applies to, as the files name them.
    version
        Of its algorithm: changes whenever the same run may give another value.
    """

    name: str
    metrics: tuple[str, ...]
    category: Category
    procedures: frozenset[str]
    version: str

    def extract(self, run: Run, context: ExtractionContext) -> Sequence[DerivedMetric] | Skip:
        """The values of a run, or why there are none."""
        ...

    def validate(self, metric: DerivedMetric) -> bool:
        """Whether a value is one that physics allows; an invalid one is kept and flagged."""
        ...


class Row:
    """Makes the metrics of one extractor and one run, so that what they share is said once."""

    __slots__ = ("_extractor", "_run")

    def __init__(self, extractor: Extractor, run: Run) -> None:
        self._extractor = extractor
        self._run = run

    def __call__(
        self,
        name: str,
        value: float,
        unit: str,
        method: str,
        *,
        error: float | None = None,
        checks: Mapping[str, float] | None = None,
        notes: Sequence[str] = (),
        json: Mapping[str, Any] | None = None,
    ) -> DerivedMetric:
        """One metric; `checks` are failed ones with their penalties, `notes` flags that cost nothing."""
        failed = dict(checks or {})
        return DerivedMetric(
            run_id=self._run.run_id,
            procedure=self._run.procedure,
            chip=self._run.chip,
            metric_name=name,
            metric_category=self._extractor.category,
            unit=unit,
            extraction_method=method,
            extraction_version=self._extractor.version,
            value_float=float(value),
            value_json=json,
            standard_error=None if error is None or not math.isfinite(error) else float(error),
            confidence=math.prod(failed.values()),
            flags=(*failed, *notes),
        )


def within(metric: DerivedMetric, low: float, high: float) -> bool:
    """Whether the value is finite and from `low` to `high`."""
    return metric.value_float is not None and low <= metric.value_float <= high


def log_skip(skipped: Skipped) -> None:
    """Tell of a skip at debug level; nothing is formatted when nobody listens."""
    log.debug(
        "%s skipped %s: %s (%s)",
        skipped.extractor,
        skipped.run_id,
        skipped.reason,
        skipped.detail,
        extra={"event": "metric_skipped", "run_id": skipped.run_id, "reason": str(skipped.reason)},
    )
