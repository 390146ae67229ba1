"""The documentation as its tests see it: pages, their fenced blocks, tables and links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNNABLE = ("python", "yaml", "json", "csv", "console")

_FENCE = re.compile(r"^```(?P<info>.*)$")
_FILE = re.compile(r"^(?:#|//) file: (?P<name>\S+)$")
_SETUP = re.compile(r"<!-- data: (?P<samples>\d+) samples -->")
_DEMO = "<!-- data: that of the demo -->"
_LAB = "<!-- data: that of the demo of devices -->"
_MISSION = "<!-- data: a mission of particles -->"
_RECORDINGS = "<!-- data: recordings of motion -->"
_EXAMPLES = "<!-- data: a laboratory with the runs of the examples -->"
_LINK = re.compile(r"(?<!\!)\[[^\]]*\]\((?P<target>[^)\s]+)\)|!\[[^\]]*\]\((?P<image>[^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: Path
    line: int
    language: str
    options: frozenset[str]
    text: str

    @property
    def file(self) -> str | None:
        """The file it stands for, if its first line says so."""
        found = _FILE.match(self.text.split("\n", 1)[0])
        return found["name"] if found else None


@dataclass(frozen=True)
class Step:
    """One command of a console block, and what it is shown to print."""

    command: str
    shown: str


@cache
def pages() -> tuple[Path, ...]:
    """Every page of the documentation, the README among them."""
    return (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def blocks(path: Path) -> list[Block]:
    found: list[Block] = []
    inside: list[str] | None = None
    info, began = "", 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        fence = _FENCE.match(line)
        if inside is None and fence:
            inside, info, began = [], fence["info"].strip(), number
        elif inside is not None and line.strip() == "```":
            language, *options = info.split() or [""]
            found.append(Block(path, began, language, frozenset(options), "\n".join(inside)))
            inside = None
        elif inside is not None:
            inside.append(line)
    assert inside is None, f"{path}, line {began}: a fence is never closed"
    return found


def runnable(path: Path) -> list[Block]:
    return [block for block in blocks(path) if block.language in RUNNABLE and "fragment" not in block.options]


def wanted_samples(path: Path) -> int:
    """How many made-up samples a page wants in its folder ``data``."""
    found = _SETUP.search(path.read_text(encoding="utf-8"))
    return int(found["samples"]) if found else 0


def wants_demo(path: Path) -> bool:
    """Whether a page wants in its folder ``data`` what ``batchlab demo`` makes of spectra."""
    return _DEMO in path.read_text(encoding="utf-8")


def wants_lab(path: Path) -> bool:
    """Whether a page wants in its folder ``data`` the laboratory that ``batchlab demo`` makes of devices."""
    return _LAB in path.read_text(encoding="utf-8")


def wants_mission(path: Path) -> bool:
    """Whether a page wants the files of a small mission, and one of another."""
    return _MISSION in path.read_text(encoding="utf-8")


def wants_recordings(path: Path) -> bool:
    """Whether a page wants recordings of markers: of three subjects, of a helmet, of two bodies, and odd ones."""
    return _RECORDINGS in path.read_text(encoding="utf-8")


def wants_examples(path: Path) -> bool:
    """Whether a page wants the laboratory, and the files, that the examples of device plots are about."""
    return _EXAMPLES in path.read_text(encoding="utf-8")


def steps(block: Block) -> list[Step]:
    """Commands and their output; a command goes on in the next line after a backslash."""
    made: list[Step] = []
    lines = iter(block.text.split("\n"))
    for line in lines:
        if line.startswith("$ "):
            command = line[2:]
            while command.endswith("\\"):
                command = command[:-1] + next(lines).lstrip()
            made.append(Step(command, ""))
        else:
            assert made, f"{block.page}, line {block.line}: a console block begins with a command"
            made[-1] = Step(made[-1].command, f"{made[-1].shown}{line}\n")
    return made


def pattern_of(shown: str) -> re.Pattern[str]:
    """What output must look like: ``...`` stands for any text, on a line of its own for any lines.

    Held against `tidy` output: how many blanks part two columns is not the page's to say.
    """
    made = ""
    for line in tidy(shown).splitlines():
        if line == "...":
            made += r"(?:.*\n)*?"
        else:
            made += r"[^\n]*?".join(re.escape(part) for part in re.split(r" ?\.\.\. ?", line)) + r"\n"
    return re.compile(made)


def tidy(text: str) -> str:
    """Text without blank lines at its ends, every run of blanks made one."""
    return "".join(f"{' '.join(line.split())}\n" for line in text.strip("\n").split("\n"))


def links(path: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [match["target"] or match["image"] for match in _LINK.finditer(text)]


def anchors(path: Path) -> set[str]:
    """Anchors of a page's headings, as they are made of them where it is shown."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def first_cells(text: str, heading: str) -> list[str]:
    """The code words in the first columns of the tables below a heading, up to the next heading."""
    after = text.split(f"\n{heading}\n", 1)
    assert len(after) == 2, f"there is no heading {heading!r}"
    section = re.split(r"^#+ ", after[1], maxsplit=1, flags=re.MULTILINE)[0]
    rows = re.findall(r"^\| (`[^|]*)\|", section, flags=re.MULTILINE)
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row)]
