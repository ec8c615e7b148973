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
from soundstage.world.clock import clamp_timestamp
from soundstage.world.fixture import HistoryEntry
from soundstage.world.random import RandomSource, SeededRandom
from soundstage.world.record import Record
from soundstage.world.record_index import RecordIndex
from soundstage.world.run_builder import GenerationContext
from soundstage.world.runs import Run, generate_run
from soundstage.world.scenario import Definitions, RunRequest
from soundstage.world.values import ConstantContext

MAX_REGENERATED = 512
"""Runs that are kept after somebody has looked at them."""


@dataclass(frozen=True, slots=True, eq=False)
class RunSeries:
    """The runs of a history entry that is drawn run by run, up to its ``end``."""

    definitions: Definitions
    entry: HistoryEntry
    seed_path: tuple[str | int, ...]
    end: int

    def __len__(self) -> int:
        return self.entry.run_count or 0

    def generate(self, number: int, *, summary_only: bool) -> tuple[Run, int]:
        """A run, and when all of it is over. Raises as ``drawn`` does."""
        seed, *path = self.seed_path
        chance = SeededRandom(int(seed), *path, number)
        aside = (
            None if summary_only else SeededRandom(int(seed), *path, number, "aside")
        )
        cue = build_run_request(
            self.definitions, self.entry, chance, self._start_timestamp(number, chance)
        )
        source = GenerationContext(
            self.definitions, chance, detail_random=aside, summary_only=summary_only
        )
        return generate_run(source, cue), source.last_event_at

    def _start_timestamp(self, number: int, random: RandomSource) -> int:
        """Somewhere in its own part of the span, so that they are in order."""
        scene = ConstantContext(SeededRandom(0, "span"), self.end)
        span = self.entry.duration(scene, None) if self.entry.duration else 0
        first, last = (span * n // len(self) for n in (number, number + 1))
        start = clamp_timestamp(self.end - span)
        return start + random.randint(first, max(last - 1, first))


def build_run_request(
    definitions: Definitions, entry: HistoryEntry, random: RandomSource, timestamp: int
) -> RunRequest:
    """The run that a history entry has at this instant, not drawn yet."""
    scene = ConstantContext(random, timestamp)
    chosen = entry.scenario(scene, None) if entry.scenario else None
    names: dict[str, Json] = {n: v(scene, None) for n, v in entry.variables.items()}
    if chosen is None:
        chosen = GenerationContext(definitions, random).choose_scenario(entry.task)
    return RunRequest(entry.task, chosen, timestamp, entry.id, names)


def iter_run_tree(run: Run) -> Iterator[Run]:
    """A run, and all that it started."""
    yield run
    for successor in run.successors:
        yield from iter_run_tree(successor)


class RegeneratedRun:
    """A run drawn again, with those that it started."""

    def __init__(self, run: Run) -> None:
        self.runs = {each.id: each for each in iter_run_tree(run)}
        self._children: dict[str, dict[str, RecordIndex]] = {}

    def children(self, run_id: str) -> Mapping[str, RecordIndex]:
        """The records of a run that are listed under it, by collection."""
        if run_id not in self._children:
            rows: dict[str, RecordIndex] = defaultdict(RecordIndex)
            for record in self.runs[run_id].records[1:]:
                if record.record_type.belongs_to_run:
                    rows[record.record_type.collection].add(record)
            self._children[run_id] = dict(rows)
        return self._children[run_id]


@lru_cache(maxsize=MAX_REGENERATED)
def regenerate(series: RunSeries, number: int) -> RegeneratedRun:
    """The run of this number, all of it. O(its records)."""
    run, _ = series.generate(number, summary_only=False)
    return RegeneratedRun(run)


class RunSummary(Record):
    """A run's own record as it is in the end; its versions are drawn again.

    The run was started ``at`` this instant, and is over in every world that has it.
    """

    __slots__ = ("_began", "_last", "_number", "_series", "_settled", "started_at")

    started_at: int
    _began: int
    _last: JsonObject | None
    _number: int
    _series: RunSeries
    _settled: int

    def __init__(
        self, started_at: int, record: Record, series: RunSeries, number: int
    ) -> None:
        values = {
            "record_type": record.record_type,
            "id": record.id,
            "name": record.name,
            "started_at": started_at,
            "_began": record.created_at,
            "_last": record.last_version,
            "_settled": record.last_changed_at,
            "_series": series,
            "_number": number,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def created_at(self) -> int:
        return self._began

    @property
    def last_changed_at(self) -> int:
        return self._settled

    @property
    def last_version(self) -> JsonObject | None:
        return self._last

    @property
    def parent_id(self) -> Json:
        return (self._last or {}).get(self.record_type.parent_field or "")

    @property
    def change_times(self) -> tuple[int, ...]:
        return ()

    def version_timestamp(self, now: int) -> int:
        return self._settled if self._settled <= now else super().version_timestamp(now)

    def as_of(self, now: int) -> JsonObject | None:
        return self._last if self._settled <= now else super().as_of(now)

    @property
    def timestamps(self) -> tuple[int, ...]:
        """When its versions began."""
        return self.get_run().records[0].timestamps

    @property
    def versions(self) -> tuple[JsonObject | None, ...]:
        """Its versions."""
        return self.get_run().records[0].versions

    def regenerate(self) -> RegeneratedRun:
        """Its run, and what it started."""
        return regenerate(self._series, self._number)

    def get_run(self) -> Run:
        """Its run."""
        return self.regenerate().runs[self.id]


class RunMap(MutableMapping[str, Run]):
    """Runs by their ids; some are only outlines, until they are looked at."""

    def __init__(self) -> None:
        self._entries: dict[str, Run | RunSummary] = {}

    def __getitem__(self, run_id: str) -> Run:
        found = self._entries[run_id]
        return found.get_run() if isinstance(found, RunSummary) else found

    def __setitem__(self, run_id: str, run: Run) -> None:
        self._entries[run_id] = run

    def add_summary(self, summary: RunSummary) -> None:
        """Take in a run that will be drawn again."""
        self._entries[summary.id] = summary

    def find_summary(self, run_id: Json) -> RunSummary | None:
        """The outline of a run of which there is nothing else."""
        found = self._entries.get(run_id)
        return found if isinstance(found, RunSummary) else None

    def regenerate_children(self, collection: str, run_id: Json) -> RecordIndex | None:
        """What is listed under a run of which there is only the outline."""
        if (outline := self.find_summary(run_id)) is None:
            return None
        return outline.regenerate().children(outline.id).get(collection)

    def __delitem__(self, run_id: str) -> None:
        del self._entries[run_id]

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
