"""Light tasks for the engine's tests. Each execution leaves a line in the file that TOY_TRACE names."""

import os
import signal
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from batchlab.engine import JobContext, task
from batchlab.errors import Category, DataError, JobError


class Strict(BaseModel):
    """No key that is not known."""

    model_config = ConfigDict(extra="forbid")


class AddParams(Strict):
    """What is added to the sum of the numbers."""

    add: int = 0


def trace(word: str) -> None:
    path = os.environ.get("TOY_TRACE")
    if path:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, f"{word}\n".encode())
        finally:
            os.close(descriptor)


def notes_beside(params, inputs) -> dict:
    """What is noted beside a file: ``1_2.txt.note``."""
    notes = {path: Path(f"{path}.note") for files in inputs.values() for path in files}
    return {f"the note beside {Path(path).name}": note.read_text() for path, note in notes.items() if note.exists()}


@task(
    name="toy.add",
    version="1",
    params=AddParams,
    inputs=("numbers",),
    outputs={"sum": "{numbers}.sum", "copy": "{numbers}.copy"},
    surroundings=notes_beside,
)
def add(ctx: JobContext, params: AddParams) -> dict:
    """Sum of the numbers in a file."""
    trace(ctx.job)
    text = ctx.input("numbers").read_text()
    try:
        total = sum(map(int, text.split())) + params.add
    except ValueError as error:
        raise DataError(f"{ctx.input('numbers')}: {error}", reason="not-a-number") from None
    if ctx.wanted("sum"):
        ctx.output("sum").write_text(f"{total}\n")
    if ctx.wanted("copy"):
        ctx.output("copy").write_text(text)
    return {"sum": total}


@task(name="toy.double", version="1", inputs=("made",), outputs={"twice": "{made}.twice"})
def double(ctx: JobContext) -> dict:
    """Twice what an earlier job has written."""
    trace(ctx.job)
    total = 2 * int(ctx.input("made").read_text())
    if ctx.wanted("twice"):
        ctx.output("twice").write_text(f"{total}\n")
    return {"twice": total}


@task(name="toy.table", version="1", inputs=("members",), outputs={"table": "table.csv"})
def table(ctx: JobContext) -> dict:
    """What all the others found."""
    trace(ctx.job)
    members = ctx.gathered("members")
    total = sum(member.metrics["sum"] for member in members)
    if ctx.wanted("table"):
        rows = [f"{member.job},{member.metrics['sum']}" for member in members]
        ctx.output("table").write_text("\n".join([*rows, ""]))
    return {"total": total, "members": len(members)}


class ActParams(Strict):
    """What to do, in this order."""

    acts: list[list[str]] = []
    n: int = 0


@task(name="toy.act", version="1", params=ActParams, outputs={"file": "file.txt", "folder": "folder/"})
def act(ctx: JobContext, params: ActParams) -> dict:
    """Do as told."""
    trace(ctx.job)
    metrics: dict = {"n": params.n}
    for verb, *words in params.acts:
        match verb:
            case "write":
                ctx.output("file").write_text(words[0])
            case "fill":  # the folder, with files of these names
                for name in words:
                    file = ctx.output_dir("folder") / name
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(os.fsencode(name))
            case "bytes":
                with open(ctx.output("file"), "wb") as file:
                    for _ in range(int(words[0]) // 65536):
                        file.write(bytes(65536))
                        file.flush()
            case "fail":
                raise JobError(f"told to fail: {words[0]}", category=Category(words[0]), reason="told")
            case "crash":
                os.kill(os.getpid(), signal.SIGKILL)
            case "kill":  # the process of that id, from inside
                os.kill(int(words[0]), signal.SIGKILL)
            case "knock":  # say that it runs, through a named pipe
                with open(words[0], "w") as pipe:
                    pipe.write(f"{ctx.job}\n")
            case "await":  # until somebody writes into this named pipe
                Path(words[0]).read_text()
            case "linger":  # long, unless somebody asks for an end
                while not ctx.cancelled:
                    time.sleep(0.01)
                raise JobError("asked to stop", category=Category.CANCELLED)
            case "spin":
                while True:
                    time.sleep(1.0)
            case "say":
                secret = os.environ[words[0]]
                print("printed", secret)
                ctx.log.warning("logged %s", secret)
                ctx.warn(f"warned of {secret}")
                metrics["told"] = f"metric {secret}"
                metrics["url"] = "https://anna:" + secret + "@example.org/x"
            case "raise":
                raise RuntimeError(f"cannot log in with {os.environ[words[0]]!r}")
            case "item":
                with ctx.item(words[0]):
                    if len(words) > 1:
                        raise DataError(words[1], reason="bad-item")
            case "metric":
                metrics[words[0]] = float(words[1])
            case _:
                raise AssertionError(verb)
    return metrics
