"""batchlab: the same analysis over every measurement you have."""

__version__ = "0.1.0"
__all__ = ["__version__"]
