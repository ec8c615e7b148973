"""``/_soundstage/``: our own API, described and served like the vendors'.

One module per kind of thing, each with the handlers of its operations.
"""

from soundstage import resources
from soundstage.apis.api import Api
from soundstage.apis.service import Service
from soundstage.contract.contract import load_contract
from soundstage.server.control import (
    clock,
    faults,
    journal,
    log,
    records,
    runs,
    scenarios,
    worlds,
)
from soundstage.server.control.server import handlers as server_handlers
from soundstage.server.problems import problem
from soundstage.server.worlds import Worlds
from soundstage.world.fixture import compile_fixture
from soundstage.world.record import Vocabulary

NAME = "soundstage"
PREFIX = "_soundstage"


def control_service(hosts: Worlds) -> Service:
    """The control API over these worlds."""
    contract = load_contract(NAME, resources.specs() / NAME)
    vocabulary = Vocabulary({}, {})
    handlers = server_handlers(hosts, contract)
    for module in (worlds, clock, runs, records, scenarios, faults, journal, log):
        handlers |= module.handlers(hosts)
    api = Api(
        name=NAME,
        title="Soundstage control",
        vocabulary=vocabulary,
        handlers=handlers,
        problem=problem,
    )
    return Service(api, contract, compile_fixture({"api": NAME}, vocabulary))
