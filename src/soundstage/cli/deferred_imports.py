"""Imports put off: what Connexion and uvicorn import, and serving never uses.

Both packages import in ``__init__`` all that they offer: Connexion its applications and
a test client, uvicorn its own command line. For the process of ``soundstage serve``
alone, which is nobody else's, these modules run when something of them is asked for
(docs/adr/0008). What Connexion validates, renders and serves WSGI with, where ours or
nothing takes its place, is not imported for it at all. Elsewhere, in the process of a
test session say, nothing is put off.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec
from types import ModuleType

LAZY_PACKAGES = ("connexion", "uvicorn")
LAZY_MODULES = ("httpx", "requests")
PLACEHOLDER_MODULES = {
    "asgiref": ("asgiref.sync",),
    "jinja2": (),
    "jsonschema": ("jsonschema.exceptions", "jsonschema.validators"),
    "werkzeug": ("werkzeug.local",),
    "yaml": (),
}
"""Packages of which Connexion needs no more than names, and what it imports of them."""


class _LazyPackage(ModuleType):
    """A package whose submodules are there; its own code runs when it is needed."""

    def __getattr__(self, name: str) -> object:
        self.__class__ = ModuleType  # type: ignore[assignment]  # an ordinary one now
        if self.__spec__ and self.__spec__.loader:
            self.__spec__.loader.exec_module(self)
        return getattr(self, name)


class _LazyModule(ModuleType):
    """Stands for a module until something of it is asked for."""

    def __getattr__(self, name: str) -> object:
        _remove_module(self)
        return getattr(__import__(self.__name__), name)


class _PlaceholderModule(ModuleType):
    """Stands for a module of which there are only names."""

    def __getattr__(self, name: str) -> "_Placeholder":
        if name.startswith("__"):
            raise AttributeError(name)
        return _Placeholder(f"{self.__name__}.{name}", self)


class _Placeholder:
    """May be asked for anything, and derived from, as long as its module stands there.

    Afterwards whoever uses it fails: nothing is taken for valid by mistake.
    """

    def __init__(self, name: str, module: ModuleType) -> None:
        self._name, self._module = name, module

    def __getattr__(self, name: str) -> "_Placeholder":
        if name.startswith("__"):
            raise AttributeError(name)
        return self._check_active()

    def __call__(self, *_args: object, **_kwargs: object) -> "_Placeholder":
        return self._check_active()

    def __getitem__(self, _key: object) -> "_Placeholder":
        return self._check_active()

    def __mro_entries__(self, _bases: tuple[object, ...]) -> tuple[type, ...]:
        return ()

    def _check_active(self) -> "_Placeholder":
        if sys.modules.get(self._module.__name__) is not self._module:
            raise RuntimeError(
                f"{self._name} was not imported (cli/deferred_imports.py)"
            )
        return self


def _remove_module(module: ModuleType) -> None:
    if sys.modules.get(module.__name__) is module:
        del sys.modules[module.__name__]


def _create_stand_ins() -> Iterator[ModuleType]:
    for name in LAZY_MODULES:
        if name not in sys.modules:
            yield _LazyModule(name)
    for package, parts in PLACEHOLDER_MODULES.items():
        if package not in sys.modules:
            yield from map(_PlaceholderModule, (package, *parts))


@contextmanager
def defer_imports() -> Iterator[None]:
    """While it lasts, such imports take no time; afterwards they are as ever."""
    for name in LAZY_PACKAGES:
        spec = None if name in sys.modules else find_spec(name)
        if spec:
            package = module_from_spec(spec)
            package.__class__ = _LazyPackage
            sys.modules[name] = package
    modules = tuple(_create_stand_ins())
    sys.modules.update((module.__name__, module) for module in modules)
    try:
        yield
    finally:
        for module in modules:
            _remove_module(module)
