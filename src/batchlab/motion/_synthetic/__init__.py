"""A laboratory that never was: recordings with a known truth, in memory or as files."""

from batchlab.motion._synthetic._body import Case, Swap, Truth, join_bodies, simulate
from batchlab.motion._synthetic._eye import EyeTruth, simulate_eye
from batchlab.motion._synthetic._files import write_eyes, write_recording, write_recordings

__all__ = [
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
]
