"""Formats that OpenAPI adds to those of JSON Schema."""

import base64
import binascii
from collections.abc import Callable, Mapping


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return False
    return True


_FORMATS: Mapping[str, Callable[[str], bool]] = {"byte": _is_base64}
"""Of texts; those of numbers are bounds."""
