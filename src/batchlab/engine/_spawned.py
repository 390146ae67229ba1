"""A worker started afresh, where forking a warm process is not safe."""

from __future__ import annotations

import json
import signal
import socket
import sys

from batchlab.engine import _procs
from batchlab.engine._worker import serve

if __name__ == "__main__":
    words = json.loads(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _procs.die_with_parent(words["keeper"])
    serve(socket.socket(fileno=words["fd"]), words["log"], verbose=words["verbose"], cwd=words["cwd"])
