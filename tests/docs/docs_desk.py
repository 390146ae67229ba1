"""A folder, an environment and a shell for the examples of one page."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from docs_pages import ROOT

from batchlab.devices._demo import make_demo
from batchlab.devices._synthetic import write_lab
from batchlab.motion import join_bodies, simulate, write_recording, write_recordings
from batchlab.particles._synthetic import Column, write_cdf, write_mission
from batchlab.spectra._synthetic import write_demo_set
from batchlab.spectra._synthetic_batch import write_batch

POINTS = 400
FRAMES = 300


class Desk:
    """Where a reader would sit: one folder, one shell, the commands of the environment under test."""

    def __init__(self, folder: Path, state: Path) -> None:
        self.folder = folder
        self.code = 0
        source = str(ROOT / "src")
        self._env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BATCHLAB_")},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": source,
            "XDG_STATE_HOME": str(state / "state"),
            "XDG_CACHE_HOME": str(state / "cache"),
            "COLUMNS": "100",
            "LC_ALL": "C.UTF-8",
        }

    def run(self, command: str) -> str:
        """Both outputs of a command; ``$?`` in it is the exit code of the one before."""
        done = subprocess.run(
            ["bash", "-c", f"(exit {self.code}); {command}"],
            cwd=self.folder,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
        )
        self.code = done.returncode
        return done.stdout

    def python(self, text: str) -> str:
        """What a script prints."""
        script = self.folder / ".script.py"
        script.write_text(text, encoding="utf-8")
        try:
            return self.run(f"python {script.name}")
        finally:
            script.unlink()

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")

    def make_data(self, samples: int) -> None:
        write_demo_set(self.folder / "data", samples, points=POINTS)

    def make_demo_data(self) -> None:
        write_batch(self.folder / "data")

    def make_lab(self) -> None:
        """Raw files and geometries of three chips, and what is true of them."""
        make_demo(self.folder)
        (self.folder / "chips.yaml").rename(self.folder / "data" / "chips.yaml")

    def make_mission(self) -> None:
        """Three orbits of four instruments with their cusps, and a file of another mission."""
        write_mission(self.folder, orbits=3, records=80)
        write_cdf(self.folder / "probes" / "probe_pads_20121201_v03.cdf", _unseen(), {"Title": "made up"})

    def make_recordings(self) -> None:
        """Two sessions of each of three subjects, a helmet that all three wore, two bodies at once, and odd ones."""
        write_recordings(self.folder / "recordings", subjects=3, sessions=2, frames=FRAMES, outliers=0.005)
        for subject in (1, 2, 3):
            for session in (1, 2):
                name = f"subject_{subject:02d}_session_{session}"
                truth = simulate(name, seed=9, session=10 * subject + session, frames=FRAMES)
                write_recording(self.folder / "helmet", truth.recording)
        bodies = {"box": simulate(frames=FRAMES, seed=1), "wand": simulate(frames=FRAMES, markers=4, seed=2)}
        write_recording(self.folder, join_bodies("two-bodies", bodies), "c3d")
        for case in ("swapped", "loose"):
            write_recording(self.folder / "odd", simulate(case, case=case, frames=FRAMES).recording)
        header, *rows = (self.folder / "recordings" / "subject_01_session_1.csv").read_text().splitlines()
        bare = [",".join([row.split(",")[0], *row.split(",")[2:]]) for row in (header.replace("_mm", ""), *rows)]
        (self.folder / "plain.csv").write_text("\n".join(bare) + "\n")

    def make_examples(self) -> None:
        """Raw files of the chip that the examples plot, and the examples' own files."""
        write_lab(self.folder, chips=1, runs=114, interval_s=0.5)
        shutil.copytree(ROOT / "examples" / "config", self.folder / "config")
        shutil.copy(ROOT / "examples" / "process_and_analyze.py", self.folder)


def _unseen() -> list[Column]:
    """Variables of a file that no reader was written for: flux per keV by time, energy and pitch angle."""
    start = 1_354_320_000.0  # 2012-12-01
    times = start + 60.0 * np.arange(30)
    pitch, energy = np.linspace(9.0, 171.0, 10), np.geomspace(0.05, 50.0, 24)
    flux = 1e4 * np.exp(-energy / 5.0)[None, None, :] * (1.0 + np.sin(np.radians(pitch)))[None, :, None]
    flux = np.repeat(flux, len(times), axis=0).astype(np.float32)
    flux[10:13, :, :4] = -1e31
    told = {"VAR_TYPE": "support_data"}
    return [
        Column(name="Epoch", values=times, is_epoch=True, attributes={**told, "UNITS": "ms"}),
        Column(name="Energy", values=energy.astype(np.float32), constant=True, attributes={**told, "UNITS": "keV"}),
        Column(
            name="Pitch",
            values=pitch.astype(np.float32),
            constant=True,
            attributes={**told, "UNITS": "deg", "LABLAXIS": "PA"},
        ),
        Column(
            name="Flux",
            values=flux,
            attributes={
                "VAR_TYPE": "data",
                "DEPEND_0": "Epoch",
                "DEPEND_1": "Pitch",
                "DEPEND_2": "Energy",
                "UNITS": "1/(cm^2 s sr keV)",
                "LABLAXIS": "Electron flux",
                "FILLVAL": np.float32(-1e31),
            },
        ),
    ]
