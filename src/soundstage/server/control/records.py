"""Records: read and written in any collection."""

from soundstage.apis.api import Handler, NotFound, RequestContext, Response
from soundstage.server.control.runs import translate_errors
from soundstage.server.hosts import Worlds
from soundstage.world.commands import Delete, Patch, Put


def handlers(_hosts: Worlds) -> dict[str, Handler]:
    """What is done to the records of the world that is addressed."""
    return {
        "listRecords": list_records,
        "getRecord": get_record,
        "putRecord": lambda call: _write(call, Put(*_get_record_key(call), call.body)),
        "patchRecord": lambda call: _write(
            call, Patch(*_get_record_key(call), call.body)
        ),
        "deleteRecord": delete_record,
    }


def list_records(call: RequestContext) -> Response:
    """The documents of a collection, the newest first."""
    api, collection = call.parameters["api"], call.parameters["collection"]
    with translate_errors():
        found = call.world.collection(api, collection).all(call.now)
    newest = found[::-1][: call.parameters["limit"]]
    return Response({"records": newest, "total": len(found)})


def get_record(call: RequestContext) -> Response:
    """One document as it is now."""
    api, collection, record_id = _get_record_key(call)
    with translate_errors():
        document = call.world.collection(api, collection).get(record_id, call.now)
    if document is None:
        raise NotFound(collection, record_id)
    return Response(document)


def delete_record(call: RequestContext) -> Response:
    """Let a record be no more."""
    with translate_errors():
        call.world.apply(Delete(*_get_record_key(call)))
    return Response(None, 204)


def _write(call: RequestContext, command: Put | Patch) -> Response:
    with translate_errors():
        record = call.world.apply(command)
    return Response(record.as_of(call.world.clock.now()))


def _get_record_key(call: RequestContext) -> tuple[str, str, str]:
    given = call.parameters
    return given["api"], given["collection"], given["id"]
