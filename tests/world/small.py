"""A small API of no vendor, for tests with a few lines of YAML."""

from dataclasses import replace
from functools import partial

import yaml

from soundstage.world.commands import Start
from soundstage.world.fixture import compile_fixture
from soundstage.world.ids import uuid
from soundstage.world.random import SeededRandom
from soundstage.world.record import ApiModel, RecordType
from soundstage.world.run_builder import GenerationContext, generate_run, interrupt_run
from soundstage.world.runs import Interruption
from soundstage.world.scenario import RunRequest
from soundstage.world.state import Schedule
from soundstage.world.world import World, WorldOptions
from support.strategies import NOW

VOCABULARY = ApiModel(
    record_types={
        "run": RecordType("run", "runs", "id", uuid),
        "event": RecordType("event", "events", "id", uuid, "run"),
    },
    timestamp_formats={
        "at": lambda at, _: at - NOW,
        "elapsed": lambda at, began: at - began,
    },
)

DEFAULTS = """
api: small
tasks: {task: {size: 2, color: red}, other: {size: 5, color: blue}}
defaults: {event: {run: $run.id}}
"""


def fixture_of(text):
    """Compile a fixture whose keys are added to the defaults or replace them."""
    return compile_fixture({**yaml.safe_load(DEFAULTS), **yaml.safe_load(text)}, VOCABULARY)


def world_of(text, seed=0):
    """A frozen world of this fixture."""
    return World({"small": fixture_of(text)}, WorldOptions(seed, NOW, speed=0))


def generate_from(text, scenario="story", seed=0, task="task", **names):
    """A run of the scenario that starts at NOW."""
    script = fixture_of(text).definitions
    source = GenerationContext(script, SeededRandom(seed))
    return generate_run(source, RunRequest(task, scenario, NOW, variables=names))


def run_of(steps, **more):
    """A run with these steps."""
    return generate_from(story(steps), **more)


def interrupt_after(text, run, after, ending="cancelled"):
    """The run, interrupted so long after NOW."""
    source = GenerationContext(fixture_of(text).definitions, SeededRandom(0))
    return interrupt_run(source, run, Interruption(ending, NOW + after))


def story(steps):
    """A fixture with one scenario, ``story``, as YAML."""
    scenarios = {"story": {"steps": yaml.safe_load(steps)}}
    return yaml.safe_dump({"scenarios": scenarios}, sort_keys=False)


def own_versions(run):
    """The run's versions without their id: pairs of ms since NOW, and document."""
    return versions(run.records[0])


def events(run):
    """The documents of the run's events, without ids, each with when it began."""
    return [versions(record)[-1] for record in run.records[1:]]


def versions(record):
    pairs = zip(record.timestamps, record.versions, strict=True)
    return [(at - NOW, without_ids(document)) for at, document in pairs]


def without_ids(document):
    return {k: v for k, v in document.items() if k not in {"id", "run"}}


def scheduled(text):
    """A fixture whose tasks, and whose events, may have a ``cron`` that starts runs."""
    fixture = fixture_of(text)
    return replace(fixture, schedule=Schedule(_crons, partial(_tick, fixture.api)))


def _crons(state, at):
    tasks = state.definitions.tasks.items()
    events = state.collection("events").all(at)
    nodes = [*tasks, *((event["id"], event) for event in events)]
    return {name: each["cron"] for name, each in nodes if "cron" in each}


def _tick(api, state, key, _at):
    task = key if key in state.definitions.tasks else None
    return [Start(api, task, names={"key": key})]
