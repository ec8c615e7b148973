"""The only moves that a field may make, as a fixture declares them."""

from collections.abc import Mapping
from dataclasses import dataclass

from soundstage.types import Json, JsonObject
from soundstage.world.errors import IllegalTransition


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The states of one field of one kind of record, and the moves between them."""

    type_name: str
    field: str
    initial: frozenset[Json]
    transitions: Mapping[Json, frozenset[Json]]

    def check(self, old: JsonObject | None, new: JsonObject) -> None:
        """Raise ``IllegalMove`` unless this version may follow that one."""
        after = new.get(self.field)
        before = old.get(self.field) if old else None
        if old is None:
            if after not in self.initial:
                raise self._illegal_transition(f"begins as {after!r}", self.initial)
        elif after != before and after not in self.transitions.get(before, ()):
            legal = self.transitions.get(before, frozenset())
            raise self._illegal_transition(f"goes from {before!r} to {after!r}", legal)

    def is_final(self, document: JsonObject) -> bool:
        """Whether no move leads on from here."""
        return not self.transitions.get(document.get(self.field))

    def _illegal_transition(
        self, description: str, legal: frozenset[Json]
    ) -> IllegalTransition:
        choice = ", ".join(sorted(map(str, legal))) or "nothing: that state is final"
        return IllegalTransition(
            f"{self.type_name}.{self.field} {description}; legal is: {choice}"
        )


def parse_lifecycles(node: Mapping[str, Json]) -> dict[str, tuple[Lifecycle, ...]]:
    """The lifecycles of a fixture, by the kind they are for."""
    result: dict[str, tuple[Lifecycle, ...]] = {}
    for name, states in node.items():
        kind, _, field = name.partition(".")
        moves = {k: frozenset(v) for k, v in states["moves"].items()}
        lifecycle = Lifecycle(kind, field, frozenset(states["begins"]), moves)
        result[kind] = (*result.get(kind, ()), lifecycle)
    return result
