"""Trigger.dev's types of record, and its formats of a time."""

from soundstage.world.clock import format_rfc3339
from soundstage.world.ids import friendly_id, hex16
from soundstage.world.record import ApiModel, RecordType

NS_PER_MS = 1_000_000

SPAN_SCHEMA = (
    "#/paths/~1api~1v1~1runs~1{runId}~1events/get/responses/200/content"
    "/application~1json/schema/properties/events/items"
)
STORED_SCHEMAS = "#/components/schemas/Stored"

BATCH_ID = friendly_id("batch_")

MODEL = ApiModel.define(
    RecordType("run", "runs", "id", friendly_id("run_"), "environment", f"{STORED_SCHEMAS}Run"),
    RecordType("span", "spans", "spanId", hex16, "runId", SPAN_SCHEMA, belongs_to_run=True),
    RecordType("batch", "batches", "id", BATCH_ID, None, f"{STORED_SCHEMAS}Batch"),
    # An idempotency key in use, and the id of the record that was created with it.
    RecordType("key", "keys", "id", friendly_id("key_"), None, f"{STORED_SCHEMAS}Key"),
    at=lambda timestamp, _: format_rfc3339(timestamp),
    at_ns=lambda timestamp, _: str(timestamp * NS_PER_MS),
    elapsed_ms=lambda timestamp, start: timestamp - start,
    elapsed_ns=lambda timestamp, start: (timestamp - start) * NS_PER_MS,
)
