"""Any history of edits, lost files and crashes: a run brings the batch to where a direct computation stands."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from batchlab.engine import Batch, Conflict, Durability, From, Gather, Job, Settings, inline, plan, read_view, run
from batchlab.engine._lease import Lease
from batchlab.engine._ledger import Ledger
from batchlab.engine._records import Records

NUMBERS = st.lists(st.integers(0, 9), min_size=1, max_size=3)
NAMES = st.sampled_from(["ant", "bee", "cow", "dog"])


class Crash(BaseException):
    """The process ends here."""


class Batches(RuleBasedStateMachine):
    """A batch of sums, of doubles of some of them, and a table of all; the model is plain arithmetic."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        self.root = self.folder / "out"
        self.patches: list[tuple[object, str, object]] = []
        self.put(Lease, "acquire", _take)

    def put(self, owner: object, name: str, value: object) -> None:
        self.patches.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    def teardown(self) -> None:
        for owner, name, value in reversed(self.patches):
            setattr(owner, name, value)
        shutil.rmtree(self.folder)

    @initialize()
    def begin(self) -> None:
        self.numbers: dict[str, list[int]] = {}  # by file
        self.adds: dict[str, int] = {}  # by job: what it adds
        self.reads: dict[str, str] = {}  # by job: its file
        self.places: dict[str, str] = {}  # by job: its output
        self.doubled: set[str] = set()
        self.settled = False  # nothing was touched since a run came to its end
        self.flush = 1
        self.edit_file("a", [1])
        self.add_job("ant", "a", 0)

    # edits

    @rule(file=st.sampled_from("ab"), numbers=NUMBERS)
    def edit_file(self, file: str, numbers: list[int]) -> None:
        self.numbers[file] = numbers
        (self.folder / f"{file}.txt").write_text(" ".join(map(str, numbers)))
        self.settled = False

    @rule(name=NAMES, file=st.sampled_from("ab"), add=st.integers(0, 3))
    def add_job(self, name: str, file: str, add: int) -> None:
        if file in self.numbers:
            self.adds[name], self.reads[name] = add, file
            if name not in self.places:
                places = (f"{name}{number}.sum" for number in range(99))
                self.places[name] = next(place for place in places if place not in self.places.values())
            self.settled = False

    @rule(name=NAMES)
    def remove_job(self, name: str) -> None:
        if name in self.adds and len(self.adds) > 1:
            for known in (self.adds, self.reads, self.places):
                del known[name]
            self.doubled.discard(name)
            self.settled = False

    @rule(old=NAMES, new=NAMES)
    def rename_job(self, old: str, new: str) -> None:
        if old in self.adds and new not in self.adds:
            for known in (self.adds, self.reads, self.places):
                known[new] = known.pop(old)
            self.doubled.discard(old)
            self.settled = False

    @rule(one=NAMES, other=NAMES)
    def swap_outputs(self, one: str, other: str) -> None:
        if one in self.adds and other in self.adds:
            self.places[one], self.places[other] = self.places[other], self.places[one]
            self.settled = False

    @rule(name=NAMES, place=st.sampled_from(["x.sum", "deep/y.sum"]))
    def move_output(self, name: str, place: str) -> None:
        if name in self.adds and place not in self.places.values():
            self.places[name] = place
            self.settled = False

    @rule(name=NAMES)
    def double(self, name: str) -> None:
        if name in self.adds:
            self.doubled ^= {name}
            self.settled = False

    @rule(flush=st.sampled_from([1, 3, 100]))
    def flush_together(self, flush: int) -> None:
        self.flush = flush

    # what others do to the files

    @rule(data=st.data(), how=st.sampled_from(["remove", "change"]))
    def touch_output(self, data: st.DataObject, how: str) -> None:
        files = [p for p in sorted(self.root.rglob("*")) if p.is_file() and ".batchlab" not in p.parts]
        if files:
            file = data.draw(st.sampled_from(files))
            if how == "remove":
                file.unlink()
            else:
                file.write_text("touched by hand")
            self.settled = False

    # running

    def batch(self) -> Batch:
        jobs = [
            Job(
                name=name,
                task="toy.add",
                params={"add": self.adds[name]},
                inputs={"numbers": str(self.folder / f"{self.reads[name]}.txt")},
                outputs={"sum": self.places[name]},
            )
            for name in sorted(self.adds)
        ]
        for name in sorted(self.doubled):
            made = From(jobs=(name,), output="sum")
            twice = {"twice": f"{name}.twice"}
            jobs.append(Job(name=f"{name}-twice", task="toy.double", inputs={"made": made}, outputs=twice))
        members = From(jobs=tuple(sorted(self.adds)), gather=Gather.DONE)
        jobs.append(Job(name="table", task="toy.table", inputs={"members": members}, outputs={"table": "table.csv"}))
        changes = {"conflict": Conflict.OVERWRITE, "durability": Durability.FAST, "flush_batch_size": self.flush}
        return Batch(name="machine", output=self.root, jobs=tuple(jobs), settings=Settings(workers=1, **changes))

    @rule()
    def run_to_the_end(self) -> None:
        made = self.batch()
        result = run(made, executor=inline, install_signal_handlers=False)
        assert result.exit_code == 0, result
        self.settled = True

    @rule(after=st.integers(1, 8))
    def crash_at_a_commit(self, after: int) -> None:
        """The process ends with its `after`-th commit; nothing that follows is done."""
        left = [after]
        write, end, release, close = Records._write, Records.end, Lease.release, Ledger.close

        def crashing(self, pending, beat):
            left[0] -= 1
            if left[0] == 0:
                raise Crash
            write(self, pending, beat)

        Records._write = crashing
        Records.end = lambda *args: end(*args) if left[0] > 0 else None
        Lease.release = lambda self: None
        Ledger.close = lambda self: self._db.close()
        try:
            run(self.batch(), executor=inline, install_signal_handlers=False)
            self.settled = True
        except Crash:
            self.settled = False
        finally:
            Records._write, Records.end, Lease.release, Ledger.close = write, end, release, close

    @invariant()
    def once_run_it_is_as_computed_and_there_is_nothing_left_to_do(self) -> None:
        if not getattr(self, "settled", False):
            return
        sums = {name: sum(self.numbers[self.reads[name]]) + self.adds[name] for name in self.adds}
        expected = {name: {"sum": total} for name, total in sums.items()}
        expected |= {f"{name}-twice": {"twice": 2 * sums[name]} for name in self.doubled}
        expected["table"] = {"total": sum(sums.values()), "members": len(sums)}
        view = read_view(self.root)
        assert {job.name: dict(job.metrics) for job in view.jobs} == expected
        assert {str(job.state) for job in view.jobs} == {"done"}
        for name, place in self.places.items():
            assert (self.root / place).read_text() == f"{sums[name]}\n"
        for name in self.doubled:
            assert (self.root / f"{name}.twice").read_text() == f"{2 * sums[name]}\n"
        rows = [f"{name},{sums[name]}\n" for name in sorted(sums)]
        assert (self.root / "table.csv").read_text() == "".join(rows)
        assert plan(self.batch()).counts["skip"] == len(expected)


def _take(lease: Lease) -> None:
    """One process plays all the runs, dead ones among them."""
    with lease._ledger.writing():
        lease._write()


Batches.TestCase.settings = settings(max_examples=100, stateful_step_count=16, deadline=None)
TestBatches = Batches.TestCase
