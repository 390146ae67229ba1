"""What the commands of devices say of a slip: where it is, what is wrong, and the mend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from plot_bench import Bench, Said, call, make_bench, quiet_state

from batchlab.devices._synthetic import Lab


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
