"""Payloads, outputs and metadata: the forms of clients and of stored records."""

from collections.abc import Mapping

import orjson

from soundstage.types import Json, JsonObject

JSON_TEXT_KEY = "application/json"
"""The only key of the object that stores an object or a null of metadata."""


def decode_payload(payload: Json, payload_type: str | None) -> Json:
    """Return the value of a payload that a client has encoded.

    The SDK sends SuperJSON as text; its ``json`` is the value, with dates as text.

    >>> decode_payload('{"json": [1], "meta": {}}', "application/super+json")
    [1]
    """
    if payload_type != "application/super+json":
        return payload
    # The real server decodes a payload when the run reads it, so it accepts any text.
    try:
        return orjson.loads(payload)["json"]
    except (ValueError, TypeError, KeyError):
        return payload


def encode_json(value: Json) -> str:
    """Serialize a value as JSON text."""
    return orjson.dumps(value).decode()


def encode_metadata(metadata: Mapping[str, Json]) -> JsonObject:
    """Return metadata in the form of a record; ``decode_metadata`` reverts it.

    >>> encode_metadata({"a": 1, "b": None})
    {'a': 1, 'b': {'application/json': 'null'}}
    """
    # Merge patches change records (RFC 7396). They would merge objects and remove
    # nulls, so these are stored as text.
    return {
        key: {JSON_TEXT_KEY: encode_json(value)} if isinstance(value, dict | None) else value
        for key, value in metadata.items()
    }


def decode_metadata(metadata: Mapping[str, Json]) -> JsonObject:
    """Return the metadata of a record in the form of a client."""
    return {
        key: orjson.loads(value[JSON_TEXT_KEY]) if _is_encoded(value) else value
        for key, value in metadata.items()
    }


def _is_encoded(value: Json) -> bool:
    return isinstance(value, dict) and isinstance(value.get(JSON_TEXT_KEY), str)
