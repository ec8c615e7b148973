"""Handlers that create, retrieve, list, update and delete the records of a resource."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from soundstage.apis.algolia_ingestion.application import (
    application_id,
    get_requested,
    list_own_records,
)
from soundstage.apis.algolia_ingestion.lists import (
    FilterValues,
    filter_records,
    sort_and_render_page,
)
from soundstage.apis.algolia_ingestion.references import check_references, check_unreferenced
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
    """A record type with its handlers' parameters.

    ``build`` makes the stored record of a body that describes one whole. ``refresh``
    applies what has changed a record without a command; ``render`` returns a record as
    responses show it. ``sort_keys`` are values of ``sort`` that are no field. Responses
    to changes repeat the record's name if ``includes_name``.
    """

    record_type: RecordType
    filters: Mapping[str, FilterValues]
    build: Callable[[JsonObject], JsonObject] = dict
    refresh: Callable[[RequestContext, JsonObject], JsonObject] = _identity
    render: Callable[[RequestContext, JsonObject], JsonObject] = _identity
    sort_keys: Mapping[str, Callable[[JsonObject], Json]] = field(default_factory=dict)
    includes_name: bool = True

    @property
    def collection(self) -> str:
        """The name of the collection with the records."""
        return self.record_type.collection

    @property
    def id_field(self) -> str:
        """The field with a record's id, which is also the path parameter."""
        return self.record_type.id_field

    def render_receipt(self, record: JsonObject, timestamp_field: str) -> Response:
        """Render the response to a change: the record's id and the timestamp."""
        name = ("name",) if self.includes_name else ()
        fields = (self.id_field, *name, timestamp_field)
        return Response({name: record[name] for name in fields})


RecordUpdate = Callable[[RequestContext, JsonObject], JsonObject]
"""Returns the new version of a record that a request updates."""


def make_create_handler(resource: Resource) -> Handler:
    """Return a handler that creates a record."""

    def create(context: RequestContext) -> Response:
        now = format_rfc3339(context.now)
        record = {
            resource.id_field: context.new_id(uuid),
            **resource.build(context.body),
            "owner": application_id(context),
            "createdAt": now,
            "updatedAt": now,
        }
        _check_record(context, resource, record)
        _store_record(context, resource, record)
        return resource.render_receipt(record, "createdAt")

    return create


def make_retrieve_handler(resource: Resource) -> Handler:
    """Return a handler that returns one record."""

    def retrieve(context: RequestContext) -> Response:
        record = get_requested(context, resource.collection)
        return Response(resource.render(context, record))

    return retrieve


def make_list_handler(resource: Resource) -> Handler:
    """Return a handler that returns a page of the records that match its filters."""

    def list_all(context: RequestContext) -> Response:
        # An application has few such records, so that all of them can be rendered and
        # sorted: O(n log n).
        records = list_own_records(context, resource.collection)
        rendered = [resource.render(context, record) for record in records]
        matching = filter_records(context, rendered, resource.filters)
        return Response(
            sort_and_render_page(context, resource.collection, matching, resource.sort_keys)
        )

    return list_all


def make_update_handler(resource: Resource, apply_update: RecordUpdate) -> Handler:
    """Return a handler that updates a record."""

    def update(context: RequestContext) -> Response:
        old = get_requested(context, resource.collection)
        current = resource.refresh(context, old)
        updated_at = format_rfc3339(context.now)
        new = {**apply_update(context, current), "updatedAt": updated_at}
        _check_record(context, resource, new)
        # A change without a command is stored as a version of its own. Otherwise
        # enableTask would not show as a change, and would not end a failure streak.
        if current != old:
            _store_record(context, resource, current)
        _store_record(context, resource, new)
        return resource.render_receipt(new, "updatedAt")

    return update


def make_delete_handler(resource: Resource) -> Handler:
    """Return a handler that deletes a record to which no other record refers."""

    def delete(context: RequestContext) -> Response:
        record_id = get_requested(context, resource.collection)[resource.id_field]
        check_unreferenced(context, resource.collection, record_id)
        context.world.apply(Delete(context.api, resource.collection, record_id))
        return Response({"deletedAt": format_rfc3339(context.now)})

    return delete


def _check_record(context: RequestContext, resource: Resource, record: JsonObject) -> None:
    """Raise ``BadRequest`` for a broken reference or a violation of the schema."""
    check_references(context, resource.collection, record)
    # The body of an update is valid, but describes a part only: the whole record that
    # results may still violate the contract.
    fixture = context.state.fixture
    violation = fixture.check_contract(resource.record_type, record)
    if violation:
        raise BadRequest(str(violation))


def _store_record(context: RequestContext, resource: Resource, record: JsonObject) -> None:
    record_id = record[resource.id_field]
    context.world.apply(Put(context.api, resource.collection, record_id, record))
