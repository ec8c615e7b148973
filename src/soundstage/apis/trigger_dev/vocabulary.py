"""What Trigger.dev's records are called, and how it writes moments."""

from soundstage.world.clock import rfc3339
from soundstage.world.ids import friendly, hex16
from soundstage.world.record import Kind, Vocabulary

NS = 1_000_000  # nanoseconds in a millisecond

SPAN = (
    "#/paths/~1api~1v1~1runs~1{runId}~1events/get/responses/200/content"
    "/application~1json/schema/properties/events/items"
)
STORED = "#/components/schemas/Stored"

batch_id = friendly("batch_")

VOCABULARY = Vocabulary.of(
    Kind("run", "runs", "id", friendly("run_"), "environment", f"{STORED}Run"),
    Kind("span", "spans", "spanId", hex16, "runId", SPAN, of_run=True),
    Kind("batch", "batches", "id", batch_id, None, f"{STORED}Batch"),
    Kind("key", "keys", "id", friendly("key_"), None, f"{STORED}Key"),
    at=lambda at, _: rfc3339(at),
    at_ns=lambda at, _: str(at * NS),
    elapsed_ms=lambda at, began: at - began,
    elapsed_ns=lambda at, began: (at - began) * NS,
)
"""A key is an idempotency key that was used, and what came of it."""
