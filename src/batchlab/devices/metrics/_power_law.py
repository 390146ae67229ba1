r"""How a chip's response grows with power: the exponent of :math:`|\Delta I| \propto P^\alpha`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics import _constants
from batchlab.devices.metrics._extractor import Reason, Skip, Skipped, log_skip
from batchlab.devices.metrics._series import span_of_each

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["PowerLaw", "extract_power_laws", "power_law"]

NAME, VERSION = "power_law_exponent", "3"
_GATE = "vg_fixed_v"
_SET_ALIKE_V = 1e-3
_RESPONSES = ("delta_i_corrected", "delta_v_corrected")
_NO_POINT = frozenset(("NO_RESPONSE", "DRIFT_DOMINATES"))  # flags of what says nothing of the light


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """Exponent with standard error, and the response at 1 W."""

    exponent: float
    error: float
    prefactor: float
    r_squared: float


def power_law(power: Array, response: Array, response_error: Array) -> PowerLaw | Skip:
    """Straight line through the logarithms, each point weighted by its relative error.

    Parameters
    ----------
    power, response, response_error : (n,) array
        Positive powers in W; responses of either sign and their standard errors in one unit.
    """
    size = np.abs(response)
    good = (power > 0) & (size > 0)
    x, y = np.log(power[good]), np.log(size[good])
    if np.unique(np.round(x, 6)).size < 2:
        return Skip(Reason.PRECONDITION_FAILED, "fewer than two different powers")
    # No point counts as better than a hundredth: what the model misses is not in the errors.
    weight = 1 / np.maximum(response_error[good] / size[good], 0.01) ** 2
    mean_x, mean_y = np.average(x, weights=weight), np.average(y, weights=weight)
    sxx = float(np.sum(weight * (x - mean_x) ** 2))
    exponent = float(np.sum(weight * (x - mean_x) * (y - mean_y))) / sxx
    residual = y - mean_y - exponent * (x - mean_x)
    chi2 = float(np.sum(weight * residual**2))
    total = float(np.sum(weight * (y - mean_y) ** 2))
    error = float(np.sqrt(max(chi2 / max(x.size - 2, 1), 1.0) / sxx))
    return PowerLaw(exponent, error, float(np.exp(mean_y - exponent * mean_x)), 1 - chi2 / total if total else 0.0)


def extract_power_laws(
    runs: Iterable[Run], metrics: Iterable[DerivedMetric], *, constants: Any = _constants
) -> tuple[list[DerivedMetric], list[Skipped]]:
    """Power laws of all series of runs that differ in power alone.

    A series is the runs of one chip, procedure, wavelength, gate and drain voltage and sample. Gate voltages within
    `SAME_GATE_V` of each other are one: gates are often held at so many volts from the last Dirac point, which moves.
    Its row belongs to its latest run, and tells the gate voltages.

    Parameters
    ----------
    metrics
        What single runs gave: the drift-corrected responses and the irradiated powers.
    """
    response: dict[str, DerivedMetric] = {}
    power: dict[str, float] = {}
    for metric in metrics:
        if metric.metric_name in _RESPONSES:
            response[metric.run_id] = metric
        elif metric.metric_name == "irradiated_power" and metric.value_float is not None:
            power[metric.run_id] = metric.value_float
    alike: dict[tuple[object, ...], list[Run]] = defaultdict(list)
    for run in runs:
        if run.run_id in response and power.get(run.run_id, 0.0) > 0 and run.chip is not None:
            alike[_key(run)].append(run)
    series: dict[tuple[object, ...], list[Run]] = defaultdict(list)
    for key, of_key in alike.items():
        gates = [run.number(_GATE) for run in of_key]
        spans = span_of_each((volt for volt in gates if volt == volt), constants.SAME_GATE_V)
        for run, volt in zip(of_key, gates, strict=True):
            series[key, spans.get(volt)].append(run)
    rows: list[DerivedMetric] = []
    skips: list[Skipped] = []
    for members in series.values():
        members.sort(key=lambda run: (run.start_utc.timestamp() if run.start_utc else 0.0, run.run_id))
        latest = members[-1]
        found = _series(members, response, power, constants)
        if isinstance(found, Skip):
            skip = Skipped(
                run_id=latest.run_id,
                procedure=latest.procedure,
                extractor="power_law",
                reason=found.reason,
                detail=found.detail,
            )
            log_skip(skip)
            skips.append(skip)
        else:
            rows.append(found)
    rows.sort(key=lambda row: row.run_id)
    return rows, sorted(skips, key=lambda skip: skip.run_id)


def _key(run: Run) -> tuple[object, ...]:
    """What the runs of a series share, but for the gate."""
    voltages = (round(run.number(name), 6) for name in ("wavelength_nm", "vds_v"))
    return (run.chip, run.procedure, *(None if v != v else v for v in voltages), str(run.settings.get("sample") or ""))


def _series(
    members: list[Run], response: Mapping[str, DerivedMetric], power: Mapping[str, float], constants: Any
) -> DerivedMetric | Skip:
    """The row of one series."""
    plain = [run for run in members if _NO_POINT.isdisjoint(response[run.run_id].flags)]
    powers = np.array([power[run.run_id] for run in plain])
    least = constants.MIN_POWER_LAW_POINTS
    if np.unique(np.round(powers, 12)).size < least:
        return Skip(
            Reason.PRECONDITION_FAILED,
            f"{powers.size} of {len(members)} runs with a response beyond the drift; it needs {least} powers",
        )
    values = np.array([response[run.run_id].value_float or 0.0 for run in plain])
    errors = np.array([response[run.run_id].standard_error or 0.0 for run in plain])
    law = power_law(powers, values, errors)
    if isinstance(law, Skip):
        return law
    checks: dict[str, float] = {}
    if law.r_squared < constants.LOW_R_SQUARED:
        checks["LOW_R_SQUARED"] = 0.5
    if powers.max() < 3 * powers.min():
        checks["NARROW_POWER_RANGE"] = 0.7
    if (values > 0).any() and (values < 0).any():
        checks["SIGN_CHANGES"] = 0.3
    gates = [run.number(_GATE) for run in plain]
    if max(gates) - min(gates) > _SET_ALIKE_V:
        checks["GATE_VARIES"] = 0.9
    latest = members[-1]
    return DerivedMetric(
        run_id=latest.run_id,
        procedure=latest.procedure,
        chip=latest.chip,
        metric_name=NAME,
        metric_category=Category.PHOTORESPONSE,
        unit="1",
        extraction_method="weighted-log-log",
        extraction_version=VERSION,
        value_float=law.exponent,
        standard_error=law.error,
        confidence=float(np.prod(list(checks.values()) or [1.0])),
        flags=tuple(checks),
        value_json={
            "run_ids": [run.run_id for run in plain],
            "power_w": powers.tolist(),
            "response": values.tolist(),
            "gate_v": [volt if volt == volt else None for volt in gates],
            "prefactor": law.prefactor,
            "r_squared": law.r_squared,
        },
    )
