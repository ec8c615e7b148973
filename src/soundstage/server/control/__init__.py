"""``/_soundstage/``: our own API, described and served like the vendors'.

One module per kind of thing, each with the handlers of its operations.
"""

from soundstage import vendored_files
from soundstage.apis.api import Api
from soundstage.apis.registry import Service
from soundstage.openapi.contract import load_contract
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
from soundstage.server.hosts import Worlds
from soundstage.server.problems import render_error
from soundstage.world.fixture import compile_fixture
from soundstage.world.record import Vocabulary

CONTROL_API = "soundstage"
CONTROL_PREFIX = "_soundstage"


def control_service(hosts: Worlds) -> Service:
    """The control API over these worlds."""
    contract = load_contract(CONTROL_API, vendored_files.specs() / CONTROL_API)
    vocabulary = Vocabulary({}, {})
    handlers = server_handlers(hosts, contract)
    for module in (worlds, clock, runs, records, scenarios, faults, journal, log):
        handlers |= module.handlers(hosts)
    api = Api(
        name=CONTROL_API,
        title="Soundstage control",
        model=vocabulary,
        handlers=handlers,
        render_error=render_error,
    )
    return Service(api, contract, compile_fixture({"api": CONTROL_API}, vocabulary))
