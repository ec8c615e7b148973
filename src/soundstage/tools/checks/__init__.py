"""Semantic checks: what a schema cannot express, but every API should satisfy."""

from collections.abc import Callable

from soundstage.tools.checks.context import CheckContext
from soundstage.tools.checks.lists import check_filters, check_order, check_pages
from soundstage.tools.checks.records import check_deletes, check_reads, check_writes
from soundstage.tools.checks.streams import check_streams
from soundstage.tools.checks.violation_header import check_violation_header

Check = Callable[[CheckContext], str | None]
"""Returns a failure message; ``None`` if the check passes or does not apply."""

# The keys are public: --skip-check takes them and reports contain them.
CHECKS: dict[str, Check] = {
    "filters_apply": check_filters,
    "order_holds": check_order,
    "pages_tile": check_pages,
    "reads_repeat": check_reads,
    "writes_are_kept": check_writes,
    "deletes_are_kept": check_deletes,
    "streams_conform": check_streams,
    "violations_are_told": check_violation_header,
}
"""All checks by name."""

REQUIRES_STATIC_DATA = frozenset({"pages_tile", "reads_repeat", "writes_are_kept"})
"""Checks that need data which changes only through the requests of one worker."""
