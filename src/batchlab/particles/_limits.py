"""Limits of axes and colours that all orbits share, from the values of all of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from batchlab.errors import ConfigError, DataError
from batchlab.particles._model import Limits
from batchlab.particles._sketch import Sketch, Spread

__all__ = ["LimitRules", "limits_from_json", "limits_of", "limits_to_json", "rounded_outwards"]

ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRules:
    """How limits follow from values.

    Attributes
    ----------
    percentile
        Of all positive values; where the colours end.
    percentile_min
        Where the colours begin; None is at 0, which a logarithmic scale takes for its least positive value.
    coverage
        Which share of all positive values lies below the end of the energy axis.
    energy_cap_ev
        Where the energy axis ends at the latest; None for no cap.
    rounded
        Whether limits are rounded outwards to two digits, so that they seldom change when files are added.
    whole
        Whether upper limits are the next whole numbers, and energies those of channels instead of their edges: as
        an older program had it.
    """

    percentile: float = 99.0
    percentile_min: float | None = 1.0
    coverage: float = 0.99
    energy_cap_ev: float | None = None
    rounded: bool = True
    whole: bool = False

    def __post_init__(self) -> None:
        for name, value in (("percentile", self.percentile), ("percentile_min", self.percentile_min)):
            if value is not None and not 0 <= value <= 100:
                raise ConfigError(f"{name} is {value:g}; give a number from 0 to 100")
        if not 0 < self.coverage <= 1:
            raise ConfigError(f"coverage is {self.coverage:g}; give a share above 0 and up to 1, such as 0.99")


def limits_of(sketch: Sketch, rules: LimitRules) -> dict[str, Limits]:
    """Limits by category; a category without a positive value has none."""
    return {category: _limits(spread, rules) for category, spread in sketch.spreads.items()}


def _limits(spread: Spread, rules: LimitRules) -> Limits:
    z_max = spread.percentile(rules.percentile)
    y_max = spread.covered_up_to_ev(rules.coverage, edge=not rules.whole)
    if z_max is None or y_max is None:
        return Limits()
    z_min = 0.0 if rules.percentile_min is None else spread.percentile(rules.percentile_min)
    if rules.whole:
        y_max, z_max = math.ceil(y_max), math.ceil(z_max)
    if rules.energy_cap_ev is not None:
        y_max = min(y_max, rules.energy_cap_ev)
    if rules.rounded:
        y_max, z_max = rounded_outwards(y_max, up=True), rounded_outwards(z_max, up=True)
        z_min = None if z_min is None else rounded_outwards(z_min, up=False)
    return Limits(y_max=float(y_max), z_min=z_min, z_max=float(z_max))


def rounded_outwards(value: float, *, up: bool, digits: int = 2) -> float:
    """A number to two digits, away from the data: 1234 up is 1300, 0.0123 down is 0.012."""
    if value == 0 or not math.isfinite(value):
        return value
    exponent = math.floor(math.log10(abs(value))) - digits + 1
    # A power of ten below one is no binary fraction, its inverse is a whole number.
    step, inverse = 10.0**exponent, 10.0**-exponent
    scaled = value / step if exponent >= 0 else value * inverse
    nearest = round(scaled)
    whole = nearest if math.isclose(scaled, nearest, rel_tol=1e-12) else (math.ceil if up else math.floor)(scaled)
    return whole * step if exponent >= 0 else whole / inverse


def limits_to_json(name: str, unit: str, limits: Mapping[str, Limits], rules: LimitRules) -> str:
    """Limits of an instrument as a file holds them: the same limits are the same text."""
    content = {
        "instrument": name,
        "unit": unit,
        "rules": asdict(rules),
        "limits": {category: asdict(each) for category, each in limits.items()},
    }
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def limits_from_json(text: str, source: str = "the limits") -> dict[str, Limits]:
    """Limits by category from a file.

    Raises
    ------
    DataError
        If the text is not what `limits_to_json` writes.
    """
    try:
        content: Any = json.loads(text)
        return {category: Limits(**each) for category, each in content["limits"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{source}: no limits are in it ({error}); remove the file and run again") from error
