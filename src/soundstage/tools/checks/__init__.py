"""What an answer means: rules that hold at any API and that no schema can say."""

from collections.abc import Callable

from soundstage.tools.checks.context import CheckContext
from soundstage.tools.checks.filters import filters_apply
from soundstage.tools.checks.order import order_holds
from soundstage.tools.checks.pages import pages_tile
from soundstage.tools.checks.reads import reads_repeat
from soundstage.tools.checks.streams import streams_conform
from soundstage.tools.checks.violation_header import violations_are_told
from soundstage.tools.checks.writes import deletes_are_kept, writes_are_kept

Check = Callable[[CheckContext], str | None]
"""What is wrong with an exchange; ``None`` if nothing is, or the rule is not for it."""

CHECKS: dict[str, Check] = {
    rule.__name__: rule
    for rule in (
        filters_apply,
        order_holds,
        pages_tile,
        reads_repeat,
        writes_are_kept,
        deletes_are_kept,
        streams_conform,
        violations_are_told,
    )
}
"""Every rule, by name."""

REQUIRES_STATIC_DATA = frozenset({"pages_tile", "reads_repeat", "writes_are_kept"})
"""Rules that hold only where nothing changes by itself and nobody else writes."""
