"""Imports put off: what Connexion and uvicorn import, and serving never uses.

Both packages import in ``__init__`` all that they offer: Connexion its applications and
a test client, uvicorn its own command line. For the process of ``soundstage serve``
alone, which is nobody else's, these modules run when something of them is asked for
(docs/adr/0008). Elsewhere, in the process of a test session say, nothing is put off.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec
from types import ModuleType

PACKAGES = ("connexion", "uvicorn")
MODULES = ("httpx", "requests")


class _Package(ModuleType):
    """A package whose submodules are there; its own code runs when it is needed."""

    def __getattr__(self, name: str) -> object:
        self.__class__ = ModuleType  # type: ignore[assignment]  # an ordinary one now
        if self.__spec__ and self.__spec__.loader:
            self.__spec__.loader.exec_module(self)
        return getattr(self, name)


class _Module(ModuleType):
    """Stands for a module until something of it is asked for."""

    def __getattr__(self, name: str) -> object:
        _take_back(self)
        return getattr(__import__(self.__name__), name)


def _take_back(module: ModuleType) -> None:
    if sys.modules.get(module.__name__) is module:
        del sys.modules[module.__name__]


@contextmanager
def deferred() -> Iterator[None]:
    """While it lasts, such imports take no time; afterwards they are as ever."""
    for name in PACKAGES:
        spec = None if name in sys.modules else find_spec(name)
        if spec:
            package = module_from_spec(spec)
            package.__class__ = _Package
            sys.modules[name] = package
    modules = [_Module(name) for name in MODULES if name not in sys.modules]
    sys.modules.update((module.__name__, module) for module in modules)
    try:
        yield
    finally:
        for module in modules:
            _take_back(module)
