"""Rigid bodies and eyes, fitted to the trajectories of markers, with options chosen by evidence.

    from batchlab.motion import Body, FitOptions, Weights, fit_body, read_recording

    recording = read_recording("walk.c3d", markers="box:*")
    body = Body(name="box", markers=recording.markers)
    (fit,) = fit_body([recording], body, FitOptions(weights=Weights(data_per_m=2000, rotation=1, translation=5)))
    fit.rotations, fit.translations_m, fit.geometry_m, fit.residuals_m, fit.covered, fit.warnings

    from batchlab.engine import read_view, run
    from batchlab.motion import find_best, sweep

    result = run(sweep(["data"], {"weights.rotation": [0.1, 1, 10]}, "out", params={"unit": "mm"}))
    find_best(read_view(result.root)).params

`fit_and_score` fits, and tells how well the fit foretells markers that it was not shown; `score_each` compares
options. `judge` finds loose markers, swapped names and outliers, `fill_gaps` puts markers where the body says,
`write_viewer` shows it all in space, `write_page` in plots and words. `fit_eye` tells where an eye looks,
`write_eye_viewer` and `write_eye_page` show that. `fit_batch`, `sweep`, `cross_validation` and `eye_batch` make
batches; `write_recordings` makes files with a known truth.

A name is imported when it is first asked for, so that planning and the command line load no numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchlab._lazy import lazy_names

if TYPE_CHECKING:
    from batchlab.motion._batch import cross_validation, fit_batch, sweep
    from batchlab.motion._best import find_best, smoothness
    from batchlab.motion._eye import (
        PUPIL_LABS,
        Camera,
        Edge,
        EyeFit,
        EyeOptions,
        EyeQuality,
        camera_of_lens,
        eye_quality,
        eyes_of_gaze,
        fit_eye,
        gaze_vectors,
    )
    from batchlab.motion._eye_batch import eye_batch
    from batchlab.motion._files import find_recordings, grouping
    from batchlab.motion._frames import (
        Agreement,
        Filled,
        Source,
        agreement,
        axes_of_points,
        fill_gaps,
        frame_by_convention,
        frame_by_geometry,
        reference_geometry,
    )
    from batchlab.motion._judge import Judgement, MarkerRow, OutlierRun, SwapRun, judge
    from batchlab.motion._known import Anchor, KnownDistance, SoftEdge, Symmetry
    from batchlab.motion._model import (
        Body,
        Covered,
        DegenerateBody,
        Fit,
        FitOptions,
        FrameConvention,
        Loss,
        Recording,
        Smoothing,
        Status,
        Weights,
    )
    from batchlab.motion._panel._eye_page import eye_page, write_eye_page
    from batchlab.motion._panel._page import fit_page, write_page
    from batchlab.motion._quality import EdgeLength, MarkerQuality, Quality, edge_lengths, marker_quality, quality
    from batchlab.motion._read import FileFormat, Gaze, read_gaze, read_recording
    from batchlab.motion._score import Holdout, Score, ScoreKind, fit_and_score, score_each
    from batchlab.motion._solve import OwnTerm, fit_body, fit_body_by_scipy
    from batchlab.motion._synthetic import (
        Case,
        EyeTruth,
        Swap,
        Truth,
        join_bodies,
        simulate,
        simulate_eye,
        write_eyes,
        write_recording,
        write_recordings,
    )
    from batchlab.motion._viewer import eye_viewer_page, viewer_page, write_eye_viewer, write_viewer
    from batchlab.motion._write import (
        read_geometry,
        write_gaze,
        write_geometry,
        write_markers,
        write_points,
        write_poses,
    )

_HOMES = {
    "_batch": (
        "cross_validation",
        "fit_batch",
        "sweep",
    ),
    "_best": (
        "find_best",
        "smoothness",
    ),
    "_eye": (
        "PUPIL_LABS",
        "Camera",
        "Edge",
        "EyeFit",
        "EyeOptions",
        "EyeQuality",
        "camera_of_lens",
        "eye_quality",
        "eyes_of_gaze",
        "fit_eye",
        "gaze_vectors",
    ),
    "_eye_batch": ("eye_batch",),
    "_files": (
        "find_recordings",
        "grouping",
    ),
    "_frames": (
        "Agreement",
        "Filled",
        "Source",
        "agreement",
        "axes_of_points",
        "fill_gaps",
        "frame_by_convention",
        "frame_by_geometry",
        "reference_geometry",
    ),
    "_judge": (
        "Judgement",
        "MarkerRow",
        "OutlierRun",
        "SwapRun",
        "judge",
    ),
    "_known": (
        "Anchor",
        "KnownDistance",
        "SoftEdge",
        "Symmetry",
    ),
    "_model": (
        "Body",
        "Covered",
        "DegenerateBody",
        "Fit",
        "FitOptions",
        "FrameConvention",
        "Loss",
        "Recording",
        "Smoothing",
        "Status",
        "Weights",
    ),
    "_panel._eye_page": (
        "eye_page",
        "write_eye_page",
    ),
    "_panel._page": (
        "fit_page",
        "write_page",
    ),
    "_quality": (
        "EdgeLength",
        "MarkerQuality",
        "Quality",
        "edge_lengths",
        "marker_quality",
        "quality",
    ),
    "_read": (
        "FileFormat",
        "Gaze",
        "read_gaze",
        "read_recording",
    ),
    "_score": (
        "Holdout",
        "Score",
        "ScoreKind",
        "fit_and_score",
        "score_each",
    ),
    "_solve": (
        "OwnTerm",
        "fit_body",
        "fit_body_by_scipy",
    ),
    "_synthetic": (
        "Case",
        "EyeTruth",
        "Swap",
        "Truth",
        "join_bodies",
        "simulate",
        "simulate_eye",
        "write_eyes",
        "write_recording",
        "write_recordings",
    ),
    "_viewer": (
        "eye_viewer_page",
        "viewer_page",
        "write_eye_viewer",
        "write_viewer",
    ),
    "_write": (
        "read_geometry",
        "write_gaze",
        "write_geometry",
        "write_markers",
        "write_points",
        "write_poses",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Agreement",
    "Anchor",
    "Body",
    "Camera",
    "Case",
    "Covered",
    "DegenerateBody",
    "Edge",
    "EdgeLength",
    "EyeFit",
    "EyeOptions",
    "EyeQuality",
    "EyeTruth",
    "FileFormat",
    "Filled",
    "Fit",
    "FitOptions",
    "FrameConvention",
    "Gaze",
    "Holdout",
    "Judgement",
    "KnownDistance",
    "Loss",
    "MarkerQuality",
    "MarkerRow",
    "OutlierRun",
    "OwnTerm",
    "PUPIL_LABS",
    "Quality",
    "Recording",
    "Score",
    "ScoreKind",
    "Smoothing",
    "SoftEdge",
    "Source",
    "Status",
    "Swap",
    "SwapRun",
    "Symmetry",
    "Truth",
    "Weights",
    "agreement",
    "axes_of_points",
    "camera_of_lens",
    "cross_validation",
    "edge_lengths",
    "eye_batch",
    "eye_page",
    "eye_quality",
    "eye_viewer_page",
    "eyes_of_gaze",
    "fill_gaps",
    "find_best",
    "find_recordings",
    "fit_and_score",
    "fit_batch",
    "fit_body",
    "fit_body_by_scipy",
    "fit_eye",
    "fit_page",
    "frame_by_convention",
    "frame_by_geometry",
    "gaze_vectors",
    "grouping",
    "join_bodies",
    "judge",
    "marker_quality",
    "quality",
    "read_gaze",
    "read_geometry",
    "read_recording",
    "reference_geometry",
    "score_each",
    "simulate",
    "simulate_eye",
    "smoothness",
    "sweep",
    "viewer_page",
    "write_eye_page",
    "write_eye_viewer",
    "write_eyes",
    "write_gaze",
    "write_geometry",
    "write_markers",
    "write_page",
    "write_points",
    "write_poses",
    "write_recording",
    "write_recordings",
    "write_viewer",
]

__getattr__, __dir__ = lazy_names(__name__, _HOME_OF)
