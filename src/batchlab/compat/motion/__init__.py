"""The batches of an earlier program for rigid bodies: its names and calls, run by this engine.

A program that was written for it changes its import lines and nothing else. What was said there holds here: jobs run
side by side, are tried again and go on where they stopped; a success is a solve that converged; and the best parameters
are those that foretell markers best which a fit was not shown. `WeightConfig` tells what becomes of weights.
"""

from batchlab._lazy import lazy_names

_HOMES = {
    "_choose": ("compare_parameter_sweep_results", "find_best_parameters"),
    "_config": ("OptimizationConfig", "ParallelConfig", "RigidBodyConfig", "WeightConfig"),
    "_create": (
        "create_batch_from_directory",
        "create_batch_from_files",
        "create_cross_validation_batch",
        "create_parameter_sweep",
    ),
    "_estimate": ("estimate_batch_time",),
    "_eyes": ("CameraConfig", "EyeModelConfig", "EyeTrackingConfig", "EyeWeightConfig"),
    "_groups": ("group_files_by_pattern",),
    "_jobs": ("BatchConfig", "BatchJobConfig", "ParameterSweepConfig"),
    "_paths": ("apply_parameters",),
    "_processor": ("BatchProcessor",),
    "_progress": ("ProgressTracker",),
    "_report": ("BatchReportGenerator",),
    "_results": ("BatchJobResult", "BatchResult", "OptimizationResult"),
    "_topology": ("RigidBodyTopology",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)

__getattr__, __dir__ = lazy_names(__name__, _HOME, kept=False)
