"""The only moves that a field may make, as a fixture declares them."""

from collections.abc import Mapping
from dataclasses import dataclass

from soundstage.types import Json, JsonObject
from soundstage.world.errors import IllegalMove


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The states of one field of one kind of record, and the moves between them."""

    kind: str
    field: str
    begins: frozenset[Json]
    moves: Mapping[Json, frozenset[Json]]

    def check(self, old: JsonObject | None, new: JsonObject) -> None:
        """Raise ``IllegalMove`` unless this version may follow that one."""
        after = new.get(self.field)
        before = old.get(self.field) if old else None
        if old is None:
            if after not in self.begins:
                raise self._illegal(f"begins as {after!r}", self.begins)
        elif after != before and after not in self.moves.get(before, ()):
            legal = self.moves.get(before, frozenset())
            raise self._illegal(f"goes from {before!r} to {after!r}", legal)

    def is_final(self, document: JsonObject) -> bool:
        """Whether no move leads on from here."""
        return not self.moves.get(document.get(self.field))

    def _illegal(self, what: str, legal: frozenset[Json]) -> IllegalMove:
        choice = ", ".join(sorted(map(str, legal))) or "nothing: that state is final"
        return IllegalMove(f"{self.kind}.{self.field} {what}; legal is: {choice}")


def lifecycles(node: Mapping[str, Json]) -> dict[str, tuple[Lifecycle, ...]]:
    """The lifecycles of a fixture, by the kind they are for."""
    result: dict[str, tuple[Lifecycle, ...]] = {}
    for name, states in node.items():
        kind, _, field = name.partition(".")
        moves = {k: frozenset(v) for k, v in states["moves"].items()}
        lifecycle = Lifecycle(kind, field, frozenset(states["begins"]), moves)
        result[kind] = (*result.get(kind, ()), lifecycle)
    return result
