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
    """For each operation's parameters what records of this name have.

    ``runID`` is also the id of a run, where runs call it ``id``. Kinds that the path
    names go first.
    """
    by_name = _by_name(service, world)
    found: dict[str, list[str]] = {}
    for operation in Catalogue(service.contract.document).operations.values():
        for parameter in operation.parameters:
            values = by_name.get(_name(parameter, by_name), {})
            if values and _is_free(parameter):
                near = [v for v, kind in values.items() if kind in operation.path]
                all_of_them = dict.fromkeys([*near, *values])
                key = f"{operation.label} {parameter.key}"
                found[key] = list(all_of_them)[:MOST]
    headers = service.api.sample.headers if service.api.sample else ()
    return found | {f"header.{name}": [value] for name, value in headers}


def _name(parameter: Parameter, known: Iterable[str]) -> str:
    """The name that a parameter's values have: ``TR-Dataset`` has a dataset's id."""
    name = plain_name(parameter.plain)
    if parameter.place != "header":
        return name
    ids = (one for one in known if len(one) > len("id") and one.endswith("id"))
    fitting = (one for one in ids if name.endswith(one.removesuffix("id")))
    return max(fitting, key=len, default=name)


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


def _by_name(service: Service, world: World) -> dict[str, dict[str, str]]:
    """Texts in records, each with its kind, by the plain names of their fields."""
    found: dict[str, dict[str, str]] = {}
    for kind, name, value in (*_facts(service), *_fields(service, world)):
        values = found.setdefault(plain_name(name), {})
        if sum(other == kind for other in values.values()) < MOST:
            values.setdefault(value, kind)
    return found


def _facts(service: Service) -> Iterator[tuple[str, str, str]]:
    """What the credentials that are used say of whoever presents them."""
    for credential in service.fixture.credentials[:1]:
        for name, value in _texts(credential):
            yield "", name, value


def _fields(service: Service, world: World) -> Iterator[tuple[str, str, str]]:
    now = world.now()
    for kind in service.fixture.script.vocabulary.kinds.values():
        for document in world.collection(service.name, kind.collection).all(now):
            yield kind.name, f"{kind.name}id", str(document[kind.id])
            for name, value in _texts(document):
                yield kind.name, name, value


def _texts(document: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for name, value in document.items():
        if isinstance(value, str) and value:
            yield name, value
