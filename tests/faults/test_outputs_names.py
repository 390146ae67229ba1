"""Names of outputs: equal ones, foreign ones, hostile ones."""

import multiprocessing
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchlab.engine import Conflict, From, Gather, Job, inline, plan, read_view, run
from batchlab.engine._digest import file_digest
from batchlab.engine._promote import Move, Mover
from batchlab.errors import ConfigError, JobError, StartError
from tests.engine.toys import act, batch

COMPOSED = unicodedata.normalize("NFC", "Säure.txt")
DECOMPOSED = unicodedata.normalize("NFD", "Säure.txt")


def two(first: str, second: str, **changes):
    outputs = [{"folder" if path.endswith("/") else "file": path} for path in (first, second)]
    return [act("one", outputs=outputs[0], **changes), act("two", outputs=outputs[1])]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a.txt", "a.txt"),
        ("a.txt", "A.TXT"),
        (COMPOSED, DECOMPOSED),
        ("Straße.txt", "STRASSE.txt"),
        ("figs/", "figs/"),
        ("figs/", "FIGS/"),
        ("figs/", "figs/a.txt"),
        ("figs/deep/a.txt", "figs/"),
        ("figs", "figs/"),
        ("figs", "figs/a.txt"),
        ("figs/", "figs/sub/"),
    ],
)
def test_two_jobs_that_would_write_one_file_are_refused_before_anything_runs(tmp_path, toys_traced, first, second):
    """Row: two jobs claim the same output, also where only the case or the Unicode form differs."""
    with pytest.raises(ConfigError) as error:
        run(batch(tmp_path / "out", two(first, second)), executor=inline)
    assert "one" in str(error.value) and "two" in str(error.value)
    assert toys_traced.count() == {}


@pytest.mark.parametrize(
    ("first", "second"), [("a.txt", "b.txt"), ("figs/", "figs2/"), ("figs.d/a.txt", "figs"), ("a/b.txt", "b/b.txt")]
)
def test_names_that_only_look_alike_are_two(tmp_path, first, second):
    assert len(plan(batch(tmp_path / "out", two(first, second))).jobs) == 2


ASTRAY = [
    "../x.txt", "a/../../x.txt", "/etc/x.txt", "..", ".", "", "a//b.txt", "a/./b.txt", ".batchlab/ledger.sqlite",
    ".Batchlab/x", ".batchlab./x", "a\x00b", "a\nb", "x/../y", "./x", "//x", "caf\udce9",
]  # fmt: skip


@pytest.mark.parametrize("target", ASTRAY)
@pytest.mark.parametrize("conflict", [Conflict.FAIL, Conflict.OVERWRITE])
def test_outputs_that_lead_astray_are_refused_in_the_plan(tmp_path, target, conflict):
    """Row: path traversal: the output of a job made by hand stays below the output root and out of the engine's own."""
    with pytest.raises(ConfigError, match="below the output folder"):
        plan(batch(tmp_path / "out", [act("a", file=target)], conflict=conflict))


NAMES = [
    "-leading",
    " space",
    "a b.txt",
    "ünï.txt",
    "日本語.txt",
    "con.txt",
    "a:b.txt",
    "😀.png",
    "x" * 255,
    "~root",
    "$HOME",
    "{a}",
    "a'b\".txt",
    "<b>",
]


def test_strange_names_come_out_as_they_were_given(tmp_path):
    """Row: Unicode, spaces, leading dashes, 255 bytes."""
    jobs = [act(f"job {name}\n", ["write", name], file=name) for name in NAMES]
    assert run(batch(tmp_path / "out", jobs)).exit_code == 0
    assert {p.name: p.read_text() for p in (tmp_path / "out").iterdir() if p.is_file()} == {n: n for n in NAMES}
    assert run(batch(tmp_path / "out", jobs)).found_done == len(NAMES)


def test_a_name_too_long_for_the_disk_costs_that_job(tmp_path):
    jobs = [act("long", ["write", "x"], file="x" * 256), act("good", ["write", "x"], file="good.txt")]
    assert run(batch(tmp_path / "out", jobs), executor=inline).exit_code == 1
    assert {j.name: str(j.state) for j in read_view(tmp_path / "out").jobs} == {"long": "failed", "good": "done"}


JOB_NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@settings(max_examples=25, deadline=None)
@given(names=st.lists(JOB_NAMES, min_size=1, max_size=4, unique=True))
def test_any_job_name_is_kept_and_leads_nowhere(tmp_path_factory, names):
    root = tmp_path_factory.mktemp("names") / "out"
    jobs = [act(name, file=f"{at}.txt", n=at) for at, name in enumerate(names)]
    acts = [["write", "x"]]
    jobs = [Job(name=j.name, task=j.task, params={**j.params, "acts": acts}, outputs=j.outputs) for j in jobs]
    run(batch(root, jobs), executor=inline)
    assert [job.name for job in read_view(root).jobs] == names
    assert sorted(p.name for p in root.iterdir()) == sorted([".batchlab", *(f"{at}.txt" for at in range(len(names)))])
    assert sorted(p.name for p in root.parent.iterdir()) == ["out"]


def test_a_link_in_the_output_folder_leads_no_output_out_of_it(tmp_path):
    """Row: symlink escape: looked at when the output is put in place, whatever lay there when it was planned."""
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "out"
    root.mkdir()
    (root / "link").symlink_to(outside)
    (root / "dangling").symlink_to(tmp_path / "nowhere")
    jobs = [
        act("through", ["write", "x"], file="link/a.txt"),
        act("deeper", ["write", "x"], file="link/sub/a.txt"),
        act("dangling", ["write", "x"], file="dangling/a.txt"),
        act("good", ["write", "x"], file="real/a.txt"),
    ]
    run(batch(root, jobs), executor=inline)
    view = {job.name: job for job in read_view(root).jobs}
    assert {name: str(job.state) for name, job in view.items()} == {
        "through": "failed",
        "deeper": "failed",
        "dangling": "failed",
        "good": "done",
    }
    assert {view[name].category for name in ("through", "deeper", "dangling")} == {"output"}
    assert list(outside.iterdir()) == []
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_that_becomes_a_link_during_the_run_is_noticed(tmp_path):
    root, outside = tmp_path / "out", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    mover = Mover(str(root), Conflict.FAIL)
    assert mover.place([move_of(tmp_path, "first", "sub/1.txt")])
    (root / "sub").rename(root / "was")
    (root / "sub").symlink_to(outside)
    with pytest.raises(JobError, match="leads out"):
        mover.place([move_of(tmp_path, "second", "sub/2.txt")])
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("name", ["", "scratch", "logs", "commands", "thumbnails", "reserve", "ledger.sqlite"])
def test_links_prepared_in_the_engines_own_folder_are_refused_and_nothing_behind_them_is_touched(tmp_path, name):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").mkdir()
    (outside / "precious" / "thesis.txt").write_text("ten years of work")
    own = tmp_path / "out/.batchlab"
    own.parent.mkdir()
    if name:
        own.mkdir()
        (own / name).symlink_to(outside)
    else:
        own.symlink_to(outside)
    with pytest.raises(StartError, match="link"):
        run(batch(tmp_path / "out", [act("a")]), executor=inline)
    assert (outside / "precious" / "thesis.txt").read_text() == "ten years of work"
    assert [p.name for p in outside.iterdir()] == ["precious"]


def test_a_link_in_place_of_a_log_is_not_followed(tmp_path, monkeypatch):
    from batchlab.engine import slug

    monkeypatch.setenv("SOME_WORD", "hello world")
    made = batch(tmp_path / "out", [act("a", ["say", "SOME_WORD"])])
    logs = tmp_path / "out/.batchlab/logs"
    logs.mkdir(parents=True)
    victim = tmp_path / "victim.txt"
    victim.write_text("precious")
    (logs / f"{slug('a')}.log").symlink_to(victim)
    assert run(made).exit_code == 0
    assert victim.read_text() == "precious"


def move_of(tmp_path: Path, content: str, path: str, *, own: bool = False, folder: str = "scratch") -> Move:
    scratch = tmp_path / folder
    scratch.mkdir(exist_ok=True)
    file = scratch / f"{content}-{path.replace('/', '_')}"
    file.write_text(content)
    return Move(
        name="file",
        path=path,
        target=path,
        digest=file_digest(str(file)),
        bytes=len(content),
        scratch=str(file),
        own=own,
    )


def test_a_foreign_file_that_comes_while_the_job_runs_is_never_replaced(tmp_path):
    """Row: the output exists: settled at the moment of promotion, not by looking first."""
    root = tmp_path / "out"
    for conflict, expected in [
        (Conflict.FAIL, {"a.txt": "foreign"}),
        (Conflict.SKIP, {"a.txt": "foreign"}),
        (Conflict.AUTO_INCREMENT, {"a.txt": "foreign", "a_001.txt": "mine"}),
        (Conflict.OVERWRITE, {"a.txt": "mine"}),
    ]:
        folder = root / conflict
        folder.mkdir(parents=True)
        (folder / "a.txt").write_text("foreign")
        mover = Mover(str(folder), conflict)
        if conflict is Conflict.FAIL:
            with pytest.raises(JobError, match="somebody else"):
                mover.place([move_of(tmp_path, "mine", "a.txt")])
        else:
            placed = mover.place([move_of(tmp_path, "mine", "a.txt")])
            assert (placed is None) == (conflict is Conflict.SKIP)
        assert {p.name: p.read_text() for p in folder.iterdir()} == expected


def test_of_several_outputs_all_or_none_is_put_in_place(tmp_path):
    root = tmp_path / "out"
    root.mkdir()
    (root / "b.txt").write_text("foreign")
    moves = [move_of(tmp_path, "mine", name) for name in ("a.txt", "b.txt", "c.txt")]
    with pytest.raises(JobError):
        Mover(str(root), Conflict.FAIL).place(moves)
    assert {p.name: p.read_text() for p in root.iterdir()} == {"b.txt": "foreign"}


def contend(root: str, number: int, start, rounds: int) -> None:
    scratch = Path(root).parent
    mover = Mover(root, Conflict.AUTO_INCREMENT, durable=False)
    for at in range(rounds):
        moves = [move_of(scratch, f"{number}", f"{at}.txt", folder=f"scratch{number}")]
        start.wait(60)
        assert mover.place(moves) is not None


def test_eight_processes_that_race_for_a_name_each_get_their_own(tmp_path):
    """Row: the output exists: eight at once, on names that none has looked at before."""
    context = multiprocessing.get_context("fork")
    root = tmp_path / "out"
    root.mkdir()
    rounds = 20
    start = context.Barrier(8)
    racers = [context.Process(target=contend, args=(str(root), n, start, rounds)) for n in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(60)
    assert [racer.exitcode for racer in racers] == [0] * 8
    for at in range(rounds):
        names = [f"{at}.txt", *(f"{at}_{n:03d}.txt" for n in range(1, 8))]
        assert sorted((root / name).read_text() for name in names) == sorted(map(str, range(8)))
    assert len(list(root.iterdir())) == 8 * rounds


def test_a_name_that_another_job_had_to_take_is_left_to_it(tmp_path, monkeypatch):
    """A job that found its name taken took the next free one; the job that was meant to have that goes further."""
    root = tmp_path / "out"
    jobs = [act("one", ["write", "one"], file="a.txt"), act("two", ["write", "two"], file="a_001.txt")]
    from batchlab.engine._placing import Placing

    moves = Placing.moves

    def foreign_file_appears(self, case, event):
        if case.job.name == "one":
            (root / "a.txt").write_text("foreign")
        return moves(self, case, event)

    monkeypatch.setattr(Placing, "moves", foreign_file_appears)
    run(batch(root, jobs, conflict=Conflict.AUTO_INCREMENT), executor=inline)
    texts = {p.name: p.read_text() for p in root.iterdir() if p.is_file()}
    assert sorted(texts.values()) == ["foreign", "one", "two"]
    placed = {job.name: job.outputs[0].path for job in read_view(root).jobs}
    assert {texts[path]: name for name, path in placed.items()} == {"one": "one", "two": "two"}
    assert run(batch(root, jobs, conflict=Conflict.AUTO_INCREMENT), executor=inline).found_done == 2


def test_foreign_files_and_what_each_strategy_makes_of_them(tmp_path):
    for conflict in Conflict:
        root = tmp_path / conflict
        root.mkdir()
        (root / "a.txt").write_text("foreign")
        jobs = [act("a", ["write", "mine"], file="a.txt"), act("b", ["write", "mine"], file="b.txt")]
        result = run(batch(root, jobs, conflict=conflict), executor=inline)
        states = {job.name: str(job.state) for job in read_view(root).jobs}
        expected = {Conflict.FAIL: "failed", Conflict.SKIP: "skipped"}.get(conflict, "done")
        assert states == {"a": expected, "b": "done"}, conflict
        assert result.exit_code == (1 if conflict is Conflict.FAIL else 0)
        kept = (root / "a.txt").read_text()
        assert kept == ("mine" if conflict is Conflict.OVERWRITE else "foreign")
        again = run(batch(root, jobs, conflict=conflict), executor=inline)
        assert again.found_done == (1 if expected in ("failed", "skipped") else 2)
        assert len(list(root.glob("*.txt"))) == (3 if conflict in (Conflict.AUTO_INCREMENT, Conflict.TIMESTAMP) else 2)


def test_many_foreign_files_do_not_stop_the_others(tmp_path):
    root = tmp_path / "out"
    root.mkdir()
    jobs = [act(f"{n}", ["write", "mine"], file=f"{n}.txt") for n in range(12)]
    for n in range(8):
        (root / f"{n}.txt").write_text("foreign")
    run(batch(root, jobs), executor=inline)
    counts = read_view(root).counts
    assert (counts["failed"], counts["done"], counts["pending"]) == (8, 4, 0)


def test_equal_names_are_numbered_in_job_order_files_and_folders_alike(tmp_path):
    jobs = [act(f"f{n}", ["write", str(n)], file="a.txt") for n in range(3)]
    jobs += [act(f"d{n}", ["fill", f"{n}.txt"], outputs={"folder": "figs/"}) for n in range(3)]
    made = batch(tmp_path / "out", jobs, conflict=Conflict.AUTO_INCREMENT)
    assert run(made).exit_code == 0
    found = {str(p.relative_to(tmp_path / "out")): p.read_text() for p in (tmp_path / "out").rglob("*.txt")}
    assert found == {
        "a.txt": "0",
        "a_001.txt": "1",
        "a_002.txt": "2",
        "figs/0.txt": "0.txt",
        "figs_001/1.txt": "1.txt",
        "figs_002/2.txt": "2.txt",
    }
    assert run(made).found_done == 6


def test_inputs_that_earlier_jobs_do_not_make_are_refused_in_the_plan(tmp_path):
    maker = act("maker", ["fill", "x"], file="a.txt", outputs={"folder": "figs/"})

    def wants(**given):
        return Job(name="user", task="toy.double", inputs={"made": From(**given)})

    for how, told in [
        ({"jobs": ("maker",), "output": "fil"}, "did you mean 'file'"),
        ({"jobs": ("maker",)}, "does not make"),
        ({"jobs": ("maker",), "output": "folder"}, "a folder"),
        ({"jobs": ("maker", "other"), "output": "file"}, "comes from 2 jobs"),
        ({"jobs": (), "output": "file"}, "comes from 0 jobs"),
    ]:
        with pytest.raises(ConfigError, match=told):
            plan(batch(tmp_path / "out", [maker, act("other"), wants(**how)]))
    gather = Job(name="user", task="toy.table", inputs={"members": From(jobs=("maker",), gather=Gather.DONE)})
    assert len(plan(batch(tmp_path / "out", [maker, gather])).jobs) == 2


def test_a_renamed_output_moves_and_the_old_file_goes(tmp_path):
    root = tmp_path / "out"
    run(batch(root, [act("a", ["write", "x"], file="old.txt")]), executor=inline)
    run(batch(root, [act("a", ["write", "x"], file="new.txt")]), executor=inline)
    assert [p.name for p in root.glob("*.txt")] == ["new.txt"]
    (root / "new.txt").write_text("edited by hand")
    run(batch(root, [act("a", ["write", "x"], file="newer.txt")]), executor=inline)
    assert sorted(p.name for p in root.glob("*.txt")) == ["new.txt", "newer.txt"], "what is not ours any more stays"


def test_two_jobs_that_swap_their_outputs(tmp_path):
    root = tmp_path / "out"
    run(batch(root, [act("a", ["write", "a"], file="x.txt"), act("b", ["write", "b"], file="y.txt")]), executor=inline)
    swapped = batch(root, [act("a", ["write", "a"], file="y.txt"), act("b", ["write", "b"], file="x.txt")])
    assert run(swapped, executor=inline).exit_code == 0
    assert {p.name: p.read_text() for p in root.glob("*.txt")} == {"x.txt": "b", "y.txt": "a"}
    assert run(swapped, executor=inline).found_done == 2


def test_names_inside_a_folder_that_are_no_text_cost_that_job(tmp_path):
    bad = os.fsdecode(b"caf\xe9.txt")
    jobs = [
        act("bad", ["fill", bad], outputs={"folder": "many/"}),
        act("good", ["fill", "x"], outputs={"folder": "fine/"}),
    ]
    run(batch(tmp_path / "out", jobs), executor=inline)
    view = read_view(tmp_path / "out").jobs
    assert [(str(j.state), j.reason) for j in view] == [("failed", "bad-name"), ("done", None)]
