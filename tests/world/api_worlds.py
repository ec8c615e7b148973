"""The worlds of one API, and what the laws of worlds ask about them."""

from hashlib import sha256

import orjson

from soundstage.world.clock import DAY, HOUR, MAX_TIMESTAMP, MINUTE
from soundstage.world.world import World, WorldOptions
from support.strategies import NOW, perform

INSTANTS = (
    NOW - DAY,
    NOW - HOUR,
    NOW,
    NOW + MINUTE,
    NOW + HOUR,
    NOW + DAY,
    MAX_TIMESTAMP,
)

ENDS = {
    "algolia-ingestion": {"finished", "skipped"},
    "runwisp": {"ended"},
    "trieve": {"completed", "failed", "cancelled"},
    "trigger-dev": set(
        "COMPLETED FAILED CRASHED SYSTEM_FAILURE TIMED_OUT EXPIRED CANCELED".split()
    ),
}


class ApiWorlds:
    """Creates worlds of one API, and reads their runs and records."""

    def __init__(self, fixture):
        self.fixture = fixture

    def __repr__(self):
        return self.api

    @property
    def api(self):
        return self.fixture.api

    @property
    def definitions(self):
        return self.fixture.definitions

    @property
    def endings(self):
        return list(self.definitions.endings)

    def ending(self, number):
        """The name of one of them."""
        return self.endings[number % len(self.endings)]

    def world(self, seed=0, history=()):
        """A frozen world in which this has happened."""
        world = World({self.api: self.fixture}, WorldOptions(seed, NOW, speed=0))
        perform(world, self.api, history)
        return world

    def collections(self, world):
        return world.state(self.api).collections

    def runs(self, world):
        return list(world.state(self.api).runs.values())

    def seen(self, world, *instants):
        """A digest of all documents as of each instant, in their collection's order."""
        collections = self.collections(world)
        contents = ({name: c.all(at) for name, c in collections.items()} for at in instants)
        return [sha256(orjson.dumps(each)).hexdigest() for each in contents]

    def ended(self, run, at):
        """Whether this run had ended by then; None before it began."""
        document = run.records[0].as_of(at)
        return document and document["status"] in ENDS[self.api]

    def under_way(self, world):
        """The runs that have begun and not ended, the newest first."""
        now = world.clock.now()
        return [r for r in reversed(self.runs(world)) if self.ended(r, now) is False]

    def over(self, world):
        """The runs that have ended."""
        return [r for r in self.runs(world) if self.ended(r, world.clock.now())]


def times_of(run):
    """Every instant at which something of the run changes."""
    return sorted({time for record in run.records for time in record.timestamps})
