"""Events: the table of cusps by numbers of records, and lists of times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from batchlab.errors import DataError
from batchlab.particles._events import Event, marks_of_records, read_events, write_events
from batchlab.particles._model import Mark

_HEAD = (
    "Orbit Number\tFolder Path\torb File\torb min Index\torb Max Index\tees\tees File\tees min Index\tees Max Index\n"
)


def _times(count: int, start: float = 1_000.0) -> np.ndarray:
    starts = start + 10.0 * np.arange(count)
    return np.stack([starts, starts + 10.0], axis=1)


def _file(folder: Path, text: str) -> Path:
    path = folder / "events.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_real_table_has_the_events_that_are_counted_in_it(shared_particles: Path) -> None:
    events = read_events(shared_particles / "FAST_Cusp_Indices.csv")
    count = {name: sum(each == name for _, each in events.records) for name in ("orb", "ees", "ies", "eeb", "ieb")}
    assert count == {"orb": 324, "ees": 119, "ies": 119, "eeb": 14, "ieb": 14}
    assert (len(events.orbits), events.orbits[0], events.orbits[-1]) == (324, 13_477, 16_186)
    assert events.records[13_521, "eeb"] == (114, 380)
    assert (13_477, "ees") not in events.records
    assert sum(first == last for (_, name), (first, last) in events.records.items() if name == "orb") == 16
    assert not events.notes


def test_numbers_of_records_become_times_of_their_middles(tmp_path: Path) -> None:
    events = read_events(
        _file(tmp_path, _HEAD + "7\t./x\ta.cdf\t3\t3\tTrue\tb.cdf\t2\t4\n8\t./x\ta.cdf\t1\t1\tTrue\tb.cdf\t\t\n")
    )
    assert events.marks(7, "ees", _times(9)) == (Mark(start_s=1_025.0, end_s=1_045.0, label="cusp"),)
    assert events.marks(7, "orb", _times(9)) == (Mark(start_s=1_035.0, end_s=1_035.0, label="cusp"),)
    assert events.marks(8, "ees", _times(9)) == events.marks(9, "ees", _times(9)) == ()
    assert events.marks(7, "ies", _times(9)) == events.marks(None, "ees", _times(9)) == ()


def test_numbers_beyond_a_file_stand_for_its_last_record() -> None:
    assert marks_of_records(_times(4), 2, 50) == Mark(start_s=1_025.0, end_s=1_035.0, label="cusp")
    assert marks_of_records(_times(4), 40, 50) == Mark(start_s=1_035.0, end_s=1_035.0, label="cusp")
    assert marks_of_records(_times(0), 0, 1) is None


def test_records_of_unknown_time_or_out_of_order_do_not_spoil_a_mark() -> None:
    times = _times(5)
    times[2] = np.nan
    times[[3, 4]] = times[[4, 3]]
    assert marks_of_records(times, 2, 4) == Mark(start_s=1_035.0, end_s=1_045.0, label="cusp")
    assert marks_of_records(times, 2, 2) is None


def test_a_flag_that_is_false_and_numbers_of_a_spreadsheet(tmp_path: Path) -> None:
    rows = "7\t./x\ta.cdf\t\t\tFalse\tb.cdf\t2\t4\n8\t./x\ta.cdf\t\t\tTrue\tb.cdf\t2.0\t4.0\n9\t./x\ta\t5\t\tTrue\n"
    events = read_events(_file(tmp_path, _HEAD + rows), label="region")
    assert events.records == {(8, "ees"): (2, 4), (9, "orb"): (5, 5)}
    assert events.marks(8, "ees", _times(9))[0].label == "region"


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("start,end,label\n1970-01-01T00:17:10,1970-01-01T00:17:20Z,a\n", 1_030.0, 1_040.0),
        ("\ufeffStart;End;Label\n# of the day\n\n1030;1040;a\n", 1_030.0, 1_040.0),
        ("label\tbegin\tstop\na\t1970-01-01/00:17:10.5\t1970-01-01T01:17:20+01:00\n", 1_030.5, 1_040.0),
        ('time,label\n1030,"a"\n', 1_030.0, 1_030.0),
        ("start,end,label\n19700101,19700102,a\n", 0.0, 86_400.0),
    ],
)
def test_lists_of_times_in_their_many_forms(tmp_path: Path, text: str, start: float, end: float) -> None:
    events = read_events(_file(tmp_path, text))
    assert events.marks(1, "ees", _times(9)) == (Mark(start_s=start, end_s=end, label="a"),)
    assert events.marks(None, "any", _times(9, start=200_000.0)) == ()


def test_events_of_an_orbit_or_an_instrument_are_only_its(tmp_path: Path) -> None:
    path = _file(tmp_path, "start,end,label,orbit,instrument\n1040,1050,b,7,\n1030,1040,a,,EES\n1030,1040,a,7,ees\n")
    events = read_events(path)
    assert events.orbits == (7,)
    labels = {
        (orbit, name): [mark.label for mark in events.marks(orbit, name, _times(9))]
        for orbit in (7, 8, None)
        for name in ("ees", "ies")
    }
    assert labels[7, "ees"] == ["a", "b"]
    assert labels[7, "ies"] == ["b"]
    assert labels[8, "ees"] == labels[None, "ees"] == ["a"]
    assert labels[8, "ies"] == []


def test_times_that_are_written_are_read_again(tmp_path: Path) -> None:
    events = [
        Event(mark=Mark(start_s=1_004_557_902.25, end_s=1_004_558_099.75, label='a, "b"'), orbit=3, instrument="ees"),
        Event(mark=Mark(start_s=5.0, end_s=5.0)),
    ]
    write_events(tmp_path / "kept.csv", events)
    assert list(read_events(tmp_path / "kept.csv").timed) == events[::-1]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "holds no events"),
        ("a,b\n1,2\n", "no column start"),
        ("start,end\nnoon,1040\n", "line 2: 'noon' is no time"),
        ("start,end\n\n1040,nan\n", "line 3: 'nan' is no time"),
        ("start,end\n1040,1030\n", "line 2: the event ends before it starts"),
        ("start,orbit\n1040,x\n", "line 2: orbit is 'x'"),
        ("Orbit Number\tFolder Path\n1\t.\n", "no pair of columns"),
        (_HEAD + "7\t./x\ta.cdf\t\t\tTrue\tb.cdf\t4\t2\n", "line 2: ees runs from record 4 to 2"),
        (_HEAD + "\t./x\ta.cdf\t\t\tTrue\tb.cdf\t2\t4\n", "line 2: no orbit number"),
    ],
)
def test_what_cannot_be_understood_is_told_with_its_line(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(DataError, match=what):
        read_events(_file(tmp_path, text))


def test_a_list_that_is_no_text_or_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00start")
    for name in ("b.csv", "none.csv"):
        with pytest.raises(DataError, match=f"{name} cannot be read"):
            read_events(tmp_path / name)
