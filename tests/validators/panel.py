"""The judges behind one interface: ours, openapi-core and stock Connexion.

A judge says why an exchange is wrong, as a set of texts; an empty set is a yes, and
``None`` that it cannot say. ``crash`` stands before what is no verdict but a failure.
"""

import asyncio
import contextlib
import copy
import json
import warnings
from urllib.parse import unquote

import openapi_spec_validator
import orjson
from connexion import AsyncApp
from connexion.lifecycle import ConnexionResponse
from connexion.middleware.main import API
from connexion.resolver import Resolver
from connexion.spec import OpenAPISpecification
from openapi_core import Config, OpenAPI

from soundstage.exchange.recorded import get_header
from soundstage.openapi.contract import compile_contract
from soundstage.openapi.errors import InvalidRequest
from soundstage.openapi.router import Router
from soundstage.tools.openapi_core import CoreRequest, CoreResponse


class Ours:
    """Our compiled validators, without a server."""

    def __init__(self, document):
        self.contract = compile_contract("judged", document)
        self._router = Router()
        for operation in self.contract.operations.values():
            self._router.add(operation.method, operation.path, operation)

    def request(self, case):
        exchange = case.exchange
        path, _, query = exchange.url.encode().partition(b"?")
        match = self._router.find(path, exchange.method)
        if match is None or exchange.method not in match.methods:
            return {"path route"}
        headers = {}
        for name, value in exchange.request_headers:
            headers.setdefault(name.lower().encode(), []).append(_bytes(value))
        operation = match.methods[exchange.method]
        try:
            operation.parse_request(match.values, query, headers, exchange.request_body)
        except InvalidRequest as error:
            return {_said(v) for v in error.violations}
        return set()

    def answer(self, case):
        exchange = case.exchange
        operation = self.contract.operations[case.operation]
        kind = get_header(exchange.response_headers, "content-type") or None
        wrong = operation.validate_response_bytes(
            exchange.status, kind, exchange.response_body, exchange.response_headers
        )
        return {_said(v) for v in wrong}


def _said(violation):
    return f"{violation.display_path} {violation.rule}"


def _bytes(value):
    return value.encode("latin-1") if value.isascii() else value.encode()


class Core:
    """openapi-core as it comes; it only has to be told where JSON has other names."""

    def __init__(self, name, document):
        kinds = ("application/problem+json", "application/vnd.own+json")
        readers = {**dict.fromkeys(kinds, _loads), "application/x-ndjson": _lines}
        if name == "algolia-ingestion":  # whose JavaScript client sends it so
            readers["text/plain"] = _loads
        config = Config(extra_media_type_deserializers=readers)
        self._openapi = OpenAPI.from_dict(document, config=config)

    def request(self, case):
        request = CoreRequest(case.exchange)
        return _said_by(lambda: self._openapi.iter_request_errors(request))

    def answer(self, case):
        pair = CoreRequest(case.exchange), CoreResponse(case.exchange)
        return _said_by(lambda: self._openapi.iter_response_errors(*pair))


def _loads(body, **_parameters):
    return json.loads(body)


def _lines(body, **_parameters):
    return [json.loads(line) for line in body.splitlines() if line.strip()]


def _said_by(ask):
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        try:
            return {reason for error in ask() for reason in _reasons(error)}
        except Exception as error:  # noqa: BLE001 - that it fails is what is told
            return {f"crash {type(error).__name__}: {error}"[:300]}


CANNOT_LOAD = {"trees"}
"""Operations whose schemas refer to themselves: Connexion follows them without end."""


def _loadable(document):
    paths = {
        path: item
        for path, item in document["paths"].items()
        if not CANNOT_LOAD
        & {node.get("operationId") for node in item.values() if isinstance(node, dict)}
    }
    return copy.deepcopy({**document, "paths": paths})


def _reasons(error):
    """The innermost complaints: keyword by keyword where a schema is broken."""
    causes = [error]
    while causes[-1].__cause__:
        causes.append(causes[-1].__cause__)
    inner = [e for cause in causes for e in getattr(cause, "schema_errors", ())]
    name = type(error).__name__
    if not inner:
        try:
            said = " <- ".join(f"{type(c).__name__}: {c}" for c in causes)
        except UnicodeDecodeError:  # it quotes a body that is not UTF-8
            said = " <- ".join(type(c).__name__ for c in causes)
        return [said[:400]]
    return [f"{name} {_schema_reason(e)}" for e in inner]


def _schema_reason(error):
    inner = sorted({f"{e.validator}: {e.message[-120:]}" for e in error.context or ()})
    at = "/".join(map(str, error.absolute_path))
    return f"{error.validator} at /{at}: {error.message[-160:]} {inner or ''}"


class _Specification(OpenAPISpecification):
    """A document that is checked by its own version, not by 3.0's schema alone."""

    @classmethod
    def _validate_spec(cls, spec):
        openapi_spec_validator.validate(spec)


def _short(said):
    """The values that it quotes may be long; the complaint stands behind them."""
    return said if len(said) < 400 else f"{said[:200]} ... {said[-200:]}"


class Stock:
    """Connexion with its own validators, in process."""

    def __init__(self, document):
        app = AsyncApp("judged")
        specification = _Specification(_loadable(document))
        options = app.middleware.options.replace(
            strict_validation=True,
            validate_responses=True,
            resolver=Resolver(lambda _operation_id: self._handler),
        )
        app.middleware.apis.append(API(specification, base_path="", **vars(options)))
        app.add_error_handler(Exception, self._failed)
        self._app = app
        self._runner = asyncio.Runner()
        self._reached, self._planned, self._failure = False, None, ""

    async def _handler(self, **_arguments):
        self._reached = True
        return self._planned

    async def _failed(self, _request, error):
        self._failure = f"{type(error).__name__}: {error}"
        return ConnexionResponse(status_code=500, body="", content_type="text/plain")

    def request(self, case):
        if case.operation in CANNOT_LOAD:
            return None
        self._planned = ConnexionResponse(status_code=200, body=b"")
        status, body = self._asked(case.exchange)
        return set() if self._reached else {self._reason(status, body)}

    def answer(self, case):
        exchange = case.exchange
        headers = {n: v for n, v in exchange.response_headers if n.lower() != "content-type"}
        kind = get_header(exchange.response_headers, "content-type") or None
        self._planned = ConnexionResponse(
            status_code=exchange.status, content_type=kind, body=exchange.response_body, headers=headers
        )  # fmt: skip
        status, body = self._asked(exchange)
        if not self._reached:
            return None
        same = status == exchange.status and body == exchange.response_body
        return set() if same else {self._reason(status, body)}

    def _reason(self, status, body):
        with contextlib.suppress(orjson.JSONDecodeError, TypeError, KeyError):
            return _short(f"{status} {orjson.loads(body)['detail']}")
        crash = "crash " if status == 500 else ""
        return _short(f"{crash}{status} {self._failure}")

    def _asked(self, exchange):
        self._reached, self._failure = False, ""
        return self._runner.run(self._sent(exchange))

    async def _sent(self, exchange):
        path, _, query = exchange.url.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": exchange.method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [
                *((n.lower().encode(), _bytes(v)) for n, v in exchange.request_headers),
                (b"content-length", str(len(exchange.request_body)).encode()),
            ],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 4010),
        }
        waiting = [{"type": "http.request", "body": exchange.request_body, "more_body": False}]
        got = []

        async def receive():
            return waiting.pop() if waiting else {"type": "http.disconnect"}

        async def send(message):
            got.append(message)

        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - as above
            self._failure = self._failure or f"{type(error).__name__}: {error}"
        if not got:
            return 500, b""
        return got[0]["status"], b"".join(m.get("body", b"") for m in got[1:])

    def close(self):
        self._runner.close()
