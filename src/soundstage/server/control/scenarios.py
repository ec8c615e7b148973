"""Scenarios: list them, add some while the server runs, plan those of next runs."""

from dataclasses import asdict

from soundstage.apis.api import Handler, RequestContext, Response
from soundstage.apis.registry import validate_scenario
from soundstage.openapi.errors import DocumentError
from soundstage.server.control.runs import translate_errors
from soundstage.server.hosts import Worlds
from soundstage.server.problems import Problem
from soundstage.types import Document
from soundstage.world.commands import Define, Plan
from soundstage.world.scenario import Scenario


def handlers(_hosts: Worlds) -> dict[str, Handler]:
    """What is done to the scenarios of the world that is addressed."""
    return {
        "listScenarios": list_scenarios,
        "putScenario": put_scenario,
        "planScenario": plan_scenario,
    }


def list_scenarios(call: RequestContext) -> Response:
    """Tasks, scenarios, beginnings and endings of an API, and what is planned."""
    with translate_errors():
        state = call.world.state(call.parameters["api"])
    script = state.script
    return Response(
        {
            "tasks": list(script.tasks),
            "scenarios": [_serialize_scenario(s) for s in script.scenarios.values()],
            "beginnings": list(script.beginnings),
            "endings": list(script.endings),
            "planned": [asdict(plan) for plan in state.planned],
        }
    )


def plan_scenario(call: RequestContext) -> Response:
    """Let the next runs, of a task or of any, be of this scenario."""
    api, name = call.parameters["api"], call.parameters["name"]
    wanted = call.body or {}
    plan = Plan(api, name, wanted.get("task"), wanted.get("times", 1))
    with translate_errors():
        call.world.apply(plan)
        state = call.world.state(api)
    return Response({"planned": [asdict(plan) for plan in state.planned]})


def put_scenario(call: RequestContext) -> Response:
    """Add a scenario that was checked as those of a fixture are."""
    api, name = call.parameters["api"], call.parameters["name"]
    with translate_errors():
        state = call.world.state(api)
    try:
        node = validate_scenario(name, call.body, state.fixture, state.script)
    except DocumentError as error:
        raise Problem(409, str(error)) from error
    with translate_errors():
        call.world.apply(Define(api, name, node))
        script = call.world.state(api).script
    return Response(_serialize_scenario(script.scenario(name)))


def _serialize_scenario(scenario: Scenario) -> Document:
    return {
        "name": scenario.name,
        "about": scenario.about,
        "weight": scenario.weight,
    }
