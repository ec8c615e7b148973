"""Put secrets into requests, as the security schemes of an operation require."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote

from soundstage.exchange.recorded import HeaderList, RecordedExchange
from soundstage.tools.checks.operation_spec import OperationSpec
from soundstage.types import JsonObject


def apply_secrets(
    exchange: RecordedExchange, operation: OperationSpec, secrets: Mapping[str, str]
) -> RecordedExchange:
    """Replace the credentials of a request. ``secrets`` are by security scheme."""
    components = operation.document.get("components", {})
    schemes = components.get("securitySchemes", {})
    for name in _iter_scheme_names(operation):
        scheme = operation.resolve(schemes.get(name, {}))
        if name in secrets:
            exchange = _apply_scheme(exchange, scheme, secrets[name])
    return exchange


def _iter_scheme_names(operation: OperationSpec) -> Iterator[str]:
    default = operation.document.get("security")
    for requirement in operation.node.get("security", default) or ():
        yield from requirement


def _apply_scheme(exchange: RecordedExchange, scheme: JsonObject, secret: str) -> RecordedExchange:
    headers = exchange.request_headers
    match scheme:
        case {"type": "apiKey", "in": "header", "name": str(name)}:
            return replace(exchange, request_headers=_set_header(headers, name, secret))
        case {"type": "apiKey", "in": "cookie", "name": str(name)}:
            cookies = _set_cookie(headers, name, secret)
            return replace(exchange, request_headers=cookies)
        case {"type": "apiKey", "in": "query", "name": str(name)}:
            return replace(exchange, url=_set_query_parameter(exchange.url, name, secret))
        case {"type": "http", "scheme": str(kind)} if kind.lower() == "basic":
            value = f"Basic {base64.b64encode(secret.encode()).decode()}"
        case _:
            value = f"Bearer {secret}"
    return replace(exchange, request_headers=_set_header(headers, "Authorization", value))


def _set_header(headers: HeaderList, name: str, value: str) -> HeaderList:
    others = tuple(pair for pair in headers if pair[0].lower() != name.lower())
    return (*others, (name, value))


def _set_cookie(headers: HeaderList, name: str, secret: str) -> HeaderList:
    header = next((v for n, v in headers if n.lower() == "cookie"), "")
    pairs = _remove_pair(map(str.strip, header.split(";")), name)
    return _set_header(headers, "Cookie", "; ".join([*pairs, f"{name}={secret}"]))


def _set_query_parameter(url: str, name: str, secret: str) -> str:
    path, _, query = url.partition("?")
    pairs = _remove_pair(query.split("&"), name)
    pairs.append(f"{name}={quote(secret, safe='')}")
    return f"{path}?{'&'.join(pairs)}"


def _remove_pair(pairs: Iterable[str], name: str) -> list[str]:
    return [pair for pair in pairs if pair and pair.partition("=")[0] != name]
