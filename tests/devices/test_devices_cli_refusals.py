"""What the commands of devices say of a slip: where it is, what is wrong, and the mend."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from plot_bench import Bench, Said, call, make_bench, quiet_state

from batchlab.devices._history import history_of
from batchlab.devices._model import Chip
from batchlab.devices._store import Store
from batchlab.devices._synthetic import Lab
from batchlab.devices.tasks._plot import _picture
from batchlab.errors import PlotError
from batchlab.figures import Line, Plot, Sheet


@pytest.fixture(scope="module", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with quiet_state(tmp_path_factory.mktemp("state")):
        yield


@pytest.fixture(scope="module")
def staged(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Never written after."""
    return make_bench(lab, tmp_path_factory.mktemp("refusals") / "a")


@pytest.fixture
def in_the_way(tmp_path: Path) -> Path:
    """A file where a folder should be."""
    path = tmp_path / "chips.yaml"
    path.write_text("")
    return path


def on(bench: Bench, *words: object) -> Said:
    return call("devices", *words, "--base-dir", bench.data)


@pytest.mark.parametrize("below", ["", "figs"])
@pytest.mark.parametrize("command", ["plot-its 67 --seq 4", "batch-plot PLOTS", "report", "report --chip 67"])
def test_a_folder_that_cannot_be_written_into_is_told(
    staged: Bench, in_the_way: Path, tmp_path: Path, command: str, below: str
) -> None:
    plots = tmp_path / "plots.yaml"
    plots.write_text("chip: 67\nplots: [{type: plot-ivg, seq: 2}]\n")
    words = [str(plots) if word == "PLOTS" else word for word in command.split()]
    said = on(staged, *words, "-o", in_the_way / below)
    assert said.code == 3, said.err
    assert f"{in_the_way / below}: cannot write there (" in said.err
    assert "choose another --output, or make room or rights there" in said.err
    assert "itself failed" not in said.err


def test_a_history_that_cannot_be_written_is_told(staged: Bench, in_the_way: Path) -> None:
    said = on(staged, "build-history", "67", "-o", in_the_way / "67.csv")
    assert said.code == 3 and f"{in_the_way / '67.csv'}: cannot write there (" in said.err


def test_staging_names_no_option_that_it_lacks(staged: Bench, in_the_way: Path) -> None:
    said = on(staged, "stage-all", "--stage-root", in_the_way)
    assert said.code == 3
    assert "cannot write there" in said.err and "--output" not in said.err


@pytest.fixture
def spoilt(lab: Lab, tmp_path: Path) -> Bench:
    """Three raw files: one is cut within a row, one without a time, one names no chip."""
    bench = Bench(tmp_path)
    raw = bench.data / "01_raw" / "some_day"
    raw.mkdir(parents=True)
    texts = [path.read_bytes() for path in sorted(lab.raw_root.rglob("IVg*.csv"))[:3]]
    (raw / "cut.csv").write_bytes(texts[0].rstrip()[:-3])
    for name, text, line in (("timeless.csv", texts[1], b"Start time"), ("nobody.csv", texts[2], b"Chip number")):
        kept = [each for each in text.splitlines(keepends=True) if line not in each]
        assert len(kept) == len(text.splitlines()) - 1
        (raw / name).write_bytes(b"".join(kept))
    return bench


def test_files_read_with_warnings_are_told_by_name(spoilt: Bench) -> None:
    said = on(spoilt, "stage-all")
    assert said.code == 0
    told = [line for line in said.lines if line.startswith("  warning: ")]
    assert [line.split(":")[1].strip() for line in told] == [f"some_day/{n}.csv" for n in ("cut", "nobody", "timeless")]
    assert "the file ends within a row" in told[0]
    assert "no chip number is given; the run is in no history" in told[1]
    assert "no start time in the file; it stands at midnight of the day in its path" in told[2]


def test_warned_files_can_be_listed(spoilt: Bench, staged: Bench) -> None:
    assert on(spoilt, "stage-all", "-q").code == 0
    assert "inspect-manifest --warned --columns source_file,warnings lists them" in on(spoilt, "staging-stats").out
    listed = on(spoilt, "inspect-manifest", "--warned", "--columns", "source_file,warnings").out
    assert "3 of 3 files" in listed and "some_day/cut.csv" in listed
    assert "0 of 3 files" in on(spoilt, "inspect-manifest", "--not-warned").out


def test_a_chip_mistyped_among_geometries_is_told(staged: Bench, tmp_path: Path) -> None:
    names = sorted(chip_names(staged))
    path = tmp_path / "geometries.yaml"

    def described(*chips: str) -> Said:
        path.write_text("".join(f"{name}: {{layers: [{{material: hBN, thickness_nm: 20}}]}}\n" for name in chips))
        return on(staged, "derive-all-metrics", "--geometries", path, "--dry-run")

    said = described(*(name for name in names if name != "Alisson67"), "Alisson76")
    assert f"warning: {path}: Alisson76 is not staged; Alisson67 has no geometry" in said.err
    assert "warning" not in described(*names[1:]).err


def chip_names(bench: Bench) -> list[str]:
    return list(Store(bench.store).table["chip_name"].drop_nulls().unique())


@pytest.mark.parametrize("day", ["foo", "2025-9-4", "20250904", "2025-02-30"])
def test_a_day_that_is_none_is_refused(staged: Bench, day: str) -> None:
    for command in (["show-history", "67"], ["inspect-manifest"]):
        said = on(staged, *command, "--date", day)
        assert said.code == 2, said.out
        assert f"'{day}' is no day; write it as in 2025-09-04" in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--proc", "IVgg"), "no procedure 'IVgg'; did you mean 'IVg'?"),
        (("--proc", "ItWl"), "no ItWl is staged; there are "),
        (("--chip", "999"), "no chip 999 is staged; there are Alisson67"),
        (("--chip", "Alison67"), "did you mean Alisson67"),
        (("--group", "Nobody"), "no chip is of the group 'Nobody'; there are"),
    ],
)
def test_what_the_manifest_does_not_have_is_refused(staged: Bench, words: tuple[str, str], told: str) -> None:
    said = on(staged, "inspect-manifest", *words)
    assert said.code == 2, said.out
    assert told in said.err


def test_the_manifest_takes_several_chips_and_procedures(staged: Bench) -> None:
    two = sorted(chip_names(staged))[:2]
    rows = json.loads(on(staged, "inspect-manifest", "--chip", ",".join(two), "--proc", "IVg,VVg", "--json").out)
    assert {row["chip_name"] for row in rows} == set(two)
    assert {row["proc"] for row in rows} == {"IVg", "VVg"}


def _plot(bench: Bench, figs: Path, *words: object) -> Said:
    return on(bench, *words, "-o", figs, "--format", "png", "--dpi", "72")


def _sides_in(figs: Path) -> tuple[float, ...]:
    (path,) = (each for each in figs.rglob("*.png") if ".batchlab" not in each.parts)
    with Image.open(path) as image:
        return tuple(side / 72 for side in image.size)


def test_a_picture_grows_with_its_labels_unless_its_size_is_given() -> None:
    shown = Plot(marks=(Line(x=np.arange(3.0), y=np.arange(3.0)),), x_limits=(0, 2), y_limits=(0, 2))
    sheet = Sheet(plots=(shown,), size_in=(4.0, 3.0), margins_in=(1.7, 1.7, 1.0, 1.0))
    assert _picture(sheet, grows=True).sheet.size_in == (5.0, 3.75)
    with pytest.raises(PlotError, match="too small for the labels"):
        _picture(sheet, grows=False)
    with pytest.raises(PlotError, match="too small for the labels"):
        _picture(replace(sheet, size_in=(1.0, 1.0)), grows=True)


def test_a_size_that_is_too_small_names_the_option(staged: Bench, tmp_path: Path) -> None:
    said = _plot(staged, tmp_path, "plot-its", "67", "--seq", "4-7", "--style", "size_in=1,1")
    assert said.code == 1 and "too small for the labels" in said.err
    assert "--style size_in=12,8 or legend_place=best" in said.err


@pytest.mark.parametrize("size", ["9x5", "9,5", "9 x 5"])
def test_a_size_is_written_with_a_comma_or_a_cross(staged: Bench, tmp_path: Path, size: str) -> None:
    assert _plot(staged, tmp_path, "plot-its", "67", "--seq", "4", "--style", f"size_in={size}").code == 0
    assert _sides_in(tmp_path) == (9, 5)


@pytest.mark.parametrize("size", ["9", "9,5,3", "large"])
def test_a_size_that_is_none_is_refused_with_an_example(staged: Bench, tmp_path: Path, size: str) -> None:
    said = _plot(staged, tmp_path, "plot-its", "67", "--seq", "4", "--style", f"size_in={size}")
    assert said.code == 2 and "write width and height in inches, as in 12,8" in said.err


def test_sweeps_without_a_common_difference_name_the_option(staged: Bench, tmp_path: Path) -> None:
    said = _plot(staged, tmp_path, "plot-consecutive-sweep-diff", "67", "--auto")
    assert said.code == 1
    assert "choose one of them: --procedure IVg, or procedure: IVg in a batch file" in said.err


def _previewed(bench: Bench, *words: object) -> list[int]:
    said = on(bench, "plot-its", "67", *words, "--preview")
    assert said.code == 0, said.err
    return [int(line.split()[0]) for line in said.lines if line.startswith("  ")]


def test_seq_takes_what_a_history_takes(staged: Bench) -> None:
    store = Store(staged.store)
    history = history_of(store.table, Chip("Alisson", 67), timezone=store.timezone)
    fourth = history.row(3, named=True)
    assert _previewed(staged, "--seq", f"{fourth['proc']}{fourth['date_local']}#{fourth['file_idx']}") == [4]
    assert _previewed(staged, "--seq", fourth["run_id"]) == [4]
    assert _previewed(staged, "--seq", f"5,{fourth['run_id']},6-7") == [4, 5, 6, 7]


def test_seq_given_twice_means_both(staged: Bench) -> None:
    assert _previewed(staged, "--seq", "4", "--seq", "5,7") == [4, 5, 7]
    said = on(staged, "plot-its", "67", "--seq", "4", "--seq", "four")
    assert said.code == 2 and "'four'" in said.err


def test_words_of_the_style_are_sent_there(staged: Bench, tmp_path: Path) -> None:
    plots = tmp_path / "plots.yaml"
    plots.write_text(
        "chip: 67\ndefaults: {format: png, dpi: 80}\nplots:\n  - {type: plot-ivg, seq: 2, theme: paper, tag: here}\n"
    )
    said = on(staged, "batch-plot", plots, "-n")
    assert said.code == 2
    told = [line for line in said.err.splitlines() if "plots.yaml, line" in line]
    assert len(told) == 3, said.err
    for line, word in zip(told, ("{format: png}", "{dpi: 80}", "{theme: paper}"), strict=True):
        assert f"is of the style of pictures; write style: {word}" in line


def test_a_batch_of_plots_takes_a_format(staged: Bench, tmp_path: Path) -> None:
    plots = tmp_path / "plots.yaml"
    plots.write_text("chip: 67\nstyle: {format: svg, dpi: 80}\nplots: [{type: plot-ivg, seq: 2}]\n")
    said = on(staged, "batch-plot", plots, "-o", tmp_path / "figs", "--format", "png", "--no-report")
    assert said.code == 0, said.err
    made = [each.suffix for each in (tmp_path / "figs" / "Alisson67").rglob("*.*")]
    assert made == [".png"]
