"""One HTML file to look at a recording in space, from disk and without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from batchlab.errors import ConfigError
from batchlab.figures import CYCLE
from batchlab.motion._model import Fit, Recording
from batchlab.motion._viewer._pack import pack
from batchlab.motion._viewer._shell import UPS, plain, rendered

__all__ = ["viewer_page", "write_viewer"]

# Each leans on those before it.
_SCRIPTS = (
    "data.js", "markers.js", "camera.js", "paint.js", "state.js", "pen.js", "legend.js", "ground.js", "scene.js",
    "charts.js", "plots.js", "time.js", "view.js", "pointers.js", "keyboard.js", "list.js", "page.js",
)  # fmt: skip


def write_viewer(
    path: Path | str,
    recording: Recording,
    fits: Sequence[Fit] = (),
    *,
    edges: Sequence[tuple[str, str]] | None = None,
    title: str = "",
    up: str = "z",
    every: int = 1,
    provenance: Mapping[str, str] | None = None,
) -> Path:
    """Write the page of `viewer_page` to a file, and return its path.

    ``#frame=120``, ``#t=1.2`` (seconds) and ``#marker=NAME``, joined by ``&``, after the file's address open it there.

    Examples
    --------
    >>> write_viewer("box.html", recording, fit_body([recording], body))  # doctest: +SKIP
    PosixPath('box.html')
    """
    target = Path(path)
    target.write_text(
        viewer_page(recording, fits, edges=edges, title=title, up=up, every=every, provenance=provenance),
        encoding="utf-8",
        newline="\n",
    )
    return target


def viewer_page(
    recording: Recording,
    fits: Sequence[Fit] = (),
    *,
    edges: Sequence[tuple[str, str]] | None = None,
    title: str = "",
    up: str = "z",
    every: int = 1,
    provenance: Mapping[str, str] | None = None,
) -> str:
    """A page that plays markers and the bodies fitted to them; about 100 bytes for each frame of an 8-marker body.

    Parameters
    ----------
    recording
        In metres; its markers that belong to no body are shown too.
    fits
        One for each body, all fitted to this recording.
    edges
        Pairs of names of markers to join by lines. By default those of the bodies; where a body has none, each of
        its markers and the nearest others.
    title
        By default the recording's name.
    up
        The laboratory axis that points up at first: x, y or z, or one of them with a minus.
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
        If the recording is not in metres or empty, a fit is of another recording, two bodies share a marker, or an
        edge names a marker that is not there.
    ConfigError
        If `up` is no axis.
    """
    if up not in UPS:
        raise ConfigError(f"{up!r} is no axis that could point up; it is one of {', '.join(UPS)}")
    title = plain(title or recording.name)
    data = {
        "title": title,
        "recording": plain(recording.name),
        "notes": [plain(note) for note in recording.notes],
        "up": up,
        "colours": [colour for colour in CYCLE if colour != "#000000"],
        **pack(recording, fits, edges, every),
    }
    return rendered("viewer.html", _SCRIPTS, data, title=title, provenance=provenance)
