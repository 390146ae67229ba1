"""What a folder of files is taken for."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from batchlab.errors import ConfigError
from batchlab.particles._files import data_file, find_files, orbit_of_day, parse_orbits


def _touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_name_tells_instrument_orbit_start_and_version() -> None:
    each = data_file("x/fa_esa_l2_ees_20000119234552_13519_v02.cdf")
    assert (each.orbit, each.instrument, each.version) == (13519, "ees", 2)
    assert each.start == datetime(2000, 1, 19, 23, 45, 52, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "instrument", "start"),
    [
        (
            "rbspa_rel04_ect-hope-PA-L3_20121201_v0.0.0.cdf",
            "rbspa_rel04_ect-hope-PA-L3",
            datetime(2012, 12, 1),
        ),
        ("solo_L2_epd-ept-north-hcad_20200713_V02.cdf", "solo_L2_epd-ept-north-hcad", datetime(2020, 7, 13)),
        ("plain.cdf", "plain", None),
    ],
)
def test_files_of_other_missions_have_no_orbit(name: str, instrument: str, start: datetime | None) -> None:
    each = data_file(name)
    assert (each.orbit, each.instrument) == (None, instrument)
    assert each.start == (start and start.replace(tzinfo=UTC))


def test_days_of_another_mission_are_one_instrument_and_none_is_lost(tmp_path: Path) -> None:
    _touch(tmp_path, "probe_pads_20121201_v03.cdf", "probe_pads_20121202_v03.cdf", "probe_pads_20121202_v02.cdf")
    found = find_files(tmp_path, others=True)
    assert [each.path.name for each in found.files] == ["probe_pads_20121201_v03.cdf", "probe_pads_20121202_v03.cdf"]
    assert {each.instrument for each in found.files} == {"probe_pads"}


def test_the_highest_version_wins_whatever_the_order_of_folders(tmp_path: Path) -> None:
    names = ["a/fa_esa_l2_ees_20000119234552_13519_v02.cdf", "b/fa_esa_l2_ees_20000119234552_13519_v10.cdf"]
    _touch(tmp_path, *names, "c/FA_ESA_L2_EES_20000119234552_13519_V01.CDF")
    places = [tmp_path / each for each in "abc"]
    random.Random(1).shuffle(places)
    found = find_files(places)
    assert [each.path for each in found.files] == [tmp_path / names[1]]
    assert len(found.notes) == 2
    assert all("passed over" in note for note in found.notes)


def test_filters_and_orbit_files(tmp_path: Path) -> None:
    _touch(
        tmp_path,
        "2000/01/fa_esa_l2_ees_20000119234552_13519_v02.cdf",
        "2000/01/fa_esa_l2_ies_20000119234552_13519_v02.cdf",
        "2000/01/fa_esa_l2_ees_20000120015910_13520_v02.cdf",
        "2000/01/fa_k0_orb_13519_v01.cdf",
        "2000/01/fa_k0_orb_13519_v02.cdf",
        "2000/01/notes.txt",
        "2000/01/other.cdf",
        ".hidden/fa_esa_l2_ees_20000120015910_13521_v02.cdf",
    )
    found = find_files(tmp_path)
    assert found.orbits == (13519, 13520)
    assert [each.instrument for each in found.files] == ["ees", "ies", "ees"]
    assert found.orbit_files == {13519: tmp_path / "2000/01/fa_k0_orb_13519_v02.cdf"}
    assert any(note.startswith("other.cdf") for note in found.notes)
    assert find_files(tmp_path, instruments=("ies",)).orbits == (13519,)
    assert find_files(tmp_path, orbits=(13520,)).orbits == (13520,)
    assert find_files(tmp_path, first_day=date(2000, 1, 20)).orbits == (13520,)
    assert find_files(tmp_path, last_day=date(2000, 1, 19)).orbits == (13519,)
    assert len(find_files(tmp_path, others=True).files) == 4
    assert len(find_files(tmp_path / "2000/01/other.cdf").files) == 1
    assert orbit_of_day(found.files, date(2000, 1, 19)) == 13519
    assert orbit_of_day(found.files, date(2001, 1, 19)) is None


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        find_files(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="unknown instrument 'esv'"):
        find_files(tmp_path, instruments=("esv",))


def test_orbits_are_numbers_and_ranges() -> None:
    assert parse_orbits("13521-13523, 13519,13522") == (13519, 13521, 13522, 13523)
    for wrong in ("", "5-3", "a"):
        with pytest.raises(ConfigError, match="names no orbits"):
            parse_orbits(wrong)
