"""``python -m batchlab.cli``."""

from batchlab.cli import main

main()
