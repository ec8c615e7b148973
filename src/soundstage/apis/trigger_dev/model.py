"""Trigger.dev's types of record, and its formats of a time."""

from soundstage.world.clock import rfc3339
from soundstage.world.ids import friendly, hex16
from soundstage.world.record import Kind, Vocabulary

NS_PER_MS = 1_000_000

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
    # An idempotency key in use, and the id of the record that was created with it.
    Kind("key", "keys", "id", friendly("key_"), None, f"{STORED_SCHEMAS}Key"),
    at=lambda timestamp, _: rfc3339(timestamp),
    at_ns=lambda timestamp, _: str(timestamp * NS_PER_MS),
    elapsed_ms=lambda timestamp, start: timestamp - start,
    elapsed_ns=lambda timestamp, start: (timestamp - start) * NS_PER_MS,
)
