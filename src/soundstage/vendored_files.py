"""Locate the vendored specs and fixtures: in the wheel, or in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parent.parent


def _root() -> Path:
    return _PACKAGE if (_PACKAGE / "specs").is_dir() else _CHECKOUT


def specs() -> Path:
    """Return the folder that has a folder for each API."""
    return _root() / "specs"


def fixtures() -> Path:
    """Return the folder that has a fixture for each API, and their JSON Schema."""
    return _root() / "fixtures"
