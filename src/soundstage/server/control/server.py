"""The server itself: its health, and the contracts that it serves."""

from soundstage.apis.api import Answer, Call, Handler, NotFound
from soundstage.contract.contract import Contract
from soundstage.server.worlds import Worlds
from soundstage.world.clock import rfc3339


def handlers(hosts: Worlds, own: Contract) -> dict[str, Handler]:
    """``own`` is the control API's contract, which is served like the others."""
    contracts = {name: service.contract for name, service in hosts.services.items()}
    contracts[own.name] = own

    def get_health(call: Call) -> Answer:
        return Answer(
            {
                "status": "ok",
                "world": hosts.hosting(call.world).name,
                "now": rfc3339(call.now),
                "speed": call.world.clock.speed,
                "seed": call.world.opening.seed,
                "apis": list(hosts.services),
            }
        )

    def get_spec(call: Call) -> Answer:
        name = call.parameters["api"]
        if name not in contracts:
            raise NotFound("specs", name)
        return Answer(contracts[name].document)

    return {"getHealth": get_health, "getSpec": get_spec}
