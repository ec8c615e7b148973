"""Bodies as the second judge reads them; by media type."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from soundstage.types import JsonObject


def _decode_json(body: bytes, **_parameters: str) -> Any:
    """JSON as RFC 8259 has it: UTF-8, no byte order mark, no NaN, no half surrogate."""
    try:
        value = json.loads(body.decode(), parse_constant=_reject_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if b"\\u" in body:
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _decode_text(body: bytes, **_parameters: str) -> str:
    return body.decode()


def _decode_lines(body: bytes, **_parameters: str) -> list[Any]:
    return [_decode_json(line) for line in body.splitlines() if line.strip()]


def _decode_events(body: bytes, **_parameters: str) -> list[Any]:
    """A stream of server-sent events, whose ``data`` is JSON, as the list of them."""
    return [
        _decode_event(block) for block in body.decode().split("\n\n") if block.strip()
    ]


def _decode_event(block: str) -> JsonObject:
    pairs = (line.partition(":")[::2] for line in block.split("\n"))
    fields = {name: value.removeprefix(" ") for name, value in pairs if name}
    numbers = {
        n: int(fields[n]) for n in ("id", "retry") if fields.get(n, "").isdigit()
    }
    return {**fields, **numbers, "data": json.loads(fields.get("data", "null"))}


def _reject_constant(name: str) -> Any:
    msg = f"{name} is no number of JSON"
    raise ValueError(msg)


DECODERS: Mapping[str, Callable[[bytes], Any]] = {
    "application/json": _decode_json,
    "application/problem+json": _decode_json,
    "application/x-ndjson": _decode_lines,
    "application/yaml": _decode_text,
    "text/event-stream": _decode_events,
    "*/*": _decode_text,
}
