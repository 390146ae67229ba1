"""``batchlab motion fit``, ``sweep`` and ``cross-validate``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from batchlab.errors import BatchlabError, ConfigError
from batchlab.motion.cli._asked import (
    AxisType,
    axes_of,
    batch_options,
    fit_options,
    params_asked,
    score_option,
)
from batchlab.options import command_line, run_options

if TYPE_CHECKING:
    from batchlab.engine import Batch

__all__ = ["cross_validate", "fit", "sweep"]

_PLACES = click.argument("places", nargs=-1, required=True, metavar="RECORDING...")
_TABLES = click.option(
    "--tables/--no-tables", default=None, help="Poses and markers of all frames.  [default: of a fit, not of a sweep]"
)
_VIEWER = click.option(
    "--viewer/--no-viewer", default=None, help="A page that plays each recording.  [default: of a fit, not of a sweep]"
)
_TOGETHER = click.option("--together", is_flag=True, help="One geometry for all recordings, solved in one job.")


def _output(default: str) -> Callable[[Any], Any]:
    return click.option("-o", "--output", default=default, metavar="DIR", show_default=True, help="For the results.")


def _grid(required: bool) -> Callable[[Any], Any]:
    return click.option(
        "-g",
        "--grid",
        "grid",
        type=AxisType(),
        multiple=True,
        required=required,
        help="A param of motion.fit and its values, as in weights.rotation=0.1,1,10; several are combined.",
    )


_METRIC = click.option(
    "--metric",
    type=click.Choice(("held_out_mm", "held_out_trimmed_mm", "held_out_median_mm")),
    default="held_out_mm",
    show_default=True,
    help="What options are chosen by: the score, or the same without its worst 5 %, or its median.",
)
_WORDS = {
    "held_out_mm": "held-out",
    "held_out_trimmed_mm": "held-out without its worst 5 %",
    "held_out_median_mm": "median held-out",
}


@click.command("fit")
@_PLACES
@_output("motion-fit")
@_TOGETHER
@fit_options
@score_option("none")
@_TABLES
@_VIEWER
@batch_options
@run_options
@click.pass_context
def fit(ctx: click.Context, /, places: tuple[str, ...], **given: Any) -> None:
    """Fit a rigid body to the markers of each RECORDING: a file, the files of a folder, or a pattern.

    Poses of all frames, measured and fitted markers, the body's geometry, and all numbers are written.
    """
    ctx.exit(_run(ctx, places, given))


@click.command("sweep")
@_PLACES
@_grid(required=True)
@_METRIC
@_output("motion-sweep")
@_TOGETHER
@fit_options
@score_option("held-out")
@_TABLES
@_VIEWER
@batch_options
@run_options
@click.pass_context
def sweep(ctx: click.Context, /, places: tuple[str, ...], grid: Any, metric: str, **given: Any) -> None:
    """Fit each RECORDING with every combination of options, and choose by what each fit foretells.

    The least held-out error counts; of options that do as well to within one standard error, the smoothest are taken.
    """
    axes = axes_of(grid)
    quiet, dry = given["quiet"] or given["json_lines"], given["dry_run"]
    output = given["output"]
    code = _run(ctx, places, given, axes=axes)
    if not quiet and not dry and code in (0, 1):
        _tell_best(output, metric)
    ctx.exit(code)


@click.command("cross-validate")
@_PLACES
@_output("motion-cross-validation")
@click.option(
    "--folds",
    "count",
    type=click.IntRange(2),
    help="Parts of all recordings.  [default: 5, or one for each recording or group where they are fewer]",
)
@click.option(
    "--group",
    metavar="PATTERN",
    help="What is never parted, by file names: subject_{subject}_*.csv keeps recordings of a subject together.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the dealing of recordings.")
@click.option(
    "--own-geometry", is_flag=True, help="Each recording has a body of its own: validate options alone, on each."
)
@click.option("--no-refit", is_flag=True, help="Do not fit all recordings at the end.")
@_grid(required=False)
@_METRIC
@fit_options
@score_option("held-out")
@batch_options
@run_options
@click.pass_context
def cross_validate(ctx: click.Context, /, places: tuple[str, ...], grid: Any, metric: str, **given: Any) -> None:
    """Fit a geometry to all RECORDINGs but some, see how well it foretells markers of those, and take turns.

    All recordings are fitted at the end. With --grid, every combination of options is validated.
    """
    from batchlab.motion._batch import cross_validation

    if given.pop("geometry"):
        raise click.UsageError("--geometry: a cross-validation fits the geometry itself")
    axes = axes_of(grid)
    quiet, dry, output = given["quiet"] or given["json_lines"], given["dry_run"], given["output"]
    count, group, seed = given.pop("count"), given.pop("group"), given.pop("seed")
    refit, own = not given.pop("no_refit"), given.pop("own_geometry")

    def make(params: dict[str, Any], bodies: dict[str, tuple[str, ...]], common: dict[str, Any]) -> Batch:
        return cross_validation(
            places,
            output,
            count=count,
            group=group,
            seed=seed,
            own_geometry=own,
            refit=refit,
            axes=axes,
            params=params,
            bodies=bodies,
            **common,
        )

    code = _made_and_run(ctx, given, make)
    if axes and not quiet and not dry and code in (0, 1):
        _tell_best(output, metric)
    ctx.exit(code)


def _run(
    ctx: click.Context, places: tuple[str, ...], given: dict[str, Any], axes: dict[str, list[Any]] | None = None
) -> int:
    from batchlab.motion import _batch

    tables, viewer = given.pop("tables"), given.pop("viewer")
    together, geometry = given.pop("together"), given.pop("geometry")
    output = given["output"]
    given["geometry"] = geometry

    def make(params: dict[str, Any], bodies: dict[str, tuple[str, ...]], common: dict[str, Any]) -> Batch:
        common |= {"bodies": bodies, "params": params, "together": together, "geometry": geometry}
        if axes is None:
            return _batch.fit_batch(places, output, tables=tables is not False, viewer=viewer is not False, **common)
        return _batch.sweep(places, axes, output, tables=bool(tables), viewer=bool(viewer), **common)

    return _made_and_run(ctx, given, make)


def _made_and_run(
    ctx: click.Context,
    given: dict[str, Any],
    make: Callable[[dict[str, Any], dict[str, tuple[str, ...]], dict[str, Any]], Batch],
) -> int:
    """Make the batch of the options, and run it with what is left of them."""
    from batchlab.engine import Limits, Settings

    params, bodies = params_asked(given)
    given.pop("geometry", None)
    given.pop("output")
    limits = Limits(timeout_s=given.pop("timeout"), memory_bytes=given.pop("memory"))
    settings = Settings(workers=given.pop("workers"), retries=given.pop("retries"))
    try:
        batch = make(params, bodies, {"limits": limits, "settings": settings, "source": command_line()})
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    code: int = ctx.obj.run_batch(batch, **given)
    return code


def _tell_best(output: str, metric: str) -> None:
    """One line: what was chosen, and how well it foretells."""
    from pathlib import Path

    from batchlab.engine import read_view
    from batchlab.motion._best import find_best
    from batchlab.motion._panel._svg import with_error

    try:
        choice = find_best(read_view(Path(output)), metric)
    except BatchlabError as error:
        click.echo(f"no options can be chosen: {error}", err=True)
        return
    told = ", ".join(f"{name} {value}" for name, value in choice.params.items()) or "all options alike"
    score = with_error(choice.score, choice.standard_error)
    click.echo(f"best: {told} ({_WORDS[metric]} {score} mm; {choice.rule})")
    for note in choice.notes:
        click.echo(note)
