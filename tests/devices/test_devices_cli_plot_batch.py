"""``batchlab devices batch-plot``: its words, its exit codes, and what it leaves alone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from plot_bench import EXAMPLES, Bench, call, make_bench, quiet_state

from batchlab.devices._history import histories
from batchlab.devices._stage import stage
from batchlab.devices._store import Store
from batchlab.devices._synthetic import Lab
from batchlab.devices.cli._plot_lines import summary_lines
from batchlab.devices.cli._plot_run import choose_workers
from batchlab.engine import BatchState, RunResult, Status

TWO = """
chip: 67
plots:
  - {type: plot-ivg, seq: 2}
  - {type: plot-its, seq: 4-7, tag: dark_and_light}
"""


@pytest.fixture(scope="module", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with quiet_state(tmp_path_factory.mktemp("state")):
        yield


@pytest.fixture(scope="module")
def staged(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return make_bench(lab, tmp_path_factory.mktemp("staged") / "a")


@pytest.fixture
def bench(staged: Bench, tmp_path: Path) -> Bench:
    return staged.copy(tmp_path / "b")


def test_the_small_example_in_the_documented_words(bench: Bench) -> None:
    said = bench.call("batch-plot", EXAMPLES / "test_config.yaml", "--no-report")
    assert (said.code, said.err) == (0, "")
    lines = said.lines
    assert lines[0] == "✓ Loaded 5 plot specifications for Alisson67"
    assert re.fullmatch(r"Execution mode: (Sequential|Parallel)", lines[1])
    assert re.fullmatch(r"Workers: \d+", lines[2])
    assert lines[3:5] == ["Caching: Enabled (automatic)", ""]
    ticks = [line for line in lines if line.startswith("✓ plot-")]
    assert sorted(tick.split(" ")[1] for tick in ticks) == [
        "plot-its",
        "plot-ivg",
        "plot-transconductance",
        "plot-vt",
        "plot-vvg",
    ]
    assert all(re.match(r"✓ plot-[a-z]+ \(\d+\.\ds\)", tick) for tick in ticks)
    assert re.fullmatch(r"Total: 5 plots, \d+\.\ds( \(\d+\.\dx speedup\))?", lines[-1])
    summary = dict(re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in lines if line.startswith("  "))
    assert (summary["entries"], summary["files"], summary["successes"], summary["failures"]) == ("5", "5", "5", "0")
    assert re.fullmatch(r"\d+ hits, \d+ misses \(\d+\.\d%\)", summary["cache"])


def test_a_dry_run_lists_and_writes_nothing(bench: Bench) -> None:
    said = bench.call("batch-plot", EXAMPLES / "alisson67_plots.yaml", "--dry-run")
    assert said.code == 0
    lines = said.lines
    assert lines[:2] == ["DRY RUN - Plots that would be generated:", ""]
    assert lines[2] == "  1. plot-ivg                chip=67 seq=2"
    assert "  3. plot-transconductance   chip=67 seq=2" in lines
    assert " 12. plot-its                chip=67 seq=4-7       (405nm_neg_gate)" in lines
    assert " 35. plot-its                chip=67 seq=85,87     (365nm_85_87)" in lines
    assert lines[-2:] == ["", "Total: 35 plots"]
    assert not bench.figs.exists()


def test_a_dry_run_needs_no_store(tmp_path: Path) -> None:
    said = Bench(tmp_path).call("batch-plot", EXAMPLES / "test_config.yaml", "-n")
    assert said.code == 0
    assert said.lines[-1] == "Total: 5 plots"
    assert "stage-all" in said.err


def test_a_verbose_dry_run_says_why(bench: Bench) -> None:
    config = bench.file(TWO + "  - {type: plot-vvg, seq: 2, tag: none}\n")
    assert "[run: new]" in bench.call("batch-plot", config, "-n", "-v").out
    assert bench.call("batch-plot", config, "--no-report").code == 1
    lines = bench.call("batch-plot", config, "-n", "-v").lines
    assert lines[2].endswith("[skip: done before, nothing changed]")
    assert "[refused: no experiments found for plot-vvg" in lines[4]


def test_a_plot_that_fails_leaves_the_others_and_is_told(bench: Bench) -> None:
    config = bench.file(TWO + "  - {type: plot-vvg, seq: 2, tag: none}\n")
    said = bench.call("batch-plot", config)
    assert said.code == 1
    assert len(bench.made("*.pdf")) == 2
    assert re.search(r"^✗ plot-vvg \(\d+\.\ds\)  none: no experiments found for plot-vvg", said.err, re.MULTILINE)
    assert re.search(r"failures +1$", said.out, re.MULTILINE)
    assert (bench.figs / "batch_report.html").is_file()


def test_what_is_drawn_is_not_drawn_again(bench: Bench) -> None:
    config = bench.file(TWO)
    first = bench.call("batch-plot", config, "--no-report")
    pictures = {path: path.stat().st_mtime_ns for path in bench.figs.rglob("*.pdf")}
    again = bench.call("batch-plot", config, "--no-report")
    assert (first.code, again.code) == (0, 0)
    assert "✓ plot-" not in again.out
    assert re.search(r"of these done before +2$", again.out, re.MULTILINE)
    assert {path: path.stat().st_mtime_ns for path in pictures} == pictures
    fresh = bench.call("batch-plot", config, "--no-report", "--fresh")
    assert fresh.out.count("✓ plot-") == 2
    assert {path: path.stat().st_mtime_ns for path in pictures}.keys() == pictures.keys()


def test_batches_of_one_folder_of_figures_know_of_each_others_work(bench: Bench) -> None:
    one, two = bench.file(TWO), bench.file("chip: 67\nplots: [{type: plot-vvg, seq: 3}]\n", "other.yaml")
    assert bench.call("batch-plot", one, "--no-report").code == 0
    assert bench.call("batch-plot", two, "--no-report").code == 0
    assert "✓ plot-" not in bench.call("batch-plot", one, "--no-report").out


def test_machines_get_an_object_a_line_and_the_status_last(bench: Bench) -> None:
    text = TWO + "  - {type: plot-cnp-time, seq: 4}\n"
    config = bench.file(text)
    before = bench.call("batch-plot", config, "--json", "--dry-run")
    planned = json.loads(before.out)
    assert before.code == 0 and not bench.figs.exists()
    assert planned["counts"] == {"run": 3, "skip": 0, "stale": 0, "blocked": 0}
    assert [job["state"] for job in planned["jobs"]] == ["run"] * 3
    assert planned["jobs"][0]["reason"] == "new" and planned["jobs"][2]["reason"].startswith("refused: no experiments")
    (run_id,) = planned["jobs"][0]["runs"]
    assert run_id in Store(bench.store) and planned["jobs"][0]["chips"] == ["Alisson67"]
    said = bench.call("batch-plot", config, "--json", "--no-report")
    *events, status = [json.loads(line) for line in said.lines]
    assert said.code == 1
    assert [events[0]["event"], events[-1]["event"]] == ["batch-started", "batch-ended"]
    assert sum(event["event"] == "job-ended" for event in events) == 3
    assert status["counts"]["done"] == 2 and status["counts"]["failed"] == 1
    assert {job["name"] for job in status["jobs"]} == {job["name"] for job in planned["jobs"]}
    again = json.loads(bench.call("batch-plot", config, "--json", "--dry-run", "--only", "plot-ivg/*").out)
    assert [(job["state"], job["outputs"]) for job in again["jobs"]] == [("skip", planned["jobs"][0]["outputs"])]


def test_only_some(bench: Bench) -> None:
    said = bench.call("batch-plot", bench.file(TWO), "--only", "plot-ivg/*", "--no-report")
    assert said.code == 0
    assert bench.made("*.pdf") == ["Alisson67_IVg_seq_2.pdf"]


def test_a_dry_run_lists_those_alone_that_would_be_drawn(bench: Bench) -> None:
    config = bench.file(TWO)
    for words in ((), ("--stage-root", bench.folder / "none")):
        said = bench.call("batch-plot", config, "-n", "-v", "--only", "plot-its/*", *words)
        assert said.code == 0
        assert [line.split()[:2] for line in said.lines[2:-2]] == [["1.", "plot-its"]]
        assert said.lines[-1] == "Total: 1 plots"
        said = bench.call("batch-plot", config, "-n", "--only", "plot-vvg/*", *words)
        assert said.code == 2
        assert "no plot's name matches" in said.err
    assert bench.call("batch-plot", config, "--only", "plot-its/*", "--no-report").code == 0
    said = bench.call("batch-plot", config, "-n", "-v", "--only", "*seq_2*")
    assert said.lines[2].endswith("[run: new]")


def test_runs_that_a_plot_does_not_show_are_told(bench: Bench) -> None:
    config = bench.file(
        "chip: 67\nplots:\n  - {type: plot-ivg, seq: 2-5}\n  - {type: plot-its, seq: '2,4', each: true}\n"
    )
    for words in (("-n",), ("--no-report",)):
        said = bench.call("batch-plot", config, *words)
        assert said.code == 0
        first, second = said.err.splitlines()
        assert re.fullmatch(
            r"note: plot-ivg \(seq_2_3_4_5\) of Alisson67: seq .*4.* left out: plot-ivg shows IVg", first
        )
        assert second == "note: plot-its (seq_2_4) of Alisson67: seq 2 (IVg) left out: plot-its shows It"
    (drawn,) = (job for job in bench.view.jobs if job.name.startswith("plot-ivg"))
    assert any("left out" in text for text in drawn.warnings)
    assert bench.call("batch-plot", config, "-q", "--no-report").err == ""
    filtered = bench.file("chip: 67\nplots: [{type: plot-its, seq: 2-5, procedure: It}, {type: plot-ivg, seq: all}]\n")
    assert bench.call("batch-plot", filtered, "-n").err == ""


def test_a_plot_of_named_runs_stays_when_their_numbers_move(lab: Lab, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(lab.raw_root, raw)
    of_chip = {each.seq: each for each in lab.truths if each.chip and each.chip.name == "Alisson67"}
    first = raw / of_chip[1].file
    aside = tmp_path / "aside.csv"
    first.rename(aside)
    bench = Bench(tmp_path)
    stage(raw, bench.store)
    store = Store(bench.store)
    history = histories(store.table, timezone=store.timezone)["Alisson67"]
    named = history.filter(history["proc"] == "It")["run_id"][:2]
    runs = f"runs: ['{named[0]}', '{named[1]}']"
    config = bench.file(
        f"chip: 67\nplots:\n  - {{type: plot-its, {runs}}}\n"
        f"  - {{type: plot-its, {runs}, tag: numbers, legend_by: seq}}\n"
        f"  - {{type: plot-its, {runs}, tag: table, data: true}}\n"
    )
    assert bench.call("batch-plot", config, "--no-report").code == 0
    aside.rename(first)
    stage(raw, bench.store)
    lines = bench.call("batch-plot", config, "-n", "-v").lines[2:5]
    assert lines[0].endswith("[skip: done before, nothing changed]")
    assert all("[stale: params.runs" in line for line in lines[1:]), lines


def test_quiet_tells_failures_alone(bench: Bench) -> None:
    config = bench.file(TWO + "  - {type: plot-vvg, seq: 2, tag: none}\n")
    said = bench.call("batch-plot", config, "-q", "--no-report")
    assert said.out == ""
    assert said.err.startswith("✗ plot-vvg")
    assert len(said.err.splitlines()) == 1


def test_verbose_tells_paths_and_warnings(bench: Bench) -> None:
    config = bench.file("chip: 67\nplots: [{type: plot-ivg, seq: [2, 900]}]\n")
    said = bench.call("batch-plot", config, "-v", "--no-report")
    assert "Alisson67/IVg/Dark_IVg/Alisson67_IVg_seq_2_900.pdf" in said.out
    assert "no run with seq 900" in said.out


def test_a_wrong_file_is_told_with_lines_before_anything_starts(bench: Bench) -> None:
    config = bench.file("chip: 67\nplots:\n  - {type: plot-itz, seq: 4}\n  - {type: plot-its, seq: 4, baselin: 3}\n")
    said = bench.call("batch-plot", config)
    assert said.code == 2
    assert "line 3" in said.err and "did you mean 'plot-its'" in said.err
    assert "line 4" in said.err and "did you mean 'baseline'" in said.err
    assert not bench.figs.exists()


@pytest.mark.parametrize("words", [("--parallel", "0"), ("--timeout", "soon"), ("--retries", "-1"), ("--nonsense",)])
def test_wrong_words_are_usage(bench: Bench, words: tuple[str, ...]) -> None:
    assert bench.call("batch-plot", bench.file(TWO), *words).code == 2
    assert not bench.figs.exists()


def test_without_a_store_it_says_what_to_run(tmp_path: Path) -> None:
    said = Bench(tmp_path).call("batch-plot", EXAMPLES / "test_config.yaml")
    assert said.code == 1
    assert "stage-all" in said.err


@pytest.mark.parametrize(("workers", "mode"), [(1, "Sequential"), (2, "Parallel")])
def test_workers_as_told(bench: Bench, workers: int, mode: str) -> None:
    said = bench.call("batch-plot", bench.file(TWO), "-p", workers, "--no-report")
    assert f"Execution mode: {mode}\nWorkers: {workers}\n" in said.out
    assert workers > 1 or "speedup)" not in said.lines[-1]


@pytest.mark.parametrize(("elapsed_s", "gain"), [(1.0, "2.0x"), (2.0, None), (6.0, None)])
def test_a_gain_is_told_where_there_is_one(bench: Bench, elapsed_s: float, gain: str | None) -> None:
    assert bench.call("batch-plot", bench.file(TWO), "-p", 1, "--no-report").code == 0
    result = RunResult(
        batch="devices-figures",
        root=bench.figs,
        state=BatchState.DONE,
        counts={Status.DONE: 2},
        found_done=0,
        items_failed=0,
        reason=None,
        elapsed_s=elapsed_s,
    )
    lines = summary_lines(result, bench.view, [1.0, 1.0], 2)
    assert lines[-1] == f"Total: 2 plots, {elapsed_s:.1f}s" + (f" ({gain} speedup)" if gain else "")
    assert [line.split()[1] for line in lines if "speed-up" in line] == [gain or "-"]


def test_more_workers_are_taken_where_the_work_is_worth_their_start() -> None:
    assert choose_workers(5, 0.1, 8) == 1
    assert choose_workers(30, 0.12, 2) == 2
    assert choose_workers(30, 0.12, 8) == 6
    assert choose_workers(3, 60.0, 8) == 3
    assert choose_workers(30, None, 1) == 1
    assert choose_workers(0, 0.1, 8) == 1


def test_a_plot_that_hangs_is_ended_and_leaves_the_others(bench: Bench) -> None:
    (bench.folder / "endless.py").write_text(
        textwrap.dedent(
            """
            from batchlab.devices.plots import Name, plot

            @plot("plot-endless", procedures=("IVg",), names=lambda options: (Name(procedure="IVg", kind="endless"),))
            def endless(runs, options, look, facts):
                while True:
                    len(runs)
            """
        )
    )
    config = bench.file(TWO.replace("plots:", "plugins: endless.py\nplots:\n  - {type: plot-endless, seq: 2}"))
    said = bench.call("batch-plot", config, "-p", "2", "--timeout", "3 s", "--retries", "0", "--no-report")
    assert said.code == 1
    assert "plot-endless" in said.err
    assert len(bench.made("*.pdf")) == 2
    (hung,) = (job for job in bench.view.jobs if job.name.startswith("plot-endless"))
    assert hung.category == "timeout"


def test_files_of_others_stay_unless_told(bench: Bench) -> None:
    config = bench.file("chip: 67\nplots: [{type: plot-ivg, seq: 2}]\n")
    foreign = bench.figs / "Alisson67" / "IVg" / "Dark_IVg" / "Alisson67_IVg_seq_2.pdf"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("mine")
    assert bench.call("batch-plot", config, "--no-report").code == 1
    assert foreign.read_text() == "mine"
    assert bench.call("batch-plot", config, "--no-report", "--overwrite").code == 0
    assert foreign.read_bytes().startswith(b"%PDF")


def test_a_number_that_now_means_another_run_is_warned_of_once(lab: Lab, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(lab.raw_root, raw)
    first = raw / next(
        each.file for each in lab.truths if each.chip and each.chip.name == "Alisson67" and each.seq == 1
    )
    aside = tmp_path / "aside.csv"
    first.rename(aside)
    bench = Bench(tmp_path)
    stage(raw, bench.store)
    config = bench.file("chip: 67\nplots: [{type: plot-ivg, seq: [1, 2, 7, 8]}]\n")
    assert "warning" not in bench.call("batch-plot", config, "--no-report").err
    aside.rename(first)
    stage(raw, bench.store)
    dry = bench.call("batch-plot", config, "-n")
    said = bench.call("batch-plot", config, "--no-report")
    for told in (dry, said):
        assert "warning: Alisson67: seq 7 meant run" in told.err
        assert "now means run" in told.err
    assert "warning" not in bench.call("batch-plot", config, "--no-report").err


def test_powers_that_are_not_known_are_told_with_the_mend(lab: Lab, tmp_path: Path) -> None:
    bench = make_bench(lab, tmp_path / "d", enriched=False)
    config = bench.file(TWO)
    said = bench.call("batch-plot", config, "--no-report")
    assert said.code == 0
    assert "batchlab devices enrich-history Alisson67" in said.err
    quiet = bench.call("batch-plot", bench.file(TWO.replace("plots:", "defaults: {legend_by: vg}\nplots:")), "-n")
    assert quiet.err == ""


def test_run_refuses_such_a_file_and_names_the_command(bench: Bench) -> None:
    config = bench.file(TWO)
    said = call("run", config)
    assert said.code == 2
    assert f"run `batchlab devices batch-plot {config}`" in said.err
    assert "line 3" in said.err


def test_several_chips_in_one_file(bench: Bench) -> None:
    said = bench.call(
        "batch-plot", bench.file("chip: [67, 81]\nplots: [{type: plot-ivg, light: dark}]\n"), "--no-report"
    )
    assert said.code == 0
    assert said.lines[0] == "✓ Loaded 2 plot specifications for Alisson67, Alisson81"
    assert [name.split("_")[0] for name in bench.made("*.pdf")] == ["Alisson67", "Alisson81"]


def test_every_run_has_a_picture_of_its_own_where_asked_for(bench: Bench) -> None:
    file = bench.file(
        "chip: 67\nplots:\n  - {type: plot-its, seq: 10-13, each: true}\n"
        "  - {type: plot-its-relaxation-batch, seq: '10,11', tag: fit}\n"
    )
    said = bench.call("batch-plot", file, "--dry-run")
    assert [line.split()[1:4] for line in said.lines[2:8]] == [
        *(["plot-its", "chip=67", f"seq={seq}"] for seq in (10, 11, 12, 13)),
        *(["plot-its-relaxation-batch", "chip=67", f"seq={seq}"] for seq in (10, 11)),
    ]
    assert said.lines[-1] == "Total: 6 plots"
    said = bench.call("batch-plot", file, "--no-report")
    assert said.code == 0, said.err
    assert bench.made("*.pdf") == [
        *(f"Alisson67_It_relaxation_dark_fit_seq_{seq}.pdf" for seq in (10, 11)),
        *(f"Alisson67_It_seq_{seq}.pdf" for seq in (10, 11, 12, 13)),
    ]
    (fit,) = bench.figs.glob("Alisson67/It/individual_fits/*seq_10.pdf")
    assert fit.is_file()
    nothing = bench.file("chip: 67\nplots:\n  - {type: plot-its, seq: 999, each: true}\n", "nothing.yaml")
    said = bench.call("batch-plot", nothing, "--no-report")
    assert said.code == 1
    assert "Alisson67 has no run with seq 999" in said.err


def test_listing_the_commands_loads_nothing_heavy() -> None:
    code = """
import sys
from batchlab.cli._main import cli
try:
    cli.main(["devices", "--help"])
except SystemExit:
    pass
loaded = {"numpy", "polars", "matplotlib", "pydantic", "rich", "batchlab.engine._run"} & set(sys.modules)
assert not loaded - {"pydantic", "batchlab.engine._run"}, loaded
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 0, found.stderr
    assert "batch-plot" in found.stdout and "plot-its-suite" in found.stdout


def test_commands_that_are_not_there_name_the_nearest() -> None:
    said = call("devices", "plot-itz")
    assert said.code == 2
    assert "did you mean 'plot-its'" in said.err
