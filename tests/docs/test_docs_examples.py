"""What the documentation shows is run, page by page, and prints what the page says it prints."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs_desk import Desk
from docs_pages import (
    ROOT,
    Block,
    name_of,
    pages,
    pattern_of,
    runnable,
    steps,
    tidy,
    wanted_samples,
    wants_demo,
    wants_examples,
    wants_lab,
    wants_mission,
    wants_recordings,
)

from batchlab.engine import read_view


@pytest.mark.timeout(400)  # a page of many commands, on a machine that others use
@pytest.mark.parametrize("path", [path for path in pages() if runnable(path)], ids=name_of)
def test_a_page_does_what_it_shows(path: Path, desk: Desk) -> None:
    if wanted_samples(path):
        desk.make_data(wanted_samples(path))
    if wants_demo(path):
        desk.make_demo_data()
    if wants_lab(path):
        desk.make_lab()
    if wants_mission(path):
        desk.make_mission()
    if wants_recordings(path):
        desk.make_recordings()
    if wants_examples(path):
        desk.make_examples()
    for block in runnable(path):
        if block.file is not None:
            desk.write(block.file, block.text.split("\n", 1)[1])
        elif block.language == "console":
            run_console(block, desk)
        elif block.language == "python":
            printed = desk.python(block.text)
            assert desk.code == 0, f"{where(block)}: {printed}"
        else:
            pytest.fail(f"{where(block)}: say which file it is in its first line, or mark it as a fragment")


def run_console(block: Block, desk: Desk) -> None:
    todo = steps(block)
    for at, step in enumerate(todo):
        printed = desk.run(step.command)
        told = at + 1 < len(todo) and "$?" in todo[at + 1].command
        assert desk.code == 0 or told, f"{where(block)}: {step.command}: exit {desk.code}\n{printed}"
        if step.shown.strip():
            as_shown = pattern_of(step.shown).fullmatch(tidy(printed))
            assert as_shown, f"{where(block)}: {step.command} printed\n{printed}"


def where(block: Block) -> str:
    return f"{name_of(block.page)}, line {block.line}"


def test_output_is_held_against_what_is_shown() -> None:
    shown = pattern_of("a ... d\n...\nend\n")
    assert shown.fullmatch(tidy("a b c  d\nmore\nand more\nend"))
    assert shown.fullmatch(tidy("a b d\nend"))
    assert not shown.fullmatch(tidy("a b c\nend"))
    assert not shown.fullmatch(tidy("a b d\nend\nand more"))


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=name_of)
def test_an_example_runs_on_made_up_data(path: Path, desk: Desk) -> None:
    if "particles." in path.read_text(encoding="utf-8"):
        desk.make_mission()
        data = desk.folder / "FAST_data"
    else:
        desk.make_data(3)
        data = desk.folder / "data"
    printed = desk.run(f"batchlab run {path} --set data={data} --output out --quiet")
    assert desk.code == 0, printed
    view = read_view(desk.folder / "out")
    assert {str(job.state) for job in view.jobs} == {"done"}


def test_the_example_of_a_task_finds_the_band(desk: Desk) -> None:
    desk.make_data(1)
    example = ROOT / "examples" / "highest-band.yaml"
    desk.run(f"batchlab run {example} --set data={desk.folder}/data --output out --only 'low-range/*' --quiet")
    (job,) = [job for job in read_view(desk.folder / "out").jobs if job.name == "low-range/sample_001"]
    assert job.metrics["position"] == pytest.approx(1001.5, abs=3500 / 400)
