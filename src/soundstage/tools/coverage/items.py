"""Items that can be covered of an operation, each counting one."""

from collections.abc import Iterator
from typing import NamedTuple

from soundstage.exchange.coverage import RESPONSE_PREFIX, OperationCoverage
from soundstage.openapi.enums import EnumValue

OPERATION = "operation"
STATUS = "status"
PARAMETER = "parameter"
SENT_VALUE = "value sent"
RETURNED_VALUE = "value answered"

KINDS = (OPERATION, STATUS, PARAMETER, SENT_VALUE, RETURNED_VALUE)


class CoverageItem(NamedTuple):
    """An operation, a status, a parameter, or an enum value.

    ``name`` is the status or the location, ``value`` an enum value as JSON text.

    >>> str(CoverageItem(SENT_VALUE, "query.order", '"asc"'))
    'query.order = "asc"'
    """

    kind: str
    name: str = ""
    value: str = ""

    def __str__(self) -> str:
        return f"{self.name} = {self.value}" if self.value else self.name


def iter_items(operation: OperationCoverage) -> Iterator[tuple[CoverageItem, bool]]:
    """Yield all items of an operation and whether each is covered."""
    yield CoverageItem(OPERATION), operation.calls > 0
    for kind, covered, uncovered in (
        (STATUS, operation.statuses, operation.uncovered_statuses),
        (PARAMETER, operation.parameters, operation.uncovered_parameters),
    ):
        yield from ((CoverageItem(kind, name), True) for name in covered)
        yield from ((CoverageItem(kind, name), False) for name in uncovered)
    yield from ((_create_value_item(value), True) for value in operation.values)
    for value in operation.uncovered_values:
        yield _create_value_item(value), False


def _create_value_item(value: EnumValue) -> CoverageItem:
    is_returned = value.path.startswith(RESPONSE_PREFIX)
    return CoverageItem(RETURNED_VALUE if is_returned else SENT_VALUE, *value)
