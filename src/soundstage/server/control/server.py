"""The server itself: its health, and the contracts that it serves."""

from soundstage.apis.api import Handler, NotFound, RequestContext, Response
from soundstage.openapi.contract import Contract
from soundstage.server.hosts import Worlds
from soundstage.world.clock import format_rfc3339


def build_server_handlers(worlds: Worlds, control_contract: Contract) -> dict[str, Handler]:
    """Return the handlers of the server; the control API's contract is served too."""
    contracts = {name: service.contract for name, service in worlds.services.items()}
    contracts[control_contract.name] = control_contract

    def get_health(context: RequestContext) -> Response:
        return Response(
            {
                "status": "ok",
                "world": worlds.host_of(context.world).name,
                "now": format_rfc3339(context.now),
                "speed": context.world.clock.speed,
                "seed": context.world.options.seed,
                "apis": list(worlds.services),
            }
        )

    def get_spec(context: RequestContext) -> Response:
        name = context.parameters["api"]
        if name not in contracts:
            raise NotFound("specs", name)
        return Response(contracts[name].document)

    return {"getHealth": get_health, "getSpec": get_spec}
