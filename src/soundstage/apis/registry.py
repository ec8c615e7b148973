"""One API as it is served: its module, its contract and its fixture."""

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoints, entry_points
from pathlib import Path

import orjson

from soundstage import cache, vendored_files
from soundstage.apis.api import Api
from soundstage.openapi.contract import Contract, load_contract
from soundstage.openapi.document import SourceFile, load_document, parse_document
from soundstage.openapi.errors import DocumentError, Violation, format_pointer
from soundstage.openapi.schema import Schema
from soundstage.types import JsonObject
from soundstage.world.errors import FixtureError, UnknownName
from soundstage.world.fixture import (
    Fixture,
    RecordValidator,
    compile_fixture,
    compile_scenario,
)
from soundstage.world.record import RecordType
from soundstage.world.scenario import Definitions

ENTRY_POINT_GROUP = "soundstage.apis"
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


def list_api_names() -> list[str]:
    """Every API that is registered."""
    return sorted(_find_entry_points().names)


@functools.cache
def _find_entry_points() -> EntryPoints:
    return entry_points(group=ENTRY_POINT_GROUP)


def load_api(name: str) -> Api:
    """The module of an API. Raises ``Unknown``."""
    for entry in _find_entry_points().select(name=name):
        found = entry.load()
        if isinstance(found, Api):
            return found
    raise UnknownName("API", name, tuple(list_api_names()))


def load_services(
    api_names: Iterable[str] = (), fixtures: Iterable[Path] = ()
) -> dict[str, Service]:
    """The chosen APIs (all of them, if none is), by name.

    ``fixtures`` are files that take the place of the vendored ones. Raises ``Unknown``
    and ``DocumentError``.
    """
    replaced = {}
    for path in fixtures:
        source = load_fixture(path)
        try:
            replaced[load_api(source.document["api"]).name] = source
        except UnknownName as error:
            raise source.error_at(str(error), "/api") from error
    return {
        name: load_service(load_api(name), replaced.get(name))
        for name in api_names or list_api_names()
    }


def load_service(api: Api, fixture: SourceFile | None = None) -> Service:
    """One API, checked. Raises ``DocumentError``."""
    contract = load_contract(api.name, vendored_files.specs() / api.name)
    _check_handlers(api, contract)
    source = fixture or load_fixture(vendored_files.fixtures() / f"{api.name}.yaml")
    return Service(api, contract, build_fixture(source, api, contract))


def load_fixture(path: Path) -> SourceFile:
    """A fixture file that satisfies fixtures/schema.json. Raises ``DocumentError``."""
    source = load_document(path)
    for violation in _load_fixture_schema().find_violations(source.document, "fixture"):
        raise source.error_at(violation.message, _violation_pointer(violation))
    return source


def _violation_pointer(violation: Violation) -> str:
    """The place of a violation; for a key that should not be there, the key's."""
    place = format_pointer(violation.path)
    if violation.rule in {"additionalProperties", "propertyNames"}:
        return place + format_pointer(violation.constraint[:1])
    return place


def build_fixture(source: SourceFile, api: Api, contract: Contract) -> Fixture:
    """A fixture, compiled and rehearsed. Raises ``DocumentError``."""
    try:
        fixture = compile_fixture(source.document, api.model)
        fixture = replace(
            fixture,
            definitions=replace(fixture.definitions, on_finish=api.on_finish),
            check_contract=_build_record_validator(contract),
            schedule=api.schedule,
        )
        _validate_fixture_once(fixture, source.document, contract, api)
    except (FixtureError, DocumentError) as error:
        raise source.error_at(error.message, error.pointer) from error
    return fixture


def _validate_fixture_once(
    fixture: Fixture, node: JsonObject, contract: Contract, api: Api
) -> None:
    """Rehearse what was not found good before; a module that is not ours, each time."""
    texts = (orjson.dumps(contract.document), orjson.dumps(node))
    entry = cache.entry_name("rehearsed", fixture.api, *texts)
    handlers = api.handlers.values()
    is_ours = all(one.__module__.startswith("soundstage.") for one in handlers)
    if not is_ours or cache.get(entry) is None:
        from soundstage.apis.fixture_validation import validate_fixture

        for kind in api.model.record_types.values():
            if kind.schema:
                contract.response_schema(kind.schema)
        validate_fixture(fixture, node)
        if is_ours:
            cache.put(entry, True)  # noqa: FBT003 - a JSON value


def validate_scenario(
    name: str, source: JsonObject | str, fixture: Fixture, script: Definitions
) -> JsonObject:
    """A scenario that came at run time, as a node or as YAML, rehearsed.

    Raises ``DocumentError`` that names no file, but the place in the scenario.
    """
    from soundstage.apis.fixture_validation import validate_fixture

    node = parse_document(source) if isinstance(source, str) else source
    document = {"api": fixture.api, "scenarios": {name: node}}
    for violation in _load_fixture_schema().find_violations(document, "scenario"):
        raise DocumentError(violation.message, _violation_pointer(violation))
    try:
        scenario = compile_scenario(name, node, script)
        more = replace(script, scenarios={**script.scenarios, name: scenario})
        validate_fixture(replace(fixture, definitions=more), node, (name,))
    except FixtureError as error:
        raise DocumentError(error.message, error.pointer) from error
    return node


def _build_record_validator(contract: Contract) -> RecordValidator:
    """The contract's judgement of a record; compiled when it is first asked for."""
    schema_at = functools.cache(contract.response_schema)

    def validate_record(
        record_type: RecordType, record: JsonObject
    ) -> Violation | None:
        schema = schema_at(record_type.schema) if record_type.schema else None
        if schema is None or schema.is_valid(record):
            return None
        return schema.find_violations(record, record_type.name)[0]

    return validate_record


@functools.cache
def _load_fixture_schema() -> Schema:
    document = orjson.loads((vendored_files.fixtures() / "schema.json").read_bytes())
    return Schema(document, "")


def _check_handlers(api: Api, contract: Contract) -> None:
    for problem in _find_binding_errors(api, contract):
        raise DocumentError(problem, "/paths", contract.name)


def _find_binding_errors(api: Api, contract: Contract) -> Iterator[str]:
    for name in contract.operations.keys() - api.handlers.keys():
        yield f"no handler is bound to the operationId {name!r}"
    for name in api.handlers.keys() - contract.operations.keys():
        yield f"a handler is bound to {name!r}, which the contract does not have"
