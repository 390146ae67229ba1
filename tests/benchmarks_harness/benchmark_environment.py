"""Looks at the environment that a measured process gets."""

from __future__ import annotations

import os
import sys


def bytecode_is_written() -> None:
    """Fail where imports would be compiled anew in each worker, or BLAS threads be left free."""
    if sys.dont_write_bytecode:
        raise RuntimeError("bytecode is not written")
    if os.environ["OMP_NUM_THREADS"] != "1":
        raise RuntimeError("threads are not capped")
