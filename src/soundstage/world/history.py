"""History: runs from before the start of a world, most of them as summaries.

A run of a history entry with a ``run_count`` is a pure function of the seed, the entry
and its number, so it can be regenerated at any time. Of such a run, only a summary is
stored. The summary must not depend on what it leaves out: records that no step refers
to (those without a name, of a type that belongs to a run) have a random source of their
own.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from functools import lru_cache

from soundstage.types import Json, JsonObject
from soundstage.world.clock import clamp_timestamp
from soundstage.world.cron import next_cron_tick
from soundstage.world.random import RandomSource, SeededRandom
from soundstage.world.record import Record
from soundstage.world.record_index import RecordIndex
from soundstage.world.run_builder import GenerationContext, generate_run
from soundstage.world.runs import Run
from soundstage.world.scenario import Definitions, RunRequest
from soundstage.world.values import ConstantContext, ValueGenerator

MIN_RUN_INTERVAL = 1_000
"""The shortest time between two runs of one history entry, in ms, so that it ends."""

MAX_REGENERATED = 512
"""The number of regenerated runs that are cached."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """Runs that started before the world: one ``ago``, or one after each ``every``.

    ``every`` and ``cron`` (the schedule of the task) fill the last ``duration`` ms. An
    entry with a ``run_count`` spreads that number of runs over it, which are summaries.
    """

    pointer: str
    task: str
    scenario: ValueGenerator | None
    id: str | None
    ago: ValueGenerator | None
    every: ValueGenerator | None
    duration: ValueGenerator | None
    variables: Mapping[str, ValueGenerator]
    cron: str | None = None
    run_count: int | None = None


def generate_entry_runs(
    definitions: Definitions, entry: HistoryEntry, random: RandomSource, history_end: int
) -> Iterator[Run]:
    """Generate all runs of a history entry, the oldest first."""
    context = ConstantContext(random, history_end)
    for timestamp in sorted(_start_timestamps(entry, context)):
        request = build_run_request(definitions, entry, random, timestamp)
        yield generate_run(GenerationContext(definitions, random), request)


def _start_timestamps(entry: HistoryEntry, context: ConstantContext) -> Iterator[int]:
    history_end = context.timestamp
    if entry.ago:
        yield clamp_timestamp(history_end - entry.ago(context, None))
    start = history_end
    if entry.duration:
        start = clamp_timestamp(history_end - entry.duration(context, None))
    if entry.cron:
        tick = next_cron_tick(entry.cron, start - 1)
        while tick is not None and tick < history_end:
            yield tick
            tick = next_cron_tick(entry.cron, tick)
    if entry.every:
        # The end itself belongs to the world: its own ticks begin there.
        timestamp = start
        while timestamp < history_end:
            yield timestamp
            timestamp += max(entry.every(context, None), MIN_RUN_INTERVAL)


def build_run_request(
    definitions: Definitions, entry: HistoryEntry, random: RandomSource, timestamp: int
) -> RunRequest:
    """Return the request for the run of a history entry at a timestamp."""
    context = ConstantContext(random, timestamp)
    scenario = entry.scenario(context, None) if entry.scenario else None
    variables: dict[str, Json] = {
        name: value(context, None) for name, value in entry.variables.items()
    }
    if scenario is None:
        scenario = GenerationContext(definitions, random).choose_scenario(entry.task)
    return RunRequest(entry.task, scenario, timestamp, entry.id, variables)


def iter_run_tree(run: Run) -> Iterator[Run]:
    """Yield a run and, recursively, its successors."""
    yield run
    for successor in run.successors:
        yield from iter_run_tree(successor)


@dataclass(frozen=True, slots=True, eq=False)
class RunSeries:
    """The runs of a history entry with a ``run_count``, before the timestamp ``end``.

    ``seed_path`` is the seed of the world, the API and the number of the entry.
    """

    definitions: Definitions
    entry: HistoryEntry
    seed_path: tuple[str | int, ...]
    end: int

    def __len__(self) -> int:
        return self.entry.run_count or 0

    def generate(self, number: int, *, summary_only: bool) -> tuple[Run, int]:
        """Generate a run; also return when it and its successors have ended.

        Raises as ``generate_run`` does.
        """
        seed, *path = self.seed_path
        random = SeededRandom(int(seed), *path, number)
        timestamp = self._start_timestamp(number, random)
        request = build_run_request(self.definitions, self.entry, random, timestamp)
        context = GenerationContext(
            self.definitions,
            random,
            detail_random=None if summary_only else SeededRandom(int(seed), *path, number, "aside"),
            summary_only=summary_only,
        )
        return generate_run(context, request), context.last_event_at

    def _start_timestamp(self, number: int, random: RandomSource) -> int:
        # Each run starts in its own part of the duration, so that they are in order.
        context = ConstantContext(SeededRandom(0, "span"), self.end)
        duration = self.entry.duration(context, None) if self.entry.duration else 0
        first, last = (duration * n // len(self) for n in (number, number + 1))
        start = clamp_timestamp(self.end - duration)
        return start + random.randint(first, max(last - 1, first))


class RegeneratedRun:
    """A regenerated run with its successors, by their ids."""

    def __init__(self, run: Run) -> None:
        self.runs = {each.id: each for each in iter_run_tree(run)}
        self._children: dict[str, dict[str, RecordIndex]] = {}

    def children(self, run_id: str) -> Mapping[str, RecordIndex]:
        """Return the records that belong to a run, by collection."""
        if run_id not in self._children:
            indexes: dict[str, RecordIndex] = defaultdict(RecordIndex)
            for record in self.runs[run_id].records[1:]:
                if record.record_type.belongs_to_run:
                    indexes[record.record_type.collection].add(record)
            self._children[run_id] = dict(indexes)
        return self._children[run_id]


@lru_cache(maxsize=MAX_REGENERATED)
def regenerate(series: RunSeries, number: int) -> RegeneratedRun:
    """Regenerate a run of a series with all its records. O(records)."""
    run, _ = series.generate(number, summary_only=False)
    return RegeneratedRun(run)


class RunSummary(Record):
    """The last version of a run's own record; earlier versions are regenerated.

    The run is finished in every world that has the summary.
    """

    __slots__ = (
        "_created_at",
        "_last_changed_at",
        "_last_version",
        "_number",
        "_series",
        "started_at",
    )

    started_at: int
    _created_at: int
    _last_version: JsonObject | None
    _number: int
    _series: RunSeries
    _last_changed_at: int

    def __init__(self, started_at: int, record: Record, series: RunSeries, number: int) -> None:
        values = {
            "record_type": record.record_type,
            "id": record.id,
            "name": record.name,
            "started_at": started_at,
            "_created_at": record.created_at,
            "_last_version": record.last_version,
            "_last_changed_at": record.last_changed_at,
            "_series": series,
            "_number": number,
        }
        # Record is frozen, and its own fields for versions are properties here.
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def created_at(self) -> int:
        return self._created_at

    @property
    def last_changed_at(self) -> int:
        return self._last_changed_at

    @property
    def last_version(self) -> JsonObject | None:
        return self._last_version

    @property
    def parent_id(self) -> Json:
        return (self._last_version or {}).get(self.record_type.parent_field or "")

    @property
    def change_times(self) -> tuple[int, ...]:
        # No world sees the run before its end.
        return ()

    def version_timestamp(self, now: int) -> int:
        if self._last_changed_at <= now:
            return self._last_changed_at
        return super().version_timestamp(now)

    def as_of(self, now: int) -> JsonObject | None:
        return self._last_version if self._last_changed_at <= now else super().as_of(now)

    @property
    def timestamps(self) -> tuple[int, ...]:
        """The timestamps of its versions."""
        return self.get_run().records[0].timestamps

    @property
    def versions(self) -> tuple[JsonObject | None, ...]:
        """Its versions."""
        return self.get_run().records[0].versions

    def regenerate(self) -> RegeneratedRun:
        """Regenerate its run, and the successors of that."""
        return regenerate(self._series, self._number)

    def get_run(self) -> Run:
        """Return its run."""
        return self.regenerate().runs[self.id]


class RunMap(MutableMapping[str, Run]):
    """Runs by id; those with only a summary are regenerated when they are read."""

    def __init__(self) -> None:
        self._entries: dict[str, Run | RunSummary] = {}

    def __getitem__(self, run_id: str) -> Run:
        entry = self._entries[run_id]
        return entry.get_run() if isinstance(entry, RunSummary) else entry

    def __setitem__(self, run_id: str, run: Run) -> None:
        self._entries[run_id] = run

    def add_summary(self, summary: RunSummary) -> None:
        """Add a run by its summary."""
        self._entries[summary.id] = summary

    def find_summary(self, run_id: Json) -> RunSummary | None:
        """Return the summary of a run; None if the run itself is stored, or unknown."""
        entry = self._entries.get(run_id)
        return entry if isinstance(entry, RunSummary) else None

    def regenerate_children(self, collection: str, run_id: Json) -> RecordIndex | None:
        """Return the records of a summarized run in a collection; None otherwise."""
        if (summary := self.find_summary(run_id)) is None:
            return None
        return summary.regenerate().children(summary.id).get(collection)

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
