"""State machines of record fields, declared by the fixture."""

from collections.abc import Mapping
from dataclasses import dataclass

from soundstage.types import Json, JsonObject
from soundstage.world.errors import IllegalTransition


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The states and transitions of one field of one record type.

    ``initial`` are the states of a first version; ``transitions`` maps a state to the
    states that may follow it. A state without successors is final.

    >>> lifecycle = Lifecycle("run", "status", frozenset({"queued"}),
    ...                       {"queued": frozenset({"done"})})
    >>> lifecycle.check({"status": "queued"}, {"status": "done"})
    >>> lifecycle.is_final({"status": "done"})
    True
    """

    type_name: str
    field: str
    initial: frozenset[Json]
    transitions: Mapping[Json, frozenset[Json]]

    def check(self, old: JsonObject | None, new: JsonObject) -> None:
        """Raise ``IllegalTransition`` unless ``new`` may follow ``old``.

        ``old`` is None for the first version of a record.
        """
        after = new.get(self.field)
        before = old.get(self.field) if old else None
        if old is None:
            if after not in self.initial:
                raise self._illegal_transition(f"begins as {after!r}", self.initial)
        # A version may keep the state, also a final one.
        elif after != before and after not in self.transitions.get(before, ()):
            legal = self.transitions.get(before, frozenset())
            raise self._illegal_transition(f"goes from {before!r} to {after!r}", legal)

    def is_final(self, document: JsonObject) -> bool:
        """Whether the state in this version has no transitions."""
        return not self.transitions.get(document.get(self.field))

    def _illegal_transition(self, description: str, legal: frozenset[Json]) -> IllegalTransition:
        choice = ", ".join(sorted(map(str, legal))) or "nothing: that state is final"
        return IllegalTransition(f"{self.type_name}.{self.field} {description}; legal is: {choice}")


def parse_lifecycles(node: Mapping[str, Json]) -> dict[str, tuple[Lifecycle, ...]]:
    """Parse the ``lifecycle`` section of a fixture into lifecycles by record type."""
    result: dict[str, tuple[Lifecycle, ...]] = {}
    for name, states in node.items():
        type_name, _, field = name.partition(".")
        transitions = {k: frozenset(v) for k, v in states["moves"].items()}
        lifecycle = Lifecycle(type_name, field, frozenset(states["begins"]), transitions)
        result[type_name] = (*result.get(type_name, ()), lifecycle)
    return result
