"""The only place of this domain that opens raw files."""

from batchlab.devices._raw_files import ZONE, discover
from batchlab.devices._read._header import Header
from batchlab.devices._read._many import Many, Reject, read_many
from batchlab.devices._read._note import Note
from batchlab.devices._read._record import DateOrigin, Record
from batchlab.devices._read._run import read_header, read_run

# Changes when the same file may read differently.
READER_VERSION = "1"

__all__ = [
    "READER_VERSION",
    "ZONE",
    "DateOrigin",
    "Header",
    "Many",
    "Note",
    "Record",
    "Reject",
    "discover",
    "read_header",
    "read_many",
    "read_run",
]
