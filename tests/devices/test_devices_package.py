"""The package offers its names without loading what is behind them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import batchlab.devices as devices


def test_every_name_is_there():
    assert sorted(devices.__all__) == sorted(devices._HOME_OF)
    for name in devices.__all__:
        assert getattr(devices, name).__name__ == name
    assert set(devices.__all__) <= set(dir(devices))
    with pytest.raises(AttributeError, match="no attribute 'stages'"):
        _ = devices.stages


def test_importing_it_loads_no_tables():
    code = "import sys, batchlab.devices; assert not {'polars', 'numpy'} & set(sys.modules)"
    source = str(Path(devices.__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": source}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
