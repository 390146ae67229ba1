"""Tasks that behave, and tasks that do not: what the executors' tests run in real workers.

They speak with a test through named pipes: `tell` says something, `gate` waits until it may go on.
"""

from __future__ import annotations

import ctypes
import enum
import errno
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict

from batchlab.engine import JobContext, task
from batchlab.errors import Category, DataError, JobError, PlotError

FOR_EVER_S = 600
MB = 1_000_000


class Given(BaseModel):
    """What a test hands to a task."""

    model_config = ConfigDict(extra="forbid")

    tell: str | None = None
    gate: str | None = None
    how: str = ""
    text: str = ""
    count: int = 1
    seconds: float = 0.0


def _tell(given: Given, text: object) -> None:
    assert given.tell is not None
    with open(given.tell, "w") as pipe:
        pipe.write(f"{text}\n")


def _wait(given: Given) -> None:
    assert given.gate is not None
    with open(given.gate, "rb", buffering=0) as pipe:
        pipe.read(1)


# tasks that behave


@task(name="trial.value", version="1", params=Given)
def value(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """One small number, made of what the job was given."""
    return {"value": given.count * 2, "pid": os.getpid()}


@task(name="trial.scalars", version="1", params=Given)
def scalars(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Every kind of metric."""
    import numpy as np

    class Colour(enum.IntEnum):
        RED = 3

    return {
        "whole": 7,
        "real": 0.1,
        "text": "\N{GREEK SMALL LETTER MU}m\n",
        "flag": True,
        "nothing": None,
        "infinite": float("inf"),
        "narrow": np.float32(0.5),
        "wide": np.float64(1.5),
        "counted": np.int64(12),
        "true": np.bool_(True),
        "member": Colour.RED,
    }


@task(name="trial.random", version="1", params=Given)
def dice(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """A random walk that only the seed decides."""
    return {"seed": ctx.seed, "sum": sum(random.Random(ctx.seed).random() for _ in range(100))}


@task(
    name="trial.copy", version="1", params=Given, inputs=("source",), outputs={"copy": "copy.txt", "more": "more.txt"}
)
def copy(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Copy an input to an output, and to a second one where it is wanted."""
    content = ctx.input("source").read_bytes()
    ctx.output("copy").write_bytes(content)
    if ctx.wanted("more"):
        ctx.output("more").write_bytes(content * 2)
    return {"bytes": len(content)}


@task(name="trial.folder", version="1", params=Given, outputs={"figures": "figures/"})
def folder(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Files in an output folder, also in folders within."""
    made = ctx.output_dir("figures")
    (made / "b.txt").write_text("b")
    (made / "a \N{LATIN SMALL LETTER E WITH ACUTE}.txt").write_text("a")
    (made / "inner" / "deep").mkdir(parents=True)
    (made / "inner" / "deep" / "c.txt").write_text("c")
    (made / ".hidden").write_text("h")
    return {}


@task(name="trial.write", version="1", params=Given)
def write(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Write each wanted output's own name, or ask for the one that `how` names."""
    if given.how:
        ctx.output(given.how).write_text(given.how)
        return {}
    for name in sorted(ctx._attempt.outputs):
        ctx.output(name).write_text(f"content of {name}", encoding="utf-8")
    return {}


@task(name="trial.odd_output", version="1", params=Given)
def odd_output(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Leave something that is no regular file, or nothing, where the output should be."""
    path = ctx.output("figure")
    if given.how == "link":
        path.symlink_to("/etc/hostname")
    elif given.how == "folder":
        path.mkdir()
    elif given.how == "pipe":
        os.mkfifo(path)
    return {}


@task(name="trial.story", version="1", params=Given)
def story(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Stages, items and warnings, one after the other."""
    ctx.stage("load")
    for name in ("one", "two", "three"):
        with ctx.item(name):
            if name == "two":
                raise DataError(f"{name} holds no numbers", reason="not-a-spectrum")
    with ctx.stage("draw"):
        ctx.warn("the axis is empty")
        ctx.warn("the axis is empty")
    ctx.stage("save")
    warnings.warn("old numbers", UserWarning, stacklevel=1)
    return {"told": True}


@task(name="trial.warn", version="1", params=Given)
def warn(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Warn from one line of code, then hide warnings from whoever comes next."""
    for number in range(given.count):
        ctx.warn(f"warning {number}")
    warnings.warn("the same line each time", RuntimeWarning, stacklevel=1)
    warnings.simplefilter("ignore" if given.how == "hide" else "error" if given.how == "raise" else "default")
    return {}


@task(name="trial.gathered", version="1", params=Given)
def gathered(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """What earlier jobs handed over, and which files of a list are left."""
    members = ctx.gathered("results")
    return {
        "jobs": ",".join(member.job for member in members),
        "sum": sum(float(member.metrics["value"] or 0) for member in members),
        "first": members[0].outputs["table"],
        "files": ",".join(path.name for path in ctx.inputs("files")),
        "left_out": ctx.left_out("b.txt"),
    }


@task(name="trial.thumbnail", version="1", params=Given, outputs={"figure": "figure.png"})
def thumbnail(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """A figure, and its thumbnail where one is wanted."""
    ctx.output("figure").write_bytes(b"a large picture")
    small = ctx.thumbnail()
    if small is not None:
        small.write_bytes(b"a small picture")
    return {"wanted": small is not None}


@task(name="trial.talk", version="1", params=Given)
def talk(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Print and log."""
    print("printed", given.text)
    print("complained", given.text, file=sys.stderr)
    ctx.log.info("logged %s", given.text)
    os.write(1, f"written {given.text}\n".encode())
    subprocess.run([sys.executable, "-S", "-c", f"print('child {given.text}')"], check=True)
    return {}


@task(name="trial.held", version="1", params=Given)
def held(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Say which process this is, and wait."""
    _tell(given, os.getpid())
    _wait(given)
    return {"value": given.count * 2, "pid": os.getpid(), "cancelled": ctx.cancelled}


@task(name="trial.slow_story", version="1", params=Given)
def slow_story(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Wait without ever looking whether it should stop."""
    _tell(given, os.getpid())
    _wait(given)
    return {"told": True}


@task(name="trial.patient", version="1", params=Given)
def patient(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """A long loop that looks now and then whether it should stop."""
    _tell(given, os.getpid())
    until = time.monotonic() + FOR_EVER_S
    while not ctx.cancelled and time.monotonic() < until:
        time.sleep(0.005)
    return {"stopped": True}


@task(name="trial.swapped", version="1", params=Given, inputs=("source",))
def swapped(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Something happens to the input while it is read."""
    path = ctx.input("source")
    if given.how == "written":
        path.write_text("other content")
    elif given.how == "removed":
        path.unlink()
    elif given.how == "touched":
        os.utime(path, ns=(1, 1))
    elif given.how == "replaced by its equal":
        twin = path.with_suffix(".twin")
        twin.write_bytes(path.read_bytes())
        os.replace(twin, path)
    return {}


@task(name="trial.synced", version="1", params=Given, outputs={"figure": "figure.txt"})
def synced(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Tell which file is synced first after the task's end."""
    path = ctx.output("figure")
    path.write_text("to be kept")
    real = os.fsync

    def fsync(file: Any) -> None:
        os.fsync = real
        descriptor = file if isinstance(file, int) else file.fileno()
        _tell(given, os.fstat(descriptor).st_ino)
        real(descriptor)

    os.fsync = fsync  # type: ignore[assignment]
    return {"inode": path.stat().st_ino}


@task(name="trial.sleep", version="1", params=Given)
def sleep(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Take a while."""
    time.sleep(given.seconds)
    return {"value": given.count * 2}


@task(name="trial.burn", version="1", params=Given)
def burn(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Compute for some milliseconds."""
    total = 0
    for number in range(given.count):
        total = (total * 31 + number) % 1_000_003
    return {"total": total}


@task(name="trial.environment", version="1", params=Given)
def environment(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Variables that decide how many threads a library starts."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {**{name: os.environ.get(name) for name in names}, "keeper": os.getppid()}


@task(name="trial.processes", version="1", params=Given)
def processes(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """A job that has worker processes of its own."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        return {"sum": sum(pool.map(abs, [-1, -2, -3]))}


@task(name="trial.echo", version="1", params=Given)
def echo(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """How much it was given."""
    return {"length": len(given.text)}


@task(name="trial.threads", version="1", params=Given)
def threads(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Items taken up by several threads at once."""

    def work(thread: int) -> None:
        for number in range(given.count):
            with ctx.item(f"{thread}/{number}/{'x' * 500}"):
                pass

    each = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in each:
        thread.start()
    for thread in each:
        thread.join()
    return {"items": 4 * given.count}


# tasks that do not


class NeedsTwo(Exception):
    """An exception that cannot be made of its message alone."""

    def __init__(self, left: str, right: str) -> None:
        super().__init__(f"{left} and {right} differ")
        self.left, self.right = left, right


class Speechless(Exception):
    """An exception that cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Holding(Exception):
    """An exception that holds what cannot cross a process border."""

    def __init__(self) -> None:
        super().__init__("it holds a lock")
        self.lock = threading.Lock()


class OutOfTree(BaseException):
    """Not an Exception, as asyncio's CancelledError is not."""


def _raise(error: BaseException) -> Callable[[], NoReturn]:
    def act() -> NoReturn:
        raise error

    return act


def _recurse() -> None:
    _recurse()


MISDEEDS: Mapping[str, Callable[[], Any]] = {
    "value": _raise(ValueError("window is even")),
    "silent": _raise(ValueError()),
    "division": lambda: 1 // int("0"),
    "missing": lambda: open("/nowhere/reference.txt"),
    "memory": _raise(MemoryError("no room")),
    "too large": lambda: bytearray(1 << 60),
    "service": _raise(ConnectionRefusedError("no answer")),
    "disk": _raise(OSError(errno.ENOSPC, "No space left on device")),
    "unicode": lambda: b"\xff".decode("ascii"),
    "data": _raise(DataError("row 3 is short", reason="not-a-spectrum")),
    "job": _raise(JobError("no peak", category=Category.NUMERICAL, reason="no-peak")),
    "plot": _raise(PlotError("no figure")),
    "exit code": lambda: sys.exit(3),
    "exit text": lambda: sys.exit("giving up"),
    "exit quietly": lambda: sys.exit(),
    "needs two": lambda: _raise(NeedsTwo("left", "right"))(),
    "holding": lambda: _raise(Holding())(),
    "recursion": _recurse,
    "stop iteration": _raise(StopIteration("none left")),
    "group": lambda: _raise(ExceptionGroup("two at once", [ValueError("a"), TypeError("b")]))(),
    "half a character": _raise(ValueError("name \udcff")),
    "long": lambda: _raise(ValueError("x" * 3 * MB))(),
    "speechless": lambda: _raise(Speechless())(),
    "out of tree": lambda: _raise(OutOfTree("stopped from within"))(),
}


@task(name="trial.misbehave", version="1", params=Given)
def misbehave(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Fail in the way that `how` names."""
    ctx.stage("misdeed")
    MISDEEDS[given.how]()
    return {}


class _Item:
    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape


def _generate() -> Iterator[int]:
    yield 1


ANSWERS: Mapping[str, Callable[[], Any]] = {
    "list": lambda: {"fine": 1, "peaks": [1, 2]},
    "mapping": lambda: {"fine": 1, "peaks": {"a": 1}},
    "complex": lambda: {"fine": 1, "peaks": 1j},
    "bytes": lambda: {"fine": 1, "peaks": b"1"},
    "object": lambda: {"fine": 1, "peaks": object()},
    "lambda": lambda: {"fine": 1, "peaks": lambda: 1},
    "lock": lambda: {"fine": 1, "peaks": threading.Lock()},
    "generator": lambda: {"fine": 1, "peaks": _generate()},
    "file": lambda: {"fine": 1, "peaks": sys.__stderr__},
    "class": lambda: {"fine": 1, "peaks": int},
    "shape": lambda: {"fine": 1, "peaks": _Item((2,))},
    "number as name": lambda: {"fine": 1, 3: 4},
    "not a mapping": lambda: [("peaks", 1)],
    "a number": lambda: 42,
}


@task(name="trial.answer", version="1", params=Given)
def answer(ctx: JobContext, given: Given) -> Any:
    """Return what is no mapping of metrics."""
    return ANSWERS[given.how]()


def _null_read() -> None:
    ctypes.string_at(0)


def _stop_itself() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _signal(number: int) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


DEATHS: Mapping[str, Callable[[], Any]] = {
    "SIGKILL": _signal(signal.SIGKILL),
    "SIGTERM": _signal(signal.SIGTERM),
    "SIGSEGV": _null_read,
    "SIGABRT": os.abort,
    "exit-3": lambda: os._exit(3),
    "exit-0": lambda: os._exit(0),
}


@task(name="trial.die", version="1", params=Given)
def die(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """End the process that runs it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print("last words:", given.text)
    sys.stderr.write("and one more")
    DEATHS[given.how]()
    return {}


@task(name="trial.moody", version="1", params=Given)
def moody(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Mostly quick; now and then it dies or hangs."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if given.tell:
        _tell(given, os.getpid())
    if given.gate:
        _wait(given)
    if given.how:
        {**DEATHS, **HANGS}[given.how]()
    return {"value": given.count * 2, "pid": os.getpid()}


@task(name="trial.die_in_item", version="1", params=Given)
def die_in_item(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Die, or hang, over the second of three files."""
    for name in ("a", "b", "c"):
        with ctx.item(name):
            if name == "b" and not ctx.left_out(name):
                DEATHS.get(given.how, _sleep_for_ever)()
    return {}


def _sleep_for_ever() -> None:
    time.sleep(FOR_EVER_S)


def _sleep_in_c() -> None:
    ctypes.PyDLL(None).sleep(FOR_EVER_S)  # PyDLL keeps the interpreter's lock


def _spin() -> None:
    until = time.monotonic() + FOR_EVER_S
    while time.monotonic() < until:
        pass


def _ignore_and_sleep() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _sleep_for_ever()


def _swallow_all() -> None:
    until = time.monotonic() + FOR_EVER_S
    while time.monotonic() < until:
        try:
            time.sleep(FOR_EVER_S)
        except BaseException:  # noqa: BLE001 - the point of it
            continue


HANGS: Mapping[str, Callable[[], Any]] = {
    "python": _sleep_for_ever,
    "busy": _spin,
    "c with the interpreter's lock": _sleep_in_c,
    "signals ignored": _ignore_and_sleep,
    "exceptions swallowed": _swallow_all,
    "stopped": _stop_itself,
}


def _child(**options: Any) -> int:
    command = [sys.executable, "-S", "-c", f"import time; time.sleep({FOR_EVER_S})"]
    return subprocess.Popen(command, **options).pid


def _daemon() -> int:
    """A grandchild in a session of its own, whose parent has ended."""
    code = (
        "import os, subprocess, sys;"
        f"p = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep({FOR_EVER_S})'],"
        " start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL);"
        "print(p.pid, flush=True); os._exit(0)"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], stdout=subprocess.PIPE, check=True)
    return int(done.stdout)


OFFSPRING: Mapping[str, Callable[[], int]] = {
    "child": _child,
    "session": lambda: _child(start_new_session=True),
    "daemon": _daemon,
}


@task(name="trial.hang", version="1", params=Given)
def hang(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Tell the ids of this process and of the children that `text` names; then hang as `how` says."""
    pids = [os.getpid(), *(OFFSPRING[kind]() for kind in given.text.split())]
    if given.tell:
        _tell(given, " ".join(map(str, pids)))
    ctx.stage("hang")
    HANGS[given.how]()
    return {}


@task(name="trial.leave", version="1", params=Given)
def leave(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Start the children that `text` names, then return, or die as `how` says."""
    pids = [OFFSPRING[kind]() for kind in given.text.split()]
    _tell(given, " ".join(map(str, pids)))
    if given.how:
        DEATHS[given.how]()
    return {"pids": " ".join(map(str, pids))}


@task(name="trial.large", version="1", params=Given)
def large(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """An answer of `count` bytes; `how` says what happens while it is sent."""
    if given.how == "file limit":  # the system ends the process when a file grows beyond this
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (given.count // 5, given.count // 5))
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    elif given.how == "killed soon":
        threading.Timer(0.3, _signal(signal.SIGKILL)).start()
        _tell(given, os.getpid())
    with ctx.item("one"):
        raise DataError("no numbers", reason="not-a-spectrum")
    ctx.warn("the answer is large")
    if ctx.wanted("figure"):
        ctx.output("figure").write_text("seen")
    extremes = {"infinite": float("-inf"), "half": "\udcff", "whole": 2**70, "nothing": None, "flag": True}
    return {"text": "x" * given.count, **extremes}


@task(name="trial.swell", version="1", params=Given)
def swell(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Use more and more memory, up to `count` MB, itself or by a child."""
    code = (
        "import time\nheld = []\n"
        f"for _ in range({given.count} // 20):\n    held.append(b'x' * 20_000_000)\n    time.sleep(0.02)\n"
        f"time.sleep({FOR_EVER_S})\n"
    )
    ctx.stage("swell")
    if given.how == "child":
        subprocess.run([sys.executable, "-S", "-c", code], check=True)
    else:
        exec(code, {})
    return {}


@task(name="trial.use", version="1", params=Given)
def use(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Use `count` MB of memory for a moment."""
    return {"held": len(b"x" * (given.count * MB))}


@task(name="trial.large_held", version="1", params=Given)
def large_held(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Hold `count` MB and wait."""
    held = b"x" * (given.count * MB)
    time.sleep(0.2)  # beyond any poll that is due for the job before
    _tell(given, os.getpid())
    _wait(given)
    return {"held": len(held)}


@task(name="trial.staged", version="1", params=Given)
def staged(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Quick in one stage, hanging in the next."""
    with ctx.stage("load"):
        pass
    with ctx.stage("draw"):
        time.sleep(FOR_EVER_S)
    return {}


@task(name="trial.shout", version="1", params=Given)
def shout(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Print `count` MB, from Python, from C or from a child."""
    print("the first line")
    line = "x" * 999_999 + "\n"
    if given.how == "python":
        for _ in range(given.count):
            print(line, end="")
    elif given.how == "c":
        for _ in range(given.count):
            rest = line.encode()
            while rest:
                rest = rest[os.write(1, rest) :]
    elif given.how == "child":
        code = f"import os\nfor _ in range({given.count}): os.write(1, b'x' * 999_999 + b'\\n')"
        subprocess.run([sys.executable, "-S", "-c", code], check=True)
    print("the last line")
    return {"said": given.count}


@task(name="trial.shut", version="1", params=Given)
def shut(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Close what belongs to the worker."""
    if given.how == "all":
        os.closerange(0, 4096)
    elif given.how == "beyond standard":
        os.closerange(3, 4096)
    elif given.how == "standard":
        os.closerange(0, 3)
    elif given.how == "stdout":
        sys.stdout.close()
    elif given.how == "no stdout":
        sys.stdout = None  # type: ignore[assignment]
    return {"shut": given.how}


@task(name="trial.disturb", version="1", params=Given)
def disturb(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Change what belongs to the process, as `how` says."""
    if given.how == "folder":
        os.chdir(ctx.scratch)
    elif given.how == "umask":
        os.umask(0o777)
    elif given.how == "alarm":
        signal.setitimer(signal.ITIMER_REAL, 0.2)
    return {}


@task(name="trial.forked", version="1", params=Given)
def forked(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """A job whose own fork forgets to end itself."""
    os.fork()
    return {"value": 1}


@task(name="trial.family", version="1", params=Given)
def family(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """Start children, tell the ids of this process, its parent and them, and wait."""
    pids = [os.getpid(), os.getppid(), *(OFFSPRING[kind]() for kind in given.text.split())]
    _tell(given, " ".join(map(str, pids)))
    _sleep_for_ever()
    return {}


@task(name="trial.where", version="1", params=Given, outputs={"figure": "figure.txt"})
def where(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """What a job sees of the process it runs in."""
    path = ctx.output("figure")
    path.write_text("seen")
    time.sleep(given.seconds)
    return {"mode": path.stat().st_mode & 0o777, "folder": os.getcwd()}


@task(name="trial.descriptors", version="1", params=Given)
def descriptors(ctx: JobContext, given: Given) -> Mapping[str, Any]:
    """How many files its process holds open."""
    return {"open": len(os.listdir("/proc/self/fd")), "pid": os.getpid()}
