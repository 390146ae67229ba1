"""All commands of a device laboratory, under the name of an earlier program."""

import runpy

runpy.run_module("batchlab.compat.devices", run_name=__name__)
