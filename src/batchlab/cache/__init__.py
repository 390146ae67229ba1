"""Loaded files kept in memory: `DataCache`, one per worker, explicit and bounded."""

from batchlab.cache._data_cache import CacheStats, DataCache, worker_cache

__all__ = ["CacheStats", "DataCache", "worker_cache"]
