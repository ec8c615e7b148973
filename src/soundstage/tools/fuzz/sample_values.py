"""Values that lead somewhere in a mock's world: ids, names, headers."""

from collections.abc import Iterable, Iterator, Mapping

from soundstage.apis.registry import Service
from soundstage.tools.checks.operation_spec import (
    OperationIndex,
    Parameter,
    normalize_name,
)
from soundstage.types import Json
from soundstage.world.world import World

MAX_VALUES = 8
"""Values of one parameter."""


def collect_sample_values(service: Service, world: World) -> dict[str, list[str]]:
    """For each operation's parameters what records of this name have.

    ``runID`` is also the id of a run, where runs call it ``id``. Kinds that the path
    names go first.
    """
    by_name = _index_by_field(service, world)
    found: dict[str, list[str]] = {}
    for operation in OperationIndex(service.contract.document).operations.values():
        for parameter in operation.parameters:
            values = by_name.get(_find_field_name(parameter, by_name), {})
            if values and _is_free_text(parameter):
                near = [v for v, kind in values.items() if kind in operation.path]
                all_of_them = dict.fromkeys([*near, *values])
                key = f"{operation.label} {parameter.key}"
                found[key] = list(all_of_them)[:MAX_VALUES]
    headers = service.api.example_request.headers if service.api.example_request else ()
    return found | {f"header.{name}": [value] for name, value in headers}


def _find_field_name(parameter: Parameter, field_names: Iterable[str]) -> str:
    """The name that a parameter's values have: ``TR-Dataset`` has a dataset's id."""
    name = normalize_name(parameter.property_name)
    if parameter.location != "header":
        return name
    ids = (one for one in field_names if len(one) > len("id") and one.endswith("id"))
    fitting = (one for one in ids if name.endswith(one.removesuffix("id")))
    return max(fitting, key=len, default=name)


def collect_control_values(
    services: Iterable[Service], world: World
) -> dict[str, list[str]]:
    """The same for the control API: what it is that all APIs have."""
    found: dict[str, list[str]] = {"path.world": ["default"]}
    for service in services:
        script = service.fixture.script
        runs = world.state(service.name).runs
        for name, values in (
            ("api", [service.name]),
            ("collection", [k.collection for k in script.vocabulary.kinds.values()]),
            ("id", list(runs)[:MAX_VALUES]),
            ("name", list(script.scenarios)[:MAX_VALUES]),
        ):
            found.setdefault(f"path.{name}", []).extend(values)
    return found


def _is_free_text(parameter: Parameter) -> bool:
    """Whether it is a text, and none that the document has a list of."""
    schema = parameter.schema
    return schema.get("type") == "string" and "enum" not in schema


def _index_by_field(service: Service, world: World) -> dict[str, dict[str, str]]:
    """Texts in records, each with its kind, by the plain names of their fields."""
    found: dict[str, dict[str, str]] = {}
    for kind, name, value in (
        *_iter_credential_fields(service),
        *_iter_record_fields(service, world),
    ):
        values = found.setdefault(normalize_name(name), {})
        if sum(other == kind for other in values.values()) < MAX_VALUES:
            values.setdefault(value, kind)
    return found


def _iter_credential_fields(service: Service) -> Iterator[tuple[str, str, str]]:
    """What the credentials that are used say of whoever presents them."""
    for credential in service.fixture.credentials[:1]:
        for name, value in _iter_strings(credential):
            yield "", name, value


def _iter_record_fields(
    service: Service, world: World
) -> Iterator[tuple[str, str, str]]:
    now = world.now()
    for kind in service.fixture.script.vocabulary.kinds.values():
        for document in world.collection(service.name, kind.collection).all(now):
            yield kind.name, f"{kind.name}id", str(document[kind.id])
            for name, value in _iter_strings(document):
                yield kind.name, name, value


def _iter_strings(document: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for name, value in document.items():
        if isinstance(value, str) and value:
            yield name, value
