"""One API as it is served: its module, its contract and its fixture."""

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoints, entry_points
from pathlib import Path

import orjson

from soundstage import cache, resources
from soundstage.apis.api import Api
from soundstage.contract.contract import Contract, load_contract
from soundstage.contract.document import Source, load, loads
from soundstage.contract.schema import Schema
from soundstage.contract.violation import DocumentError, Violation, pointer_of
from soundstage.types import Document
from soundstage.world.errors import FixtureError, Unknown
from soundstage.world.fixture import Fixture, Verdict, compile_fixture, compile_scenario
from soundstage.world.record import Kind
from soundstage.world.scenario import Script

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
    return sorted(_registered().names)


@functools.cache
def _registered() -> EntryPoints:
    return entry_points(group=GROUP)


def api(name: str) -> Api:
    """The module of an API. Raises ``Unknown``."""
    for entry in _registered().select(name=name):
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
        try:
            replaced[api(source.document["api"]).name] = source
        except Unknown as error:
            raise source.error(str(error), "/api") from error
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
        raise source.error(violation.message, _culprit(violation))
    return source


def _culprit(violation: Violation) -> str:
    """The place of a violation; for a key that should not be there, the key's."""
    place = pointer_of(violation.path)
    if violation.rule in {"additionalProperties", "propertyNames"}:
        return place + pointer_of(violation.limit[:1])
    return place


def compiled_fixture(source: Source, module: Api, contract: Contract) -> Fixture:
    """A fixture, compiled and rehearsed. Raises ``DocumentError``."""
    try:
        fixture = compile_fixture(source.document, module.vocabulary)
        fixture = replace(
            fixture,
            script=replace(fixture.script, follow=module.follow),
            verdict=_verdict(contract),
            schedule=module.schedule,
        )
        _rehearse(fixture, source.document, contract, module)
    except (FixtureError, DocumentError) as error:
        raise source.error(error.message, error.pointer) from error
    return fixture


def _rehearse(
    fixture: Fixture, node: Document, contract: Contract, module: Api
) -> None:
    """Rehearse what was not found good before; a module that is not ours, each time."""
    texts = (orjson.dumps(contract.document), orjson.dumps(node))
    entry = cache.entry("rehearsed", fixture.api, *texts)
    handlers = module.handlers.values()
    is_ours = all(one.__module__.startswith("soundstage.") for one in handlers)
    if not is_ours or cache.get(entry) is None:
        from soundstage.apis.rehearsal import rehearse

        for kind in module.vocabulary.kinds.values():
            if kind.schema:
                contract.schema(kind.schema)
        rehearse(fixture, node)
        if is_ours:
            cache.put(entry, True)  # noqa: FBT003 - a JSON value


def checked_scenario(
    name: str, given: Document | str, fixture: Fixture, script: Script
) -> Document:
    """A scenario that came at run time, as a node or as YAML, rehearsed.

    Raises ``DocumentError`` that names no file, but the place in the scenario.
    """
    from soundstage.apis.rehearsal import rehearse

    node = loads(given) if isinstance(given, str) else given
    document = {"api": fixture.api, "scenarios": {name: node}}
    for violation in _format().violations(document, "scenario"):
        raise DocumentError(violation.message, _culprit(violation))
    try:
        scenario = compile_scenario(name, node, script)
        more = replace(script, scenarios={**script.scenarios, name: scenario})
        rehearse(replace(fixture, script=more), node, (name,))
    except FixtureError as error:
        raise DocumentError(error.message, error.pointer) from error
    return node


def _verdict(contract: Contract) -> Verdict:
    """The contract's judgement of a record; compiled when it is first asked for."""
    schema_at = functools.cache(contract.schema)

    def verdict(kind: Kind, document: Document) -> Violation | None:
        schema = schema_at(kind.schema) if kind.schema else None
        if schema is None or schema.is_valid(document):
            return None
        return schema.violations(document, kind.name)[0]

    return verdict


@functools.cache
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
