"""Plain records: created, read, listed, changed and deleted, all in one way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from soundstage.apis.algolia_ingestion.application import all_own, caller, own
from soundstage.apis.algolia_ingestion.lists import Values, chosen, listed
from soundstage.apis.algolia_ingestion.references import (
    check_references,
    check_unused,
)
from soundstage.apis.api import Answer, Call, Handler, Impossible
from soundstage.types import Document, Json
from soundstage.world.clock import rfc3339
from soundstage.world.ids import uuid
from soundstage.world.log import Delete, Put
from soundstage.world.record import Kind


def _as_it_is(_call: Call, document: Document) -> Document:
    return document


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of plain record.

    ``made`` gives what is kept of a body that describes one whole. ``settled`` is one
    with what has become of it by itself, ``shown`` what an answer tells of it. ``keys``
    are what it is sorted by that is no field of it. ``named`` says whether the answers
    to its changes repeat its name.
    """

    kind: Kind
    filters: Mapping[str, Values]
    made: Callable[[Document], Document] = dict
    settled: Callable[[Call, Document], Document] = _as_it_is
    shown: Callable[[Call, Document], Document] = _as_it_is
    keys: Mapping[str, Callable[[Document], Json]] = field(default_factory=dict)
    named: bool = True

    @property
    def name(self) -> str:
        """The collection that has them."""
        return self.kind.collection

    def receipt(self, document: Document, moment: str) -> Answer:
        """The answer to a change: which record, and when."""
        told = (self.kind.id, *(("name",) if self.named else ()), moment)
        return Answer({name: document[name] for name in told})


Change = Callable[[Call, Document], Document]
"""What a request makes of a record."""


def creator(resource: Resource) -> Handler:
    """A handler that makes a new record."""

    def create(call: Call) -> Answer:
        at = rfc3339(call.now)
        own_id = {resource.kind.id: call.fresh(uuid)}
        document = {**own_id, **resource.made(call.body), "owner": caller(call)}
        document |= {"createdAt": at, "updatedAt": at}
        check(call, resource, document)
        keep(call, resource, document)
        return resource.receipt(document, "createdAt")

    return create


def reader(resource: Resource) -> Handler:
    """A handler that gives one record."""

    def retrieve(call: Call) -> Answer:
        document = own(call, resource.name, call.parameters[resource.kind.id])
        return Answer(resource.shown(call, document))

    return retrieve


def lister(resource: Resource) -> Handler:
    """A handler that gives a page of the records that satisfy its filters.

    Plain records are few, so each is looked at: O(n log n) in those of the application.
    """

    def list_all(call: Call) -> Answer:
        shown = [resource.shown(call, d) for d in all_own(call, resource.name)]
        found = chosen(call, shown, resource.filters)
        return Answer(listed(call, resource.name, found, resource.keys))

    return list_all


def changer(resource: Resource, change: Change) -> Handler:
    """A handler that changes a record."""

    def update(call: Call) -> Answer:
        old = own(call, resource.name, call.parameters[resource.kind.id])
        settled = resource.settled(call, old)
        new = {**change(call, settled), "updatedAt": rfc3339(call.now)}
        check(call, resource, new)
        if settled != old:
            keep(call, resource, settled)
        keep(call, resource, new)
        return resource.receipt(new, "updatedAt")

    return update


def deleter(resource: Resource) -> Handler:
    """A handler that deletes a record that nothing refers to."""

    def delete(call: Call) -> Answer:
        document = own(call, resource.name, call.parameters[resource.kind.id])
        record_id = document[resource.kind.id]
        check_unused(call, resource.name, record_id)
        call.world.apply(Delete(call.api, resource.name, record_id))
        return Answer({"deletedAt": rfc3339(call.now)})

    return delete


def check(call: Call, resource: Resource, document: Document) -> None:
    """Raise ``Impossible`` for a record that refers to nothing, or is none.

    An update says less than the record that comes of it, which may break the contract.
    """
    check_references(call, resource.name, document)
    wrong = call.world.state(call.api).fixture.verdict(resource.kind, document)
    if wrong:
        raise Impossible(str(wrong))


def keep(call: Call, resource: Resource, document: Document) -> None:
    """Let a record be this document from now on."""
    record_id = document[resource.kind.id]
    call.world.apply(Put(call.api, resource.name, record_id, document))
