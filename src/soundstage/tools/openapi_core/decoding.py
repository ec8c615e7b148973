"""Bodies as the second judge reads them; by media type."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from soundstage.types import Document


def _json(body: bytes, **_parameters: str) -> Any:
    """JSON as RFC 8259 has it: UTF-8, no byte order mark, no NaN, no half surrogate."""
    try:
        value = json.loads(body.decode(), parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if b"\\u" in body:
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _text(body: bytes, **_parameters: str) -> str:
    return body.decode()


def _lines(body: bytes, **_parameters: str) -> list[Any]:
    return [_json(line) for line in body.splitlines() if line.strip()]


def _events(body: bytes, **_parameters: str) -> list[Any]:
    """A stream of server-sent events, whose ``data`` is JSON, as the list of them."""
    return [_event(block) for block in body.decode().split("\n\n") if block.strip()]


def _event(block: str) -> Document:
    pairs = (line.partition(":")[::2] for line in block.split("\n"))
    fields = {name: value.removeprefix(" ") for name, value in pairs if name}
    numbers = {
        n: int(fields[n]) for n in ("id", "retry") if fields.get(n, "").isdigit()
    }
    return {**fields, **numbers, "data": json.loads(fields.get("data", "null"))}


def _no_constant(name: str) -> Any:
    msg = f"{name} is no number of JSON"
    raise ValueError(msg)


DECODERS: Mapping[str, Callable[[bytes], Any]] = {
    "application/json": _json,
    "application/problem+json": _json,
    "application/x-ndjson": _lines,
    "application/yaml": _text,
    "text/event-stream": _events,
    "*/*": _text,
}
