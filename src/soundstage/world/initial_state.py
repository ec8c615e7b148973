"""Initial state: the records and the history of a fixture, which worlds share."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import pairwise

from soundstage.world.clock import DAY
from soundstage.world.collection import Collection
from soundstage.world.errors import FixtureError
from soundstage.world.history import RunSeries, RunSummary, generate_entry_runs, iter_run_tree
from soundstage.world.random import SeededRandom
from soundstage.world.runs import Run
from soundstage.world.scenario import Definitions, Step
from soundstage.world.state import Fixture, State

PROGRESS_INTERVAL = 200
"""The number of runs that are generated between two reports of progress."""

EXTENSION_DURATION = 30 * DAY
"""The duration that the runs added to a fixture cover, in ms."""


@lru_cache(maxsize=64)
def initial_state(
    fixture: Fixture, seed: int, history_end: int, *, eager: bool = False
) -> "InitialState":
    """Return the initial state of all worlds with this seed and end of history.

    If ``eager``, no run is a summary: for worlds in which the history has not ended.
    """
    return InitialState(fixture, seed, history_end, eager=eager)


class InitialState:
    """The records and runs of a fixture, generated on first access.

    ``run_count`` is the number of runs that are stored as summaries. Such a run takes
    O(its steps) time, but its size does not depend on them.
    """

    def __init__(self, fixture: Fixture, seed: int, history_end: int, *, eager: bool) -> None:
        self.run_count = sum(entry.run_count or 0 for entry in fixture.history)
        self._eager = eager
        self._state = State(fixture)
        for record in fixture.records:
            self._state.collections[record.record_type.collection].add(record)
        self._pending: Iterator[int] | None = self._generate(seed, history_end)

    @property
    def definitions(self) -> Definitions:
        """What its runs are generated from."""
        return self._state.definitions

    def collection(self, name: str) -> Collection:
        """Return the records of one type, for reading. Raises ``UnknownName``.

        The history is generated first only if runs may create such records.
        """
        state = self.state() if name in self._generated_collections else self._state
        return state.collection(name)

    @cached_property
    def _generated_collections(self) -> frozenset[str]:
        """The collections that the steps of any run add records to."""
        definitions = self.definitions
        sections = (definitions.scenarios, definitions.beginnings, definitions.endings)
        steps = (
            step for section in sections for sequence in section.values() for step in sequence.steps
        )
        record_types = definitions.model.record_types
        return frozenset(record_types[name].collection for name in _patched_types(steps))

    def state(self) -> State:
        """Return the whole state; it is shared, so copy it before a change."""
        for _ in self.generate():
            pass
        return self._state

    def generate(self) -> Iterator[int]:
        """Generate what is pending; yield the number of generated runs repeatedly."""
        if self._pending is not None:
            yield from self._pending
            self._pending = None

    def _generate(self, seed: int, history_end: int) -> Iterator[int]:
        state, fixture = self._state, self._state.fixture
        done = 0
        for i, entry in enumerate(fixture.history):
            # Each entry has its own seed, so that editing one leaves the others.
            if entry.run_count is None:
                random = SeededRandom(seed, fixture.api, i)
                for run in generate_entry_runs(state.definitions, entry, random, history_end):
                    state.add_run(run)
                continue
            path = (seed, fixture.api, i)
            series = RunSeries(state.definitions, entry, path, history_end)
            for number in range(entry.run_count):
                self._add_run(series, number)
                done += 1
                if done % PROGRESS_INTERVAL == 0:
                    yield done

    def _add_run(self, series: RunSeries, number: int) -> None:
        """Add a run of a series, as a summary if it has ended."""
        # Without its details, a run is generated faster: most runs need only this.
        if not self._eager:
            run, last_event_at = series.generate(number, summary_only=True)
            tree = list(iter_run_tree(run))
            if last_event_at <= series.end and all(map(self._has_ended, tree)):
                for each in tree:
                    summary = RunSummary(each.started_at, each.records[0], series, number)
                    self._state.add_summary(each, summary)
                return
        run, _ = series.generate(number, summary_only=False)
        self._state.add_run(run)

    def _has_ended(self, run: Run) -> bool:
        own = run.records[0]
        last = own.last_version
        return (
            last is not None
            and self._state.definitions.is_final(last)
            # A summary has only its last version to find its parent by.
            and last.get(own.record_type.parent_field or "") == own.parent_id
        )


def _patched_types(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        yield from (patch.type_name for patch in step.patches)
        yield from _patched_types(step.steps)


def extend_history(fixture: Fixture, run_count: int) -> Fixture:
    """Add runs to the history of a fixture, of the tasks that the history repeats.

    Raises ``FixtureError`` if it repeats none.
    """
    regular = [entry for entry in fixture.history if entry.every or entry.cron]
    if not regular:
        raise FixtureError("it repeats no task, so there is none to add runs of")
    ends = [run_count * i // len(regular) for i in range(len(regular) + 1)]
    added = (
        replace(
            entry,
            run_count=last - first,
            every=None,
            cron=None,
            duration=lambda *_: EXTENSION_DURATION,
        )
        for entry, (first, last) in zip(regular, pairwise(ends), strict=True)
        if last > first
    )
    return replace(fixture, history=(*fixture.history, *added))
