"""What was loaded or computed once: `DataCache` in a worker's memory, `DiskCache` from run to run; both bounded."""

from batchlab.cache._data_cache import CacheStats, DataCache, worker_cache
from batchlab.cache._disk_cache import DiskCache, cache_folder

__all__ = ["CacheStats", "DataCache", "DiskCache", "cache_folder", "worker_cache"]
