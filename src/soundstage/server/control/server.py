"""The server itself: its health, and the contracts that it serves."""

from soundstage.apis.api import Handler, NotFound, RequestContext, Response
from soundstage.openapi.contract import Contract
from soundstage.server.hosts import Worlds
from soundstage.world.clock import rfc3339


def handlers(worlds: Worlds, control_contract: Contract) -> dict[str, Handler]:
    """``own`` is the control API's contract, which is served like the others."""
    contracts = {name: service.contract for name, service in worlds.services.items()}
    contracts[control_contract.name] = control_contract

    def get_health(call: RequestContext) -> Response:
        return Response(
            {
                "status": "ok",
                "world": worlds.host_of(call.world).name,
                "now": rfc3339(call.now),
                "speed": call.world.clock.speed,
                "seed": call.world.opening.seed,
                "apis": list(worlds.services),
            }
        )

    def get_spec(call: RequestContext) -> Response:
        name = call.parameters["api"]
        if name not in contracts:
            raise NotFound("specs", name)
        return Response(contracts[name].document)

    return {"getHealth": get_health, "getSpec": get_spec}
