"""Payloads, outputs and metadata: how clients encode them, and how they are kept."""

from collections.abc import Mapping

import orjson

from soundstage.types import Document, Json

KEPT_AS_TEXT = "application/json"
"""The only key of what stands in a record for an object or null within metadata."""


def decoded(payload: Json, payload_type: str | None) -> Json:
    """What a client means by a payload.

    The SDK sends SuperJSON as text: its ``json`` is the value, with dates as text. What
    is none is taken as it stands; the real server minds only when it is read.
    """
    if payload_type != "application/super+json":
        return payload
    try:
        return orjson.loads(payload)["json"]
    except (ValueError, TypeError, KeyError):
        return payload


def encoded(value: Json) -> str:
    """A value as JSON text."""
    return orjson.dumps(value).decode()


def kept(metadata: Mapping[str, Json]) -> Document:
    """Metadata as a record keeps it.

    Records are changed by merge patches, which would mix objects and drop nulls; so
    these are kept as text.
    """
    return {
        key: {KEPT_AS_TEXT: encoded(value)} if isinstance(value, dict | None) else value
        for key, value in metadata.items()
    }


def told(metadata: Mapping[str, Json]) -> Document:
    """Metadata as it was given."""
    return {
        key: orjson.loads(value[KEPT_AS_TEXT]) if _is_text(value) else value
        for key, value in metadata.items()
    }


def _is_text(value: Json) -> bool:
    return isinstance(value, dict) and isinstance(value.get(KEPT_AS_TEXT), str)
