"""The batch of a mission: each file read once, limits over all orbits, and each picture a job of its orbit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from batchlab.engine import Batch, Conflict, From, Gather, Input, Job, Json, Limits, Settings
from batchlab.errors import ConfigError
from batchlab.particles._model import COLORMAPS, INSTRUMENTS, PITCH_CATEGORIES, DataFile, Scale, Scales

if TYPE_CHECKING:
    from batchlab.particles._events import Event, Events
    from batchlab.particles._files import Found

__all__ = ["GIVEN", "RAW", "Pictures", "Reading", "Variant", "plot_batch"]

Variant: TypeAlias = Literal["given_extrema", "raw"]
GIVEN: Variant = "given_extrema"
RAW: Variant = "raw"

_LONG_S = 86400.0  # no file of an orbit is longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """Which pictures are drawn of each orbit, and how.

    Attributes
    ----------
    scales
        Pairs of the scales of energy and of colour.
    variants
        With the limits that all orbits share, with those of each picture's own data, or both.
    kinds
        ``pitch-angle``: a grid of the categories of an instrument; ``instruments``: a grid of all instruments;
        ``pitch-spectrogram``: pitch angle against time, by bands of energy; ``energy-cuts``: mean spectra of what is
        marked. The last two have limits of their own alone, and are drawn once for each scale of colour.
    colormap
        One for all; by default `COLORMAPS`.
    suffix
        ``.png``, ``.pdf`` or ``.svg``.
    params
        Further params of `particles.plot`.
    """

    scales: tuple[Scales, ...] = ((Scale.LOG, Scale.LOG),)
    variants: tuple[Variant, ...] = (GIVEN, RAW)
    kinds: tuple[str, ...] = ("pitch-angle", "instruments")
    colormap: str | None = None
    suffix: str = ".png"
    params: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How files are read, and limits settled.

    Attributes
    ----------
    params
        Of `particles.collapse`.
    limits
        Params of `particles.limits`.
    given
        Files of limits, by instrument, to be used instead of settling them.
    data
        ``.nc`` or ``.csv``: what the numbers of each file are written as; None writes none.
    """

    params: Mapping[str, Json] = field(default_factory=dict)
    limits: Mapping[str, Json] = field(default_factory=dict)
    given: Mapping[str, Path] = field(default_factory=dict)
    data: str | None = None


def plot_batch(
    found: Found,
    output: str | Path,
    *,
    name: str = "particles",
    pictures: Pictures | None = None,
    reading: Reading | None = None,
    events: Events | None = None,
    ticks: bool = True,
    instrument_timeout_s: float | None = None,
    orbit_timeout_s: float | None = None,
    memory_bytes: int | None = None,
    settings: Settings | None = None,
    source: str | None = None,
) -> Batch:
    """The batch that reads all files, settles limits and draws all pictures.

    A file is read by one job, ``read/ORBIT/INSTRUMENT``; the limits of an instrument are settled by another,
    ``limits/INSTRUMENT``; each picture is a job. All jobs of an orbit are a group.

    Parameters
    ----------
    found
        The files.
    output
        The folder for everything it makes.
    pictures, reading
        What is drawn and how files are read; by default as their classes say.
    events
        What is marked.
    ticks
        Whether the place of the spacecraft is told below the time, where an orbit file is there.
    instrument_timeout_s
        After which a job that reads or draws is killed.
    orbit_timeout_s
        After which what is left of an orbit is killed: the summed run time of its jobs.
    memory_bytes
        What a job may take.

    Raises
    ------
    ConfigError
        If there is nothing to draw.
    """
    pictures, reading = pictures or Pictures(), reading or Reading()
    if not found.files:
        raise ConfigError("no file of a particle instrument is there; name the folder that holds the CDF files")
    if not (pictures.scales and pictures.variants and pictures.kinds):
        raise ConfigError("no picture is asked for; name a scale, a variant and a kind")
    _check_rows(found, pictures, reading)
    plan = _Plan(found, pictures, reading, events, ticks, Limits(
        timeout_s=instrument_timeout_s, memory_bytes=memory_bytes, group_timeout_s=orbit_timeout_s
    ), _absolute(found), _timed(events))  # fmt: skip
    jobs = tuple(plan.jobs())
    if not any(job.task == "particles.plot" for job in jobs):
        raise ConfigError("these files are of no orbit, so a grid of instruments has nothing to show; add pitch-angle")
    return Batch(
        name=name,
        output=Path(output).absolute(),
        jobs=jobs,
        settings=settings or Settings(conflict=Conflict.OVERWRITE),
        source=source,
    )


def _categories(reading: Reading) -> tuple[str, ...]:
    own: Any = reading.params.get("categories")
    return tuple(each["name"] for each in own) if own else tuple(each.name for each in PITCH_CATEGORIES)


def _check_rows(found: Found, pictures: Pictures, reading: Reading) -> None:
    """Rows are named before the start, not by each picture."""
    known = {*_categories(reading), *(file.instrument for file in found.files), *INSTRUMENTS}
    rows: Any = pictures.params.get("rows", {})
    for name in rows:
        if name not in known:
            near = get_close_matches(name, sorted(known), 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
            raise ConfigError(f"{name!r} is no row: neither a category nor an instrument; {hint}")


@dataclass(frozen=True, slots=True)
class _Plan:
    found: Found
    pictures: Pictures
    reading: Reading
    events: Events | None
    ticks: bool
    limits: Limits
    paths: Mapping[Path, str]  # of files, absolute
    timed: Mapping[int | None, Sequence[tuple[int, Event]]]  # events by orbit, numbered in their order

    def jobs(self) -> Iterator[Job]:
        for file in self.found.files:
            yield self._read(file)
        if GIVEN in self.pictures.variants:
            for instrument in dict.fromkeys(file.instrument for file in self.found.files):
                if instrument not in self.reading.given:
                    yield self._settle(instrument)
        for _, files in _by_orbit(self.found.files):
            for scales in self.pictures.scales:
                for variant in self.pictures.variants:
                    if "pitch-angle" in self.pictures.kinds:
                        for file in files:
                            yield self._plot(scales, variant, (file,), "pitch-angle")
                    if "instruments" in self.pictures.kinds and files[0].orbit is not None:
                        yield self._plot(scales, variant, files, "instruments")
            for file in files:
                if "pitch-spectrogram" in self.pictures.kinds:
                    for z_scale in dict.fromkeys(z for _, z in self.pictures.scales):
                        yield self._plot((Scale.LINEAR, z_scale), RAW, (file,), "pitch-spectrogram")
                if "energy-cuts" in self.pictures.kinds:
                    yield self._plot((Scale.LOG, Scale.LOG), RAW, (file,), "energy-cuts")

    def _read(self, file: DataFile) -> Job:
        outputs = {"sketch": f"_limits/{_place(file)}.npz"}
        if self.reading.data:
            outputs["data"] = f"{_folder(file)}/{_place(file)}{self.reading.data}"
        inputs: dict[str, Input] = {"file": self.paths[file.path]}
        return Job(
            name=f"read/{_label(file)}",
            task="particles.collapse",
            params=self.reading.params,
            inputs={**inputs, **self._track(file, hemisphere_only=True)},
            outputs=outputs,
            limits=self.limits,
            group=_group(file),
            affinity=_group(file),
            metadata=_facts(file),
        )

    def _settle(self, instrument: str) -> Job:
        readers = tuple(f"read/{_label(file)}" for file in self.found.files if file.instrument == instrument)
        return Job(
            name=f"limits/{instrument}",
            task="particles.limits",
            params=self.reading.limits,
            inputs={"sketches": From(jobs=readers, output="sketch", gather=Gather.DONE)},
            outputs={"limits": f"_limits/{instrument}.json"},
            priority=1,
        )

    def _plot(self, scales: Scales, variant: Variant, files: Sequence[DataFile], kind: str) -> Job:
        first = files[0]
        colormap = self.pictures.colormap or COLORMAPS[scales]
        readers = tuple(f"read/{_label(file)}" for file in files)
        marks = self._marks(files)
        inputs: dict[str, Input] = {
            "files": tuple(self.paths[file.path] for file in files),
            "read": From(jobs=readers, output="sketch", gather=Gather.DONE if len(files) > 1 else Gather.ALL),
            **self._track(first, hemisphere_only=not self.ticks),
        }
        if variant == GIVEN:
            inputs |= self._limits_of([file.instrument for file in files])
        look = f"y-{scales[0]}_z-{scales[1]}_{variant}-{colormap}{self.pictures.suffix}"
        stem = _stem(first)
        if kind == "pitch-angle":
            tag = "_cusp" if marks else ""
            picture = f"{stem}{tag}_pitch-angle_{_esa(first)}{look}"
            what = _label(first)
            name = f"plot/{what}/{scales[0]}-{scales[1]}/{variant}"
        elif kind == "instruments":
            picture = f"{stem}_instrument-grid_{_esa(None)}{look}"
            name = f"plot/{stem}/instruments/{scales[0]}-{scales[1]}/{variant}"
        else:
            tail = f"_z-{scales[1]}-{colormap}" if kind == "pitch-spectrogram" else ""
            picture = f"{stem}_{kind}_{_esa(first)}".rstrip("_") + f"{tail}{self.pictures.suffix}"
            name = f"plot/{_label(first)}/{kind}" + (f"/{scales[1]}" if tail else "")
        return Job(
            name=name,
            task="particles.plot",
            params={
                **self.reading.params,
                **self.pictures.params,
                **marks,
                **self._shown_of_all(kind),
                "kind": kind,
                "instruments": [file.instrument for file in files],
                "y_scale": scales[0],
                "z_scale": scales[1],
                "colormap": colormap,
            },
            inputs=inputs,
            outputs={"figure": f"{_folder(first)}/{picture}"},
            limits=self.limits,
            group=_group(first),
            affinity=_group(first),
            metadata={**_facts(first), "variant": variant},
        )

    def _shown_of_all(self, kind: str) -> dict[str, Json]:
        """A grid of instruments shows all directions, or the first of categories of the user's own."""
        names = _categories(self.reading)
        if kind != "instruments" or "category" in self.pictures.params or "all" in names:
            return {}
        return {"category": names[0]}

    def _track(self, file: DataFile, *, hemisphere_only: bool) -> dict[str, Input]:
        if hemisphere_only and not self.reading.params.get("hemisphere"):
            return {}
        path = self.found.orbit_files.get(file.orbit) if file.orbit is not None else None
        return {} if path is None else {"orbit": self.paths[path]}

    def _limits_of(self, instruments: Sequence[str]) -> dict[str, Input]:
        """Limits come from jobs, or from files that are there; of some instruments these, of others those."""
        inputs: dict[str, Input] = {}
        settled = tuple(f"limits/{each}" for each in instruments if each not in self.reading.given)
        there = tuple(str(self.reading.given[each]) for each in instruments if each in self.reading.given)
        if settled:
            inputs["limits"] = From(jobs=settled, output="limits", gather=Gather.DONE)
        if there:
            inputs["limit_files"] = there
        return inputs

    def _marks(self, files: Sequence[DataFile]) -> dict[str, Json]:
        """What is to be marked, of these files alone, so that another orbit's events do not make a picture stale."""
        if self.events is None:
            return {}
        found: dict[str, Json] = {}
        records: dict[str, Json] = {
            file.instrument: list(self.events.records[file.orbit, file.instrument])
            for file in files
            if file.orbit is not None and (file.orbit, file.instrument) in self.events.records
        }
        if records:
            found["mark_records"] = records
            found["mark_label"] = self.events.label
        timed: list[Json] = []
        orbit = files[0].orbit
        near = [*self.timed.get(None, ()), *(self.timed.get(orbit, ()) if orbit is not None else ())]
        for _, event in sorted(near, key=itemgetter(0)):
            ours = [
                file
                for file in files
                if event.instrument in (None, file.instrument) and _near(file, event.mark.start_s, event.mark.end_s)
            ]
            if ours:
                timed.append([event.mark.start_s, event.mark.end_s, event.mark.label, event.instrument])
        if timed:
            found["marks"] = timed
        return found


def _by_orbit(files: Iterable[DataFile]) -> Iterator[tuple[object, tuple[DataFile, ...]]]:
    """Files of an orbit together; each file without one by itself."""
    groups: dict[object, list[DataFile]] = {}
    for file in files:
        groups.setdefault(file.orbit if file.orbit is not None else str(file.path), []).append(file)
    for orbit, members in groups.items():
        yield orbit, tuple(members)


def _absolute(found: Found) -> dict[Path, str]:
    """Each path once: of a mission every picture asks for several."""
    return {path: str(path.absolute()) for path in (*(file.path for file in found.files), *found.orbit_files.values())}


def _timed(events: Events | None) -> dict[int | None, list[tuple[int, Event]]]:
    """Events by the orbit that they are for, so that not every picture has to look at all."""
    found: dict[int | None, list[tuple[int, Event]]] = {}
    for number, event in enumerate(() if events is None else events.timed):
        found.setdefault(event.orbit, []).append((number, event))
    return found


def _near(file: DataFile, start_s: float, end_s: float) -> bool:
    """Whether an event may lie in a file, as far as the file's name tells when it starts."""
    if file.start is None:
        return True
    began = file.start.timestamp()
    # The name tells the middle of the first record.
    return end_s >= began - _LONG_S / 24 and start_s <= began + _LONG_S


def _stem(file: DataFile) -> str:
    return str(file.orbit) if file.orbit is not None else file.path.stem


def _label(file: DataFile) -> str:
    return f"{file.orbit}/{file.instrument}" if file.orbit is not None else file.path.stem


def _place(file: DataFile) -> str:
    return f"{file.orbit}_{file.instrument}" if file.orbit is not None else file.path.stem


def _group(file: DataFile) -> str:
    return f"orbit {file.orbit}" if file.orbit is not None else file.path.stem


def _esa(file: DataFile | None) -> str:
    """``ESA_ees_`` for FAST's electrostatic analysers, nothing for others."""
    if file is None:
        return "ESA_"
    return f"ESA_{file.instrument}_" if file.instrument in INSTRUMENTS else ""


def _folder(file: DataFile) -> str:
    """``year/month/orbit``: by the folders that the file lies in, else by its name, else unknown."""
    year, month = _year_and_month(file)
    return f"{year}/{month}/{_stem(file)}"


def _year_and_month(file: DataFile) -> tuple[str, str]:
    parts = file.path.parts[:-1]
    for at, part in enumerate(parts):
        if len(part) == 4 and part.isdecimal():
            month = next((each for each in parts[at + 1 :] if len(each) == 2 and each.isdecimal()), None)
            if month is not None:
                return part, month
    if file.start is not None:
        return f"{file.start:%Y}", f"{file.start:%m}"
    return "unknown", "unknown"


def _facts(file: DataFile) -> dict[str, Any]:
    facts: dict[str, Any] = {"instrument": file.instrument}
    if file.orbit is not None:
        facts["orbit"] = file.orbit
    return facts
