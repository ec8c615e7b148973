"""An exchange as a finding shows it: no secrets, and no more than can be read."""

from soundstage.contract.contract import Contract
from soundstage.server.journal.cut import Cut, cut_of
from soundstage.server.journal.masking import Mask, masks_of
from soundstage.testing.recorded import Headers, Recorded
from soundstage.types import Document

LONGEST = 2_000
"""Characters of a body that are shown."""


def mask_of(document: Document) -> Mask:
    """What is secret, by the security schemes of a document."""
    return masks_of([Contract("verified", document, {})])["verified"]


def shown(exchange: Recorded, mask: Mask) -> Document:
    """The exchange as JSON; what an answer repeats of a secret is taken out too."""
    path, question, query = exchange.url.partition("?")
    cut = cut_in(exchange, mask)
    return {
        "method": exchange.method,
        "url": path + question + mask.query(_raw(query)),
        "headers": dict(mask.headers(_pairs(exchange.request_headers))),
        "body": _text(cut.bytes(exchange.request_body)),
        "status": exchange.status,
        "answer_headers": dict(mask.headers(_pairs(exchange.headers))),
        "answer_body": _text(cut.bytes(exchange.body)),
    }


def cut_in(exchange: Recorded, mask: Mask) -> Cut:
    """What takes the secrets of a request out of whatever repeats them."""
    query = exchange.url.partition("?")[2]
    return cut_of(mask.presented(_pairs(exchange.request_headers), _raw(query)))


def _pairs(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(_raw(name), _raw(value)) for name, value in headers]


def _raw(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def _text(body: bytes) -> str:
    text = body.decode(errors="replace")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
