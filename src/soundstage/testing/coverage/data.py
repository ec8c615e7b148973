"""What was covered, as JSON: read, and several of them made one."""

from collections.abc import Hashable, Iterable
from typing import TypeVar

from soundstage.contract.listed import Value, text_of
from soundstage.server.control import shown
from soundstage.server.journal.coverage import Covered
from soundstage.types import Document, Json

T = TypeVar("T", bound=Hashable)


def read(document: Json) -> list[Covered]:
    """The operations of what ``GET /_soundstage/coverage`` gives, or a data file has.

    Raises ``ValueError`` for anything else.
    """
    try:
        return [_covered(node) for node in document["operations"]]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        msg = "holds no coverage that this version of soundstage can read"
        raise ValueError(msg) from error


def joined(documents: Iterable[Json]) -> Document:
    """Several of them as one."""
    return shown.coverage(merged(one for d in documents for one in read(d)))


def _covered(node: Document) -> Covered:
    statuses, parameters, values = (
        node[key] for key in ("statuses", "parameters", "values")
    )
    return Covered(
        api=str(node["api"]),
        operation=str(node["operation"]),
        method=str(node["method"]),
        path=str(node["path"]),
        calls=int(node["calls"]),
        statuses=tuple(map(str, statuses["seen"])),
        unseen_statuses=tuple(map(str, statuses["unseen"])),
        undocumented=tuple(map(str, statuses["undocumented"])),
        parameters=tuple(map(str, parameters["seen"])),
        unseen_parameters=tuple(map(str, parameters["unseen"])),
        values=_values(values["seen"]),
        unseen_values=_values(values["unseen"]),
    )


def _values(nodes: Iterable[Document]) -> tuple[Value, ...]:
    return tuple(Value(str(node["at"]), text_of(node["value"])) for node in nodes)


def merged(covered: Iterable[Covered]) -> list[Covered]:
    """Each operation once: what any of them has seen was seen."""
    result: dict[tuple[str, str], Covered] = {}
    for one in covered:
        key = (one.api, one.operation)
        result[key] = _both(result[key], one) if key in result else one
    return list(result.values())


def _both(one: Covered, other: Covered) -> Covered:
    statuses = _either(one.statuses, other.statuses)
    parameters = _either(one.parameters, other.parameters)
    values = _either(one.values, other.values)
    return Covered(
        api=one.api,
        operation=one.operation,
        method=one.method,
        path=one.path,
        calls=one.calls + other.calls,
        statuses=statuses,
        unseen_statuses=_either(one.unseen_statuses, other.unseen_statuses, statuses),
        undocumented=tuple(sorted(_either(one.undocumented, other.undocumented))),
        parameters=parameters,
        unseen_parameters=_either(
            one.unseen_parameters, other.unseen_parameters, parameters
        ),
        values=values,
        unseen_values=_either(one.unseen_values, other.unseen_values, values),
    )


def _either(
    first: tuple[T, ...], second: tuple[T, ...], without: tuple[T, ...] = ()
) -> tuple[T, ...]:
    both = dict.fromkeys((*first, *second))
    return tuple(one for one in both if one not in {*without})
