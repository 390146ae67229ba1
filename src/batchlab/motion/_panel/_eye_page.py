"""A page for each eye: gaze over time with its errors, the eye that was found, and how well points fit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.motion._eye import eye_quality
from batchlab.motion._model import Status
from batchlab.motion._panel._charts import residual_chart, seen_of_eye, visibility_chart
from batchlab.motion._panel._courses import gaze_charts
from batchlab.motion._panel._shell import link_to, rendered, tile
from batchlab.motion._panel._svg import told

if TYPE_CHECKING:
    from batchlab.motion._eye import EyeFit, EyeQuality
    from batchlab.motion._model import Float, Recording

__all__ = ["eye_page", "write_eye_page"]

_MM = 1e3
_SCALE = (
    "One camera shows no scale: lengths go in proportion to the distance of the pupil's plane from the centre, and "
    "angles do not. Standard errors take the camera, the scale and a depth as they are given: what is wrong there is "
    "not in them. The centre is in the camera's axes: x to the right, y down, z away from it."
)
_VENDOR_AXES = "Angles are from straight ahead of the world camera: azimuth to the right, elevation up."
_AXES = "A gaze of azimuth 0 and elevation 0 looks into the camera; azimuth turns to the image's right, elevation up."


def write_eye_page(
    path: Path | str,
    recording: Recording,
    fits: Sequence[EyeFit],
    *,
    viewer: str | None = None,
    params: Mapping[str, Any] | None = None,
    provenance: Mapping[str, str] | None = None,
) -> Path:
    """Write the page of `eye_page` to a file, and return its path."""
    target = Path(path)
    page = eye_page(recording, fits, viewer=viewer, params=params, provenance=provenance)
    target.write_text(page, encoding="utf-8", newline="\n")
    return target


def eye_page(
    recording: Recording,
    fits: Sequence[EyeFit],
    *,
    viewer: str | None = None,
    params: Mapping[str, Any] | None = None,
    provenance: Mapping[str, str] | None = None,
) -> str:
    """A page that tells of the fit of an eye, or of the gaze of both that a vendor's program found.

    Parameters
    ----------
    recording, fits
        The recording, and what was fitted to it.
    viewer
        Address, relative to the page, of the page that plays the eye; places of the charts lead there.
    params
        Options, as they were asked for.
    provenance
        How it was made; shown, and given back by ``read_provenance``.

    Returns
    -------
    str
        The whole file, to be written as UTF-8.
    """
    fit, own = fits[0], eye_quality(fits[0])
    link = link_to(viewer)
    fitted = bool(fit.points)
    return rendered(
        "eye.html",
        params=params,
        provenance=provenance,
        title=f"{'The eye' if len(fits) == 1 else 'The eyes'} in {recording.name}",
        subtitle=_subtitle(recording, fit),
        tiles=list(_tiles(fit, own) if fitted else _vendor_tiles(fits)),
        sentences=[*_sentences(recording, fits)],
        viewer=viewer,
        views=[
            {
                "name": each.eye,
                "vendor": each.vendor,
                "axes": _VENDOR_AXES if each.vendor else _AXES,
                "uncertain": bool(np.isfinite(each.sd).any()),
                "courses": gaze_charts(each),
            }
            for each in fits
        ],
        scale=_SCALE if fitted else "Centres are medians over time in the world camera's axes, ± how much they move.",
        model_names=[each.eye for each in fits] if len(fits) > 1 else [""],
        model=list(_model(fits)),
        points=_points(fit),
        residuals=residual_chart(seen_of_eye(fit), link) if fitted else "",
        visibility=visibility_chart(seen_of_eye(fit)) if fitted else "",
        numbers="eye.json",
    )


def _subtitle(recording: Recording, fit: EyeFit) -> str:
    seconds = float(fit.times_s[-1] - fit.times_s[0])
    parts = [f"{len(fit.times_s):,} frames in {told(seconds)} s".replace(",", " ")]
    if fit.points:
        parts.insert(0, f"{len(fit.points)} points of the pupil's edge")
    if recording.rate_hz is not None:
        parts.append(f"{recording.rate_hz:g} Hz")
    return ", ".join(parts)


def _tiles(fit: EyeFit, own: EyeQuality) -> Iterator[dict[str, Any]]:
    yield tile("rms distance", f"{told(own.rms_px)} px", f"median {told(own.median_px)} px")
    sd = np.degrees(np.hypot(fit.sd[:, 0], fit.sd[:, 1]))
    yield tile("error of gaze", f"± {told(_median(sd), 2)}°", "median standard error")
    wide = [np.degrees(high - low) for low, high in (own.azimuth_range_rad, own.elevation_range_rad)]
    yield tile("gazes range over", f"{told(wide[0], 2)} by {told(wide[1], 2)}°", "9 of 10 of them")
    distance = f"{told(fit.center_m[2] * _MM)} ± {told(fit.center_sd_m[2] * _MM, 2)} mm"
    yield tile("eye before the camera", distance, "in scale with the eye")
    yield tile("reduced chi-square", told(fit.chi2_reduced), "1 where noise_px tells the noise")
    yield tile("solve", fit.status.value, f"{fit.iterations} steps", warn=fit.status is not Status.CONVERGED)
    yield tile("not seen", f"{told(100 * own.missing_share)} %", "of points in all frames")
    inferred, partly = int((fit.covered == 2).sum()), int((fit.covered == 1).sum())
    yield tile(
        "gazes inferred", f"{inferred}", f"of {len(fit.times_s)}; {partly} from some of the points", warn=inferred > 0
    )


def _vendor_tiles(fits: Sequence[EyeFit]) -> Iterator[dict[str, Any]]:
    yield tile("found by", fits[0].vendor, "nothing was fitted")
    for fit in fits:
        own = eye_quality(fit)
        wide = [np.degrees(high - low) for low, high in (own.azimuth_range_rad, own.elevation_range_rad)]
        yield tile(
            fit.eye,
            f"{told(wide[0], 2)} by {told(wide[1], 2)}°",
            f"that 9 of 10 gazes range over; {int((fit.covered == 2).sum())} of {len(fit.times_s)} not confident",
        )


def _sentences(recording: Recording, fits: Sequence[EyeFit]) -> Iterator[dict[str, Any]]:
    for sentence in dict.fromkeys(text for fit in fits for text in fit.warnings):
        # What was found by others is not odd.
        yield {"html": escape(sentence), "note": re.search(r"nothing was fitted$", sentence) is not None}
    for note in recording.notes:
        yield {"html": escape(note), "note": True}


def _model(fits: Sequence[EyeFit]) -> Iterator[tuple[str, list[str]]]:
    """Rows of the table of what was found."""
    for axis, name in enumerate(("x", "y", "z")):
        yield (
            f"centre {name} / mm",
            [f"{_fixed(fit.center_m[axis] * _MM)} ± {told(fit.center_sd_m[axis] * _MM, 2)}" for fit in fits],
        )
    if not fits[0].points:
        return
    yield "pupil radius, median / mm", [told(_median(fit.pupil_radius_m[fit.covered < 2]) * _MM) for fit in fits]
    yield "pupil's plane from the centre / mm", [told(_median(fit.pupil_distance_m) * _MM) for fit in fits]
    for fit in fits:
        if fit.tear_duct_px is not None:
            x, y = fit.tear_duct_px.tolist()
            yield "tear duct in the image / px", [f"{x:.1f}, {y:.1f}"]
        if fit.camera is not None:
            x, y = fit.camera.principal_px
            yield "camera's focal length / px", [f"{fit.camera.focal_px:.1f}"]
            yield "camera's axis in the image / px", [f"{x:.1f}, {y:.1f}"]


def _points(fit: EyeFit) -> list[dict[str, Any]]:
    lengths = np.linalg.norm(fit.residuals_px, axis=2)
    seen = np.isfinite(lengths)
    count = np.maximum(seen.sum(axis=0), 1)
    rms = np.sqrt(np.where(seen, lengths**2, 0.0).sum(axis=0) / count)
    inliers = (seen & (fit.weights_used >= 0.5)).sum(axis=0) / count
    most = float(rms.max(initial=0.0)) or 1.0
    return [
        {
            "name": name,
            "angle": told(float(np.degrees(fit.angles_rad[number]))),
            "rms": told(float(rms[number])),
            "rms_share": float(rms[number] / most),
            "median": told(_median(lengths[:, number])),
            "inliers": told(100 * float(inliers[number])),
            "inlier_share": float(inliers[number]),
            "missing": told(100 * float(1 - seen[:, number].mean())),
            "missing_share": float(1 - seen[:, number].mean()),
        }
        for number, name in enumerate(fit.points)
    ]


def _fixed(value: float) -> str:
    return f"{value + 0.0:.2f}".replace("-", "−") if np.isfinite(value) else "–"


def _median(values: Float) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")
