"""Whether markers that params name are there, before anything is solved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from batchlab.errors import DataError

if TYPE_CHECKING:
    from batchlab.motion.tasks._params import FitParams

__all__ = ["check_names"]


def check_names(params: FitParams, markers: Sequence[str], where: str) -> None:
    """Refuse params that name a marker which the body does not have.

    Parameters
    ----------
    params
        Of a fit.
    markers
        Of the body.
    where
        What has them: the name of a recording.

    Raises
    ------
    DataError
        With the param, its option, the name, and what it might be.
    """
    for told, name in _named(params):
        if name not in markers:
            from batchlab.motion._read._choice import meant

            raise DataError(
                f"{where}: {told} names {name!r}, which is no marker of {params.body}; {meant(name, markers)}",
                reason="no-such-marker",
            )


def _named(params: FitParams) -> Iterator[tuple[str, str]]:
    """What names a marker, with its option of the command line, and the name."""
    for param, option in (("origin", "--origin"), ("x_axis", "--x-axis"), ("xy_plane", "--xy-plane")):
        name = getattr(params.convention, param)
        if name is not None:
            yield f"convention.{param} ({option})", name
    for pair in params.edges:
        yield from (("edges (--edge)", name) for name in pair)
    yield from (("weights.per_marker (--marker-weight)", name) for name in params.weights.per_marker)
