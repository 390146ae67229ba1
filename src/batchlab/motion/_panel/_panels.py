"""What the report of a batch tells of fits: how each came out, what is odd, and which options to take."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from batchlab.engine import BatchView, JobView, Json, Scalar, Status
from batchlab.errors import ConfigError
from batchlab.reports import Drawing, Panel, Table

if TYPE_CHECKING:
    from batchlab.motion._panel._scores import Candidate

__all__ = ["fits_panel", "folds_panel", "scores_panel"]

_FIT, _VALIDATE = "motion.fit", "motion.validate"
_MOST_ROWS, _MOST_SWEPT, _MOST_PAGES, _FEW = 40, 12, 8, 5
NOT_RIGID = "do not move as one rigid body"  # as the judgement of a fit says it
_NAMED = 4  # jobs in a headline


def fits_panel(view: BatchView) -> Panel | None:
    """A row for each fit, those that are odd first where there are many; None where none is done."""
    jobs = _fits(view)
    if not jobs:
        return None
    files = {repr(job.inputs) for job in jobs}
    # Of a sweep the other panel tells; here those that are odd matter.
    most = _MOST_ROWS if len(files) == len(jobs) else _MOST_SWEPT
    shown = jobs if len(jobs) <= most else sorted(jobs, key=_oddness)[:most]
    scored = any("held_out_mm" in job.metrics for job in jobs)
    told = [page for job in sorted(shown, key=_oddness) if (page := _output(job, "page"))]
    more = f" {len(jobs) - len(shown)} more are in the table of jobs." if len(shown) < len(jobs) else ""
    columns: list[tuple[str, str | None]] = [
        ("job", None), ("body", None), ("recordings", None), ("frames", None), ("rms", "mm"), ("median", "mm"),
        ("reduced chi²", None), ("not seen", "%"), ("inliers", "%"), ("inferred", "frames"),
        ("loose markers", None), ("swaps", None), ("warnings", None), ("foretold", "mm"), ("±", "mm"),
    ]  # fmt: skip
    rows = [_row(job) for job in shown]
    same = {1, 2} if len({row[1:3] for row in rows}) == 1 else set()
    # What nothing was looked at for, and inferred frames where there are none, only make the table wide.
    idle = {at for at in (9, 10, 11) if all(row[at] in (None, "", 0) for row in rows)}
    kept = [at for at in range(len(columns)) if at not in same | idle and (scored or at < len(columns) - 2)]
    return Panel(
        title="Motion: fits",
        headline=_headline(jobs, swept=len(files) < len(jobs)),
        text=(
            "Distances are those of measured markers from the fitted body; reduced chi² is about 1 where the weight of "
            "the data tells their noise. Each fit has a page with residuals by marker, what was seen, poses and their "
            f"errors; it leads to the recording in space.{more}"
        ),
        tables=(
            Table(
                columns=tuple(columns[at][0] for at in kept),
                units=tuple(columns[at][1] for at in kept),
                rows=tuple(tuple(row[at] for at in kept) for row in rows),
            ),
        ),
        pictures=tuple(told[:_MOST_PAGES]),
    )


def scores_panel(view: BatchView) -> Panel | None:
    """Which options foretell hidden markers best; None where nothing was swept and scored."""
    from batchlab.motion._candidate import end_note
    from batchlab.motion._panel._scores import heat_map, parallel, score_curves, value_of

    found, over = _candidates(view)
    if len(found) < 2 or not found[0].params:
        return None
    names = list(found[0].params)
    drawings = []
    drawn = _drawn(found)
    if len(names) <= 2:
        along = sorted(names, key=lambda name: -len({repr(each.params[name]) for each in found}))
        drawings.append(
            Drawing(title="Score curves", svg=score_curves(found, *along), note=_BARS.format(over=over), drawn=drawn)
        )
    if len(names) == 2:
        drawings.append(Drawing(title="Heat map", svg=heat_map(found, names[0], names[1]), drawn=drawn))
    if len(names) > 2:
        drawings.append(Drawing(title="Parallel coordinates", svg=parallel(found), note=_PARALLEL, drawn=drawn))
    least, chosen = found[0], next(each for each in found if each.chosen)
    taken = ", ".join(f"{name} = {value_of(value)}" for name, value in chosen.params.items())
    jobs = {f"#job-{index}": job for index, job in enumerate(view.jobs)}
    pages = [page for each in (chosen, least, found[-1]) if (page := _output(jobs[each.href], "page"))]
    note = end_note(chosen.params, (each.params for each in found))
    why = (
        f"It has the least score{', and nothing simpler is as good' if note is None else ''}."
        if chosen.best
        else f"The least score is {told_mm(least)}; to within one standard error the choice does as well, and it is "
        "the smoothest that does."
    )
    if note is not None:
        why += f" {note[0].upper()}{note[1:]}."
    return Panel(
        title="Motion: which options to take",
        headline=f"markers that were hidden are foretold best with {taken}: {told_mm(chosen)}",
        text=f"{why} A score is how far hidden markers lie from where a fit that had not seen them puts them; noise of "
        f"measurement is part of it, and cost is not: its unit is the weight.{_OVER.format(over=over) if over else ''}",
        drawings=tuple(drawings),
        tables=_ranked(found),
        pictures=tuple(dict.fromkeys(pages)),
    )


def _ranked(found: Sequence[Candidate]) -> tuple[Table, ...]:
    """Combinations by rank; of many the best, the choice and the worst, each a table of its own: ranks do not jump."""
    rows = [*enumerate(found, 1)]
    parts = {"All, the best first": rows}
    if len(rows) > 2 * _FEW:
        parts = {
            "The best": rows[:_FEW],
            "The choice": [(rank, each) for rank, each in rows[_FEW:-_FEW] if each.chosen],
            f"The worst of {len(rows)}": rows[-_FEW:],
        }
    names = list(found[0].params)
    return tuple(
        Table(
            title=title,
            columns=("rank", *names, "score", "standard error", "jobs", ""),
            units=(None, *(None for _ in names), "mm", "mm", None, None),
            rows=tuple(
                (
                    rank,
                    *(_scalar(each.params[name]) for name in names),
                    *_rounded(each.mean, each.error),
                    each.jobs,
                    ", ".join(word for word, on in (("least", each.best), ("chosen", each.chosen)) if on),
                )
                for rank, each in part
            ),
        )
        for title, part in parts.items()
        if part
    )


_BARS = (
    "Bars are standard errors of each score{over}. All options are scored on the same hidden markers, so their "
    "differences are surer than the bars tell: the choice compares them part by part."
)
_OVER = " Standard errors are{over}."
_PARALLEL = "A line for each combination; bright ones foretell best. Point at a line for its options."


def folds_panel(view: BatchView) -> Panel | None:
    """How each fold of a cross-validation did on what it was not fitted to; None where there is none."""
    jobs = [job for job in _fits(view) if "fold" in job.metadata]
    if not jobs:
        return None
    from batchlab.motion._panel._svg import with_error

    validated = [job for job in view.jobs if job.task == _VALIDATE and job.state is Status.DONE]
    texts = []
    for job in validated:
        mean, error = job.metrics.get("mean"), job.metrics.get("standard_error")
        if isinstance(mean, float):
            body = job.name.partition("/")[2]
            told = with_error(mean, error if isinstance(error, float) else math.nan)
            texts.append(f"recordings held out are foretold to {told} mm over {job.metrics.get('folds')} folds"
                         + (f", {body}" if body else ""))  # fmt: skip
    return Panel(
        title="Motion: cross-validation",
        headline="; ".join(texts),
        text="Each fold is fitted to the other recordings, and its geometry is carried to those that were held out: "
        "test distances are theirs.",
        tables=(
            Table(
                columns=("job", "fold", "fitted to", "held out", "which", "rms fitted", "rms test", "foretold", "±"),
                units=(None, None, None, None, None, "mm", "mm", "mm", "mm"),
                rows=tuple(
                    (
                        job.name,
                        job.metadata.get("fold"),
                        job.metadata.get("n_train"),
                        job.metadata.get("n_test"),
                        job.metadata.get("held_out"),
                        *(_near(job, name) for name in ("rms_mm", "test_rms_mm")),
                        *_rounded(_number(job, "held_out_mm"), _number(job, "held_out_se_mm")),
                    )
                    for job in jobs
                ),
            ),
        ),
    )


def _drawn(found: Sequence[Candidate]) -> Table:
    """All combinations, the best first, with numbers as they are."""
    names = list(found[0].params)
    return Table(
        columns=(*names, "score", "standard error", "jobs", "least", "chosen"),
        units=(*(None for _ in names), "mm", "mm", None, None, None),
        rows=tuple(
            (*(_scalar(each.params[name]) for name in names), each.mean, each.error, each.jobs, each.best, each.chosen)
            for each in found
        ),
    )


def told_mm(candidate: Candidate) -> str:
    """Score and standard error in words."""
    from batchlab.motion._panel._svg import with_error

    return f"{with_error(candidate.mean, candidate.error)} mm"


def _fits(view: BatchView) -> list[JobView]:
    return [job for job in view.jobs if job.task == _FIT and job.state is Status.DONE]


def _candidates(view: BatchView) -> tuple[list[Candidate], str]:
    """Combinations of options from best to worst, none where no job has a score; and over what their errors are."""
    from batchlab.motion._best import HELD_OUT, find_best
    from batchlab.motion._panel._scores import Candidate

    try:
        choice = find_best(view)
    except ConfigError:
        return [], ""
    fits = [(index, job) for index, job in enumerate(view.jobs) if job.task == _FIT and job.state is Status.DONE]
    # As the choice: a fit of all recordings has seen what folds hold out.
    fits = [(index, job) for index, job in fits if "fold" in job.metadata] or fits
    out = []
    for rank, (params, spread) in enumerate(choice.candidates):
        own = [(index, job) for index, job in fits if all(_is(job, name, value) for name, value in params.items())]
        own = [(index, job) for index, job in own if _number(job, HELD_OUT) is not None]
        out.append(
            Candidate(
                params=params,
                mean=spread.mean,
                error=spread.standard_error,
                href=f"#job-{own[0][0]}",
                jobs=len(own),
                best=rank == 0,
                chosen=dict(params) == dict(choice.params),
            )
        )
    over = choice.rule.rpartition("; errors")
    return out, over[2] if over[1] else ""


def _is(job: JobView, name: str, wanted: Json) -> bool:
    value: Json = job.params
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return repr(job.metadata.get(name)) == repr(wanted)
        value = value[part]
    return repr(value) == repr(wanted)


def _row(job: JobView) -> tuple[Scalar, ...]:
    def percent(name: str) -> float | None:
        value = _number(job, name)
        return None if value is None else round(100.0 * value, 2)

    get = job.metrics.get
    return (
        job.name, str(job.params.get("body", "body")), get("recordings"), get("frames"), _near(job, "rms_mm"),
        _near(job, "median_mm"), _near(job, "chi2_reduced"), percent("missing_share"), percent("inlier_share"),
        get("frames_inferred"), get("loose_markers"), get("swaps"), len(job.warnings),
        *_rounded(_number(job, "held_out_mm"), _number(job, "held_out_se_mm")),
    )  # fmt: skip


def _headline(jobs: Sequence[JobView], *, swept: bool) -> str:
    """What people must know, the worst first: no rigid body, swapped names, loose markers.

    Else how well bodies fit, if all was asked for alike.
    """
    found = [(job, str(job.metrics["loose_markers"]).split(", ")) for job in jobs if job.metrics.get("loose_markers")]
    loose = [f"{_listed(names)} in {_of(job)}" for job, names in found]
    swapped = [_of(job) for job in jobs if job.metrics.get("swaps")]
    apart = [_of(job) for job in jobs if any(NOT_RIGID in words for words in job.warnings)]
    parts = []
    if apart:
        parts.append(f"markers that {NOT_RIGID} in {_listed(apart)}")
    if swapped:
        parts.append(f"swapped names in {_listed(swapped)}")
    if loose:
        parts.append(f"loose markers: {_listed(loose)}")
    if parts:
        return "; ".join(parts)
    rms = [value for job in jobs if (value := _number(job, "rms_mm")) is not None]
    if not rms or swept:
        return ""
    from batchlab.motion._panel._svg import told

    if len(rms) == 1:
        return f"the body fits to {told(rms[0])} mm rms"
    return f"bodies fit to {told(fmean(rms))} mm rms, mean of {len(rms)} fits; the worst to {told(max(rms))} mm"


def _of(job: JobView) -> str:
    """The recording of a job, or the job where there are several."""
    recordings = job.inputs.get("recordings")
    if isinstance(recordings, list) and len(recordings) == 1:
        recordings = recordings[0]
    return Path(recordings).stem if isinstance(recordings, str) else job.name


def _listed(names: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(names))
    more = len(distinct) - _NAMED
    return ", ".join(distinct[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _oddness(job: JobView) -> tuple[int, int, float]:
    """Odd ones first."""
    odd = bool(job.metrics.get("loose_markers")) + bool(job.metrics.get("swaps"))
    return -odd, -min(len(job.warnings), 1), -(_number(job, "rms_mm") or 0.0)


def _output(job: JobView, name: str) -> str | None:
    return next((output.path for output in job.outputs if output.name == name), None)


def _number(job: JobView, name: str) -> float | None:
    value = job.metrics.get(name)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return None


def _near(job: JobView, name: str) -> float | None:
    value = _number(job, name)
    return None if value is None else float(f"{value:.4g}")


def _rounded(value: float | None, error: float | None) -> tuple[float | None, float | None]:
    """A number and its standard error to the two digits that the error has; four where there is none."""
    if value is None or error is None or not (math.isfinite(error) and error > 0):
        return None if value is None else float(f"{value:.4g}"), None
    places = 1 - math.floor(math.log10(float(f"{error:.2g}")))
    return round(value, places), round(error, places)


def _scalar(value: Json) -> Scalar:
    from batchlab.motion._panel._scores import value_of

    return value if isinstance(value, (int, float, str, bool)) else value_of(value)
