"""What there is at one API: runs, and the collections that their records fill."""

from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from functools import partial

from soundstage.types import Json, JsonObject
from soundstage.world.collection import Collection
from soundstage.world.copy_on_write import Layered
from soundstage.world.errors import FixtureError, Unknown
from soundstage.world.fixture import Fixture
from soundstage.world.record import Record
from soundstage.world.run_summaries import Outline, Runs
from soundstage.world.runs import Run
from soundstage.world.scenario import Planned, Scenario
from soundstage.world.values import merged


class State:
    """The runs and records of one API in one world.

    ``first`` are the runs that all worlds begin with.
    """

    def __init__(self, fixture: Fixture) -> None:
        self.fixture = fixture
        self.script = fixture.script
        self.planned: list[Planned] = []
        self.first = Runs()
        self.runs: MutableMapping[str, Run] = self.first
        kinds = fixture.script.vocabulary.kinds.values()
        self.collections = {kind.collection: Collection(kind) for kind in kinds}
        for kind in kinds:
            if kind.of_run:
                recall = partial(self.first.recall, kind.collection)
                self.collections[kind.collection].recall = recall

    def copy(self) -> "State":
        """A state that changes on its own; this one must not change any more. O(1)."""
        copy = State(self.fixture)
        copy.script = self.script
        copy.planned = list(self.planned)
        copy.first = self.first
        copy.runs = Layered(self.runs)
        copy.collections = {n: c.copy() for n, c in self.collections.items()}
        return copy

    def collection(self, name: str) -> Collection:
        """The records of one kind. Raises ``Unknown``."""
        try:
            return self.collections[name]
        except KeyError:
            raise Unknown("collection", name, tuple(self.collections)) from None

    def define(self, scenario: Scenario) -> None:
        """Let runs unfold in another way from now on."""
        scenarios = {**self.script.scenarios, scenario.name: scenario}
        self.script = replace(self.script, scenarios=scenarios)

    def add(self, run: Run) -> None:
        """Take a run in, with those that it will start."""
        self.runs[run.id] = run
        for record in run.records:
            self.collections[record.kind.collection].add(record)
        for successor in run.successors:
            self.add(successor)

    def keep(self, run: Run, outline: Outline) -> None:
        """Take in a run of which the outline is enough; no other world may see it yet.

        What nobody finds by way of the run is kept as it is.
        """
        self.first.keep(outline)
        for record in (outline, *run.records[1:]):
            if not record.kind.of_run:
                self.collections[record.kind.collection].add(record)

    def started(self, run_id: str) -> int:
        """When a run was started."""
        outline = self.first.outline(run_id)
        return outline.at if outline else self.runs[run_id].at

    def replace(self, old: Run, new: Run) -> None:
        """Put an interrupted run in the place of the one that would have been."""
        self.runs[new.id] = new
        kept = {record.id: record for record in new.records}
        had = {record.id for record in old.records}
        for record in old.records:
            self.put(record, kept.get(record.id))
        for record in new.records:
            if record.id not in had:
                self.collections[record.kind.collection].add(record)
        started = {successor.id for successor in old.successors}
        begun = {successor.id for successor in new.successors}
        for successor in old.successors:
            if successor.id not in begun:
                self._remove(successor)
        for successor in new.successors:
            if successor.id not in started:
                self.add(successor)

    def as_it_is(self, run: Run) -> Run:
        """The run with its records as they were changed since it was drawn."""
        found = (
            self.collections[record.kind.collection].record(record.id)
            for record in run.records
        )
        return replace(run, records=tuple(record for record in found if record))

    def put(self, old: Record, new: Record | None) -> None:
        """Put a record in the place of another of the same id."""
        collection = self.collections[old.kind.collection]
        if new is None or new.began == old.began:
            collection.replace(old, new)
        else:
            collection.replace(old, None)
            collection.add(new)

    def next_change(self, now: int) -> int | None:
        """The next instant at which any record changes or begins. O(log records)."""
        upcoming = (each.next_change(now) for each in self.collections.values())
        return min((at for at in upcoming if at is not None), default=None)

    def _remove(self, run: Run) -> None:
        del self.runs[run.id]
        for record in run.records:
            # Somebody may have put another one in its place, which has begun.
            if self.collections[record.kind.collection].record(record.id) is record:
                self.put(record, None)
        for successor in run.successors:
            self._remove(successor)


def inspect(fixture: Fixture, run: Run) -> None:
    """Raise ``FixtureError`` for a record that lifecycle or contract forbid."""
    for record in run.records:
        inspect_record(fixture, record)
    for successor in run.successors:
        inspect(fixture, successor)


def inspect_record(fixture: Fixture, record: Record) -> None:
    """Raise ``FixtureError`` for a version that may not be, or not follow the last."""
    lifecycles = fixture.script.lifecycles.get(record.kind.name, ())
    last: JsonObject | None = None
    for document in record.documents:
        if document is None:
            continue
        for lifecycle in lifecycles:
            lifecycle.check(last, document)
        parent = record.kind.parent
        if parent and last and last.get(parent) != document.get(parent):
            msg = f"{parent} says what this {record.kind.name} belongs to; it stays"
            raise FixtureError(msg)
        wrong = fixture.verdict(record.kind, document)
        if wrong:
            raise FixtureError(f"this {record.kind.name} breaks the contract: {wrong}")
        last = document


def with_fields(run: Run, fields: Mapping[str, Json]) -> Run:
    """The run with a merge patch on every version of its own record."""
    own = run.records[0]
    documents = tuple(d and merged(d, fields) for d in own.documents)
    return replace(run, records=(replace(own, documents=documents), *run.records[1:]))
