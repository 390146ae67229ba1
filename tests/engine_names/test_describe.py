"""User tasks are described by one child process, whatever their files do."""

from __future__ import annotations

import os
import re
import select
import subprocess
import textwrap
from pathlib import Path

import pytest

from batchlab.engine import _describe
from batchlab.engine._describe import TaskCard, card_of, describe, resolve
from batchlab.engine._task import load_user_task
from batchlab.engine._user_task import file_version
from batchlab.errors import ConfigError


@pytest.fixture
def mytasks(tmp_path):
    def write(text: str, name: str = "mytasks.py") -> Path:
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return path

    return write


def test_an_undecorated_function_is_described_by_its_arguments(mytasks):
    path = mytasks("""
        import os
        print("noise")
        os.write(1, b"noise in C")

        def measure(ctx, *, window: int = 5, label="x", factor=2):
            "Measure a leaf."
    """)
    name = f"{path}:measure"
    found = resolve({name: [{}, {"window": "7"}, {"windw": 1}, {"factor": 0.5}]})[name]
    assert found.card == TaskCard(
        name="mytasks.py:measure",
        version=file_version(path),
        inputs=(),
        outputs={},
        libraries=(),
        preload=(),
        summary="Measure a leaf.",
        any_io=True,
    )
    defaults = {"window": 5, "label": "x", "factor": 2}
    assert [each.resolved for each in found.params] == [
        *(defaults, {**defaults, "window": 7}, None, {**defaults, "factor": 0.5})
    ]
    assert "did you mean 'window'" in found.params[2].problems[0].message
    assert not (path.parent / "__pycache__").exists()


def test_surroundings_of_a_file_that_planning_does_not_import_are_not_asked(mytasks):
    path = mytasks("""
        from batchlab.engine import task

        @task(name="my.measure", version="1", surroundings=lambda params, inputs: {"a": "b"})
        def measure(ctx):
            "Mine."
    """)
    name = f"{path}:measure"
    assert resolve({name: [{}]})[name].card.surroundings is None
    assert card_of(load_user_task(name)).surroundings({}, {}) == {"a": "b"}


def test_a_declared_function_keeps_its_declaration(mytasks):
    path = mytasks("""
        from pydantic import BaseModel
        from batchlab.engine import task

        class P(BaseModel):
            window: int = 3

        @task(name="my.measure", version="7", params=P, inputs=("a",), outputs={"t": "{a}.csv"}, libraries=("numpy",))
        def measure(ctx, params):
            "Mine."
    """)
    found = resolve({f"{path}:measure": [{}]})[f"{path}:measure"]
    assert found.card == TaskCard(
        name="my.measure",
        version="7",
        inputs=("a",),
        outputs={"t": "{a}.csv"},
        libraries=("numpy",),
        preload=(),
        summary="Mine.",
        any_io=False,
    )
    assert found.params[0].resolved == {"window": 3}


def test_planning_runs_no_user_code_in_this_process(mytasks):
    path = mytasks("""
        import os
        from pathlib import Path
        Path(__file__).with_name("pid").write_text(str(os.getpid()))
        def measure(ctx): ...
        def other(ctx): ...
    """)
    found = resolve({f"{path}:measure": [{}], f"{path}:other": [{}]})
    assert all(each.card for each in found.values())
    assert int((path.parent / "pid").read_text()) != os.getpid()


def test_the_same_question_is_not_asked_twice(mytasks, monkeypatch):
    path = mytasks("def measure(ctx): ...")
    first = resolve({f"{path}:measure": [{}]})
    monkeypatch.setattr(_describe, "_run_child", lambda *a: pytest.fail("a second process was started"))
    assert resolve({f"{path}:measure": [{}]}) == first


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def measure(ctx:\n", "SyntaxError.*line 1"),
        ("x = 1\ny = 1 / 0\n", r"ZeroDivisionError.*line 2 of mytasks\.py"),
        ("import no_such_module_here\n", "ModuleNotFoundError.*line 1"),
        ("def mesure(ctx): ...\n", "no function 'measure'; did you mean 'mesure'"),
        ("raise SystemExit(3)\n", "SystemExit"),
        ("def measure(ctx, **options): ...\n", r"'\*\*options' cannot be a param"),
        ("def measure(ctx, *, x: Missing): ...\n", "annotation|Missing"),
        ("class T: ...\ndef measure(ctx, *, x: T): ...\n", "type cannot be checked"),
    ],
)
def test_a_broken_file_is_told_and_harms_no_other(mytasks, text, said):
    good = mytasks("def measure(ctx): ...", "good.py")
    bad = mytasks(text)
    found = resolve({f"{bad}:measure": [{}], f"{good}:measure": [{}]})
    assert found[f"{good}:measure"].card is not None
    assert found[f"{bad}:measure"].card is None
    assert re.search(said, found[f"{bad}:measure"].error)


def test_a_file_that_ends_the_process_is_told(mytasks):
    path = mytasks("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    with pytest.raises(ConfigError, match=r"mytasks\.py was ended by SIGSEGV"):
        resolve({f"{path}:measure": [{}]})


@pytest.mark.faults
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="processes are waited for with pidfd_open")
def test_a_file_that_never_ends_is_killed_with_its_children(mytasks, monkeypatch):
    path = mytasks("""
        import os, subprocess, sys
        from pathlib import Path
        child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        Path(__file__).with_name("ready").write_text(f"{os.getpid()} {child.pid}")
        child.wait()
    """)
    ready = path.with_name("ready")
    os.mkfifo(ready)
    alive: list[int] = []

    class Late(subprocess.Popen):
        """Comes to its time limit as soon as the file has started its own process."""

        def wait(self, timeout=None):
            if timeout is None:
                return super().wait()
            alive.extend(os.pidfd_open(int(pid)) for pid in ready.read_text().split())
            raise subprocess.TimeoutExpired(self.args, timeout)

    monkeypatch.setattr(subprocess, "Popen", Late)
    with pytest.raises(ConfigError, match=r"mytasks\.py takes longer than 60 s; move work out of the file's top level"):
        describe({f"{path}:measure": [{}]})
    assert len(alive) == 2
    for process in alive:
        ended, _, _ = select.select([process], [], [], 30)
        os.close(process)
        assert ended


def test_a_missing_file_is_told(tmp_path):
    found = resolve({f"{tmp_path}/none.py:measure": [{}]})[f"{tmp_path}/none.py:measure"]
    assert "no such Python file" in found.error


def test_equal_params_are_checked_once_and_shared(mytasks):
    path = mytasks("def measure(ctx, *, window=5): ...")
    name = f"{path}:measure"
    shared = {"window": 1}
    found = resolve({name: [shared] * 1000 + [{"window": 1}, {"window": 2}]})[name]
    assert len(found.params) == 1002
    assert len({id(each) for each in found.params}) == 2


def test_params_that_json_cannot_hold_are_refused(mytasks):
    path = mytasks("def measure(ctx, *, window=5): ...")
    with pytest.raises(ConfigError, match="plain data"):
        resolve({f"{path}:measure": [{"window": object()}]})


def test_an_unknown_task_names_the_nearest_and_raises_nothing():
    found = resolve({"no.such_task": [{}]})["no.such_task"]
    assert found.card is None
    assert "no task is called 'no.such_task'" in found.error


def test_a_worker_calls_an_undecorated_function_with_its_params(mytasks):
    path = mytasks("""
        from __future__ import annotations

        def measure(ctx, *, copy: int = 5, schema: str = "s", _hidden: float = 0.5):
            return {"ctx": ctx, "copy": copy, "schema": schema, "_hidden": _hidden}

        def alone(window=3):
            return {"window": window}
    """)
    task = load_user_task(f"{path}:measure")
    assert task.params is not None
    params = task.params.model_validate({"copy": 1, "_hidden": 2})
    assert task.function("context", params) == {"ctx": "context", "copy": 1, "schema": "s", "_hidden": 2.0}
    assert card_of(task).any_io
    alone = load_user_task(f"{path}:alone")
    assert alone.params is not None
    assert alone.function("context", alone.params()) == {"window": 3}


def test_the_version_follows_the_file(mytasks):
    one = file_version(mytasks("def measure(ctx): ..."))
    other = file_version(mytasks("def measure(ctx): pass"))
    assert one != other
    assert one.startswith("file-")
    assert len(one) == len("file-") + 16
