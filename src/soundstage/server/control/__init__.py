"""The control API at ``/_soundstage/``: described and served like the vendors' APIs.

One module for each resource; ``build_handlers`` returns the handlers of its operations.
"""

from soundstage import vendored_files
from soundstage.apis.api import Api
from soundstage.apis.registry import Service
from soundstage.openapi.contract import load_contract
from soundstage.server.control import clock, faults, journal, log, records, runs, scenarios
from soundstage.server.control import worlds as world_resources
from soundstage.server.control.server import build_server_handlers
from soundstage.server.hosts import Worlds
from soundstage.server.problems import render_error
from soundstage.world.fixture import compile_fixture
from soundstage.world.record import ApiModel

CONTROL_API = "soundstage"
CONTROL_PREFIX = "_soundstage"
"""First segment of the paths of the control API."""

_MODULES = (world_resources, clock, runs, records, scenarios, faults, journal, log)


def control_service(worlds: Worlds) -> Service:
    """Build the control API of these worlds."""
    contract = load_contract(CONTROL_API, vendored_files.specs() / CONTROL_API)
    vocabulary = ApiModel({}, {})
    handlers = build_server_handlers(worlds, contract)
    for module in _MODULES:
        handlers |= module.build_handlers(worlds)
    api = Api(
        name=CONTROL_API,
        title="Soundstage control",
        model=vocabulary,
        handlers=handlers,
        render_error=render_error,
    )
    return Service(api, contract, compile_fixture({"api": CONTROL_API}, vocabulary))
