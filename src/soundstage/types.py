"""The types that every part shares."""

from typing import Any, TypeAlias

Json: TypeAlias = Any
"""What a JSON text can say: None, bool, int, float, str, list or dict of these."""

Document: TypeAlias = dict[str, Json]
"""A JSON object."""
