"""The only place of this domain that opens raw files."""

from batchlab.motion._read._formats import FileFormat
from batchlab.motion._read._gaze import Gaze, read_gaze
from batchlab.motion._read._recording import read_recording

# Changes when the same file may read differently.
READER_VERSION = "2"

__all__ = ["READER_VERSION", "FileFormat", "Gaze", "read_gaze", "read_recording"]
