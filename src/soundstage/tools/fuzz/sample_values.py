"""Sample values: ids, names and headers that exist in the world of a mock."""

from collections.abc import Iterable, Iterator, Mapping

from soundstage.apis.registry import Service
from soundstage.tools.checks.operation_spec import OperationIndex, Parameter, normalize_name
from soundstage.types import Json
from soundstage.world.world import World

MAX_VALUES = 8
"""The maximum for each parameter."""


def collect_sample_values(service: Service, world: World) -> dict[str, list[str]]:
    """Collect values for parameters from fields of the same name in records.

    Keys are like ``GET /runs/{runID} path.runID``. ``runID`` also matches the ``id`` of
    a run. Records whose type is part of the path go first.
    """
    by_name = _index_by_field(service, world)
    samples: dict[str, list[str]] = {}
    for operation in OperationIndex(service.contract.document).operations.values():
        for parameter in operation.parameters:
            values = by_name.get(_find_field_name(parameter, by_name), {})
            if values and _is_free_text(parameter):
                preferred = [v for v, type_name in values.items() if type_name in operation.path]
                ordered = dict.fromkeys([*preferred, *values])
                key = f"{operation.label} {parameter.key}"
                samples[key] = list(ordered)[:MAX_VALUES]
    headers = service.api.example_request.headers if service.api.example_request else ()
    return samples | {f"header.{name}": [value] for name, value in headers}


def _find_field_name(parameter: Parameter, field_names: Iterable[str]) -> str:
    """Find the field with a parameter's values: ``TR-Dataset`` is a dataset's id."""
    name = normalize_name(parameter.property_name)
    if parameter.location != "header":
        return name
    ids = (n for n in field_names if len(n) > len("id") and n.endswith("id"))
    matching = (n for n in ids if name.endswith(n.removesuffix("id")))
    return max(matching, key=len, default=name)


def collect_control_values(services: Iterable[Service], world: World) -> dict[str, list[str]]:
    """Collect values for the parameters of the control API."""
    samples: dict[str, list[str]] = {"path.world": ["default"]}
    for service in services:
        definitions = service.fixture.definitions
        runs = world.state(service.name).runs
        for name, values in (
            ("api", [service.name]),
            ("collection", [k.collection for k in definitions.model.record_types.values()]),
            ("id", list(runs)[:MAX_VALUES]),
            ("name", list(definitions.scenarios)[:MAX_VALUES]),
        ):
            samples.setdefault(f"path.{name}", []).extend(values)
    return samples


def _is_free_text(parameter: Parameter) -> bool:
    """Whether it is a string without an enum: the document lists no values."""
    schema = parameter.schema
    return schema.get("type") == "string" and "enum" not in schema


def _index_by_field(service: Service, world: World) -> dict[str, dict[str, str]]:
    """Index strings in records, with the record type, by normalized field name."""
    index: dict[str, dict[str, str]] = {}
    for type_name, name, value in (
        *_iter_credential_fields(service),
        *_iter_record_fields(service, world),
    ):
        values = index.setdefault(normalize_name(name), {})
        # The limit is for each type, so that a frequent one does not displace others.
        if sum(other == type_name for other in values.values()) < MAX_VALUES:
            values.setdefault(value, type_name)
    return index


def _iter_credential_fields(service: Service) -> Iterator[tuple[str, str, str]]:
    """Yield the fields of the used credentials, for example the application id."""
    for credential in service.fixture.credentials[:1]:
        for name, value in _iter_strings(credential):
            yield "", name, value


def _iter_record_fields(service: Service, world: World) -> Iterator[tuple[str, str, str]]:
    now = world.now()
    for record_type in service.fixture.definitions.model.record_types.values():
        for record in world.collection(service.name, record_type.collection).all(now):
            yield (record_type.name, f"{record_type.name}id", str(record[record_type.id_field]))
            for name, value in _iter_strings(record):
                yield record_type.name, name, value


def _iter_strings(record: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for name, value in record.items():
        if isinstance(value, str) and value:
            yield name, value
