"""How the fit of an eye looks in a notebook: a line, a small table, and gaze over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchlab.motion._eye._model import EyeFit

__all__ = ["eye_html", "eye_line"]


def eye_line(fit: EyeFit) -> str:
    """``<EyeFit of 'eye_01': converged after 13 steps, 0.51 px rms, 1000 frames, 1 warning>``."""
    from batchlab.motion._eye._shown import eye_quality
    from batchlab.motion._panel._svg import told

    count = len(fit.warnings)
    warned = f", {count} warning{'s' * (count > 1)}" if count else ""
    how = f"{fit.eye} by {fit.vendor}" if fit.vendor else f"{fit.status.value} after {fit.iterations} steps"
    rms = "" if fit.vendor else f", {told(eye_quality(fit).rms_px)} px rms"
    return f"<EyeFit of {fit.recording!r}: {how}{rms}, {len(fit.times_s)} frames{warned}>"


def eye_html(fit: EyeFit) -> str:
    """What was found, and gaze over time."""
    import numpy as np

    from batchlab.motion._eye._shown import eye_quality
    from batchlab.motion._notebook import notebook_page, notebook_table, sized
    from batchlab.motion._panel._courses import gaze_charts
    from batchlab.motion._panel._svg import told

    own = eye_quality(fit)
    centre = ", ".join(
        f"{1e3 * value:.2f} ± {told(1e3 * sd, 2)}" for value, sd in zip(fit.center_m, fit.center_sd_m, strict=True)
    )
    wide = [np.degrees(high - low) for low, high in (own.azimuth_range_rad, own.elevation_range_rad)]
    counts = [int((fit.covered == code).sum()) for code in range(3)]
    facts = [
        ("found by", fit.vendor) if fit.vendor else ("solve", f"{fit.status.value} after {fit.iterations} steps"),
        ("eye's centre / mm", centre),
        ("gazes range over", f"{told(wide[0], 2)} by {told(wide[1], 2)}°"),
        ("gazes", f"{counts[0]} measured, {counts[1]} from some of the points, {counts[2]} inferred"),
    ]
    if not fit.vendor:
        facts.insert(1, ("rms distance", f"{told(own.rms_px)} px, median {told(own.median_px)} px"))
    drawings = "".join(sized(chart, 552) for _, chart in gaze_charts(fit)[:2])
    return notebook_page(f"{fit.eye} in {fit.recording}", notebook_table(facts), drawings, notes=fit.warnings)
