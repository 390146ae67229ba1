"""Counts of FAST analysers, recovered from the energy flux that was made from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.particles._cdf import Cdf

__all__ = ["Counting"]

_FLOOR = 10.0  # the correction for dead time is floored at a tenth, so that no flux is more than ten times its counts


class Counting:
    """The way back from energy flux to counts.

    The flux is F = C / max(1 - d C / t, 0.1) / (G t) with counts C, dead time d, integration time t and G the geometric
    factor with its correction by angle and the efficiency; so with r = F G t the counts are
    C = r / min(1 + d r / t, 10).

    Parameters
    ----------
    cdf
        With geom_factor, gf, eff, dead and time_integ.

    Raises
    ------
    MissingVariable
        If one of them is not there.
    """

    def __init__(self, cdf: Cdf) -> None:
        self._dead_s = float(cdf["dead"].constant_values())
        self._integration_s = cdf["time_integ"].floats().values
        self._geometric = cdf["geom_factor"].floats().values.astype(np.float64)
        # Fill in unused cells becomes 0, so that nothing there can overflow.
        self._gf = np.maximum(cdf["gf"].constant_values().astype(np.float32), 0)
        self._eff = np.maximum(cdf["eff"].constant_values().astype(np.float32), 0)
        index = cdf.get("gf_ind") if self._gf.ndim == 3 else None
        self._gf_index = None if index is None else np.clip(index.values(), 0, len(self._gf) - 1)
        shapes = {self._integration_s.shape, self._geometric.shape}
        if self._gf.ndim not in (2, 3) or self._eff.ndim != 3 or len(shapes) != 1:
            raise cdf.header.source.wrong("its geometric factors or efficiencies have another shape than they should")

    def undo(self, values: NDArray[np.float32], records: NDArray[Any], mode: int) -> None:
        """Turn (n, A, E) flux of `records` into counts, in place."""
        angles, energies = values.shape[1:]
        dt = self._integration_s[records]
        per_record = (self._geometric[records] * dt).astype(np.float32)[:, None, None]
        eff = self._eff[min(max(mode, 0), len(self._eff) - 1), :angles, :energies]
        if self._gf.ndim == 2:
            values *= self._gf[:angles, :energies] * eff
        elif self._gf_index is None:
            values *= self._gf[0, :angles, :energies] * eff
        else:
            values *= self._gf[self._gf_index[records], :angles, :energies] * eff
        values *= per_record
        rate = (self._dead_s / dt).astype(np.float32)[:, None, None]
        values /= np.minimum(1 + rate * values, np.float32(_FLOOR))
        # Counts are whole numbers but for the rounding of the flux; values farther off stay as they are.
        whole = np.rint(values)
        near = np.abs(values - whole) <= 1e-3 + 1e-5 * whole
        np.copyto(values, whole, where=near)
