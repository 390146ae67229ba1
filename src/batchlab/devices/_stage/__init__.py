"""From raw files to the staged store: what is unchanged is not read again."""

from batchlab.devices._stage._stage import stage
from batchlab.devices._stage._staged import Change, Staged, StagedFile

__all__ = ["Change", "Staged", "StagedFile", "stage"]
