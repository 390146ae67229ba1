"""Spectra as files of open formats, which read back to the last bit: CSV, Parquet, JCAMP-DX, packed or not."""

from batchlab.spectra._write._csv import format_spectra, is_normalized_csv, parse_spectra
from batchlab.spectra._write._file import SUFFIXES, check_written, read_written, write_spectra, write_spectrum
from batchlab.spectra._write._jcamp import format_jcamp
from batchlab.spectra._write._ours import is_ours, kind_of_ours, read_ours
from batchlab.spectra._write._pack import unpacked
from batchlab.spectra._write._put import put
from batchlab.spectra._write._rows import format_rows, write_rows

__all__ = [
    "SUFFIXES",
    "check_written",
    "format_jcamp",
    "format_rows",
    "format_spectra",
    "is_normalized_csv",
    "is_ours",
    "kind_of_ours",
    "parse_spectra",
    "put",
    "read_ours",
    "read_written",
    "unpacked",
    "write_rows",
    "write_spectra",
    "write_spectrum",
]
