"""The 3-D viewer: a recording and the bodies fitted to it, or an eye, in one file that needs no network."""

from __future__ import annotations

from batchlab.motion._viewer._eye_page import eye_viewer_page, write_eye_viewer
from batchlab.motion._viewer._page import viewer_page, write_viewer

__all__ = ["eye_viewer_page", "viewer_page", "write_eye_viewer", "write_viewer"]
