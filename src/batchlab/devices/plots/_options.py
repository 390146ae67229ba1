"""Options that many plots share, checked before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from batchlab.devices.plots._legends import LegendBy, LegendWord

__all__ = [
    "POWER",
    "SEQ",
    "PRESETS",
    "AxisType",
    "Baseline",
    "PlotOptions",
    "ResponseOptions",
    "TimeOptions",
    "power_of",
    "preset_values",
]

POWER = "irradiated_power_w"
SEQ = "seq"

_PRESETS: Mapping[str, Mapping[str, Any]] = {
    "dark": {"baseline": "none", "start": 1.0, "legend_by": "vg"},
    "light_power_sweep": {"baseline": "auto", "legend_by": "led_voltage"},
    "light_spectral": {"baseline": "auto", "legend_by": "wavelength"},
    "custom": {"baseline": 60.0, "legend_by": "wavelength"},
}


PRESETS = tuple(_PRESETS)
"""Their names."""


def preset_values(name: str) -> Mapping[str, Any]:
    """What a preset sets; nothing for a word that is none."""
    return _PRESETS.get(name, {})


def _read_baseline(value: Any) -> Any:
    """The word ``none``, which YAML readers may hand over as no value."""
    return "none" if value is None else value


Baseline = Annotated[
    Annotated[float, Field(ge=0, strict=True)] | Literal["auto", "none"], BeforeValidator(_read_baseline)
]
AxisType = Literal["linear", "semilogx", "semilogy", "loglog"]


class PlotOptions(BaseModel):
    """What every plot takes. A plot of one's own inherits it and adds fields with defaults.

    Attributes
    ----------
    padding
        Share of the span of what is in sight that is kept free above and below it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    padding: Annotated[float, Field(ge=0, le=1)] = 0.02


class TimeOptions(PlotOptions):
    """Of plots over time.

    Attributes
    ----------
    preset
        dark, light_power_sweep, light_spectral or custom: other defaults for what follows.
    legend_by
        What tells the curves apart.
    baseline
        Time in s at which every curve is 0; 0 means the first point in sight; ``auto`` half a period of the laser;
        ``none`` leaves the curves as they were measured.
    baseline_auto_divisor
        What the period is divided by.
    start
        First time in sight, in s; also ``plot_start_time``.
    absolute
        Whether magnitudes are shown.
    """

    preset: Literal["dark", "light_power_sweep", "light_spectral", "custom"] | None = None
    legend_by: LegendWord = LegendBy.POWER
    baseline: Baseline = 60.0
    baseline_auto_divisor: Annotated[float, Field(gt=0)] = 2.0
    start: Annotated[float, Field(ge=0)] = 20.0
    absolute: bool = False

    own_words: ClassVar[Mapping[str, str]] = {"plot_start_time": "start"}

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: Any) -> Any:
        """Preset below what is given; the words of older batch files for the same things."""
        if not isinstance(given, Mapping):
            return given
        told = dict(given)
        for word, ours in cls.own_words.items():
            if word in told:
                if ours in told:
                    raise ValueError(f"{word} and {ours} are the same; write one of them")
                told[ours] = told.pop(word)
        mode, at = told.pop("baseline_mode", None), told.pop("baseline_t", None)
        if mode is not None or at is not None:
            if "baseline" in told:
                raise ValueError("baseline says all; leave baseline_mode and baseline_t out")
            if mode not in (None, "fixed", "auto", "none"):
                raise ValueError(f"baseline_mode {mode!r}: write fixed, auto or none")
            told["baseline"] = mode if mode in ("auto", "none") else 60.0 if at is None else at
        preset = told.get("preset")
        return {**preset_values(preset), **told} if isinstance(preset, str) else told


class ResponseOptions(PlotOptions):
    """Of plots of a response to light.

    Attributes
    ----------
    photoresponse_x
        power, wavelength, time or gate_voltage: what the response is shown against.
    filter_wavelength
        Only runs of this wavelength, in nm.
    filter_vg
        Only runs at this gate voltage, in V, within 0.05 V.
    filter_power_range
        Only runs of an irradiated power from one to another, in W.
    axtype
        linear, semilogx, semilogy or loglog.
    """

    photoresponse_x: Literal["power", "wavelength", "time", "gate_voltage"] = "power"
    filter_wavelength: float | None = None
    filter_vg: float | None = None
    filter_power_range: tuple[float, float] | None = None
    axtype: AxisType = "linear"


def power_of(options: PlotOptions) -> tuple[str, ...]:
    """The irradiated power and the number in the history, where options ask for them.

    The power is asked for in the legend, along x, or to choose runs by; the number in the legend.
    """
    asked = (
        getattr(options, "legend_by", None) is LegendBy.POWER
        or getattr(options, "photoresponse_x", None) == "power"
        or getattr(options, "filter_power_range", None) is not None
    )
    numbered = getattr(options, "legend_by", None) is LegendBy.SEQ
    return (*((POWER,) if asked else ()), *((SEQ,) if numbered else ()))
