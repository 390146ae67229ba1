"""The grammar of batch files of plots, and what is said of slips."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.devices._batch_plots import BatchPlots, load_batch_plots
from batchlab.devices._model import Chip
from batchlab.devices._selection import Selection
from batchlab.devices._seq import read_seq, write_seq
from batchlab.devices._synthetic._script import DOCUMENTED, DOCUMENTED_RUNS, script
from batchlab.devices.plots import plot_type
from batchlab.errors import ConfigError

EXAMPLES = Path(__file__).parents[2] / "examples" / "config" / "batch_plots"


def load(folder: Path, text: str) -> BatchPlots:
    file = folder / "plots.yaml"
    file.write_text(text)
    return load_batch_plots(file)


def slips(folder: Path, text: str) -> list[tuple[int | None, int | None, str]]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    return [(each.line, each.column, each.message) for each in caught.value.problems]


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        (52, (52,)),
        ("52", (52,)),
        ("52-55", (52, 53, 54, 55)),
        ([52, 57], (52, 57)),
        ("52,57,58", (52, 57, 58)),
        ("89-91,95,100-102", (89, 90, 91, 95, 100, 101, 102)),
        ([58, "52-53", 52], (52, 53, 58)),
        (" 4 - 6 , 5 ", (4, 5, 6)),
    ],
)
def test_numbers_of_runs_are_read(value: Any, numbers: tuple[int, ...]) -> None:
    assert read_seq(value) == numbers


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("9-4", "runs down; write 4-9"),
        (0, "begin with 1"),
        ("0-3", "begin with 1"),
        ("a", "'a' is no number"),
        ("4;5", "no number and no range"),
        ([], "holds no number"),
        (True, "True is no number"),
        (4.5, "4.5 is no number"),
        ("1-99999999", "longer than any history"),
    ],
)
def test_numbers_that_cannot_be_are_told(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_seq(value)


@given(st.sets(st.integers(1, 300), min_size=1))
def test_what_is_written_reads_back(numbers: set[int]) -> None:
    assert read_seq(write_seq(numbers)) == tuple(sorted(numbers))


def test_the_documents_form_is_read(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        """---
chip: 67
chip_group: "Alisson"  # Optional, defaults to "Alisson"
defaults:
  legend_by: irradiated_power
plots:
  - type: plot-its
    seq: "52-58"
    tag: "photoresponse"
  - type: plot-transconductance
    seq: 2
    method: savgol
    window: 21
    polyorder: 7
  - type: plot-its
    seq: "4-7"
    legend_by: wavelength
""",
    )
    first, second, third = found.specs
    assert found.chips == (Chip("Alisson", 67),)
    assert (first.type, first.tag, str(first.selection)) == ("plot-its", "photoresponse", "52-58")
    assert first.options["legend_by"] == "power" and third.options["legend_by"] == "wavelength"
    assert (second.tag, second.options["window"], second.options["polyorder"]) == ("seq_2", 21, 7)
    assert third.tag == "seq_4_5_6_7" and third.given == {"legend_by": "wavelength"}
    assert [spec.line for spec in found.specs] == [7, 10, 15]


def test_the_group_is_alisson_unless_given(tmp_path: Path) -> None:
    assert load(tmp_path, "chip: 3\nplots: [{type: plot-ivg, seq: 1}]").chips == (Chip("Alisson", 3),)
    assert load(tmp_path, "chip: 3\nchip_group: Cu\nplots: [{type: plot-ivg, seq: 1}]").chips == (Chip("Cu", 3),)


def test_defaults_hold_for_every_plot_that_knows_them_unless_it_says_otherwise(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        """chip: 67
defaults: {window: 31, baseline: 30.0, light: dark, data: true, style: {dpi: 150, theme: paper}, padding: 0.1}
plots:
  - {type: plot-its, seq: 1}
  - {type: plot-its, seq: 2, baseline: auto, light: any, style: {dpi: 200}, data: false}
  - {type: plot-its, seq: 3, preset: dark}
  - {type: plot-transconductance, seq: 4}
""",
    )
    its, own, preset, gm = found.specs
    assert (its.options["baseline"], its.options["padding"], its.selection.light, its.data) == (30.0, 0.1, False, True)
    assert (its.style["dpi"], its.style["theme"]) == (150, "paper")
    assert (own.options["baseline"], own.selection.light, own.data) == ("auto", None, False)
    assert (own.style["dpi"], own.style["theme"]) == (200, "paper")
    assert preset.options["baseline"] == "none"  # what is nearer wins
    assert gm.options["window"] == 31 and "baseline" not in gm.options


def test_several_chips_on_top_or_in_an_entry(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        """chip: [67, other71]
plots:
  - {type: plot-ivg, seq: 2}
  - {type: plot-ivg, seq: 3, chip: 81}
  - {type: plot-ivg, seq: 4, chip: 71, chip_group: other}
  - {type: plot-laser-calibration, seq: all, wavelength: 455}
""",
    )
    chips = [spec.chip.name if spec.chip else None for spec in found.specs]
    assert chips == ["Alisson67", "other71", "Alisson81", "other71", None]


def test_runs_are_chosen_by_what_was_set(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        """chip: 67
plots:
  - {type: plot-its, light: dark, date: 2025-09-04..2025-09-06}
  - {type: plot-its, seq: 4-9, wavelength: [365, 455 nm], light: light}
  - {type: plot-its, runs: [0123456789abcdef, 2025-09-04#3]}
  - {type: plot-photoresponse, procedure: It, seq: all}
  - {type: plot-ivg, date: [2025-09-04, 2025-10-01]}
  - {type: plot-ivg, seq: "2,8-9, IVg2025-09-04#3 ,0123ab", runs: [2025-09-04#1, 0123ab]}
  - {type: plot-ivg, seq: [2025-09-04#3, 12]}
  - {type: plot-ivg, seq: 2025-09-04#3}
""",
    )
    selections = [spec.selection for spec in found.specs]
    assert selections[0] == Selection(light=False, dates=((date(2025, 9, 4), date(2025, 9, 6)),))
    assert selections[1] == Selection(seqs=(4, 5, 6, 7, 8, 9), wavelengths_nm=(365.0, 455.0), light=True)
    assert selections[2] == Selection(runs=("0123456789abcdef", "2025-09-04#3"))
    assert selections[3] == Selection(procedures=("It",))
    assert selections[4].dates == ((date(2025, 9, 4),) * 2, (date(2025, 10, 1),) * 2)
    assert selections[5] == Selection(seqs=(2, 8, 9), runs=("IVg2025-09-04#3", "0123ab", "2025-09-04#1"))
    assert selections[6] == Selection(seqs=(12,), runs=("2025-09-04#3",))
    assert selections[7] == Selection(runs=("2025-09-04#3",))
    assert [spec.tag for spec in found.specs][:2] == ["dark_2025-09-04..2025-09-06", "4-9_light_365_455_nm"]


@pytest.mark.parametrize(
    ("seq", "words"),
    [
        ("4, 2025-9-4#3", "'2025-9-4#3' is no number and no range"),
        ("[IVg2025-09-04#3, 9-4]", "the range 9-4 runs down; write 4-9"),
        ("[0123ab, true]", "True is no number of a run"),
        ("", "seq"),
        ("[]", "holds no number"),
    ],
)
def test_what_is_neither_number_nor_name_is_told_with_its_line(tmp_path: Path, seq: str, words: str) -> None:
    ((line, _, message),) = slips(tmp_path, f"chip: 67\nplots:\n  - type: plot-ivg\n    seq: {seq}\n")
    assert line == 4 and words in message
    assert ("2025-09-04#3" in message) == ("2025-9-4#3" in seq)  # what a name looks like, where one was meant


def test_a_selection_takes_rows_of_a_history() -> None:
    row = {"seq": 5, "proc": "It", "has_light": True, "wavelength_nm": 455.0, "date_local": "2025-09-05"}
    taking = [
        Selection(),
        Selection(seqs=(4, 5)),
        Selection(procedures=("It",), light=True, wavelengths_nm=(365.0, 455.0)),
        Selection(dates=((date(2025, 9, 5), date(2025, 9, 5)),)),
    ]
    leaving = [
        Selection(seqs=(4,)),
        Selection(procedures=("IVg",)),
        Selection(light=False),
        Selection(wavelengths_nm=(365.0,)),
        Selection(dates=((date(2025, 9, 6), date(2025, 9, 9)),)),
    ]
    assert all(each.takes(row) for each in taking) and not any(each.takes(row) for each in leaving)
    assert not Selection(wavelengths_nm=(365.0,)).takes({**row, "wavelength_nm": None})
    assert Selection(seqs=(4, 5, 9)).missing([row]) == (4, 9)


def test_runs_are_chosen_by_voltages_and_sample(tmp_path: Path) -> None:
    (spec,) = load(
        tmp_path, "chip: 67\nplots:\n  - {type: plot-its, vg: [-3.8, 2 V], vds: 0.1, sample: A, light: light}\n"
    ).specs
    assert spec.selection == Selection(vg_v=(-3.8, 2.0), vds_v=(0.1,), samples=("A",), light=True)
    assert spec.tag == "light_vg-3.8V_vg2V_vds0.1V_sample_A"
    row = {"seq": 1, "proc": "It", "has_light": True, "vg_fixed_v": -3.8004, "vds_v": 0.1, "sample": " a "}
    assert spec.selection.takes(row)
    for other in ({"vg_fixed_v": -3.79}, {"vg_fixed_v": None}, {"vds_v": 0.2}, {"sample": "B"}, {"sample": None}):
        assert not spec.selection.takes({**row, **other}), other
    assert slips(tmp_path, "chip: 67\nplots:\n  - {type: plot-its, vg: gate}\n  - {type: plot-its, sample: ''}\n") == [
        (3, 26, "vg: 'gate' is no voltage; write -3.5, or a list of such, in V"),
        (4, 30, "sample: '' is no sample; write its name, or a list of names"),
    ]


def test_a_picture_of_every_run_is_asked_for_or_of_the_kind(tmp_path: Path) -> None:
    text = """
chip: 67
plots:
  - {type: plot-its, seq: 4-7, each: true}
  - {type: plot-its, seq: 4-7}
  - {type: plot-its-relaxation-batch, seq: 4-7}
"""
    assert [spec.each for spec in load(tmp_path, text).specs] == [True, False, True]
    assert slips(tmp_path, text.replace("true", "often"))[0] == (4, 38, "each: write true or false, not 'often'")


def test_chips_are_in_one_picture_where_asked_for(tmp_path: Path) -> None:
    text = """
chip: [67, 71]
plots:
  - {type: plot-ivg, seq: 2, together: true}
  - {type: plot-ivg, seq: 2}
  - {type: compare-first-ivg, seq: all}
"""
    chips = [tuple(chip.number for chip in spec.chips) for spec in load(tmp_path, text).specs]
    assert chips == [(67, 71), (67,), (71,), (67, 71)]
    sequence = text.replace("plot-ivg, seq: 2, ", "plot-its-sequential, seq: 2-4, ")
    ((line, column, message),) = slips(tmp_path, sequence)
    assert (line, column) == (4, 53)
    assert message == "plot-its-sequential shows the time of one chip; draw each by itself"


def test_a_selection_takes_runs_by_what_their_references_mean() -> None:
    row = {"seq": 5, "run_id": "0123456789abcdef", "proc": "It"}
    assert Selection(seqs=(4,), runs=("012345",)).takes(row, ("0123456789abcdef",))
    assert not Selection(seqs=(4,), runs=("012345",)).takes(row, ())
    assert not Selection(runs=("012345",), procedures=("Vt",)).takes(row, ("0123456789abcdef",))


def test_a_sweep_makes_a_plot_of_each_combination_with_its_own_name(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        """chip: 67
plots:
  - {type: plot-transconductance, seq: 2, tag: gm, sweep: {window: [11, 21], polyorder: [3, 5]}}
""",
    )
    assert [spec.tag for spec in found.specs] == [f"gm_window{w}_polyorder{p}" for w in (11, 21) for p in (3, 5)]
    assert [(spec.options["window"], spec.options["polyorder"]) for spec in found.specs][1] == (11, 5)


def test_a_long_list_of_runs_makes_a_tag_that_fits_a_file_name(tmp_path: Path) -> None:
    specs = load(
        tmp_path,
        "chip: 67\nplots:\n  - {type: plot-ivg, seq: 1-200}\n  - {type: plot-ivg, seq: 1-201}",
    ).specs
    assert all(len(spec.tag) < 130 and spec.tag.startswith("seq_1_2_3") for spec in specs)
    assert specs[0].tag != specs[1].tag


def test_a_tag_cannot_lead_elsewhere(tmp_path: Path) -> None:
    (spec,) = load(tmp_path, 'chip: 67\nplots: [{type: plot-ivg, seq: 1, tag: "../../etc/x y"}]').specs
    assert "/" not in spec.tag and not spec.tag.startswith(".")


def test_all_slips_are_told_at_once_with_place_and_nearest_word(tmp_path: Path) -> None:
    found = slips(
        tmp_path,
        """chip: sixty
chip_grup: A
defaults: {windw: 3, tag: a}
plots:
  - {type: plot-itz, seq: 3}
  - {type: plot-its, seq: "9-4", basline: 3}
  - {type: plot-transconductance, seq: 2, window: 20}
  - {type: plot-its, sek: 3}
  - {seq: 3}
  - {type: plot-its, seq: 3, legend_by: wavelenght}
  - {type: plot-its, light: drak, style: {dpi: 5000, them: x}}
  - {type: plot-transconductance, seq: 2, sweep: {window: [11, 22], metod: [1], polyorder: 3}}
  - {type: plot-its, date: 2025-02-30, wavelength: red, runs: xyz, procedure: IVg}
  - {type: plot-its}
  - plot-its
""",
    )
    expected = [
        (1, 7, "'sixty' is no chip"),
        (2, 1, "did you mean 'chip_group'"),
        (3, 12, "no plot has an option 'windw'; did you mean 'window'"),
        (3, 22, "tag cannot be a default"),
        (5, 12, "did you mean 'plot-its'"),
        (6, 27, "the range 9-4 runs down; write 4-9"),
        (6, 34, "plot-its has no option 'basline'; did you mean 'baseline'"),
        (7, 51, "window 20 is even"),
        (8, 22, "did you mean 'seq'"),
        (9, 5, "a plot without its type"),
        (10, 41, "'wavelenght'; did you mean 'wavelength'"),
        (11, 29, "'drak' is unknown; did you mean 'dark'"),
        (11, 48, "dpi: input should be less than or equal to 1200"),
        (11, 54, "style has no option 'them'; did you mean 'theme'"),
        (12, 59, "window 22 is even"),
        (12, 69, "no option 'metod' to sweep; did you mean 'method'"),
        (12, 92, "write a list of values of polyorder"),
        (13, 28, "'2025-02-30' is no day"),
        (13, 52, "'red' is no wavelength"),
        (13, 63, "'xyz' is no run"),
        (13, 79, "plot-its shows no 'IVg'"),
        (14, 5, "plot-its without its runs"),
        (15, 5, "a plot: write keys with values"),
    ]
    assert [(line, column) for line, column, _ in found] == [(line, column) for line, column, _ in expected]
    for (_, _, message), (_, _, words) in zip(found, expected, strict=True):
        assert words in message


def test_a_slip_among_the_defaults_is_told_where_it_stands(tmp_path: Path) -> None:
    text = "chip: 67\ndefaults: {legend_by: powr}\nplots:\n  - {type: plot-its, seq: 1}\n  - {type: plot-its, seq: 2}\n"
    assert [(line, column) for line, column, _ in slips(tmp_path, text)] == [(2, 23)]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("chip: 67\n", (1, 1), "write a list of plots"),
        ("chip: 67\nplots: []\n", (2, 8), "write a list of plots"),
        ("plots: [{type: plot-ivg, seq: 1}]\n", (1, 9), "needs a chip"),
        ("chip: 67\nplots: [{type: plot-ivg, seq: }]\n", (2, 31), "without its runs"),
        ("chip: true\nplots: [{type: plot-ivg, seq: 1}]\n", (1, 7), "not True"),
        ("chip: 67\nchip: 68\nplots: [{type: plot-ivg, seq: 1}]\n", (2, 1), "stands here again"),
        ("chip: 67\ndata: 3\nplots: [{type: plot-ivg, seq: 1}]\n", (2, 7), "write true or false"),
        ("chip: 67\nplugins: [./none.py]\nplots: [{type: plot-ivg, seq: 1}]\n", (2, 11), "cannot be imported"),
    ],
)
def test_files_that_say_too_little(tmp_path: Path, text: str, place: tuple[int, int], words: str) -> None:
    (line, column, message), *more = slips(tmp_path, text)
    assert (line, column) == place and words in message and not more


def test_two_plots_of_one_file_are_told(tmp_path: Path) -> None:
    text = """chip: 67
plots:
  - {type: plot-its-suite, seq: 1-3, tag: a}
  - {type: plot-its, seq: 4, tag: A}
  - {type: plot-its, seq: 4, tag: A, baseline: none}
"""
    ((line, _, message),) = slips(tmp_path, text)
    assert line == 4 and "the same file as that of line 3" in message


def test_a_plot_of_ones_own_is_named_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from batchlab.devices.plots import _registry as registry
    from tests.devices.test_devices_plots_look import OWN_PLOT

    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    (tmp_path / "clock.py").write_text(OWN_PLOT)
    text = "chip: 67\nplugins: clock.py\nplots: [{type: plot-clock, seq: 1, symbol: o}]"
    found = load(tmp_path, text)
    assert found.plugins == (str(tmp_path / "clock.py"),)
    assert found.specs[0].options["symbol"] == "o"


def test_the_examples_are_sound() -> None:
    large, small = (load_batch_plots(EXAMPLES / name) for name in ("alisson67_plots.yaml", "test_config.yaml"))
    assert len(large.specs) > 30 and len(small.specs) == 5
    assert {spec.type for spec in small.specs} == {
        "plot-its",
        "plot-ivg",
        "plot-transconductance",
        "plot-vvg",
        "plot-vt",
    }
    assert {spec.type for spec in large.specs} >= {"plot-its-sequential", "plot-its-suite", "plot-vts-suite"}
    assert (large.specs[0].type, str(large.specs[0].selection)) == ("plot-ivg", "2")
    assert (large.specs[-1].tag, str(large.specs[-1].selection)) == ("365nm_85_87", "85,87")
    assert all(spec.chip == Chip("Alisson", 67) for spec in (*large.specs, *small.specs))


def test_the_examples_find_their_runs_on_the_synthetic_chip() -> None:
    history = {seq: step.procedure for seq, step in enumerate(script(DOCUMENTED, DOCUMENTED_RUNS), 1)}
    for name in ("alisson67_plots.yaml", "test_config.yaml"):
        for spec in load_batch_plots(EXAMPLES / name).specs:
            kind = plot_type(spec.type)
            assert {history[seq] for seq in spec.selection.seqs} <= set(kind.procedures), spec
            assert not kind.unbroken or not kind.intruders(spec.selection.seqs, history), spec


def test_runs_of_others_between_a_series_are_named() -> None:
    kind = plot_type("plot-its-sequential")
    history = {1: "It", 2: "IVg", 3: "It", 4: "Vt"}
    assert kind.intruders((1, 3), history) == ("seq 2 (IVg)",)
    assert kind.intruders((3, 4), history) == kind.intruders((), history) == ()


def test_checking_a_file_loads_no_drawing() -> None:
    code = (
        "import sys; from batchlab.devices._batch_plots import load_batch_plots;"
        f"load_batch_plots({str(EXAMPLES / 'alisson67_plots.yaml')!r});"
        "print(sorted({'matplotlib', 'scipy', 'polars', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_batch_plots(tmp_path / "none.yaml")
