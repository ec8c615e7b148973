"""What can be covered of an operation: one thing each."""

from collections.abc import Iterator
from typing import NamedTuple

from soundstage.contract.listed import Value
from soundstage.server.journal.coverage import Covered
from soundstage.server.journal.tally import ANSWER

OPERATION = "operation"
STATUS = "status"
PARAMETER = "parameter"
SENT = "value sent"
ANSWERED = "value answered"

KINDS = {
    OPERATION: "operations",
    STATUS: "statuses",
    PARAMETER: "parameters",
    SENT: "values sent",
    ANSWERED: "values answered",
}
"""Each kind, and the word for several of them."""


class Item(NamedTuple):
    """``name`` is a status or a place; ``text`` a listed value there, as JSON."""

    kind: str
    name: str = ""
    text: str = ""

    def __str__(self) -> str:
        return f"{self.name} = {self.text}" if self.text else self.name


def items_of(covered: Covered) -> Iterator[tuple[Item, bool]]:
    """All that there is to cover of an operation, and whether it was."""
    yield Item(OPERATION), covered.calls > 0
    for kind, seen, unseen in (
        (STATUS, covered.statuses, covered.unseen_statuses),
        (PARAMETER, covered.parameters, covered.unseen_parameters),
    ):
        yield from ((Item(kind, name), True) for name in seen)
        yield from ((Item(kind, name), False) for name in unseen)
    yield from ((_item(value), True) for value in covered.values)
    yield from ((_item(value), False) for value in covered.unseen_values)


def _item(value: Value) -> Item:
    return Item(ANSWERED if value.at.startswith(ANSWER) else SENT, *value)
