"""The job that draws one picture of an orbit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator, model_validator

from batchlab.engine import JobContext, Scalar, task
from batchlab.errors import ConfigError, DataError
from batchlab.particles._model import INSTRUMENTS, Limits, Mark, Scale, Spectrogram
from batchlab.particles.tasks._beside import kept_times, kept_track
from batchlab.particles.tasks._reading import LIBRARIES, ReadingParams, digests, kept_spectrogram

if TYPE_CHECKING:
    from batchlab.figures import Picture
    from batchlab.particles._draw import DrawnSpectrograms, Row, SpectrogramSheet
    from batchlab.particles._pitch_spectrogram import PitchSpectrogram

    Shown: TypeAlias = Spectrogram | PitchSpectrogram

__all__ = ["PlotParams", "RowParams", "plot"]

T = TypeVar("T")

_MOST_ZOOMS = 6
_USUAL = ("viridis", "cividis", "plasma", "inferno", "turbo")
_LEAST_CUT_S = 1e-3
_Pixels = Annotated[int, Field(ge=200, le=20000)]


class RowParams(BaseModel):
    """What is asked of one row, whatever the shared limits say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    y_min: FiniteFloat | None = Field(None, description="in eV")
    y_max: FiniteFloat | None = Field(None, description="in eV")
    z_min: FiniteFloat | None = None
    z_max: FiniteFloat | None = None
    label: str | None = Field(None, description="at the row's left end")
    y_label: str | None = Field(None, description="Energy (eV) by default")
    z_label: str | None = Field(None, description="the quantity with its unit by default")

    @model_validator(mode="after")
    def _run_upwards(self) -> RowParams:
        for axis in "yz":
            low, high = getattr(self, f"{axis}_min"), getattr(self, f"{axis}_max")
            if low is not None and high is not None and low >= high:
                raise ValueError(f"{axis}_min is {low:g} and {axis}_max {high:g}; the first must be the smaller")
        return self

    def over(self, limits: Limits) -> Limits:
        """Limits with what this row says in their place."""
        names = ("y_min", "y_max", "z_min", "z_max")
        return Limits(**{name: _first(getattr(self, name), getattr(limits, name)) for name in names})


_NO_WISHES = RowParams.model_validate({})


class PlotParams(ReadingParams):
    """What a picture shows, and how."""

    kind: Literal["pitch-angle", "instruments", "pitch-spectrogram", "energy-cuts"] = Field(
        "pitch-angle",
        description="a row for each category of one file, or for each of several files; pitch angle against time, a "
        "row for each of bands; or mean spectra of what is marked, of all records where nothing is",
    )
    bands: tuple[tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]], ...] | None = Field(
        None, min_length=1, description="pairs of energies in eV, for pitch spectrograms; decades by default"
    )
    step_deg: float | None = Field(
        None, gt=0, le=90, description="width of the bins of pitch spectrograms; the file's own by default"
    )
    instruments: tuple[str, ...] | None = Field(None, description="of the files, in order; by their names by default")
    category: str = Field("all", description="which one a grid of instruments shows")
    y_scale: Scale = Field(Scale.LOG, description="of energy")
    z_scale: Scale = Field(Scale.LOG, description="of colour")
    colormap: str | None = Field(None, description="a name of matplotlib's; by the scales by default")
    rows: dict[str, RowParams] = Field(default_factory=dict, description="by category, or by instrument")
    by_category: bool = Field(False, description="shared limits of each category by itself, not those of all")
    marks: tuple[tuple[FiniteFloat, FiniteFloat, str, str | None], ...] = Field(
        (), description="start and end in seconds since 1970, a label, and the instrument they are for or null"
    )
    mark_records: dict[str, tuple[int, int]] = Field(
        default_factory=dict, description="by instrument: first and last record, counted from 0 as the file has them"
    )
    mark_label: str = Field("cusp", description="of what mark_records names")
    marker: Literal["line", "bracket", "both"] = "both"
    zoom_minutes: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        (6.0,), max_length=_MOST_ZOOMS, description="width of each column around what is marked"
    )
    zoom_each: bool = Field(False, description="a column around each mark, rather than one around all")
    size_px: tuple[_Pixels, _Pixels] | None = Field(
        None, description="width and height; 1200 for each column and 300 for each row by default"
    )

    @field_validator("colormap")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        if name is not None and name not in _USUAL:  # planning loads no matplotlib
            from matplotlib import colormaps

            if name not in colormaps:
                from difflib import get_close_matches

                near = get_close_matches(name, list(colormaps), 1)
                hint = f"did you mean {near[0]}?" if near else "such as viridis, cividis, plasma, inferno or turbo"
                raise ValueError(f"{name!r} is no colour map; {hint}")
        return name


@task(
    name="particles.plot",
    version="1",
    params=PlotParams,
    inputs=("files",),
    optional_inputs=("read", "limits", "limit_files", "orbit"),
    outputs={"figure": "{job}.png"},
    formats={"figure": (".png", ".pdf", ".svg", ".jpg", ".webp")},
    libraries=(*LIBRARIES, "matplotlib"),
    preload=("batchlab.particles._read", "batchlab.particles._draw"),
)
def plot(ctx: JobContext, params: PlotParams) -> Mapping[str, Scalar]:
    """Draw spectrograms: the categories of a file, several instruments of an orbit, pitch angles, or line cuts."""
    from batchlab.particles._draw import draw

    ctx.stage("load")
    spectrograms = _spectrograms(ctx, params)
    if params.kind == "energy-cuts":
        return _cut(ctx, params, spectrograms)
    sheet = _sheet(ctx, params, spectrograms)
    ctx.stage("draw")
    width_px, height_px = params.size_px or (None, None)
    _save(ctx, draw(sheet, width_px=width_px, height_px=height_px))
    metrics: dict[str, Scalar] = {"rows": len(sheet.rows), "marks": len(sheet.marks), "zooms": len(sheet.zooms)}
    for name, spectrogram in spectrograms.items():
        if spectrogram is not None and params.kind == "instruments":
            metrics[f"{name}_records"] = len(spectrogram.times_s)
    return metrics


def _save(ctx: JobContext, drawn: DrawnSpectrograms | Picture) -> None:
    if ctx.wanted("figure"):
        drawn.save(ctx.output("figure"), ctx.provenance)
    thumbnail = ctx.thumbnail()
    if thumbnail is not None:
        thumbnail.write_bytes(drawn.thumbnail())


def _cut(ctx: JobContext, params: PlotParams, spectrograms: Mapping[str, Shown | None]) -> Mapping[str, Scalar]:
    """Mean spectra of each stretch of time that is marked, or of all of it."""
    from batchlab.figures import Picture
    from batchlab.particles._draw import Zoom, energy_cut

    (spectrogram,) = (each for each in spectrograms.values() if isinstance(each, Spectrogram))
    spans = [
        Zoom(start_s=mark.start_s, end_s=max(mark.end_s, mark.start_s + _LEAST_CUT_S), title=mark.label)
        for mark in _marks(ctx, params, spectrograms)
    ]
    if not spans:
        start, end = float(spectrogram.times_s[0, 0]), float(spectrogram.times_s[:, 1].max())
        spans = [Zoom(start_s=start, end_s=end, title="all records")]
    ctx.stage("draw")
    sheet = energy_cut(
        spectrogram, spans, categories=spectrogram.categories, title=_title(ctx, params, tuple(spectrograms))
    )
    _save(ctx, Picture(sheet))
    return {"spans": len(spans), "categories": len(spectrogram.categories)}


def _spectrograms(ctx: JobContext, params: PlotParams) -> dict[str, Shown | None]:
    """By instrument; None where a file could not be read and others can be shown."""
    files = ctx.inputs("files")
    names = params.instruments or tuple(_name_of(file) for file in files)
    if len(names) != len(files):
        raise ConfigError(f"instruments names {len(names)} and there are {len(files)} files; name one for each")
    if params.kind != "instruments":
        if len(files) != 1:
            raise ConfigError(f"{params.kind} is of one file, not of {len(files)}; choose kind instruments")
        if params.kind == "pitch-spectrogram":
            return {names[0]: _by_pitch_angle(params, files[0])}
        return {names[0]: kept_spectrogram(ctx, params, files[0], digests(ctx, "files")[0])}
    readable = _readable(ctx)
    found: dict[str, Shown | None] = {}
    for name, file, digest in zip(names, files, digests(ctx, "files"), strict=True):
        if readable is not None and not {name, file.stem} & readable:
            found[name] = None
            ctx.warn(f"{name} is left empty: {file.name} could not be read")
            continue
        with ctx.item(name):
            found[name] = kept_spectrogram(ctx, params, file, digest)
        found.setdefault(name, None)
    if not any(found.values()):
        raise DataError("no file of this orbit could be read; its jobs read/... tell why")
    return found


def _by_pitch_angle(params: PlotParams, file: Path) -> PitchSpectrogram:
    from batchlab.particles._pitch_spectrogram import ENERGY_BANDS, EnergyBand, read_pitch_spectrogram

    bands: tuple[EnergyBand, ...] = ENERGY_BANDS
    if params.bands is not None:
        bands = tuple(EnergyBand(low_ev=low, high_ev=high) for low, high in params.bands)
    return read_pitch_spectrogram(
        file,
        bands=bands,
        step_deg=params.step_deg,
        quantity=params.quantity,
        quality=params.quality,
        variable=params.variable,
    )


def _readable(ctx: JobContext) -> set[str] | None:
    """Instruments, or stems of files, whose reading is done, as far as other jobs read them."""
    if not ctx.given("read"):
        return None
    return {member.job.rpartition("/")[2] for member in ctx.gathered("read")}


def _sheet(ctx: JobContext, params: PlotParams, spectrograms: Mapping[str, Shown | None]) -> SpectrogramSheet:
    from batchlab.particles._draw import MarkStyle, SpectrogramSheet, Zoom, zoom_around, zoom_each

    limits = _limits(ctx)
    marks = _marks(ctx, params, spectrograms)
    zooms: list[Zoom] = []
    for minutes in params.zoom_minutes:
        zooms += zoom_each(marks, minutes) if params.zoom_each else zoom_around(marks, minutes)
    if len(zooms) > _MOST_ZOOMS:
        ctx.warn(f"{len(zooms)} zooms are too many for one picture; the first {_MOST_ZOOMS} are shown")
        del zooms[_MOST_ZOOMS:]
    return SpectrogramSheet(
        rows=_rows(params, spectrograms, limits),
        title=_title(ctx, params, tuple(spectrograms)),
        zooms=tuple(zooms),
        marks=marks,
        mark_style=MarkStyle(params.marker),
        track=kept_track(ctx) if ctx.given("orbit") else None,
        colormap=params.colormap,
        footer=_footer(ctx, spectrograms),
    )


def _rows(
    params: PlotParams,
    spectrograms: Mapping[str, Shown | None],
    limits: Mapping[str, Mapping[str, Limits]],
) -> tuple[Row, ...]:
    from batchlab.particles._draw import Row
    from batchlab.particles._draw._model import names_of

    rows = []
    for name, spectrogram in spectrograms.items():
        shared = _shared(limits, name, spectrogram)
        wanted: list[tuple[str, str, str | None]]
        if params.kind == "instruments":
            wanted = [(name, params.category, name)]
        else:
            names = () if spectrogram is None else names_of(spectrogram)
            wanted = [(category, category, None) for category in names]
        for key, category, label in wanted:
            # An instrument's wishes hold for its own grid as well, a category's for grids by pitch angle.
            asked = params.rows.get(key, params.rows.get(name, _NO_WISHES))
            own = shared.get(category) if params.by_category else shared.get("all")
            rows.append(
                Row(
                    spectrogram=spectrogram,
                    category=category,
                    label=_first(asked.label, label),
                    limits=asked.over(_first(own, shared.get(category)) or Limits()),
                    y_scale=Scale.LINEAR if params.kind == "pitch-spectrogram" else params.y_scale,
                    z_scale=params.z_scale,
                    y_label=asked.y_label,
                    z_label=asked.z_label,
                    why_empty="could not be read",
                )
            )
    # Params are shared by the pictures of all instruments, so a row of another one is no slip.
    known = {*(row.category for row in rows), *spectrograms, *INSTRUMENTS, *(each.name for each in params.chosen)}
    unknown = sorted(set(params.rows) - known)
    if unknown:
        raise ConfigError(f"rows names {unknown[0]!r}, which is no row; there are {', '.join(sorted(known))}")
    return tuple(rows)


def _shared(limits: Mapping[str, Mapping[str, Limits]], name: str, spectrogram: Shown | None) -> Mapping[str, Limits]:
    """Limits of an instrument by category: they are called by what was read, which other missions call otherwise."""
    if not limits or spectrogram is None:
        return {}
    for known in (name, spectrogram.name):
        if known in limits:
            return limits[known]
    raise ConfigError(
        f"the limits are of {', '.join(sorted(limits))}, and not of {name}; settle limits of its own files"
    )


def _limits(ctx: JobContext) -> dict[str, dict[str, Limits]]:
    """Shared limits by instrument and category; nothing without such an input."""
    import json

    from batchlab.particles._limits import limits_from_json

    paths = [Path(member.outputs["limits"]) for member in ctx.gathered("limits")] if ctx.given("limits") else []
    if ctx.given("limit_files"):
        paths += ctx.inputs("limit_files")
    found = {}
    for path in paths:
        text = path.read_text(encoding="utf-8")
        limits = limits_from_json(text, path.name)
        found[str(json.loads(text)["instrument"])] = limits
    return found


def _marks(ctx: JobContext, params: PlotParams, spectrograms: Mapping[str, Shown | None]) -> tuple[Mark, ...]:
    """Events in time: of record numbers, by the times of the file that they count in."""
    from batchlab.particles._events import marks_of_records

    found = []
    names = params.instruments or tuple(spectrograms)
    for name, file, digest in zip(names, ctx.inputs("files"), digests(ctx, "files"), strict=True):
        if name not in params.mark_records or spectrograms.get(name) is None:
            continue
        mark = marks_of_records(kept_times(file, digest), *params.mark_records[name], label=params.mark_label)
        if mark is None:
            ctx.warn(f"{name}: records {params.mark_records[name]} have no time, so nothing is marked")
            continue
        found.append(mark)
        break  # a grid shows the marks of its first instrument that has any
    shown = [spectrogram for spectrogram in spectrograms.values() if spectrogram is not None]
    start = min(float(each.times_s[0, 0]) for each in shown)
    end = max(float(each.times_s[:, 1].max()) for each in shown)
    for begins, ends, label, instrument in params.marks:
        if instrument in (None, *spectrograms) and ends >= start and begins <= end:
            found.append(Mark(start_s=max(begins, start), end_s=min(ends, end), label=label))
    return tuple(sorted(found))


def _title(ctx: JobContext, params: PlotParams, names: tuple[str, ...]) -> str:
    first = ctx.inputs("files")[0]
    orbit = _orbit_of(first)
    about = f"orbit {orbit}" if orbit is not None else first.stem
    limits = "shared limits" if ctx.given("limits") or ctx.given("limit_files") else "own limits"
    if params.kind == "energy-cuts":
        limits = "mean spectra"
    what = "" if orbit is None else "FAST" if params.kind == "instruments" else f"FAST {names[0]}"
    return ", ".join(part for part in (what, about, limits) if part)


def _footer(ctx: JobContext, spectrograms: Mapping[str, Shown | None]) -> str:
    """What of the data is not shown, where that is more than nothing."""
    told = []
    for name, spectrogram in spectrograms.items():
        if spectrogram is None:
            continue
        dropped = spectrogram.dropped
        left = dropped.invalid + dropped.low_quality
        if left:
            told.append(f"{name}: {left} of {dropped.records} records left out")
    return "; ".join(told)


def _name_of(file: Path) -> str:
    from batchlab.particles._files import data_file

    return data_file(file).instrument


def _orbit_of(file: Path) -> int | None:
    from batchlab.particles._files import data_file

    return data_file(file).orbit


def _first(*values: T | None) -> T | None:
    return next((value for value in values if value is not None), None)
