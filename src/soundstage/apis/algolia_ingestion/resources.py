"""Plain records: created, read, listed, changed and deleted, all in one way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from soundstage.apis.algolia_ingestion.application import (
    application_id,
    get_own_record,
    list_own_records,
)
from soundstage.apis.algolia_ingestion.lists import (
    FilterValues,
    filter_records,
    sort_and_render_page,
)
from soundstage.apis.algolia_ingestion.references import (
    check_references,
    check_unreferenced,
)
from soundstage.apis.api import BadRequest, Handler, RequestContext, Response
from soundstage.types import Json, JsonObject
from soundstage.world.clock import format_rfc3339
from soundstage.world.commands import Delete, Put
from soundstage.world.ids import uuid
from soundstage.world.record import RecordType


def _identity(_context: RequestContext, record: JsonObject) -> JsonObject:
    return record


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of plain record.

    ``made`` gives what is kept of a body that describes one whole. ``settled`` is one
    with what has become of it by itself, ``shown`` what an answer tells of it. ``keys``
    are what it is sorted by that is no field of it. ``named`` says whether the answers
    to its changes repeat its name.
    """

    record_type: RecordType
    filters: Mapping[str, FilterValues]
    build: Callable[[JsonObject], JsonObject] = dict
    refresh: Callable[[RequestContext, JsonObject], JsonObject] = _identity
    render: Callable[[RequestContext, JsonObject], JsonObject] = _identity
    sort_keys: Mapping[str, Callable[[JsonObject], Json]] = field(default_factory=dict)
    includes_name: bool = True

    @property
    def name(self) -> str:
        """The collection that has them."""
        return self.record_type.collection

    def render_receipt(self, record: JsonObject, timestamp_field: str) -> Response:
        """The answer to a change: which record, and when."""
        told = (
            self.record_type.id_field,
            *(("name",) if self.includes_name else ()),
            timestamp_field,
        )
        return Response({name: record[name] for name in told})


RecordUpdate = Callable[[RequestContext, JsonObject], JsonObject]
"""What a request makes of a record."""


def make_create_handler(resource: Resource) -> Handler:
    """A handler that makes a new record."""

    def create(context: RequestContext) -> Response:
        at = format_rfc3339(context.now)
        own_id = {resource.record_type.id_field: context.new_id(uuid)}
        document = {
            **own_id,
            **resource.build(context.body),
            "owner": application_id(context),
        }
        document |= {"createdAt": at, "updatedAt": at}
        check_record(context, resource, document)
        store_record(context, resource, document)
        return resource.render_receipt(document, "createdAt")

    return create


def make_retrieve_handler(resource: Resource) -> Handler:
    """A handler that gives one record."""

    def retrieve(context: RequestContext) -> Response:
        document = get_own_record(
            context, resource.name, context.parameters[resource.record_type.id_field]
        )
        return Response(resource.render(context, document))

    return retrieve


def make_list_handler(resource: Resource) -> Handler:
    """A handler that gives a page of the records that satisfy its filters.

    Plain records are few, so each is looked at: O(n log n) in those of the application.
    """

    def list_all(context: RequestContext) -> Response:
        shown = [
            resource.render(context, d)
            for d in list_own_records(context, resource.name)
        ]
        found = filter_records(context, shown, resource.filters)
        return Response(
            sort_and_render_page(context, resource.name, found, resource.sort_keys)
        )

    return list_all


def make_update_handler(resource: Resource, apply_update: RecordUpdate) -> Handler:
    """A handler that changes a record."""

    def update(context: RequestContext) -> Response:
        old = get_own_record(
            context, resource.name, context.parameters[resource.record_type.id_field]
        )
        settled = resource.refresh(context, old)
        new = {
            **apply_update(context, settled),
            "updatedAt": format_rfc3339(context.now),
        }
        check_record(context, resource, new)
        if settled != old:
            store_record(context, resource, settled)
        store_record(context, resource, new)
        return resource.render_receipt(new, "updatedAt")

    return update


def make_delete_handler(resource: Resource) -> Handler:
    """A handler that deletes a record that nothing refers to."""

    def delete(context: RequestContext) -> Response:
        document = get_own_record(
            context, resource.name, context.parameters[resource.record_type.id_field]
        )
        record_id = document[resource.record_type.id_field]
        check_unreferenced(context, resource.name, record_id)
        context.world.apply(Delete(context.api, resource.name, record_id))
        return Response({"deletedAt": format_rfc3339(context.now)})

    return delete


def check_record(
    context: RequestContext, resource: Resource, record: JsonObject
) -> None:
    """Raise ``Impossible`` for a record that refers to nothing, or is none.

    An update says less than the record that comes of it, which may break the contract.
    """
    check_references(context, resource.name, record)
    wrong = context.world.state(context.api).fixture.check_contract(
        resource.record_type, record
    )
    if wrong:
        raise BadRequest(str(wrong))


def store_record(
    context: RequestContext, resource: Resource, record: JsonObject
) -> None:
    """Let a record be this document from now on."""
    record_id = record[resource.record_type.id_field]
    context.world.apply(Put(context.api, resource.name, record_id, record))
