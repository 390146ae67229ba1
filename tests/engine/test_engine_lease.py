"""Who runs a batch: one process at a time, and nobody's lock stays behind.

Rows of the fault table: a stale lock; process ids used again, other boots, containers that start anew.
"""

from dataclasses import replace

import pytest

from batchlab.engine._lease import DEAD_AFTER_S, HEARTBEAT_S, Lease, is_dead, this_process
from batchlab.engine._ledger import Ledger
from batchlab.errors import StartError
from tests.engine.toys import Clock

ME = this_process()


@pytest.mark.parametrize(
    ("changes", "table", "dead"),
    [
        ({}, {}, True),  # no such process
        ({}, {77: "500"}, False),  # it lives
        ({}, {77: "900"}, True),  # its id is another's by now
        ({"boot_id": "other"}, {77: "500"}, True),  # same id, same ticks, after another boot
        ({"host": "elsewhere"}, {77: "500"}, None),  # only its heartbeat can tell
        ({"host": "elsewhere", "boot_id": "other"}, {}, None),
    ],
)
def test_process_id_reuse_and_other_boots(changes, table, dead):
    """Row: pid reuse, container restart: the start time and the boot count, not the pid alone."""
    holder = replace(ME, pid=77, start_time="500", token="t", **changes)
    assert is_dead(holder, ME, start_time=table.get) is dead


@pytest.fixture
def ledger(tmp_path):
    opened = Ledger(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


def put(ledger, **changes):
    holder = replace(ME, **{"pid": 77, "start_time": "500", "token": "theirs", **changes})
    row = (1, holder.host, holder.pid, holder.start_time, holder.boot_id, holder.beats, holder.token)
    with ledger.writing():
        ledger.execute("INSERT OR REPLACE INTO lease VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def held_by(ledger):
    row = ledger.execute("SELECT pid FROM lease").fetchone()
    return None if row is None else row[0]


def test_a_dead_holder_is_replaced_at_once(ledger):
    put(ledger)
    before = Lease(ledger).acquire(start_time=lambda _: None)
    assert before is not None and before.pid == 77
    assert held_by(ledger) == ME.pid


def test_a_living_holder_is_left_alone(ledger):
    put(ledger)
    with pytest.raises(StartError, match="process 77"):
        Lease(ledger).acquire(start_time=lambda _: "500")
    assert held_by(ledger) == 77


def test_a_holder_elsewhere_whose_heart_stands_still_is_dead_by_the_observers_own_clock(ledger):
    put(ledger, host="elsewhere", beats=4)
    clock = Clock()
    began = clock.now

    def wait(seconds):
        clock.now += seconds

    assert Lease(ledger, clock=clock).acquire(wait=wait).host == "elsewhere"
    assert DEAD_AFTER_S <= clock.now - began <= DEAD_AFTER_S + 2


def test_a_holder_elsewhere_whose_heart_beats_lives(ledger):
    put(ledger, host="elsewhere", beats=4)
    clock = Clock()

    def wait(seconds):
        clock.now += seconds
        if clock.now > 1000.0 + HEARTBEAT_S:
            put(ledger, host="elsewhere", beats=5)

    with pytest.raises(StartError, match="on elsewhere"):
        Lease(ledger, clock=clock).acquire(wait=wait)


def test_it_beats_now_and_then_and_is_given_back(ledger):
    clock = Clock()
    lease = Lease(ledger, clock=clock)
    lease.acquire()
    for _ in range(30):
        clock.now += 1.0
        with ledger.writing():
            lease.beat()
    assert ledger.execute("SELECT beats FROM lease").fetchone()[0] == 1 + 30 // HEARTBEAT_S
    lease.release()
    assert held_by(ledger) is None


def test_who_was_taken_for_dead_writes_no_more(ledger):
    lease = Lease(ledger)
    lease.acquire()
    put(ledger, host="elsewhere")
    with pytest.raises(StartError, match="taken over"), ledger.writing():
        ledger.execute("INSERT INTO meta VALUES ('a', 'b')")
        lease.beat()
    assert ledger.meta("a") is None
    lease.release()
    assert held_by(ledger) == 77
