"""One comparison as a picture, without a batch."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from batchlab.compat.spectra._settings import FORMATS
from batchlab.errors import ConfigError

if TYPE_CHECKING:
    from batchlab.spectra._similarity import Comparison

__all__ = ["ComparisonGraph", "comparison_graph"]


class ComparisonGraph:
    """A picture to be: sample over baseline, and below it what differs.

    Drawn when it is saved, by what draws the pictures of a batch, so that both look the same.

    Attributes
    ----------
    comparison
        What it shows, as numbers: `batchlab.spectra.Comparison`.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison

    def savefig(
        self, file: str | os.PathLike[str] | BinaryIO, *, dpi: float = 300.0, format: str | None = None
    ) -> None:
        """Draw it into a file.

        Parameters
        ----------
        file
            A path, or something open for writing bytes.
        dpi
            Pixels per inch; the picture is 10 x 6 inches.
        format
            ``png`` and the like; by default what the path ends in, else png.

        Raises
        ------
        ConfigError
            If there is no such format.
        PlotError
            If it cannot be drawn.
        """
        path = Path(os.fspath(file)) if isinstance(file, str | os.PathLike) else None
        suffix = (format or (path.suffix if path is not None else "") or "png").lower().lstrip(".")
        if suffix not in FORMATS:
            raise ConfigError(f"format {suffix!r}: write one of {', '.join(FORMATS)}")
        with tempfile.TemporaryDirectory() as folder:
            drawn = Path(folder) / f"graph.{suffix}"
            self._canvas(dpi).save(drawn)
            data = drawn.read_bytes()
        if path is not None:
            path.write_bytes(data)
        else:
            file.write(data)  # type: ignore[union-attr]

    def _repr_png_(self) -> bytes:
        return bytes(self._canvas(100.0).png())

    def _canvas(self, dpi: float) -> Any:
        from batchlab.spectra._figure import draw_comparison, look_of
        from batchlab.spectra._limits import plot_limits, reach
        from batchlab.spectra._model import Spectrum

        shown = self.comparison
        baseline = Spectrum(
            axis=shown.axis, intensity=shown.reference, axis_kind=shown.axis_kind, axis_unit=shown.axis_unit
        )
        return draw_comparison(shown, look_of(shown, plot_limits(baseline, [reach(shown)]), dpi=dpi))


def comparison_graph(baseline: object, sample: object, baseline_name: str, sample_name: str) -> ComparisonGraph:
    """Compare two spectra and draw what came out.

    Parameters
    ----------
    baseline, sample
        Spectra, or tables of two columns; see `spectrum_from`.
    baseline_name, sample_name
        What to call them.

    Raises
    ------
    DataError
        If they cannot be compared, or are no spectra.
    """
    from batchlab.spectra._similarity import compare

    reference = replace(spectrum_from(baseline, baseline_name), name=baseline_name)
    other = replace(spectrum_from(sample, sample_name), name=sample_name)
    return ComparisonGraph(compare(reference, other))


def spectrum_from(data: object, name: str) -> Any:
    """A spectrum as it is; or one made of the first two columns of a table.

    Parameters
    ----------
    data
        A `Spectrum`, an array of two columns, a structured array, a mapping of columns, or a data frame.
    name
        What to call it.

    Raises
    ------
    DataError
        Reason ``not-a-spectrum``.
    """
    import numpy as np

    from batchlab.errors import DataError
    from batchlab.spectra._model import Spectrum

    if isinstance(data, Spectrum):
        return data
    table: Any = data
    names = getattr(getattr(data, "dtype", None), "names", None) or (list(table) if hasattr(data, "keys") else None)
    try:
        if names is not None:
            axis, signal = (np.asarray(table[each], dtype=np.float64) for each in names[:2])
        else:
            axis, signal = np.asarray(table, dtype=np.float64).T[:2]
    except (TypeError, ValueError, KeyError) as error:
        raise DataError(
            f"{name}: not a spectrum ({error}); give what parse_file returned as data, or two columns",
            reason="not-a-spectrum",
        ) from error
    return Spectrum(axis=axis, intensity=signal, name=name, **_meaning_of(names))


def _meaning_of(names: Any) -> dict[str, Any]:
    """What two column names say of an axis and a signal."""
    from batchlab.spectra._read._vocabulary import meaning

    if not names:
        return {}
    axis, signal = (meaning(str(each).replace("_", " ")) for each in names[:2])
    return {
        "axis_kind": axis.axis_kind,
        "axis_unit": axis.unit,
        "quantity": signal.quantity,
        "unit": signal.unit,
    }
