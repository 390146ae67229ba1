"""Spectra as files of open formats, which read back to the last bit: CSV, Parquet, JCAMP-DX, packed or not."""

from batchlab.spectra._write._csv import format_spectra, is_normalized_csv, parse_spectra
from batchlab.spectra._write._file import SUFFIXES, check_written, read_written, write_spectra, write_spectrum
from batchlab.spectra._write._jcamp import format_jcamp

__all__ = [
    "SUFFIXES",
    "check_written",
    "format_jcamp",
    "format_spectra",
    "is_normalized_csv",
    "parse_spectra",
    "read_written",
    "write_spectra",
    "write_spectrum",
]
