"""The state of one API: its fixture, runs, and collections of records."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeAlias

from soundstage.types import Json, JsonObject
from soundstage.world.collection import Collection
from soundstage.world.commands import Command
from soundstage.world.copy_on_write import CopyOnWriteDict
from soundstage.world.errors import FixtureError, UnknownName
from soundstage.world.history import HistoryEntry, RunMap, RunSummary
from soundstage.world.record import Record, RecordType
from soundstage.world.runs import Run
from soundstage.world.scenario import Definitions, QueuedScenario, Scenario
from soundstage.world.values import merge_patch


class RecordViolation(Protocol):
    """A contract violation of a record; its text is the message."""

    @property
    def pointer(self) -> str:
        """The JSON pointer in the record; empty for the whole record."""


RecordValidator: TypeAlias = Callable[[RecordType, JsonObject], RecordViolation | None]
"""Validates a record by its schema in the contract; returns the first violation."""


def accept_any(_record_type: RecordType, _document: JsonObject) -> None:
    """Accept every record: the validator where there is no contract."""


class ScheduleView(Protocol):
    """The part of a state that cron expressions depend on.

    It can be read without generating the history.
    """

    @property
    def definitions(self) -> Definitions:
        """What runs are generated from."""

    def collection(self, name: str) -> Collection:
        """Return the records of one type. Raises ``UnknownName``."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The cron expressions of an API by key, and the commands of their ticks.

    Both functions get the state at a timestamp and must be pure. ``cron_expressions``
    is called after every tick and command, not in between. The commands of a tick are
    applied at its timestamp. They are not logged, since they follow from the state.
    """

    cron_expressions: Callable[[ScheduleView, int], Mapping[str, str]]
    commands_for_tick: Callable[["State", str, int], Sequence[Command]]


@dataclass(frozen=True, slots=True, eq=False)
class Fixture:
    """The compiled fixture of one API."""

    api: str
    definitions: Definitions
    credentials: tuple[Mapping[str, str], ...]
    records: tuple[Record, ...]
    history: tuple[HistoryEntry, ...]
    check_contract: RecordValidator = accept_any
    schedule: Schedule | None = None


class State:
    """The runs and records of one API in one world.

    ``initial_runs`` are those that all worlds begin with.
    """

    def __init__(self, fixture: Fixture) -> None:
        self.fixture = fixture
        self.definitions = fixture.definitions
        self.queued_scenarios: list[QueuedScenario] = []
        self.initial_runs = RunMap()
        self.runs: MutableMapping[str, Run] = self.initial_runs
        record_types = fixture.definitions.model.record_types.values()
        self.collections = {each.collection: Collection(each) for each in record_types}
        for each in record_types:
            if each.belongs_to_run:
                self.collections[each.collection].regenerate_children = partial(
                    self.initial_runs.regenerate_children, each.collection
                )

    def copy(self) -> "State":
        """Return an independent state; this one must not change any more. O(1)."""
        copy = State(self.fixture)
        copy.definitions = self.definitions
        copy.queued_scenarios = list(self.queued_scenarios)
        copy.initial_runs = self.initial_runs
        copy.runs = CopyOnWriteDict(self.runs)
        copy.collections = {n: c.copy() for n, c in self.collections.items()}
        return copy

    def collection(self, name: str) -> Collection:
        """Return the records of one type. Raises ``UnknownName``."""
        try:
            return self.collections[name]
        except KeyError:
            raise UnknownName("collection", name, tuple(self.collections)) from None

    def define_scenario(self, scenario: Scenario) -> None:
        """Add or replace a scenario, for runs that start from now on."""
        scenarios = {**self.definitions.scenarios, scenario.name: scenario}
        self.definitions = replace(self.definitions, scenarios=scenarios)

    def add_run(self, run: Run) -> None:
        """Add a run with its records and successors."""
        self.runs[run.id] = run
        for record in run.records:
            self.collections[record.record_type.collection].add(record)
        for successor in run.successors:
            self.add_run(successor)

    def add_summary(self, run: Run, summary: RunSummary) -> None:
        """Add a run by its summary; no other world may have the state yet.

        Only records that can be found by way of the run are regenerated; others are
        stored.
        """
        self.initial_runs.add_summary(summary)
        for record in (summary, *run.records[1:]):
            if not record.record_type.belongs_to_run:
                self.collections[record.record_type.collection].add(record)

    def started_at(self, run_id: str) -> int:
        """Return when a run started, without regenerating it."""
        summary = self.initial_runs.find_summary(run_id)
        return summary.started_at if summary else self.runs[run_id].started_at

    def replace_run(self, old: Run, new: Run) -> None:
        """Replace a run by an interrupted one, with its records and successors."""
        self.runs[new.id] = new
        new_records = {record.id: record for record in new.records}
        old_ids = {record.id for record in old.records}
        for record in old.records:
            self.replace_record(record, new_records.get(record.id))
        for record in new.records:
            if record.id not in old_ids:
                self.collections[record.record_type.collection].add(record)
        old_successors = {successor.id for successor in old.successors}
        new_successors = {successor.id for successor in new.successors}
        for successor in old.successors:
            if successor.id not in new_successors:
                self._remove_run(successor)
        for successor in new.successors:
            if successor.id not in old_successors:
                self.add_run(successor)

    def current_run(self, run: Run) -> Run:
        """Return the run with its records as commands have changed them."""
        records = (
            self.collections[record.record_type.collection].get_record(record.id)
            for record in run.records
        )
        return replace(run, records=tuple(record for record in records if record))

    def replace_record(self, old: Record, new: Record | None) -> None:
        """Replace a record by another one with the same id, or remove it."""
        collection = self.collections[old.record_type.collection]
        # The order of creation is only kept if the time is the same.
        if new is None or new.created_at == old.created_at:
            collection.replace(old, new)
        else:
            collection.replace(old, None)
            collection.add(new)

    def next_change(self, now: int) -> int | None:
        """Return when the next record is created or changes. O(log records)."""
        upcoming = (each.next_change(now) for each in self.collections.values())
        return min((at for at in upcoming if at is not None), default=None)

    def _remove_run(self, run: Run) -> None:
        del self.runs[run.id]
        for record in run.records:
            # A command may have replaced the record: that one stays.
            if self.collections[record.record_type.collection].get_record(record.id) is record:
                self.replace_record(record, None)
        for successor in run.successors:
            self._remove_run(successor)


def validate_run(fixture: Fixture, run: Run) -> None:
    """Validate the records of a run and of its successors.

    Raises ``FixtureError`` for a record that violates a lifecycle or the contract.
    """
    for record in run.records:
        validate_record(fixture, record)
    for successor in run.successors:
        validate_run(fixture, successor)


def validate_record(fixture: Fixture, record: Record) -> None:
    """Validate all versions of a record. Raises ``FixtureError``."""
    type_name = record.record_type.name
    parent_field = record.record_type.parent_field
    lifecycles = fixture.definitions.lifecycles.get(type_name, ())
    last: JsonObject | None = None
    for version in record.versions:
        if version is None:
            continue
        for lifecycle in lifecycles:
            lifecycle.check(last, version)
        # Records are indexed by their parent, so they cannot change it.
        if parent_field and last and last.get(parent_field) != version.get(parent_field):
            msg = f"{parent_field} is the parent of this {type_name} and cannot change"
            raise FixtureError(msg)
        violation = fixture.check_contract(record.record_type, version)
        if violation:
            raise FixtureError(f"this {type_name} breaks the contract: {violation}")
        last = version


def patch_run(run: Run, fields: Mapping[str, Json]) -> Run:
    """Return the run with a merge patch applied to all versions of its own record."""
    own = run.records[0]
    versions = tuple(version and merge_patch(version, fields) for version in own.versions)
    return replace(run, records=(replace(own, versions=versions), *run.records[1:]))
