"""The job that shows a whole batch of spectra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import Field, FiniteFloat

from batchlab.engine import JobContext, Scalar, task
from batchlab.errors import Category, DataError, JobError
from batchlab.spectra._words import agreed, listed
from batchlab.spectra.tasks._collecting import Gathered, Gathering, gather, when_or_number
from batchlab.spectra.tasks._drawing import PICTURES, save_picture
from batchlab.spectra.tasks._params import LIBRARIES, Length
from batchlab.spectra.tasks._pinned import pinned

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from batchlab.figures import Picture
    from batchlab.spectra._analytics import Matrix
    from batchlab.spectra._figure import Look
    from batchlab.spectra._model import Array

__all__ = ["OverviewParams", "overview"]

_FILE, _NAME, _GROUP, _CORRELATION = "file", "name", "group", "correlation"
_WORDS = (_FILE, _NAME, _GROUP, _CORRELATION)
_LINE_POINTS = 8_000  # of a curve, at most: more than there are pixels
_MAP_POINTS = 2_000
_PAGE_VALUES = 4_000_000  # 5 bytes each
_PAGE_POINTS = 20_000
_MOST_NAMED = 5
_THUMBNAIL_OF = ("heat_map", "stack", "overlay", "waterfall", "multiples")


@dataclass(frozen=True, slots=True)
class _Kind:
    """How much a kind of picture can show."""

    usual: int  # spectra, where the params do not say
    most: int
    points: int
    mean: bool = False


_KINDS = {
    "heat_map": _Kind(1_000, 10_000, _MAP_POINTS, mean=True),
    "stack": _Kind(40, 200, _LINE_POINTS),
    "overlay": _Kind(300, 2_000, _LINE_POINTS),
    "waterfall": _Kind(40, 200, _LINE_POINTS),
    "multiples": _Kind(60, 120, _LINE_POINTS),
    "page": _Kind(500, 2_000, _PAGE_POINTS),
}


class OverviewParams(Gathering):
    """How files are read and prepared, in which order they are shown, and how many of them."""

    order_by: str = Field(
        _FILE,
        description="file, as they are given; name; group; correlation with the reference, or else the mean, the "
        "least alike first; or a key of the files' metadata",
    )
    most: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="spectra drawn in each picture, evenly chosen if there are more; by default 40 in a stack or "
        "waterfall, 60 multiples, 300 in an overlay, 500 in a page, 1000 in a heat map",
    )
    offset: FiniteFloat | None = Field(
        None, gt=0, description="from one spectrum of a stack to the next, in the signals' unit"
    )
    dpi: float = Field(150.0, ge=10, le=2400)
    size_in: tuple[Length, Length] = Field((12.0, 8.0), description="width and height of a picture in inches")


@task(
    name="spectra.overview",
    version="3",
    params=OverviewParams,
    optional_inputs=("comparisons", "samples", "reference"),
    outputs={
        "stack": "{job}_stack.png",
        "heat_map": "{job}_heat_map.png",
        "overlay": None,
        "waterfall": None,
        "multiples": None,
        "page": None,
    },
    formats={
        **dict.fromkeys(("stack", "heat_map", "overlay", "waterfall", "multiples"), PICTURES),
        "page": (".html",),
    },
    libraries=(*LIBRARIES, "matplotlib"),
    preload=("batchlab.spectra._read", "batchlab.spectra._figure_batch"),
    surroundings=pinned,
)
def overview(ctx: JobContext, params: OverviewParams) -> Mapping[str, Scalar]:
    """Show a batch of spectra: above each other, as a heat map, on top of each other, or to look around in.

    Takes the tables of comparisons (``comparisons: {from: compare, gather: done}``), or raw files (``samples``, with
    or without a ``reference`` whose points they are brought to; else those of the first). Each is an item. All lie
    on disk meanwhile, and a picture reads only the spectra that it shows.
    """
    from batchlab.spectra._analytics._collect import Collection

    wanted = [name for name in _KINDS if ctx.wanted(name)]
    if not wanted:
        raise JobError(
            f"nothing is to be drawn; ask for one of the outputs {', '.join(_KINDS)}",
            category=Category.INVALID_INPUT,
            reason="no-output",
        )
    ctx.stage("load")
    with Collection(ctx.scratch / "spectra.bin") as collection:
        key = () if params.order_by in _WORDS else (params.order_by,)
        gathered = gather(ctx, params, collection, key)
        axis, matrix, columns, told = collection.finish()
        for text in told:
            ctx.warn(text)
        if gathered.reference is not None:
            gathered.reference = gathered.reference[columns]
        batch = _Batch(axis=axis, matrix=matrix, names=tuple(collection.names), gathered=gathered)
        ctx.stage("order")
        order = _ordered(ctx, params, batch)
        drawn: dict[str, Scalar] = {}
        for name in wanted:
            if ctx.cancelled:
                break
            drawn[f"drawn_{name}"] = _draw(ctx, params, batch, order, name)
    return {
        "n": len(batch.names),
        "n_points": int(axis.size),
        "axis_first": float(axis[0]),
        "axis_last": float(axis[-1]),
        "axis_unit": gathered.axis_unit,
        **drawn,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """The spectra, and what is known of them."""

    axis: Array
    matrix: Matrix
    names: tuple[str, ...]
    gathered: Gathered


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What one picture shows of them."""

    axis: Array
    rows: Array
    names: list[str]
    groups: list[str] | None
    reference: Array | None
    reference_name: str
    look: Look
    title: str


def _ordered(ctx: JobContext, params: OverviewParams, batch: _Batch) -> NDArray[np.intp]:
    import numpy as np

    from batchlab.spectra._overview import least_alike_first, natural_order, sorted_by

    gathered, by = batch.gathered, params.order_by
    if by == _FILE:
        return np.arange(len(batch.names), dtype=np.intp)
    if by == _NAME:
        return natural_order(batch.names)
    if by == _CORRELATION:
        return least_alike_first(batch.matrix, gathered.reference)
    values: list[Any]
    if by == _GROUP:
        values, what = list(gathered.groups), "a group; write group_by or group_pattern so that they have one"
    else:
        values = [said.get(by) for said in gathered.said]
        what = f"the key {by!r} in their metadata; order_by is a key, or one of {', '.join(_WORDS)}"
    silent = sum(value is None for value in values)
    if silent == len(values):
        raise DataError(f"no spectrum has {what}", reason="no-such-key")
    if silent:
        ctx.warn(
            f"{silent} of {len(values)} spectra "
            f"{agreed(silent, 'says', 'say')} nothing to be ordered by ({by}), and "
            f"{agreed(silent, 'comes', 'come')} last"
        )
    numbers = [None if value is None else when_or_number(value) for value in values]
    if sum(number is None for number in numbers) == silent:
        return sorted_by(numbers)
    return sorted_by(values)


def _draw(ctx: JobContext, params: OverviewParams, batch: _Batch, order: NDArray[np.intp], name: str) -> int:
    """Draw one picture, or the page, and say how many spectra are in it."""
    ctx.stage("draw")
    shown = _shown(ctx, params, batch, order, name)
    if name == "page":
        from batchlab.spectra._write import put

        put(ctx.output("page"), _page(shown, ctx.provenance).encode("utf-8"))
        return len(shown.names)
    picture = _picture(ctx, params, shown, name)
    first = name == next(each for each in _THUMBNAIL_OF if ctx.wanted(each))
    save_picture(ctx, name, picture, thumbnail=first)
    return len(shown.names)


def _shown(ctx: JobContext, params: OverviewParams, batch: _Batch, order: NDArray[np.intp], name: str) -> _Shown:
    from batchlab.spectra._figure import look_for
    from batchlab.spectra._overview import Points, chosen

    kind, gathered = _KINDS[name], batch.gathered
    points = Points(batch.axis, gathered.gaps, most=kind.points, mean=kind.mean)
    most = min(params.most or kind.usual, kind.most)
    if name == "page":
        most = max(1, min(most, _PAGE_VALUES // points.axis.size))
        if points.thinned:
            ctx.warn(f"page: about {_PAGE_POINTS} of {batch.axis.size} points of each spectrum are shown")
    at = chosen(order, most)
    left_out = order.size - at.size
    if left_out:
        of = f"{at.size} of {order.size} spectra {agreed(at.size, 'is', 'are')} shown"
        ctx.warn(f"{name}: {of}, evenly chosen; {left_out} {agreed(left_out, 'is', 'are')} left out")
    rows = points.rows(batch.matrix, at)
    return _Shown(
        axis=points.axis,
        rows=rows,
        names=[batch.names[each] for each in at.tolist()],
        groups=[gathered.groups[each] or "no group" for each in at.tolist()] if gathered.grouped else None,
        reference=None if gathered.reference is None else points.of(gathered.reference),
        reference_name=gathered.reference_name or "reference",
        look=look_for(
            points.axis,
            rows,
            axis_kind=gathered.axis_kind,
            axis_unit=gathered.axis_unit,
            quantity=gathered.quantity,
            unit=gathered.unit,
            treatment=gathered.treatment,
            size_in=params.size_in,
            dpi=params.dpi,
        ),
        title=f"{at.size} of {order.size} spectra" if left_out else "",
    )


def _picture(ctx: JobContext, params: OverviewParams, shown: _Shown, name: str) -> Picture:
    from batchlab.spectra import _figure_batch as figures

    axis, rows, names, groups, title = shown.axis, shown.rows, shown.names, shown.groups, shown.title
    if name == "stack":
        return figures.draw_stack(axis, rows, names, shown.look, offset=params.offset, groups=groups, title=title)
    if name == "waterfall":
        _tell_hidden(ctx, shown)
        return figures.draw_waterfall(axis, rows, names, shown.look, groups=groups, title=title)
    limits = _limits(ctx, shown, name)
    if name == "heat_map":
        return figures.draw_heat_map(axis, rows, names, shown.look, limits=limits, title=title)
    look = shown.look if limits is None else replace(shown.look, overlay_limits=limits)
    if name == "multiples":
        return figures.draw_multiples(axis, rows, names, look, reference=shown.reference, title=title)
    return figures.draw_overlay(axis, rows, names, look, groups=groups, title=title)


def _tell_hidden(ctx: JobContext, shown: _Shown) -> None:
    """Tell which spectra of a waterfall can hardly be seen."""
    import numpy as np

    from batchlab.spectra._figure_places import hidden_shares

    hidden = np.flatnonzero(hidden_shares(shown.axis, shown.rows, shown.look) > 0.5)
    if hidden.size:
        who = listed([shown.names[at] for at in hidden], _MOST_NAMED)
        ctx.warn(
            f"waterfall: {hidden.size} of {len(shown.names)} spectra {agreed(hidden.size, 'is', 'are')} hidden for "
            f"most of their length by those in front: {who}; a stack hides none, or change order_by"
        )


def _limits(ctx: JobContext, shown: _Shown, name: str) -> tuple[float, float] | None:
    """Limits of all ordinary spectra, where one far out would leave no room for them; else None."""
    import numpy as np

    from batchlab.spectra._limits import hull

    lows, highs = np.nanmin(shown.rows, axis=1), np.nanmax(shown.rows, axis=1)
    bottom, top = hull(list(zip(lows.tolist(), highs.tolist(), strict=True)))
    out = np.flatnonzero((lows < bottom) | (highs > top))
    if not out.size:
        return None
    who = f"{shown.names[out[0]]} reaches" if out.size == 1 else f"{shown.names[out[0]]} and {out.size - 1} more reach"
    ctx.warn(f"{name}: {who} beyond what is shown, from {bottom:g} to {top:g}")
    return bottom, top


def _page(shown: _Shown, provenance: Mapping[str, str]) -> str:
    """The page, with the reference ahead of the spectra where there is one."""
    import numpy as np

    from batchlab.spectra._page import spectra_page

    rows, names, at = shown.rows, shown.names, None
    if shown.reference is not None:
        rows, names, at = np.concatenate((shown.reference[None], rows)), [shown.reference_name, *names], 0
    return spectra_page(shown.axis, rows, names, shown.look, reference=at, title=shown.title, provenance=provenance)
