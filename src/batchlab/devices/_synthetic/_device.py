"""The physics of the synthetic laboratory: a graphene transistor under light, and the light's power."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from batchlab.devices._model import Chip

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["Device", "Response", "laser_power_w", "make_device"]

_VACUUM_F_PER_M = 8.8541878128e-12
_HBN, _BIOTITE = 3.5, 5.5
_BEND_V = 3.0  # over which the mobility goes from that of holes to that of electrons
_POWER_W_PER_V = {
    365: 1.4e-6,
    385: 2.0e-6,
    405: 2.6e-6,
    455: 3.1e-6,
    505: 1.6e-6,
    565: 1.1e-6,
    625: 1.9e-6,
    680: 1.2e-6,
}
_KNEE_V = 0.12


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A chip as it was made: all that does not change from run to run.

    The sheet conductance is ``C sqrt((u V0)^2 + (u(x) x)^2)`` with the gate voltage x from the Dirac point, the
    capacitance C, the mobility u and the residual charge as a voltage V0, so the current is least exactly at the
    Dirac point.
    """

    chip: Chip
    dirac_v: float
    hysteresis_v: float
    mobility_cm2: float
    asymmetry: float  # electrons over holes: (1 + asymmetry) / (1 - asymmetry)
    residual_v: float
    contact_ohm: float
    length_over_width: float
    top_nm: float
    bottom_nm: float
    gating_v: float  # shift of the Dirac point at 1 uW
    power_exponent: float

    @property
    def capacitance_f_per_m2(self) -> float:
        """Of hBN above biotite, in series."""
        return _VACUUM_F_PER_M / (self.top_nm * 1e-9 / _HBN + self.bottom_nm * 1e-9 / _BIOTITE)

    def resistance(self, x: Array) -> Array:
        """Drain to source in ohm, `x` V above the Dirac point."""
        mobility = self.mobility_cm2 * 1e-4
        side = mobility * (1.0 + self.asymmetry * np.tanh(x / _BEND_V))
        sheet = self.capacitance_f_per_m2 * np.hypot(mobility * self.residual_v, side * x)
        return np.asarray(2.0 * self.contact_ohm + self.length_over_width / sheet)

    def current(self, x: Array, v_ds: float) -> Array:
        """Drain current in A."""
        return v_ds / self.resistance(x)

    def slope(self, x: float) -> float:
        """Change of the conductance with the gate voltage, in S/V."""
        step = 1e-3
        ends = 1.0 / self.resistance(np.array([x - step, x + step]))
        return float((ends[1] - ends[0]) / (2.0 * step))

    def field_effect_mobility(self, low_v: float, high_v: float, dirac_v: float) -> tuple[float, float]:
        """What the steepest point of an ideal sweep gives for holes and electrons, in cm^2/V/s."""
        v_gs = np.linspace(low_v, high_v, 4001)
        slope = np.gradient(1.0 / self.resistance(v_gs - dirac_v), v_gs)
        scaled = slope * self.length_over_width / self.capacitance_f_per_m2 * 1e4
        return float(-scaled.min()), float(scaled.max())


def make_device(chip: Chip, rng: np.random.Generator) -> Device:
    """Draw a chip."""
    return Device(
        chip=chip,
        dirac_v=float(rng.uniform(-0.9, 0.9)),
        hysteresis_v=float(rng.uniform(0.06, 0.35)),
        mobility_cm2=float(rng.uniform(1500.0, 6000.0)),
        asymmetry=float(rng.uniform(-0.06, 0.06)),
        residual_v=float(rng.uniform(0.25, 0.6)),
        contact_ohm=float(rng.uniform(80.0, 250.0)),
        length_over_width=float(rng.uniform(3.0, 4.0)),
        top_nm=float(rng.uniform(12.0, 30.0)),
        bottom_nm=float(rng.uniform(10.0, 30.0)),
        gating_v=float(rng.uniform(0.03, 0.08)),
        power_exponent=float(rng.uniform(0.45, 0.8)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """How a current (or voltage) answers to a light that is on from `on_s` to `off_s`.

    Before the light it settles as ``settling exp(-(t/tau_pre)^beta_pre)``; under light it goes to `final` as one
    minus a stretched exponential; after it, the share `recovered` of what was reached decays as one.
    """

    on_s: float
    off_s: float
    end_s: float
    final: float
    recovered: float
    tau_light_s: float
    beta_light: float
    tau_s: float
    beta: float
    settling: float
    tau_pre_s: float
    beta_pre: float
    drift_per_s: float

    @property
    def delta(self) -> float:
        """What the light has changed when it goes off."""
        return self.final * self._share(self.off_s - self.on_s, self.tau_light_s, self.beta_light)

    @property
    def rise_s(self) -> float:
        """From 10 to 90 % of `delta`."""
        return self._crossings(self.off_s - self.on_s, self.tau_light_s, self.beta_light)

    @property
    def fall_s(self) -> float:
        """From 10 to 90 % of the way between light off and the end of the record."""
        return self._crossings(self.end_s - self.off_s, self.tau_s, self.beta)

    def at(self, t: Array) -> Array:
        """What adds to the level in the dark, at times in s."""
        lit = np.clip(t - self.on_s, 0.0, self.off_s - self.on_s)
        after = np.clip(t - self.off_s, 0.0, None)
        light = self.final * -np.expm1(-((lit / self.tau_light_s) ** self.beta_light))
        back = self.delta * self.recovered * -np.expm1(-((after / self.tau_s) ** self.beta))
        settling = self.settling * np.exp(-((t / self.tau_pre_s) ** self.beta_pre))
        return np.asarray(light - back + settling + self.drift_per_s * t)

    @staticmethod
    def _share(t: float, tau: float, beta: float) -> float:
        return float(-np.expm1(-((t / tau) ** beta)))

    def _crossings(self, length: float, tau: float, beta: float) -> float:
        reached = self._share(length, tau, beta)
        low, high = (tau * math.pow(-math.log1p(-share * reached), 1.0 / beta) for share in (0.1, 0.9))
        return high - low


def laser_power_w(wavelength_nm: float, voltage_v: float | Array) -> Array:
    """Power on the chip in W at a control voltage: none at first, then nearly linear."""
    voltage = np.asarray(voltage_v, dtype=np.float64)
    return np.asarray(_POWER_W_PER_V.get(round(wavelength_nm), 1.5e-6) * voltage**2 / (voltage + _KNEE_V))
