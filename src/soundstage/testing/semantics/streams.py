"""A stream of events is the list that its document says it is."""

from functools import lru_cache

from soundstage.testing.judge import Judge
from soundstage.testing.semantics.described import Catalogue
from soundstage.testing.semantics.seen import Seen

STREAM = "text/event-stream"


def streams_conform(seen: Seen) -> str | None:
    """An event that the document does not have.

    Documents of OpenAPI 3.1 describe a stream as a list, and the data of an event as
    the JSON that it is; openapi-core is told so, and schemathesis knows no such thing.
    """
    if not seen.header("content-type").startswith(STREAM):
        return None
    wrong = _judge(seen.catalogue).answer(seen.exchange)
    return wrong[0] if wrong else None


@lru_cache(maxsize=4)
def _judge(catalogue: Catalogue) -> Judge:
    return Judge(catalogue.document)
