"""Payloads, outputs and metadata: how clients encode them, and how they are kept."""

from collections.abc import Mapping

import orjson

from soundstage.types import Document, Json

JSON_TEXT_KEY = "application/json"
"""The only key of what stands in a record for an object or null within metadata."""


def decode_payload(payload: Json, payload_type: str | None) -> Json:
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


def encode_json(value: Json) -> str:
    """A value as JSON text."""
    return orjson.dumps(value).decode()


def encode_metadata(metadata: Mapping[str, Json]) -> Document:
    """Metadata as a record keeps it.

    Records are changed by merge patches, which would mix objects and drop nulls; so
    these are kept as text.
    """
    return {
        key: {JSON_TEXT_KEY: encode_json(value)}
        if isinstance(value, dict | None)
        else value
        for key, value in metadata.items()
    }


def decode_metadata(metadata: Mapping[str, Json]) -> Document:
    """Metadata as it was given."""
    return {
        key: orjson.loads(value[JSON_TEXT_KEY]) if _is_encoded(value) else value
        for key, value in metadata.items()
    }


def _is_encoded(value: Json) -> bool:
    return isinstance(value, dict) and isinstance(value.get(JSON_TEXT_KEY), str)
