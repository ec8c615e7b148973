"""What an answer means: rules that hold at any API and that no schema can say."""

from collections.abc import Callable

from soundstage.testing.semantics.filters import filters_apply
from soundstage.testing.semantics.order import order_holds
from soundstage.testing.semantics.pages import pages_tile
from soundstage.testing.semantics.reads import reads_repeat
from soundstage.testing.semantics.seen import Seen
from soundstage.testing.semantics.streams import streams_conform
from soundstage.testing.semantics.told import violations_are_told
from soundstage.testing.semantics.writes import deletes_are_kept, writes_are_kept

Rule = Callable[[Seen], str | None]
"""What is wrong with an exchange; ``None`` if nothing is, or the rule is not for it."""

RULES: dict[str, Rule] = {
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

STILL = frozenset({"pages_tile", "reads_repeat", "writes_are_kept"})
"""Rules that hold only where nothing changes by itself and nobody else writes."""
