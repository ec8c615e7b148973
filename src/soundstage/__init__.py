"""Soundstage: a mock and contract-testing server generated from OpenAPI documents.

The names below are imported when they are first used, so that neither ``import
soundstage`` nor the pytest plugin takes time from a test session that needs none.
"""

TYPE_CHECKING = False  # as type checkers know it, without the time typing takes

if TYPE_CHECKING:
    from soundstage.pytest_plugin.handle import Soundstage
    from soundstage.pytest_plugin.runs import Run
    from soundstage.pytest_plugin.violations import UnexpectedViolation
    from soundstage.pytest_plugin.waiting import NotReached

__all__ = ["NotReached", "Run", "Soundstage", "UnexpectedViolation"]

_HOMES = {
    "NotReached": "waiting",
    "Run": "runs",
    "Soundstage": "handle",
    "UnexpectedViolation": "violations",
}


def __getattr__(name: str) -> object:
    """A public name, imported now. Raises ``AttributeError`` for any other."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    import warnings
    from importlib import import_module

    with warnings.catch_warnings():
        # Connexion's imports warn, which must not fail the tests of others.
        warnings.simplefilter("ignore")
        home = import_module(f"soundstage.pytest_plugin.{_HOMES[name]}")
    value: object = getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
