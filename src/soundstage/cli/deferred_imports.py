"""Lazy imports of what Connexion and uvicorn import and ``serve`` does not use.

Both packages import their whole public API in ``__init__``: Connexion its applications
and a test client, uvicorn its own command line. In the process of ``soundstage serve``
these modules run on first use only (docs/adr/0008). The packages that Connexion uses
for validation, rendering and WSGI are not imported at all, because Soundstage replaces
these parts. Other processes, such as a test session, import everything as usual.
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
"""Package -> submodules of which Connexion, while it is imported, needs only names."""


class _LazyPackage(ModuleType):
    """A package whose ``__init__`` runs on first attribute access.

    Its submodules can be imported before that, as its ``__path__`` is set.
    """

    def __getattr__(self, name: str) -> object:
        self.__class__ = ModuleType  # type: ignore[assignment]  # an ordinary one now
        if self.__spec__ and self.__spec__.loader:
            self.__spec__.loader.exec_module(self)
        return getattr(self, name)


class _LazyModule(ModuleType):
    """A module that is imported on first attribute access."""

    def __getattr__(self, name: str) -> object:
        _remove_module(self)
        return getattr(__import__(self.__name__), name)


class _PlaceholderModule(ModuleType):
    """A module with a placeholder for every name."""

    def __getattr__(self, name: str) -> "_Placeholder":
        if name.startswith("__"):
            raise AttributeError(name)
        return _Placeholder(f"{self.__name__}.{name}", self)


class _Placeholder:
    """A name of a placeholder module; supports attributes, calls, items, subclassing.

    Once the module is no longer in ``sys.modules`` every use raises ``RuntimeError``,
    so that a placeholder never validates or renders anything at run time.
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
            raise RuntimeError(f"{self._name} was not imported ({__name__})")
        return self


def _remove_module(module: ModuleType) -> None:
    if sys.modules.get(module.__name__) is module:
        del sys.modules[module.__name__]


def _create_stand_ins() -> Iterator[ModuleType]:
    # A module that is imported already is used as it is.
    for name in LAZY_MODULES:
        if name not in sys.modules:
            yield _LazyModule(name)
    for package, submodules in PLACEHOLDER_MODULES.items():
        if package not in sys.modules:
            yield from map(_PlaceholderModule, (package, *submodules))


@contextmanager
def defer_imports() -> Iterator[None]:
    """Defer the imports of the modules above within the ``with`` block.

    Afterwards ``import`` finds the real modules again. The packages in
    ``LAZY_PACKAGES`` stay lazy until their first use.
    """
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
