"""Orbit files in K0 conventions: an ellipse over the poles, by Kepler's laws."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.particles._synthetic._cdf_file import Column, write_cdf
from batchlab.particles._synthetic._tables import FILL

if TYPE_CHECKING:
    from batchlab.particles._model import Float

__all__ = ["PERIOD_S", "Track", "orbit_track", "write_orbit"]

PERIOD_S = 7_983.0
_RECORDS = 396
_EARTH_KM, _MU = 6_371.2, 398_600.4  # km³/s²
_PERIGEE_KM, _APOGEE_KM = 350.0, 4_175.0
_INCLINATION = np.deg2rad(83.0)
_POLE_TILT = np.deg2rad(10.0)  # of the magnetic axis


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Track:
    """Where the spacecraft was.

    Attributes
    ----------
    times_s
        (N,) every 20 s.
    r_km, v_km_s
        (N, 3) in a frame that does not turn.
    alt_km, flat_deg, flng_deg, mlt_h, ilat_deg
        (N,); latitudes are negative in the south.
    """

    times_s: Float
    r_km: Float
    v_km_s: Float
    alt_km: Float
    flat_deg: Float
    flng_deg: Float
    mlt_h: Float
    ilat_deg: Float


def orbit_track(start_s: float, *, south: bool) -> Track:
    """An orbit that is over one of the poles about half an hour after its start."""
    times = start_s + np.arange(_RECORDS, dtype=np.float64) * (PERIOD_S / _RECORDS)
    half_axis = _EARTH_KM + 0.5 * (_PERIGEE_KM + _APOGEE_KM)
    excentricity = (_APOGEE_KM - _PERIGEE_KM) / (2.0 * half_axis)
    mean = 2.0 * np.pi * (times - start_s - 2_100.0) / PERIOD_S + np.pi
    anomaly = mean.copy()
    for _ in range(12):  # Newton's steps on Kepler's equation
        anomaly -= (anomaly - excentricity * np.sin(anomaly) - mean) / (1.0 - excentricity * np.cos(anomaly))
    flat = np.sqrt(1.0 - excentricity**2)
    in_plane = np.stack([np.cos(anomaly) - excentricity, flat * np.sin(anomaly)], axis=1) * half_axis
    rate = np.sqrt(_MU / half_axis) / (1.0 - excentricity * np.cos(anomaly))
    speed = np.stack([-np.sin(anomaly), flat * np.cos(anomaly)], axis=1) * rate[:, None]
    # The apogee lies over the pole in question.
    pole = -1.0 if south else 1.0
    toward = np.array([0.0, -pole * np.cos(_INCLINATION), -pole * np.sin(_INCLINATION)])
    axes = np.stack([toward, np.array([1.0, 0.0, 0.0])])
    r, v = in_plane @ axes, speed @ axes
    distance = np.linalg.norm(r, axis=1)
    magnetic = r @ np.array([0.0, np.sin(_POLE_TILT), np.cos(_POLE_TILT)]) / distance
    # In a dipole the line through r at magnetic latitude m meets the ground where cos² is cos² m / r.
    ground = np.sign(magnetic) * np.arccos(np.sqrt(np.clip((1.0 - magnetic**2) * _EARTH_KM / distance, 0.0, 1.0)))
    longitude = np.rad2deg(np.arctan2(r[:, 1], r[:, 0])) - 360.0 * (times / 86_164.0)
    return Track(
        times_s=times,
        r_km=r,
        v_km_s=v,
        alt_km=distance - _EARTH_KM,
        flat_deg=np.rad2deg(ground),
        flng_deg=(longitude + 180.0) % 360.0 - 180.0,
        mlt_h=(np.rad2deg(np.arctan2(r[:, 1], r[:, 0])) / 15.0 + 12.0) % 24.0,
        ilat_deg=np.rad2deg(ground),
    )


def write_orbit(path: Path, orbit: int, track: Track) -> None:
    """Write an orbit file."""
    count = len(track.times_s)
    fill, whole = {"FILLVAL": FILL}, {"FILLVAL": np.int32(-(2**31))}
    when = [datetime.fromtimestamp(float(each), UTC) for each in track.times_s]
    days = [(each.year, each.timetuple().tm_yday, _ms_of_day(each)) for each in when]
    numbers: dict[str, tuple[Float, str, str]] = {
        "fa_spin_ra": (np.full(count, 270.0), "deg", "Right ascension of the spin axis"),
        "fa_spin_dec": (np.full(count, 5.0), "deg", "Declination of the spin axis"),
        "r": (track.r_km, "km", "Position"),
        "v": (track.v_km_s, "km/s", "Velocity"),
        "alt": (track.alt_km, "km", "Altitude"),
        "flat": (track.flat_deg, "deg", "Latitude of the foot of the field line"),
        "flng": (track.flng_deg, "deg", "Longitude of the foot of the field line"),
        "mlt": (track.mlt_h, "hour", "Magnetic local time"),
        "ilat": (track.ilat_deg, "deg", "Invariant latitude"),
    }
    pointed = {"LABL_PTR_1": "label_time", "UNIT_PTR": "unit_time", "FORM_PTR": "format_time"}
    whole_numbers: dict[str, Any] = {
        "quality_flag": np.zeros(count, np.int32),
        "post_gap_flag": np.zeros(count, np.int32),
        "orbit": np.full(count, orbit, np.int32),
    }
    columns = [
        Column(
            name="Epoch", values=track.times_s, is_epoch=True, attributes={"UNITS": "ms", "FILLVAL": np.float64(-1e31)}
        ),
        Column(name="Time_PB5", values=np.array(days, np.int32), attributes={"DEPEND_0": "Epoch", **pointed, **whole}),
        Column(name="unit_time", values=["year", "day", "msec"]),
        Column(name="label_time", values=["Year", "Day of year", "Milliseconds of day"]),
        Column(name="format_time", values=["I4", "I3", "I8"]),
        Column(name="cartesian", values=["x", "y", "z"]),
        Column(name="label_r", values=["X", "Y", "Z"]),
        Column(name="label_v", values=["Vx", "Vy", "Vz"]),
        Column(
            name="unix_time",
            values=track.times_s,
            attributes={"UNITS": "s", "FILLVAL": np.float64(-1e31), "DEPEND_0": "Epoch"},
        ),
        *(
            Column(name=name, values=values, attributes={"DEPEND_0": "Epoch", **whole})
            for name, values in whole_numbers.items()
        ),
        *(
            Column(
                name=name,
                values=values.astype(np.float32),
                attributes={"CATDESC": words, "FIELDNAM": words, "UNITS": unit, "DEPEND_0": "Epoch", **fill},
            )
            for name, (values, unit, words) in numbers.items()
        ),
    ]
    write_cdf(
        path,
        columns,
        {
            "TITLE": "FAST orbit (synthetic)",
            "Project": "FAST",
            "Source_name": "FAST>Fast Auroral SnapshoT Explorer",
            "Data_type": "K0>Key Parameter",
            "Descriptor": "ORB>Orbit",
            "Logical_file_id": path.stem,
            "TEXT": "Synthetic: flown by no spacecraft.",
        },
    )


def _ms_of_day(when: datetime) -> int:
    return ((when.hour * 60 + when.minute) * 60 + when.second) * 1_000 + when.microsecond // 1_000
