"""What Trigger.dev's records are called, and how it writes moments."""

from soundstage.world.clock import rfc3339
from soundstage.world.ids import friendly, hex16
from soundstage.world.record import Kind, Vocabulary

NS_PER_MS = 1_000_000  # nanoseconds in a millisecond

SPAN_SCHEMA = (
    "#/paths/~1api~1v1~1runs~1{runId}~1events/get/responses/200/content"
    "/application~1json/schema/properties/events/items"
)
STORED_SCHEMAS = "#/components/schemas/Stored"

BATCH_ID = friendly("batch_")

MODEL = Vocabulary.of(
    Kind("run", "runs", "id", friendly("run_"), "environment", f"{STORED_SCHEMAS}Run"),
    Kind("span", "spans", "spanId", hex16, "runId", SPAN_SCHEMA, of_run=True),
    Kind("batch", "batches", "id", BATCH_ID, None, f"{STORED_SCHEMAS}Batch"),
    Kind("key", "keys", "id", friendly("key_"), None, f"{STORED_SCHEMAS}Key"),
    at=lambda at, _: rfc3339(at),
    at_ns=lambda at, _: str(at * NS_PER_MS),
    elapsed_ms=lambda at, began: at - began,
    elapsed_ns=lambda at, began: (at - began) * NS_PER_MS,
)
"""A key is an idempotency key that was used, and what came of it."""
