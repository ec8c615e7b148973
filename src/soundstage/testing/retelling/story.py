"""The story of one run: each of its records, version by version."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from soundstage.testing.retelling.alignment import Alignment
from soundstage.testing.retelling.bridge import bridge
from soundstage.testing.retelling.custom import Custom
from soundstage.testing.retelling.moment import Moments
from soundstage.testing.retelling.patch import (
    Path,
    applied,
    difference,
    leaves,
    only,
)
from soundstage.testing.retelling.sighting import Sighting
from soundstage.testing.retelling.version import (
    Told,
    Version,
    firm_since,
    squeezed,
)
from soundstage.types import Document, Json
from soundstage.world.clock import SECOND
from soundstage.world.record import Kind

TOLERANCE = 5 * SECOND
"""So far apart two clocks may be that are said to agree."""


@dataclass(frozen=True, slots=True)
class _Observed:
    """What a record was at an instant, and how long ago the same place had shown it."""

    at: int
    gap: int
    document: Document


@dataclass(slots=True)
class _Part:
    at: int
    firm: bool = True
    patch: Document = field(default_factory=dict)


class Teller:
    """Tells what became of a record. ``known`` are the fields of each kind.

    ``notes`` collects what is not certain.
    """

    def __init__(
        self,
        custom: Custom,
        moments: Moments,
        known: Mapping[str, frozenset[str]],
        align: Alignment,
    ) -> None:
        self.notes: dict[str, None] = {}
        self._custom = custom
        self._moments = moments
        self._known = known
        self._align = align

    def tell(
        self, seen: list[Sighting], names: Mapping[str, Json] | None = None
    ) -> Told:
        """A record by all sightings of it, in the order of time.

        With the ``names`` of its task it is taken to have changed before it was seen,
        from what runs begin as by themselves; else it began as it was seen first.
        """
        kind = seen[0].kind
        shown = frozenset().union(*(sighting.shown for sighting in seen))
        told = self.began(kind, self._kept(seen[0]))
        began = self._align(seen[0].at) if told is None else told
        begin: Document = {}
        if names is not None:
            begin = self._custom.start(kind, seen[0].id, began, names) or {}
        untold = {n: v for n, v in begin.items() if n not in shown}
        first, *others = self._observed(seen, untold)
        parts = [_Part(began, patch=first.document)]
        if names is not None:
            parts = self._opening(kind, first, began, begin)
        versions = self._versions([], parts)
        for observed in others:
            patch = difference(versions[-1].document, observed.document)
            if patch:
                parts = self._dated(kind, patch, versions, observed)
                parts = self._bridged(kind, versions[-1].document, parts)
                if parts[0].firm:
                    versions = squeezed(versions, parts[0].at)
                versions = self._versions(versions, parts)
        return Told(kind, seen[0].id, tuple(versions), shown)

    def began(self, kind: Kind, document: Document) -> int | None:
        """When a record began, as far as it says so itself."""
        born = self._custom.born(kind)
        changing = self._custom.later(kind)
        names = [n for n in born if n not in changing] or born or list(document)
        told = (self._moments.told(document.get(name)) for name in names)
        return min((found[1] for found in told if found), default=None)

    def _observed(self, seen: list[Sighting], untold: Document) -> list[_Observed]:
        """What is known by each sighting; what another place shows is not gone.

        What no place tells is taken to be as it is by itself.
        """
        result: list[_Observed] = []
        last: dict[str, tuple[int, Document]] = {}
        always = dict(untold)
        changing = self._custom.later(seen[0].kind)
        current: Document = {}
        for sighting in seen:
            document, at = self._kept(sighting), self._align(sighting.at)
            before, shown = last.get(sighting.view, (at, {}))
            if sighting.view not in last:
                always |= {n: v for n, v in document.items() if n not in changing}
            gone = shown.keys() - document.keys()
            current = {n: v for n, v in current.items() if n not in gone} | document
            last[sighting.view] = (at, document)
            result.append(_Observed(at, at - before, current))
        return [replace(one, document=always | one.document) for one in result]

    def _kept(self, sighting: Sighting) -> Document:
        """What belongs to the record itself, not to the answer it stands in."""
        known = self._known.get(sighting.kind.name) or sighting.document.keys()
        strange = sorted(sighting.document.keys() - known)
        if strange:
            names = ", ".join(strange)
            self.note(f"not kept, as no {sighting.kind.name} has it: {names}")
        return {n: v for n, v in sighting.document.items() if n in known}

    def _opening(
        self, kind: Kind, first: _Observed, began: int, begin: Document
    ) -> list[_Part]:
        """What was seen first, taken apart by the moments that it tells."""
        changing = self._custom.later(kind)
        there = {n: v for n, v in first.document.items() if n not in changing}
        fields = {lifecycle.field for lifecycle in self._custom.lifecycles(kind)}
        there |= {n: v for n, v in begin.items() if n in changing - fields}
        opening = [Version(began, there)]
        patch = difference(there, first.document)
        parts = [_Part(began, patch=there), *self._dated(kind, patch, opening, first)]
        return self._bridged(kind, None, parts)

    def _dated(
        self,
        kind: Kind,
        patch: Document,
        versions: list[Version],
        observed: _Observed,
    ) -> list[_Part]:
        """A patch, taken apart by the moments it tells; the last one has the rest."""
        began, since = versions[0].at, firm_since(versions)
        seen = max(observed.at, versions[-1].at)
        dates: dict[int, set[Path]] = {}
        for path, at in self._told(kind, patch, began):
            if since - TOLERANCE <= at <= seen + max(observed.gap, SECOND):
                dates.setdefault(max(at, since), set()).add(path)
        dates.pop(began, None)
        if not dates:
            return [_Part(seen, firm=False, patch=patch)] if patch else []
        *early, last = sorted(dates)
        parts = [_Part(at, patch=only(patch, dates[at])) for at in early]
        known = {path for at in early for path in dates[at]}
        rest = {path for path, _ in leaves(patch)} - known
        return [*parts, _Part(last, patch=only(patch, rest))]

    def _told(self, kind: Kind, patch: Document, began: int) -> list[tuple[Path, int]]:
        """The instants that a patch tells; spans only where it tells no moment."""
        found = [(path, self._moments.told(value)) for path, value in leaves(patch)]
        if moments := [(path, told[1]) for path, told in found if told]:
            return moments
        timed = self._custom.timed(kind)
        return [
            (path, at)
            for path, value in leaves(patch)
            if path[0] in timed
            for at in self._moments.ends(value, began)
        ]

    def _bridged(
        self, kind: Kind, old: Document | None, parts: list[_Part]
    ) -> list[_Part]:
        """The parts with the states between two that were seen."""
        for lifecycle in self._custom.lifecycles(kind):
            name = lifecycle.field
            states = [part.patch.pop(name) for part in parts if name in part.patch]
            if not states:
                continue
            before = old.get(name) if old else None
            way = bridge(lifecycle, before, states[-1], len(parts))
            if old is None:
                parts[0].patch = {name: way[0], **parts[0].patch}
                rest = parts[1:] or [_Part(parts[0].at)]
                parts = [parts[0], *self._spread(way[1:], rest, name)]
            else:
                parts = self._spread(way, parts, name)
        return parts

    def _spread(self, way: list[Json], parts: list[_Part], name: str) -> list[_Part]:
        """Let each part come to a state, the last to the last one.

        States that no part is left for come about at the instant of the first part.
        """
        extra = way[: max(0, len(way) - len(parts))]
        for state in extra:
            self.note(f"when {name} came to be {state!r} is not known")
        states = way[len(extra) :]
        for part, state in zip(parts[len(parts) - len(states) :], states, strict=True):
            part.patch = {name: state, **part.patch}
        at, firm = parts[0].at, parts[0].firm
        return [*(_Part(at, firm, {name: state}) for state in extra), *parts]

    def _versions(self, versions: list[Version], parts: list[_Part]) -> list[Version]:
        result = list(versions)
        for part in parts:
            document = applied(result[-1].document if result else {}, part.patch)
            if not result or difference(result[-1].document, document):
                result.append(Version(part.at, document, part.firm))
        return result

    def note(self, text: str) -> None:
        """Keep a note, once."""
        self.notes[text] = None


def belongs(sighting: Sighting, run: Sighting) -> bool:
    """Whether a record is one of a run: it says so, or was asked for by it."""
    if sighting.kind == run.kind:
        return False
    if run.id in sighting.document.values():
        return True
    says = (sighting.kind.parent or "") in sighting.document
    return not says and run.id in sighting.asked


def grouped(sightings: Iterable[Sighting]) -> dict[tuple[str, str], list[Sighting]]:
    """Sightings by kind and identifier of the record."""
    result: dict[tuple[str, str], list[Sighting]] = {}
    for sighting in sightings:
        result.setdefault((sighting.kind.name, sighting.id), []).append(sighting)
    return result
