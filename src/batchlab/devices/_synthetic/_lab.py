"""Days in the synthetic laboratory: chips measured one after the other, some of them into the night."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from batchlab.devices._model import Chip
from batchlab.devices._synthetic._broken import write_broken
from batchlab.devices._synthetic._device import Device, make_device
from batchlab.devices._synthetic._files import write_run
from batchlab.devices._synthetic._measure import Grain, Measured, State, calibrate, measure
from batchlab.devices._synthetic._script import DOCUMENTED, DOCUMENTED_RUNS, Step, chips, script

__all__ = ["Lab", "Truth", "write_lab"]

_ZONE = ZoneInfo("America/Santiago")
_FIRST_DAY = datetime(2025, 9, 4, tzinfo=_ZONE)
_OPENS, _CLOSES = timedelta(hours=10), timedelta(hours=23, minutes=30)
_SESSION = 18  # runs on a chip before the next one is contacted
_FEWEST = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is true of one run, without noise.

    Attributes
    ----------
    file
        Relative to the folder of raw files, with slashes.
    procedure, chip, seq
        What it is; seq counts the runs of a chip over all procedures, from 1.
    start_utc, rows, wavelength_nm, laser_voltage_v
        As in the file.
    dead
        The flag that the data deserve, or none.
    values
        What the procedure has of: ``dirac_forward_v``, ``dirac_backward_v``, ``contact_ohm``,
        ``mobility_holes_cm2`` and ``mobility_electrons_cm2`` (of the steepest point of the ideal sweep);
        ``resistance_ohm`` (IV); ``level`` (in the dark), ``delta`` (what light has changed when it goes off, without
        drift), both in A or for Vt in V, ``drift_per_s``, ``rise_s`` and ``fall_s`` (10 to 90 % of each phase),
        ``tau_s`` and ``beta`` (after the light), the same ``_light`` and ``_pre`` (before it), ``vg_v``;
        ``power_w`` (on the chip).
    """

    file: str
    procedure: str
    chip: Chip | None
    seq: int | None
    start_utc: datetime
    rows: int
    wavelength_nm: float
    laser_voltage_v: float
    dead: str | None = None
    values: Mapping[str, float] = field(default_factory=dict)

    def __getitem__(self, name: str) -> float:
        """A value by its name."""
        return self.values[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """A laboratory on disk and what is true of it.

    Attributes
    ----------
    folder
        Of the whole; ``truth.json`` lies in it.
    raw_root
        The raw files: ``data/01_raw`` in it.
    truths
        One for each run, by start.
    devices
        The chips as they were made.
    broken
        Files with a fault, relative to `raw_root`, and what the fault is: the reason of the reject, or the kind of the
        note; empty unless asked for.
    """

    folder: Path
    raw_root: Path
    truths: tuple[Truth, ...]
    devices: Mapping[Chip, Device]
    broken: Mapping[str, str] = field(default_factory=dict)

    def of(self, procedure: str | None = None, chip: Chip | None = None) -> list[Truth]:
        """The truths of a procedure, of a chip, or both."""
        return [
            truth
            for truth in self.truths
            if procedure in (None, truth.procedure) and (chip is None or truth.chip == chip)
        ]


def write_lab(
    folder: str | Path,
    *,
    chips: int = 10,
    runs: int = 60,
    seed: int = 0,
    documented: bool = True,
    interval_s: float = 0.12,
    step_v: float = 0.05,
    broken: bool = False,
    newline: str = "\r\n",
) -> Lab:
    """Write the raw files of a laboratory whose truth is known.

    Parameters
    ----------
    folder
        Its place; raw files go to ``data/01_raw/<day>``.
    chips, runs
        How many chips, and how many runs each has on average. Four calibrations of light come with them.
    seed
        Of all chance; a chip's runs do not depend on how many others there are.
    documented
        Whether Alisson 67 has at least the 114 runs that the examples speak of; the other chips then share what
        remains, but have no fewer than 6. Otherwise all chips have `runs`.
    interval_s, step_v
        How finely is measured: time between samples, and between gate voltages.
    broken
        Whether to add files with every fault that is met in laboratories.
    newline
        At line ends.
    """
    folder = Path(folder)
    raw_root = folder / "data" / "01_raw"
    steps = _steps(chips, runs, documented)
    devices = {chip: make_device(chip, _chance(seed, chip, 0)) for chip in steps}
    states = {chip: State(device.dirac_v) for chip, device in devices.items()}
    grain = Grain(interval_s, step_v)
    clock, numbers, truths = _Clock(), Counter[tuple[str, str]](), []
    seqs: Counter[Chip] = Counter()

    def write(procedure: str, chip: Chip | None, step: Step, made: Measured, dead: str | None = None) -> None:
        start = clock.take(made.lasts_s)
        day = start.astimezone(_ZONE).date().isoformat()
        numbers[procedure, day] += 1
        name = f"{day}/{procedure}{day}_{numbers[procedure, day]}.csv"
        stamp = {"Start time": repr(start.timestamp())}
        write_run(
            raw_root / name,
            procedure,
            made.parameters,
            made.columns,
            made.rows,
            metadata={**made.metadata, **stamp},
            newline=newline,
        )
        truths.append(
            Truth(
                file=name,
                procedure=procedure,
                chip=chip,
                seq=seqs[chip] if chip else None,
                start_utc=start,
                rows=len(made.rows),
                wavelength_nm=float(step.wavelength_nm),
                laser_voltage_v=step.level_v,
                dead=dead,
                values={} if dead else made.truth,
            )
        )

    def calibration(wavelength_nm: int) -> None:
        step = Step(procedure="LaserCalibration", wavelength_nm=wavelength_nm)
        rng = np.random.default_rng((seed, 1, wavelength_nm))
        write("LaserCalibration", None, step, calibrate(wavelength_nm, rng))

    for wavelength_nm in (365, 405, 455):
        calibration(wavelength_nm)
    last = list(steps)[-1]
    for chip, step in _in_sessions(steps):
        seqs[chip] += 1
        made = measure(devices[chip], states[chip], step, grain, _chance(seed, chip, seqs[chip]))
        # The last chip of a larger laboratory has lost its contact by its last sweep.
        open_circuit = len(steps) > 2 and chip == last and seqs[chip] == _last_sweep(steps[chip])
        if open_circuit:
            made = _opened(made)
        write(step.procedure, chip, step, made, "DEAD_OPEN_CIRCUIT" if open_circuit else None)
    calibration(625)
    lab = Lab(
        folder=folder,
        raw_root=raw_root,
        truths=tuple(truths),
        devices=devices,
        broken=write_broken(raw_root) if broken else {},
    )
    _write_truth(lab)
    return lab


def _steps(number: int, runs: int, documented: bool) -> dict[Chip, list[Step]]:
    lengths = dict.fromkeys(chips(number), runs)
    if documented:
        first = max(runs, DOCUMENTED_RUNS)
        rest = number * runs - first
        others = [chip for chip in lengths if chip != DOCUMENTED]
        lengths[DOCUMENTED] = first
        for k, chip in enumerate(others):
            lengths[chip] = max(_FEWEST, (rest * (k + 1)) // len(others) - (rest * k) // len(others))
    return {chip: script(chip, length) for chip, length in lengths.items()}


def _in_sessions(steps: Mapping[Chip, list[Step]]) -> Iterator[tuple[Chip, Step]]:
    """Chips in turn, some runs on each."""
    left = {chip: list(reversed(made)) for chip, made in steps.items()}
    while any(left.values()):
        for chip, made in left.items():
            for _ in range(min(_SESSION, len(made))):
                yield chip, made.pop()


def _last_sweep(steps: list[Step]) -> int:
    return max((seq for seq, step in enumerate(steps, 1) if step.procedure == "IVg"), default=0)


def _opened(made: Measured) -> Measured:
    """The same sweep without contact: what is left is the noise of the meter."""
    rows = []
    for k, row in enumerate(made.rows):
        v_gs, _, rest = row.split(",", 2)
        rows.append(f"{v_gs},{(k * 37 % 19 - 9) * 7e-14:.7g},{rest}")
    return Measured(made.parameters, made.columns, rows, made.lasts_s, {}, made.metadata)


class _Clock:
    """When the next run begins: after the last one and a pause, in opening hours."""

    def __init__(self) -> None:
        self.now = (_FIRST_DAY + _OPENS).astimezone(UTC)
        self.taken = 0

    def take(self, lasts_s: float) -> datetime:
        local = self.now.astimezone(_ZONE)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        if local - midnight > _CLOSES:
            self.now = (midnight + timedelta(days=1) + _OPENS).astimezone(UTC)
        start = self.now
        self.taken += 1
        # Not on whole seconds: the software writes microseconds.
        pause = 190.0 + (self.taken * 7919 % 10007) / 1000.0 + self.taken * 104729 % 999983 / 1e6
        self.now = start + timedelta(seconds=lasts_s + pause)
        return start


def _chance(seed: int, chip: Chip, seq: int) -> np.random.Generator:
    return np.random.default_rng((seed, sum(chip.group.encode()), chip.number, seq))


def _write_truth(lab: Lab) -> None:
    rows = [
        {**asdict(truth), "chip": truth.chip.name if truth.chip else None, "start_utc": truth.start_utc.isoformat()}
        for truth in lab.truths
    ]
    devices = {
        chip.name: {name: value for name, value in asdict(device).items() if name != "chip"}
        for chip, device in lab.devices.items()
    }
    text = json.dumps({"runs": rows, "devices": devices, "broken": dict(lab.broken)}, indent=1)
    (lab.folder / "truth.json").write_text(text + "\n", encoding="utf-8")
