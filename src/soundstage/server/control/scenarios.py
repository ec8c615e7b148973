"""Scenarios: list them, add some while the server runs, plan those of next runs."""

from dataclasses import asdict

from soundstage.apis.api import Answer, Call, Handler
from soundstage.apis.service import checked_scenario
from soundstage.contract.violation import DocumentError
from soundstage.server.control.runs import worded
from soundstage.server.problems import Problem
from soundstage.server.worlds import Worlds
from soundstage.types import Document
from soundstage.world.log import Define, Plan
from soundstage.world.scenario import Scenario


def handlers(_hosts: Worlds) -> dict[str, Handler]:
    """What is done to the scenarios of the world that is addressed."""
    return {
        "listScenarios": list_scenarios,
        "putScenario": put_scenario,
        "planScenario": plan_scenario,
    }


def list_scenarios(call: Call) -> Answer:
    """Tasks, scenarios, beginnings and endings of an API, and what is planned."""
    with worded():
        state = call.world.state(call.parameters["api"])
    script = state.script
    return Answer(
        {
            "tasks": list(script.tasks),
            "scenarios": [_as_json(s) for s in script.scenarios.values()],
            "beginnings": list(script.beginnings),
            "endings": list(script.endings),
            "planned": [asdict(plan) for plan in state.planned],
        }
    )


def plan_scenario(call: Call) -> Answer:
    """Let the next runs, of a task or of any, be of this scenario."""
    api, name = call.parameters["api"], call.parameters["name"]
    wanted = call.body or {}
    plan = Plan(api, name, wanted.get("task"), wanted.get("times", 1))
    with worded():
        call.world.apply(plan)
        state = call.world.state(api)
    return Answer({"planned": [asdict(plan) for plan in state.planned]})


def put_scenario(call: Call) -> Answer:
    """Add a scenario that was checked as those of a fixture are."""
    api, name = call.parameters["api"], call.parameters["name"]
    with worded():
        state = call.world.state(api)
    try:
        node = checked_scenario(name, call.body, state.fixture, state.script)
    except DocumentError as error:
        raise Problem(409, str(error)) from error
    with worded():
        call.world.apply(Define(api, name, node))
        script = call.world.state(api).script
    return Answer(_as_json(script.scenario(name)))


def _as_json(scenario: Scenario) -> Document:
    return {
        "name": scenario.name,
        "about": scenario.about,
        "weight": scenario.weight,
    }
