"""Access to records: read and write them in any collection of any API."""

from soundstage.apis.api import Handler, NotFound, RequestContext, Response
from soundstage.server.control.runs import translate_errors
from soundstage.server.hosts import Worlds
from soundstage.world.commands import Delete, Patch, Put


def build_handlers(_worlds: Worlds) -> dict[str, Handler]:
    """Return the handlers of records."""
    return {
        "listRecords": list_records,
        "getRecord": get_record,
        "putRecord": put_record,
        "patchRecord": patch_record,
        "deleteRecord": delete_record,
    }


def list_records(context: RequestContext) -> Response:
    """List the records of a collection, the newest first."""
    api, collection = context.parameters["api"], context.parameters["collection"]
    with translate_errors():
        records = context.world.collection(api, collection).all(context.now)
    newest = records[::-1][: context.parameters["limit"]]
    return Response({"records": newest, "total": len(records)})


def get_record(context: RequestContext) -> Response:
    """Return a record as of now."""
    api, collection, record_id = _get_record_key(context)
    with translate_errors():
        record = context.world.collection(api, collection).get(record_id, context.now)
    if record is None:
        raise NotFound(collection, record_id)
    return Response(record)


def put_record(context: RequestContext) -> Response:
    """Create or replace a record."""
    return _write(context, Put(*_get_record_key(context), context.body))


def patch_record(context: RequestContext) -> Response:
    """Merge a patch into a record (RFC 7396)."""
    return _write(context, Patch(*_get_record_key(context), context.body))


def delete_record(context: RequestContext) -> Response:
    """Delete a record."""
    with translate_errors():
        context.world.apply(Delete(*_get_record_key(context)))
    return Response(None, 204)


def _write(context: RequestContext, command: Put | Patch) -> Response:
    with translate_errors():
        record = context.world.apply(command)
    return Response(record.as_of(context.world.clock.now()))


def _get_record_key(context: RequestContext) -> tuple[str, str, str]:
    parameters = context.parameters
    return parameters["api"], parameters["collection"], parameters["id"]
