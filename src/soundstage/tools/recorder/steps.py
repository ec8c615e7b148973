"""The steps of a scenario that unfolds as a story went."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from soundstage.tools.recorder.custom import Custom
from soundstage.tools.recorder.moment import Moments
from soundstage.tools.recorder.patch import GONE, Appended, difference
from soundstage.tools.recorder.story import TOLERANCE
from soundstage.tools.recorder.version import Told
from soundstage.types import Document, Json
from soundstage.world.scenario import RUN
from soundstage.world.values import form_of, spelled, spelled_span

SHORTEST = 8
"""Characters of an identifier that is looked for within texts."""


@dataclass(frozen=True, slots=True, eq=False)
class _Change:
    at: int
    told: Told
    index: int

    @property
    def document(self) -> Document:
        return self.told.versions[self.index].document

    @property
    def before(self) -> Document | None:
        return self.told.versions[self.index - 1].document if self.index else None


class Steps:
    """Writes the steps; ``names`` are those of the task that the run is of."""

    def __init__(
        self,
        custom: Custom,
        moments: Moments,
        names: Mapping[str, Json],
        run: Told,
        others: list[Told],
    ) -> None:
        self.notes: dict[str, None] = {}
        self._custom, self._moments = custom, moments
        self._run, self._others = run, others
        self._called = dict(_called(run, others))
        self._known: dict[str, str] = {}
        self._names = dict(names)

    def node(self) -> list[Document]:
        """The steps as a fixture has them."""
        steps: list[Document] = []
        now = self._run.began
        for at, changes in self._by_instant():
            step: Document = {"after": spelled_span(at - now)} if at > now else {}
            now = at
            for change in changes:
                key = self._key(change.told)
                alone = key == RUN or "/" in key
                if alone and key in step:
                    steps.append(step)
                    step = {}
                patch = self._patch(change)
                if alone:
                    step[key] = patch
                else:
                    step.setdefault(key, []).append(patch)
            steps.append(step)
        return [_tidied(step) for step in steps]

    def _key(self, told: Told) -> str:
        if told is self._run:
            return RUN
        name = self._called.get(told.id)
        return f"{told.kind.name}/{name}" if name else told.kind.name

    def _by_instant(self) -> Iterator[tuple[int, list[_Change]]]:
        """Changes by their instants: the run's, then others in the order of need."""
        found: dict[int, list[_Change]] = {}
        for told in (self._run, *self._others):
            for index, version in enumerate(told.versions):
                change = _Change(version.at, told, index)
                found.setdefault(version.at, []).append(change)
        for at in sorted(found):
            own = [c for c in found[at] if c.told is self._run]
            named = [c for c in found[at] if c.told.id in self._called]
            rest = [c for c in found[at] if c not in own and c not in named]
            yield at, [*own, *_by_need(named), *rest]

    def _patch(self, change: _Change) -> Document:
        told, kind = change.told, change.told.kind
        start = change.before
        fresh: set[str] = {kind.id}
        if start is None:
            start = self._custom.start(kind, told.id, change.at, self._names)
            fresh |= self._custom.fresh(kind, self._names, change.document)
        start = start or {kind.id: told.id}
        patch = difference(start, change.document)
        name = RUN if told is self._run else self._called.get(told.id)
        if name:
            self._known[told.id] = f"${{{name}.{kind.id}}}"
            self._names[name] = change.document
        return {
            field: self._said(value, change, field)
            for field, value in patch.items()
            if field not in fresh
            and (value is not GONE or field in told.shown)
            and not self._is_same(start.get(field), value)
        }

    def _is_same(self, old: Json, new: Json) -> bool:
        """Whether two values are one moment, written otherwise."""
        told = self._moments.told(new)
        return told is not None and told == self._moments.told(old)

    def _said(self, value: Json, change: _Change, place: str) -> Json:
        """A field's new value in a patch."""
        if value is GONE:
            return None
        if isinstance(value, Appended):
            return {"append": self._inner(value.item, change)}
        if value is None:
            return {"literal": None}
        if isinstance(value, dict) and not form_of(value):
            return {n: self._said(v, change, f"{place}.{n}") for n, v in value.items()}
        if found := self._moments.told(value):
            if abs(found[1] - change.at) <= TOLERANCE:
                return f"${found[0]}"
            kind = change.told.kind.name
            note = f"{kind}.{place} keeps its recorded moment, {value}"
            self.notes[note] = None
        return self._inner(value, change)

    def _inner(self, value: Json, change: _Change) -> Json:
        """A value anywhere: what is known is given by name, the rest as it is."""
        if isinstance(value, list):
            return [self._inner(item, change) for item in value]
        if isinstance(value, dict) and not form_of(value):
            return {name: self._inner(item, change) for name, item in value.items()}
        if (found := self._moments.told(value)) and found[1] == change.at:
            return f"${found[0]}"
        began = change.told.began
        if name := self._moments.elapsed(value, change.at, began):
            return f"${name}"
        return self._named(value) if isinstance(value, str) else spelled(value)

    def _named(self, text: str) -> Json:
        """A text; the identifiers in it that will be others are given by name."""
        if text in self._known:
            return "$" + self._known[text][2:-1]
        there = [i for i in self._known if len(i) >= SHORTEST and i in text]
        if not there:
            return spelled(text)
        parts = re.split("(" + "|".join(map(re.escape, there)) + ")", text)
        return "".join(self._known.get(p) or p.replace("$", "$$") for p in parts)


def _called(run: Told, others: list[Told]) -> Iterator[tuple[str, str]]:
    """Names for the records that are spoken of again."""
    counts: dict[str, int] = {}
    spoken = set(_spoken(run, others))
    for told in others:
        if len(told.versions) > 1 or told.id in spoken:
            kind = told.kind.name
            counts[kind] = counts.get(kind, 0) + 1
            yield told.id, f"{kind}{counts[kind]}"


def _spoken(run: Told, others: list[Told]) -> Iterator[str]:
    """Every text in a record but its own identifier."""
    for told in (run, *others):
        for version in told.versions:
            yield from _texts(
                {n: v for n, v in version.document.items() if n != told.kind.id}
            )


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _by_need(changes: list[_Change]) -> Iterator[_Change]:
    """Those first whom others speak of."""
    left = list(changes)
    while left:
        waiting = {change.told.id for change in left}
        free = [
            change
            for change in left
            if not waiting & {*_texts(change.document)} - {change.told.id}
        ]
        chosen = free or left[:1]
        yield from chosen
        left = [change for change in left if change not in chosen]


def _tidied(step: Mapping[str, Json]) -> Document:
    """A list of one record as that record."""
    return {
        key: value[0] if isinstance(value, list) and len(value) == 1 else value
        for key, value in step.items()
    }
