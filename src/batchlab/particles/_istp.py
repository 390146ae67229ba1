"""What the attributes of ISTP tell: which axis is energy, which is pitch angle, and the units of all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.particles._cdf import Variable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.particles._model import Float

__all__ = ["Layout", "energy_factor_ev", "label_of", "layout_of", "tidy_unit", "times_of"]

_ENERGY_UNITS = {"ev": 1.0, "kev": 1e3, "mev": 1e6, "gev": 1e9, "j": 1 / 1.602176634e-19}
_TIME_UNITS = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "msec": 1e-3, "milliseconds": 1e-3,
               "ns": 1e-9, "nanoseconds": 1e-9, "us": 1e-6, "min": 60.0, "minutes": 60.0}  # fmt: skip
_RAISED = str.maketrans("+-0123456789", "⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """A variable by time and energy, and what its axes are.

    Attributes
    ----------
    variable, time, energy
        The values, their times and their energies.
    pitch
        Their pitch angles; None where the file tells none.
    energy_axis, pitch_axis
        Of the values' dimensions after the records, counted from 0; the pitch axis is None without pitch angles.
    flux_per_ev
        The factor that turns a flux by energy into one per eV (for energy flux: eV per eV), cm², s and sr; None where
        the unit is none of flux.
    is_energy_flux
        Whether an energy stands above the line as well.
    """

    variable: Variable
    time: Variable
    energy: Variable
    pitch: Variable | None
    energy_axis: int
    pitch_axis: int | None
    flux_per_ev: float | None
    is_energy_flux: bool

    def arranged(self, values: NDArray[Any]) -> NDArray[Any]:
        """(n, ...) in the file's order of axes as (n, A, E); directions of several axes in one."""
        moved = np.moveaxis(values, self.energy_axis + 1, -1)
        if self.pitch_axis is not None and moved.ndim > 3:
            raise self.variable.wrong(
                f"{self.variable.name!r} has {values.ndim - 1} axes beside time; at most 2 are read"
            )
        return np.ascontiguousarray(moved.reshape(len(values), -1, moved.shape[-1]))

    def energy_rows(self, variable: Variable) -> Float:
        """(1, E) or (N, E) of an energy, or a width of energies; of several directions the first that is known."""
        values = variable.floats().values.astype(np.float64)
        size = self.variable.shape[self.energy_axis + 1]
        if variable.constant:
            values = values[:1]
        if values.ndim > 2:
            axis = next((k for k in range(1, values.ndim) if values.shape[k] == size), None)
            if axis is not None:
                values = np.moveaxis(values, axis, -1).reshape(len(values), -1, size)[:, 0]
        if values.ndim == 1:
            values = values[:, None]
        if values.ndim != 2 or values.shape[1] not in (1, size):
            raise self.variable.wrong(f"{variable.name!r} of shape {variable.shape} does not go with {size} energies")
        return np.broadcast_to(values, (len(values), size))


def layout_of(variable: Variable) -> Layout | None:
    """The axes of a variable; None if it is not one by time and energy."""
    sizes = variable.shape[1:]
    time = variable.linked("DEPEND_0")
    if variable.is_text or variable.is_time or variable.constant or not sizes or time is None or not time.is_time:
        return None
    axes = [variable.linked(f"DEPEND_{k + 1}") for k in range(len(sizes))]
    energy_axis = next((k for k, axis in enumerate(axes) if axis is not None and _is_energy(axis, sizes[k])), None)
    if energy_axis is None:
        return None
    pitch_axis = next((k for k, axis in enumerate(axes) if axis is not None and _is_pitch(axis, sizes[k])), None)
    energy = axes[energy_axis]
    assert energy is not None
    per_ev, above = _flux_unit(variable.text("UNITS"))
    return Layout(
        variable=variable,
        time=time,
        energy=energy,
        pitch=None if pitch_axis is None else axes[pitch_axis],
        energy_axis=energy_axis,
        pitch_axis=pitch_axis,
        flux_per_ev=per_ev,
        is_energy_flux=above,
    )


def _is_energy(axis: Variable, size: int) -> bool:
    if axis.is_text or axis.is_time or size not in axis.shape[1:]:
        return False
    return axis.text("UNITS").lower() in _ENERGY_UNITS or "energy" in axis.name.lower()


def _is_pitch(axis: Variable, size: int) -> bool:
    if axis.is_text or axis.is_time or axis.shape[1:] != (size,):
        return False
    words = f"{axis.name} {axis.text('LABLAXIS')} {axis.text('FIELDNAM')}".lower()
    return "pitch" in words or re.search(r"(^|[\s_])pa([\s_]|$)", words) is not None


def times_of(layout: Layout) -> Float:
    """(N, 2) start and end of every record; where no widths are stated, half the usual step to either side."""
    time = layout.time
    at = time.times_s()
    before, after = _seconds_of(time, "DELTA_MINUS_VAR", len(at)), _seconds_of(time, "DELTA_PLUS_VAR", len(at))
    if before is None and after is None:
        known = at[np.isfinite(at)]
        steps = np.diff(np.sort(known))
        steps = steps[steps > 0]
        half = 0.5 * float(np.median(steps)) if len(steps) else 0.5
        before = after = np.full(len(at), half)
    before = np.zeros(len(at)) if before is None else before
    after = np.zeros(len(at)) if after is None else after
    return np.stack([at - before, at + after], axis=1)


def energy_factor_ev(variable: Variable, default: float = 1.0) -> float:
    """What turns its energies into eV; the default where its unit is none of energy."""
    return _ENERGY_UNITS.get(variable.text("UNITS").lower(), default)


def _seconds_of(time: Variable, attribute: str, records: int) -> Float | None:
    """(N,) seconds of the width that an attribute such as ``DELTA_PLUS_VAR`` names; None where there is none."""
    width = time.linked(attribute)
    if width is None or width.is_text or width.is_time:
        return None
    values = width.floats().values.astype(np.float64).ravel()
    if len(values) not in (1, records) or not np.isfinite(values).any():
        return None
    # Widths without a unit are in that of the time itself: ms for EPOCH, ns for TT2000.
    unit = width.text("UNITS").lower() or time.text("UNITS").lower()
    return np.broadcast_to(values * _TIME_UNITS.get(unit, 1.0), (records,))


def tidy_unit(unit: str) -> str:
    """A unit as people write it: marks of IDL become raised digits, such as ``cm!E-2!N`` to ``cm⁻²``."""
    raised = re.sub(r"![EU]([+-]?\d+)(?:!N)?", lambda found: found[1].translate(_RAISED) + " ", unit)
    raised = re.sub(r"\^\(?([+-]?\d+)\)?", lambda found: found[1].translate(_RAISED), re.sub(r"![A-Z]", "", raised))
    return " ".join(raised.split())


def label_of(variable: Variable) -> str:
    """What it is, in words: its axis label, else its field name, else its own name."""
    return tidy_unit(variable.text("LABLAXIS") or variable.text("FIELDNAM") or variable.name)


def _flux_unit(unit: str) -> tuple[float | None, bool]:
    """The factor to a flux per eV, and whether it is one of energy; None for what is none by solid angle and energy."""
    plain = re.sub(r"!E|!U|\^", "", re.sub(r"!N|!D|!I", " ", unit)).lower()
    if not re.search(r"(sr|ster)", plain) or not re.search(r"cm|m", plain):
        return None, False
    above, _, below = plain.partition("/")
    energies = [(found[1], found[2], found.start() > len(above)) for found in re.finditer(r"(k|m|g)?ev(-1)?", plain)]
    lower = [prefix for prefix, power, after in energies if power == "-1" or after]
    upper = [prefix for prefix, power, after in energies if power != "-1" and not after]
    if len(lower) != 1 or len(upper) > 1 or (not below and not re.search(r"-1", plain)):
        return None, False
    scale = {None: 1.0, "k": 1e3, "m": 1e6, "g": 1e9}
    factor = 1.0 / scale[lower[0]] * (scale[upper[0]] if upper else 1.0)
    if not re.search(r"cm", plain):
        factor *= 1e-4
    return factor, bool(upper)
