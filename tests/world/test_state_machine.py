"""One world with every API, in which anything may happen: its laws hold after each."""

from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from typing import ClassVar

import orjson
import yaml
from api_worlds import times_of
from counters import COUNTERS
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from soundstage import vendored_files
from soundstage.world.clock import MAX_TIMESTAMP
from soundstage.world.commands import Advance, Define, Delete, Patch, Put, Reset
from soundstage.world.errors import FixtureError, UnknownName
from soundstage.world.world import World, WorldOptions
from support.effort import examples
from support.strategies import (
    NOW,
    Onward,
    chosen,
    command,
    edits,
    few,
    moves,
    seeds,
    spans,
)

EDITS = Put | Patch | Delete


class Life(RuleBasedStateMachine):
    """What a world has been through, and what was seen of it."""

    fixtures: ClassVar = {}
    scenarios: ClassVar = {}

    @initialize(seed=seeds)
    def begin(self, seed):
        self.seed = seed
        self.world = World(self.fixtures, WorldOptions(seed, NOW, speed=0))
        self.forget()

    def forget(self):
        self.edited = set()
        self.past = None
        self.checked = {}

    def apply(self, command):
        """Carry it out, if it may be."""
        self.past = self.world.now() - 1, seen(self.world, self.world.now() - 1)
        with suppress(FixtureError, UnknownName):
            self.world.apply(command)
            if isinstance(command, EDITS):
                self.edited.add((command.api, command.id))

    @rule(api=few, move=moves)
    def happen(self, api, move):
        self.apply(command(self.world, chosen(self.fixtures, api), move))

    @rule(api=few, change=st.integers(0, 12))
    def go_on(self, api, change):
        self.happen(api, Onward(change))

    @rule(api=few, edit=edits)
    def edit(self, api, edit):
        self.happen(api, edit)

    @rule(api=few, scenario=few, name=few)
    def define(self, api, scenario, name):
        api = chosen(self.fixtures, api)
        node = chosen(self.scenarios[api].values(), scenario)
        self.apply(Define(api, f"new_{name % 3}", node))

    @rule(first=spans, second=spans)
    def advance_in_two(self, first, second):
        other = self.again()
        self.apply(Advance(first + second))
        other.apply(Advance(first))
        other.apply(Advance(second))
        assert seen(other, MAX_TIMESTAMP) == seen(self.world, MAX_TIMESTAMP)

    @rule()
    def travel(self):
        written = orjson.dumps(self.world.to_json())
        self.world = World.from_json(self.fixtures, orjson.loads(written))
        assert orjson.dumps(self.world.to_json()) == written

    @rule()
    @precondition(lambda self: len(self.world.log) > 5)
    def reset(self):
        self.world.apply(Reset())
        self.forget()
        other = World(self.fixtures, WorldOptions(self.seed, NOW, speed=0))
        assert seen(self.world, MAX_TIMESTAMP) == seen(other, MAX_TIMESTAMP)

    def again(self):
        other = World(self.fixtures, WorldOptions(self.seed, NOW, speed=0))
        other.replay(self.world.log)
        return other

    @invariant()
    def the_past_is_never_rewritten(self):
        if self.past:
            at, digest = self.past
            assert seen(self.world, at) == digest

    @invariant()
    def every_record_satisfies_its_contract(self):
        for record in self.news("records", records(self.world)):
            validate = self.fixtures[self.api_of(record)].check_contract
            assert not any(validate(record.record_type, d) for d in record.versions if d)

    @invariant()
    def every_counter_is_right(self):
        for api, state in states(self.world):
            for run in self.news(api, state.runs.values()):
                if any((api, record.id) in self.edited for record in run.records):
                    continue
                own, *others = run.records
                for at in times_of(run):
                    there = [d for r in others if (d := r.as_of(at))]
                    pairs = COUNTERS[api](own.as_of(at), there)
                    assert all(shown == counted for shown, counted in pairs)

    def news(self, what, those):
        """Those that were not there when this was asked last."""
        known = self.checked.get(what, {})
        self.checked[what] = {id(each): each for each in those}
        return [each for key, each in self.checked[what].items() if key not in known]

    def api_of(self, record):
        kinds = {
            id(kind): api
            for api, fixture in self.fixtures.items()
            for kind in fixture.definitions.model.record_types.values()
        }
        return kinds[id(record.record_type)]

    def teardown(self):
        if hasattr(self, "world"):
            again = self.again()
            assert seen(again, MAX_TIMESTAMP) == seen(self.world, MAX_TIMESTAMP)
            assert seen(again, self.world.now()) == seen(self.world, self.world.now())


def states(world):
    return [(api, world.state(api)) for api in world.fixtures]


def records(world):
    for _, state in states(world):
        for collection in state.collections.values():
            yield from collection


def seen(world, at):
    """A digest of all documents as of then."""
    contents = [
        {name: collection.all(at) for name, collection in state.collections.items()}
        for _, state in states(world)
    ]
    return sha256(orjson.dumps(contents)).hexdigest()


def test_the_laws_of_a_world_hold_after_any_commands(services):
    Life.fixtures = {
        name: replace(service.fixture, history=service.fixture.history[:2])
        for name, service in services.items()
    }
    Life.scenarios = {name: scenarios_of(name) for name in services}
    bounds = examples(30, stateful_step_count=20, deadline=None)
    run_state_machine_as_test(Life, settings=bounds)


def scenarios_of(api):
    text = (vendored_files.fixtures() / f"{api}.yaml").read_text()
    return yaml.safe_load(text)["scenarios"]
