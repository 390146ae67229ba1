"""The 3-D viewer: a recording and the bodies fitted to it, in one file that needs no network."""

from __future__ import annotations

from batchlab.motion._viewer._page import viewer_page, write_viewer

__all__ = ["viewer_page", "write_viewer"]
