"""A pool in a process of its own, which a test may kill or interrupt; it says what happens, a line each."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from batchlab.engine import Attempt, Done, Failed, LocalPool, Lost


def main() -> None:
    words = json.loads(sys.argv[1])
    if words["terminal"]:
        os.open(words["terminal"], os.O_RDWR)  # the leader of a session takes it as the one that controls it
    signal.signal(signal.SIGINT, lambda *_: print("interrupted", flush=True))
    pool = LocalPool(2, logs=Path(words["folder"]) / "logs", start_method=words["method"])
    pool.start()
    for given in words["attempts"]:
        pool.submit(Attempt(**given))
    print("ready", flush=True)
    ended = 0
    while ended < len(words["attempts"]):
        for event in pool.events(0.5):
            if isinstance(event, Done | Failed | Lost):
                print(type(event).__name__, event.attempt, flush=True)
                ended += 1
    pool.close(1.0)
    print("closed", flush=True)


if __name__ == "__main__":
    main()
