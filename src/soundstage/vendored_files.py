"""Where the vendored specs and fixtures are: in the wheel, or in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parent.parent


def _root() -> Path:
    return _PACKAGE if (_PACKAGE / "specs").is_dir() else _CHECKOUT


def specs() -> Path:
    """The folder with one folder per API."""
    return _root() / "specs"


def fixtures() -> Path:
    """The folder with one fixture per API, and their JSON Schema."""
    return _root() / "fixtures"
