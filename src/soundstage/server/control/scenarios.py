"""Control of scenarios: list them, add one at run time, queue one for the next runs."""

from dataclasses import asdict

from soundstage.apis.api import Handler, RequestContext, Response
from soundstage.apis.registry import validate_scenario
from soundstage.openapi.errors import DocumentError
from soundstage.server.control.runs import translate_errors
from soundstage.server.hosts import Worlds
from soundstage.server.problems import Problem
from soundstage.types import JsonObject
from soundstage.world.commands import Define, Plan
from soundstage.world.scenario import Scenario


def build_handlers(_worlds: Worlds) -> dict[str, Handler]:
    """Return the handlers of scenarios."""
    return {
        "listScenarios": list_scenarios,
        "putScenario": put_scenario,
        "planScenario": plan_scenario,
    }


def list_scenarios(context: RequestContext) -> Response:
    """List an API's tasks, scenarios, beginnings, endings and queued scenarios."""
    with translate_errors():
        state = context.world.state(context.parameters["api"])
    script = state.definitions
    return Response(
        {
            "tasks": list(script.tasks),
            "scenarios": [_serialize_scenario(s) for s in script.scenarios.values()],
            "beginnings": list(script.beginnings),
            "endings": list(script.endings),
            "planned": [asdict(plan) for plan in state.queued_scenarios],
        }
    )


def plan_scenario(context: RequestContext) -> Response:
    """Queue a scenario for the next runs, of one task or of any."""
    api, name = context.parameters["api"], context.parameters["name"]
    body = context.body or {}
    plan = Plan(api, name, body.get("task"), body.get("times", 1))
    with translate_errors():
        context.world.apply(plan)
        state = context.world.state(api)
    return Response({"planned": [asdict(plan) for plan in state.queued_scenarios]})


def put_scenario(context: RequestContext) -> Response:
    """Add a scenario, validated like those of a fixture."""
    api, name = context.parameters["api"], context.parameters["name"]
    with translate_errors():
        state = context.world.state(api)
    try:
        node = validate_scenario(name, context.body, state.fixture, state.definitions)
    except DocumentError as error:
        raise Problem(409, str(error)) from error
    with translate_errors():
        context.world.apply(Define(api, name, node))
        script = context.world.state(api).definitions
    return Response(_serialize_scenario(script.scenario(name)))


def _serialize_scenario(scenario: Scenario) -> JsonObject:
    return {"name": scenario.name, "about": scenario.about, "weight": scenario.weight}
