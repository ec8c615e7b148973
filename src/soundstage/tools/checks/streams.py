"""Check of event streams (Server-Sent Events)."""

from functools import lru_cache

from soundstage.tools.checks.context import CheckContext
from soundstage.tools.checks.operation_spec import OperationIndex
from soundstage.tools.openapi_core import OpenApiCoreValidator

EVENT_STREAM = "text/event-stream"


def check_streams(context: CheckContext) -> str | None:
    """Check that every event of a stream matches the document.

    OpenAPI 3.1 documents describe a stream as an array of events with JSON data.
    schemathesis does not support this; openapi-core does, with our decoders.
    """
    if not context.get_header("content-type").startswith(EVENT_STREAM):
        return None
    errors = _create_validator(context.operations).validate_response(context.exchange)
    return errors[0] if errors else None


# Building a validator takes about a second for a large document.
@lru_cache(maxsize=4)
def _create_validator(operations: OperationIndex) -> OpenApiCoreValidator:
    return OpenApiCoreValidator(operations.document)
