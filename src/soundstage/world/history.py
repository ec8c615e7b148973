"""What happened before a world began: drawn at once, or when somebody looks at it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import pairwise

from soundstage.world.clock import DAY, within_years
from soundstage.world.collection import Collection
from soundstage.world.errors import FixtureError
from soundstage.world.fixture import Fixture, Past
from soundstage.world.random import Seeded
from soundstage.world.run_builder import Source
from soundstage.world.run_summaries import Outline, Series, cue_of, family_of
from soundstage.world.runs import Run, drawn
from soundstage.world.scenario import Script, Step
from soundstage.world.scheduler import next_at
from soundstage.world.state import State
from soundstage.world.values import Bare

LEAST_GAP = 1_000
"""The least ms between two runs of one history entry, so that it ends."""


@lru_cache(maxsize=64)
def beginning(
    fixture: Fixture, seed: int, origin: int, *, whole: bool = False
) -> "Beginning":
    """How all worlds of this seed and origin begin.

    Where it is ``whole``, nothing is left to be drawn later: for worlds in which
    history is not over yet.
    """
    return Beginning(fixture, seed, origin, whole=whole)


class Beginning:
    """What the fixture alone makes; ``runs`` of it are drawn one by one.

    Such a run costs O(its steps), and what is kept of it does not grow with them.
    """

    def __init__(
        self, fixture: Fixture, seed: int, origin: int, *, whole: bool
    ) -> None:
        self.runs = sum(past.runs or 0 for past in fixture.history)
        self._whole = whole
        self._state = State(fixture)
        for record in fixture.records:
            self._state.collections[record.kind.collection].add(record)
        self._rest: Iterator[int] | None = self._draw(seed, origin)

    @property
    def script(self) -> Script:
        """What its runs are drawn from."""
        return self._state.script

    def collection(self, name: str) -> Collection:
        """The records of one kind, to be read; drawn first if runs make such records.

        Raises ``Unknown``.
        """
        state = self.state() if name in self._made else self._state
        return state.collection(name)

    @cached_property
    def _made(self) -> frozenset[str]:
        """The collections that the steps of any run add to."""
        script = self.script
        plays = (script.scenarios, script.beginnings, script.endings)
        steps = (
            step for named in plays for play in named.values() for step in play.steps
        )
        kinds = script.vocabulary.kinds
        return frozenset(kinds[kind].collection for kind in _kinds(steps))

    def state(self) -> State:
        """All of it; shared, so copy it before it changes."""
        for _ in self.drawing():
            pass
        return self._state

    def drawing(self) -> Iterator[int]:
        """Draw what is not drawn yet; tells now and then how many runs there are."""
        if self._rest is not None:
            yield from self._rest
            self._rest = None

    def _draw(self, seed: int, origin: int) -> Iterator[int]:
        state, fixture = self._state, self._state.fixture
        done = 0
        for i, past in enumerate(fixture.history):
            if past.runs is None:
                for run in _history(
                    fixture, past, Seeded(seed, fixture.api, i), origin
                ):
                    state.add(run)
                continue
            series = Series(state.script, past, (seed, fixture.api, i), origin)
            for number in range(past.runs):
                self._add(series, number)
                done += 1
                if done % OFTEN == 0:
                    yield done

    def _add(self, series: Series, number: int) -> None:
        """Add a run, or what has to be known of it if it is over."""
        if not self._whole:
            run, until = series.run(number, outline=True)
            if until <= series.end and all(map(self._is_over, family_of(run))):
                for each in family_of(run):
                    own = each.records[0]
                    self._state.keep(each, Outline(each.at, own, series, number))
                return
        run, _ = series.run(number, outline=False)
        self._state.add(run)

    def _is_over(self, run: Run) -> bool:
        own = run.records[0]
        last = own.last
        return (
            last is not None
            and self._state.script.is_final(last)
            and last.get(own.kind.parent or "") == own.parent
        )


def _kinds(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        yield from (change.kind for change in step.changes)
        yield from _kinds(step.steps)


OFTEN = 200
"""So many runs are drawn between two words about how far it is."""


def _history(
    fixture: Fixture, past: Past, chance: Seeded, origin: int
) -> Iterator[Run]:
    for at in sorted(_instants(past, Bare(chance, origin))):
        cue = cue_of(fixture.script, past, chance, at)
        yield drawn(Source(fixture.script, chance), cue)


def _instants(past: Past, scene: Bare) -> Iterator[int]:
    origin = scene.at
    if past.ago:
        yield within_years(origin - past.ago(scene, None))
    start = within_years(origin - past.span(scene, None)) if past.span else origin
    if past.cron:
        tick = next_at(past.cron, start - 1)
        while tick is not None and tick < origin:
            yield tick
            tick = next_at(past.cron, tick)
    if past.every:
        at = start
        while at < origin:
            yield at
            at += max(past.every(scene, None), LEAST_GAP)


def lengthened(fixture: Fixture, runs: int) -> Fixture:
    """The fixture with so many runs more, of the tasks that its history repeats.

    Raises ``FixtureError`` where it repeats none.
    """
    regular = [past for past in fixture.history if past.every or past.cron]
    if not regular:
        raise FixtureError("it repeats no task, so there is none to add runs of")
    ends = [runs * i // len(regular) for i in range(len(regular) + 1)]
    more = (
        replace(past, runs=last - first, every=None, cron=None, span=lambda *_: SPAN)
        for past, (first, last) in zip(regular, pairwise(ends), strict=True)
        if last > first
    )
    return replace(fixture, history=(*fixture.history, *more))


SPAN = 30 * DAY
"""How far the runs go back that are added to a fixture."""
