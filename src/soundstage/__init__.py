"""Soundstage: a stateful mock server and contract-testing tools for OpenAPI.

The public names are imported on first use, so that ``import soundstage`` and the pytest
plugin take no time in a test session that does not use them.
"""

TYPE_CHECKING = False  # type checkers assume True; saves the import of typing

if TYPE_CHECKING:
    from soundstage.pytest_plugin.handle import Soundstage
    from soundstage.pytest_plugin.runs import Run
    from soundstage.pytest_plugin.violations import UnexpectedViolation
    from soundstage.pytest_plugin.waiting import NotReached

__all__ = ["NotReached", "Run", "Soundstage", "UnexpectedViolation"]

_MODULES = {
    "NotReached": "waiting",
    "Run": "runs",
    "Soundstage": "handle",
    "UnexpectedViolation": "violations",
}


def __getattr__(name: str) -> object:
    """Import a public name. Raises ``AttributeError`` for any other name."""
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    import warnings
    from importlib import import_module

    with warnings.catch_warnings():
        # Imports of Connexion emit warnings, which would fail sessions with -W error.
        warnings.simplefilter("ignore")
        module = import_module(f"soundstage.pytest_plugin.{_MODULES[name]}")
    value: object = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
