"""The batch file of plots: YAML to a list of plots, everything checked before the first is drawn.

::

    chip: 67
    chip_group: Alisson
    defaults: {legend_by: irradiated_power}
    plots:
      - {type: plot-its, seq: "52-58", tag: photoresponse}
      - {type: plot-ivg, seq: 2}

Beyond that: ``chip`` may be several, and may stand in an entry; ``runs``, ``procedure``, ``light``, ``wavelength``,
``date``, ``vg``, ``vds`` and ``sample`` choose runs beside or in place of ``seq``; ``sweep`` makes a plot of each
combination of options, ``each`` one of every run, ``together`` one of all chips; ``style`` says how pictures look;
``data`` puts the numbers beside them; ``plugins`` names modules that register plots.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.devices._model import Chip
from batchlab.devices._plot_form import Form, Place
from batchlab.devices._plot_words import (
    plain,
    read_dates,
    read_light,
    read_procedures,
    read_references,
    read_samples,
    read_seq_or_names,
    read_volts,
    read_wavelengths,
    safe,
    tag_of,
)
from batchlab.devices._procedures import load_schema, nearest
from batchlab.devices._selection import Selection
from batchlab.errors import ConfigError, Problem

if TYPE_CHECKING:
    from batchlab.devices.plots import PlotType
    from batchlab.devices.plots._options import PlotOptions
    from batchlab.devices.plots._places import Name
    from batchlab.engine import Json

__all__ = ["BatchPlots", "PlotSpec", "checked", "load_batch_plots", "on_chips"]

_TOP = ("chip", "chip_group", "defaults", "plots", "style", "data", "plugins")
_SELECTORS = ("seq", "runs", "procedure", "light", "wavelength", "date", "vg", "vds", "sample")
_ENTRY = ("type", "chip", "chip_group", "tag", "sweep", "each", "together", "style", "data", *_SELECTORS)
_MOST_SWEPT = 1000


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PlotSpec:
    """One plot that is wanted.

    Attributes
    ----------
    type
        ``plot-its``, ...
    chip
        None for a plot of runs without one.
    selection
        Which runs.
    tag
        Part of its files' names.
    options
        Of the plot, checked, with every default.
    given
        The options that were written, in the entry or as defaults.
    style
        Of its pictures, checked, with every default.
    data
        Whether the numbers are written beside the pictures.
    names
        What its files are called after.
    line
        Where it stands in the file.
    each
        Whether every run has a picture of its own, so that this stands for as many plots as there are runs.
    others
        Further chips in the same picture.
    """

    type: str
    chip: Chip | None
    selection: Selection
    tag: str
    options: Mapping[str, Json]
    given: Mapping[str, Json]
    style: Mapping[str, Json]
    data: bool
    names: tuple[Name, ...]
    line: int
    each: bool = False
    others: tuple[Chip, ...] = ()

    @property
    def chips(self) -> tuple[Chip, ...]:
        """All chips whose runs it shows."""
        return (*(() if self.chip is None else (self.chip,)), *self.others)

    def __repr__(self) -> str:
        return f"<PlotSpec {', '.join(filter(None, self._words))}>"

    def _repr_html_(self) -> str:
        """What is wanted, as a notebook shows it."""
        from batchlab.devices._notebook import page_of, table_of

        rows = [(name, value) for name, value in self.given.items()]
        return page_of(", ".join(filter(None, self._words)), table_of(rows))

    @property
    def _words(self) -> tuple[str, ...]:
        chip = "" if self.chip is None else f" of {self.chip.name}"
        return (f"{self.type}{chip}", str(self.selection), f"tag {self.tag}" if self.tag else "", f"line {self.line}")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BatchPlots:
    """All plots of a file, in its order, and the modules that register kinds of their own."""

    specs: tuple[PlotSpec, ...]
    plugins: tuple[str, ...] = ()
    source: str | None = None

    @property
    def chips(self) -> tuple[Chip, ...]:
        """The chips that are plotted, each once."""
        return tuple(dict.fromkeys(chip for spec in self.specs for chip in spec.chips))

    def __repr__(self) -> str:
        return f"<BatchPlots: {len(self.specs)} plots of {', '.join(chip.name for chip in self.chips) or 'no chip'}>"

    def _repr_html_(self) -> str:
        """The plots, a row for each, as a notebook shows them."""
        from batchlab.devices._notebook import page_of, table_of

        rows = [
            (s.line, s.type, "" if s.chip is None else s.chip.name, str(s.selection), s.tag, ", ".join(s.given))
            for s in self.specs
        ]
        head = ("line", "type", "chip", "runs", "tag", "options given")
        return page_of(f"{len(self.specs)} plots", table_of(rows, head))


def load_batch_plots(path: str | Path) -> BatchPlots:
    """Read and check a file of plots.

    Raises
    ------
    ConfigError
        With everything that is wrong, each with file, line, column and the nearest right word.
    """
    from batchlab.batchfile._yaml import read_yaml

    path = Path(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name a YAML file of plots") from error
    problems: list[Problem] = []
    root = read_yaml(raw, str(path), repeated=problems)
    found = _Reader(Form(str(path), root, problems)).plots()
    if problems:
        raise ConfigError.of(sorted(set(problems), key=lambda each: (each.line or 0, each.column or 0)))
    return found


@dataclass(frozen=True, slots=True)
class _Common:
    """What holds for all entries."""

    chips: tuple[Chip, ...]
    group: str
    style: Mapping[str, Any]
    data: bool
    defaults: Mapping[str, Any]


class _Reader:
    """Turns nodes into plots and notes every slip."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.path = Path(form.file)
        self.root = form.root
        self.problems = form.problems

    def plots(self) -> BatchPlots:
        top = self.form.mapping(self.root.plain(), (), "the file", _TOP)
        plugins = self.plugins(top.get("plugins"))
        group = self.form.text(top, "chip_group", ()) or "Alisson"
        common = _Common(
            chips=self.chips(top["chip"], ("chip",), group) if "chip" in top else (),
            group=group,
            style=self.form.mapping(top.get("style"), ("style",), "style"),
            data=self.form.flag(top, "data", (), False),
            defaults=self.form.mapping(top.get("defaults"), ("defaults",), "defaults"),
        )
        self.style(common.style, ("style",))
        self.defaults(common)
        entries = top.get("plots")
        specs: list[PlotSpec] = []
        if not isinstance(entries, list) or not entries:
            if "plots" in top or all(key in _TOP for key in self.form.keys(self.root)):
                self.form.note(("plots",), "plots: write a list of plots, each with its type and seq")
        else:
            for at, entry in enumerate(entries):
                specs += self.entry(entry, ("plots", at), common)
        self.same_files(specs)
        return BatchPlots(specs=tuple(specs), plugins=plugins, source=str(self.path))

    def plugins(self, value: Any) -> tuple[str, ...]:
        from batchlab.devices.plots import declare

        modules = value if isinstance(value, list) else [] if value is None else [value]
        found = []
        for at, module in enumerate(modules):
            where: Place = ("plugins", at) if isinstance(value, list) else ("plugins",)
            if not isinstance(module, str):
                self.form.note(where, f"plugins: write names of modules, or of .py files, not {module!r:.40}")
                continue
            name = str((self.path.parent / module).resolve()) if module.endswith(".py") else module
            try:
                declare(name)
                found.append(name)
            except ConfigError as error:
                self.form.note(where, f"plugins: {error}")
        return tuple(found)

    def defaults(self, common: _Common) -> None:
        """Whether each default is a word of some plot: it then holds for the plots that know it."""
        from batchlab.devices.plots import plot_type, plot_types

        if not common.defaults:
            return
        words: set[str] = {"style", "data", "each", "together", *_SELECTORS}
        for name in plot_types():
            try:
                words |= _words_of(plot_type(name).options)
            except ConfigError as error:
                self.form.note(("defaults",), str(error))
        for key in common.defaults:
            if key in ("tag", "type", "chip", "chip_group", "sweep"):
                self.form.note(
                    ("defaults", key), f"{key} cannot be a default; write it in the entry or on top", key=True
                )
            elif key in _style_words():
                self.form.note(("defaults", key), _of_style(key, common.defaults[key]), key=True)
            elif key not in words:
                self.form.note(("defaults", key), f"no plot has an option {key!r}{nearest(key, words)}", key=True)
        self.style(
            self.form.mapping(common.defaults.get("style"), ("defaults", "style"), "style"), ("defaults", "style")
        )
        self.form.flag(common.defaults, "data", ("defaults",), False)

    def entry(self, value: Any, at: Place, common: _Common) -> Iterator[PlotSpec]:
        if not isinstance(value, dict):
            self.form.note(at, f"a plot: write keys with values, as in {{type: plot-its, seq: 52}}, not {value!r:.40}")
            return
        kind = self.kind(value, at)
        if kind is None:
            return
        words = _words_of(kind.options)
        for key in value:
            if key not in words and key not in _ENTRY:
                message = f"{kind.name} has no option {key!r}{nearest(key, {*words, *_ENTRY})}"
                if key in _style_words():
                    message = _of_style(key, value[key])
                self.form.note((*at, key), message, key=True)
        merged = {key: default for key, default in common.defaults.items() if key in words or key in _ENTRY}
        selection = self.selection({**merged, **value}, at, kind)
        chips = self.entry_chips(value, at, common, kind)
        written = {key: value[key] for key in value if key in words}
        preset = _preset(written.get("preset"))
        given = {key: merged[key] for key in merged if key in words}
        style = {
            **common.style,
            **_mapping(merged.get("style")),
            **self.form.mapping(value.get("style"), (*at, "style"), "style"),
        }
        shown = self.style(style, (*at, "style"))
        data = self.form.flag({**({"data": common.data}), **merged, **value}, "data", at, False)
        each = self.form.flag({"each": kind.each, **merged, **value}, "each", at, kind.each)
        together = self.form.flag({"together": kind.together, **merged, **value}, "together", at, kind.together)
        if together and kind.unbroken:
            self.form.note(
                self.form.place(at, "together"), f"{kind.name} shows the time of one chip; draw each by itself"
            )
        tag = self.form.text(value, "tag", at)
        combinations = self.sweep(value.get("sweep"), (*at, "sweep"), words, kind)
        for number, combination in enumerate(combinations):
            told = {**_without(given, preset), **preset, **written, **combination}
            options = self.options(kind, told, at, combination)
            if options is None or selection is None or shown is None:
                if number == 0 and options is None and not combination:
                    return
                continue
            suffix = "".join(f"_{key}{plain(each)}" for key, each in combination.items())
            for chip, *others in [chips] if together and chips else [(chip,) for chip in chips]:
                yield PlotSpec(
                    type=kind.name,
                    chip=chip,
                    selection=selection,
                    tag=safe((tag or tag_of(selection)) + suffix),
                    options=options,
                    given={key: each for key, each in told.items() if key in {*given, *written, *combination}},
                    style=shown,
                    data=data,
                    names=kind.names(kind.options.model_validate(options)),
                    line=self.root.locate(at)[0],
                    each=each,
                    others=tuple(other for other in others if other is not None),
                )

    def kind(self, value: Mapping[str, Any], at: Place) -> PlotType | None:
        from batchlab.devices.plots import plot_type, plot_types

        name = value.get("type")
        if name is None:
            near = nearest("type", [key for key in value if key not in _ENTRY]) if "type" not in value else ""
            hint = near if near.startswith("; did") else f": write type: {' or '.join(plot_types()[:3])}, ..."
            self.form.note(at, f"a plot without its type{hint}")
            return None
        try:
            return plot_type(str(name))
        except ConfigError as error:
            self.form.note((*at, "type"), str(error))
            return None

    def entry_chips(
        self, value: Mapping[str, Any], at: Place, common: _Common, kind: PlotType
    ) -> tuple[Chip | None, ...]:
        group = self.form.text(value, "chip_group", at) or common.group
        if "chip" in value:
            return self.chips(value["chip"], (*at, "chip"), group)
        if not on_chips(kind):
            return (None,)
        if not common.chips and "chip" not in self.form.keys(self.root):
            self.form.note(at, f"{kind.name} needs a chip: write chip: 67 on top of the file, or in this entry")
        if "chip_group" in value:
            return tuple(Chip(group, chip.number) for chip in common.chips)
        return common.chips

    def chips(self, value: Any, at: Place, group: str) -> tuple[Chip, ...]:
        found = []
        for number, each in enumerate(value if isinstance(value, list) else [value]):
            where = (*at, number) if isinstance(value, list) else at
            if isinstance(each, bool) or not isinstance(each, int | str) or (isinstance(each, int) and each < 0):
                self.form.note(
                    where, f"chip: write a number such as 67, or Alisson67, or a list of them, not {each!r:.40}"
                )
                continue
            try:
                found.append(Chip.named(str(each).strip(), group=group))
            except ValueError as error:
                self.form.note(where, f"chip: {error}")
        return tuple(dict.fromkeys(found))

    def selection(self, value: Mapping[str, Any], at: Place, kind: PlotType) -> Selection | None:
        """Which runs an entry means; None where nothing is said, or wrongly."""
        before = len(self.problems)
        if not any(value.get(key) is not None for key in _SELECTORS):
            empty = "seq" in value
            near = "" if empty else next((key for key in value if nearest(key, _SELECTORS).startswith("; did")), "")
            if not near or near in _ENTRY:
                where = (*at, "seq") if empty else at
                self.form.note(
                    where, f"{kind.name} without its runs: write seq: 52-58, seq: all, or runs, light, wavelength, date"
                )
            return None
        nothing: tuple[tuple[int, ...], tuple[str, ...]] = ((), ())
        everything = value.get("seq") == "all"
        seqs, names = nothing if everything else self.form.read(value, "seq", at, read_seq_or_names, nothing)
        runs = self.form.read(value, "runs", at, read_references, ())
        made = Selection(
            seqs=seqs,
            runs=tuple(dict.fromkeys((*names, *runs))),
            procedures=self.form.read(
                value, "procedure", at, lambda given: read_procedures(given, kind.name, kind.procedures), ()
            ),
            light=self.form.read(value, "light", at, read_light, None),
            wavelengths_nm=self.form.read(value, "wavelength", at, read_wavelengths, ()),
            dates=self.form.read(value, "date", at, read_dates, ()),
            vg_v=self.form.read(value, "vg", at, read_volts, ()),
            vds_v=self.form.read(value, "vds", at, read_volts, ()),
            samples=self.form.read(value, "sample", at, read_samples, ()),
        )
        return made if len(self.problems) == before else None

    def options(
        self, kind: PlotType, told: Mapping[str, Any], at: Place, swept: Mapping[str, Any]
    ) -> dict[str, Json] | None:
        resolved, problems = checked(kind.name, kind.options, told)
        for path, message, key in problems:
            if path and path[0] in swept:
                self.form.note((*at, "sweep", *path[:1]), message)
            elif not key:  # unknown words were told before, with those of the entry itself
                self.form.note(self.form.place(at, *path), message)
        return resolved

    def style(self, style: Mapping[str, Any], at: Place) -> dict[str, Json] | None:
        from batchlab.devices.plots import Look

        resolved, problems = checked("style", Look, style)
        for path, message, key in problems:
            self.form.note((*at, *path) if self.form.holds((*at, *path[:1])) else at, message, key=key)
        return resolved

    def sweep(self, value: Any, at: Place, words: set[str], kind: PlotType) -> list[dict[str, Any]]:
        lists: dict[str, list[Any]] = {}
        for key, given in self.form.mapping(value, at, "sweep").items():
            if key not in words:
                self.form.note((*at, key), f"{kind.name} has no option {key!r} to sweep{nearest(key, words)}", key=True)
            elif not isinstance(given, list) or not given:
                self.form.note((*at, key), f"sweep: write a list of values of {key}, not {given!r:.40}")
            else:
                lists[key] = given
        made = [dict(zip(lists, values, strict=True)) for values in product(*lists.values())]
        if len(made) > _MOST_SWEPT:
            self.form.note(at, f"sweep: makes {len(made)} plots, more than {_MOST_SWEPT}; sweep less")
            return []
        return made

    def same_files(self, specs: Sequence[PlotSpec]) -> None:
        """Plots that would be written to one file; whether they are of lit or dark runs is not known yet."""
        seen: dict[tuple[object, ...], PlotSpec] = {}
        for spec in specs:
            for name in spec.names:
                key = (spec.chips, name, spec.tag.casefold(), spec.style.get("format"), spec.each)
                first = seen.setdefault(key, spec)
                if first is not spec:
                    where = f"that of line {first.line}" if first.line != spec.line else "another of this entry"
                    what = f"{spec.type} ({spec.tag}) would be the same file as {where}; give it a tag of its own"
                    self.problems.append(Problem(message=what, file=str(self.path), line=spec.line, column=None))
                    break


def checked(
    name: str, model: type[PlotOptions] | type[Any], given: Mapping[str, Any]
) -> tuple[dict[str, Json] | None, list[tuple[Place, str, bool]]]:
    """Options with every default, or what is wrong with them: where, what, and whether the key itself is."""
    from batchlab.engine import Task, check_params

    as_task = Task(
        name=name,
        function=checked,
        version="1",
        params=model,
        inputs=(),
        outputs={},
        libraries=(),
        preload=(),
        summary="",
    )
    resolved, problems = check_params(as_task, given)
    return resolved, [(each.path, each.message.replace("no param", "no option"), each.key) for each in problems]


def _style_words() -> Collection[str]:
    from batchlab.devices.plots import Look

    return Look.model_fields.keys()


def _of_style(key: str, value: Any) -> str:
    return f"{key} is of the style of pictures; write style: {{{key}: {value!s:.40}}}"


def _words_of(options: type[PlotOptions]) -> set[str]:
    """Every word that a kind of plot takes, older ones included."""
    own = getattr(options, "own_words", None)
    older = {*own, "baseline_mode", "baseline_t"} if own is not None else set()
    return {*options.model_fields, *older}


def _preset(word: Any) -> dict[str, Any]:
    from batchlab.devices.plots._options import preset_values

    return {"preset": word, **preset_values(word)} if isinstance(word, str) else {}


def _without(given: Mapping[str, Any], preset: Mapping[str, Any]) -> dict[str, Any]:
    """Defaults that an entry's own preset does not set: what is nearer wins."""
    gone = {"baseline_mode", "baseline_t"} if "baseline" in preset else set()
    return {key: value for key, value in given.items() if key not in preset and key not in gone}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def on_chips(kind: PlotType) -> bool:
    """Whether the runs of a kind of plot are those of a chip."""
    procedures = load_schema().procedures
    return any(name not in procedures or procedures[name].requires_chip for name in kind.procedures)
