"""``batchlab motion view``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batchlab.errors import BatchlabError, StartError
from batchlab.motion.cli._asked import fit_options, params_asked

if TYPE_CHECKING:
    from batchlab.motion._model import Fit, Recording
    from batchlab.motion.tasks import FitParams

__all__ = ["view"]


@click.command("view")
@click.argument("file", metavar="RECORDING")
@click.option("-o", "--output", metavar="FILE", help="The page.  [default: the recording's name with .html, here]")
@click.option("--raw", is_flag=True, help="Markers alone, without a fit.")
@click.option("--every", type=click.IntRange(1), default=1, show_default=True, help="Show each frame, each second...")
@fit_options
def view(file: str, output: str | None, raw: bool, every: int, **given: Any) -> None:
    """Write a page that plays a RECORDING and the bodies fitted to it.

    It is one file that needs no network, and opens in any browser. Its folder is made where it is not there.
    """
    from pydantic import ValidationError

    from batchlab.motion._read import read_recording
    from batchlab.motion._viewer import write_viewer
    from batchlab.motion.tasks import FitParams

    geometry = given["geometry"]
    params, bodies = params_asked(given)
    try:
        asked = FitParams.model_validate(params)
        recording = read_recording(file, **asked.reading)
        fits = [] if raw else _fits(recording, asked, bodies, geometry)
        edges = list(asked.edges) or None
        page = Path(output or f"{Path(file).stem}.html")
        try:
            page.parent.mkdir(parents=True, exist_ok=True)
            place = write_viewer(page, recording, fits, edges=edges, up=asked.up, every=every)
        except OSError as error:
            raise StartError(
                f"{page}: cannot be written: {error.strerror or error}; name another place by -o"
            ) from error
    except ValidationError as error:
        raise click.UsageError("; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors())) from error
    except StartError:
        raise
    except BatchlabError as error:
        raise click.ClickException(str(error)) from error
    for fit in fits:
        for text in fit.warnings:
            click.echo(f"{fit.body.name}: {text}", err=True)
    click.echo(place)


def _fits(
    recording: Recording, asked: FitParams, bodies: dict[str, tuple[str, ...]], geometry: str | None
) -> list[Fit]:
    """One for each body."""
    from dataclasses import replace

    from batchlab.motion._model import Body
    from batchlab.motion._read._choice import choose
    from batchlab.motion._solve import fit_body
    from batchlab.motion._write import geometry_for, read_geometry
    from batchlab.motion.tasks._names import check_names

    fits = []
    for name, patterns in (bodies or {asked.body: asked.markers}).items():
        if geometry is not None and not patterns:
            known = read_geometry(Path(geometry))[0]
            patterns = tuple(marker for marker in recording.markers if marker in known)
        columns = choose(recording.markers, patterns, Path(recording.name))
        body = Body(name=name, markers=tuple(recording.markers[column] for column in columns), convention=asked.frame)
        if len(bodies) < 2:
            check_names(asked, body.markers, recording.name)
        given = None if geometry is None else geometry_for(Path(geometry), body)
        options = replace(asked.options(given), covariance=False)
        fits.append(fit_body([recording], body, options)[0])
    return fits
