"""Every process that is found in this package, by key and version. A new one needs no other file to be changed."""

import importlib
import importlib.util
import pkgutil
from functools import cache
from types import ModuleType

import states
from states.kernel import DefinitionError, Process


@cache
def all_versions() -> dict[tuple[str, int], Process]:
    """Process by (key, version). A module of `states` that has PROCESS, or EARLIER versions of it, is a process."""
    found: dict[tuple[str, int], Process] = {}
    for entry in pkgutil.iter_modules(states.__path__):
        module = importlib.import_module(f"states.{entry.name}")
        for process in (*getattr(module, "EARLIER", ()), *filter(None, [getattr(module, "PROCESS", None)])):
            if (process.key, process.version) in found:
                raise DefinitionError(f"{process.key} v{process.version} is declared twice")
            found[process.key, process.version] = process
    return found


@cache
def newest() -> dict[str, Process]:
    """The version of each process in which new cases are opened, in the order of the pages."""
    found = {key: process for (key, _), process in sorted(all_versions().items())}
    return dict(sorted(found.items(), key=lambda entry: (entry[1].order, entry[0])))


def process(key: str, version: int | None = None) -> Process:
    """The process of a case; without a version the newest. Raises KeyError for an unknown one."""
    return newest()[key] if version is None else all_versions()[key, version]


@cache
def naming() -> frozenset[str]:
    """The inputs by which an act names another case."""
    rows = (row for process in all_versions().values() for row in process.table)
    return frozenset(ask.name for row in rows for ask in row.asks if ask.kind == "case")


def readers() -> list[str]:
    """The processes whose records can be read from a file, by key."""
    return [key for key in newest() if _reads_files(key)]


def intake(key: str) -> ModuleType:
    """The module that reads a process's records from a file and holds them against its rules (`read_records`, `check`).

    Raises KeyError for a process that takes no files in.
    """
    if key not in newest() or not _reads_files(key):
        raise KeyError(key)
    return importlib.import_module(f"states.{key}.intake")


def _reads_files(key: str) -> bool:
    """Whether there is a module for it; a process of one module has nothing beside it."""
    package = importlib.util.find_spec(f"states.{key}")
    beside = package is not None and bool(package.submodule_search_locations)
    return beside and importlib.util.find_spec(f"states.{key}.intake") is not None
