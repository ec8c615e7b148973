"""``soundstage apis``: what there is to call, and what can happen."""

from collections.abc import Mapping

from soundstage.apis.registry import Service
from soundstage.types import JsonObject


def describe_apis(services: Mapping[str, Service]) -> JsonObject:
    """Every API with its operations, tasks, scenarios and kinds of record."""
    return {name: _describe_service(service) for name, service in services.items()}


def _describe_service(service: Service) -> JsonObject:
    script = service.fixture.definitions
    return {
        "title": service.api.title,
        "operations": {
            operation.id: f"{operation.method} {operation.path}"
            for operation in service.contract.operations.values()
        },
        "tasks": list(script.tasks),
        "scenarios": {name: s.about for name, s in script.scenarios.items()},
        "beginnings": list(script.beginnings),
        "endings": list(script.endings),
        "kinds": list(script.model.record_types),
        "moments": [f"${name}" for name in script.model.timestamp_formats],
    }


def format_listing(apis: JsonObject) -> str:
    """The listing for people."""
    lines: list[str] = []
    for name, api in apis.items():
        lines += [f"{name}  ({api['title']})", "  operations"]
        lines += [f"    {i:20} {where}" for i, where in api["operations"].items()]
        lines.append("  scenarios")
        lines += [f"    {i:20} {about}" for i, about in api["scenarios"].items()]
        for what in ("tasks", "beginnings", "endings", "kinds", "moments"):
            lines.append(f"  {what:12} {', '.join(api[what])}")
        lines.append("")
    return "\n".join(lines).rstrip()
