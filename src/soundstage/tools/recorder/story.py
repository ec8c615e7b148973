"""The story of one run: each of its records, version by version."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from soundstage.tools.recorder.alignment import Alignment
from soundstage.tools.recorder.bridge import bridge
from soundstage.tools.recorder.custom import Custom
from soundstage.tools.recorder.moment import Moments
from soundstage.tools.recorder.patch import Path, applied, difference, leaves, only
from soundstage.tools.recorder.sighting import Sighting
from soundstage.tools.recorder.stage import Stage, Staging
from soundstage.tools.recorder.version import Told, Version, firm_since, squeezed
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
        self.staging = Staging(custom)
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
        begin = {n: v for n, v in begin.items() if n in shown}
        first, *others = self._observed(seen)
        stages = [Stage(began, first.document)]
        if names is not None:
            stages = self._opening(kind, first, began, begin)
        versions = _versions([], stages)
        for observed in others:
            patch = difference(versions[-1].document, observed.document)
            if patch:
                stages, rest = self._dated(kind, patch, versions, observed)
                old = versions[-1].document
                stages = self.staging.staged(kind, old, stages, rest)
                if stages[0].firm:
                    versions = squeezed(versions, stages[0].at)
                versions = _versions(versions, stages)
        return Told(kind, seen[0].id, tuple(versions), shown)

    def began(self, kind: Kind, document: Document) -> int | None:
        """When a record began, as far as it says so itself."""
        born = self._custom.born(kind)
        changing = self._custom.later(kind)
        names = [n for n in born if n not in changing] or born or list(document)
        told = (self._moments.told(document.get(name)) for name in names)
        return min((found[1] for found in told if found), default=None)

    def _observed(self, seen: list[Sighting]) -> list[_Observed]:
        """What is known by each sighting; what another place shows is not gone."""
        result: list[_Observed] = []
        last: dict[str, tuple[int, Document]] = {}
        always: Document = {}
        changing = self._custom.later(seen[0].kind)
        current: Document = {}
        for sighting in seen:
            document, at = self._kept(sighting), self._align(sighting.at)
            if self._is_late(sighting.kind, current, document):
                continue
            before, shown = last.get(sighting.view, (at, {}))
            if sighting.view not in last:
                always |= {n: v for n, v in document.items() if n not in changing}
            gone = shown.keys() - document.keys()
            current = {n: v for n, v in current.items() if n not in gone} | document
            last[sighting.view] = (at, document)
            result.append(_Observed(at, at - before, current))
        return [replace(one, document=always | one.document) for one in result]

    def _is_late(self, kind: Kind, known: Document, told: Document) -> bool:
        """Whether an answer tells of a state that is past: a stream's, or overtaken."""
        for lifecycle in self._custom.lifecycles(kind):
            now, then = known.get(lifecycle.field), told.get(lifecycle.field)
            if now is None or then is None or bridge(lifecycle, now, then) is not None:
                continue
            if bridge(lifecycle, then, now):
                return True
        return False

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
    ) -> list[Stage]:
        """What was seen first, taken apart by the moments that it tells."""
        changing = self._custom.later(kind)
        there = {n: v for n, v in first.document.items() if n not in changing}
        fields = {lifecycle.field for lifecycle in self._custom.lifecycles(kind)}
        there |= {n: v for n, v in begin.items() if n in changing - fields}
        patch = difference(there, first.document)
        stages, rest = self._dated(kind, patch, [Version(began, there)], first)
        return self.staging.staged(kind, None, [Stage(began, there), *stages], rest)

    def _dated(
        self,
        kind: Kind,
        patch: Document,
        versions: list[Version],
        observed: _Observed,
    ) -> tuple[list[Stage], Document]:
        """A patch, taken apart by the moments it tells; and the rest of it."""
        began, since = versions[0].at, firm_since(versions)
        seen = max(observed.at, versions[-1].at)
        dates: dict[int, set[Path]] = {}
        for path, at in self._told(kind, patch, began):
            if since - TOLERANCE <= at <= seen + max(observed.gap, SECOND):
                dates.setdefault(max(at, since), set()).add(path)
        dates.pop(began, None)
        if not dates:
            return [Stage(seen, firm=False)], patch
        stages = [
            Stage(at, only(patch, paths), dates=frozenset(path[0] for path in paths))
            for at, paths in sorted(dates.items())
        ]
        known = set().union(*dates.values())
        return stages, only(patch, {path for path, _ in leaves(patch)} - known)

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

    def note(self, text: str) -> None:
        """Keep a note, once."""
        self.notes[text] = None


def _versions(versions: list[Version], stages: list[Stage]) -> list[Version]:
    result = list(versions)
    for stage in stages:
        document = applied(result[-1].document if result else {}, stage.patch)
        if not result or difference(result[-1].document, document):
            result.append(Version(stage.at, document, stage.firm))
    return result


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
