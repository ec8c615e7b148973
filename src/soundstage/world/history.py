"""What happened before a world began: drawn at once, or when somebody looks at it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import pairwise

from soundstage.world.clock import DAY, clamp_timestamp
from soundstage.world.collection import Collection
from soundstage.world.errors import FixtureError
from soundstage.world.fixture import Fixture, HistoryEntry
from soundstage.world.random import SeededRandom
from soundstage.world.run_builder import GenerationContext
from soundstage.world.run_summaries import (
    RunSeries,
    RunSummary,
    build_run_request,
    iter_run_tree,
)
from soundstage.world.runs import Run, generate_run
from soundstage.world.scenario import Definitions, Step
from soundstage.world.scheduler import next_cron_tick
from soundstage.world.state import State
from soundstage.world.values import ConstantContext

MIN_RUN_INTERVAL = 1_000
"""The least ms between two runs of one history entry, so that it ends."""


@lru_cache(maxsize=64)
def initial_state(
    fixture: Fixture, seed: int, history_end: int, *, eager: bool = False
) -> "InitialState":
    """How all worlds of this seed and origin begin.

    Where it is ``whole``, nothing is left to be drawn later: for worlds in which
    history is not over yet.
    """
    return InitialState(fixture, seed, history_end, eager=eager)


class InitialState:
    """What the fixture alone makes; ``runs`` of it are drawn one by one.

    Such a run costs O(its steps), and what is kept of it does not grow with them.
    """

    def __init__(
        self, fixture: Fixture, seed: int, history_end: int, *, eager: bool
    ) -> None:
        self.run_count = sum(past.run_count or 0 for past in fixture.history)
        self._eager = eager
        self._state = State(fixture)
        for record in fixture.records:
            self._state.collections[record.record_type.collection].add(record)
        self._pending: Iterator[int] | None = self._generate(seed, history_end)

    @property
    def definitions(self) -> Definitions:
        """What its runs are drawn from."""
        return self._state.definitions

    def collection(self, name: str) -> Collection:
        """The records of one kind, to be read; drawn first if runs make such records.

        Raises ``Unknown``.
        """
        state = self.state() if name in self._generated_collections else self._state
        return state.collection(name)

    @cached_property
    def _generated_collections(self) -> frozenset[str]:
        """The collections that the steps of any run add to."""
        script = self.definitions
        plays = (script.scenarios, script.beginnings, script.endings)
        steps = (
            step for named in plays for play in named.values() for step in play.steps
        )
        kinds = script.model.record_types
        return frozenset(kinds[kind].collection for kind in _changed_types(steps))

    def state(self) -> State:
        """All of it; shared, so copy it before it changes."""
        for _ in self.generate():
            pass
        return self._state

    def generate(self) -> Iterator[int]:
        """Draw what is not drawn yet; tells now and then how many runs there are."""
        if self._pending is not None:
            yield from self._pending
            self._pending = None

    def _generate(self, seed: int, history_end: int) -> Iterator[int]:
        state, fixture = self._state, self._state.fixture
        done = 0
        for i, past in enumerate(fixture.history):
            if past.run_count is None:
                for run in _generate_entry_runs(
                    fixture, past, SeededRandom(seed, fixture.api, i), history_end
                ):
                    state.add_run(run)
                continue
            series = RunSeries(
                state.definitions, past, (seed, fixture.api, i), history_end
            )
            for number in range(past.run_count):
                self._add_run(series, number)
                done += 1
                if done % PROGRESS_INTERVAL == 0:
                    yield done

    def _add_run(self, series: RunSeries, number: int) -> None:
        """Add a run, or what has to be known of it if it is over."""
        if not self._eager:
            run, until = series.generate(number, summary_only=True)
            if until <= series.end and all(map(self._is_over, iter_run_tree(run))):
                for each in iter_run_tree(run):
                    own = each.records[0]
                    self._state.add_summary(
                        each, RunSummary(each.started_at, own, series, number)
                    )
                return
        run, _ = series.generate(number, summary_only=False)
        self._state.add_run(run)

    def _is_over(self, run: Run) -> bool:
        own = run.records[0]
        last = own.last_version
        return (
            last is not None
            and self._state.definitions.is_final(last)
            and last.get(own.record_type.parent_field or "") == own.parent_id
        )


def _changed_types(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        yield from (change.type_name for change in step.patches)
        yield from _changed_types(step.steps)


PROGRESS_INTERVAL = 200
"""So many runs are drawn between two words about how far it is."""


def _generate_entry_runs(
    fixture: Fixture, entry: HistoryEntry, random: SeededRandom, history_end: int
) -> Iterator[Run]:
    for at in sorted(_start_timestamps(entry, ConstantContext(random, history_end))):
        cue = build_run_request(fixture.definitions, entry, random, at)
        yield generate_run(GenerationContext(fixture.definitions, random), cue)


def _start_timestamps(entry: HistoryEntry, context: ConstantContext) -> Iterator[int]:
    origin = context.timestamp
    if entry.ago:
        yield clamp_timestamp(origin - entry.ago(context, None))
    start = (
        clamp_timestamp(origin - entry.duration(context, None))
        if entry.duration
        else origin
    )
    if entry.cron:
        tick = next_cron_tick(entry.cron, start - 1)
        while tick is not None and tick < origin:
            yield tick
            tick = next_cron_tick(entry.cron, tick)
    if entry.every:
        at = start
        while at < origin:
            yield at
            at += max(entry.every(context, None), MIN_RUN_INTERVAL)


def extend_history(fixture: Fixture, run_count: int) -> Fixture:
    """The fixture with so many runs more, of the tasks that its history repeats.

    Raises ``FixtureError`` where it repeats none.
    """
    regular = [past for past in fixture.history if past.every or past.cron]
    if not regular:
        raise FixtureError("it repeats no task, so there is none to add runs of")
    ends = [run_count * i // len(regular) for i in range(len(regular) + 1)]
    more = (
        replace(
            past,
            run_count=last - first,
            every=None,
            cron=None,
            duration=lambda *_: EXTENSION_DURATION,
        )
        for past, (first, last) in zip(regular, pairwise(ends), strict=True)
        if last > first
    )
    return replace(fixture, history=(*fixture.history, *more))


EXTENSION_DURATION = 30 * DAY
"""How far the runs go back that are added to a fixture."""
