"""The command line as a process, in a folder with a user's task file, some data and a batch file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SRC = Path(__file__).resolve().parents[2] / "src"

TASKS = '''
from pathlib import Path

from batchlab.errors import DataError


def measure(ctx, factor: float = 2.0, token: str = ""):
    """Multiply the number in a file."""
    path = ctx.input("sample")
    ctx.stage("read")
    text = path.read_text().strip()
    print("looking at", path.name)
    if not text.isdigit():
        raise DataError(f"{path}, line 1: {text!r} is no number; write digits", reason="not-a-number")
    ctx.stage("write")
    if ctx.wanted("table"):
        ctx.output("table").write_text(str(float(text) * factor))
    return {"value": float(text) * factor}


def many(ctx):
    """One item a file."""
    for path in ctx.inputs("samples"):
        with ctx.item(path.name):
            int(path.read_text())


def total(ctx):
    """Add up what came before."""
    ctx.input("table").read_text()
    return {}


def held(ctx):
    """Wait for a word through a named pipe."""
    ctx.stage("holding")
    with open(ctx.input("sample").with_suffix(".fifo")) as pipe:
        pipe.read()
    return {}


def patient(ctx):
    """Wait until asked to stop."""
    import select

    ctx.stage("waiting")
    while not ctx.cancelled:
        select.select([], [], [], 0.01)
    return {}
'''

BATCH = """\
batch: leaves
output: out
jobs:
  - id: m
    task: ./mytasks.py:measure
    inputs: {sample: data/leaf_*.txt}
    outputs: {table: "{sample}.txt"}
"""


@dataclass
class Desk:
    """The folder and the command line in it."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def command(self, *words: object) -> list[str]:
        return [sys.executable, "-m", "batchlab.cli", *map(str, words)]

    def environment(self, **more: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "TERM", "FORCE_COLOR")}
        path = os.pathsep.join([str(SRC), *filter(None, [self.env.get("PYTHONPATH")])])
        return {**kept, **self.env, **more, "PYTHONPATH": path}

    def __call__(self, *words: object, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            cwd=self.folder,
            env=self.environment(**env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
        )

    def json(self, *words: object) -> Any:
        done = self(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def install(self, entries: str, modules: dict[str, str], name: str = "made-up") -> None:
        """Put a distribution with these entry points and modules on the path."""
        site = self.folder / "site"
        info = site / f"{name.replace('-', '_')}-1.5.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(entries)
        for module, text in modules.items():
            (site / f"{module}.py").write_text(text)
        self.env["PYTHONPATH"] = str(site)


def release(desk: Desk, n: int) -> None:
    with open(desk.folder / f"data/leaf_{n}.fifo", "w") as pipe:
        pipe.write("go")
