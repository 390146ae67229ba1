"""The calls of an earlier device laboratory's programs, on this engine; a module for each of theirs.

====================================  =============================================
there                                 here
====================================  =============================================
``src.core.data_cache``               ``batchlab.compat.devices.data_cache``
``src.plotting.batch``                ``batchlab.compat.devices.batch``
``src.cli.plugin_system``             ``batchlab.compat.devices.plugin_system``
``src.cli.commands.batch_plot``       ``batchlab.compat.devices.batch_plot``
``src.derived.constants``             ``batchlab.compat.devices.constants``
``src.derived.metric_pipeline``       ``batchlab.compat.devices.metric_pipeline``
``process_and_analyze.py``            ``python -m batchlab.compat.devices``
====================================  =============================================
"""

from batchlab._lazy import lazy_names

_HOMES = {
    "batch": (
        "CACHE_AVAILABLE",
        "PlotConfig",
        "PlotResult",
        "PlotSpec",
        "display_summary",
        "execute_parallel",
        "execute_plot",
        "execute_sequential",
        "get_chip_history",
        "load_batch_config",
    ),
    "data_cache": (
        "CachedItem",
        "DataCache",
        "cache_stats",
        "cached_read_parquet",
        "clear_cache",
        "disable_parquet_caching",
        "enable_parquet_caching",
        "print_cache_stats",
        "with_cache",
    ),
    "measurements": ("read_measurement_parquet",),
    "metric_pipeline": ("MetricPipeline",),
    "plugin_system": ("cli_command",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)

__getattr__, __dir__ = lazy_names(__name__, _HOME, kept=False)
