"""A run while its steps are played: its names, records, and the runs it starts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from soundstage.types import Json, JsonObject
from soundstage.world.clock import within_years
from soundstage.world.errors import FixtureError, IllegalMove, Unknown
from soundstage.world.random import Chance
from soundstage.world.record import ALWAYS, Kind, Record
from soundstage.world.scenario import (
    RUN,
    Change,
    Cue,
    Passage,
    Planned,
    Scenario,
    Script,
    Step,
    Successor,
)
from soundstage.world.values import Value, patched, whole

LONGEST_CHAIN = 64
"""How many runs may start one another in a row, and scenarios play one another."""

Trail: TypeAlias = dict[tuple[str, int], str]
"""Record id and instant -> the pointer of the patch that made that version."""


@dataclass(slots=True)
class Source:
    """What runs are drawn from. What is drawn as planned is taken out of ``planned``.

    A ``trail`` that is handed in is filled, for those who check fixtures. ``aside``
    are the draws of records that nothing else depends on, where they have their own;
    an ``outline`` leaves them out. ``until`` is the last instant that was played.
    """

    script: Script
    chance: Chance
    planned: list[Planned] = field(default_factory=list)
    trail: Trail | None = None
    aside: Chance | None = None
    outline: bool = False
    until: int = ALWAYS

    def scenario_of(self, task: str) -> str:
        """How a run unfolds that names no scenario: planned, the task's, any."""
        for i, plan in enumerate(self.planned):
            if plan.task in {None, task}:
                left = replace(plan, times=plan.times - 1)
                self.planned[i : i + 1] = [left] if left.times else []
                return plan.scenario
        chosen = self.script.task(task).get("scenario")
        return str(chosen or self.script.any_scenario(self.chance))


@dataclass(slots=True)
class _Draft:
    kind: Kind
    id: str
    name: str | None
    times: list[int]
    documents: list[JsonObject | None]

    def record(self) -> Record:
        return Record(
            self.kind, self.id, tuple(self.times), tuple(self.documents), self.name
        )


class Drawing:
    """A run while its steps are played; what values see of it is the Scene protocol."""

    def __init__(
        self,
        source: Source,
        at: int,
        names: Mapping[str, Json],
        given: Collection[str],
    ) -> None:
        self.chance = source.chance
        self.at = at
        self.names = dict(names)
        self.given_id: str | None = None
        self.drafts: dict[str, _Draft] = {}
        self.cues: list[Cue] = []
        self._given = given
        self._source = source
        self._script = source.script
        self._moments = source.script.vocabulary.moments
        self._aside = self._kinds_aside()
        self._began = at
        self._depth = 0

    def look_up(self, name: str) -> Json:
        head, _, path = name.partition(".")
        if moment := self._moments.get(head):
            return moment(self.at, self._began)
        value = self.names[head]
        for part in path.split(".") if path else ():
            if not isinstance(value, dict):
                raise KeyError(name)
            value = value[part]
        return value

    def records(self) -> tuple[Record, ...]:
        """The run's own record first, then the others as they began."""
        run = self.drafts[RUN]
        return (
            run.record(),
            *(draft.record() for draft in self.drafts.values() if draft is not run),
        )

    def resume(self, record: Record) -> None:
        """Go on with a record that an earlier drawing made."""
        draft = _Draft(
            record.kind,
            record.id,
            record.name,
            list(record.times),
            list(record.documents),
        )
        self._keep(draft, record.name)

    def draw_missing(self, values: Mapping[str, Value]) -> None:
        """Draw what nobody has given."""
        self.draw({n: v for n, v in values.items() if n not in self._given})

    def pass_through(self, passage: Passage) -> None:
        """Play a beginning or an ending."""
        self.draw_missing(passage.draw)
        self.play(passage.steps)

    def draw(self, values: Mapping[str, Value]) -> None:
        for name, value in values.items():
            self.names[name] = value(self, None)

    def play(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            if step.after:
                self.at = within_years(self.at + step.after(self, None))
            if step.repeat:
                self._repeat(step, whole(step.repeat(self, None), step.pointer))
            else:
                self.draw(step.draw)
            for change in step.changes:
                if change.name is None and change.kind in self._aside:
                    self._change_aside(change)
                else:
                    self._change(change)
            if step.play:
                self._play(str(step.play(self, None)), step.pointer)
            if step.start:
                self._cue(step.start)

    def _play(self, name: str, pointer: str) -> None:
        """Go on with the steps of a scenario."""
        if self._depth == LONGEST_CHAIN:
            msg = f"more than {LONGEST_CHAIN} scenarios play one another"
            raise FixtureError(msg, f"{pointer}/play")
        scenario = self._known(name, f"{pointer}/play")
        self._depth += 1
        self.draw_missing(scenario.draw)
        self.play(scenario.steps)
        self._depth -= 1

    def _repeat(self, step: Step, times: int) -> None:
        outer = {name: self.names[name] for name in ("count",) if name in self.names}
        for count in range(1, times + 1):
            self.names["count"] = count
            self.draw(step.draw)
            self.play(step.steps)
        self.names.pop("count", None)
        self.names.update(outer)

    def _kinds_aside(self) -> frozenset[str]:
        """What nothing else depends on, unless it has a name; it may be drawn later."""
        if self._source.aside is None and not self._source.outline:
            return frozenset()
        kinds = self._script.vocabulary.kinds
        return frozenset(name for name, kind in kinds.items() if kind.of_run)

    def _change_aside(self, change: Change) -> None:
        if self._source.aside is None:
            return
        before = self.chance, self._began
        self.chance = self._source.aside
        self._change(change)
        self.chance, self._began = before

    def _change(self, change: Change) -> None:
        draft = self.drafts.get(change.name) if change.name else None
        old = draft.documents[-1] if draft else None
        self._began = draft.times[0] if draft else self.at
        fresh = draft is None
        if draft is None:
            draft = self._begin(change)
        try:
            new = patched(draft.documents[-1] or {}, change.patch, self)
            for lifecycle in self._script.lifecycles.get(change.kind, ()):
                lifecycle.check(old, new)
        except IllegalMove as error:
            raise IllegalMove(error.message, change.pointer) from None
        except (TypeError, AttributeError) as error:
            msg = f"a value does not fit here: {error}"
            raise FixtureError(msg, change.pointer) from error
        if fresh:
            draft.id = str(new.get(draft.kind.id, draft.id))  # a step may say it
        if draft.times[-1] == self.at:
            draft.documents[-1] = new
        else:
            draft.times.append(self.at)
            draft.documents.append(new)
        if change.name:
            self.names[change.name] = new
        if self._source.trail is not None:
            self._source.trail[draft.id, self.at] = change.pointer

    def _begin(self, change: Change) -> _Draft:
        kind = self._script.vocabulary.kinds[change.kind]
        given = self.given_id if change.kind == RUN else None
        record_id = given or kind.form(self.chance, self.at)
        start: JsonObject = {kind.id: record_id}
        if change.name:
            self.names[change.name] = start
        if defaults := self._script.defaults.get(change.kind):
            start = patched(start, defaults, self)
        draft = _Draft(kind, record_id, change.name, [self.at], [start])
        self._keep(draft, change.name)
        return draft

    def _keep(self, draft: _Draft, name: str | None) -> None:
        self.drafts[name or f"#{len(self.drafts)}"] = draft
        if name:
            self.names[name] = draft.documents[-1]

    def _cue(self, successor: Successor) -> None:
        scenario = str(successor.scenario(self, None))
        names = {name: value(self, None) for name, value in successor.names.items()}
        self._known(scenario, successor.pointer)
        self.cues.append(Cue("", scenario, self.at, names=names))

    def _known(self, name: str, pointer: str) -> Scenario:
        try:
            return self._script.scenario(name)
        except Unknown as error:
            raise FixtureError(str(error), pointer) from error
