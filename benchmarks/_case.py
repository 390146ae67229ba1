"""Run one measured function in this process: ``python -m benchmarks._case MODULE:FUNCTION ARGUMENTS RESULT``.

The function gets its arguments from JSON. Its wall time, with the imports it makes, goes to the file RESULT, and
so does what it returns, if anything.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path


def main() -> None:
    name, arguments, result = sys.argv[1:]
    module, _, function = name.partition(":")
    started = time.perf_counter()
    returned = getattr(importlib.import_module(module), function)(**json.loads(arguments))
    elapsed = time.perf_counter() - started
    Path(result).write_text(json.dumps({"wall_s": elapsed, "returned": returned}), encoding="utf-8")


if __name__ == "__main__":
    main()
