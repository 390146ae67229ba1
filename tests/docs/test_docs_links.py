"""Links of the documentation lead somewhere, pictures are small, and every page can be found."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs_pages import ROOT, anchors, links, name_of, pages

MOST_PICTURE_BYTES = 250_000


def is_elsewhere(target: str) -> bool:
    return target.startswith(("https://", "http://"))


@pytest.mark.parametrize("path", pages(), ids=name_of)
def test_links_lead_to_files_and_headings_that_exist(path: Path) -> None:
    broken = []
    for target in links(path):
        if is_elsewhere(target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert not broken


def test_every_page_is_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        targets = [target.partition("#")[0] for target in links(path) if not is_elsewhere(target)]
        todo += [(path.parent / target).resolve() for target in targets if target.endswith(".md")]
    assert not set(pages()) - seen


def test_pictures_are_small_and_shown() -> None:
    pictures = set((ROOT / "docs" / "images").iterdir())
    assert pictures
    assert all(picture.stat().st_size < MOST_PICTURE_BYTES for picture in pictures)
    shown = {(path.parent / target).resolve() for path in pages() for target in links(path) if target.endswith(".png")}
    assert pictures <= shown
