"""Pictures of spectrograms, by what their pixels show."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from batchlab.errors import PlotError
from batchlab.figures import read_provenance
from batchlab.particles._draw import (
    FACTS,
    DrawnSpectrograms,
    MarkStyle,
    Row,
    SpectrogramSheet,
    Zoom,
    draw,
    instrument_grid,
    pitch_grid,
    zoom_around,
    zoom_each,
)
from batchlab.particles._model import COLORMAPS, Limits, Mark, Scale, Spectrogram
from batchlab.particles._orbit import OrbitTrack
from batchlab.particles._pitch_spectrogram import PitchSpectrogram, read_pitch_spectrogram
from batchlab.particles._read import read_spectrogram
from batchlab.particles._synthetic import BrightCell, one_bright_cell

START = 946_684_800.0  # 2000-01-01
WHITE, FILL, BLACK = (255, 255, 255), (0xD2, 0xD2, 0xD2), (0, 0, 0)
SIZE = {"width_px": 900, "height_px": 500}


def spectrogram(values: NDArray[np.float64], *, step_s: float = 10.0, edges: tuple[float, ...] = ()) -> Spectrogram:
    """One category of (N, E) values; ten times the energy every channel, from 10 eV, unless edges are given."""
    records, channels = values.shape
    starts = START + step_s * np.arange(records)
    table = np.array(edges) if edges else 10.0 ** np.arange(1, channels + 2)
    return Spectrogram(
        name="ees",
        quantity="Differential energy flux",
        unit="eV/(cm² s sr eV)",
        categories=("all",),
        times_s=np.column_stack((starts, starts + step_s)),
        mode=np.zeros(records, np.uint8),
        energy_edges_ev=(table,),
        energies_ev=(np.sqrt(table[1:] * table[:-1]),),
        values=values[None].astype(np.float32),
    )


def pixels(drawn: DrawnSpectrograms) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(drawn.png())) as image:
        return np.asarray(image.convert("RGB"))


def panel(drawn: DrawnSpectrograms, row: int = 0, column: int = 0) -> NDArray[np.uint8]:
    return pixels(drawn)[drawn.panel_at(row, column)]


def is_of(colour: tuple[int, int, int], picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return (picture == np.array(colour, np.uint8)).all(axis=2)


def one_row(shown: Spectrogram | PitchSpectrogram, **options: object) -> SpectrogramSheet:
    row = {name: options.pop(name) for name in ("limits", "y_scale", "z_scale", "z_label") if name in options}
    return SpectrogramSheet(rows=(Row(spectrogram=shown, category=shown_name(shown), **row),), **options)  # type: ignore[arg-type]


def shown_name(shown: Spectrogram | PitchSpectrogram) -> str:
    return shown.categories[0] if isinstance(shown, Spectrogram) else shown.bands[0]


@pytest.fixture(scope="module", params=[(10, 20), (30, 5), (10, 40)], ids=["first mode", "second mode", "low energy"])
def bright(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> BrightCell:
    record, channel = request.param
    return one_bright_cell(tmp_path_factory.mktemp("bright"), record=record, channel=channel, elsewhere=20)


@pytest.mark.parametrize("column", [0, 1], ids=["full", "zoom"])
@pytest.mark.parametrize("y_scale", list(Scale))
def test_one_bright_cell_is_within_its_true_edges_and_fills_them(
    bright: BrightCell, y_scale: Scale, column: int
) -> None:
    zoom = Zoom(start_s=bright.start_s - 21.3, end_s=bright.end_s + 17.1)
    # Up to twice its energy on a linear axis, or low channels would be no pixel high.
    limits = Limits(y_min=4.0, y_max=2.0 * bright.high_ev)
    read = read_spectrogram(bright.path)
    sheet = SpectrogramSheet(
        rows=pitch_grid(read, limits={"all": limits}, y_scale=y_scale, z_scale=Scale.LINEAR)[:1],
        zooms=(zoom,),
        colormap="viridis",
    )
    at = int(np.searchsorted(read.times_s[:, 0], bright.start_s + 1e-3)) - 1
    high = float(np.nanmax(read.values[0, at]))
    rest = np.delete(read.values[0], at, axis=0)
    assert high > 3 * np.nanmax(rest)
    row = replace(sheet.rows[0], limits=replace(limits, z_min=0.0, z_max=high))
    drawn = draw(replace(sheet, rows=(row,)), width_px=1600, height_px=600)
    found = panel(drawn, 0, column)
    lit = is_of((253, 231, 36), found) | is_of((253, 231, 37), found)
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    assert rows.size and columns.size
    height, width = lit.shape
    # Where the edges are, by a ruler of the test's own.
    full = read.times_s[0, 0], read.times_s[-1, 1]
    start, end = full if column == 0 else (zoom.start_s, zoom.end_s)
    low_y, high_y = 4.0, 2.0 * bright.high_ev
    left, right = ((at - start) / (end - start) * width for at in (bright.start_s, bright.end_s))

    def up(energy: float) -> float:
        if y_scale is Scale.LOG:
            return height * (1 - np.log(energy / low_y) / np.log(high_y / low_y))
        return height * (1 - (energy - low_y) / (high_y - low_y))

    # Edges between channels lie between those of neighbours that the file tells, up to 1 % beside.
    slack = 1.0 + 0.01 * height
    assert columns[0] + 0.5 == pytest.approx(left + 0.5, abs=1.0)
    assert columns[-1] + 0.5 == pytest.approx(right - 0.5, abs=1.0)
    assert rows[0] + 0.5 == pytest.approx(up(bright.high_ev) + 0.5, abs=slack)
    assert rows[-1] + 0.5 == pytest.approx(up(bright.low_ev) - 0.5, abs=slack)
    assert lit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()


def test_cells_end_at_their_edges_to_the_pixel_on_both_scales() -> None:
    values = np.full((6, 3), 1.0)
    values[2, 1] = 100.0
    for y_scale in Scale:
        drawn = draw(one_row(spectrogram(values), y_scale=y_scale, z_scale=Scale.LINEAR, colormap="viridis"), **SIZE)
        lit = ~is_of((68, 1, 84), panel(drawn))
        top, left = drawn.panel_at(0, 0)[0].start, drawn.panel_at(0, 0)[1].start
        first_row, first_column = drawn.pixel_at(0, 0, START + 20, 1000.0)
        last_row, last_column = drawn.pixel_at(0, 0, START + 30, 100.0)
        expected = np.zeros_like(lit)
        rows, columns = np.mgrid[: lit.shape[0], : lit.shape[1]] + 0.5
        expected = (rows > first_row - top) & (rows < last_row - top)
        expected &= (columns > first_column - left) & (columns < last_column - left)
        np.testing.assert_array_equal(lit, expected)


def test_a_gap_of_260_s_stays_blank_and_what_follows_is_at_its_time(tmp_path: Path) -> None:
    cell = one_bright_cell(tmp_path, record=30, elsewhere=20)
    read = read_spectrogram(cell.path)
    gap = int(np.argmax(read.times_s[1:, 0] - read.times_s[:-1, 1]))
    start, end = read.times_s[gap, 1], read.times_s[gap + 1, 0]
    assert end - start > 200
    drawn = draw(one_row(read, y_scale=Scale.LOG), **SIZE)
    blank = is_of(WHITE, panel(drawn)).all(axis=0)
    left = drawn.panel_at(0, 0)[1].start
    columns = np.arange(blank.size) + 0.5
    first, last = (drawn.pixel_at(0, 0, at, 100.0)[1] - left for at in (start, end))
    np.testing.assert_array_equal(blank, (columns > first) & (columns < last))


def test_gaps_are_closed_only_as_far_as_was_asked_for() -> None:
    read = spectrogram(np.ones((6, 2)))
    times = read.times_s.copy()
    times[:, 1] -= 4.0  # each record is followed by 4 s of nothing, the fourth by 14 s
    times[4:] += 10.0
    read = replace(read, times_s=times)
    for bridge_s, blank_s in ((0.0, 30.0), (5.0, 14.0), (20.0, 0.0)):
        blank = is_of(WHITE, panel(draw(one_row(read, bridge_s=bridge_s), **SIZE))).all(axis=0).mean()
        assert blank * 66.0 == pytest.approx(blank_s, abs=1.0)


def test_each_record_has_the_energies_of_its_mode() -> None:
    low, high = np.array([10.0, 100.0, 1000.0]), np.array([100.0, 1000.0, 10_000.0, 100_000.0])
    values = np.full((10, 3), np.nan, np.float32)
    values[:6, :2] = [1.0, 100.0]
    values[6:] = [1.0, 1.0, 100.0]
    read = replace(
        spectrogram(np.ones((10, 3))),
        mode=np.array([0] * 6 + [1] * 4, np.uint8),
        energy_edges_ev=(low, high),
        energies_ev=(low[:-1], high[:-1]),
        values=values[None],
    )
    drawn = draw(one_row(read, y_scale=Scale.LOG, colormap="viridis"), **SIZE)
    found = panel(drawn)
    height, width = found.shape[:2]
    quarter = height // 4
    switch = round(0.6 * width)
    bright = is_of(tuple(found[quarter // 2, switch + 2].tolist()), found)
    # Four decades: the first mode is bright in the second from below, the second mode in the fourth.
    assert bright[2 * quarter + 2 : 3 * quarter - 2, : switch - 1].all()
    assert bright[2 : quarter - 2, switch + 1 :].all()
    assert not bright[:, : switch - 1][: 2 * quarter - 2].any()
    assert not bright[quarter + 2 :, switch + 1 :].any()
    assert is_of(WHITE, found)[: 2 * quarter - 2, : switch - 1].all()
    assert is_of(WHITE, found)[3 * quarter + 2 :, switch + 1 :].all()


def test_fill_and_zero_are_told_from_low_values_and_from_each_other() -> None:
    values = np.array([[np.nan, 0.0, 1.0, 1000.0]] * 4)
    for name in ("viridis", "cividis", "plasma", "inferno", "turbo", "gray", "Greys"):
        drawn = draw(one_row(spectrogram(values), y_scale=Scale.LOG, limits=Limits(y_min=10), colormap=name), **SIZE)
        found = panel(drawn)
        fill, zero, low, high = (found[row, 5].astype(int) for row in _middles(found, 4)[::-1])
        assert fill.tolist() == list(FILL)
        others = [fill, low, high, np.array(WHITE)]
        assert min(np.abs(zero - other).sum() for other in others) > 50
        assert np.abs(low - high).sum() > 100


def _middles(found: NDArray[np.uint8], count: int) -> list[int]:
    return [round(found.shape[0] * (at + 0.5) / count) for at in range(count)]


def test_on_a_linear_scale_zero_is_a_value() -> None:
    read = spectrogram(np.array([[0.0, 1.0, 2.0]] * 4))
    drawn = draw(one_row(read, y_scale=Scale.LOG, z_scale=Scale.LINEAR, colormap="viridis"), **SIZE)
    assert panel(drawn)[-1, 5].tolist() == [68, 1, 84]


def test_limits_are_those_given_and_told_in_the_file(tmp_path: Path) -> None:
    read = spectrogram(np.geomspace(1.0, 1e6, 400).reshape(100, 4))
    given = Limits(y_min=20.0, y_max=3000.0, z_min=10.0, z_max=1e4)
    path = tmp_path / "a.png"
    drawn = draw(one_row(read, limits=given, y_scale=Scale.LOG), **SIZE)
    drawn.save(path, {"job": "plot/1"})
    told = read_provenance(path)
    row = json.loads(told[FACTS])["rows"][0]
    assert told["job"] == "plot/1"
    assert [row[name] for name in ("y_min", "y_max", "z_min", "z_max")] == [20.0, 3000.0, 10.0, 1e4]
    # And what lies beyond them has the colours of the ends.
    found = panel(drawn)
    assert len({tuple(each) for each in found[:, :10].reshape(-1, 3).tolist()}) == 1
    assert len({tuple(each) for each in found[:, -10:].reshape(-1, 3).tolist()}) == 1


def test_without_limits_colours_run_from_the_first_to_the_99th_percentile() -> None:
    values = np.random.default_rng(1).lognormal(3.0, 2.0, (200, 4))
    for z_scale in Scale:
        row = draw(one_row(spectrogram(values), z_scale=z_scale), **SIZE).facts["rows"][0]
        low, high = np.percentile(values.astype(np.float32), (1, 99))
        assert (row["z_min"], row["z_max"]) == (pytest.approx(low), pytest.approx(high))


def test_percentiles_of_a_logarithm_begin_above_zero() -> None:
    values = np.zeros((100, 4))
    values[::3] = 5.0
    row = draw(one_row(spectrogram(values)), **SIZE).facts["rows"][0]
    assert 0 < row["z_min"] < row["z_max"] or row["z_min"] == pytest.approx(5.0)


@pytest.mark.parametrize("value", [0.0, np.nan, 7.0])
@pytest.mark.parametrize("z_scale", list(Scale))
@pytest.mark.parametrize("y_scale", list(Scale))
def test_a_file_of_one_value_is_drawn(value: float, y_scale: Scale, z_scale: Scale) -> None:
    drawn = draw(one_row(spectrogram(np.full((5, 3), value)), y_scale=y_scale, z_scale=z_scale), **SIZE)
    assert pixels(drawn).shape == (500, 900, 3)


def test_hopes_pitch_rows_without_a_value_show_no_colour(shared_particles: Path) -> None:
    read = read_pitch_spectrogram(shared_particles / "rbspa_rel04_ect-hope-PA-L3_20121201_v0.0.0.cdf")
    drawn = draw(SpectrogramSheet(rows=pitch_grid(read)[1:2], colormap="viridis"), **SIZE)
    found = panel(drawn)
    blank = is_of(WHITE, found) | is_of(FILL, found)
    height = found.shape[0]
    outer = round(height * 11.25 / 180)
    assert blank[: outer - 1].all()
    assert blank[height - outer + 1 :].all()
    assert not blank[height // 2].all()


def test_records_finer_than_pixels_are_averaged_and_none_is_lost() -> None:
    values = np.zeros((20_000, 2))
    values[7_777, 1] = 1e6
    drawn = draw(one_row(spectrogram(values, step_s=0.1), z_scale=Scale.LOG, y_scale=Scale.LOG), **SIZE)
    lit = ~is_of(BLACK, panel(drawn))
    columns = np.flatnonzero(lit.any(axis=0))
    assert columns.tolist() == [int(7_777.5 / 20_000 * lit.shape[1])]


def test_modes_within_one_pixel_are_averaged_where_they_are_drawn() -> None:
    low, high = np.array([10.0, 100.0, 1000.0]), np.array([100.0, 1000.0, 10_000.0])
    records = 6_000
    values = np.full((records, 2), 10.0)
    mode = (np.arange(records) % 2).astype(np.uint8)
    values[mode == 1] = 1000.0
    read = replace(
        spectrogram(values, step_s=0.1),
        mode=mode,
        energy_edges_ev=(low, high),
        energies_ev=(low[:-1], high[:-1]),
    )
    limits = Limits(z_min=10.0, z_max=1000.0, y_min=10.0, y_max=1e4)
    drawn = draw(one_row(read, limits=limits, y_scale=Scale.LOG, colormap="gray"), **SIZE)
    levels = panel(drawn)[:, :, 0].astype(int)
    top, middle, bottom = (int(np.median(levels[row])) for row in _middles(panel(drawn), 3))
    assert bottom < middle < top
    # Half of 10 and half of 1000: 505, which is at 0.85 of two decades.
    assert (middle - bottom) / (top - bottom) == pytest.approx(0.85, abs=0.03)


@pytest.mark.parametrize("style", list(MarkStyle))
def test_marks_are_where_their_times_are(style: MarkStyle) -> None:
    read = spectrogram(np.ones((100, 3)))
    mark = Mark(start_s=START + 250.0, end_s=START + 400.0, label="cusp")
    drawn = draw(one_row(read, marks=(mark,), mark_style=style, zooms=zoom_around((mark,), 5.0)), **SIZE)
    picture = pixels(drawn)
    red = is_of((0xD6, 0x1A, 0x1A), picture)
    for column in (0, 1):
        rows, columns = drawn.panel_at(0, column)
        edges = [round(drawn.pixel_at(0, column, at, 100.0)[1]) for at in (mark.start_s, mark.end_s)]
        inside = np.flatnonzero(red[rows, columns].any(axis=0)) + columns.start
        below = np.flatnonzero(red[rows.stop + 2 : rows.stop + 16, columns].any(axis=0)) + columns.start
        if style is MarkStyle.BRACKET:
            assert inside.size == 0
        else:
            assert all(min(abs(inside - edge)) <= 1 for edge in edges)
            assert all(min(abs(edge - each) for edge in edges) <= 3 for each in inside)
        if style is MarkStyle.LINE:
            assert below.size == 0
        else:
            assert (below.min(), below.max()) == (pytest.approx(edges[0], abs=2), pytest.approx(edges[1], abs=2))


def test_marks_are_white_on_turbo() -> None:
    read = spectrogram(np.ones((100, 3)))
    marks = (Mark(start_s=START + 250.0, end_s=START + 250.0),)
    drawn = draw(one_row(read, marks=marks, mark_style=MarkStyle.LINE, colormap="turbo"), **SIZE)
    found = panel(drawn)
    assert is_of(WHITE, found).all(axis=0).sum() >= 1
    assert not is_of((0xD6, 0x1A, 0x1A), found).any()


def test_a_zoom_is_as_wide_as_it_must_be() -> None:
    short, long = Mark(start_s=100.0, end_s=160.0), Mark(start_s=1000.0, end_s=2000.0, label="long")
    assert zoom_around(()) == ()
    assert zoom_around((short,), 6.0) == (Zoom(start_s=-50.0, end_s=310.0),)
    assert zoom_around((long,), 6.0) == (Zoom(start_s=750.0, end_s=2250.0),)
    assert [zoom.title for zoom in zoom_each((long, short))] == ["Zoomed", "long"]


def test_several_zooms_have_columns_and_one_without_a_record_has_none() -> None:
    read = spectrogram(np.ones((100, 3)))
    zooms = tuple(Zoom(start_s=START + at, end_s=START + at + 60, title=f"{at} s") for at in (0, 500, 5_000))
    drawn = draw(one_row(read, zooms=zooms))
    assert [each["title"] for each in drawn.facts["columns"]] == ["Full", "0 s", "500 s"]
    assert drawn.size == (3600, 600)


def test_an_instrument_without_data_keeps_its_row() -> None:
    read = spectrogram(np.ones((20, 3)))
    sheet = SpectrogramSheet(rows=instrument_grid({"ees": read, "eeb": None, "ies": read}))
    drawn = draw(sheet, width_px=900, height_px=700)
    assert [row["instrument"] for row in drawn.facts["rows"]] == ["ees", None, "ees"]
    assert is_of(WHITE, panel(drawn, 1)).mean() > 0.9
    assert not is_of(WHITE, panel(drawn, 2)).any()


def test_long_titles_and_labels_stay_within_the_picture() -> None:
    read = spectrogram(np.ones((100, 3)))
    long = "a title of so many words that it is wider than the whole picture, " * 5
    row = Row(spectrogram=read, label=long, y_label=long, z_label=long)
    zooms = (Zoom(start_s=START, end_s=START + 60, title=long),)
    picture = pixels(draw(SpectrogramSheet(rows=(row,), title=long, footer=long, zooms=zooms), **SIZE))
    for edge in (picture[0], picture[-1], picture[:, 0], picture[:, -1]):
        assert (edge == 255).all()


def test_ticks_of_the_orbit_need_a_track_and_room() -> None:
    read = spectrogram(np.ones((100, 3)))
    times = START + np.arange(0.0, 1001.0, 20.0)
    track = OrbitTrack(
        times_s=times,
        ilat_deg=np.linspace(60, 80, times.size),
        mlt_h=np.full(times.size, 12.0),
        alt_km=np.full(times.size, 4000.0),
        flat_deg=np.full(times.size, 60.0),
        flng_deg=np.full(times.size, 60.0),
    )
    plain, tracked = (draw(one_row(read, track=each), **SIZE) for each in (None, track))
    assert tracked.panel_at(0, 0)[0].stop < plain.panel_at(0, 0)[0].stop
    pdfium = pytest.importorskip("pypdfium2")
    text = pdfium.PdfDocument(tracked.vector(".pdf"))[0].get_textpage().get_text_range()
    assert all(word in text for word in ("ILAT", "MLT", "ALT", "4000", "00:05", "Energy (eV)", "2000-01-01"))


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg", ".jpg"])
def test_equal_sheets_make_equal_bytes_with_facts_in_them(suffix: str, tmp_path: Path) -> None:
    read = spectrogram(np.random.default_rng(3).lognormal(0, 1, (50, 4)))
    first, second = (draw(one_row(read, title="t"), **SIZE).encode(f"a{suffix}", {"job": "x"}) for _ in range(2))
    assert first == second
    (tmp_path / f"a{suffix}").write_bytes(first)
    told = read_provenance(tmp_path / f"a{suffix}")
    assert told["job"] == "x"
    assert json.loads(told[FACTS])["rows"][0]["instrument"] == "ees"


def test_a_larger_picture_shows_the_same_in_more_pixels() -> None:
    read = spectrogram(np.random.default_rng(3).lognormal(0, 1, (50, 4)))
    small, large = (draw(one_row(read), width_px=600 * n, height_px=400 * n) for n in (1, 2))
    assert large.facts == small.facts
    assert large.dpi == 2 * small.dpi
    for n in (0, 1):
        assert large.panel_at(0, 0)[n].start == pytest.approx(2 * small.panel_at(0, 0)[n].start, abs=4)


def test_scale_pairs_have_colour_maps_of_their_own() -> None:
    read = spectrogram(np.ones((5, 3)))
    names = {draw(one_row(read, y_scale=y, z_scale=z), **SIZE).facts["colormap"] for y in Scale for z in Scale}
    assert names == set(COLORMAPS.values()) == {"viridis", "cividis", "plasma", "inferno"}


def test_what_cannot_be_drawn_is_told() -> None:
    read = spectrogram(np.ones((5, 3)))
    with pytest.raises(PlotError, match="no category 'up'"):
        Row(spectrogram=read, category="up")
    with pytest.raises(PlotError, match="lower one first"):
        Row(spectrogram=read, limits=Limits(z_min=5.0, z_max=2.0))
    with pytest.raises(PlotError, match="no colour map 'virids'"):
        draw(one_row(read, colormap="virids"))
    with pytest.raises(PlotError, match="no logarithm"):
        draw(one_row(read, limits=Limits(z_max=-1.0)))
    with pytest.raises(PlotError, match="too few"):
        draw(one_row(read), width_px=30, height_px=20)
    with pytest.raises(PlotError, match="too many"):
        draw(one_row(read), width_px=100_000)
    with pytest.raises(PlotError, match="no row of the picture has a record"):
        draw(SpectrogramSheet(rows=instrument_grid({"ees": None})))
    with pytest.raises(PlotError, match="no record of any row"):
        draw(one_row(read, full=False, zooms=(Zoom(start_s=0.0, end_s=1.0),)))
    with pytest.raises(PlotError, match="without rows"):
        SpectrogramSheet(rows=())
    with pytest.raises(PlotError, match="shows nothing"):
        Zoom(start_s=2.0, end_s=1.0)
