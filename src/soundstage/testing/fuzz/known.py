"""Values that lead somewhere in a mock's world: ids, names, headers."""

from collections.abc import Iterable, Iterator, Mapping

from soundstage.apis.service import Service
from soundstage.testing.semantics.described import Catalogue, Parameter
from soundstage.testing.semantics.seen import plain_name
from soundstage.types import Json
from soundstage.world.world import World

MOST = 8
"""Values of one parameter."""


def known_values(service: Service, world: World) -> dict[str, list[str]]:
    """For each parameter (``path.runID``) what records of this name have.

    ``runID`` is also the id of a run, where runs call it ``id``.
    """
    by_name = _by_name(service, world)
    found: dict[str, list[str]] = {}
    for operation in Catalogue(service.contract.document).operations.values():
        for parameter in operation.parameters:
            values = by_name.get(plain_name(parameter.plain), {})
            if values and _is_free(parameter):
                found[parameter.key] = list(values)[:MOST]
    headers = service.api.sample.headers if service.api.sample else ()
    return found | {f"header.{name}": [value] for name, value in headers}


def known_of_control(services: Iterable[Service], world: World) -> dict[str, list[str]]:
    """The same for the control API: what it is that all APIs have."""
    found: dict[str, list[str]] = {"path.world": ["default"]}
    for service in services:
        script = service.fixture.script
        runs = world.state(service.name).runs
        for name, values in (
            ("api", [service.name]),
            ("collection", [k.collection for k in script.vocabulary.kinds.values()]),
            ("id", list(runs)[:MOST]),
            ("name", list(script.scenarios)[:MOST]),
        ):
            found.setdefault(f"path.{name}", []).extend(values)
    return found


def _is_free(parameter: Parameter) -> bool:
    """Whether it is a text, and none that the document has a list of."""
    schema = parameter.schema
    return schema.get("type") == "string" and "enum" not in schema


def _by_name(service: Service, world: World) -> dict[str, dict[str, None]]:
    """Texts in records by the plain names of their fields, in order."""
    found: dict[str, dict[str, None]] = {}
    for name, value in (*_facts(service), *_fields(service, world)):
        if len(values := found.setdefault(plain_name(name), {})) < MOST:
            values[value] = None
    return found


def _facts(service: Service) -> Iterator[tuple[str, str]]:
    """What the credentials that are used say of whoever presents them."""
    for credential in service.fixture.credentials[:1]:
        yield from _texts(credential)


def _fields(service: Service, world: World) -> Iterator[tuple[str, str]]:
    now = world.now()
    for kind in service.fixture.script.vocabulary.kinds.values():
        for document in world.collection(service.name, kind.collection).all(now):
            yield f"{kind.name}id", str(document[kind.id])
            yield from _texts(document)


def _texts(document: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for name, value in document.items():
        if isinstance(value, str) and value:
            yield name, value
