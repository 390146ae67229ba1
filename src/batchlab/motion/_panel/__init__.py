"""What this domain shows of fits: a page for each job, and panels of the report."""

from batchlab.motion._panel._page import fit_page, write_page

__all__ = ["fit_page", "write_page"]
