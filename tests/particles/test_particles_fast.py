from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from particles_fast_files import SHAPES, Written, write_fast

from batchlab.particles._collapse import arcs, within
from batchlab.particles._describe import FileKind, describe
from batchlab.particles._distribution import energy_table
from batchlab.particles._model import (
    PITCH_CATEGORIES,
    Collapse,
    EmptyFile,
    MissingVariable,
    PitchCategory,
    Quantity,
)
from batchlab.particles._orbit import OrbitTrack
from batchlab.particles._pitch_spectrogram import EnergyBand, read_pitch_spectrogram
from batchlab.particles._read import read_spectrogram, read_times

ALL = PitchCategory(name="all", ranges_deg=((0.0, 360.0),))


def in_ranges(pitch: np.ndarray, category: PitchCategory) -> np.ndarray:
    return np.any([(pitch >= low) & (pitch <= high) for low, high in category.ranges_deg], axis=0)


def slowly(written: Written, category: PitchCategory, how: Collapse, cube: np.ndarray, record: int) -> np.ndarray:
    """One record of one category, cell by cell, by ascending energy."""
    mode = int(written.mode[record])
    angles, energies = SHAPES[mode]
    pitch = written.pitch_deg(record)
    values = np.full(energies, np.nan)
    for energy in range(energies):
        taken = in_ranges(pitch[:, energy], category) & (cube[record, :angles, energy] >= 0)
        if not taken.any():
            continue
        cells = cube[record, :angles, energy].astype(np.float64)[taken]
        weights = written.domega_sr[mode, :angles, energy].astype(np.float64)[taken]
        if how is Collapse.SUM:
            values[energy] = cells.sum()
        elif how is Collapse.MEAN:
            values[energy] = cells.mean()
        else:
            values[energy] = (cells * weights).sum() / weights.sum()
    return values[::-1]


@pytest.mark.parametrize("how", list(Collapse))
@pytest.mark.parametrize("second_mode", [1, 2])
def test_categories_are_what_going_cell_by_cell_gives(tmp_path: Path, how: Collapse, second_mode: int) -> None:
    fill = ((0, 3, 5), (0, 4, 5), (7, 20, 40), (15, 1, 1))
    written = write_fast(tmp_path, switch_at=14, second_mode=second_mode, flux_fill=fill)
    found = read_spectrogram(written.path, collapse=how)
    assert found.categories == ("all", "downgoing", "upgoing", "perpendicular")
    for row, category in enumerate(PITCH_CATEGORIES):
        for record in range(len(written.start_s)):
            expected = slowly(written, category, how, written.eflux, record)
            np.testing.assert_allclose(found.values[row, record, : len(expected)], expected, rtol=2e-5)
            assert np.isnan(found.values[row, record, len(expected) :]).all()
    assert found.dropped.fill == len(fill)
    assert found.dropped.cells == sum(np.prod(SHAPES[int(mode)]) for mode in written.mode)


def test_every_record_has_the_energies_of_its_mode(tmp_path: Path) -> None:
    written = write_fast(tmp_path, switch_at=14)
    found = read_spectrogram(written.path)
    assert list(found.mode) == [0] * 14 + [1] * 10
    for table, (_, channels) in zip(range(2), (SHAPES[0], SHAPES[2]), strict=True):
        edges, energies = found.energy_edges_ev[table], found.energies_ev[table]
        assert len(energies) == channels
        assert np.all(np.diff(edges) > 0)
        assert np.all((energies > edges[:-1]) & (energies < edges[1:]))
        truth = np.geomspace(4.0, 36_000.0, channels + 1)
        np.testing.assert_allclose(edges, truth, rtol=1e-5)


def test_counts_are_the_ones_that_the_flux_was_made_from(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    counts = random.poisson(30, (24, 64, 96)) * random.integers(0, 2, (24, 64, 96))
    counts[3] *= 400  # far into the correction for dead time
    written = write_fast(tmp_path, counts=counts, switch_at=14)
    found = read_spectrogram(written.path, quantity=Quantity.COUNTS, collapse=Collapse.SUM, categories=[ALL])
    assert (found.quantity, found.unit) == ("Counts", "")
    for record in range(24):
        angles, energies = SHAPES[int(written.mode[record])]
        expected = counts[record, :angles, :energies].sum(axis=0)[::-1]
        np.testing.assert_array_equal(found.values[0, record, :energies], expected)


def test_counts_survive_the_floor_of_the_dead_time_correction(tmp_path: Path) -> None:
    counts = np.full((2, 64, 96), 20_000 * 48)  # 1.1e-7 s each in 0.052 s: over the nine tenths
    written = write_fast(tmp_path, records=2, counts=counts, geometric_factor=0.5)
    found = read_spectrogram(written.path, quantity=Quantity.COUNTS, collapse=Collapse.MEAN, categories=[ALL])
    np.testing.assert_allclose(found.values, 960_000, rtol=1e-5)


def test_number_flux_and_phase_space_density_follow_from_energy_flux(tmp_path: Path) -> None:
    path = write_fast(tmp_path, records=3).path
    energy, number, density = (
        read_spectrogram(path, quantity=quantity)
        for quantity in (Quantity.ENERGY_FLUX, Quantity.NUMBER_FLUX, Quantity.PHASE_SPACE_DENSITY)
    )
    energies = energy.energies_ev[0]
    np.testing.assert_allclose(number.values * energies, energy.values, rtol=1e-5)
    # An electron of E eV has speed sqrt(2 E / m); f = j m² / (2 E) in SI.
    mass, ev = 9.109e-31, 1.602e-19
    flux_si = number.values.astype(float) * 1e4 / ev
    expected = flux_si * mass**2 / (2 * energies * ev)
    np.testing.assert_allclose(density.values, expected, rtol=2e-3)
    assert density.unit == "s³/m⁶"


def test_an_even_flux_is_the_same_in_every_direction_and_by_every_mean(tmp_path: Path) -> None:
    written = write_fast(tmp_path, records=6, counts=np.full((6, 64, 96), 10))
    for how in (Collapse.MEAN, Collapse.SOLID_ANGLE_MEAN):
        found = read_spectrogram(written.path, quantity=Quantity.COUNTS, collapse=how)
        np.testing.assert_allclose(found.values[np.isfinite(found.values)], 10.0, rtol=1e-6)


def test_categories_that_share_nothing_add_up_to_all(tmp_path: Path) -> None:
    written = write_fast(tmp_path)
    parts = [PitchCategory(name=str(k), ranges_deg=((k * 60 + 1e-4, k * 60 + 60),)) for k in range(6)]
    split = read_spectrogram(written.path, quantity="counts", collapse=Collapse.SUM, categories=parts)
    whole = read_spectrogram(written.path, quantity="counts", collapse=Collapse.SUM, categories=[ALL])
    np.testing.assert_array_equal(np.nansum(split.values, axis=0), whole.values[0])


def test_the_order_of_records_in_the_file_changes_nothing(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    counts, shift = random.poisson(9, (24, 64, 96)), random.uniform(-300, 300, 24)
    start = 946_684_800.0 + 2.5 * np.arange(24)
    order = random.permutation(24)
    straight = write_fast(tmp_path, name="a_ees_1_2_v01.cdf", counts=counts, shift_deg=shift, start_s=start)
    mixed = write_fast(
        tmp_path, name="b_ees_1_2_v01.cdf", counts=counts[order], shift_deg=shift[order], start_s=start[order]
    )
    first, second = (
        read_spectrogram(written.path, quantity="counts", collapse=Collapse.SUM) for written in (straight, mixed)
    )
    np.testing.assert_array_equal(first.times_s, second.times_s)
    np.testing.assert_array_equal(first.values, second.values)
    assert first.dropped.out_of_order == 0
    assert second.dropped.out_of_order == int(np.count_nonzero(start[order] < np.maximum.accumulate(start[order])))


def test_pitch_angles_turn_with_the_shift_of_each_record(tmp_path: Path) -> None:
    counts = np.zeros((36, 64, 96), int)
    counts[:, 7, :] = 100  # one direction alone is bright
    written = write_fast(tmp_path, records=36, counts=counts, shift_deg=np.arange(36) * 10.0)
    found = read_spectrogram(written.path, quantity="counts", collapse=Collapse.SUM)
    for record in range(36):
        pitch = written.pitch_deg(record)[7][::-1]
        for row, category in enumerate(PITCH_CATEGORIES):
            expected = np.where(in_ranges(pitch, category), 100, 0)
            np.testing.assert_array_equal(found.values[row, record], expected)


def test_south_of_the_equator_down_and_up_change_places(tmp_path: Path) -> None:
    written = write_fast(tmp_path, records=12)
    times = read_times(written.path).mean(axis=1)
    latitude = np.where(np.arange(12) < 5, 60.0, -60.0)
    nothing = np.full(12, np.nan)
    track = OrbitTrack(
        times_s=times, ilat_deg=latitude, mlt_h=nothing, alt_km=nothing, flat_deg=latitude, flng_deg=nothing
    )
    plain, turned = read_spectrogram(written.path), read_spectrogram(written.path, hemisphere=track)
    np.testing.assert_array_equal(plain.values[:, :5], turned.values[:, :5])
    for row in (0, 3):
        np.testing.assert_array_equal(plain.values[row], turned.values[row])
    around = tuple((low + 180, high + 180) for low, high in ((-30.0, 30.0),))
    upside = [PitchCategory(name="down", ranges_deg=around), PitchCategory(name="up", ranges_deg=((330.0, 30.0),))]
    expected = read_spectrogram(written.path, categories=upside)
    np.testing.assert_allclose(turned.values[1:3, 5:], expected.values[:, 5:], rtol=1e-6)


def test_bad_records_are_left_out_and_flagged_ones_on_wish(tmp_path: Path) -> None:
    valid, quality = np.ones(24), np.zeros(24)
    valid[[2, 9]], quality[[9, 10, 11]] = 0, 4
    path = write_fast(tmp_path, valid=valid, quality=quality).path
    kept, good = read_spectrogram(path), read_spectrogram(path, quality="good")
    assert (len(kept.times_s), kept.dropped.records, kept.dropped.invalid, kept.dropped.low_quality) == (22, 24, 2, 0)
    assert any("flagged quality that are shown: 2" in note for note in kept.notes)
    assert (len(good.times_s), good.dropped.low_quality) == (20, 2)
    assert len(read_times(path)) == 24


def test_a_record_without_a_time_is_left_out(tmp_path: Path) -> None:
    start = 946_684_800.0 + 2.5 * np.arange(24)
    start[4] = -1e31
    found = read_spectrogram(write_fast(tmp_path, start_s=start).path)
    assert len(found.times_s) == 23
    assert found.dropped.invalid == 1


@pytest.mark.parametrize(
    ("leave_out", "tables"),
    [
        (("pitch_angle",), True),
        (("theta",), True),
        (("theta_shift",), True),
        ((), False),
        (("energy", "denergy"), True),
    ],
)
def test_what_one_variable_lacks_another_tells(tmp_path: Path, leave_out: tuple[str, ...], tables: bool) -> None:
    whole = read_spectrogram(write_fast(tmp_path, name="x_ees_1_2_v01.cdf", switch_at=14).path)
    poor = write_fast(tmp_path, name="y_ees_1_2_v01.cdf", switch_at=14, leave_out=leave_out, mode_tables=tables)
    found = read_spectrogram(poor.path)
    np.testing.assert_allclose(found.values, whole.values, rtol=1e-6)
    for mine, theirs in zip(found.energy_edges_ev, whole.energy_edges_ev, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)


def test_records_of_a_mode_are_told_apart_without_a_mode_number(tmp_path: Path) -> None:
    whole = read_spectrogram(write_fast(tmp_path, name="x_ees_1_2_v01.cdf", switch_at=14).path)
    found = read_spectrogram(write_fast(tmp_path, name="y_ees_1_2_v01.cdf", switch_at=14, leave_out=("mode_ind",)).path)
    sizes = [[len(spectrogram.energies_ev[k]) for k in spectrogram.mode] for spectrogram in (whole, found)]
    assert sizes[0] == sizes[1]
    np.testing.assert_allclose(found.values, whole.values, rtol=1e-6)


@pytest.mark.parametrize("missing", ["eflux", "time_start"])
def test_a_file_without_what_is_needed_says_what(tmp_path: Path, missing: str) -> None:
    also = ("time_unix",) if missing == "time_start" else ()
    path = write_fast(tmp_path, records=4, leave_out=(missing, *also)).path
    with pytest.raises(MissingVariable, match=r"no variable 'eflux'|has no time"):
        read_spectrogram(path)


def test_a_file_without_any_pitch_angle_says_so(tmp_path: Path) -> None:
    path = write_fast(tmp_path, records=4, leave_out=("theta_shift", "pitch_angle")).path
    with pytest.raises(MissingVariable, match="pitch"):
        read_spectrogram(path)


def test_a_file_without_efficiencies_has_flux_but_no_counts(tmp_path: Path) -> None:
    path = write_fast(tmp_path, records=4, leave_out=("eff",)).path
    assert np.isfinite(read_spectrogram(path).values).any()
    with pytest.raises(MissingVariable, match="eff"):
        read_spectrogram(path, quantity=Quantity.COUNTS)


def test_a_file_of_bad_records_alone_is_empty(tmp_path: Path) -> None:
    path = write_fast(tmp_path, records=4, valid=np.zeros(4)).path
    with pytest.raises(EmptyFile, match="none of its 4 records"):
        read_spectrogram(path)


def test_the_master_file_is_empty_and_described(shared_particles: Path) -> None:
    path = shared_particles / "fa_esa_l2_eeb_00000000_v01.cdf"
    with pytest.raises(EmptyFile):
        read_spectrogram(path)
    found = describe(path)
    assert (found.kind, found.records, found.start_s) == (FileKind.FAST, 0, None)
    assert found.title.startswith("eeb")


def test_tables_of_the_master_give_the_edges_that_it_states(shared_particles: Path) -> None:
    from batchlab.particles._cdf import Cdf

    with Cdf(shared_particles / "fa_esa_l2_eeb_00000000_v01.cdf") as file:
        energies, widths = (file[name].constant_values().astype(float) for name in ("energy", "denergy"))
    for mode, channels, left_out in ((0, 48, 0), (2, 92, 4)):
        energy = np.where(energies[mode, 0] > 0, energies[mode, 0], np.nan)
        half = 0.5 * widths[mode, 0]
        table, dropped = energy_table(energy, lower_ev=energy - half, upper_ev=energy + half)
        assert (len(table.channels), dropped) == (channels, left_out)
        inner = table.channels[:-1]
        np.testing.assert_allclose(table.widths_ev[:-1], widths[mode, 0][inner], rtol=2e-2)
        np.testing.assert_allclose(table.edges_ev[0], (energy - half)[inner[0]])
        fly_back = table.energies_ev[-1] - table.edges_ev[-2]
        assert table.edges_ev[-1] == pytest.approx(table.energies_ev[-1] + fly_back)


def test_a_bright_direction_shows_at_its_pitch_angle_and_energy(tmp_path: Path) -> None:
    counts = np.zeros((24, 64, 96), int)
    counts[:, 9, 10] = 500
    written = write_fast(tmp_path, counts=counts, shift_deg=np.zeros(24))
    energy = float(written.energy_ev[0, 9, 10])
    bands = [EnergyBand(low_ev=energy * 0.9, high_ev=energy * 1.1), EnergyBand(low_ev=1.0, high_ev=50.0, name="low")]
    found = read_pitch_spectrogram(written.path, bands=bands, quantity="counts")
    pitch = float(written.pitch_deg(0)[9, 10])
    at = int(np.searchsorted(found.pitch_edges_deg, pitch, side="right")) - 1
    bright = found.values[0] > 0
    assert found.bands[1] == "low"
    assert np.array_equal(np.flatnonzero(bright.any(axis=0)), [at])
    assert bright[:, at].all()
    assert not np.any(found.values[1] > 0)


def test_a_pitch_spectrogram_keeps_an_even_flux_even(tmp_path: Path) -> None:
    written = write_fast(tmp_path, counts=np.full((24, 64, 96), 7), switch_at=14)
    found = read_pitch_spectrogram(written.path, quantity="counts", step_deg=15)
    assert found.values.shape == (4, 24, 24)
    np.testing.assert_allclose(found.values[np.isfinite(found.values)], 7.0, rtol=1e-6)


def test_describe_tells_the_span_and_the_flags(tmp_path: Path) -> None:
    quality = np.zeros(24)
    quality[5] = 2
    written = write_fast(tmp_path, quality=quality)
    found = describe(written.path)
    assert (found.kind, found.records, found.invalid, found.low_quality) == (FileKind.FAST, 24, 0, 1)
    assert (found.start_s, found.end_s) == (written.start_s[0], written.end_s[-1])
    assert [variable.name for variable in found.variables] == ["eflux"]


@given(
    low=st.integers(0, 360),
    width=st.integers(0, 359),
    turn=st.sampled_from([0, 90, 180, 270]),
    pitch=st.integers(0, 360),
)
def test_a_range_holds_what_lies_on_its_arc(low: int, width: int, turn: int, pitch: int) -> None:
    pieces = arcs([(float(low), float(low + width))], float(turn))
    assert pieces is not None
    inside = bool(within(np.array([pitch], np.float32), pieces)[0])
    assert inside == ((pitch - low - turn) % 360 <= width)


def test_a_whole_circle_is_told_apart_from_a_point() -> None:
    assert arcs([(0.0, 360.0)]) is None
    assert arcs([(0.0, 0.0)]) == [(0.0, 0.0), (360.0, 360.0)]
    assert not within(np.array([np.nan]), [(0.0, 360.0)]).any()


@given(st.lists(st.floats(1.0, 1e5), min_size=2, max_size=60, unique=True), st.randoms())
def test_edges_ascend_and_hold_their_energies_whatever_the_order(energies: list[float], chance: object) -> None:
    ratio = np.sort(energies)
    if np.any(ratio[1:] / ratio[:-1] < 1 + 1e-9):
        return
    chance.shuffle(energies)  # type: ignore[attr-defined]
    table, left_out = energy_table(np.array([*energies, np.nan]))
    assert left_out == 0
    assert np.all(np.diff(table.edges_ev) > 0)
    assert np.all((table.edges_ev[:-1] < table.energies_ev) & (table.energies_ev < table.edges_ev[1:]))
    np.testing.assert_array_equal(np.array(energies)[table.channels], table.energies_ev)


def test_channels_at_one_energy_are_averaged_and_those_in_waiting_left_out() -> None:
    energy = np.array([400.0, 400.0, 100.0, 90.0])
    half = np.array([100.0, 100.0, 10.0, 0.0])
    table, left_out = energy_table(energy, lower_ev=energy - half, upper_ev=energy + half)
    assert left_out == 1
    np.testing.assert_array_equal(table.energies_ev, [100.0, 400.0])
    found = table.gather(np.array([[2.0, 4.0, 7.0, 99.0], [np.nan, 4.0, np.nan, 1.0], [np.nan, np.nan, 3.0, 1.0]]))
    np.testing.assert_array_equal(found, [[7.0, 3.0], [np.nan, 4.0], [3.0, np.nan]])
