"""A page for each chip and one over all chips, each a single file that needs no network and runs no script."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from batchlab.devices._durable import write_whole
from batchlab.devices._panel._chart import sparkline
from batchlab.devices._panel._charts import chip_figures
from batchlab.devices._panel._facts import ChipFacts, RunFacts, Value, chips_of, flagged
from batchlab.devices._panel._lab_charts import lab_figures
from batchlab.devices._panel._names import INDEX, OVERVIEW
from batchlab.devices._panel._numbers import in_words, prefixed, told

if TYPE_CHECKING:
    import polars as pl
    from jinja2 import Template

    from batchlab.devices._store import Store

__all__ = ["write_pages"]

_DIRAC, _MOBILITY = "cnp_voltage", "mobility_fe_holes"
_RESPONSES = (("delta_i_corrected", "delta_current"), ("delta_v_corrected", "delta_voltage"))  # free of drift first
_FEW = 3  # runs that are named on top
_CUT = 120  # characters of a value that is a text

# Of the table of runs, if a run of the chip has them.
_COLUMNS = {
    "cnp_voltage": "Dirac point",
    "mobility_fe_holes": "mobility, holes",
    "delta_i_corrected": "response",
    "delta_v_corrected": "response",
    "irradiated_power": "power",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tile:
    name: str
    text: str
    runs: tuple[RunFacts, ...] = ()
    value: float | None = None
    joint: str = " to "
    more: str = ""
    warn: bool = False


def write_pages(
    store: Store,
    metrics: pl.DataFrame | None,
    folder: Path,
    *,
    chips: Sequence[str] | None = None,
    item: Callable[[str], AbstractContextManager[object]] | None = None,
) -> list[Path]:
    """Write ``index.html`` over all chips, ``<chip>.html`` for each, and ``chips.json`` with the numbers of the former.

    Equal runs and metrics give equal bytes.

    Parameters
    ----------
    store
        Of staged runs.
    metrics
        The table of metrics; None where none were derived: pages tell of the runs alone.
    folder
        Where to write; made if it is not there.
    chips
        Names of those to write pages of, without the others and without ``index.html``; all unless given. With all,
        pages of earlier times go whose chips are no longer staged.
    item
        Called with each chip's name around the writing of its page: one that fails leaves the others.

    Returns
    -------
    list of Path
        The pages, that over all chips first.
    """
    everything = chips_of(store, metrics)
    templates = _templates()
    folder.mkdir(parents=True, exist_ok=True)
    pages: list[Path] = []
    for at, chip in enumerate(everything):
        if chips is not None and chip.name not in chips:
            continue
        beside = (everything[at - 1] if at else None, everything[at + 1] if at + 1 < len(everything) else None)
        with nullcontext() if item is None else item(chip.name):
            path = folder / chip.page
            write_whole(path, _chip_page(templates["chip.html"], chip, beside, store.timezone).encode())
            pages.append(path)
    if chips is None:
        _remove_others(folder, {page.name for page in pages})
        rows = [_row(chip) for chip in everything]
        write_whole(folder / OVERVIEW, _overview(everything, store).encode())
        write_whole(folder / INDEX, _index_page(templates["chips.html"], everything, rows, store).encode())
        pages.insert(0, folder / INDEX)
    return pages


def _remove_others(folder: Path, pages: set[str]) -> None:
    """Remove pages of chips that are no longer staged; only such as were written here before."""
    try:
        before = [str(each["page"]) for each in json.loads((folder / OVERVIEW).read_text(encoding="utf-8"))["chips"]]
    except (OSError, ValueError, KeyError, TypeError):  # none, or not one of ours
        return
    for page in before:
        if page not in pages and Path(page).name == page:
            (folder / page).unlink(missing_ok=True)


def _templates() -> Mapping[str, Template]:
    from jinja2 import DictLoader, Environment, StrictUndefined

    home = resources.files("batchlab.devices")
    source = {name: home.joinpath(name).read_text(encoding="utf-8") for name in ("chip.html", "chips.html")}
    css = home.joinpath("pages.css").read_text(encoding="utf-8")
    environment = Environment(
        loader=DictLoader(source), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["words"] = _words
    digest = b64encode(hashlib.sha256(css.encode()).digest()).decode("ascii")
    environment.globals.update(css=css, policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'")
    return {name: environment.get_template(name) for name in source}


def _words(value: Value) -> str:
    if value.value is not None:
        return in_words(value.value, value.unit, value.error)
    text = value.text or ""
    return text if len(text) <= _CUT else f"{text[:_CUT]}…"


# a chip


def _chip_page(
    template: Template, chip: ChipFacts, beside: tuple[ChipFacts | None, ChipFacts | None], zone: str
) -> str:
    from batchlab.devices.metrics._dirac_point import METHODS

    scales = _scales(chip)
    return template.render(
        chip=chip,
        before=beside[0],
        after=beside[1],
        zone=zone,
        span=_span(chip.runs),
        tiles=list(_tiles(chip)),
        figures=chip_figures(chip),
        flags=flagged(chip.runs),
        columns=[(_COLUMNS[name], unit) for name, (_, unit) in scales.items()],
        rows=[(run, [_cell(run.number(name), scale) for name, (scale, _) in scales.items()]) for run in chip.runs],
        methods=METHODS,
    )


def _scales(chip: ChipFacts) -> dict[str, tuple[float, str]]:
    """What a column of the table is divided by, and its unit."""
    found = {}
    for name in _COLUMNS:
        points = chip.having(name)
        # Responses of currents and of voltages differ in their unit: no prefix does for both.
        units = {value.unit for _, value in points}
        if len(units) == 1:
            found[name] = prefixed([value.value or 0.0 for _, value in points], units.pop())
    return found


def _cell(value: float | None, scale: float) -> tuple[str, float | None]:
    return ("", None) if value is None else (told(value / scale), value)


def _span(runs: Sequence[RunFacts]) -> str:
    days = [run.day for run in runs if run.day]
    return "" if not days else days[0] if days[0] == days[-1] else f"{min(days)} to {max(days)}"


def _tiles(chip: ChipFacts) -> Iterator[_Tile]:
    """What there is to say of a chip first, with the runs that say it."""
    dirac = chip.trusted(_DIRAC)
    if dirac:
        run, value = dirac[-1]
        yield _Tile(
            name="Dirac point now",
            text=in_words(value.value or 0.0, value.unit, value.error),
            runs=(run,),
            value=value.value,
        )
    if len(dirac) > 1:
        moved = (dirac[-1][1].value or 0.0) - (dirac[0][1].value or 0.0)
        yield _Tile(
            name="moved by", text=in_words(moved, dirac[-1][1].unit), runs=(dirac[0][0], dirac[-1][0]), value=moved
        )
    for name, words in ((_MOBILITY, "mobility of holes now"), ("responsivity", "responsivity now")):
        found = chip.trusted(name)
        if found:
            run, value = found[-1]
            text = in_words(value.value or 0.0, value.unit, value.error)
            yield _Tile(name=words, text=text, runs=(run,), value=value.value)
    response = _response(chip)
    if response is not None:
        run, value = response
        text = in_words(value.value or 0.0, value.unit, value.error)
        yield _Tile(name="response to light now", text=text, runs=(run,), value=value.value)
    elif any(chip.having(name) for names in _RESPONSES for name in names):
        yield _Tile(name="response to light now", text="none that is sure")
    suspect = chip.suspect
    flags = ", ".join(sorted({flag for run in suspect for flag in run.flags}))
    more = f"{' and more: ' if len(suspect) > _FEW else ': '}{flags}" if flags else ""
    yield _Tile(
        name="flagged runs",
        text=str(len(suspect)),
        runs=tuple(suspect[:_FEW]),
        joint=", ",
        more=more,
        warn=bool(suspect),
    )


def _response(chip: ChipFacts) -> tuple[RunFacts, Value] | None:
    """The last response that is sure; where drift was taken away, what was recorded with it is no substitute."""
    known = (next((name for name in names if chip.having(name)), names[0]) for names in _RESPONSES)
    return next((found[-1] for name in known if (found := chip.trusted(name))), None)


# all chips


def _row(chip: ChipFacts) -> dict[str, Any]:
    dirac = chip.trusted(_DIRAC)
    values = [value.value for _, value in dirac if value.value is not None]
    mobility = chip.trusted(_MOBILITY)
    return {
        "chip": chip.name,
        "page": chip.page,
        "runs": len(chip.runs),
        "of": ", ".join(f"{count} {name}" for name, count in chip.counts.items()),
        "days": _span(chip.runs),
        "cells": [
            _linked(chip, dirac[-1]) if dirac else None,
            _linked(chip, dirac[-1], moved=values[-1] - values[0]) if len(values) > 1 else None,
            sparkline(values, f"Dirac point of {len(values)} sweeps"),
            _linked(chip, mobility[-1]) if mobility else None,
            _linked(chip, response, unit=True) if (response := _response(chip)) is not None else None,
        ],
        "flagged": len(chip.suspect),
    }


def _linked(
    chip: ChipFacts, point: tuple[RunFacts, Value], *, moved: float | None = None, unit: bool = False
) -> dict[str, Any]:
    """A number of the table over all chips, with the run that it is from."""
    run, found = point
    value = (found.value or 0.0) if moved is None else moved
    return {
        "href": f"{quote(chip.page)}#run-{run.run_id}",
        "run_id": run.run_id,
        "value": value,
        "text": in_words(value, found.unit) if unit else told(value),
        "title": f"#{run.seq} {run.moment} ({found.method})",
    }


def _index_page(template: Template, chips: Sequence[ChipFacts], rows: Sequence[dict[str, Any]], store: Store) -> str:
    runs = [run for chip in chips for run in chip.runs]
    return template.render(
        chips=chips,
        runs=len(runs),
        zone=store.timezone,
        span=_span(sorted(runs, key=lambda run: run.day)),
        rows=rows,
        figures=lab_figures(chips),
        suspect=[(chip, run) for chip in chips for run in chip.suspect],
        rejects=store.rejects().select("source_file", "reason", "message").rows(),
    )


def _overview(chips: Sequence[ChipFacts], store: Store) -> str:
    """The numbers of the page over all chips, for programs."""
    told_of = {"timezone": store.timezone, "chips": [_json(chip) for chip in chips]}
    return json.dumps(told_of, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _json(chip: ChipFacts) -> dict[str, Any]:
    days = [run.day for run in chip.runs if run.day]
    found: dict[str, Any] = {
        "chip": chip.name,
        "page": chip.page,
        "runs": len(chip.runs),
        "procedures": chip.counts,
        "first": min(days, default=None),
        "last": max(days, default=None),
        "flagged": [{"seq": run.seq, "run_id": run.run_id, "flags": list(run.flags)} for run in chip.suspect],
    }
    points = {"dirac_point": chip.trusted(_DIRAC), "mobility_of_holes": chip.trusted(_MOBILITY)}
    response = _response(chip)
    points["response"] = [response] if response is not None else []
    for name, those in points.items():
        if those:
            run, value = those[-1]
            found[name] = {
                "value": value.value,
                "unit": value.unit,
                "method": value.method,
                "seq": run.seq,
                "run_id": run.run_id,
            }
    dirac = [value.value for _, value in points["dirac_point"] if value.value is not None]
    if len(dirac) > 1:
        found["dirac_point"] |= {"since_first": dirac[-1] - dirac[0], "median": median(dirac)}
    return found
