"""From a scenario to a run: its whole future, drawn and written down when it starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from soundstage.types import Document, Json
from soundstage.world.chance import Chance
from soundstage.world.clock import within_years
from soundstage.world.errors import FixtureError, IllegalMove, Unknown
from soundstage.world.record import Kind, Record
from soundstage.world.scenario import RUN, Change, Script, Step, Successor
from soundstage.world.value import Value, patched, whole

LONGEST_CHAIN = 64
"""How many runs may start one another in a row."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run under way, or over: its timeline, written when it started.

    ``records[0]`` is its own record. ``names`` is what its steps were drawn with.
    """

    task: str
    scenario: str
    at: int
    records: tuple[Record, ...]
    names: Mapping[str, Json]
    successors: tuple["Run", ...]

    @property
    def id(self) -> str:
        """The identifier of its own record."""
        return self.records[0].id


@dataclass(frozen=True, slots=True)
class Cue:
    """A run to be drawn: what is known of it before any chance comes in."""

    task: str
    scenario: str
    at: int
    id: str | None = None
    names: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a run is interrupted, and the ending that it is given."""

    ending: str
    at: int


Trail: TypeAlias = dict[tuple[str, int], str]
"""Record id and instant -> the pointer of the patch that made that version."""


def drawn(
    script: Script,
    cue: Cue,
    chance: Chance,
    trail: Trail | None = None,
    chain: int = 0,
) -> Run:
    """The run, to its end. Raises ``Unknown`` and ``FixtureError``.

    A ``trail`` that is handed in is filled, for those who check fixtures.
    """
    if chain > LONGEST_CHAIN:
        msg = f"more than {LONGEST_CHAIN} runs start one another in a row"
        raise FixtureError(msg, f"/scenarios/{cue.scenario}")
    if cue.task not in script.tasks:
        raise Unknown("task", cue.task, tuple(script.tasks))
    scenario = script.scenario(cue.scenario)
    names = {**script.tasks[cue.task], **cue.names}
    drawing = _Drawing(script, chance, cue.at, names, trail)
    if cue.id is not None:
        drawing.given_id = cue.id
    drawing.draw({n: v for n, v in scenario.draw.items() if n not in cue.names})
    drawing.play(scenario.steps)
    if RUN not in drawing.drafts:
        msg = f"the scenario never makes a record of kind {RUN!r}"
        raise FixtureError(msg, f"/scenarios/{cue.scenario}")
    successors = tuple(
        drawn(script, replace(next_cue, task=cue.task), chance, trail, chain + 1)
        for next_cue in drawing.cues
    )
    return Run(
        cue.task, cue.scenario, cue.at, drawing.records(), drawing.names, successors
    )


def interrupted(
    script: Script, run: Run, cut: Cut, chance: Chance, trail: Trail | None = None
) -> Run | None:
    """The run with its future replaced by an ending; ``None`` if it had ended by then.

    Raises ``Unknown`` for an ending that is not there.
    """
    ending, at = cut.ending, cut.at
    if ending not in script.endings:
        raise Unknown("ending", ending, tuple(script.endings))
    document = run.records[0].as_of(at)
    if document is None or script.is_final(document):
        return None
    to_come = {r.name for r in run.records if r.began > at}
    names = {n: v for n, v in run.names.items() if n not in to_come}
    drawing = _Drawing(script, chance, at, names, trail)
    gone: list[Record] = []
    for record in run.records:
        past = record.until(at)
        if past and past.documents[-1] is None:
            gone.append(past)  # it was deleted: an ending has nothing to say of it
        elif past:
            drawing.resume(past)
    drawing.play(script.endings[ending])
    begun = tuple(s for s in run.successors if s.at <= at)
    records = (*drawing.records(), *gone)
    return replace(run, records=records, successors=begun)


@dataclass(slots=True)
class _Draft:
    kind: Kind
    id: str
    name: str | None
    times: list[int]
    documents: list[Document | None]

    def record(self) -> Record:
        return Record(
            self.kind, self.id, tuple(self.times), tuple(self.documents), self.name
        )


class _Drawing:
    """A run while its steps are played; what values see of it is the Scene protocol."""

    def __init__(
        self,
        script: Script,
        chance: Chance,
        at: int,
        names: Mapping[str, Json],
        trail: Trail | None,
    ) -> None:
        self.chance = chance
        self.at = at
        self.names = dict(names)
        self.given_id: str | None = None
        self.drafts: dict[str, _Draft] = {}
        self.cues: list[Cue] = []
        self._script = script
        self._trail = trail
        self._began = at

    def look_up(self, name: str) -> Json:
        head, *path = name.split(".")
        if moment := self._script.vocabulary.moments.get(head):
            return moment(self.at, self._began)
        value = self.names[head]
        for part in path:
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
                self._change(change)
            if step.start:
                self._cue(step.start)

    def _repeat(self, step: Step, times: int) -> None:
        outer = {name: self.names[name] for name in ("count",) if name in self.names}
        for count in range(1, times + 1):
            self.names["count"] = count
            self.draw(step.draw)
            self.play(step.steps)
        self.names.pop("count", None)
        self.names.update(outer)

    def _change(self, change: Change) -> None:
        draft = self.drafts.get(change.name) if change.name else None
        old = draft.documents[-1] if draft else None
        self._began = draft.times[0] if draft else self.at
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
        if draft.times[-1] == self.at:
            draft.documents[-1] = new
        else:
            draft.times.append(self.at)
            draft.documents.append(new)
        if change.name:
            self.names[change.name] = new
        if self._trail is not None:
            self._trail[draft.id, self.at] = change.pointer

    def _begin(self, change: Change) -> _Draft:
        kind = self._script.vocabulary.kinds[change.kind]
        given = self.given_id if change.kind == RUN else None
        record_id = given or kind.form(self.chance, self.at)
        start: Document = {kind.id: record_id}
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
        if scenario not in self._script.scenarios:
            known = tuple(self._script.scenarios)
            raise FixtureError(
                str(Unknown("scenario", scenario, known)), successor.pointer
            )
        self.cues.append(Cue("", scenario, self.at, names=names))
