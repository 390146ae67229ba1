"""All extractors: those of this package, one file each, and those of others."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from batchlab.devices.metrics._extractor import Extractor
from batchlab.errors import ConfigError

__all__ = ["ENTRY_POINTS", "extractors", "extractors_of"]

ENTRY_POINTS = "batchlab.devices.extractors"


def extractors(modules: Iterable[str | Path] = ()) -> tuple[Extractor, ...]:
    """Every extractor there is, by name.

    Parameters
    ----------
    modules
        Modules with further extractors: names to import, or paths of ``.py`` files.

    Raises
    ------
    ConfigError
        If two have one name, or an outside one cannot be loaded or is none.
    """
    found: dict[str, Extractor] = {}
    everything = [*_own(), *_installed(), *(e for module in modules for e in extractors_of(_load(module)))]
    for extractor in everything:
        if extractor.name in found:
            raise ConfigError(
                f"two extractors are called {extractor.name!r}: {_origin(found[extractor.name])} and "
                f"{_origin(extractor)}; rename one"
            )
        found[extractor.name] = extractor
    return tuple(found[name] for name in sorted(found))


def extractors_of(module: ModuleType) -> tuple[Extractor, ...]:
    """One instance of every class called ``...Extractor`` that a module defines.

    Raises
    ------
    ConfigError
        If such a class lacks something an extractor has.
    """
    classes = [
        value
        for name, value in sorted(vars(module).items())
        if isinstance(value, type) and name.endswith("Extractor") and value.__module__ == module.__name__
    ]
    return tuple(_checked(made()) for made in classes)


@lru_cache(maxsize=1)
def _own() -> tuple[Extractor, ...]:
    """The extractors of this package: a new one is a new file here."""
    found: list[Extractor] = []
    package = __package__ or ""
    for file in sorted(Path(__file__).parent.glob("_*.py")):
        if file.stem not in {"__init__", "_extractor", "_registry"}:
            found += extractors_of(importlib.import_module(f"{package}.{file.stem}"))
    return tuple(found)


@lru_cache(maxsize=1)
def _installed() -> tuple[Extractor, ...]:
    """Extractors that installed packages offer."""
    from importlib.metadata import entry_points

    found: list[Extractor] = []
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda p: p.name):
        try:
            loaded: Any = point.load()
        except (ImportError, AttributeError) as error:
            raise ConfigError(
                f"the extractor {point.name!r} ({point.value}) does not load: {error}; mend or remove its package"
            ) from error
        if isinstance(loaded, ModuleType):
            found += extractors_of(loaded)
        else:
            found.append(_checked(loaded() if isinstance(loaded, type) else loaded))
    return tuple(found)


def _load(module: str | Path) -> ModuleType:
    """A declared module."""
    if str(module).endswith(".py"):
        path = Path(module)
        spec = importlib.util.spec_from_file_location(f"batchlab_extractors_{path.stem}", path)
        if spec is None or spec.loader is None or not path.is_file():
            raise ConfigError(f"{path}: no such file of extractors; give a .py file or a module's name")
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        return loaded
    try:
        return importlib.import_module(str(module))
    except ImportError as error:
        raise ConfigError(f"the module {module} of extractors does not load: {error}") from error


def _checked(made: object) -> Extractor:
    """An extractor, or an error that names what it lacks."""
    wanted: Sequence[str] = ("name", "metrics", "category", "procedures", "version", "extract", "validate")
    missing = [name for name in wanted if not hasattr(made, name)]
    if missing or not isinstance(made, Extractor):
        raise ConfigError(f"{type(made).__name__} is no extractor: it has no {', '.join(missing)}")
    return made


def _origin(extractor: Extractor) -> str:
    """Module and class."""
    return f"{type(extractor).__module__}.{type(extractor).__qualname__}"
