"""``/_soundstage/``: our own API, described and served like the vendors'."""

from collections.abc import Mapping
from http import HTTPStatus

from soundstage import resources
from soundstage.apis.api import Answer, Api, ApiError, Call, Impossible, NotFound
from soundstage.apis.service import Service
from soundstage.contract.contract import load_contract
from soundstage.contract.violation import Refused, TooLarge, Unauthorized, Unrouted
from soundstage.world.clock import rfc3339
from soundstage.world.errors import WorldError
from soundstage.world.fixture import compile_fixture
from soundstage.world.log import Start
from soundstage.world.record import Vocabulary

NAME = "soundstage"
PREFIX = "/_soundstage"


def control_service(services: Mapping[str, Service]) -> Service:
    """The control API over these services."""

    def health(call: Call) -> Answer:
        return Answer(
            {
                "status": "ok",
                "now": rfc3339(call.now),
                "speed": call.world.clock.speed,
                "seed": call.world.opening.seed,
                "apis": list(services),
            }
        )

    def effective_contract(call: Call) -> Answer:
        name = call.parameters["api"]
        if name == NAME:
            return Answer(contract.document)
        if name not in services:
            raise NotFound("specs", name)
        return Answer(services[name].contract.document)

    def start_run(call: Call) -> Answer:
        wanted = call.body
        command = Start(wanted["api"], wanted.get("task"), wanted.get("scenario"))
        try:
            run = call.world.apply(command)
        except WorldError as error:
            raise Impossible(str(error)) from error
        if run is None:
            raise AssertionError("a start gives a run")
        document = run.records[0].as_of(run.at)
        body = {"id": run.id, "task": run.task, "scenario": run.scenario}
        return Answer({**body, "record": document}, 201)

    contract = load_contract(NAME, resources.specs() / NAME)
    vocabulary = Vocabulary({}, {})
    api = Api(
        name=NAME,
        title="Soundstage control",
        vocabulary=vocabulary,
        handlers={
            "getHealth": health,
            "getSpec": effective_contract,
            "startRun": start_run,
        },
        problem=problem,
    )
    return Service(api, contract, compile_fixture({"api": NAME}, vocabulary))


def problem(error: Refused | ApiError) -> Answer:
    """RFC 9457 problem details."""
    match error:
        case Unauthorized():
            status = 401
        case Unrouted(allowed=allowed):
            status = 405 if allowed else 404
        case NotFound():
            status = 404
        case TooLarge():
            status = 413
        case _:
            status = 400
    return problem_answer(status, str(error))


def problem_answer(status: int, detail: str) -> Answer:
    """A problem of the server's own."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    return Answer(body, status, "application/problem+json")
