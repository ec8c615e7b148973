"""What there is at one API: runs, and the collections that their records fill."""

from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from functools import partial

from soundstage.types import Json, JsonObject
from soundstage.world.collection import Collection
from soundstage.world.copy_on_write import CopyOnWriteDict
from soundstage.world.errors import FixtureError, UnknownName
from soundstage.world.fixture import Fixture
from soundstage.world.record import Record
from soundstage.world.run_summaries import RunMap, RunSummary
from soundstage.world.runs import Run
from soundstage.world.scenario import QueuedScenario, Scenario
from soundstage.world.values import merge_patch


class State:
    """The runs and records of one API in one world.

    ``first`` are the runs that all worlds begin with.
    """

    def __init__(self, fixture: Fixture) -> None:
        self.fixture = fixture
        self.definitions = fixture.definitions
        self.queued_scenarios: list[QueuedScenario] = []
        self.initial_runs = RunMap()
        self.runs: MutableMapping[str, Run] = self.initial_runs
        kinds = fixture.definitions.model.record_types.values()
        self.collections = {kind.collection: Collection(kind) for kind in kinds}
        for kind in kinds:
            if kind.belongs_to_run:
                recall = partial(self.initial_runs.regenerate_children, kind.collection)
                self.collections[kind.collection].regenerate_children = recall

    def copy(self) -> "State":
        """A state that changes on its own; this one must not change any more. O(1)."""
        copy = State(self.fixture)
        copy.definitions = self.definitions
        copy.queued_scenarios = list(self.queued_scenarios)
        copy.initial_runs = self.initial_runs
        copy.runs = CopyOnWriteDict(self.runs)
        copy.collections = {n: c.copy() for n, c in self.collections.items()}
        return copy

    def collection(self, name: str) -> Collection:
        """The records of one kind. Raises ``Unknown``."""
        try:
            return self.collections[name]
        except KeyError:
            raise UnknownName("collection", name, tuple(self.collections)) from None

    def define_scenario(self, scenario: Scenario) -> None:
        """Let runs unfold in another way from now on."""
        scenarios = {**self.definitions.scenarios, scenario.name: scenario}
        self.definitions = replace(self.definitions, scenarios=scenarios)

    def add_run(self, run: Run) -> None:
        """Take a run in, with those that it will start."""
        self.runs[run.id] = run
        for record in run.records:
            self.collections[record.record_type.collection].add(record)
        for successor in run.successors:
            self.add_run(successor)

    def add_summary(self, run: Run, summary: RunSummary) -> None:
        """Take in a run of which the outline is enough; no other world may see it yet.

        What nobody finds by way of the run is kept as it is.
        """
        self.initial_runs.add_summary(summary)
        for record in (summary, *run.records[1:]):
            if not record.record_type.belongs_to_run:
                self.collections[record.record_type.collection].add(record)

    def started_at(self, run_id: str) -> int:
        """When a run was started."""
        outline = self.initial_runs.find_summary(run_id)
        return outline.started_at if outline else self.runs[run_id].started_at

    def replace_run(self, old: Run, new: Run) -> None:
        """Put an interrupted run in the place of the one that would have been."""
        self.runs[new.id] = new
        kept = {record.id: record for record in new.records}
        had = {record.id for record in old.records}
        for record in old.records:
            self.replace_record(record, kept.get(record.id))
        for record in new.records:
            if record.id not in had:
                self.collections[record.record_type.collection].add(record)
        started = {successor.id for successor in old.successors}
        begun = {successor.id for successor in new.successors}
        for successor in old.successors:
            if successor.id not in begun:
                self._remove_run(successor)
        for successor in new.successors:
            if successor.id not in started:
                self.add_run(successor)

    def current_run(self, run: Run) -> Run:
        """The run with its records as they were changed since it was drawn."""
        found = (
            self.collections[record.record_type.collection].get_record(record.id)
            for record in run.records
        )
        return replace(run, records=tuple(record for record in found if record))

    def replace_record(self, old: Record, new: Record | None) -> None:
        """Put a record in the place of another of the same id."""
        collection = self.collections[old.record_type.collection]
        if new is None or new.created_at == old.created_at:
            collection.replace(old, new)
        else:
            collection.replace(old, None)
            collection.add(new)

    def next_change(self, now: int) -> int | None:
        """The next instant at which any record changes or begins. O(log records)."""
        upcoming = (each.next_change(now) for each in self.collections.values())
        return min((at for at in upcoming if at is not None), default=None)

    def _remove_run(self, run: Run) -> None:
        del self.runs[run.id]
        for record in run.records:
            # Somebody may have put another one in its place, which has begun.
            if (
                self.collections[record.record_type.collection].get_record(record.id)
                is record
            ):
                self.replace_record(record, None)
        for successor in run.successors:
            self._remove_run(successor)


def validate_run(fixture: Fixture, run: Run) -> None:
    """Raise ``FixtureError`` for a record that lifecycle or contract forbid."""
    for record in run.records:
        validate_record(fixture, record)
    for successor in run.successors:
        validate_run(fixture, successor)


def validate_record(fixture: Fixture, record: Record) -> None:
    """Raise ``FixtureError`` for a version that may not be, or not follow the last."""
    lifecycles = fixture.definitions.lifecycles.get(record.record_type.name, ())
    last: JsonObject | None = None
    for document in record.versions:
        if document is None:
            continue
        for lifecycle in lifecycles:
            lifecycle.check(last, document)
        parent = record.record_type.parent_field
        if parent and last and last.get(parent) != document.get(parent):
            name = record.record_type.name
            msg = f"{parent} says what this {name} belongs to; it stays"
            raise FixtureError(msg)
        wrong = fixture.check_contract(record.record_type, document)
        if wrong:
            raise FixtureError(
                f"this {record.record_type.name} breaks the contract: {wrong}"
            )
        last = document


def patch_run(run: Run, fields: Mapping[str, Json]) -> Run:
    """The run with a merge patch on every version of its own record."""
    own = run.records[0]
    documents = tuple(d and merge_patch(d, fields) for d in own.versions)
    return replace(run, records=(replace(own, versions=documents), *run.records[1:]))
