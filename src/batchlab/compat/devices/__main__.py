"""``python -m batchlab.compat.devices``."""

from batchlab.compat.devices.program import main

if __name__ == "__main__":
    raise SystemExit(main())
