"""A change of a record, taken apart by the moments that it tells."""

from dataclasses import dataclass, field

from soundstage.tools.recorder.bridge import bridge, opened, stop
from soundstage.tools.recorder.custom import Custom
from soundstage.tools.recorder.patch import joined
from soundstage.types import Document, Json
from soundstage.world.lifecycle import Lifecycle
from soundstage.world.record import Kind


@dataclass(slots=True)
class Stage:
    """What changes at one instant; ``dates`` are the fields that tell the instant."""

    at: int
    patch: Document = field(default_factory=dict)
    firm: bool = True
    dates: frozenset[str] = frozenset()


class Staging:
    """Says at which of several instants a record came to which state.

    A fixture knows that a run is given ``startedAt`` when it comes to be ``started``.
    ``guessed`` collects states of which nothing tells when they came about.
    """

    def __init__(self, custom: Custom) -> None:
        self.guessed: dict[str, None] = {}
        self._custom = custom

    def staged(
        self, kind: Kind, old: Document | None, stages: list[Stage], rest: Document
    ) -> list[Stage]:
        """The stages with the rest of the change, states and what lies between them.

        Without an ``old`` document the first stage is the record's beginning.
        """
        home, result = stages[-1], stages
        for lifecycle in self._custom.lifecycles(kind):
            name = lifecycle.field
            if name not in rest:
                continue
            new = rest.pop(name)
            home = self._home(kind, lifecycle, new, stages, new_born=old is None)
            before = old.get(name) if old else None
            result = self._advanced(kind, lifecycle, (before, new), result, home)
        home.patch = joined(home.patch, rest)
        return result

    def _home(
        self,
        kind: Kind,
        lifecycle: Lifecycle,
        new: Json,
        stages: list[Stage],
        *,
        new_born: bool,
    ) -> Stage:
        """The stage at which the last state came about: what it tells fits best."""
        found = stages[1:] if new_born and len(stages) > 1 else stages
        fits = [(self._states(kind, lifecycle, stage), stage) for stage in found]
        fitting = [(states, stage) for states, stage in fits if new in states]
        if new_born and new in lifecycle.begins:
            fitting = [fit for fit in fitting if _is_telling(lifecycle, fit[0])]
            found = stages if fitting else stages[:1]
        if not fitting:
            return found[-1]
        least = min(len(states) for states, _ in fitting)
        return [stage for states, stage in fitting if len(states) == least][-1]

    def _states(
        self, kind: Kind, lifecycle: Lifecycle, stage: Stage
    ) -> frozenset[Json]:
        """The states that a record may come to when it is given these moments."""
        learned = self._custom.states(kind, lifecycle.field)
        known = [learned[name] for name in stage.dates if name in learned]
        return frozenset.intersection(*map(frozenset, known)) if known else frozenset()

    def _advanced(
        self,
        kind: Kind,
        lifecycle: Lifecycle,
        way: tuple[Json, Json],
        stages: list[Stage],
        home: Stage,
    ) -> list[Stage]:
        """The stages, each with the state that it brings about."""
        present = way[0]
        result: list[Stage] = []
        reached = self._reached(kind, lifecycle, way, stages, home)
        if present is None:
            first = next(state for state in reached if state is not None)
            born = stages[0] is home
            opening = [first] if born else opened(lifecycle, first)
            present = reached[0] = opening[0]
            stages[0].patch[lifecycle.field] = present
        for stage, state in zip(stages, reached, strict=True):
            if state not in {None, present}:
                between = bridge(lifecycle, present, state) or [state]
                result += self._between(lifecycle, between[:-1], stage)
                stage.patch = {lifecycle.field: state, **stage.patch}
                present = state
            result.append(stage)
        return result

    def _reached(
        self,
        kind: Kind,
        lifecycle: Lifecycle,
        way: tuple[Json, Json],
        stages: list[Stage],
        home: Stage,
    ) -> list[Json]:
        """The state that each stage tells of; None for no other one."""
        present, new = way
        reached: list[Json] = []
        for i, stage in enumerate(stages):
            state = None
            if stage is home:
                state = new
            elif new not in reached and (i or present is not None):
                fit = self._states(kind, lifecycle, stage)
                state = stop(lifecycle, present, new, fit)
            present = present if state is None else state
            reached.append(state)
        return reached

    def _between(
        self, lifecycle: Lifecycle, states: list[Json], stage: Stage
    ) -> list[Stage]:
        """States that came about at an instant that nothing tells."""
        name = lifecycle.field
        for state in states:
            self.guessed[f"when {name} came to be {state!r} is not known"] = None
        return [Stage(stage.at, {name: state}, stage.firm) for state in states]


def _is_telling(lifecycle: Lifecycle, states: frozenset[Json]) -> bool:
    """Whether a moment is that of one state, or of the end."""
    return len(states) == 1 or not any(lifecycle.moves.get(state) for state in states)
