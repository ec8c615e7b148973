"""A stream of events is the list that its document says it is."""

from functools import lru_cache

from soundstage.tools.checks.context import CheckContext
from soundstage.tools.checks.operation_spec import OperationIndex
from soundstage.tools.openapi_core.validator import Judge

EVENT_STREAM = "text/event-stream"


def streams_conform(context: CheckContext) -> str | None:
    """An event that the document does not have.

    Documents of OpenAPI 3.1 describe a stream as a list, and the data of an event as
    the JSON that it is; openapi-core is told so, and schemathesis knows no such thing.
    """
    if not context.get_header("content-type").startswith(EVENT_STREAM):
        return None
    wrong = _create_validator(context.operations).answer(context.exchange)
    return wrong[0] if wrong else None


@lru_cache(maxsize=4)
def _create_validator(operations: OperationIndex) -> Judge:
    return Judge(operations.document)
