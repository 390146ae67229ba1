"""One HTML file to look around in spectra: zoom, values under the pointer, differences; without a network."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import resources

import numpy as np

from batchlab.errors import PlotError
from batchlab.figures import CYCLE, PALETTE, Band, Role
from batchlab.spectra._difference import difference_label
from batchlab.spectra._figure import Look, judged_part
from batchlab.spectra._measures import Difference
from batchlab.spectra._model import Array
from batchlab.spectra._similarity import Comparison

__all__ = ["comparison_page", "spectra_page"]

_FILES = ("page.html", "page.css", "page.js")


def comparison_page(
    comparison: Comparison,
    look: Look,
    *,
    bands: Sequence[Band] = (),
    title: str = "",
    provenance: Mapping[str, str] | None = None,
) -> str:
    """A page of a comparison: both curves, and below them their difference.

    Parameters
    ----------
    comparison
        What to show. Nothing is drawn across its gaps, and its masks are shaded.
    look
        Labels and direction.
    bands
        Behind the curves, such as a tolerance; left out where nothing is judged.
    title
        By default the two names.
    provenance
        How it was made; shown, and given back by ``read_provenance``.
    """
    axis, rows = comparison.axis, np.stack((comparison.reference, comparison.sample))
    for ends in comparison.gaps:
        low, high = min(ends), max(ends)
        across = (
            np.flatnonzero((np.minimum(axis[:-1], axis[1:]) <= low) & (np.maximum(axis[:-1], axis[1:]) >= high)) + 1
        )
        rows = np.insert(rows, across, np.nan, axis=1)
        axis = np.insert(axis, across, (low + high) / 2)
    plain = difference_label(Difference.DIFFERENCE, comparison.quantity, comparison.unit, comparison.treatment)
    return spectra_page(
        axis,
        rows,
        (comparison.reference_name or "reference", comparison.sample_name or "sample"),
        replace(look, difference_label=plain),
        reference=0,
        colours=(PALETTE[Role.REFERENCE].colour, PALETTE[Role.SAMPLE].colour),
        bands=judged_part(bands, comparison),
        masks=comparison.masks,
        title=title or f"{comparison.sample_name} vs {comparison.reference_name}",
        provenance=provenance,
    )


def spectra_page(
    axis: Array,
    rows: Array,
    names: Sequence[str],
    look: Look,
    *,
    reference: int | None = None,
    colours: Sequence[str] = CYCLE,
    bands: Sequence[Band] = (),
    masks: Sequence[tuple[float, float]] = (),
    title: str = "",
    provenance: Mapping[str, str] | None = None,
) -> str:
    """A page of many spectra on one axis; 5 bytes a value.

    Parameters
    ----------
    axis : (n,) array
        Strictly monotone, in the look's units.
    rows : (m, n) array
        The spectra; a NaN is a gap. Kept with seven digits.
    names
        Of the spectra.
    look
        Labels and direction.
    reference
        Which spectrum the others are compared with at first, from 0; who reads the page can choose another.
    colours
        ``#rrggbb``, taken in turn.
    bands
        Behind the spectra, each with its own axis; a NaN is a gap.
    masks
        Ranges of the axis that are shaded.
    title
        By default how many there are.
    provenance
        How it was made; shown, and given back by ``read_provenance``.

    Returns
    -------
    str
        The whole file, to be written as UTF-8.

    Raises
    ------
    PlotError
        If the arrays do not match, the axis does not run one way, or there is no such reference.
    """
    from jinja2 import DictLoader, Environment, StrictUndefined

    axis, rows = np.asarray(axis, dtype=np.float64), np.asarray(rows, dtype=np.float64)
    if axis.ndim != 1 or axis.size < 2 or rows.shape != (len(names), axis.size) or not len(names):
        raise PlotError(
            f"axis has shape {axis.shape}, rows {rows.shape}, and there are {len(names)} names; "
            "give a row of one value per point of the axis, and a name, for each of one or more spectra"
        )
    steps = np.diff(axis)
    if not ((steps > 0).all() or (steps < 0).all()):
        raise PlotError("the axis of a page must run strictly up or down; bring the spectra to a common axis first")
    if reference is not None and not 0 <= reference < len(names):
        raise PlotError(f"there is no spectrum {reference}; the reference is one of 0 to {len(names) - 1}")
    if steps[0] < 0:
        axis, rows = axis[::-1], rows[:, ::-1]
    with np.errstate(over="ignore"):
        packed = [_base64(row.astype("<f4")) for row in rows]
    source = {name: resources.files("batchlab.spectra").joinpath(name).read_text(encoding="utf-8") for name in _FILES}
    title = _plain(title or f"{len(names)} spectra")
    told = sorted((provenance or {}).items())
    environment = Environment(loader=DictLoader(source), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("page.html").render(
        css=source["page.css"],
        js=source["page.js"],
        policy=_policy(source["page.css"], source["page.js"]),
        title=title,
        count=len(names),
        x_label=look.x_label,
        y_label=look.overlay_label,
        provenance=[(_plain(name), _plain(text)) for name, text in told],
        provenance_data=_script_safe(dict(told)),
        data=_script_safe(
            {
                "axis": _base64(axis.astype("<f8")),
                "rows": packed,
                "names": [_plain(str(name)) for name in names],
                "reference": reference,
                "down": look.x_limits[0] > look.x_limits[1],
                "x_label": look.x_label,
                "y_label": look.overlay_label,
                "difference_label": look.difference_label,
                "colours": list(colours),
                "masks": [sorted(map(float, ends)) for ends in masks],
                "bands": [
                    {
                        "label": _plain(band.label),
                        "colour": band.colour or PALETTE[band.role].colour,
                        "x": _base64(band.x.astype("<f8")),
                        "low": _base64(band.low.astype("<f4")),
                        "high": _base64(band.high.astype("<f4")),
                    }
                    for band in bands
                ],
            }
        ),
    )


def _base64(values: Array) -> str:
    return b64encode(values.tobytes()).decode("ascii")


def _plain(text: str) -> str:
    """Without halves of surrogate pairs, which no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _script_safe(value: object) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _policy(css: str, js: str) -> str:
    """Content-Security-Policy: nothing but this script and this style, and nothing from elsewhere."""
    return (
        f"default-src 'none'; script-src '{_sha256(js)}'; style-src '{_sha256(css)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _sha256(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}"
