"""Coverage as JSON: parse it, and merge several into one."""

from collections.abc import Hashable, Iterable
from typing import TypeVar

from soundstage.exchange.coverage import OperationCoverage
from soundstage.openapi.enums import EnumValue, canonical_json
from soundstage.server.control.serializers import serialize_coverage
from soundstage.types import Json, JsonObject

T = TypeVar("T", bound=Hashable)


def parse_coverage(document: Json) -> list[OperationCoverage]:
    """Parse the response of ``GET /_soundstage/coverage``, or a data file.

    Raises ``ValueError`` for anything else.
    """
    try:
        return [_parse_operation(node) for node in document["operations"]]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        msg = "holds no coverage that this version of soundstage can read"
        raise ValueError(msg) from error


def merge_documents(documents: Iterable[Json]) -> JsonObject:
    """Merge coverage documents into one. Raises ``ValueError``."""
    operations = (one for document in documents for one in parse_coverage(document))
    return serialize_coverage(merge_operations(operations))


def _parse_operation(node: JsonObject) -> OperationCoverage:
    statuses, parameters, values = (node[key] for key in ("statuses", "parameters", "values"))
    return OperationCoverage(
        api=str(node["api"]),
        operation=str(node["operation"]),
        method=str(node["method"]),
        path=str(node["path"]),
        calls=int(node["calls"]),
        statuses=tuple(map(str, statuses["seen"])),
        uncovered_statuses=tuple(map(str, statuses["unseen"])),
        undocumented_statuses=tuple(map(str, statuses["undocumented"])),
        parameters=tuple(map(str, parameters["seen"])),
        uncovered_parameters=tuple(map(str, parameters["unseen"])),
        values=_parse_values(values["seen"]),
        uncovered_values=_parse_values(values["unseen"]),
    )


def _parse_values(nodes: Iterable[JsonObject]) -> tuple[EnumValue, ...]:
    return tuple(EnumValue(str(node["at"]), canonical_json(node["value"])) for node in nodes)


def merge_operations(operations: Iterable[OperationCoverage]) -> list[OperationCoverage]:
    """Merge the coverage of the same operations: covered once is covered."""
    result: dict[tuple[str, str], OperationCoverage] = {}
    for one in operations:
        key = (one.api, one.operation)
        result[key] = _merge_pair(result[key], one) if key in result else one
    return list(result.values())


def _merge_pair(one: OperationCoverage, other: OperationCoverage) -> OperationCoverage:
    statuses = _union(one.statuses, other.statuses)
    parameters = _union(one.parameters, other.parameters)
    values = _union(one.values, other.values)
    return OperationCoverage(
        api=one.api,
        operation=one.operation,
        method=one.method,
        path=one.path,
        calls=one.calls + other.calls,
        statuses=statuses,
        uncovered_statuses=_union(
            one.uncovered_statuses, other.uncovered_statuses, without=statuses
        ),
        undocumented_statuses=tuple(
            sorted(_union(one.undocumented_statuses, other.undocumented_statuses))
        ),
        parameters=parameters,
        uncovered_parameters=_union(
            one.uncovered_parameters, other.uncovered_parameters, without=parameters
        ),
        values=values,
        uncovered_values=_union(one.uncovered_values, other.uncovered_values, without=values),
    )


def _union(
    first: tuple[T, ...], second: tuple[T, ...], without: tuple[T, ...] = ()
) -> tuple[T, ...]:
    union = dict.fromkeys((*first, *second))  # in the order of the contract
    return tuple(one for one in union if one not in {*without})
