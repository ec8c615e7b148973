"""Exchanges: valid ones of every operation, and ones that one change has made of them."""

import json
import random
from dataclasses import dataclass, field, replace

from soundstage.exchange.recorded import RecordedExchange
from soundstage.openapi.contract import METHODS
from soundstage.openapi.document import resolve_pointer
from soundstage.openapi.schema import Direction, compile_schema
from validators import changes
from validators.instances import NoValue, draw
from validators.styles import headers_of, path_of, query_of

MUCH = 500
"""Characters of an operation for which it is drawn once more than others."""

IGNORED = {"accept", "content-type", "authorization"}


@dataclass(frozen=True)
class Case:
    """An exchange, and what was done to its request or answer to make it so."""

    api: str
    operation: str
    side: str
    change: str
    exchange: RecordedExchange

    def __str__(self):
        e = self.exchange
        if self.side == "request":
            said = f"{e.method} {e.url} {dict(e.request_headers)} {e.request_body!r}"
        else:
            said = f"{e.status} {dict(e.response_headers)} {e.response_body!r}"
        return f"{self.api} {self.operation} {self.side} ({self.change}): {said}"


@dataclass
class Parts:
    """A message before it is bytes; changes are made here."""

    path: str = ""
    pairs: list = field(default_factory=list)
    headers: list = field(default_factory=list)
    status: int = 200
    value: object = None
    media_type: str = ""
    body: bytes = b""


class Generator:
    """Draws exchanges for one document."""

    def __init__(self, api, document):
        self._api, self._document = api, document
        self._compiled = {}
        self.operations = [
            (path, method, item, item[method])
            for path, item in document["paths"].items()
            for method in METHODS
            if method in item
            for _ in range(1 + len(str(item[method])) // MUCH)
        ]

    def cases(self, seed, count):
        """So many cases, the operations in turn, half of them of answers."""
        for i in range(count):
            rng = random.Random(f"{seed} {self._api} {i}")
            one = self.operations[i // 2 % len(self.operations)]
            try:
                yield (self._answer if i % 2 else self._request)(rng, one)
            except NoValue:
                continue

    def _request(self, rng, one):
        path, _method, item, node = one
        parts = self._request_parts(rng, path, item, node)
        change = "none"
        if rng.random() < 0.8:
            names = [p["name"] for p in self._parameters(item, node) if p["in"] == "query"]
            change = changes.request(rng, parts, names)
        return self._case(one, "request", change, parts)

    def _answer(self, rng, one):
        path, _method, item, node = one
        asked = self._request_parts(rng, path, item, node, plain=True)
        case = self._case(one, "answer", "none", asked)
        answers = node["responses"]
        key = rng.choice(list(answers))
        answer = self._followed(answers[key])
        parts = self._message(rng, answer, Direction.RESPONSE)
        parts.status = _status(rng, key, answers)
        parts.headers += headers_of(
            (n, *self._value(rng, self._followed(h), Direction.RESPONSE))
            for n, h in answer.get("headers", {}).items()
            if self._followed(h).get("required") or rng.random() < 0.6
        )
        change = changes.answer(rng, parts) if rng.random() < 0.8 else "none"
        said = replace(
            case.exchange,
            status=parts.status,
            response_headers=_headers(parts),
            response_body=parts.body,
        )
        return replace(case, change=change, exchange=said)

    def _case(self, one, side, change, parts):
        _path, method, _item, node = one
        query = "&".join(f"{n}={v}" if v is not None else n for n, v in parts.pairs)
        exchange = RecordedExchange(
            method=method.upper(),
            url=f"{parts.path}?{query}" if query else parts.path,
            request_headers=_headers(parts),
            request_body=parts.body,
            status=200,
            response_headers=(),
            response_body=b"",
        )
        return Case(self._api, node["operationId"], side, change, exchange)

    def _request_parts(self, rng, path, item, node, *, plain=False):
        body = self._followed(node.get("requestBody", {}))
        parts = self._message(rng, body, Direction.REQUEST)
        values = {"path": [], "query": [], "header": [], "cookie": []}
        for p in self._parameters(item, node):
            if p["in"] == "header" and p["name"].lower() in IGNORED:
                continue
            if p.get("required") or (not plain and rng.random() < 0.4):
                values[p["in"]].append((p["name"], *self._value(rng, p, Direction.REQUEST)))
        parts.path = path_of(path, values["path"])
        parts.pairs = query_of(values["query"])
        parts.headers += headers_of(values["header"])
        if values["cookie"]:
            pairs = query_of(values["cookie"])
            parts.headers.append(("Cookie", "; ".join(f"{n}={v}" for n, v in pairs)))
        return parts

    def _parameters(self, item, node):
        found = {}
        for owner in (item, node):
            for p in map(self._followed, owner.get("parameters", ())):
                found[p["in"], p["name"]] = p
        return list(found.values())

    def _value(self, rng, node, side):
        """A value of a parameter or header, with its node."""
        content = node.get("content")
        schema = next(iter(content.values())) if content else node
        compiled = self._schema(schema.get("schema", {}), side)
        place = FITS.get(node.get("in", "header"), _anything)
        value = draw(compiled, rng, lambda v: place(v) and _undelimited(v))
        if content:
            return json.dumps(value), {**node, "style": "form", "explode": True}
        return value, node

    def _message(self, rng, node, side):
        parts = Parts()
        # Streams are judged one event at a time (tests/server/test_streaming.py).
        contents = {
            kind: content
            for kind, content in node.get("content", {}).items()
            if kind != "text/event-stream"
        }
        if not contents and "content" in node:
            raise NoValue(node)
        if not contents or (
            side is Direction.REQUEST and not node.get("required") and rng.random() < 0.1
        ):
            return parts
        media_type = rng.choice(list(contents))
        parts.value = draw(self._schema(contents[media_type].get("schema", {}), side), rng)
        parts.media_type = {"*/*": "application/octet-stream", "text/*": "text/plain"}.get(
            media_type, media_type
        )
        parts.body = changes.encoded(parts)
        if not parts.body:  # nothing at all may be no body
            raise NoValue(parts)
        return parts

    def _schema(self, node, side):
        key = (id(node), side)
        if key not in self._compiled:
            self._compiled[key] = compile_schema(self._document, node, "", side)
        return self._compiled[key]

    def _followed(self, node):
        while "$ref" in node:
            node = resolve_pointer(self._document, node["$ref"])
        return node


def _anything(_value):
    return True


def _undelimited(value):
    """Ours takes a delimiter that is percent-encoded for one, as the others do."""
    texts = value.values() if isinstance(value, dict) else value
    return not isinstance(value, dict | list) or not any(
        set(",;.=| ") & set(text) for text in texts if isinstance(text, str)
    )


def _in_header(value):
    text = json.dumps(value, ensure_ascii=False)
    return (
        text.isascii() and "\\" not in text and text == text.replace('" ', '"').replace(' "', '"')
    )


def _in_cookie(value):
    return not isinstance(value, str) or (value.isalnum() and value.isascii())


def _in_path(value):
    return value not in ("", ".", "..")


FITS = {"path": _in_path, "header": _in_header, "cookie": _in_cookie}
"""What can be said in a place as it is: OpenAPI leaves open how the rest is escaped."""


def _headers(parts):
    kind = [("Content-Type", parts.media_type)] if parts.media_type else []
    return (*kind, *parts.headers)


def _status(rng, key, answers):
    if key == "default":
        return next(s for s in (500, 501, 502, 503) if str(s) not in answers)
    if key.upper().endswith("XX"):
        return rng.choice([s for s in (0, 4, 22) if key[0] + f"{s:02}" not in answers]) + 100 * int(
            key[0]
        )
    return int(key)
