"""Spacecraft particle instruments: every orbit's spectrograms, right in energy and time.

    from batchlab.engine import run
    from batchlab.particles import Pictures, find_files, plot_batch, read_events

    found = find_files("FAST_data", instruments=("ees", "ies"))
    cusps = read_events("FAST_Cusp_Indices.csv")
    run(plot_batch(found, "plots", events=cusps, pictures=Pictures(kinds=("pitch-angle",))))

    from batchlab.particles import Scale, SpectrogramSheet, draw, pitch_grid, read_spectrogram

    shown = read_spectrogram("fa_esa_l2_ees_20011031194642_20541_v02.cdf")
    shown.values, shown.times_s, shown.energy_edges_ev[0], shown.unit
    draw(SpectrogramSheet(rows=pitch_grid(shown, y_scale=Scale.LOG))).save("ees.png")

`describe` tells what a CDF holds without reading it; `read_spectrogram` reads one of FAST, or of any mission with
energies, and `read_pitch_spectrogram` the same by pitch angle. `sketch_of`, `merge` and `limits_of` settle limits over
many files in constant memory. `energy_cut`, `time_cut` and `pitch_cut` are lines through a spectrogram; `export` writes
its numbers. `write_mission` makes files with a known truth. Notebooks show spectrograms as small pictures.

A name is imported when it is first asked for, so that planning and the command line load no numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchlab._lazy import lazy_names

if TYPE_CHECKING:
    from batchlab.particles._batch import Pictures, Reading, plot_batch
    from batchlab.particles._describe import FileDescription, describe
    from batchlab.particles._draw import (
        DrawnSpectrograms,
        MarkStyle,
        Row,
        SpectrogramSheet,
        Zoom,
        draw,
        energy_cut,
        instrument_grid,
        pitch_cut,
        pitch_grid,
        time_cut,
        zoom_around,
        zoom_each,
    )
    from batchlab.particles._events import Event, Events, marks_of_records, read_events, write_events
    from batchlab.particles._export import export
    from batchlab.particles._files import Found, data_file, find_files, orbit_of_day, parse_orbits
    from batchlab.particles._limits import LimitRules, limits_from_json, limits_of, limits_to_json
    from batchlab.particles._model import (
        INSTRUMENTS,
        PITCH_CATEGORIES,
        Collapse,
        DataFile,
        Dropped,
        EmptyFile,
        InvalidCdf,
        Limits,
        Mark,
        MissingVariable,
        PitchCategory,
        Quantity,
        Scale,
        Spectrogram,
    )
    from batchlab.particles._orbit import OrbitTrack, read_orbit
    from batchlab.particles._pitch_spectrogram import ENERGY_BANDS, EnergyBand, PitchSpectrogram, read_pitch_spectrogram
    from batchlab.particles._read import read_spectrogram, read_times
    from batchlab.particles._sketch import Sketch, merge, sketch_of
    from batchlab.particles._synthetic import BrightCell, Mission, Truth, one_bright_cell, write_broken, write_mission

_HOMES = {
    "_batch": (
        "Pictures",
        "Reading",
        "plot_batch",
    ),
    "_describe": (
        "FileDescription",
        "describe",
    ),
    "_draw": (
        "DrawnSpectrograms",
        "MarkStyle",
        "Row",
        "SpectrogramSheet",
        "Zoom",
        "draw",
        "energy_cut",
        "instrument_grid",
        "pitch_cut",
        "pitch_grid",
        "time_cut",
        "zoom_around",
        "zoom_each",
    ),
    "_events": (
        "Event",
        "Events",
        "marks_of_records",
        "read_events",
        "write_events",
    ),
    "_export": ("export",),
    "_files": (
        "Found",
        "data_file",
        "find_files",
        "orbit_of_day",
        "parse_orbits",
    ),
    "_limits": (
        "LimitRules",
        "limits_from_json",
        "limits_of",
        "limits_to_json",
    ),
    "_model": (
        "INSTRUMENTS",
        "PITCH_CATEGORIES",
        "Collapse",
        "DataFile",
        "Dropped",
        "EmptyFile",
        "InvalidCdf",
        "Limits",
        "Mark",
        "MissingVariable",
        "PitchCategory",
        "Quantity",
        "Scale",
        "Spectrogram",
    ),
    "_orbit": (
        "OrbitTrack",
        "read_orbit",
    ),
    "_pitch_spectrogram": (
        "ENERGY_BANDS",
        "EnergyBand",
        "PitchSpectrogram",
        "read_pitch_spectrogram",
    ),
    "_read": (
        "read_spectrogram",
        "read_times",
    ),
    "_sketch": (
        "Sketch",
        "merge",
        "sketch_of",
    ),
    "_synthetic": (
        "BrightCell",
        "Mission",
        "Truth",
        "one_bright_cell",
        "write_broken",
        "write_mission",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BrightCell",
    "Collapse",
    "DataFile",
    "DrawnSpectrograms",
    "Dropped",
    "ENERGY_BANDS",
    "EmptyFile",
    "EnergyBand",
    "Event",
    "Events",
    "FileDescription",
    "Found",
    "INSTRUMENTS",
    "InvalidCdf",
    "LimitRules",
    "Limits",
    "Mark",
    "MarkStyle",
    "MissingVariable",
    "Mission",
    "OrbitTrack",
    "PITCH_CATEGORIES",
    "Pictures",
    "PitchCategory",
    "PitchSpectrogram",
    "Quantity",
    "Reading",
    "Row",
    "Scale",
    "Sketch",
    "Spectrogram",
    "SpectrogramSheet",
    "Truth",
    "Zoom",
    "data_file",
    "describe",
    "draw",
    "energy_cut",
    "export",
    "find_files",
    "instrument_grid",
    "limits_from_json",
    "limits_of",
    "limits_to_json",
    "marks_of_records",
    "merge",
    "one_bright_cell",
    "orbit_of_day",
    "parse_orbits",
    "pitch_cut",
    "pitch_grid",
    "plot_batch",
    "read_events",
    "read_orbit",
    "read_pitch_spectrogram",
    "read_spectrogram",
    "read_times",
    "sketch_of",
    "time_cut",
    "write_broken",
    "write_events",
    "write_mission",
    "zoom_around",
    "zoom_each",
]

__getattr__, __dir__ = lazy_names(__name__, _HOME_OF)
