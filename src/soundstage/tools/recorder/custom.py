"""What a fixture knows of records: how they begin, and what changes later."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from soundstage.types import Document, Json
from soundstage.world.errors import FixtureError
from soundstage.world.lifecycle import Lifecycle
from soundstage.world.random import Chance, Seeded
from soundstage.world.record import Kind, Vocabulary
from soundstage.world.scenario import RUN, Script
from soundstage.world.values import patched

_ID = re.compile(
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9A-HJKMNP-TV-Z]{26}"
    r"|[0-9a-f]{16}|[0-9a-f]{32}"
)
"""An identifier of the forms that fixtures draw: a UUID, a ULID, one of a trace."""


@dataclass(frozen=True, slots=True)
class _Marked:
    """Stands for a moment while the defaults of a kind are looked through."""

    name: str


@dataclass(slots=True)
class _Scene:
    """Looks up what is known of a run; ``marks`` puts signs in the place of moments."""

    vocabulary: Vocabulary
    names: Mapping[str, Json]
    at: int = 0
    chance: Chance = field(default_factory=lambda: Seeded(0, "record"))
    marks: bool = False

    def look_up(self, name: str) -> Json:
        head, *path = name.split(".")
        if moment := self.vocabulary.moments.get(head):
            return _Marked(head) if self.marks else moment(self.at, self.at)
        if self.marks:
            return ""
        value = self.names[head]
        for step in path:
            value = value[step]
        return value


class Custom:
    """The defaults and the steps of a fixture, given as it is written too."""

    def __init__(self, script: Script, node: Document) -> None:
        self.script = script
        self._vocabulary = script.vocabulary
        self._later: dict[str, set[str]] = {}
        self._first: dict[str, set[str]] = {}
        self._timed: dict[str, set[str]] = {}
        self._states: dict[tuple[str, str], dict[str, set[Json]]] = {}
        for section in ("scenarios", "beginnings", "endings"):
            for passage in node.get(section, {}).values():
                steps = passage if isinstance(passage, list) else passage["steps"]
                self._note(steps, {RUN} if section == "endings" else set())

    def lifecycles(self, kind: Kind) -> tuple[Lifecycle, ...]:
        """The lifecycles of a kind."""
        return self.script.lifecycles.get(kind.name, ())

    def later(self, kind: Kind) -> set[str]:
        """The fields that change once a record of this kind is there."""
        return self._later.get(kind.name, set())

    def timed(self, kind: Kind) -> set[str]:
        """The fields that some step gives a moment to, or a span."""
        return self._timed.get(kind.name, set())

    def states(self, kind: Kind, field: str) -> Mapping[str, set[Json]]:
        """The states of a field with which steps give a moment to another field."""
        return self._states.get((kind.name, field), {})

    def fields(self, kind: Kind) -> set[str]:
        """All fields that the fixture gives to records of this kind."""
        begins = self.script.defaults.get(kind.name, {})
        return {kind.id, *begins, *self.later(kind), *self._first.get(kind.name, ())}

    def born(self, kind: Kind) -> list[str]:
        """The fields that say when a record of this kind has begun."""
        defaults = self.script.defaults.get(kind.name, {})
        document = patched({}, defaults, _Scene(self._vocabulary, {}, marks=True))
        return [n for n, value in document.items() if isinstance(value, _Marked)]

    def start(
        self,
        kind: Kind,
        record_id: str,
        at: int,
        names: Mapping[str, Json],
        seed: int = 0,
    ) -> Document | None:
        """What a record begins as by itself; None if that takes a name nobody has."""
        defaults = self.script.defaults.get(kind.name, {})
        first: Document = {kind.id: record_id}
        known = {**names, RUN: first} if kind.name == RUN else names
        scene = _Scene(self._vocabulary, known, at, Seeded(seed, "record"))
        try:
            return patched(first, defaults, scene)
        except FixtureError:
            return None

    def fresh(self, kind: Kind, names: Mapping[str, Json], seen: Document) -> set[str]:
        """The fields with identifiers that every record of this kind draws anew."""
        one, other = (self.start(kind, "", 0, names, seed) or {} for seed in (1, 2))
        return {
            name
            for name, value in one.items()
            if value != other[name] and _ID.fullmatch(str(seen.get(name)))
        }

    def _note(self, steps: list[Document], there: set[str]) -> None:
        for step in steps:
            self._note(step.get("steps", []), there)
            for key, value in step.items():
                kind, slash, _ = key.partition("/")
                if kind not in self._vocabulary.kinds:
                    continue
                for patch in value if isinstance(value, list) else [value]:
                    known = self._later if key in there else self._first
                    known.setdefault(kind, set()).update(patch)
                    self._note_moments(kind, patch)
                if slash or kind == RUN:
                    there.add(key)

    def _note_moments(self, kind: str, patch: Document) -> None:
        timed = [n for n, v in patch.items() if self._is_moment(v)]
        self._timed.setdefault(kind, set()).update(timed)
        for lifecycle in self.script.lifecycles.get(kind, ()):
            state = patch.get(lifecycle.field)
            states = state.get("any", []) if isinstance(state, dict) else [state]
            known = self._states.setdefault((kind, lifecycle.field), {})
            for name in timed if state is not None else ():
                known.setdefault(name, set()).update(states)

    def _is_moment(self, value: Json) -> bool:
        return isinstance(value, str) and value[1:] in self._vocabulary.moments
