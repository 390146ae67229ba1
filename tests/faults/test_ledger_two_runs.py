"""Two runs at once on one output folder: one of them works, the other is told so."""

import json
import os
import selectors
import signal
import subprocess
import sys
import textwrap

import pytest

from batchlab.engine import read_view, run
from batchlab.engine._lease import Lease
from batchlab.engine._ledger import Ledger
from batchlab.errors import StartError
from tests.engine.toys import act, batch

STARTS = int(os.environ.get("BATCHLAB_TWO_RUNS_STARTS", "50"))

CONTENDER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from batchlab.engine import inline, run
    from batchlab.engine import _task
    from batchlab.errors import StartError
    from tests.engine.toys import act, batch

    print("ready", flush=True)
    for line in sys.stdin:
        root, gate, knock = line.split()
        # Whoever runs tells so, and holds on until the other was refused.
        made = batch(Path(root), [act("a", ["knock", knock], ["await", gate])])
        try:
            result = run(made, executor=inline, install_signal_handlers=False)
            print("won" if result.exit_code == 0 else "broke", flush=True)
        except StartError as error:
            print("refused", "is being run by process" in str(error), error, flush=True)
        except Exception as error:
            print("broke", type(error), error, flush=True)
    """
)


@pytest.fixture
def contenders():
    two = [
        subprocess.Popen([sys.executable, "-c", CONTENDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for each in two:
        assert each.stdout.readline() == "ready\n"
    yield two
    for each in two:
        each.stdin.close()
        each.stdout.close()
        each.wait(30)


def test_of_two_that_start_at_once_exactly_one_runs(tmp_path, contenders):
    """Row: two runs on one ledger, started at the same time again and again, on a folder that is new to both."""
    for start in range(STARTS):
        root, gate, knock = tmp_path / f"out{start}", tmp_path / f"gate{start}", tmp_path / f"knock{start}"
        os.mkfifo(gate)
        os.mkfifo(knock)
        for each in contenders:
            each.stdin.write(f"{root} {gate} {knock}\n")
            each.stdin.flush()
        assert knock.read_text() == "a\n"  # one of them runs the job
        first, second = contenders
        # The other has to give up by itself, for the runner is held at its gate.
        with selectors.DefaultSelector() as selector:
            for each in contenders:
                selector.register(each.stdout, selectors.EVENT_READ, each)
            ((key, _), *more) = selector.select(30)
        assert not more
        refused = key.data
        answer = refused.stdout.readline()
        assert answer.startswith("refused True"), answer
        gate.write_text("go\n")
        winner = second if refused is first else first
        assert winner.stdout.readline() == "won\n"
        view = read_view(root)
        assert (view.counts["done"], len(view.runs)) == (1, 1)


def test_a_second_start_on_a_living_run_leaves_it_alone(tmp_path):
    made = batch(tmp_path / "out", [act("a")])
    run(made)
    ledger = Ledger(tmp_path / "out/.batchlab/ledger.sqlite")
    lease = Lease(ledger)
    lease.acquire()
    with pytest.raises(StartError, match=f"process {os.getpid()}"):
        run(made)
    lease.release()
    ledger.close()
    assert run(made).found_done == 1


def test_another_batch_is_kept_out_of_the_folder(tmp_path):
    run(batch(tmp_path / "out", [act("a")]))
    with pytest.raises(StartError, match="belongs to the batch 'toys'"):
        run(batch(tmp_path / "out", [act("a")], name="others"))


KILLED_WHILE_STARTING = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from batchlab.engine import inline, run
    from batchlab.engine import _ledger, _lease, _run
    from tests.engine.toys import act, batch

    target, name = sys.argv[2].split(":")
    module = {"_ledger": _ledger.Ledger, "_lease": _lease.Lease, "_run": _run}[target]
    real = getattr(module, name)

    def die(*args, **more):
        if sys.argv[3] == "after":
            real(*args, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(module, name, die)
    run(batch(Path(sys.argv[1]), [act("a")]), executor=inline)
    """
)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "where", ["_ledger:_prepare", "_ledger:_enter_wal", "_lease:acquire", "_run:recall", "_run:_keep_reserve"]
)
def test_killed_while_starting_and_started_again(tmp_path, where, when):
    """Row: a stale lock: whatever a start leaves behind when it is killed, the next one needs no help."""
    root = tmp_path / "out"
    ended = subprocess.run([sys.executable, "-c", KILLED_WHILE_STARTING, str(root), where, when], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert run(batch(root, [act("a")])).exit_code == 0


def test_a_ledger_that_is_none_is_refused_and_left_as_it_is(tmp_path):
    own = tmp_path / "out/.batchlab"
    own.mkdir(parents=True)
    (own / "ledger.sqlite").write_text("these are my notes, and no ledger" * 100)
    with pytest.raises(StartError, match="ledger"):
        run(batch(tmp_path / "out", [act("a")]))
    with pytest.raises(StartError, match="ledger"):
        read_view(tmp_path / "out")
    assert (own / "ledger.sqlite").read_text().startswith("these are my notes")


def test_nothing_but_json_numbers_and_texts_lies_in_a_ledger(tmp_path):
    """Row: pickles: none at rest, and none made but for the workers' own sockets."""
    import ast
    import sqlite3
    from pathlib import Path

    import batchlab

    for file in Path(batchlab.__file__).parent.rglob("*.py"):
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            names = [a.name for a in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            module = getattr(node, "module", None) or ""
            if {"pickle", "shelve", "marshal", "dill", "cloudpickle", "joblib"} & {*names, module.split(".")[0]}:
                assert file.parent.name == "engine" and file.stem in ("_wire", "_pool", "_worker"), file
    run(
        batch(
            tmp_path / "out",
            [act("a", ["write", "x"], ["metric", "nan", "nan"], file="a.txt"), act("b", ["fail", "generic"])],
            retries=0,
        )
    )
    with sqlite3.connect(tmp_path / "out/.batchlab/ledger.sqlite") as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for table in tables:
            for row in db.execute(f"SELECT * FROM {table}"):
                assert all(value is None or isinstance(value, int | float | str) for value in row)
        for text in db.execute("SELECT metrics FROM job"):
            assert isinstance(json.loads(text[0]), dict)
    db.close()
    assert {"job", "attempt", "output", "lease"} <= set(tables)
