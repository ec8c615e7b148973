"""Runs of which only the outline is kept; the rest is drawn when somebody asks for it.

A run is a pure function of the seed, its history entry and its number, so it is drawn
the same however often. What draws it twice must not depend on what is left out: records
that no step looks at (those without a name, of a kind that belongs to the run) have
draws of their own.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from functools import lru_cache

from soundstage.types import Json, JsonObject
from soundstage.world.clock import within_years
from soundstage.world.fixture import Past
from soundstage.world.random import Chance, Seeded
from soundstage.world.record import Record
from soundstage.world.record_index import Rows
from soundstage.world.run_builder import Source
from soundstage.world.runs import Run, drawn
from soundstage.world.scenario import Cue, Script
from soundstage.world.values import Bare

RECENT = 512
"""Runs that are kept after somebody has looked at them."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The runs of a history entry that is drawn run by run, up to its ``end``."""

    script: Script
    past: Past
    path: tuple[str | int, ...]
    end: int

    def __len__(self) -> int:
        return self.past.runs or 0

    def run(self, number: int, *, outline: bool) -> tuple[Run, int]:
        """A run, and when all of it is over. Raises as ``drawn`` does."""
        seed, *path = self.path
        chance = Seeded(int(seed), *path, number)
        aside = None if outline else Seeded(int(seed), *path, number, "aside")
        cue = cue_of(self.script, self.past, chance, self._at(number, chance))
        source = Source(self.script, chance, aside=aside, outline=outline)
        return drawn(source, cue), source.until

    def _at(self, number: int, chance: Chance) -> int:
        """Somewhere in its own part of the span, so that they are in order."""
        scene = Bare(Seeded(0, "span"), self.end)
        span = self.past.span(scene, None) if self.past.span else 0
        first, last = (span * n // len(self) for n in (number, number + 1))
        start = within_years(self.end - span)
        return start + chance.whole(first, max(last - 1, first))


def cue_of(script: Script, past: Past, chance: Chance, at: int) -> Cue:
    """The run that a history entry has at this instant, not drawn yet."""
    scene = Bare(chance, at)
    chosen = past.scenario(scene, None) if past.scenario else None
    names: dict[str, Json] = {n: v(scene, None) for n, v in past.names.items()}
    if chosen is None:
        chosen = Source(script, chance).scenario_of(past.task)
    return Cue(past.task, chosen, at, past.id, names)


def family_of(run: Run) -> Iterator[Run]:
    """A run, and all that it started."""
    yield run
    for successor in run.successors:
        yield from family_of(successor)


class Recalled:
    """A run drawn again, with those that it started."""

    def __init__(self, run: Run) -> None:
        self.runs = {each.id: each for each in family_of(run)}
        self._listed: dict[str, dict[str, Rows]] = {}

    def listed(self, run_id: str) -> Mapping[str, Rows]:
        """The records of a run that are listed under it, by collection."""
        if run_id not in self._listed:
            rows: dict[str, Rows] = defaultdict(Rows)
            for record in self.runs[run_id].records[1:]:
                if record.kind.of_run:
                    rows[record.kind.collection].add(record)
            self._listed[run_id] = dict(rows)
        return self._listed[run_id]


@lru_cache(maxsize=RECENT)
def recalled(series: Series, number: int) -> Recalled:
    """The run of this number, all of it. O(its records)."""
    run, _ = series.run(number, outline=False)
    return Recalled(run)


class Outline(Record):
    """A run's own record as it is in the end; its versions are drawn again.

    The run was started ``at`` this instant, and is over in every world that has it.
    """

    __slots__ = ("_began", "_last", "_number", "_series", "_settled", "at")

    at: int
    _began: int
    _last: JsonObject | None
    _number: int
    _series: Series
    _settled: int

    def __init__(self, at: int, record: Record, series: Series, number: int) -> None:
        values = {
            "kind": record.kind,
            "id": record.id,
            "name": record.name,
            "at": at,
            "_began": record.began,
            "_last": record.last,
            "_settled": record.settled,
            "_series": series,
            "_number": number,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def began(self) -> int:
        return self._began

    @property
    def settled(self) -> int:
        return self._settled

    @property
    def last(self) -> JsonObject | None:
        return self._last

    @property
    def parent(self) -> Json:
        return (self._last or {}).get(self.kind.parent or "")

    @property
    def to_come(self) -> tuple[int, ...]:
        return ()

    def since(self, now: int) -> int:
        return self._settled if self._settled <= now else super().since(now)

    def as_of(self, now: int) -> JsonObject | None:
        return self._last if self._settled <= now else super().as_of(now)

    @property
    def times(self) -> tuple[int, ...]:
        """When its versions began."""
        return self.run().records[0].times

    @property
    def documents(self) -> tuple[JsonObject | None, ...]:
        """Its versions."""
        return self.run().records[0].documents

    def recalled(self) -> Recalled:
        """Its run, and what it started."""
        return recalled(self._series, self._number)

    def run(self) -> Run:
        """Its run."""
        return self.recalled().runs[self.id]


class Runs(MutableMapping[str, Run]):
    """Runs by their ids; some are only outlines, until they are looked at."""

    def __init__(self) -> None:
        self._there: dict[str, Run | Outline] = {}

    def __getitem__(self, run_id: str) -> Run:
        found = self._there[run_id]
        return found.run() if isinstance(found, Outline) else found

    def __setitem__(self, run_id: str, run: Run) -> None:
        self._there[run_id] = run

    def keep(self, outline: Outline) -> None:
        """Take in a run that will be drawn again."""
        self._there[outline.id] = outline

    def outline(self, run_id: Json) -> Outline | None:
        """The outline of a run of which there is nothing else."""
        found = self._there.get(run_id)
        return found if isinstance(found, Outline) else None

    def recall(self, collection: str, run_id: Json) -> Rows | None:
        """What is listed under a run of which there is only the outline."""
        if (outline := self.outline(run_id)) is None:
            return None
        return outline.recalled().listed(outline.id).get(collection)

    def __delitem__(self, run_id: str) -> None:
        del self._there[run_id]

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._there

    def __iter__(self) -> Iterator[str]:
        return iter(self._there)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._there)

    def __len__(self) -> int:
        return len(self._there)
