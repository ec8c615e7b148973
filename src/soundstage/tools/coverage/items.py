"""What can be covered of an operation: one thing each."""

from collections.abc import Iterator
from typing import NamedTuple

from soundstage.exchange.coverage import RESPONSE_PREFIX, OperationCoverage
from soundstage.openapi.enums import EnumValue

OPERATION = "operation"
STATUS = "status"
PARAMETER = "parameter"
SENT_VALUE = "value sent"
RETURNED_VALUE = "value answered"

KINDS = {
    OPERATION: "operations",
    STATUS: "statuses",
    PARAMETER: "parameters",
    SENT_VALUE: "values sent",
    RETURNED_VALUE: "values answered",
}
"""Each kind, and the word for several of them."""


class CoverageItem(NamedTuple):
    """``name`` is a status or a place; ``text`` a listed value there, as JSON."""

    kind: str
    name: str = ""
    value: str = ""

    def __str__(self) -> str:
        return f"{self.name} = {self.value}" if self.value else self.name


def iter_items(operation: OperationCoverage) -> Iterator[tuple[CoverageItem, bool]]:
    """All that there is to cover of an operation, and whether it was."""
    yield CoverageItem(OPERATION), operation.calls > 0
    for kind, seen, unseen in (
        (STATUS, operation.statuses, operation.uncovered_statuses),
        (PARAMETER, operation.parameters, operation.uncovered_parameters),
    ):
        yield from ((CoverageItem(kind, name), True) for name in seen)
        yield from ((CoverageItem(kind, name), False) for name in unseen)
    yield from ((_create_value_item(value), True) for value in operation.values)
    yield from (
        (_create_value_item(value), False) for value in operation.uncovered_values
    )


def _create_value_item(value: EnumValue) -> CoverageItem:
    return CoverageItem(
        RETURNED_VALUE if value.path.startswith(RESPONSE_PREFIX) else SENT_VALUE, *value
    )
