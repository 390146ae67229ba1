"""One HTML file to look at an eye: in space, and in the camera's image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from batchlab.figures import CYCLE
from batchlab.motion._eye import EyeFit
from batchlab.motion._model import Recording
from batchlab.motion._viewer._eye_pack import pack_eyes
from batchlab.motion._viewer._shell import plain, rendered

__all__ = ["eye_viewer_page", "write_eye_viewer"]

# Each leans on those before it.
_SCRIPTS = (
    "data.js", "eye.js", "camera.js", "paint.js", "eye_state.js", "pen.js", "eye_scene.js", "eye_image.js",
    "charts.js", "time.js", "view.js", "pointers.js", "keyboard.js", "eye_page.js",
)  # fmt: skip


def write_eye_viewer(
    path: Path | str,
    recording: Recording,
    fits: Sequence[EyeFit],
    *,
    title: str = "",
    every: int = 1,
    provenance: Mapping[str, str] | None = None,
) -> Path:
    """Write the page of `eye_viewer_page` to a file, and return its path.

    ``#frame=120``, ``#t=1.2`` (seconds) and ``#marker=NAME``, joined by ``&``, after the file's address open it there.
    """
    target = Path(path)
    page = eye_viewer_page(recording, fits, title=title, every=every, provenance=provenance)
    target.write_text(page, encoding="utf-8", newline="\n")
    return target


def eye_viewer_page(
    recording: Recording,
    fits: Sequence[EyeFit],
    *,
    title: str = "",
    every: int = 1,
    provenance: Mapping[str, str] | None = None,
) -> str:
    """A page that plays an eye: eyeball, pupil and gaze in space, and points and outline in the camera's image.

    Parameters
    ----------
    recording, fits
        The recording, and what was fitted to it: one eye, or both whose gaze a vendor's program found.
    title
        By default the recording's name.
    every
        Show each frame (1), each second one (2) and so on.
    provenance
        How it was made; shown, and given back by ``read_provenance``.

    Returns
    -------
    str
        The whole file, to be written as UTF-8.

    Raises
    ------
    DataError
        If a fit is of another recording.
    """
    title = plain(title or recording.name)
    data = {
        "title": title,
        "recording": plain(recording.name),
        "notes": [plain(note) for note in recording.notes],
        # Images have their y axis down.
        "up": "-y",
        "colours": [colour for colour in CYCLE if colour != "#000000"],
        **pack_eyes(recording, fits, every),
    }
    return rendered("eye.html", _SCRIPTS, data, title=title, provenance=provenance)
