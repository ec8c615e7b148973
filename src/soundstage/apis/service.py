"""One API as it is served: its module, its contract and its fixture."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import orjson

from soundstage import resources
from soundstage.apis.api import Api
from soundstage.apis.rehearsal import rehearse
from soundstage.contract.contract import Contract, load_contract
from soundstage.contract.document import Source, load
from soundstage.contract.schema import Schema
from soundstage.contract.violation import DocumentError, pointer_of
from soundstage.world.errors import FixtureError, Unknown
from soundstage.world.fixture import Fixture, compile_fixture

GROUP = "soundstage.apis"
"""The entry points under which packages register their ``Api``."""


@dataclass(frozen=True, slots=True)
class Service:
    """What is needed to serve one API."""

    api: Api
    contract: Contract
    fixture: Fixture

    @property
    def name(self) -> str:
        """The API's name, as its folder is called."""
        return self.api.name


def names() -> list[str]:
    """Every API that is registered."""
    return sorted(entry.name for entry in entry_points(group=GROUP))


def api(name: str) -> Api:
    """The module of an API. Raises ``Unknown``."""
    for entry in entry_points(group=GROUP, name=name):
        found = entry.load()
        if isinstance(found, Api):
            return found
    raise Unknown("API", name, tuple(names()))


def load_services(
    chosen: Iterable[str] = (), fixtures: Iterable[Path] = ()
) -> dict[str, Service]:
    """The chosen APIs (all of them, if none is), by name.

    ``fixtures`` are files that take the place of the vendored ones. Raises ``Unknown``
    and ``DocumentError``.
    """
    replaced = {}
    for path in fixtures:
        source = load_fixture(path)
        replaced[source.document["api"]] = source
    return {
        name: load_service(api(name), replaced.get(name)) for name in chosen or names()
    }


def load_service(module: Api, fixture: Source | None = None) -> Service:
    """One API, checked. Raises ``DocumentError``."""
    contract = load_contract(module.name, resources.specs() / module.name)
    _check_handlers(module, contract)
    source = fixture or load_fixture(resources.fixtures() / f"{module.name}.yaml")
    return Service(module, contract, compiled_fixture(source, module, contract))


def load_fixture(path: Path) -> Source:
    """A fixture file that satisfies fixtures/schema.json. Raises ``DocumentError``."""
    source = load(path)
    for violation in _format().violations(source.document, "fixture"):
        raise source.error(violation.message, pointer_of(violation.path))
    return source


def compiled_fixture(source: Source, module: Api, contract: Contract) -> Fixture:
    """A fixture, compiled and rehearsed. Raises ``DocumentError``."""
    try:
        fixture = compile_fixture(source.document, module.vocabulary)
        rehearse(fixture, source.document, contract)
    except (FixtureError, DocumentError) as error:
        raise source.error(error.message, error.pointer) from error
    return fixture


@cache
def _format() -> Schema:
    document = orjson.loads((resources.fixtures() / "schema.json").read_bytes())
    return Schema(document, "")


def _check_handlers(module: Api, contract: Contract) -> None:
    for problem in _unmatched(module, contract):
        raise DocumentError(problem, "/paths", contract.name)


def _unmatched(module: Api, contract: Contract) -> Iterator[str]:
    for name in contract.operations.keys() - module.handlers.keys():
        yield f"no handler is bound to the operationId {name!r}"
    for name in module.handlers.keys() - contract.operations.keys():
        yield f"a handler is bound to {name!r}, which the contract does not have"
