"""``batchlab devices plot-...``: every kind is drawn, and every option is seen to have its effect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from plot_bench import Bench, Said, call, make_bench, pixels, quiet_state

import batchlab.engine
from batchlab.devices._enrich import read_enriched
from batchlab.devices._history import history_of
from batchlab.devices._model import Chip
from batchlab.devices._store import Store
from batchlab.devices._synthetic import Lab
from batchlab.devices.cli._plots import command_of
from batchlab.devices.plots import plot_type
from batchlab.figures import picture_facts

VG = -3.8  # a gate voltage that some runs have, within 0.05 V
PNG = ("--format", "png", "--dpi", "72")

# Runs that each kind is shown with.
CHOSEN: dict[str, tuple[str, ...]] = {
    "plot-its": ("67", "--seq", "10-13"),
    "plot-its-sequential": ("67", "--seq", "10-13"),
    "plot-its-suite": ("67", "--seq", "10-13"),
    "plot-its-photoresponse": ("67", "--seq", "4-7,10-13"),
    "plot-its-presets": ("67", "--seq", "10-13"),
    "plot-its-relaxation": ("67", "--seq", "10-13"),
    "plot-its-relaxation-batch": ("67", "--seq", "10"),
    "plot-ivg": ("67", "--seq", "2,8"),
    "plot-ivg-by-sample": ("67", "--seq", "2,8"),
    "compare-first-ivg": ("67,71", "--auto"),
    "plot-vvg": ("67", "--seq", "20,25"),
    "plot-transconductance": ("67", "--seq", "2,8"),
    "plot-vt": ("67", "--seq", "21-24"),
    "plot-vt-sequential": ("67", "--seq", "21-24"),
    "plot-vt-presets": ("67", "--seq", "21-24"),
    "plot-vts-suite": ("67", "--seq", "21-24"),
    "plot-cnp-time": ("67", "--auto"),
    "plot-photoresponse": ("67", "--seq", "4-7,10-13"),
    "plot-consecutive-sweep-diff": ("67", "--seq", "2,8"),
    "plot-laser-calibration": ("--auto",),
    "plot-laser-calibration-comparison": ("--auto",),
}

# A value of each option that shows, and what else it needs to.
WORDS: dict[str, tuple[str, ...]] = {
    "padding": ("--padding", "0.4"),
    "preset": ("--preset", "dark"),
    "legend_by": ("--legend", "datetime"),
    "baseline": ("--baseline", "none"),
    "baseline_auto_divisor": ("--baseline", "auto", "--baseline-auto-divisor", "8"),
    "start": ("--start", "40"),
    "absolute": ("--absolute",),
    "conductance": ("--conductance",),
    "resistance": ("--resistance",),
    "gaps": ("--gaps", "none"),
    "photoresponse_x": ("--photoresponse-x", "gate_voltage"),
    "filter_wavelength": ("--filter-wavelength", "999"),
    "filter_vg": ("--filter-vg", "99"),
    "filter_power_range": ("--filter-power-range", "0,1e-20"),
    "axtype": ("--axtype", "loglog"),
    "metric": ("--metric", "delta_i_corrected"),
    "phase": ("--phase", "light"),
    "layout": ("--layout", "overlay"),
    "first": ("--first",),
    "show_cnp": ("--show-cnp",),
    "inverse": ("--inverse",),
    "method": ("--method", "gradient"),
    "window": ("--window", "41"),
    "polyorder": ("--polyorder", "2"),
    "quality": ("--quality", "low"),
    "show_raw": ("--no-show-raw",),
    "show_hysteresis": ("--no-show-hysteresis",),
    "min_overlap": ("--min-overlap", "100"),
}
CASES = [(kind, option) for kind in CHOSEN for option in plot_type(kind).options.model_fields]
OTHERWISE = {("plot-consecutive-sweep-diff", "resistance"): ("--no-resistance",)}
# What is said where the effect is that nothing can be drawn.
REFUSED = {
    "metric": "is not known",
    "min_overlap": "share",
    **dict.fromkeys(("filter_wavelength", "filter_vg", "filter_power_range"), "that is known and asked for"),
}


@pytest.fixture(scope="module", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with quiet_state(tmp_path_factory.mktemp("state")):
        yield


@pytest.fixture(scope="module")
def bench(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Shared by all: each test draws under a tag, or into a folder, of its own."""
    return make_bench(lab, tmp_path_factory.mktemp("staged") / "a")


@pytest.fixture(scope="module")
def plain(bench: Bench) -> dict[str, list[Path]]:
    """The pictures of each kind without any option."""
    found = {}
    for kind, chosen in CHOSEN.items():
        said = bench.call(kind, *chosen, *PNG, "--tag", f"plain_{kind}")
        assert said.code == 0, said.err
        found[kind] = drawn(said)
    return found


def drawn(said: Said) -> list[Path]:
    return [Path(line).absolute() for line in said.lines if line.endswith((".png", ".pdf", ".svg", ".jpg"))]


def named(path: Path, tag: str) -> str:
    return path.name.replace(f"_{tag}", "")


@pytest.mark.parametrize("kind", CHOSEN)
def test_every_kind_is_drawn(plain: dict[str, list[Path]], kind: str) -> None:
    names = plot_type(kind).names(plot_type(kind).options())
    assert len(plain[kind]) == len(names)
    assert not any(picture_facts(path).blank for path in plain[kind])


@pytest.mark.parametrize(("kind", "option"), CASES)
def test_every_option_of_every_kind_has_its_effect(
    bench: Bench, plain: dict[str, list[Path]], kind: str, option: str
) -> None:
    tag = f"{kind}_{option}"
    words = OTHERWISE.get((kind, option), WORDS[option])
    said = bench.call(kind, *CHOSEN[kind], *PNG, "--tag", tag, *words)
    if option in REFUSED:
        assert said.code == 1
        assert REFUSED[option] in said.err
        return
    assert said.code == 0, said.err
    pairs = list(zip(sorted(drawn(said)), sorted(plain[kind]), strict=True))
    assert any(pixels(one).shape != pixels(two).shape or (pixels(one) != pixels(two)).any() for one, two in pairs), (
        f"{words} changes nothing"
    )


@pytest.mark.parametrize(
    ("words", "keeps"),
    [
        (("--filter-wavelength", "405"), lambda row: row["wavelength_nm"] == 405),
        (("--filter-vg", "VG"), lambda row: abs(row["vg_fixed_v"] - VG) <= 0.05),
        (("--filter-power-range", "4e-6,9e-6"), lambda row: 4e-6 <= row["irradiated_power_w"] <= 9e-6),
    ],
)
def test_filters_of_responses_keep_what_they_name(
    bench: Bench, words: tuple[str, str], keeps: Callable[[dict[str, Any]], bool]
) -> None:
    rows = read_enriched(bench.data / "03_derived" / "chip_histories_enriched", "Alisson67").table.to_dicts()
    lit = [row for row in rows if row["proc"] == "It" and row["has_light"] and row["irradiated_power_w"] is not None]
    expected = {row["run_id"] for row in lit if keeps(row)}
    tag = f"kept{words[0]}"
    words = (words[0], words[1].replace("VG", str(VG)))
    said = bench.call("plot-photoresponse", "67", "--auto", "--procedure", "It", "--data", "--tag", tag, *words)
    assert said.code == 0, said.err
    lines = bench.only(f"*{tag}.csv").read_text().splitlines()[1:]
    assert {line.split(",")[0] for line in lines} == expected
    assert 0 < len(expected) < len(lit)


@pytest.mark.parametrize("kind", CHOSEN)
def test_help_tells_of_every_option(kind: str) -> None:
    said = call("devices", kind, "--help")
    assert said.code == 0
    for field in plot_type(kind).options.model_fields:
        assert (f"--{field.replace('_', '-')}" in said.out) or field == "legend_by"
    for common in ("--seq", "--auto", "--tag", "--output", "--preview", "--dry-run", "--theme", "--format", "--dpi"):
        assert common in said.out
    for common in ("--vg", "--vds", "--wavelength", "--date", "--light", "--run", "--sample", "--data", "--each"):
        assert common in said.out
    for common in ("--timeout", "--retries", "--style", "--palette", "--overwrite", "--fresh"):
        assert common in said.out
    assert ("--group" in said.out) == ("calibration" not in kind)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("--seq", "10-13"), 4),
        (("--auto",), None),
        (("--seq", "all"), None),
        (("--auto", "--wavelength", "405"), None),
        (("--auto", "--light", "dark"), None),
        (("--auto", "--date", "2025-09-04"), None),
        (("--auto", "--date", "2025-09-04..2025-09-05"), None),
        (("--wavelength", "405nm"), None),
        (("--seq", "10-13", "--vds", "0.1"), 4),
    ],
)
def test_filters_choose_the_runs_that_a_preview_lists(bench: Bench, words: tuple[str, ...], shown: int | None) -> None:
    store = Store(bench.store)
    rows = history_of(store.table, Chip("Alisson", 67), timezone=store.timezone).to_dicts()
    kept = [row for row in rows if row["proc"] == "It" and _asked_for(row, words)]
    said = bench.call("plot-its", "67", *words, "--preview")
    assert said.code == 0, said.err
    assert said.lines[0] == f"{len(kept)} runs:"
    assert [line.split()[:2] for line in said.lines[1:-1]] == [[str(row["seq"]), row["run_id"]] for row in kept]
    assert shown in (None, len(kept)) and kept


def _asked_for(row: dict[str, object], words: tuple[str, ...]) -> bool:
    seq, nm, day = row["seq"], row["wavelength_nm"], str(row["date_local"])
    given = dict(pairwise(words))
    return (
        ("10-13" not in words or seq in (10, 11, 12, 13))
        and ("--wavelength" not in given or nm == 405)
        and ("--light" not in given or row["has_light"] is False)
        and ("--date" not in given or day in ("2025-09-04", "2025-09-05")[: 1 + (".." in given["--date"])])
    )


def test_gate_voltages_filter_and_name_the_picture(bench: Bench) -> None:
    rows = bench.call("plot-its", "67", "--seq", "4-13", "--preview").lines
    assert len(rows) > 6
    none = bench.call("plot-its", "67", "--auto", "--vg", "77")
    assert none.code == 1
    assert "no experiments found" in none.err
    said = bench.call("plot-its", "67", "--auto", "--vds", "0.1", "--preview")
    assert said.lines[-1].endswith("Alisson67_It_vds0.1V.pdf")


def test_a_run_by_its_id_or_its_day(bench: Bench) -> None:
    by_seq = bench.call("plot-ivg", "67", "--seq", "2", "--preview").lines[1].split()
    by_id = bench.call("plot-ivg", "67", "--run", by_seq[1][:8], "--preview").lines[1].split()
    assert by_id == by_seq


@pytest.mark.parametrize("format", ["pdf", "png", "svg", "jpg"])
def test_formats(bench: Bench, format: str) -> None:
    said = bench.call("plot-ivg", "67", "--seq", "2", "--format", format, "--dpi", "72", "--tag", f"format_{format}")
    (path,) = drawn(said)
    assert picture_facts(path).format == format == path.suffix[1:]


def test_dpi_theme_and_palette(bench: Bench) -> None:
    def picture(tag: str, *words: str) -> Path:
        (path,) = drawn(bench.call("plot-ivg", "67", "--seq", "2,8", "--format", "png", "--tag", tag, *words))
        return path

    small, large = picture("dpi72", "--dpi", "72"), picture("dpi144", "--dpi", "144")
    assert picture_facts(large).width == pytest.approx(2 * picture_facts(small).width, abs=2)
    assert pixels(picture("paper", "--dpi", "72", "--theme", "paper")).shape != pixels(small).shape
    vivid = pixels(picture("vivid", "--dpi", "72", "--palette", "vivid"))
    assert vivid.shape == pixels(small).shape
    assert (vivid != pixels(small)).any()


@pytest.mark.parametrize(
    "word",
    [
        "font_weight=bold",
        "size_in=5,4",
        "line_pt=4",
        "legend_place=upper left",
        "legend_scale=0.5",
        "grid=yes",
        "title=no",
    ],
)
def test_the_rest_of_the_look_is_told_by_name(bench: Bench, plain: dict[str, list[Path]], word: str) -> None:
    tag = word.partition("=")[0]
    (path,) = drawn(bench.call("plot-ivg", *CHOSEN["plot-ivg"], *PNG, "--tag", f"style_{tag}", "--style", word))
    (before,) = plain["plot-ivg"]
    assert pixels(path).shape != pixels(before).shape or (pixels(path) != pixels(before)).any()


def test_every_run_of_a_single_command_has_a_picture_of_its_own(bench: Bench) -> None:
    said = bench.call("plot-its", "67", "--seq", "10-12", "--each", *PNG, "--tag", "own")
    assert [path.name for path in drawn(said)] == [f"Alisson67_It_own_seq_{seq}.png" for seq in (10, 11, 12)]


def test_a_single_plot_that_takes_too_long_is_ended(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    run = batchlab.engine.run

    def watched(batch: Any, **how: Any) -> Any:
        seen.append((batch.jobs[0].limits.timeout_s, batch.settings.retries, how["executor"]))
        return run(batch, **how)

    monkeypatch.setattr(batchlab.engine, "run", watched)
    words = ("67", "--seq", "2", "--tag", "limited", *PNG)
    said = bench.call("plot-ivg", *words, "--timeout", "0.001 s", "--retries", "0")
    assert said.code == 1
    assert "timed out" in said.err or "0.001" in said.err
    said = bench.call("plot-ivg", *words, "--timeout", "2 min", "--retries", "1")
    assert said.code == 0, said.err
    bench.call("plot-ivg", *words, "--fresh")
    assert [(limit, retries) for limit, retries, _ in seen] == [(0.001, 0), (120.0, 1), (None, 2)]
    assert [executor is None for *_, executor in seen] == [True, True, False]  # in a process that can be stopped


def test_chips_in_one_picture(bench: Bench) -> None:
    chips = [chip for chip in Store(bench.store).table["chip_name"].unique().sort().to_list() if chip]
    assert len(chips) == 3
    said = bench.call("plot-ivg", ",".join(chips), "--auto", "--light", "dark", "--together", *PNG, "--data")
    (path,) = drawn(said)
    numbers = [chip.removeprefix("Alisson") for chip in chips]
    assert path.name == f"Alisson{'_'.join(numbers)}_IVg_dark.png"
    labels = {line.split(",")[2].strip('"') for line in path.with_suffix(".csv").read_text().splitlines()[1:]}
    assert labels == set(chips)
    assert "No such option" in bench.call("plot-its-sequential", "67,71", "--auto", "--together").err


def test_first_sweeps_of_chips_are_those_measured_first(bench: Bench) -> None:
    said = bench.call("compare-first-ivg", "67,71", "--auto", "--data", "--tag", "first", *PNG)
    (path,) = drawn(said)
    assert path.name == "Alisson67_71_first_IVg_first.png"
    store = Store(bench.store)
    expected = set()
    for number in (67, 71):
        rows = history_of(store.table, Chip("Alisson", number), timezone=store.timezone).to_dicts()
        samples = {row["sample"]: row["run_id"] for row in reversed(rows) if row["proc"] == "IVg"}
        expected |= set(samples.values())
    shown = {line.split(",")[0] for line in path.with_suffix(".csv").read_text().splitlines()[1:]}
    assert shown == expected


def test_a_chip_without_such_runs_leaves_the_others(bench: Bench) -> None:
    said = bench.call("plot-ivg", "67,400", "--seq", "2", "--together", "--tag", "with_nobody", *PNG)
    assert said.code == 0, said.err
    assert "warning:" in said.err and "Alisson400" in said.err
    said = bench.call("plot-ivg", "400,401", "--seq", "2", "--together")
    assert said.code == 1
    assert "Alisson401" in said.err


def test_numbers_beside_a_picture(bench: Bench) -> None:
    said = bench.call("plot-ivg", "67", "--seq", "2", "--data", "--tag", "numbers")
    path = bench.only("Alisson67_IVg_numbers.csv")
    assert path.read_text().startswith("run_id,")
    assert any(line.endswith("Alisson67_IVg_numbers.csv") for line in said.lines)


def test_a_dry_run_says_where_and_why_and_draws_nothing(bench: Bench) -> None:
    words = ("67", "--seq", "3", "--tag", "dry")
    said = bench.call("plot-vvg", *words, "--dry-run")
    assert said.code == 0
    assert said.lines[0].endswith("]") and "Alisson67_VVg_dry.pdf  [run: new" in said.lines[0]
    assert not bench.made("*_dry.pdf")
    bench.call("plot-vvg", *words)
    assert "[skip: done before" in bench.call("plot-vvg", *words, "--dry-run").out
    assert "[run: asked for anew" in bench.call("plot-vvg", *words, "--dry-run", "--fresh").out


def test_what_is_drawn_is_not_drawn_again_unless_asked(bench: Bench) -> None:
    words = ("67", "--seq", "3", "--tag", "twice")
    assert "✓ plot-vvg" in bench.call("plot-vvg", *words).out
    again = bench.call("plot-vvg", *words)
    assert again.code == 0
    assert "✓" not in again.out and "drawn before" in again.out
    assert "✓ plot-vvg" in bench.call("plot-vvg", *words, "--fresh").out


def test_files_of_others_stay_unless_told(bench: Bench) -> None:
    foreign = bench.figs / "Alisson67" / "VVg" / "Dark_VVg" / "Alisson67_VVg_foreign.pdf"
    foreign.parent.mkdir(parents=True, exist_ok=True)
    foreign.write_text("mine")
    words = ("67", "--seq", "3", "--tag", "foreign")
    assert bench.call("plot-vvg", *words).code == 1
    assert foreign.read_text() == "mine"
    assert bench.call("plot-vvg", *words, "--overwrite").code == 0
    assert foreign.read_bytes().startswith(b"%PDF")


def test_chips_by_number_name_group_and_several(bench: Bench) -> None:
    by_number = bench.call("plot-ivg", "67", "--seq", "2", "--preview").lines
    assert bench.call("plot-ivg", "Alisson67", "--seq", "2", "--preview").lines == by_number
    both = bench.call("plot-ivg", "67,81", "--light", "dark", "--preview").lines
    assert sum(line.endswith(".pdf") for line in both) == 2
    other = bench.call("plot-ivg", "67", "-g", "other", "--auto")
    assert other.code == 1
    assert "other67" in other.err and "did you mean Alisson67" in other.err


def test_one_procedure_of_several(bench: Bench) -> None:
    lines = bench.call("plot-cnp-time", "67", "--auto", "--procedure", "VVg", "--preview").lines
    assert {line.split()[2] for line in lines[1:-1]} == {"VVg"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("plot-its", "67"), "which runs? --seq 52-58, --auto"),
        (("plot-its", "67", "--seq", "4", "--auto"), "give one"),
        (("plot-its", "67", "--seq", "9-4"), "runs down; write 4-9"),
        (("plot-its", "wafer", "--auto"), "'wafer' is no chip"),
        (("plot-its", "67", "--auto", "--date", "yesterday"), "is no day"),
        (("plot-its", "67", "--auto", "--run", "x"), "is no run"),
        (("plot-its", "67", "--auto", "--wavelength", "blue"), "is no wavelength"),
        (("plot-its", "67", "--seq", "4", "--legend", "wavelenth"), "did you mean 'wavelength'"),
        (("plot-its", "67", "--seq", "4", "--dpi", "5"), "dpi"),
        (("plot-its", "67", "--seq", "4", "--preset", "darkness"), "is not one of"),
        (("plot-its", "67", "--seq", "4", "--style", "grid"), "write a name and a value"),
        (("plot-its", "67", "--seq", "4", "--style", "gird=yes"), "did you mean 'grid'"),
        (("plot-its", "67", "--seq", "4", "--timeout", "soon"), "soon"),
        (("plot-its", "67", "--auto", "--vg", "low"), "is no voltage"),
        (("plot-transconductance", "67", "--seq", "2", "--window", "20"), "write 19 or 21"),
        (("plot-its", "--auto"), "Missing argument 'CHIP'"),
        (("plot-its", "67", "--seq", "4", "--basline", "3"), "No such option"),
    ],
)
def test_wrong_words_are_usage_with_the_mend(bench: Bench, words: tuple[str, ...], message: str) -> None:
    said = bench.call(*words)
    assert said.code == 2
    assert message in said.err


def test_plots_of_derived_values_refuse_without_them(lab: Lab, tmp_path: Path) -> None:
    bench = make_bench(lab, tmp_path / "bare", enriched=False)
    for kind in ("plot-cnp-time", "plot-photoresponse"):
        said = bench.call(kind, "67", "--auto")
        assert said.code == 1
        assert "batchlab devices enrich-history 67" in said.err
    assert not bench.figs.exists()
    said = bench.call("plot-its", "67", "--seq", "10-13", "--data", *PNG)
    assert said.code == 0  # by LED volts
    assert "LED volts tell its runs apart" in said.err
    assert " V," in bench.only("*.csv").read_text()


def test_a_single_plot_starts_no_processes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a pool was started")

    monkeypatch.setattr(batchlab.engine._run, "LocalPool", partial(refuse))
    assert bench.call("plot-vvg", "67", "--seq", "3", "--tag", "alone").code == 0


def test_folders_may_lie_elsewhere(bench: Bench, tmp_path: Path) -> None:
    words = ("--stage-root", bench.store, "--derived-root", bench.data / "03_derived", "-o", tmp_path, *PNG)
    said = call("devices", "plot-cnp-time", "67", "--auto", "--base-dir", tmp_path / "none", *words)
    assert said.code == 0, said.err
    assert (tmp_path / "Alisson67" / "CNP" / "Alisson67_CNP_all.png").is_file()


def test_warnings_are_told(bench: Bench) -> None:
    said = bench.call("plot-ivg", "67", "--seq", "2,900", "--tag", "missing")
    assert said.code == 0
    assert "warning: Alisson67 has no run with seq 900" in said.err


def test_a_command_is_made_once() -> None:
    assert command_of("plot-its") is command_of("plot-its")
