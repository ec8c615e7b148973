"""The registered APIs, each loaded with its contract and its fixture."""

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
from soundstage.world.fixture import compile_fixture, compile_scenario
from soundstage.world.record import RecordType
from soundstage.world.scenario import Definitions
from soundstage.world.state import Fixture, RecordValidator

ENTRY_POINT_GROUP = "soundstage.apis"
"""The entry points under which packages register their ``Api``."""


@dataclass(frozen=True, slots=True)
class Service:
    """An API with everything that is needed to serve it."""

    api: Api
    contract: Contract
    fixture: Fixture

    @property
    def name(self) -> str:
        """The API's name, which is also that of its folder."""
        return self.api.name


def list_api_names() -> list[str]:
    """Return the names of all registered APIs, sorted."""
    return sorted(_find_entry_points().names)


@functools.cache
def _find_entry_points() -> EntryPoints:
    return entry_points(group=ENTRY_POINT_GROUP)


def load_api(name: str) -> Api:
    """Import a registered API. Raises ``UnknownName``.

    >>> load_api("runwisp").title
    'RunWisp'
    """
    for entry in _find_entry_points().select(name=name):
        api = entry.load()
        if isinstance(api, Api):
            return api
    raise UnknownName("API", name, tuple(list_api_names()))


def load_services(
    api_names: Iterable[str] = (), fixtures: Iterable[Path] = ()
) -> dict[str, Service]:
    """Load the named APIs, or all of them without a name; return them by name.

    ``fixtures`` are files that replace the vendored ones. Raises ``UnknownName`` and
    ``DocumentError``.

    >>> list(load_services(["trieve", "runwisp"]))
    ['trieve', 'runwisp']
    """
    sources = {}
    for path in fixtures:
        source = load_fixture(path)
        try:
            sources[load_api(source.document["api"]).name] = source
        except UnknownName as error:
            raise source.error_at(str(error), "/api") from error
    return {
        name: load_service(load_api(name), sources.get(name))
        for name in api_names or list_api_names()
    }


def load_service(api: Api, fixture: SourceFile | None = None) -> Service:
    """Load the contract and the fixture of one API. Raises ``DocumentError``.

    A fixture that is passed replaces the vendored one.
    """
    contract = load_contract(api.name, vendored_files.specs() / api.name)
    for message in _find_binding_errors(api, contract):
        raise DocumentError(message, "/paths", contract.name)
    source = fixture or load_fixture(vendored_files.fixtures() / f"{api.name}.yaml")
    return Service(api, contract, build_fixture(source, api, contract))


def _find_binding_errors(api: Api, contract: Contract) -> Iterator[str]:
    for name in contract.operations.keys() - api.handlers.keys():
        yield f"no handler is bound to the operationId {name!r}"
    for name in api.handlers.keys() - contract.operations.keys():
        yield f"a handler is bound to {name!r}, which the contract does not have"


def load_fixture(path: Path) -> SourceFile:
    """Load a fixture and validate it by fixtures/schema.json.

    Raises ``DocumentError``.
    """
    source = load_document(path)
    for violation in _load_fixture_schema().find_violations(source.document, "fixture"):
        raise source.error_at(violation.message, _violation_pointer(violation))
    return source


def _violation_pointer(violation: Violation) -> str:
    """Return the JSON pointer of a violation: of the key, if that is unexpected."""
    pointer = format_pointer(violation.path)
    if violation.rule in {"additionalProperties", "propertyNames"}:
        return pointer + format_pointer(violation.constraint[:1])
    return pointer


def build_fixture(source: SourceFile, api: Api, contract: Contract) -> Fixture:
    """Compile a fixture and validate all that it can generate.

    Raises ``DocumentError``.
    """
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
    fixture: Fixture, document: JsonObject, contract: Contract, api: Api
) -> None:
    """Validate a fixture that has not been found valid before.

    The result depends on the code of ``api`` too, and the cache keeps track of our own
    code only: the fixture of an API from another package is validated each time.
    """
    texts = (orjson.dumps(contract.document), orjson.dumps(document))
    entry = cache.entry_name("validated", fixture.api, *texts)
    handlers = api.handlers.values()
    is_ours = all(handler.__module__.startswith("soundstage.") for handler in handlers)
    if is_ours and cache.get(entry) is not None:
        return
    # Imported here, so that a start with a valid cache entry does without.
    from soundstage.apis.fixture_validation import validate_fixture

    for record_type in api.model.record_types.values():
        if record_type.schema:
            contract.response_schema(record_type.schema)
    validate_fixture(fixture, document)
    if is_ours:
        cache.put(entry, True)  # noqa: FBT003 - a JSON value


def validate_scenario(
    name: str, source: JsonObject | str, fixture: Fixture, definitions: Definitions
) -> JsonObject:
    """Return a scenario that is added at run time, parsed if it is YAML.

    Raises ``DocumentError`` that names no file, but the place in the scenario.
    """
    from soundstage.apis.fixture_validation import validate_fixture

    node = parse_document(source) if isinstance(source, str) else source
    document = {"api": fixture.api, "scenarios": {name: node}}
    for violation in _load_fixture_schema().find_violations(document, "scenario"):
        raise DocumentError(violation.message, _violation_pointer(violation))
    try:
        scenario = compile_scenario(name, node, definitions)
        scenarios = {**definitions.scenarios, name: scenario}
        extended = replace(definitions, scenarios=scenarios)
        validate_fixture(replace(fixture, definitions=extended), node, (name,))
    except FixtureError as error:
        raise DocumentError(error.message, error.pointer) from error
    return node


def _build_record_validator(contract: Contract) -> RecordValidator:
    """Return a function that finds a record's first violation of the contract."""
    # A schema is compiled when the first record of its type is validated.
    schema_at = functools.cache(contract.response_schema)

    def validate_record(record_type: RecordType, record: JsonObject) -> Violation | None:
        schema = schema_at(record_type.schema) if record_type.schema else None
        if schema is None or schema.is_valid(record):
            return None
        return schema.find_violations(record, record_type.name)[0]

    return validate_record


@functools.cache
def _load_fixture_schema() -> Schema:
    document = orjson.loads((vendored_files.fixtures() / "schema.json").read_bytes())
    return Schema(document, "")
