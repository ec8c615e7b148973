"""Secrets, put where an operation's security schemes want them."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote

from soundstage.testing.recorded import Headers, Recorded
from soundstage.testing.semantics.described import Described
from soundstage.types import Document


def with_secrets(
    exchange: Recorded, operation: Described, secrets: Mapping[str, str]
) -> Recorded:
    """The request with our credentials in the place of those that it had."""
    components = operation.document.get("components", {})
    known = components.get("securitySchemes", {})
    for name in _schemes(operation):
        scheme = operation.followed(known.get(name, {}))
        if name in secrets:
            exchange = _presented(exchange, scheme, secrets[name])
    return exchange


def _schemes(operation: Described) -> Iterator[str]:
    default = operation.document.get("security")
    for requirement in operation.node.get("security", default) or ():
        yield from requirement


def _presented(exchange: Recorded, scheme: Document, secret: str) -> Recorded:
    headers = exchange.request_headers
    match scheme:
        case {"type": "apiKey", "in": "header", "name": str(name)}:
            return replace(exchange, request_headers=_with(headers, name, secret))
        case {"type": "apiKey", "in": "cookie", "name": str(name)}:
            cookies = _with_cookie(headers, name, secret)
            return replace(exchange, request_headers=cookies)
        case {"type": "apiKey", "in": "query", "name": str(name)}:
            return replace(exchange, url=_with_query(exchange.url, name, secret))
        case {"type": "http", "scheme": str(kind)} if kind.lower() == "basic":
            value = f"Basic {base64.b64encode(secret.encode()).decode()}"
        case _:
            value = f"Bearer {secret}"
    return replace(exchange, request_headers=_with(headers, "Authorization", value))


def _with(headers: Headers, name: str, value: str) -> Headers:
    kept = tuple(pair for pair in headers if pair[0].lower() != name.lower())
    return (*kept, (name, value))


def _with_cookie(headers: Headers, name: str, secret: str) -> Headers:
    before = next((v for n, v in headers if n.lower() == "cookie"), "")
    cookies = [one.strip() for one in before.split(";") if one.strip()]
    kept = [one for one in cookies if one.partition("=")[0] != name]
    return _with(headers, "Cookie", "; ".join([*kept, f"{name}={secret}"]))


def _with_query(url: str, name: str, secret: str) -> str:
    path, _, query = url.partition("?")
    parts = [one for one in query.split("&") if one]
    kept = [one for one in parts if one.partition("=")[0] != name]
    pairs = "&".join([*kept, f"{name}={quote(secret, safe='')}"])
    return f"{path}?{pairs}"
