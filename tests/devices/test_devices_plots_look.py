"""Looks, names of files, kinds of plots from elsewhere, and pictures whose bytes do not change."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from batchlab.devices._model import Chip
from batchlab.devices.plots import (
    Facts,
    Look,
    Name,
    Palette,
    RunFacts,
    Theme,
    declare,
    default_tag,
    light_of,
    picture_path,
    plot_type,
    plot_types,
)
from batchlab.devices.plots import _registry as registry
from batchlab.devices.plots._look import PALETTES
from batchlab.devices.plots._units import amount, unit_for
from batchlab.errors import BatchlabError, ConfigError
from batchlab.figures import Picture, picture_facts, read_provenance
from tests.devices.device_runs import calibration_run, it_run, sweep_run

CHIP = Chip("Alisson", 67)

OWN_PLOT = '''
"""A plot of somebody else."""
from batchlab.devices.plots import Drawn, Name, PlotOptions, Table, only, plot
from batchlab.figures import Plot, Points

class Options(PlotOptions):
    symbol: str = "s"

@plot("plot-clock", procedures=("It",), options=Options, names=lambda options: (Name(procedure="It", kind="clock"),))
def draw(runs, options, look, facts):
    """How long each run took."""
    import numpy as np
    chosen = only(runs, ("It",), "plot-clock")
    lasts = np.array([float(run.columns["t (s)"][-1]) for run in chosen])
    points = Points(x=np.arange(len(chosen)) * 1.0, y=lasts, symbol=options.symbol)
    shown = Plot(marks=(points,), x_limits=(-1, len(chosen)), y_limits=(0, 200), y_label="t (s)")
    return Drawn(sheets=(look.sheet((shown,), "clock"),), tables=(Table(columns={"t (s)": lasts.tolist()}),))
'''


@pytest.mark.parametrize(
    ("name", "chip", "light", "path"),
    [
        (Name(procedure="It", kind="It"), CHIP, True, "Alisson67/It/Light_It/Alisson67_It_a.pdf"),
        (
            Name(procedure="It", kind="It", suffixes=("raw", "G")),
            CHIP,
            False,
            "Alisson67/It/Dark_It/Alisson67_It_a_raw_G.pdf",
        ),
        (Name(procedure="It", kind="It"), CHIP, None, "Alisson67/It/Alisson67_It_a.pdf"),
        (
            Name(procedure="Transconductance", kind="gm_savgol"),
            CHIP,
            False,
            "Alisson67/Transconductance/Dark_Transconductance/Alisson67_gm_savgol_a.pdf",
        ),
        (Name(procedure="CNP", kind="CNP"), CHIP, True, "Alisson67/CNP/Alisson67_CNP_a.pdf"),
        (
            Name(procedure="It", kind="It", folder="relaxation_fits"),
            CHIP,
            True,
            "Alisson67/It/relaxation_fits/Alisson67_It_a.pdf",
        ),
        (
            Name(procedure="LaserCalibration", kind="LaserCalibration"),
            None,
            True,
            "LaserCalibration/LaserCalibration_a.pdf",
        ),
    ],
)
def test_pictures_lie_by_chip_procedure_and_light(name: Name, chip: Chip | None, light: bool | None, path: str) -> None:
    assert picture_path(name, chip, "a", light, "pdf") == path


def test_pictures_of_several_chips_are_called_after_all() -> None:
    name = Name(procedure="IVg", kind="IVg")
    chips = [Chip("Alisson", number) for number in range(60, 75)]
    assert picture_path(name, chips[:3], "a", None, "pdf") == "Alisson60_61_62/IVg/Alisson60_61_62_IVg_a.pdf"
    assert picture_path(name, [CHIP, Chip("Other", 2)], "a", None, "pdf").startswith("Alisson67_Other2/")
    assert picture_path(name, chips, "a", None, "pdf").startswith("Alisson60_and_14_more/")
    assert picture_path(name, [], "a", None, "pdf") == "IVg/IVg_a.pdf"


def test_only_runs_that_agree_have_a_light() -> None:
    assert (light_of([True, True]), light_of([False]), light_of([True, False]), light_of([None])) == (
        True,
        False,
        None,
        None,
    )
    assert default_tag([4, 5, 6]) == "seq_4_5_6"


@pytest.mark.parametrize(
    ("name", "options", "stems"),
    [
        ("plot-its", {}, ["It_t"]),
        ("plot-its", {"baseline": "none", "conductance": True}, ["It_t_raw_G"]),
        ("plot-its", {"preset": "dark"}, ["It_t_raw"]),
        ("plot-ivg", {"conductance": True}, ["IVg_t_G"]),
        ("plot-ivg", {"inverse": True}, ["IVg_t_invG"]),
        ("plot-vvg", {"resistance": True}, ["VVg_t_R"]),
        ("plot-vt", {"resistance": True}, ["Vt_t_R"]),
        ("plot-transconductance", {}, ["gm_savgol_t"]),
        ("plot-transconductance", {"method": "gradient"}, ["gm_t"]),
        ("plot-its-suite", {}, ["It_t", "It_sequential_t", "It_response_power_t"]),
        ("plot-vts-suite", {"photoresponse_x": "time"}, ["Vt_t", "Vt_sequential_t", "Vt_response_time_t"]),
    ],
)
def test_file_names_say_what_was_done(name: str, options: dict[str, Any], stems: list[str]) -> None:
    kind = plot_type(name)
    paths = [picture_path(each, CHIP, "t", None, "pdf") for each in kind.names(kind.options(**options))]
    assert [Path(path).stem.removeprefix("Alisson67_") for path in paths] == stems


def test_every_kind_has_a_summary_options_with_defaults_and_names() -> None:
    assert {"plot-its", "plot-its-sequential", "plot-ivg", "plot-vvg", "plot-vt", "plot-transconductance"} <= set(
        plot_types()
    )
    for name in plot_types():
        kind = plot_type(name)
        assert kind.summary.endswith(".") and kind.procedures and kind.names(kind.options()), name
    with pytest.raises(ConfigError, match="did you mean 'plot-ivg'"):
        plot_type("plot-ivgs")


def test_a_plot_from_elsewhere_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    file = tmp_path / "clock.py"
    file.write_text(OWN_PLOT)
    before = set(sys.modules)
    try:
        declare(file)
        declare(file)
        kind = plot_type("plot-clock")
        assert "plot-clock" in plot_types() and kind.summary == "How long each run took."
        made = kind.draw([it_run(1), it_run(2)], kind.options(), Look(), Facts())
        assert made.tables[0].columns["t (s)"] == pytest.approx([179.9, 179.9])
    finally:
        for name in set(sys.modules) - before:
            del sys.modules[name]


def test_names_that_are_taken_and_files_that_fail_are_told(tmp_path: Path) -> None:
    plot_type("plot-its")
    with pytest.raises(ConfigError, match="'plot-its' is a plot of"):
        registry.plot("plot-its", procedures=("It",), names=lambda options: ())(lambda runs, options, look, facts: None)  # type: ignore[arg-type, return-value]
    broken = tmp_path / "broken.py"
    broken.write_text("import no_such_module_anywhere")
    with pytest.raises(ConfigError, match="ModuleNotFoundError"):
        declare(broken)


def test_units_suit_the_largest_value() -> None:
    for largest, symbol in ((0.0, "A"), (3e-5, "µA"), (9.99e-7, "nA"), (1e-6, "µA"), (2.0, "A"), (5e4, "kA")):
        unit = unit_for([np.array([largest, np.nan, largest / 10])], "A")
        assert unit.symbol == symbol
        assert unit.of(np.array([largest]))[0] == pytest.approx(largest * unit.factor)
    assert [amount(value, "W") for value in (1.234e-5, 4e-9, 0.0)] == ["12.34 µW", "4.00 nW", "0.00 W"]


def test_palettes_are_told_apart_by_every_kind_of_colour_vision() -> None:
    """Distances in CIE Lab after simulation of colour blindness (Machado, Oliveira and Fernandes 2009)."""
    simulated = {
        "normal": np.eye(3),
        "deutan": np.array(
            [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
        ),
        "protan": np.array(
            [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
        ),
        "tritan": np.array(
            [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
        ),
    }
    for palette in Palette:
        rgb = np.array([[int(each[at : at + 2], 16) / 255 for at in (1, 3, 5)] for each in PALETTES[palette]])
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        for vision, matrix in simulated.items():
            colours = lab(np.clip(linear @ matrix.T, 0, 1))
            nearest = min(float(np.linalg.norm(a - b)) for a, b in combinations(colours, 2))
            assert nearest > 12, (palette, vision, nearest)


def lab(linear: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ to_xyz.T / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.column_stack((116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])))


def test_few_curves_have_hues_and_many_an_order() -> None:
    look = Look(palette="vivid")
    assert look.colours(3) == PALETTES[Palette.VIVID][:3]
    many = look.colours(20)
    assert len(set(many)) == 20 and not set(many) & set(PALETTES[Palette.VIVID])


@pytest.mark.parametrize(
    "wrong", [{"dpi": 71}, {"dpi": 1201}, {"format": "gif"}, {"theme": "neon"}, {"legend_alpha": 2}, {"colour": "red"}]
)
def test_looks_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Look(**wrong)


@pytest.mark.parametrize("theme", list(Theme))
def test_themes_are_drawn_at_sane_sizes_and_differ(theme: Theme) -> None:
    kind = plot_type("plot-its")
    look = Look(theme=theme, format="png", dpi=72)
    (sheet,) = kind.draw([it_run(1), it_run(2)], kind.options(), look, Facts()).sheets
    assert 4 <= sheet.size_in[0] <= 12 and 3 <= sheet.size_in[1] <= 7
    assert Picture(sheet).rgba.shape[1] == round(sheet.size_in[0] * 72)
    assert bool(sheet.title) == (theme is not Theme.PAPER)


def test_letters_grid_legend_and_size_follow_the_look() -> None:
    kind = plot_type("plot-its")
    look = Look(
        legend_place="upper left",
        legend_scale=0.7,
        grid=True,
        size_in=(5, 4),
        line_pt=3.0,
        title=False,
        font_weight="bold",
    )
    (sheet,) = kind.draw([it_run(1)], kind.options(), look, Facts()).sheets
    plot = sheet.plots[0]
    assert (plot.legend.place, plot.legend.scale, plot.grid) == ("upper left", 0.7, True)  # type: ignore[union-attr]
    assert (sheet.size_in, sheet.title, sheet.lettering.weight) == ((5.0, 4.0), "", "bold")
    assert {mark.width_pt for mark in plot.marks if hasattr(mark, "width_pt")} == {3.0}


MADE = {
    "It": it_run,
    "Vt": lambda number: it_run(number, procedure="Vt"),
    "IVg": sweep_run,
    "VVg": lambda number: sweep_run(number, procedure="VVg"),
    "LaserCalibration": lambda number: calibration_run(number, 365.0),
}
SPOILT: dict[str, Callable[[str, np.ndarray, bool], np.ndarray]] = {
    "constant": lambda name, values, first: values if first else np.full(values.size, 1e-6),
    "zero": lambda name, values, first: values if first else np.zeros(values.size),
    "no values": lambda name, values, first: values if first else np.full(values.size, np.nan),
    "no places": lambda name, values, first: np.full(values.size, np.nan) if first else values,
    "gaps": lambda name, values, first: np.where(np.arange(values.size) % 7 == 0, np.nan, values),
    "infinite": lambda name, values, first: values if first else np.where(np.arange(values.size) == 3, np.inf, values),
    "two rows": lambda name, values, first: values[:2],
    "no rows": lambda name, values, first: values[:0],
    "huge": lambda name, values, first: values if first else values * 1e30,
    "backwards": lambda name, values, first: values[::-1],
}


@pytest.mark.parametrize("how", [*SPOILT, "nothing known"])
def test_spoilt_runs_are_drawn_or_told_of(how: str) -> None:
    """Never another error than ours, and no warning of numpy's."""
    for name in plot_types():
        kind = plot_type(name)
        for make in (MADE[procedure] for procedure in kind.procedures if procedure in MADE):
            run = make(1)
            if how in SPOILT:
                columns = {key: SPOILT[how](key, run.columns[key], at == 0) for at, key in enumerate(run.columns)}
                spoilt = replace(run, columns=columns)
            else:
                spoilt = replace(run, settings={}, start_utc=None, has_light=None, chip=None)
            runs = [make(2), spoilt, make(3)]
            metrics = {"cnp_voltage": 0.1, "delta_current": 1e-7, "delta_voltage": 0.0}
            facts = Facts(runs={each.run_id: RunFacts(power_w=1e-6, metrics=metrics) for each in runs})
            for chosen in ([spoilt], runs):
                try:
                    made = kind.draw(chosen, kind.options(), Look(), facts)
                except BatchlabError as error:
                    assert str(error)
                else:
                    assert len(made.sheets) == len(kind.names(kind.options()))


SHOWN = {
    "plot-its": [it_run(1), it_run(2)],
    "plot-its-sequential": [it_run(1), it_run(2)],
    "plot-ivg": [sweep_run(1), sweep_run(2)],
    "plot-transconductance": [sweep_run(1)],
    "plot-its-presets": [it_run(1), it_run(2)],
    "plot-ivg-by-sample": [sweep_run(1, sample="A"), sweep_run(2, sample="B")],
    "plot-laser-calibration-comparison": [calibration_run(1, 365.0), calibration_run(2, 455.0)],
    "plot-consecutive-sweep-diff": [sweep_run(1), sweep_run(2, dirac_v=0.9)],
}


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("format", ["png", "pdf", "svg"])
def test_equal_runs_make_equal_bytes_with_their_provenance(name: str, format: str, tmp_path: Path) -> None:
    kind = plot_type(name)
    files = []
    for at in range(2):
        made = kind.draw([replace(run) for run in SHOWN[name]], kind.options(), Look(format=format, dpi=72), Facts())
        files.append(tmp_path / f"{at}.{format}")
        Picture(made.sheets[0]).save(files[-1], {"job": "figures/a"})
    assert files[0].read_bytes() == files[1].read_bytes()
    assert read_provenance(files[0]) == {"job": "figures/a"}
    assert not picture_facts(files[0]).blank
