"""Requests and answers held against the contract they are said to keep."""

from collections.abc import Collection

import httpx

from soundstage.contract.body import EVENTS, essence
from soundstage.contract.operation import Operation
from soundstage.contract.security import Headers
from soundstage.contract.violation import Refused, Unrouted, Violation
from soundstage.server.exchange import by_name
from soundstage.testing.proxy.passage import Passage
from soundstage.testing.proxy.terms import Terms

UNCHANGED = 304
_CONDITIONS = frozenset({b"if-none-match", b"if-modified-since"})


class Unreadable(ValueError):
    """A body that is packed in a way that cannot be undone."""


class Judgement:
    """Fills in what is wrong with an exchange. ``codings`` are those it can undo."""

    def __init__(self, terms: Terms, codings: Collection[str]) -> None:
        self._terms = terms
        self._codings = codings

    def route(self, passage: Passage) -> None:
        """Find the operation of a request."""
        scope = passage.scope
        try:
            routed = self._terms.route(scope["method"], scope["raw_path"])
        except Unrouted as error:
            passage.refusals = () if _is_preflight(passage) else (error,)
        else:
            passage.operation, passage.path_values = routed.operation, routed.values

    def read(self, passage: Passage) -> None:
        """Judge a request that has come to its end.

        Whose its secrets are is not for us to say, only that there are some.
        """
        if passage.is_read or not passage.intake.ended.is_set():
            return
        passage.is_read = True
        if passage.intake.kept.is_cut:
            passage.note = "its body is too long to be judged"
            return
        try:
            passage.plain_body = self._plain(passage.headers, passage.intake.kept.data)
        except Unreadable as error:
            passage.note = str(error)
            return
        if passage.operation:
            self._read(passage, passage.operation, passage.plain_body)

    def _read(self, passage: Passage, operation: Operation, body: bytes) -> None:
        query = passage.scope["query_string"]
        try:
            _check_presence(operation, query, passage.headers)
        except Refused as error:
            passage.refusals = (error,)
        try:
            passage.arguments = operation.read(
                passage.path_values, query, passage.headers, body
            )
        except Refused as error:
            passage.refusals = (*passage.refusals, error)

    def judge_head(self, passage: Passage) -> None:
        """Judge what can be said of an answer whose body is still to come."""
        if passage.operation:
            wrong = _wrong_head(passage.operation, passage)
            passage.answer_violations = wrong

    def judge(self, passage: Passage) -> None:
        """Judge an answer that has come to its end, or events that have come so far."""
        if passage.answer.is_cut:
            passage.note = "its answer is too long to be judged"
            return
        headers = by_name(passage.answer_headers)
        try:
            passage.plain_answer = self._plain(headers, passage.answer.data)
        except Unreadable as error:
            passage.note = str(error)
            self.judge_head(passage)
            return
        if passage.operation:
            wrong = _wrong(passage.operation, passage, passage.plain_answer)
            passage.answer_violations = wrong

    def _plain(self, headers: Headers, body: bytes) -> bytes:
        """A body without its content codings. Raises ``Unreadable``."""
        codings = b",".join(headers.get(b"content-encoding", ())).decode("latin-1")
        names = {name.strip().lower() for name in codings.split(",")}
        strange = names.difference({"", "identity"}, self._codings)
        if not body or names <= {"", "identity"}:
            return body
        if strange:
            raise Unreadable(f"a body in {min(strange)!r} cannot be judged here")
        try:
            packed = httpx.Response(
                200, headers={"content-encoding": codings}, content=body
            )
        except httpx.DecodingError as error:
            raise Unreadable(f"a body is not {codings!r} as it says") from error
        return packed.content


def is_stream(content_type: str | None) -> bool:
    """Whether a body is a list of events, of which the first ones are a list too."""
    return essence(content_type or "") == EVENTS


def _is_preflight(passage: Passage) -> bool:
    """Whether a browser asks what it may ask, which no contract mentions."""
    asks = b"access-control-request-method" in passage.headers
    return passage.scope["method"] == "OPTIONS" and asks


def _check_presence(operation: Operation, query: bytes, headers: Headers) -> None:
    """Raise ``Unauthorized`` where a secret is asked for and none is sent."""
    schemes = operation.security.schemes.items()
    given = {name: find(headers, query) for name, find in schemes}
    presented = {name: secret for name, secret in given.items() if secret is not None}
    operation.security.among([presented]).admit(headers, query)


def _wrong_head(operation: Operation, passage: Passage) -> tuple[Violation, ...]:
    status, headers = passage.status or 0, _texts(passage)
    said = operation.judge(status, passage.answer_type, "", headers)
    return tuple(v for v in said if v.rule in {"status", "media type"} or v.name)


def _texts(passage: Passage) -> list[tuple[str, str]]:
    """The headers of the answer."""
    headers = passage.answer_headers
    return [(n.decode("latin-1"), v.decode("latin-1")) for n, v in headers]


def _wrong(
    operation: Operation, passage: Passage, body: bytes
) -> tuple[Violation, ...]:
    status, method = passage.status or 0, passage.scope["method"]
    if status == UNCHANGED and passage.headers.keys() & _CONDITIONS:
        return ()  # HTTP's own, for those who have the answer already (RFC 9110)
    if method == "HEAD":
        return _wrong_head(operation, passage)
    kind, headers = passage.answer_type, _texts(passage)
    return tuple(operation.judge_bytes(status, kind, body, headers))
