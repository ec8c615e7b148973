"""``soundstage apis``: operations, scenarios, tasks and record types of the APIs."""

from collections.abc import Mapping

from soundstage.apis.registry import Service
from soundstage.types import JsonObject


def describe_apis(services: Mapping[str, Service]) -> JsonObject:
    """Return API name -> its operations, tasks, scenarios and record types."""
    return {name: _describe_service(service) for name, service in services.items()}


def _describe_service(service: Service) -> JsonObject:
    definitions = service.fixture.definitions
    scenarios = definitions.scenarios.items()
    return {
        "title": service.api.title,
        "operations": {
            operation.id: f"{operation.method} {operation.path}"
            for operation in service.contract.operations.values()
        },
        "tasks": list(definitions.tasks),
        "scenarios": {name: scenario.about for name, scenario in scenarios},
        "beginnings": list(definitions.beginnings),
        "endings": list(definitions.endings),
        "kinds": list(definitions.model.record_types),
        "moments": [f"${name}" for name in definitions.model.timestamp_formats],
    }


def format_listing(apis: JsonObject) -> str:
    """Format the result of ``describe_apis`` as text."""
    lines: list[str] = []
    for name, api in apis.items():
        lines += [f"{name}  ({api['title']})", "  operations"]
        lines += [f"    {id_:20} {route}" for id_, route in api["operations"].items()]
        lines.append("  scenarios")
        lines += [f"    {id_:20} {about}" for id_, about in api["scenarios"].items()]
        for key in ("tasks", "beginnings", "endings", "kinds", "moments"):
            lines.append(f"  {key:12} {', '.join(api[key])}")
        lines.append("")
    return "\n".join(lines).rstrip()
