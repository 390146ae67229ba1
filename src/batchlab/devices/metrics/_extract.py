"""All metrics of runs: a pure function from runs to rows and reasons."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from types import MappingProxyType
from typing import Any

from batchlab.devices._model import Chip, DerivedMetric, Run
from batchlab.devices.metrics import _constants
from batchlab.devices.metrics._extractor import ExtractionContext, Extractor, Reason, Skip, Skipped, log_skip
from batchlab.devices.metrics._geometry import Geometry
from batchlab.devices.metrics._pairing import PairingRules
from batchlab.devices.metrics._pairs import NAMES as PAIR_METRICS
from batchlab.devices.metrics._pairs import extract_pairs
from batchlab.devices.metrics._power import Calibration, calibration_of, irradiated_power
from batchlab.devices.metrics._power_law import NAME as POWER_LAW
from batchlab.devices.metrics._power_law import extract_power_laws
from batchlab.devices.metrics._registry import extractors as all_extractors
from batchlab.devices.metrics._table import Coverage
from batchlab.devices.metrics._trace import TOGETHER
from batchlab.errors import BatchlabError

__all__ = ["Extraction", "context_of", "coverage_of", "extract", "extract_run", "together"]

log = logging.getLogger(__name__)

# What a method may raise on data it was not made for; anything else is a bug and stops the run.
_NUMERICAL = (BatchlabError, ArithmeticError, LookupError, TypeError, ValueError)


@dataclass(frozen=True, slots=True, repr=False)
class Extraction:
    """What runs gave: rows, and for the rest the reasons."""

    metrics: tuple[DerivedMetric, ...]
    skips: tuple[Skipped, ...]

    def __repr__(self) -> str:
        return f"<Extraction: {len(self.metrics)} metrics, {len(self.skips)} reasons for none>"

    def _repr_html_(self) -> str:
        """The metrics, and why others are missing, as a notebook shows them."""
        from collections import Counter

        from batchlab.devices._notebook import metrics_table, page_of

        reasons = Counter(f"{skip.extractor}: {skip.reason.value}" for skip in self.skips)
        notes = [f"{count} x {reason}" for reason, count in reasons.most_common()]
        return page_of(f"{len(self.metrics)} metrics", metrics_table(self.metrics), notes=notes)


def extract(
    runs: Iterable[Run],
    *,
    extractors: Sequence[Extractor] | None = None,
    geometries: Mapping[Chip, Geometry] = MappingProxyType({}),
    calibrations: Sequence[Calibration] | None = None,
    constants: Any = _constants,
    threshold_current_a: float | None = None,
    rules: PairingRules | None = None,
    pairs: bool = True,
    series: bool = True,
    on_run: Callable[[Run, Extraction], None] | None = None,
) -> Extraction:
    """All metrics of runs, single ones, series and pairs; the order of `runs` does not matter.

    Parameters
    ----------
    runs
        Of any chips and procedures.
    extractors
        All there are unless told otherwise.
    geometries
        Of chips, for mobilities.
    calibrations
        For powers; unless given, those among `runs`.
    constants
        Thresholds.
    threshold_current_a
        For threshold voltages by constant current.
    rules
        For pairs.
    pairs, series
        Whether consecutive sweeps are compared, and power laws sought; both want all runs of a chip.
    on_run
        Called once a run is done, with what it gave.

    Returns
    -------
    Extraction
        In the order of run_id, metric and method; pairs and series among them.
    """
    runs = list(runs)
    methods = all_extractors() if extractors is None else tuple(extractors)
    if calibrations is None:
        found = [calibration_of(run) for run in runs if run.procedure == "LaserCalibration"]
        calibrations = [one for one in found if isinstance(one, Calibration)]
    metrics: list[DerivedMetric] = []
    skips: list[Skipped] = []
    powers: dict[str, float] = {}
    for run in together(runs, methods, constants):
        context = context_of(
            run,
            geometries=geometries,
            calibrations=calibrations,
            constants=constants,
            threshold_current_a=threshold_current_a,
        )
        if context.power is not None:
            powers[run.run_id] = context.power.power_w
        one = extract_run(run, context, methods)
        metrics += one.metrics
        skips += one.skips
        if on_run is not None:
            on_run(run, one)
    if series:
        laws, law_skips = extract_power_laws(runs, metrics, constants=constants)
        metrics += laws
        skips += law_skips
    if pairs:
        differences, pair_skips = extract_pairs(runs, rules=rules, constants=constants, power_w=powers)
        metrics += differences
        skips += pair_skips
    metrics.sort(key=lambda m: (m.run_id, m.metric_name, m.extraction_method))
    skips.sort(key=lambda s: (s.run_id, s.extractor, s.detail))
    return Extraction(tuple(metrics), tuple(skips))


def coverage_of(
    runs: Iterable[Run], extractors: Sequence[Extractor], *, pairs: bool = True, series: bool = True
) -> Coverage:
    """What an extraction with these arguments settles, for `upsert`."""
    names = {name for extractor in extractors for name in extractor.metrics}
    names |= set(PAIR_METRICS) if pairs else set()
    names |= {POWER_LAW} if series else set()
    return Coverage(run_ids=frozenset(run.run_id for run in runs), metric_names=frozenset(names))


def context_of(
    run: Run,
    *,
    geometries: Mapping[Chip, Geometry] = MappingProxyType({}),
    calibrations: Sequence[Calibration] = (),
    constants: Any = _constants,
    threshold_current_a: float | None = None,
) -> ExtractionContext:
    """What is known of a run beside itself."""
    return ExtractionContext(
        geometry=geometries.get(run.chip) if run.chip is not None else None,
        power=irradiated_power(
            run,
            calibrations,
            stale_h=constants.CALIBRATION_STALE_H,
            tolerance_nm=constants.WAVELENGTH_TOLERANCE_NM,
        ),
        constants=constants,
        threshold_current_a=threshold_current_a,
    )


def together(runs: Iterable[Run], extractors: Sequence[Extractor], constants: Any = _constants) -> Iterator[Run]:
    """Runs one after the other; what methods do quicker for several of them is done ahead, and changes nothing."""
    ahead = [(each.procedures, each.ahead) for each in extractors if hasattr(each, "ahead")]
    left = iter(runs)
    while some := list(islice(left, TOGETHER)):
        for procedures, work in ahead:
            try:
                work([run for run in some if run.procedure in procedures], constants)
            except _NUMERICAL as error:  # whose run it is comes out when each is looked at alone
                log.debug("runs are looked at one by one: %s", error)
        yield from some


def extract_run(
    run: Run, context: ExtractionContext | None = None, extractors: Sequence[Extractor] | None = None
) -> Extraction:
    """Metrics of one run by every extractor that applies to its procedure."""
    context = context or ExtractionContext()
    metrics: list[DerivedMetric] = []
    skips: list[Skipped] = []
    for extractor in all_extractors() if extractors is None else extractors:
        if run.procedure not in extractor.procedures:
            continue
        try:
            found = extractor.extract(run, context)
        except _NUMERICAL as error:
            found = Skip(Reason.ALGORITHM_FAILURE, f"{type(error).__name__}: {error}")
        if isinstance(found, Skip):
            skip = Skipped(
                run_id=run.run_id,
                procedure=run.procedure,
                extractor=extractor.name,
                reason=found.reason,
                detail=found.detail,
            )
            log_skip(skip)
            skips.append(skip)
        else:
            metrics += [_validated(metric, extractor) for metric in found]
    return Extraction(tuple(metrics), tuple(skips))


def _validated(metric: DerivedMetric, extractor: Extractor) -> DerivedMetric:
    """The metric, flagged where its extractor does not believe it: the row is kept, so that somebody can look."""
    if extractor.validate(metric):
        return metric
    log.info(
        "%s of %s is not valid: %r %s",
        metric.metric_name,
        metric.run_id,
        metric.value_float,
        metric.unit,
        extra={"event": "metric_invalid", "run_id": metric.run_id, "metric": metric.metric_name},
    )
    return replace(metric, flags=(*metric.flags, "INVALID"), confidence=min(metric.confidence, 0.1))
